//! Isolation rooms (rule 4.6).

use serde::{Deserialize, Serialize};

use crate::domain::numbered::numbered;

numbered! {
    /// The state of an isolation room; the numbers are those of the contract.
    State {
        /// In use.
        InUse = 1 "IN_USE",
        /// Out of use.
        Retired = 2 "RETIRED",
    }
}

/// What is said of an isolation room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IsolationRoom {
    /// Shown to people.
    pub display_name: String,
    /// Where it is.
    pub access: String,
    /// How many people wait there apart from each other.
    pub capacity: u32,
    /// Used for nothing else.
    pub separate: bool,
    /// Ventilated.
    pub ventilated: bool,
    /// Near the gate.
    pub near_gate: bool,
    /// Reached by a way of its own.
    pub own_route: bool,
    /// With a toilet of its own.
    pub own_toilet: bool,
}

impl IsolationRoom {
    /// Whether all five demands of rule 4.6 are met.
    pub fn is_suitable(&self) -> bool {
        self.separate && self.ventilated && self.near_gate && self.own_route && self.own_toilet
    }
}

/// How many isolation rooms campuses need (rule 4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// At each campus.
    pub rooms: u32,
    /// A campus with more pupils is large.
    pub large: u32,
    /// At a large campus.
    pub large_rooms: u32,
}

/// The numbers of rule 4.6.
impl Default for Rule {
    fn default() -> Self {
        Self {
            rooms: 1,
            large: 1000,
            large_rooms: 2,
        }
    }
}

impl Rule {
    /// How many a campus of so many pupils needs.
    pub fn required(self, pupils: u32) -> u32 {
        if pupils > self.large {
            self.large_rooms
        } else {
            self.rooms
        }
    }
}

/// What somebody does to an isolation room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Changes what is said of it.
    Update,
    /// Takes it out of use.
    Retire,
}

impl Verb {
    /// The word of histories.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Update => "UPDATE",
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
        (State::InUse, Verb::Update) => Ok(State::InUse),
        (State::InUse, Verb::Retire) => Ok(State::Retired),
        (State::Retired, Verb::Update | Verb::Retire) => Err(state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_campus_needs_two() {
        let rule = Rule::default();
        assert_eq!(
            [0, 1000, 1001].map(|pupils| rule.required(pupils)),
            [1, 1, 2]
        );
    }

    #[test]
    fn each_move_from_each_state_is_what_the_table_says() {
        let verbs = [Verb::Update, Verb::Retire];
        let moves = |state| verbs.map(|verb| step(state, verb));
        assert_eq!(moves(State::InUse), [Ok(State::InUse), Ok(State::Retired)]);
        assert_eq!(moves(State::Retired), [Err(State::Retired); 2]);
    }
}
