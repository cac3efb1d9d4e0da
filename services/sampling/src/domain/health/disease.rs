//! The diseases for which the policy keeps rules.

/// A disease by its number in the contract (`campus.roster.v1.Disease`): the table of diseases is
/// data, so a value that this release does not know is kept as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Disease(pub i16);

impl Disease {
    /// Influenza or an influenza-like illness.
    pub const INFLUENZA: Self = Self(1);
    /// Chickenpox.
    pub const VARICELLA: Self = Self(2);
    /// Hand, foot and mouth disease.
    pub const HFMD: Self = Self(4);
    /// Norovirus and other infectious diarrhoea.
    pub const NOROVIRUS: Self = Self(5);
    /// COVID-19.
    pub const COVID_19: Self = Self(16);
    /// Plague and cholera, of class A by law, SARS and pulmonary anthrax, managed as such (rule 1.18).
    /// A policy may add diseases to these and take none away.
    pub const CLASS_A: [Self; 4] = [Self(17), Self(18), Self(19), Self(20)];
}

/// How sure a diagnosis is; a surer one replaces a less sure one. The numbers are those of the
/// contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum Certainty {
    /// A doctor, a test or a case definition points to it.
    Suspected = 1,
    /// Confirmed by a laboratory or a hospital.
    Confirmed = 2,
}

impl Certainty {
    /// The number of this value.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The value with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::Suspected, Self::Confirmed]
            .into_iter()
            .find(|value| value.code() == code)
    }
}

/// How grave an illness is, lightest first. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum Severity {
    /// At home or at school.
    #[default]
    Mild = 1,
    /// In hospital.
    Hospitalised = 2,
    /// Died.
    Dead = 3,
}

impl Severity {
    /// The number of this value.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The value with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::Mild, Self::Hospitalised, Self::Dead]
            .into_iter()
            .find(|value| value.code() == code)
    }
}
