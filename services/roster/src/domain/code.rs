//! The codes of organisations and students: what is well formed (rules 7.3, 7.6 and 7.8).

/// The categories of a school code, its first two digits (rule 7.3).
const SCHOOL_CATEGORIES: [&str; 16] = [
    "11", "21", "22", "31", "32", "33", "34", "35", "36", "37", "41", "42", "51", "91", "92", "93",
];

/// The characters of a unified social credit code by their values: no I, O, S, V, Z (rule 7.8).
const USCC_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Whether `text` is a school code: ten digits, the first two of a known category (rule 7.3).
pub fn is_school_code(text: &str) -> bool {
    let digits = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit());
    digits && SCHOOL_CATEGORIES.contains(&&text[..2])
}

/// Whether `text` is a student number: G, J or L, then seventeen digits, then a digit or X
/// (rule 7.6).
pub fn is_student_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 19
        && matches!(bytes[0], b'G' | b'J' | b'L')
        && bytes[1..18].iter().all(u8::is_ascii_digit)
        && (bytes[18].is_ascii_digit() || bytes[18] == b'X')
}

/// Whether `text` is a unified social credit code of GB 32100-2015 with the right check character
/// (rule 7.8).
pub fn is_uscc(text: &str) -> bool {
    let value = |character: u8| USCC_ALPHABET.iter().position(|known| *known == character);
    let Some(values) = text.bytes().map(value).collect::<Option<Vec<_>>>() else {
        return false;
    };
    let Some((check, body)) = values.split_last().filter(|(_, body)| body.len() == 17) else {
        return false;
    };
    let (sum, _) = body.iter().fold((0, 1), |(sum, weight), value| {
        (sum + value * weight, weight * 3 % 31)
    });
    (sum + check) % 31 == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USCC: [&str; 3] = [
        "9144030071526726XG",
        "91330100799655058B",
        "91350100M000100Y43",
    ];

    fn replaced(text: &str, place: usize, with: u8) -> String {
        let mut bytes = text.as_bytes().to_vec();
        bytes[place] = with;
        String::from_utf8(bytes).expect("ASCII")
    }

    #[test]
    fn school_codes_have_ten_digits_and_a_known_category() {
        for good in ["2135010001", "1135000001", "9335999999", "3435010023"] {
            assert!(is_school_code(good), "{good}");
        }
        for bad in [
            "",
            "2335010001",
            "213501000",
            "21350100011",
            "21350100O1",
            "9435000001",
            "２1350100",
        ] {
            assert!(!is_school_code(bad), "{bad}");
        }
    }

    #[test]
    fn student_numbers_have_a_letter_and_eighteen_places() {
        for good in [
            "G11010519491231002X",
            "J350102201209010011",
            "L350102201209010011",
        ] {
            assert!(is_student_number(good), "{good}");
        }
        for bad in [
            "",
            "K350102201209010011",
            "G35010220120901001",
            "G3501022012090100111",
            "g350102201209010011",
            "G35010220120901X011",
            "G35010220120901001Y",
        ] {
            assert!(!is_student_number(bad), "{bad}");
        }
    }

    #[test]
    fn credit_codes_of_the_standard_pass_and_their_neighbours_fail() {
        for good in USCC {
            assert!(is_uscc(good), "{good}");
        }
        for bad in [
            "",
            "9144030071526726XH",
            "91330100799655058C",
            "91350100M000100Y42",
            "9144030071526726X",
            "9144030071526726XG0",
            "9144030071526726xg",
            "91350100I000100Y43",
            "91350100M000100Y4号",
        ] {
            assert!(!is_uscc(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_single_changed_character_of_a_credit_code_is_noticed(
            which in 0..USCC.len(),
            place in 0usize..18,
            with in 0x20u8..0x7f,
        ) {
            let changed = replaced(USCC[which], place, with);
            prop_assert_eq!(is_uscc(&changed), changed == USCC[which]);
        }

        #[test]
        fn a_credit_code_has_exactly_one_check_character(
            body in proptest::collection::vec(proptest::sample::select(&USCC_ALPHABET[..]), 17),
        ) {
            let body = String::from_utf8(body).expect("ASCII");
            let fitting = USCC_ALPHABET
                .iter()
                .filter(|check| is_uscc(&format!("{body}{}", char::from(**check))));
            prop_assert_eq!(fitting.count(), 1);
        }
    }
}
