//! The wire of people's health.

pub(super) mod screening;
pub(crate) mod screening_convert;
mod screening_requests;
