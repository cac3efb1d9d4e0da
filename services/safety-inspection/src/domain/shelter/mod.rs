//! Shelters, which open at weather level I (rule 5.28), and isolation rooms (rule 4.6).

pub mod isolation;

use serde::{Deserialize, Serialize};

use super::numbered::numbered;

numbered! {
    /// The state of a shelter; the numbers are those of the contract.
    State {
        /// Ready, nobody inside.
        Closed = 1 "CLOSED",
        /// Open to people.
        Open = 2 "OPEN",
        /// Out of use.
        Retired = 3 "RETIRED",
    }
}

numbered! {
    /// Why a shelter is opened; the numbers are those of the contract.
    Cause {
        /// Weather response level I.
        WeatherLevelI = 1 "WEATHER_LEVEL_I",
        /// Another order.
        Order = 2 "ORDER",
        /// Another danger.
        Danger = 3 "DANGER",
        /// A drill.
        Drill = 4 "DRILL",
    }
}

/// What is said of a shelter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelter {
    /// Shown to people.
    pub display_name: String,
    /// Where it is and how one gets there.
    pub access: String,
    /// How many people it takes.
    pub capacity: u32,
    /// What is inside.
    pub contents: Vec<String>,
    /// People in wheelchairs get in.
    pub step_free: bool,
    /// How many people are inside.
    pub occupants: u32,
    /// Why it is open; none when it is not.
    pub cause: Option<Cause>,
}

impl Shelter {
    /// How many people are inside for whom there is no place.
    pub fn unplaced(&self) -> u32 {
        self.occupants.saturating_sub(self.capacity)
    }

    /// How many more people it takes.
    pub fn room(&self) -> u32 {
        self.capacity.saturating_sub(self.occupants)
    }

    /// The same, with nobody inside.
    pub fn emptied(self) -> Self {
        Self {
            occupants: 0,
            cause: None,
            ..self
        }
    }
}

/// What somebody does to a shelter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Changes what is said of it.
    Update,
    /// Opens it.
    Open,
    /// Counts who is inside.
    Count,
    /// Closes it.
    Close,
    /// Takes it out of use.
    Retire,
}

impl Verb {
    /// The word of histories.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Update => "UPDATE",
            Self::Open => "OPEN",
            Self::Count => "COUNT",
            Self::Close => "CLOSE",
            Self::Retire => "RETIRE",
        }
    }
}

/// The state after `verb`.
///
/// # Errors
/// The state itself, when the verb does not start from it.
pub fn step(state: State, verb: Verb) -> Result<State, State> {
    match (state, verb) {
        (State::Closed | State::Open, Verb::Update) | (State::Open, Verb::Count) => Ok(state),
        (State::Closed, Verb::Open) => Ok(State::Open),
        (State::Open, Verb::Close) => Ok(State::Closed),
        (State::Closed, Verb::Retire) => Ok(State::Retired),
        (State::Closed, Verb::Count | Verb::Close)
        | (State::Open, Verb::Open | Verb::Retire)
        | (State::Retired, Verb::Update | Verb::Open | Verb::Count | Verb::Close | Verb::Retire) => {
            Err(state)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_move_from_each_state_is_what_the_table_says() {
        use State::{Closed, Open, Retired};
        let verbs = [
            Verb::Update,
            Verb::Open,
            Verb::Count,
            Verb::Close,
            Verb::Retire,
        ];
        let table = [
            (
                Closed,
                [Ok(Closed), Ok(Open), Err(Closed), Err(Closed), Ok(Retired)],
            ),
            (Open, [Ok(Open), Err(Open), Ok(Open), Ok(Closed), Err(Open)]),
            (Retired, [Err(Retired); 5]),
        ];
        for (state, expected) in table {
            assert_eq!(verbs.map(|verb| step(state, verb)), expected, "{state:?}");
        }
    }
}
