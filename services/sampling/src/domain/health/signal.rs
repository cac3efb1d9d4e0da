//! Where a signal about the honesty of checks stands, who sees it, and which moves it allows.

use crate::domain::calendar::Calendar;
use crate::domain::day::Day;

/// As many school days the school has to itself before bureaus see a signal unexplained.
pub const SCHOOL_DAYS: u32 = 3;

/// Where a signal stands. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum SignalState {
    /// Shown to the school.
    Shown = 1,
    /// Explained by the school.
    Explained = 2,
    /// There is nothing to it.
    Dismissed = 3,
    /// The checks were not taken as reported.
    Confirmed = 4,
}

/// What is done with a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalVerb {
    /// The school explains it.
    Explain,
    /// The bureau holds that there is nothing to it.
    Dismiss,
    /// The bureau holds that the checks were not taken as reported.
    Confirm,
}

impl SignalState {
    /// Every state.
    pub const ALL: [Self; 4] = [
        Self::Shown,
        Self::Explained,
        Self::Dismissed,
        Self::Confirmed,
    ];

    /// The number of this state.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The state with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// The state after a verb; none when the verb does not start from this state.
    pub fn after(self, verb: SignalVerb) -> Option<Self> {
        match (self, verb) {
            (Self::Shown, SignalVerb::Explain) => Some(Self::Explained),
            (Self::Shown | Self::Explained, SignalVerb::Dismiss) => Some(Self::Dismissed),
            (Self::Shown | Self::Explained, SignalVerb::Confirm) => Some(Self::Confirmed),
            _ => None,
        }
    }

    /// Whether bureaus see it on `today`, when it is theirs from `visible` on.
    pub fn is_visible(self, visible: Day, today: Day) -> bool {
        self != Self::Shown || visible <= today
    }
}

/// The day from which bureaus see a signal that was shown on `shown`: the day after
/// [`SCHOOL_DAYS`] school days have passed, that of its showing not counted.
pub fn visible_from(calendar: &Calendar, shown: Day) -> Day {
    let mut day = shown;
    // A calendar without school days must not keep it from the bureaus for ever.
    for _ in 0..60 {
        if calendar.count(shown, day) >= SCHOOL_DAYS {
            break;
        }
        day = day.after();
    }
    day.after()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_that_is_not_named_is_refused() {
        use SignalState as S;
        use SignalVerb as V;
        let legal = [
            (S::Shown, V::Explain, S::Explained),
            (S::Shown, V::Dismiss, S::Dismissed),
            (S::Shown, V::Confirm, S::Confirmed),
            (S::Explained, V::Dismiss, S::Dismissed),
            (S::Explained, V::Confirm, S::Confirmed),
        ];
        for state in S::ALL {
            for verb in [V::Explain, V::Dismiss, V::Confirm] {
                let expected = legal.iter().find(|(s, v, _)| (*s, *v) == (state, verb));
                let expected = expected.map(|(_, _, to)| *to);
                assert_eq!(state.after(verb), expected, "{state:?} {verb:?}");
            }
        }
    }

    #[test]
    fn the_school_has_three_school_days() {
        let calendar = Calendar::default();
        let day = |text: &str| Day::from(text.parse::<chrono::NaiveDate>().unwrap());
        // Monday to Wednesday are its days after a Friday.
        assert_eq!(
            visible_from(&calendar, day("2022-03-25")),
            day("2022-03-31")
        );
        let visible = day("2022-03-31");
        assert!(!SignalState::Shown.is_visible(visible, visible.before()));
        assert!(SignalState::Shown.is_visible(visible, visible));
        assert!(SignalState::Explained.is_visible(visible, visible.before()));
    }
}
