//! The wire: request to domain, result to reply.

mod convert;
mod gate;
mod status;

pub(crate) use gate::Gate;
