//! What a service shows of minors beyond daily work leaves it only when somebody approved it (rule 6.8).

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Response};
use proto::options::access::Audit as Rule;
use proto::roster::MinorData;
use tonic::body::Body;
use tonic::{Code, Status};

use super::methods::Method;
use crate::approvals::{Approvals, Showing, shown_by};
use crate::auth::Caller;

/// A call whose answer takes an approval. It is asked for once the service has answered: only then is the
/// place known at which it let the caller in, whatever the request says.
pub(super) struct Approving {
    approvals: Approvals,
    authorization: Option<HeaderValue>,
    data: MinorData,
    method: &'static Method,
}

impl Approving {
    /// None for a call of daily work, and for one that shows no personal data of minors.
    pub(super) fn of(
        approvals: Option<&Approvals>,
        caller: &Caller,
        (path, headers): (&str, &HeaderMap),
    ) -> Option<Self> {
        let approvals = approvals.filter(|_| !caller.is_daily())?;
        if proto::access(path)?.audit() != Rule::ReadPersonal {
            return None;
        }
        let method = Method::at(path)?;
        Some(Self {
            approvals: approvals.clone(),
            authorization: headers.get(AUTHORIZATION).cloned(),
            data: shown_by(&method.contract)?,
            method,
        })
    }

    /// The answer when an approval covers what it shows, else why it is not given. Nothing of a stream has
    /// been sent by then.
    pub(super) async fn answer(self, caller: &Caller, response: Response<Body>) -> Response<Body> {
        let status = Status::from_header_map(response.headers());
        if status.is_some_and(|status| status.code() != Code::Ok) {
            return response;
        }
        let call = caller.call.as_ref();
        let place = call.and_then(|call| call.shown());
        let place = place.unwrap_or_else(|| caller.scope.clone());
        let service = self.method.contract.rsplit('.').next();
        let showing = Showing {
            authorization: self.authorization,
            purpose: caller.purpose,
            data: self.data,
            person: call.and_then(|call| call.student()),
            place: &place,
            method: format!("{}.{}", service.unwrap_or_default(), self.method.name),
        };
        // Whoever stays unknown here is not made known to the roster.
        let veiled = call.is_some_and(|call| call.is_veiled(&caller.subject));
        let checked = if veiled {
            Err(showing.refused(&place))
        } else {
            self.approvals.check(&showing).await
        };
        match checked {
            Ok(()) => response,
            Err(problem) => Status::from(problem).into_http(),
        }
    }
}
