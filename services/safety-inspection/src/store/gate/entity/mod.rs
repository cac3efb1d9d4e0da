//! Rows as they stand in the tables; never seen outside the store.

pub(super) mod card;
pub(super) mod gate_decision;
pub(super) mod gate_override;
