//! The wire: request to domain, result to reply.

mod convert;
mod gate;
mod protection;
mod shelter;
mod status;
mod supply;

pub(crate) use gate::Gate;
pub(crate) use protection::Protection;
pub(crate) use shelter::Shelters;
pub(crate) use supply::Supply;
