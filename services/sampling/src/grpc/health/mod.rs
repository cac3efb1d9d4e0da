//! The wire of what concerns the health of people.

pub(crate) mod announced;
pub(super) mod cluster;
pub(crate) mod cluster_convert;
mod cluster_rules;
pub(super) mod suspension;
pub(crate) mod suspension_convert;
