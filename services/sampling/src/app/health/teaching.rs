//! Tells the roster how class groups are taught, as the service itself.

use std::time::Duration;

use kit::auth::Credentials;
use proto::roster::SetTeachingModeRequest;
use proto::roster::class_group_service_client::ClassGroupServiceClient;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The roster's class groups. Clones share the connection.
#[derive(Clone, Debug)]
pub(crate) struct Teaching {
    client: ClassGroupServiceClient<Channel>,
    credentials: Credentials,
}

impl Teaching {
    /// The class groups behind `channel`.
    pub(crate) fn new(channel: Channel, credentials: Credentials) -> Self {
        Self {
            client: ClassGroupServiceClient::new(channel),
            credentials,
        }
    }

    /// Changes how class groups are taught; a repeat has one effect.
    ///
    /// # Errors
    /// When the roster cannot be reached, refuses, or does not answer within ten seconds.
    pub(super) async fn set(&self, request: SetTeachingModeRequest) -> Result<(), Status> {
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
