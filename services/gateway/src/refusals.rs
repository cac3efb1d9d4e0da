//! Tells the services of calls that the door refuses. The door keeps no audit log: the service to which a method
//! belongs hears who was refused it, as a call of theirs that never runs, and records that as a refusal of its own.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Uri};
use kit::audit::REFUSALS_DROPPED;
use kit::auth::Exchange;
use kit::drain::Drain;
use kit::server::{Head, REFUSED};
use kit::telemetry::figures::Count;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tonic::{Code, Status};
use tracing::Instrument;

use crate::callers::Callers;
use crate::proxy::travel;
use crate::route::Table;
use crate::start::SERVICE;
use crate::upstream::{Answered, Unreachable, Upstream};

/// How many reports may be under way; what there is to tell beyond them is dropped and counted.
const MOST: u32 = 256;
/// How many of them may be about one caller or partner, so that nobody takes the places of all others.
const OF_ONE: usize = 16;
/// A service that has not taken a report within this does not get it.
const WITHIN: Duration = Duration::from_secs(5);
/// The service that hears of methods that no service has for itself, such as those of the gateway: the one that
/// keeps the register and the approvals.
const OTHERWISE: &str = "roster";

/// Tells the services of calls that are refused. Clones share the places.
#[derive(Clone, Debug)]
pub(crate) struct Reports(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    table: Arc<Table>,
    /// Signs for callers with a certificate.
    exchange: Option<Exchange>,
    callers: Callers,
    places: Arc<Semaphore>,
    dropped: Count,
}

impl Reports {
    pub(crate) fn new(table: Arc<Table>, exchange: Option<Exchange>) -> Self {
        Self(Arc::new(Shared {
            table,
            exchange,
            callers: Callers::new(OF_ONE),
            places: Arc::new(Semaphore::new(MOST as usize)),
            dropped: REFUSALS_DROPPED.counted(),
        }))
    }

    /// Tells the owner of a method that a call to it is refused. Nobody waits for that; what is no method of the
    /// contracts is not told, since it is whatever its caller wrote.
    pub(crate) fn tell(&self, call: Head<'_>) {
        let Some(owner) = self.owner(call.path) else {
            return;
        };
        let place = self.0.callers.enter(call.session.caller());
        let places = self.0.places.clone().try_acquire_owned();
        let (Some(report), Some(place), Ok(permit)) = (self.report(call), place, places) else {
            self.drop_one();
            return;
        };
        let reports = self.clone();
        let telling = async move {
            let deadline = Instant::now().checked_add(WITHIN);
            let answered = owner.send(report, true, deadline).await;
            if !is_taken(&answered) {
                reports.drop_one();
            }
            drop((place, permit));
        };
        tokio::spawn(telling.in_current_span());
    }

    /// Waits for the drain, and then until every service has what was to be told.
    pub(crate) async fn finish(self, drain: Drain) {
        drain.draining().await;
        // Nobody closes it.
        let _ = self.0.places.acquire_many(MOST).await;
    }

    /// Who hears of the method at `path`.
    fn owner(&self, path: &str) -> Option<Arc<Upstream>> {
        let table = &self.0.table;
        if let Some(route) = table.find(path) {
            return Some(route.upstream.clone());
        }
        proto::access(path)?;
        let mut services = table.services().iter();
        let otherwise = services.find(|service| service.name == OTHERWISE)?;
        Some(otherwise.upstream.clone())
    }

    /// The head of a call, as the service behind knows its caller, and no body.
    fn report(&self, call: Head<'_>) -> Option<Request<Body>> {
        let authorization = if call.session.by_certificate() {
            self.0.exchange.as_ref()?.authorization(call.session)
        } else {
            call.headers.get(AUTHORIZATION)?.clone()
        };
        let mut request = Request::new(Body::empty());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::try_from(call.path).ok()?;
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(REFUSED, HeaderValue::from_static("true"));
        travel(&mut request);
        Some(request)
    }

    fn drop_one(&self) {
        self.0.dropped.add(1, [("service", SERVICE)]);
    }
}

/// Whether a service has taken a report: then it refuses the call as well.
fn is_taken(answered: &Result<Answered, Unreachable>) -> bool {
    let Ok(response) = answered else {
        return false;
    };
    let status = Status::from_header_map(response.headers());
    status.is_some_and(|status| status.code() == Code::PermissionDenied)
}
