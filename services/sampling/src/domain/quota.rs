//! How many are drawn.

/// A share in hundredths of a per cent: 2000 is 20 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ratio(u16);

/// A share is between 0.01 % and 100 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not between 1 and 10000 hundredths of a per cent")]
pub struct InvalidRatio;

impl Ratio {
    /// Everybody.
    pub const ALL: Self = Self(10_000);

    /// The share of `basis_points` hundredths of a per cent.
    ///
    /// # Errors
    /// Outside 1 to 10000.
    pub fn from_basis_points(basis_points: u32) -> Result<Self, InvalidRatio> {
        match u16::try_from(basis_points) {
            Ok(share @ 1..=10_000) => Ok(Self(share)),
            _ => Err(InvalidRatio),
        }
    }

    /// In hundredths of a per cent.
    pub fn basis_points(self) -> u32 {
        u32::from(self.0)
    }

    /// ceil(ratio × eligible), in whole numbers throughout.
    pub fn quota(self, eligible: usize) -> usize {
        (eligible * usize::from(self.0)).div_ceil(10_000)
    }

    /// After how many days everybody has had a turn: 1 / ratio, rounded up.
    pub fn cycle(self) -> u32 {
        10_000_u32.div_ceil(u32::from(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_is_rounded_up_exactly() {
        let fifth = Ratio::from_basis_points(2000).unwrap();
        let quotas = [0, 1, 5, 6, 45, 46, 50, 51].map(|eligible| fifth.quota(eligible));
        assert_eq!(quotas, [0, 1, 1, 2, 9, 10, 10, 11]);
        assert_eq!(fifth.cycle(), 5);
        assert!(Ratio::from_basis_points(0).is_err() && Ratio::from_basis_points(10_001).is_err());
    }
}
