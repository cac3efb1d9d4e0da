//! The wire: request to domain, result to reply.

mod alert;
mod convert;
mod directive;
mod status;

pub(crate) use alert::AlertGrpc;
pub(crate) use directive::DirectiveGrpc;
