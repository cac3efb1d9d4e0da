//! Asks the roster whether the person of a request may be told what is held about them now.

use std::time::Duration;

use proto::roster::subject_request_service_client::SubjectRequestServiceClient;
use proto::roster::{UseSubjectRequestRequest, UseSubjectRequestResponse};
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Status};

use crate::auth::PURPOSE;
use crate::channel::Channel;
use crate::deadline::Patience;

/// The roster has so long to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Who could not be answered may try again after this.
const RETRY: Duration = Duration::from_secs(1);
/// What of a caller's headers travels on.
const CARRIED: [&str; 2] = ["authorization", PURPOSE];

/// The requests that the roster keeps. Nothing is remembered: each use is kept there as a disclosure, and a
/// request that was closed is refused from the next call. Clones share the connection.
#[derive(Clone, Debug)]
pub struct Requests {
    client: SubjectRequestServiceClient<Channel>,
}

impl Requests {
    /// The requests behind `channel`, which leads to the roster.
    pub fn new(channel: impl Into<Channel>) -> Self {
        Self {
            client: SubjectRequestServiceClient::new(channel.into()),
        }
    }

    /// About whom the request `name` is, when `service` may show what it holds of them to the caller whose
    /// headers these are; the roster keeps that it does.
    ///
    /// # Errors
    /// What the roster refuses; UNAVAILABLE when it does not answer within five seconds, DEADLINE_EXCEEDED when
    /// the call is not waited for as long.
    pub(super) async fn show(
        &self,
        headers: &MetadataMap,
        name: &str,
        service: &str,
    ) -> Result<UseSubjectRequestResponse, Status> {
        let mut request = Request::new(UseSubjectRequestRequest {
            name: name.to_owned(),
            service: service.to_owned(),
            request_id: String::new(),
        });
        for header in CARRIED {
            if let Some(value) = headers.get(header) {
                request.metadata_mut().insert(header, value.clone());
            }
        }
        let patience = Patience::of(PATIENCE);
        patience.tell(&mut request);
        let mut client = self.client.clone();
        let slow = || Status::deadline_exceeded("the roster is slow");
        match patience.wait(client.use_subject_request(request)).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(told(patience, status)),
            Err(_) => Err(told(patience, slow())),
        }
    }
}

/// What the caller is told of what the roster said: its refusals as they are, and of all else that it does not
/// answer.
fn told(patience: Patience, status: Status) -> Status {
    match status.code() {
        Code::PermissionDenied
        | Code::Unauthenticated
        | Code::NotFound
        | Code::FailedPrecondition
        | Code::InvalidArgument => {
            let details = bytes::Bytes::copy_from_slice(status.details());
            Status::with_details(status.code(), status.message(), details)
        }
        _ => patience.unanswered(status, RETRY).into(),
    }
}
