//! The control axis of a person (rule 1.24), whatever put it on them.

/// One control, weakest first: of several that bear on a person the strongest counts. The numbers
/// are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the contract says what each value means")]
pub enum Control {
    Observation,
    HealthMonitoring,
    PoolHold,
    SecondaryContact,
    RegionRestricted,
    CloseContact,
    Isolated,
}

impl Control {
    /// Every control, strongest first.
    pub const ALL: [Self; 7] = [
        Self::Isolated,
        Self::CloseContact,
        Self::RegionRestricted,
        Self::SecondaryContact,
        Self::PoolHold,
        Self::HealthMonitoring,
        Self::Observation,
    ];

    /// The number of this value.
    pub fn code(self) -> i16 {
        match self {
            Self::PoolHold => 2,
            Self::SecondaryContact => 3,
            Self::CloseContact => 4,
            Self::RegionRestricted => 5,
            Self::HealthMonitoring => 6,
            Self::Isolated => 7,
            Self::Observation => 8,
        }
    }

    /// The value with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|value| value.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_comes_first_and_every_number_is_read_back() {
        assert!(Control::ALL.is_sorted_by(|one, other| one > other));
        for control in Control::ALL {
            assert_eq!(Control::from_code(control.code()), Some(control));
        }
        assert_eq!(Control::from_code(1), None, "free is no control");
    }
}
