//! The register of the city: organisations, people, calendar, divisions and the policy in force.

pub mod domain;
pub mod grpc;
