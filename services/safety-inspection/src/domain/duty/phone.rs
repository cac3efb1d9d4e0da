//! The telephone of the watch, which answers as long as a shift lasts (rule 5.31).

/// How many characters it has at most.
const LONGEST: usize = 20;
/// How many digits it has at least.
const FEWEST: usize = 7;
/// How many characters are shown of it, at its begin and at its end, when most of it is covered.
const SHOWN: (usize, usize) = (3, 4);

/// Whether a text is a telephone number: digits with `-` between them.
pub fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let others = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-');
    let framed = !text.starts_with('-') && !text.ends_with('-');
    others && framed && digits >= FEWEST && text.len() <= LONGEST
}

/// A number as those see it who need not call there, such as `059****0000`; empty when there is none.
pub fn covered(phone: &str) -> String {
    let (first, last) = SHOWN;
    let last = phone.len().saturating_sub(last).max(first);
    match (phone.get(..first), phone.get(last..)) {
        (Some(first), Some(last)) if !last.is_empty() => format!("{first}****{last}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_with_dashes_between_them_are_a_number() {
        for good in [
            "0591-83850000",
            "83850000",
            "13800000000",
            "0591-8385000-801",
        ] {
            assert!(is_phone(good), "{good}");
        }
        let long = "0591-83850000-8010011";
        for wrong in [
            "", "110", "-8385000", "8385000-", "8385 000", "电话", "12-34-5", long,
        ] {
            assert!(!is_phone(wrong), "{wrong}");
        }
    }

    #[test]
    fn most_of_a_number_is_covered() {
        assert_eq!(covered("0591-83850000"), "059****0000");
        assert_eq!(covered("13800001234"), "138****1234");
        assert_eq!(covered("8385000"), "838****5000");
        assert_eq!(covered(""), "");
    }
}
