//! How the law classes diseases (传染病防治法, rule 1.18).

use super::disease::Disease;

/// The class of a disease by law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LegalClass {
    /// 甲类: plague and cholera.
    A,
    /// 乙类.
    B,
    /// 丙类.
    C,
}

impl LegalClass {
    /// The class of a disease; none for one that the law does not list.
    pub fn of(disease: Disease) -> Option<Self> {
        Some(match disease.0 {
            17 | 18 => Self::A,
            // Measles, scarlet fever, dysentery, hepatitis, typhoid, dengue, tuberculosis, COVID-19,
            // SARS, anthrax, pertussis, meningococcal meningitis and mpox.
            7..=9 | 11..=13 | 15 | 16 | 19..=23 => Self::B,
            // Influenza, mumps, hand, foot and mouth disease, infectious diarrhoea, rubella and acute
            // haemorrhagic conjunctivitis.
            1 | 3..=6 | 10 => Self::C,
            _ => return None,
        })
    }

    /// How it is written on a card; whether a disease of class B is managed as of class A.
    pub fn chinese(self, as_a: bool) -> &'static str {
        match self {
            Self::A => "甲类",
            Self::B if as_a => "乙类（按甲类管理）",
            Self::B => "乙类",
            Self::C => "丙类",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plague_and_cholera_are_of_class_a_and_what_is_managed_so_is_of_class_b() {
        let classes = Disease::CLASS_A.map(LegalClass::of);
        let [a, b] = [LegalClass::A, LegalClass::B].map(Some);
        assert_eq!(classes, [a, a, b, b]);
        assert_eq!(LegalClass::of(Disease::INFLUENZA), Some(LegalClass::C));
        assert_eq!(LegalClass::of(Disease::VARICELLA), None, "is not listed");
        assert_eq!(LegalClass::B.chinese(true), "乙类（按甲类管理）");
    }
}
