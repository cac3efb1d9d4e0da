//! What identifies a visitor (rule 3.6): sealed where it is kept, masked where it is shown.

use std::fmt;

/// The kinds of document (rule 7.7); the numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// The resident identity card of GB 11643.
    ResidentCard = 1,
    /// A passport.
    Passport = 2,
    /// The permit of residents of Hong Kong and Macao.
    HongKongMacaoPermit = 3,
    /// The permit of residents of Taiwan.
    TaiwanPermit = 4,
    /// The permanent residence card of foreigners.
    ForeignerResidence = 5,
}

impl DocumentKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::ResidentCard,
        Self::Passport,
        Self::HongKongMacaoPermit,
        Self::TaiwanPermit,
        Self::ForeignerResidence,
    ];

    /// The kind of a number.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i32 == number)
    }

    /// The number of a document in its one spelling; none when it cannot be one.
    pub fn number(self, written: &str) -> Option<String> {
        let number: String = written
            .chars()
            .filter(|letter| !letter.is_whitespace())
            .map(|letter| letter.to_ascii_uppercase())
            .collect();
        let good = match self {
            Self::ResidentCard => is_resident(&number),
            _ => {
                (5..=32).contains(&number.len())
                    && number.bytes().all(|b| b.is_ascii_alphanumeric())
            }
        };
        good.then_some(number)
    }
}

/// The weights of the first seventeen digits (GB 11643, rule 7.7).
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// The last character by the weighted sum modulo eleven.
const CHECK: &[u8; 11] = b"10X98765432";

fn is_resident(number: &str) -> bool {
    let Some((last, digits)) = number.as_bytes().split_last() else {
        return false;
    };
    if digits.len() != WEIGHTS.len() || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let sum: u32 = digits
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    CHECK[(sum % 11) as usize] == *last
}

/// Whether `text` is a mobile number of the mainland (rule 7.10).
pub fn is_phone(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 11
        && bytes[0] == b'1'
        && (b'3'..=b'9').contains(&bytes[1])
        && bytes.iter().all(u8::is_ascii_digit)
}

/// What identifies a visitor. Shown as nothing for debugging.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Card {
    /// The name on the document.
    pub full_name: String,
    /// The kind of the document; none for an emergency crew.
    pub document_kind: Option<DocumentKind>,
    /// The number on it.
    pub document_number: String,
    /// Eleven digits.
    pub phone: String,
    /// Where the visitor works.
    pub affiliation: String,
    /// The plate of the car, or how the visitor comes.
    pub plate: String,
    /// Where the visitor was.
    pub recent_regions: String,
    /// Why the visitor comes.
    pub purpose: String,
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Card")
    }
}

impl Card {
    /// As it may be shown (rule 6.14): a surname, the ends of numbers, no regions.
    #[must_use]
    pub fn masked(&self) -> Self {
        Self {
            full_name: masked_name(&self.full_name),
            document_kind: self.document_kind,
            document_number: masked_number(&self.document_number),
            phone: masked_number(&self.phone),
            affiliation: self.affiliation.clone(),
            plate: self.plate.clone(),
            recent_regions: String::new(),
            purpose: self.purpose.clone(),
        }
    }
}

fn masked_name(name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        None => String::new(),
        Some(first) => std::iter::once(first)
            .chain(letters.map(|_| '*').take(3))
            .collect(),
    }
}

/// The first three and the last four characters; of a short number none.
fn masked_number(number: &str) -> String {
    let letters: Vec<char> = number.chars().collect();
    match letters.len() {
        0 => String::new(),
        short if short < 10 => "****".to_owned(),
        long => {
            let head: String = letters[..3].iter().collect();
            let tail: String = letters[long - 4..].iter().collect();
            format!("{head}****{tail}")
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Golden test T23 for visitors.
    #[test]
    fn resident_numbers_have_the_right_last_character() {
        let kind = DocumentKind::ResidentCard;
        for good in ["11010519491231002X", "440524188001010014"] {
            assert_eq!(kind.number(good).as_deref(), Some(good));
        }
        let typed = kind.number(" 110105 19491231 002x ");
        assert_eq!(typed.as_deref(), Some("11010519491231002X"));
        for bad in [
            "",
            "110105194912310021",
            "1101051949123100",
            "X1010519491231002X",
        ] {
            assert_eq!(kind.number(bad), None, "{bad}");
        }
        let passport = DocumentKind::Passport;
        assert_eq!(passport.number("e12345678").as_deref(), Some("E12345678"));
        assert_eq!(passport.number("E-12345678"), None);
    }

    #[test]
    fn a_card_is_shown_without_what_identifies() {
        let card = Card {
            full_name: "林大山水".to_owned(),
            document_kind: Some(DocumentKind::ResidentCard),
            document_number: "11010519491231002X".to_owned(),
            phone: "13800138000".to_owned(),
            recent_regions: "榕城".to_owned(),
            ..Card::default()
        };
        let shown = card.masked();
        assert_eq!(shown.full_name, "林***");
        assert_eq!(shown.document_number, "110****002X");
        assert_eq!(shown.phone, "138****8000");
        assert_eq!(shown.recent_regions, "");
        assert_eq!(format!("{card:?}"), "Card");
        assert_eq!(masked_number("E1234567"), "****");
    }

    proptest! {
        #[test]
        fn no_more_than_seven_characters_of_a_number_are_shown(number in "[0-9A-Z]{0,32}") {
            let shown = masked_number(&number);
            let plain = shown.chars().filter(|letter| *letter != '*').count();
            prop_assert!(plain <= 7 && (plain == 0 || plain + 3 <= number.len()));
        }

        #[test]
        fn no_text_makes_reading_panic(text in ".*") {
            for kind in DocumentKind::ALL {
                let _ = kind.number(&text);
            }
            let _ = is_phone(&text);
        }
    }
}
