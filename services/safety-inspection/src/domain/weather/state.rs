//! Where an organisation stands between a warning and its reopening (rule 5.29).

use crate::domain::numbered::numbered;

numbered! {
    /// The place in the loop. The numbers are those of the contract.
    State {
        /// No warning stands.
        None = 1,
        /// Warned.
        Alerted = 2,
        /// Teaching is suspended.
        Suspended = 3,
        /// The suspension is lifted, nothing is checked yet.
        Lifted = 4,
        /// The sweep or the disinfection has begun.
        PostCheck = 5,
        /// Teaching began again.
        Reopened = 6,
    }
}

numbered! {
    /// What happens to an organisation.
    Event {
        /// A warning begins to hold, or gets graver.
        Raise = 1,
        /// The warning gets less grave and still holds.
        Ease = 2,
        /// No warning holds any more.
        Clear = 3,
        /// Teaching is suspended by decision, while a warning holds.
        Suspend = 4,
        /// No decision suspends it any more.
        Lift = 5,
        /// Something of the sweep or the disinfection is recorded.
        Check = 6,
        /// Teaching begins again, after the check is complete.
        Reopen = 7,
    }
}

impl State {
    /// The state after an event; none when the event does not start from this state. What is
    /// suspended or not yet checked stays so whatever the weather does: only a decision lifts, and
    /// only the check leads back.
    pub fn after(self, event: Event) -> Option<Self> {
        use Event as E;
        match (self, event) {
            (Self::None | Self::Alerted | Self::Reopened, E::Raise) | (Self::Alerted, E::Ease) => {
                Some(Self::Alerted)
            }
            (Self::Alerted, E::Clear) => Some(Self::None),
            (Self::Suspended | Self::Lifted | Self::PostCheck, E::Raise | E::Ease | E::Clear)
            | (Self::Reopened, E::Ease | E::Clear) => Some(self),
            (
                Self::Alerted | Self::Suspended | Self::Lifted | Self::PostCheck | Self::Reopened,
                E::Suspend,
            ) => Some(Self::Suspended),
            (Self::Suspended, E::Lift) => Some(Self::Lifted),
            (Self::Lifted | Self::PostCheck, E::Check) => Some(Self::PostCheck),
            (Self::PostCheck, E::Reopen) => Some(Self::Reopened),
            _ => None,
        }
    }

    /// Whether the sweep and the disinfection are still to be done or to be finished.
    pub fn awaits_check(self) -> bool {
        matches!(self, Self::Lifted | Self::PostCheck)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every event in every state: the table is rule 5.29.
    #[test]
    fn every_move_that_is_not_named_is_refused() {
        use Event as E;
        use State as S;
        let legal = [
            (S::None, E::Raise, S::Alerted),
            (S::Alerted, E::Raise, S::Alerted),
            (S::Alerted, E::Ease, S::Alerted),
            (S::Alerted, E::Clear, S::None),
            (S::Alerted, E::Suspend, S::Suspended),
            (S::Suspended, E::Raise, S::Suspended),
            (S::Suspended, E::Ease, S::Suspended),
            (S::Suspended, E::Clear, S::Suspended),
            (S::Suspended, E::Suspend, S::Suspended),
            (S::Suspended, E::Lift, S::Lifted),
            (S::Lifted, E::Raise, S::Lifted),
            (S::Lifted, E::Ease, S::Lifted),
            (S::Lifted, E::Clear, S::Lifted),
            (S::Lifted, E::Suspend, S::Suspended),
            (S::Lifted, E::Check, S::PostCheck),
            (S::PostCheck, E::Raise, S::PostCheck),
            (S::PostCheck, E::Ease, S::PostCheck),
            (S::PostCheck, E::Clear, S::PostCheck),
            (S::PostCheck, E::Suspend, S::Suspended),
            (S::PostCheck, E::Check, S::PostCheck),
            (S::PostCheck, E::Reopen, S::Reopened),
            (S::Reopened, E::Raise, S::Alerted),
            (S::Reopened, E::Ease, S::Reopened),
            (S::Reopened, E::Clear, S::Reopened),
            (S::Reopened, E::Suspend, S::Suspended),
        ];
        for state in State::ALL {
            for event in Event::ALL {
                let expected = legal.iter().find(|(s, e, _)| (s, e) == (state, event));
                assert_eq!(
                    state.after(*event),
                    expected.map(|(_, _, to)| *to),
                    "{state:?} {event:?}"
                );
            }
        }
    }
}
