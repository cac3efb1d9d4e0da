//! What ships about the weather, read at start.

use crate::domain::weather::catalogue::{Catalogue, Faulty};

const ACTIONS: &str = include_str!("../../../data/weather/actions.toml");
const CHECKS: &str = include_str!("../../../data/weather/post_check.toml");

/// The actions and the list of the sweep that this version ships.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn shipped() -> Result<Catalogue, Faulty> {
    Catalogue::parse(ACTIONS, CHECKS)
}
