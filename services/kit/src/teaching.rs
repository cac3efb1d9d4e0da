//! Tells the roster how class groups are taught, as the service itself: what a decision of another
//! service needs to reach the register however long it is down.

mod stand_in;

use std::time::Duration;

use proto::roster::SetTeachingModeRequest;
use proto::roster::class_group_service_client::ClassGroupServiceClient;
use sha2::{Digest, Sha256};
use tonic::{Request, Status};

use crate::auth::Credentials;
use crate::channel::Channel;

pub use stand_in::StandIn;

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// A call that was cut off is made again after so many milliseconds: longer than any call takes.
pub const CUT_OFF: i64 = 30_000;

/// The roster's class groups. Clones share the connection.
#[derive(Clone, Debug)]
pub struct Teaching {
    client: ClassGroupServiceClient<Channel>,
    credentials: Credentials,
}

impl Teaching {
    /// The class groups behind `channel`.
    pub fn new(channel: impl Into<Channel>, credentials: Credentials) -> Self {
        Self {
            client: ClassGroupServiceClient::new(channel.into()),
            credentials,
        }
    }

    /// Changes how class groups are taught; a repeat has one effect.
    ///
    /// # Errors
    /// When the roster cannot be reached, refuses, or does not answer within ten seconds.
    pub async fn set(&self, request: SetTeachingModeRequest) -> Result<(), Status> {
        let mut request = Request::new(request);
        let bearer = self.credentials.bearer()?;
        let value = bearer
            .parse()
            .map_err(|_| Status::unavailable("malformed service token"))?;
        request.metadata_mut().insert("authorization", value);
        request.set_timeout(PATIENCE);
        let mut client = self.client.clone();
        let answer = tokio::time::timeout(PATIENCE, client.set_teaching_mode(request)).await;
        answer
            .map_err(|_| Status::deadline_exceeded("the roster is slow"))?
            .map(|_| ())
    }
}

/// The request id of a step of a decision: the same for each attempt, so that the roster sees one
/// request, and another for each other step.
pub fn request_id(step: &str) -> String {
    let digest = Sha256::digest(step);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    let id = uuid::Builder::from_custom_bytes(bytes).into_uuid();
    id.to_string()
}

/// How many milliseconds to wait before trying the roster again: one second, twice as long after
/// each failure, 256 seconds at most.
pub fn backoff(attempts: i32) -> i64 {
    1000 << attempts.clamp(0, 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_grows_to_about_four_minutes() {
        let waits = [-1, 0, 1, 5, 8, 99].map(backoff);
        assert_eq!(waits, [1000, 1000, 2000, 32_000, 256_000, 256_000]);
    }

    #[test]
    fn each_step_has_one_request() {
        assert_eq!(request_id("01/1"), request_id("01/1"));
        assert_ne!(request_id("01/1"), request_id("01/2"));
        assert!(uuid::Uuid::parse_str(&request_id("01/1")).is_ok());
    }
}
