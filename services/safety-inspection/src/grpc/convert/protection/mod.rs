//! Protection, field by field, both ways.

mod declaration;
mod devices;
mod profile;

pub(in crate::grpc) use declaration::read as declaration;
pub(in crate::grpc) use devices::{device, devices, reported};
pub(in crate::grpc) use profile::{figures, profile, reason, version};
