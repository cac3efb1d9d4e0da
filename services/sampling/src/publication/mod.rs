//! The file in which draws are published, and how to check it with the public key alone.
//!
//! Records stand after their length: a header; for each school its draw, class groups,
//! replacements and closing; a seal. `campus/sampling/v1/draw_publication.proto` has the details.

pub(crate) mod check;
pub(crate) mod records;
pub mod verify;
