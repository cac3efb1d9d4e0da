//! Asks the roster whether somebody approved what a caller is about to see of minors beyond daily work
//! (rule 6.8).

mod shown;
mod stand_in;

use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use proto::error::ErrorReason;
use proto::roster::access_approval_service_client::AccessApprovalServiceClient;
use proto::roster::{MinorData, UseAccessRequest};
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::auth::{PURPOSE, Purpose};
use crate::channel::Channel;
use crate::deadline::Patience;
use crate::org::OrgPath;
use crate::status::Problem;

pub(crate) use shown::shown_by;
pub use stand_in::{Answer, StandIn};

/// The roster has so long to answer, however many places it is asked about.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many places of a path it is asked about, the lowest first.
const MOST_PLACES: usize = 8;
/// Who could not be answered may try again after this.
const RETRY: Duration = Duration::from_secs(1);
/// The place of somebody who looks after all organisations.
const EVERYWHERE: &str = "-";

/// The approvals that the roster keeps. Nothing is remembered: each use is kept there, and what was
/// revoked is refused from the next call. Clones share the connection.
#[derive(Clone, Debug)]
pub struct Approvals {
    client: AccessApprovalServiceClient<Channel>,
}

/// What is about to be shown, and to whom.
#[derive(Debug)]
pub(crate) struct Showing<'a> {
    /// The caller's own `authorization`; none who shows none is refused.
    pub(crate) authorization: Option<HeaderValue>,
    /// What the call is for.
    pub(crate) purpose: Option<Purpose>,
    /// What is shown.
    pub(crate) data: MinorData,
    /// Of whom, format `students/{student}`; none: of everybody at and below the place.
    pub(crate) person: Option<String>,
    /// Whose data it is: an organisation, or a class group of one.
    pub(crate) place: &'a OrgPath,
    /// The method, such as `HoldService.GetHold`.
    pub(crate) method: String,
}

impl Approvals {
    /// The approvals behind `channel`, which leads to the roster.
    pub fn new(channel: impl Into<Channel>) -> Self {
        Self {
            client: AccessApprovalServiceClient::new(channel.into()),
        }
    }

    /// Checks that an approval of the caller's is in force for what is about to be shown; the roster keeps
    /// the use.
    ///
    /// # Errors
    /// ACCESS_NOT_APPROVED when none is, or the caller may not ask for one; UNAVAILABLE when the roster
    /// does not answer within five seconds, DEADLINE_EXCEEDED when the call is not waited for as long.
    pub(crate) async fn check(&self, showing: &Showing<'_>) -> Result<(), Problem> {
        let patience = Patience::of(PATIENCE);
        let slow = || Status::deadline_exceeded("the roster is slow");
        match patience.wait(self.ask(showing, patience)).await {
            Ok(answer) => answer,
            Err(_) => Err(patience.unanswered(slow(), RETRY)),
        }
    }

    /// Asks about the place, and about those above it while the roster knows no organisation there that
    /// the caller may ask about: an approval of a place above covers all below.
    async fn ask(&self, showing: &Showing<'_>, patience: Patience) -> Result<(), Problem> {
        let Some(authorization) = &showing.authorization else {
            return Err(showing.refused(showing.place));
        };
        let mut place = Some(showing.place.clone());
        for _ in 0..MOST_PLACES {
            let Some(at) = place.filter(|at| !at.is_root()) else {
                break;
            };
            let mut client = self.client.clone();
            let mut request = showing.request(&at, authorization);
            patience.tell(&mut request);
            let Err(status) = client.use_access(request).await else {
                return Ok(());
            };
            match status.code() {
                Code::NotFound => {}
                Code::PermissionDenied if is_beyond_scope(&status) => {}
                Code::PermissionDenied => return Err(showing.refused(&at)),
                _ => return Err(patience.unanswered(status, RETRY)),
            }
            place = at.parent();
        }
        Err(showing.refused(showing.place))
    }
}

impl Showing<'_> {
    fn request(&self, at: &OrgPath, authorization: &HeaderValue) -> Request<UseAccessRequest> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization.clone());
        if let Some(purpose) = self.purpose {
            headers.insert(PURPOSE, HeaderValue::from_static(purpose.as_str()));
        }
        let mut request = Request::new(UseAccessRequest {
            parent: format!("organizations/{}", at.leaf()),
            data: self.data.into(),
            person: self.person.clone().unwrap_or_default(),
            method: self.method.clone(),
            request_id: String::new(),
        });
        *request.metadata_mut() = MetadataMap::from_headers(headers);
        request
    }

    /// What the roster says to its own callers.
    pub(crate) fn refused(&self, at: &OrgPath) -> Problem {
        let id = if at.is_root() { EVERYWHERE } else { at.leaf() };
        let data = self.data.as_str_name();
        Problem::new(ErrorReason::AccessNotApproved)
            .meta("organization", format!("organizations/{id}"))
            .meta("data", data.trim_start_matches("MINOR_DATA_"))
            .meta("purpose", self.purpose.map_or("", Purpose::as_str))
    }
}

/// Whether the caller may not ask about the place, or it is hidden from them.
fn is_beyond_scope(status: &Status) -> bool {
    let info = status.get_details_error_info();
    info.is_some_and(|info| info.reason == "SCOPE_DENIED")
}
