//! Evidence in pictures: their hashes, times and places; never the pictures themselves.

use chrono::{DateTime, Utc};

/// A picture that was handed in.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    /// The SHA-256 of the file.
    pub sha256: [u8; 32],
    /// Where it can be had; empty when it is kept at the school.
    pub uri: String,
    /// When it was taken, by the device.
    pub taken: DateTime<Utc>,
    /// Where it was taken: latitude and longitude in degrees.
    pub location: Option<(f64, f64)>,
}

/// Where the same picture was shown before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Showing {
    /// The SHA-256 of the file.
    pub sha256: [u8; 32],
    /// The id of the organisation.
    pub organization: String,
    /// Its place.
    pub org_path: String,
    /// The resource whose evidence it was.
    pub origin: String,
}
