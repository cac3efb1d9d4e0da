//! The wire of people's health.

pub(super) mod screening;
mod screening_content;
pub(crate) mod screening_convert;
mod screening_requests;
