//! The life of a transfer: sent, then received or taken back, once.

use crate::domain::numbered::numbered;

numbered! {
    /// The state of a transfer; the numbers are those of the contract.
    State {
        /// Left the giver.
        Sent = 1 "SENT",
        /// Reached the receiver.
        Received = 2 "RECEIVED",
        /// Taken back by the giver.
        Cancelled = 3 "CANCELLED",
    }
}

/// What somebody does to a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// The receiver takes it.
    Receive,
    /// The giver takes it back.
    Cancel,
}

impl Verb {
    /// The word of histories.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receive => "RECEIVE",
            Self::Cancel => "CANCEL",
        }
    }
}

/// The state after `verb`.
///
/// # Errors
/// The state itself, when the verb does not start from it.
pub fn step(state: State, verb: Verb) -> Result<State, State> {
    match (state, verb) {
        (State::Sent, Verb::Receive) => Ok(State::Received),
        (State::Sent, Verb::Cancel) => Ok(State::Cancelled),
        (State::Received | State::Cancelled, Verb::Receive | Verb::Cancel) => Err(state),
    }
}
