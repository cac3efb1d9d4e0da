//! The life of an import job.

/// The place in the life cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Takes rows.
    Receiving,
    /// Compared with the register.
    Planned,
    /// In the register.
    Committed,
    /// Taken back.
    RolledBack,
    /// Given up.
    Discarded,
}

/// What is asked of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Stage rows.
    Receive,
    /// Compare with the register.
    Plan,
    /// Take into the register.
    Commit,
    /// Take back.
    RollBack,
    /// Give up.
    Discard,
}

/// The verb does not start from this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an import job that is {0:?} cannot do this")]
pub struct Illegal(pub State);

impl State {
    /// The state after `verb`.
    ///
    /// # Errors
    /// When the verb does not start from this state.
    pub fn after(self, verb: Verb) -> Result<Self, Illegal> {
        match (self, verb) {
            (Self::Receiving, Verb::Receive) => Ok(Self::Receiving),
            (Self::Receiving | Self::Planned, Verb::Plan) => Ok(Self::Planned),
            (Self::Planned, Verb::Commit) => Ok(Self::Committed),
            (Self::Committed, Verb::RollBack) => Ok(Self::RolledBack),
            (Self::Receiving | Self::Planned, Verb::Discard) => Ok(Self::Discarded),
            (state, Verb::Receive | Verb::Plan | Verb::Commit | Verb::RollBack | Verb::Discard) => {
                Err(Illegal(state))
            }
        }
    }

    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receiving => "RECEIVING",
            Self::Planned => "PLANNED",
            Self::Committed => "COMMITTED",
            Self::RolledBack => "ROLLED_BACK",
            Self::Discarded => "DISCARDED",
        }
    }
}

impl std::str::FromStr for State {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [
            Self::Receiving,
            Self::Planned,
            Self::Committed,
            Self::RolledBack,
            Self::Discarded,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
        .ok_or(())
    }
}
