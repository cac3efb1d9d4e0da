//! What is looked for at a check (rule 1.2).

/// One symptom. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the contract says what each value means")]
pub enum Symptom {
    Fever = 1,
    Cough,
    Headache,
    SoreThroat,
    ParotidSwelling,
    AbdominalPain,
    Diarrhoea,
    Vomiting,
    Rash,
    Dizziness,
    Fatigue,
    ConjunctivalCongestion,
    Jaundice,
    Other,
}

impl Symptom {
    /// Every symptom, in the order of the contract.
    pub const ALL: [Self; 14] = [
        Self::Fever,
        Self::Cough,
        Self::Headache,
        Self::SoreThroat,
        Self::ParotidSwelling,
        Self::AbdominalPain,
        Self::Diarrhoea,
        Self::Vomiting,
        Self::Rash,
        Self::Dizziness,
        Self::Fatigue,
        Self::ConjunctivalCongestion,
        Self::Jaundice,
        Self::Other,
    ];

    /// The number of this symptom.
    pub fn code(self) -> i32 {
        self as i32
    }

    /// The symptom with this number.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|symptom| symptom.code() == code)
    }
}

/// A set of symptoms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symptoms(u16);

impl Symptoms {
    /// No symptom.
    pub const NONE: Self = Self(0);

    /// The set with these bits: bit `n` for the symptom with number `n`. Others are left out.
    pub fn from_bits(bits: i32) -> Self {
        Symptom::ALL
            .into_iter()
            .filter(|symptom| bits >> symptom.code() & 1 == 1)
            .collect()
    }

    /// The bits of this set.
    pub fn bits(self) -> i32 {
        i32::from(self.0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this one is among them.
    pub fn has(self, symptom: Symptom) -> bool {
        self.0 >> symptom as u8 & 1 == 1
    }

    /// Whether any of `others` is among them.
    pub fn any(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// All of both.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// With this one.
    #[must_use]
    pub fn with(self, symptom: Symptom) -> Self {
        Self(self.0 | 1 << symptom as u8)
    }

    /// Each one, in the order of the contract.
    pub fn iter(self) -> impl Iterator<Item = Symptom> {
        Symptom::ALL
            .into_iter()
            .filter(move |symptom| self.has(*symptom))
    }
}

impl FromIterator<Symptom> for Symptoms {
    fn from_iter<I: IntoIterator<Item = Symptom>>(symptoms: I) -> Self {
        symptoms.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symptoms_are_a_set_and_survive_as_bits() {
        let set: Symptoms = [Symptom::Rash, Symptom::Fever, Symptom::Rash]
            .into_iter()
            .collect();
        assert_eq!(
            set.iter().collect::<Vec<_>>(),
            [Symptom::Fever, Symptom::Rash]
        );
        assert_eq!(Symptoms::from_bits(set.bits()), set);
        assert_eq!(Symptoms::from_bits(1), Symptoms::NONE);
        assert_eq!(
            Symptoms::from_bits(i32::MAX).iter().count(),
            Symptom::ALL.len()
        );
    }
}
