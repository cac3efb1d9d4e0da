//! Response levels of flood headquarters, and warnings of weather bureaus (rule 5.23).

use crate::domain::numbered::numbered;

numbered! {
    /// Where a response level stands. The numbers are those of the contract.
    ResponseState {
        /// In force.
        InForce = 1,
        /// Lifted.
        Lifted = 2,
    }
}

numbered! {
    /// What happens to a response level.
    ResponseEvent {
        /// Its level goes up or down.
        Change = 1,
        /// It is lifted.
        Lift = 2,
    }
}

numbered! {
    /// Where a warning stands: what its chain of documents says, in whatever order they came. The
    /// numbers are those of the contract.
    SignalState {
        /// In force.
        InForce = 1,
        /// Called off by its sender.
        CalledOff = 2,
        /// Over by its own words.
        Expired = 3,
    }
}

impl ResponseState {
    /// The state after an event; none when the event does not start from this state.
    pub fn after(self, event: ResponseEvent) -> Option<Self> {
        match (self, event) {
            (Self::InForce, ResponseEvent::Change) => Some(Self::InForce),
            (Self::InForce, ResponseEvent::Lift) => Some(Self::Lifted),
            (Self::Lifted, ResponseEvent::Change | ResponseEvent::Lift) => None,
        }
    }
}

impl From<cap::State> for SignalState {
    fn from(state: cap::State) -> Self {
        match state {
            cap::State::Active => Self::InForce,
            cap::State::Cancelled => Self::CalledOff,
            cap::State::Expired => Self::Expired,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifted_response_stays_lifted() {
        use {ResponseEvent as E, ResponseState as S};
        assert_eq!(S::InForce.after(E::Change), Some(S::InForce));
        assert_eq!(S::InForce.after(E::Lift), Some(S::Lifted));
        for event in E::ALL {
            assert_eq!(S::Lifted.after(*event), None, "{event:?}");
        }
    }
}
