//! Controls that are decided outside of the schools (rules 1.24, 2.21): what may be placed, and where one
//! stands.

use super::control::Control;
use super::day::Day;

/// The most civil days from the first to the last.
pub const MOST_DAYS: u16 = 60;
/// Where somebody stays who is isolated: numbers of the contract.
pub const SETTINGS: std::ops::RangeInclusive<i16> = 1..=4;

/// Where a control stands. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum MeasureState {
    /// In force.
    Placed = 1,
    /// Lifted by a human.
    Lifted = 2,
    /// Its last day is over.
    Ended = 3,
    /// Another one stands in its place.
    Replaced = 4,
}

/// What ends a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasureVerb {
    /// A human lifts it.
    Lift,
    /// Its last day is over.
    End,
    /// Another one is placed.
    Replace,
}

impl MeasureState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Placed, Self::Lifted, Self::Ended, Self::Replaced];

    /// The number of this state.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The state with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// The state after a verb; none when the verb does not start from this state.
    pub fn after(self, verb: MeasureVerb) -> Option<Self> {
        match (self, verb) {
            (Self::Placed, MeasureVerb::Lift) => Some(Self::Lifted),
            (Self::Placed, MeasureVerb::End) => Some(Self::Ended),
            (Self::Placed, MeasureVerb::Replace) => Some(Self::Replaced),
            _ => None,
        }
    }
}

/// What is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The control.
    pub control: Control,
    /// Where the person stays: a number of the contract, 0 when it is not said.
    pub setting: i16,
    /// The first day.
    pub first: Day,
    /// The last day; never for one that stands until it is lifted.
    pub last: Day,
}

/// What is wrong with what is to be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Only tubes give this control.
    Control,
    /// Whoever is isolated is so somewhere.
    Setting,
    /// The first day is in the future, or too long ago.
    First,
    /// There is no last day, it is over, or it is too far away.
    Last,
}

impl Terms {
    /// Whether this may be placed today.
    ///
    /// # Errors
    /// What is wrong first.
    pub fn check(&self, today: Day) -> Result<(), Unfit> {
        let far = |from: Day, to: Day| to.number().saturating_sub(from.number()) > MOST_DAYS;
        if self.control == Control::PoolHold {
            return Err(Unfit::Control);
        }
        if self.control == Control::Isolated && !SETTINGS.contains(&self.setting) {
            return Err(Unfit::Setting);
        }
        if self.first.is_never() || self.first > today || far(self.first, today) {
            return Err(Unfit::First);
        }
        let endless = self.last.is_never();
        if endless && self.control == Control::RegionRestricted {
            return Ok(());
        }
        if endless || self.last < today || far(self.first, self.last) {
            return Err(Unfit::Last);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_that_is_not_named_is_refused() {
        use MeasureState as S;
        use MeasureVerb as V;
        let legal = [
            (S::Placed, V::Lift, S::Lifted),
            (S::Placed, V::End, S::Ended),
            (S::Placed, V::Replace, S::Replaced),
        ];
        for state in S::ALL {
            assert_eq!(S::from_code(state.code()), Some(state));
            for verb in [V::Lift, V::End, V::Replace] {
                let expected = legal.iter().find(|(s, v, _)| (*s, *v) == (state, verb));
                assert_eq!(
                    state.after(verb),
                    expected.map(|(_, _, to)| *to),
                    "{state:?} {verb:?}"
                );
            }
        }
    }

    #[test]
    fn what_may_be_placed_has_a_place_and_days() {
        use Control as C;
        let day = Day::from_number;
        let terms = |control, setting, first, last| Terms {
            control,
            setting,
            first: day(first),
            last: day(last),
        };
        let cases = [
            (terms(C::RegionRestricted, 4, 100, 0), Ok(())),
            (terms(C::RegionRestricted, 0, 86, 100), Ok(())),
            (terms(C::Isolated, 1, 100, 114), Ok(())),
            (terms(C::HealthMonitoring, 0, 40, 100), Ok(())),
            (terms(C::PoolHold, 0, 100, 101), Err(Unfit::Control)),
            (terms(C::Isolated, 0, 100, 114), Err(Unfit::Setting)),
            (terms(C::CloseContact, 2, 101, 114), Err(Unfit::First)),
            (terms(C::CloseContact, 2, 39, 100), Err(Unfit::First)),
            (terms(C::CloseContact, 2, 0, 100), Err(Unfit::First)),
            (terms(C::CloseContact, 2, 90, 99), Err(Unfit::Last)),
            (terms(C::CloseContact, 2, 100, 0), Err(Unfit::Last)),
            (terms(C::RegionRestricted, 0, 100, 161), Err(Unfit::Last)),
        ];
        for (terms, expected) in cases {
            assert_eq!(terms.check(day(100)), expected, "{terms:?}");
        }
    }
}
