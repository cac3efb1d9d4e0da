//! The wire: request to domain, result to reply.

mod convert;
mod gate;
mod status;
mod weather;

pub(crate) use gate::Gate;
pub(crate) use weather::WeatherGrpc;
