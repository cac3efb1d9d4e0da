//! Calls that the door refuses. It keeps no audit log: the service that would have answered records them, and
//! never sees what was asked.

use std::fmt::Debug;
use std::sync::Arc;

use http::{HeaderMap, Response};
use proto::error::ErrorReason;
use tonic::body::Body;
use tonic::{Code, Status};

use super::layer::Shared;
use crate::auth::{Caller, Session};
use crate::status::Problem;

/// The header by which the door says of a call that it refuses it. Such a call never runs, whoever says so: it
/// takes something away from its own caller alone, who is verified as ever. Who stands outside cannot say it.
pub const REFUSED: &str = "x-campus-refused";

/// The head of a call, and who makes it.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// Who calls.
    pub session: &'a Session,
    /// The path of the method.
    pub path: &'a str,
    /// The headers of the call.
    pub headers: &'a HeaderMap,
}

/// Hears of each call that a server refuses because its caller may not make it: for one that keeps no log.
pub trait Refusals: Debug + Send + Sync + 'static {
    /// Hears of a call that is refused with `problem`, and gives what its caller is told: that, or that they have
    /// to wait.
    fn refused(&self, call: Head<'_>, problem: Problem) -> Problem;
}

impl Shared {
    /// The caller of a request, with its circumstances.
    ///
    /// # Errors
    /// SCOPE_DENIED when the door refuses the call, it is not agreed with the partner, or breaking the glass opens
    /// nothing; INVALID_FIELD when a circumstance is none.
    pub(super) fn let_in(&self, call: Head<'_>) -> Result<Arc<Caller>, Problem> {
        if call.headers.contains_key(REFUSED) {
            return Err(Problem::new(ErrorReason::ScopeDenied).meta("permission", "gateway"));
        }
        if let Some(agreement) = call.session.agreement() {
            agreement.gives(call.path)?;
        }
        call.session.caller_of(&self.authority, call.headers)
    }

    /// The answer to a call that was not let in, once its refusal is noted.
    pub(super) fn turn_away(
        &self,
        call: Head<'_>,
        trace: String,
        problem: Problem,
    ) -> Response<Body> {
        let problem = match &self.refusals {
            Some(refusals) if problem.code() == Code::PermissionDenied => {
                refusals.refused(call, problem)
            }
            _ => problem,
        };
        let refused = Status::from(problem);
        if let Some(audit) = &self.audit {
            audit.turned_away(call.session.caller(), call.path, trace, &refused);
        }
        refused.into_http()
    }
}
