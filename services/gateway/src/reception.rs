//! Lets callers in, to what the gateway answers itself and to what it passes on.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use kit::auth::{Agreement, Caller, Exchange, Session};
use kit::server::{Head, Refusals};
use kit::status::Problem;
use proto::error::ErrorReason;
use tokio::time::Instant;
use tonic::Extensions;

use crate::authority::Rule;
use crate::callers::{Callers, Place};
use crate::limits::{Limit, Limits};
use crate::refusals::Reports;

/// A caller that has as much under way as it may can try again after this.
const RETRY: Duration = Duration::from_secs(1);

/// Lets callers in. Clones share the counts.
#[derive(Clone, Debug)]
pub(crate) struct Reception {
    pub(crate) limits: Limits,
    pub(crate) callers: Callers,
    /// Counts what each caller watches, by the method.
    pub(crate) watchers: Callers,
    /// Signs for callers with a certificate where a service behind is asked for them.
    pub(crate) exchange: Option<Exchange>,
    /// Tells the services of what is refused.
    pub(crate) reports: Reports,
}

/// The gateway's word for a caller who showed it a certificate, new each time it is given.
#[derive(Clone, Debug)]
pub(crate) struct Voucher {
    exchange: Exchange,
    session: Arc<Session>,
}

impl Voucher {
    /// The value of the header `authorization`.
    pub(crate) fn authorization(&self) -> http::HeaderValue {
        self.exchange.authorization(&self.session)
    }
}

/// Whom the server let in.
fn caller(extensions: &Extensions) -> Result<&Caller, Problem> {
    let caller = extensions.get::<Arc<Caller>>();
    caller
        .map(Arc::as_ref)
        .ok_or_else(|| Problem::new(ErrorReason::TokenInvalid))
}

/// How much was agreed with the partner over whose connection a caller comes.
fn quota(session: &Session) -> Option<Limit> {
    let agreement = session.agreement();
    agreement.and_then(Agreement::quota).map(Limit::from)
}

impl Reception {
    /// A place for a call to `path`, which `rule` is about, of the caller whom the server let in. Whoever asks again
    /// and again for what they may not is slowed as everybody else.
    ///
    /// # Errors
    /// TOKEN_INVALID when it let in nobody, RATE_LIMITED, SCOPE_DENIED, or OVERLOADED when the caller has as
    /// many under way as it may.
    pub(crate) fn enter(
        &self,
        (extensions, headers): (&Extensions, &HeaderMap),
        rule: &Rule,
        path: &str,
    ) -> Result<Place, Problem> {
        let caller = caller(extensions)?;
        let session = extensions.get::<Arc<Session>>();
        let agreed = session.and_then(|session| quota(session));
        self.limits.pass(caller, agreed, path, Instant::now())?;
        rule.check(caller).inspect_err(|_| {
            if let Some(session) = session {
                self.reports.tell(Head {
                    session,
                    path,
                    headers,
                });
            }
        })?;
        let place = self.callers.enter(caller);
        place.ok_or_else(|| Problem::new(ErrorReason::Overloaded).retry_after(RETRY))
    }

    /// A place for the caller whom the server let in to watch what the method at `path` tells.
    ///
    /// # Errors
    /// TOKEN_INVALID when it let in nobody, or OVERLOADED when the caller watches as much of it as it may.
    pub(crate) fn watch(&self, extensions: &Extensions, path: &str) -> Result<Place, Problem> {
        let place = self.watchers.enter_at(path, caller(extensions)?);
        place.ok_or_else(|| Problem::new(ErrorReason::Overloaded).retry_after(RETRY))
    }

    /// The gateway's word for the caller of a request; none for one who showed a token, which travels on
    /// itself.
    pub(crate) fn voucher(&self, extensions: &Extensions) -> Option<Voucher> {
        let session = extensions.get::<Arc<Session>>()?;
        let exchange = self.exchange.as_ref()?;
        session.by_certificate().then(|| Voucher {
            exchange: exchange.clone(),
            session: session.clone(),
        })
    }
}

impl Refusals for Reception {
    fn refused(&self, call: Head<'_>, problem: Problem) -> Problem {
        let Head { session, path, .. } = call;
        let (caller, agreed) = (session.caller(), quota(session));
        match self.limits.pass(caller, agreed, path, Instant::now()) {
            Ok(()) => {
                self.reports.tell(call);
                problem
            }
            Err(limited) => limited,
        }
    }
}
