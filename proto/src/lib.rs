//! The contracts of Campus as Rust types, clients and servers.
//!
//! One module a package, such as [`roster`] for `campus.roster.v1`.
#![allow(missing_docs, missing_debug_implementations, unreachable_pub)]
#![allow(clippy::all, clippy::unwrap_used, reason = "generated code")]

mod access;

pub use access::{MAX_REQUEST_BYTES, access, max_request_bytes, rules};

/// The packages as they nest in the contracts; generated code refers to itself this way.
pub mod campus {
    pub mod audit {
        pub mod v1 {
            tonic::include_proto!("campus.audit.v1");
        }
    }
    pub mod error {
        pub mod v1 {
            tonic::include_proto!("campus.error.v1");
        }
    }
    pub mod gateway {
        pub mod v1 {
            tonic::include_proto!("campus.gateway.v1");
        }
    }
    pub mod notification {
        pub mod v1 {
            tonic::include_proto!("campus.notification.v1");
        }
    }
    pub mod options {
        pub mod v1 {
            tonic::include_proto!("campus.options.v1");
        }
    }
    pub mod privacy {
        pub mod v1 {
            tonic::include_proto!("campus.privacy.v1");
        }
    }
    pub mod provider {
        pub mod v1 {
            tonic::include_proto!("campus.provider.v1");
        }
    }
    pub mod roster {
        pub mod v1 {
            tonic::include_proto!("campus.roster.v1");
        }
    }
    pub mod safety {
        pub mod v1 {
            tonic::include_proto!("campus.safety.v1");
        }
    }
    pub mod sampling {
        pub mod v1 {
            tonic::include_proto!("campus.sampling.v1");
        }
    }
    pub mod subject {
        pub mod v1 {
            tonic::include_proto!("campus.subject.v1");
        }
    }
}

/// The few google types that the contracts use and no crate offers.
pub mod google {
    pub mod api {
        tonic::include_proto!("google.api");
    }
    pub mod r#type {
        tonic::include_proto!("google.r#type");
    }
}

pub use campus::{
    audit::v1 as audit, error::v1 as error, gateway::v1 as gateway,
    notification::v1 as notification, options::v1 as options, privacy::v1 as privacy,
    provider::v1 as provider, roster::v1 as roster, safety::v1 as safety, sampling::v1 as sampling,
    subject::v1 as subject,
};
pub use google::r#type::{Date, LatLng};

/// Every file of the contracts with its imports and custom options, as an encoded
/// `google.protobuf.FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The same with its comments, four times as large: a binary carries it only when it is used.
pub const DOCUMENTED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/documented.bin"));
