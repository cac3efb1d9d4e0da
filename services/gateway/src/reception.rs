//! Lets callers in, to what the gateway answers itself and to what it passes on.

use std::sync::Arc;
use std::time::Duration;

use kit::auth::{Caller, Exchange, Session};
use kit::status::Problem;
use proto::error::ErrorReason;
use tokio::time::Instant;
use tonic::Extensions;

use crate::authority::Rule;
use crate::callers::{Callers, Place};
use crate::limits::Limits;

/// A caller that has as much under way as it may can try again after this.
const RETRY: Duration = Duration::from_secs(1);

/// Lets callers in. Clones share the counts.
#[derive(Clone, Debug)]
pub(crate) struct Reception {
    pub(crate) limits: Limits,
    pub(crate) callers: Callers,
    /// Signs for callers with a certificate where a service behind is asked for them.
    pub(crate) exchange: Option<Exchange>,
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

impl Reception {
    /// A place for a call of `caller` to `path`, which `rule` is about.
    ///
    /// # Errors
    /// SCOPE_DENIED, RATE_LIMITED, or OVERLOADED when the caller has as many under way as it may.
    pub(crate) fn enter(&self, caller: &Caller, rule: &Rule, path: &str) -> Result<Place, Problem> {
        rule.check(caller)?;
        self.limits.pass(caller, path, Instant::now())?;
        let place = self.callers.enter(&caller.subject);
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
