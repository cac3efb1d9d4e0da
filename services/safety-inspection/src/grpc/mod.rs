//! The wire: request to domain, result to reply.

mod convert;
mod gate;
mod incident;
mod status;

pub(crate) use gate::Gate;
pub(crate) use incident::Incident;
