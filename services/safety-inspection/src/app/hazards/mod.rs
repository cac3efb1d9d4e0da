//! Use cases of hazards.

mod opening;
