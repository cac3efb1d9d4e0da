//! What follows from a positive or suspect tube: who is held, isolated, or free again.

use super::laboratory_result::Value;
use super::tube::State;

/// The control axis as far as holds move it. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the contract says what each value means")]
pub enum Control {
    PoolHold,
    CloseContact,
    Isolated,
}

impl Control {
    /// The number of this value.
    pub fn code(self) -> i16 {
        match self {
            Self::PoolHold => 2,
            Self::CloseContact => 4,
            Self::Isolated => 7,
        }
    }

    /// The value with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::PoolHold, Self::CloseContact, Self::Isolated]
            .into_iter()
            .find(|value| value.code() == code)
    }
}

/// Where a hold stands. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
#[expect(missing_docs, reason = "the contract says what each state means")]
pub enum HoldState {
    Active = 1,
    ResolvedNegative = 2,
    ResolvedPositive = 3,
    Released = 4,
}

impl HoldState {
    /// The number of this state.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The state with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        [
            Self::Active,
            Self::ResolvedNegative,
            Self::ResolvedPositive,
            Self::Released,
        ]
        .into_iter()
        .find(|state| state.code() == code)
    }
}

/// What is known of one member's single swab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Single {
    /// Not yet opened.
    Ordered,
    /// Opened; no result, or an invalid one.
    Pending,
    /// It has this result.
    Found(Value),
}

/// What must be true after a result, whatever came before: so the order of results cannot matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Where the hold stands.
    pub hold: HoldState,
    /// Where the tube stands.
    pub tube: State,
    /// The control of each member, in their order.
    pub controls: Vec<Option<Control>>,
    /// How many singles are positive or suspect.
    pub positives: usize,
}

/// Decides about a tube that begins a hold, from its singles.
pub fn decide(singles: &[Single], by_hand: bool, auto_release: bool) -> Outcome {
    let is_positive = |single: &Single| matches!(single, Single::Found(value) if value.holds());
    let is_negative = |single: &Single| matches!(single, Single::Found(Value::Negative));
    let positives = singles.iter().filter(|single| is_positive(single)).count();
    let negatives = singles.iter().filter(|single| is_negative(single)).count();
    let opened = singles.iter().any(|single| *single != Single::Ordered);
    let decided = !singles.is_empty() && positives + negatives == singles.len();
    let all = |control| vec![control; singles.len()];
    let rechecking = if opened {
        State::Recheck
    } else {
        State::HoldActive
    };
    let (hold, tube, controls) = if by_hand {
        (HoldState::Released, rechecking, all(None))
    } else if decided && positives > 0 {
        let control = |single| {
            Some(if is_positive(single) {
                Control::Isolated
            } else {
                Control::CloseContact
            })
        };
        let controls = singles.iter().map(control).collect();
        (
            HoldState::ResolvedPositive,
            State::ResolvedPositive,
            controls,
        )
    } else if decided && auto_release {
        (
            HoldState::ResolvedNegative,
            State::ResolvedNegative,
            all(None),
        )
    } else {
        // A single that is positive isolates at once; the others wait for theirs.
        let control = |single| {
            Some(if is_positive(single) {
                Control::Isolated
            } else {
                Control::PoolHold
            })
        };
        (
            HoldState::Active,
            rechecking,
            singles.iter().map(control).collect(),
        )
    };
    Outcome {
        hold,
        tube,
        controls,
        positives,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_held_until_all_singles_are_negative() {
        let none = decide(&[Single::Ordered; 3], false, true);
        assert_eq!(
            (none.hold, none.tube),
            (HoldState::Active, State::HoldActive)
        );
        assert_eq!(none.controls, [Some(Control::PoolHold); 3]);
        let negative = Single::Found(Value::Negative);
        let some = decide(&[negative, Single::Pending, negative], false, true);
        assert_eq!((some.hold, some.tube), (HoldState::Active, State::Recheck));
        assert_eq!(some.controls, [Some(Control::PoolHold); 3]);
        let all = decide(&[negative; 3], false, true);
        assert_eq!(
            (all.hold, all.tube),
            (HoldState::ResolvedNegative, State::ResolvedNegative)
        );
        assert_eq!(all.controls, [None; 3]);
        assert_eq!(decide(&[negative; 3], false, false).hold, HoldState::Active);
    }

    #[test]
    fn the_positive_is_isolated_and_the_others_are_contacts() {
        let negative = Single::Found(Value::Negative);
        let outcome = decide(&[negative, Single::Found(Value::Positive)], false, true);
        assert_eq!(outcome.hold, HoldState::ResolvedPositive);
        assert_eq!(
            outcome.controls,
            [Some(Control::CloseContact), Some(Control::Isolated)]
        );
        assert_eq!(outcome.positives, 1);
    }
}
