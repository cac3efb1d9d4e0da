//! Rows as they stand in the tables; never seen outside the store.

pub(super) mod directive;
pub(super) mod directive_recipient;
