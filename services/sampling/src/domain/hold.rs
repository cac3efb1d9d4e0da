//! What follows from a positive or suspect tube: who is held, isolated, or free again.

pub use super::control::Control;
use super::laboratory_result::Value;
use super::tube::{State, Verb};

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
    /// Not yet swabbed, or the swab came to nothing.
    Ordered,
    /// Swabbed; no result yet.
    Pending,
    /// It has this result: negative, suspect or positive.
    Found(Value),
}

impl Single {
    /// What the single tube of somebody tells; `lives` while it may still have a result.
    pub fn of(result: Option<Value>, lives: bool) -> Self {
        match result {
            Some(Value::Invalid) => Self::Ordered,
            Some(value) => Self::Found(value),
            None if lives => Self::Pending,
            None => Self::Ordered,
        }
    }

    /// Of several tubes of one person the gravest counts, in whatever order they came.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let gravity = |single| match single {
            Self::Ordered => 0,
            Self::Pending => 1,
            Self::Found(Value::Negative | Value::Invalid) => 2,
            Self::Found(Value::Suspect) => 3,
            Self::Found(Value::Positive) => 4,
        };
        if gravity(other) > gravity(self) {
            other
        } else {
            self
        }
    }

    fn is_positive(self) -> bool {
        matches!(self, Self::Found(value) if value.holds())
    }
}

/// What is known of a tube that holds, or held, its people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The result in force.
    pub result: Value,
    /// The first single tube was opened.
    pub rechecked: bool,
    /// A human released everybody despite this result.
    pub by_hand: bool,
    /// Negative singles release without a human.
    pub auto_release: bool,
}

/// What must be true after a result, whatever came before: so the order of results cannot matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Where the hold stands.
    pub hold: HoldState,
    /// Where the tube stands; none where its own result says.
    pub tube: Option<State>,
    /// The control of each member, in their order.
    pub controls: Vec<Option<Control>>,
    /// How many singles are positive or suspect.
    pub positives: usize,
}

/// Decides about everybody of a tube from its result and their singles (rules 2.19, 2.20, 2.22).
///
/// Whose single is positive is isolated at once and stays so, whatever becomes of the tube's own
/// result; who shared the tube is a contact candidate as soon as nobody waits for a single.
pub fn decide(facts: Facts, singles: &[Single]) -> Outcome {
    let Facts {
        result,
        rechecked,
        by_hand,
        auto_release,
    } = facts;
    let positives = singles.iter().filter(|single| single.is_positive()).count();
    let found = singles
        .iter()
        .filter(|single| matches!(single, Single::Found(_)))
        .count();
    let known = !singles.is_empty() && found == singles.len();
    let free = !result.holds() || by_hand;
    let (hold, others) = if positives > 0 && (known || free) {
        (HoldState::ResolvedPositive, Some(Control::CloseContact))
    } else if free {
        (HoldState::Released, None)
    } else if known && positives == 0 && auto_release {
        (HoldState::ResolvedNegative, None)
    } else {
        (HoldState::Active, Some(Control::PoolHold))
    };
    let control = |single: &Single| {
        if single.is_positive() {
            Some(Control::Isolated)
        } else {
            others
        }
    };
    Outcome {
        hold,
        tube: tube_of(result, hold, rechecked),
        controls: singles.iter().map(control).collect(),
        positives,
    }
}

/// Lifts what a hold puts on people of whom something else decides now (rule 2.22): whose case is
/// over, and who is a contact under the case's own contact rule. Once the cases of all positive
/// people are over, nobody stays a contact of the hold. `settled` is in the order of the members.
pub fn hand_over(outcome: &mut Outcome, settled: &[bool]) {
    let pairs = outcome.controls.iter().zip(settled);
    let mut positive = pairs.filter(|(control, _)| **control == Some(Control::Isolated));
    let over = outcome.positives > 0 && positive.all(|(_, settled)| *settled);
    for (control, settled) in outcome.controls.iter_mut().zip(settled) {
        let lifts = match control {
            Some(Control::Isolated) => *settled,
            Some(Control::CloseContact) => *settled || over,
            _ => false,
        };
        if lifts {
            *control = None;
        }
    }
}

/// Where the moves of rule 2.22 lead from the result to the hold's state.
fn tube_of(result: Value, hold: HoldState, rechecked: bool) -> Option<State> {
    let moves: &[Verb] = match hold {
        _ if !result.holds() => return None,
        HoldState::Active | HoldState::Released if rechecked => &[Verb::Hold, Verb::Recheck],
        HoldState::Active | HoldState::Released => &[Verb::Hold],
        HoldState::ResolvedNegative => &[Verb::Hold, Verb::Recheck, Verb::ResolveNegative],
        HoldState::ResolvedPositive => &[Verb::Hold, Verb::Recheck, Verb::ResolvePositive],
    };
    let reported = State::Testing.after(Verb::Report(result));
    let led = moves
        .iter()
        .fold(reported, |state, verb| state.and_then(|at| at.after(*verb)));
    debug_assert!(led.is_ok(), "{led:?}");
    led.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEGATIVE: Single = Single::Found(Value::Negative);
    const POSITIVE: Single = Single::Found(Value::Positive);

    fn facts(result: Value, rechecked: bool) -> Facts {
        Facts {
            result,
            rechecked,
            by_hand: false,
            auto_release: true,
        }
    }

    #[test]
    fn members_are_held_until_all_singles_are_negative() {
        let none = decide(facts(Value::Suspect, false), &[Single::Ordered; 3]);
        assert_eq!(
            (none.hold, none.tube),
            (HoldState::Active, Some(State::HoldActive))
        );
        assert_eq!(none.controls, [Some(Control::PoolHold); 3]);
        let positive = facts(Value::Positive, true);
        let some = decide(positive, &[NEGATIVE, Single::Pending, NEGATIVE]);
        assert_eq!(
            (some.hold, some.tube),
            (HoldState::Active, Some(State::Recheck))
        );
        assert_eq!(some.controls, [Some(Control::PoolHold); 3]);
        let all = decide(positive, &[NEGATIVE; 3]);
        assert_eq!(
            (all.hold, all.tube),
            (HoldState::ResolvedNegative, Some(State::ResolvedNegative))
        );
        assert_eq!(all.controls, [None; 3]);
        let manual = Facts {
            auto_release: false,
            ..positive
        };
        assert_eq!(decide(manual, &[NEGATIVE; 3]).hold, HoldState::Active);
    }

    #[test]
    fn the_positive_is_isolated_and_the_others_are_contacts() {
        let outcome = decide(facts(Value::Positive, true), &[NEGATIVE, POSITIVE]);
        assert_eq!(
            (outcome.hold, outcome.tube),
            (HoldState::ResolvedPositive, Some(State::ResolvedPositive))
        );
        let contact_and_isolated = [Some(Control::CloseContact), Some(Control::Isolated)];
        assert_eq!(outcome.controls, contact_and_isolated);
        assert_eq!(outcome.positives, 1);
        let waiting = decide(facts(Value::Positive, true), &[Single::Pending, POSITIVE]);
        let held_and_isolated = [Some(Control::PoolHold), Some(Control::Isolated)];
        assert_eq!(
            (waiting.hold, waiting.controls.as_slice()),
            (HoldState::Active, &held_and_isolated[..])
        );
    }

    #[test]
    fn a_positive_single_outlives_a_correction_and_a_release_by_hand() {
        let by_hand = Facts {
            by_hand: true,
            ..facts(Value::Positive, true)
        };
        for facts in [facts(Value::Negative, true), by_hand] {
            let freed = decide(facts, &[Single::Pending, Single::Ordered]);
            assert_eq!(
                (freed.hold, freed.controls),
                (HoldState::Released, vec![None, None])
            );
            let outcome = decide(facts, &[Single::Pending, POSITIVE]);
            assert_eq!(outcome.hold, HoldState::ResolvedPositive);
            let contact_and_isolated = [Some(Control::CloseContact), Some(Control::Isolated)];
            assert_eq!(outcome.controls, contact_and_isolated);
        }
    }

    #[test]
    fn what_a_case_decides_is_lifted_from_the_hold() {
        let singles = [POSITIVE, NEGATIVE, NEGATIVE];
        let told = |settled: [bool; 3]| {
            let mut outcome = decide(facts(Value::Positive, true), &singles);
            hand_over(&mut outcome, &settled);
            outcome.controls
        };
        let (isolated, contact) = (Some(Control::Isolated), Some(Control::CloseContact));
        assert_eq!(told([false; 3]), [isolated, contact, contact]);
        assert_eq!(told([false, true, false]), [isolated, None, contact]);
        assert_eq!(told([true, false, false]), [None; 3]);
        let mut waiting = decide(facts(Value::Positive, true), &[POSITIVE, Single::Pending]);
        hand_over(&mut waiting, &[true, true]);
        assert_eq!(waiting.controls, [None, Some(Control::PoolHold)]);
    }

    #[test]
    fn the_gravest_of_several_singles_counts_in_any_order() {
        let invalid = Single::of(Some(Value::Invalid), true);
        let lost = Single::of(None, false);
        assert_eq!((invalid, lost), (Single::Ordered, Single::Ordered));
        let rising = [lost, Single::of(None, true), NEGATIVE, POSITIVE];
        for (lesser, graver) in rising.iter().zip(&rising[1..]) {
            assert_eq!((lesser.or(*graver), graver.or(*lesser)), (*graver, *graver));
        }
    }
}
