//! The life of one version of a declaration: declared by one, confirmed or returned by another.

use crate::domain::numbered::numbered;

numbered! {
    /// The state of a version; the numbers are those of the contract.
    State {
        /// Nothing was declared yet.
        NotDeclared = 1 "NOT_DECLARED",
        /// Waits for somebody else.
        Declared = 2 "DECLARED",
        /// Confirmed by somebody else.
        Confirmed = 3 "CONFIRMED",
        /// Returned with a reason.
        Returned = 4 "RETURNED",
    }
}

/// What somebody does to the newest version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Declares the next version.
    Declare,
    /// Confirms the newest.
    Confirm,
    /// Returns the newest.
    Return,
}

impl Verb {
    /// The word of histories.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Declare => "DECLARE",
            Self::Confirm => "CONFIRM",
            Self::Return => "RETURN",
        }
    }
}

/// Why a verb is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It does not start from this state.
    #[error("the newest version is {0:?}")]
    State(State),
    /// Who declared does not judge.
    #[error("who declared does not judge")]
    Oneself,
}

/// The state after `verb`, done by `actor`, of a version that `declarer` declared.
///
/// # Errors
/// When the verb does not start from `state`, or the same person would declare and judge.
pub fn step(state: State, verb: Verb, declarer: &str, actor: &str) -> Result<State, Refusal> {
    match (state, verb) {
        // A new version begins from any state of the one before.
        (_, Verb::Declare) => Ok(State::Declared),
        (State::Declared, Verb::Confirm | Verb::Return) if declarer == actor => {
            Err(Refusal::Oneself)
        }
        (State::Declared, Verb::Confirm) => Ok(State::Confirmed),
        (State::Declared, Verb::Return) => Ok(State::Returned),
        (State::NotDeclared | State::Confirmed | State::Returned, Verb::Confirm | Verb::Return) => {
            Err(Refusal::State(state))
        }
    }
}
