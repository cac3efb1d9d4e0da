//! The state machine of the domain as SQL, so that many organisations move by its one table.

use crate::domain::weather::state::{Event, State};

/// The state of a row after an event: itself where the event does not start from it.
pub(super) fn after(event: Event) -> String {
    let moves = State::ALL.iter().filter_map(|state| {
        let to = state.after(event)?;
        Some(format!("WHEN {} THEN {}", *state as i32, to as i32))
    });
    let moves: Vec<String> = moves.collect();
    format!("CASE s.state {} ELSE s.state END", moves.join(" "))
}

/// The states from which an event starts.
pub(super) fn starts(event: Event) -> String {
    let states = State::ALL
        .iter()
        .filter(|state| state.after(event).is_some())
        .map(|state| (*state as i32).to_string());
    states.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_that_of_the_domain() {
        assert_eq!(
            after(Event::Lift),
            "CASE s.state WHEN 3 THEN 4 ELSE s.state END"
        );
        assert_eq!(starts(Event::Suspend), "2, 3, 4, 5, 6");
    }
}
