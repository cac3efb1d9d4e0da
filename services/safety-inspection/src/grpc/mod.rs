//! The wire: request to domain, result to reply.

mod convert;
mod gate;
mod status;
mod visitor;

pub(crate) use gate::Gate;
pub(crate) use visitor::Visiting;
