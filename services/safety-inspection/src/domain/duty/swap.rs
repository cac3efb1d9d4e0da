//! Swaps: asked for a day ahead, and decided by somebody else (rule 5.31).

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Refused, Shift, ShiftStep};
use crate::domain::history::Move;
use crate::domain::numbered::numbered;

numbered! {
    /// The place of a swap in its life cycle; the numbers are those of contract and table.
    SwapState {
        /// Asked.
        Requested = 1 "REQUESTED",
        /// Granted.
        Approved = 2 "APPROVED",
        /// Refused.
        Refused = 3 "REFUSED",
    }
}

numbered! {
    /// What is done with a swap.
    SwapStep {
        /// It is granted.
        Approve = 1 "APPROVE",
        /// It is refused.
        Refuse = 2 "REFUSE",
    }
}

impl SwapState {
    /// The state after `step`; none when the step does not start from here.
    pub fn next(self, step: SwapStep) -> Option<Self> {
        match (step, self) {
            (SwapStep::Approve, Self::Requested) => Some(Self::Approved),
            (SwapStep::Refuse, Self::Requested) => Some(Self::Refused),
            (SwapStep::Approve | SwapStep::Refuse, Self::Approved | Self::Refused) => None,
        }
    }
}

/// Somebody in place of another on a shift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    /// Where it is in its life cycle.
    pub state: SwapState,
    /// The name of the shift.
    pub shift: String,
    /// `staff/{staff_member}`: who leaves it.
    pub staff_member: String,
    /// `staff/{staff_member}`: who comes instead.
    pub substitute: String,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub asker: String,
}

/// A swap is asked for so long before the shift begins.
const AHEAD: TimeDelta = TimeDelta::days(1);

impl Swap {
    /// Asks for a swap on `shift`.
    ///
    /// # Errors
    /// What [`Shift::swap`] would refuse, or [`Refused::SwapTooLate`].
    pub fn request(self, shift: &Shift, now: DateTime<Utc>) -> Result<Self, Refused> {
        let next = shift.state.next(ShiftStep::Swap);
        next.ok_or(Refused::State(shift.state.as_str()))?;
        let latest = shift.span.start - AHEAD;
        if now > latest {
            return Err(Refused::SwapTooLate(latest));
        }
        let fits = shift.crew.has(&self.staff_member) && !shift.crew.has(&self.substitute);
        if fits { Ok(self) } else { Err(Refused::Person) }
    }

    /// Decides on it.
    ///
    /// # Errors
    /// [`Refused::State`] once it is decided, or [`Refused::Person`] for whoever asked or is one of
    /// the two.
    pub fn decide(self, decider: &str, step: SwapStep) -> Result<(Self, Move), Refused> {
        let from = self.state;
        let state = from.next(step).ok_or(Refused::State(from.as_str()))?;
        let concerned = [&self.asker, &self.staff_member, &self.substitute];
        if concerned.into_iter().any(|person| person == decider) {
            return Err(Refused::Person);
        }
        let moved = Move {
            from: from.as_str(),
            to: state.as_str(),
            step: step.as_str(),
        };
        Ok((Self { state, ..self }, moved))
    }
}
