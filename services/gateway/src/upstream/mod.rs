//! One service behind the gateway: its replicas, which of them answers a call, and what becomes of a
//! call whose replica goes away.

mod address;
mod budget;
mod ejection;
mod observed;
mod repeat;
mod replica;
mod sent;
mod watching;

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use kit::auth::ISSUER_AWAITED;
use kit::sound::Sound;
use kit::telemetry::carried;
use kit::tls::Dialer;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument;

pub(crate) use address::{Addresses, addresses};

use address::Found;
use budget::Budget;
use observed::Observed;
use repeat::Repeat;
pub(crate) use repeat::begun;
use replica::Replica;
use sent::Sent;

use crate::deadline;

/// What a replica answers.
pub(crate) type Answered = Response<Sound<Incoming>>;

/// How often a call is made again at most.
const AGAIN: usize = 2;
/// How long one that is made again waits at least and at most, in milliseconds.
const PAUSE: std::ops::Range<u64> = 5..50;

/// A call did not reach the service, or the service went away before it answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreachable {
    #[error("nobody answers under the name")]
    Nobody,
    #[error("cannot connect")]
    Connect(#[source] std::io::Error),
    #[error("connecting took too long")]
    Slow,
    #[error("the connection broke")]
    Broken(#[source] hyper::Error),
    #[error("the deadline passed, after time enough")]
    Silent,
    #[error("the deadline passed")]
    Late,
    #[error("the caller broke off")]
    BrokenOff,
}

impl Unreachable {
    /// Whether nobody waits for another try.
    fn is_final(&self) -> bool {
        matches!(self, Self::Silent | Self::Late | Self::BrokenOff)
    }
}

/// How a service is kept in touch with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// What encrypts connections; none where they are not encrypted.
    pub(crate) dialer: Option<Dialer>,
    /// How many connections are kept to each replica.
    pub(crate) connections: usize,
    /// How long connecting may take.
    pub(crate) connect_timeout: Duration,
    /// A replica that says nothing for so long is asked for a sign of life,
    pub(crate) ping_interval: Duration,
    /// and its connections are given up when there is none within this.
    pub(crate) ping_timeout: Duration,
    /// How often names are looked up and replicas are asked whether they serve.
    pub(crate) check_interval: Duration,
}

/// The replicas of one service.
#[derive(Debug)]
pub(crate) struct Upstream {
    observed: Observed,
    addresses: Addresses,
    settings: Settings,
    replicas: RwLock<Arc<[Arc<Replica>]>>,
    budget: Budget,
    /// Whether a replica serves, as it was seen last.
    serving: watch::Sender<bool>,
}

impl Upstream {
    /// The service of this name.
    pub(crate) fn new(name: &'static str, addresses: Addresses, settings: Settings) -> Self {
        Self {
            observed: Observed::new(name),
            addresses,
            settings,
            replicas: RwLock::new(Arc::new([])),
            budget: Budget::new(),
            serving: watch::Sender::new(false),
        }
    }

    /// Whether a replica serves, as it was seen last; none does before it was looked at.
    pub(crate) fn serving(&self) -> watch::Receiver<bool> {
        self.serving.subscribe()
    }

    /// Sends a call to one of the replicas, and to another when the first surely has not got it, or when
    /// it is `repeatable` and the first went away or cannot serve. The budget bounds the latter.
    ///
    /// # Errors
    /// When no replica answered before the deadline.
    pub(crate) async fn send(
        &self,
        request: Request<Body>,
        repeatable: bool,
        deadline: Option<Instant>,
    ) -> Result<Answered, Unreachable> {
        let began = Instant::now();
        let sending = self.send_and_repeat(request, repeatable, deadline);
        let ended = match deadline {
            Some(deadline) => timeout_at(deadline, sending)
                .await
                .unwrap_or(Err(Unreachable::Late)),
            None => sending.await,
        };
        self.observed.ended(&ended, began);
        ended
    }

    async fn send_and_repeat(
        &self,
        request: Request<Body>,
        repeatable: bool,
        deadline: Option<Instant>,
    ) -> Result<Answered, Unreachable> {
        self.budget.pay_in();
        let (mut request, repeat) = if repeatable {
            let read = Repeat::of(request).await;
            read.map_err(|_| Unreachable::BrokenOff)?
        } else {
            (request, None)
        };
        let mut tried: Vec<SocketAddr> = Vec::new();
        loop {
            let replica = self.choose(&tried).await.ok_or(Unreachable::Nobody)?;
            let last = tried.len() >= AGAIN;
            tried.push(replica.address());
            let outcome = self.try_one(&replica, request, deadline).await;
            let again = || repeat.as_ref().map(Repeat::request);
            request = match outcome {
                Ok(response) if last || !is_unavailable(&response) => return Ok(response),
                Ok(response) => match again().filter(|_| self.budget.take()) {
                    Some(request) => request,
                    None => return Ok(response),
                },
                Err((err, _)) if last || err.is_final() => return Err(err),
                Err((_, Some(untouched))) => *untouched,
                Err((err, None)) => again().filter(|_| self.budget.take()).ok_or(err)?,
            };
            self.observed.again();
            sleep(Duration::from_millis(rand::random_range(PAUSE))).await;
        }
    }

    /// One try, of which is noted how it ended. The service hears how long it has. A try that is given up
    /// at the deadline has failed when the replica had all of the call and time enough; one that its
    /// caller gives up, breaks off or sends slowly says nothing.
    async fn try_one(
        &self,
        replica: &Replica,
        mut request: Request<Body>,
        deadline: Option<Instant>,
    ) -> Result<Answered, replica::Failed> {
        let begun = Instant::now();
        if let Some(deadline) = deadline {
            let left = deadline.saturating_duration_since(begun);
            deadline::write(request.headers_mut(), left);
        }
        let span = self.observed.span();
        carried::inject_of(&span, request.headers_mut());
        let (request, sent) = Sent::follow(request);
        let sending = replica.send(request).instrument(span);
        let outcome = match deadline {
            Some(deadline) => timeout_at(deadline, sending).await.unwrap_or_else(|_| {
                let fair = sent.is_whole() && begun.elapsed() >= deadline::FAIR;
                let late = if fair {
                    Unreachable::Silent
                } else {
                    Unreachable::Late
                };
                Err((late, None))
            }),
            None => sending.await,
        };
        match outcome {
            Err((Unreachable::Late, _)) => {}
            Err(_) if sent.is_broken_off() => return Err((Unreachable::BrokenOff, None)),
            _ => self.note(replica, outcome.as_ref().map_or(true, is_ill)),
        }
        outcome
    }

    /// Notes how a call ended. An ill replica is left out for a while, unless half of all are already. One that
    /// says itself that it does not serve is asked where none does: how that ends says nothing of it, so that
    /// it is not left out any more once it serves again.
    fn note(&self, replica: &Replica, failed: bool) {
        let now = Instant::now();
        if !replica.is_serving() || !replica.record().note(failed, now) {
            return;
        }
        let all = self.replicas();
        let out = all.iter().filter(|other| other.record().is_out(now));
        if (out.count() + 1) * 2 <= all.len() {
            replica.record().leave_out(now);
            tracing::warn!(address = %replica.address(), "a replica fails and is left out for a while");
        }
    }

    /// The less loaded of two at random of those that were not tried and are well; when there are none,
    /// of those that were not tried; when there are none, of all.
    async fn choose(&self, tried: &[SocketAddr]) -> Option<Arc<Replica>> {
        let mut all = self.replicas();
        if all.is_empty() {
            self.look_up().await;
            all = self.replicas();
        }
        if let [only] = &*all {
            return Some(only.clone());
        }
        let now = Instant::now();
        let untried = |replica: &&Arc<Replica>| !tried.contains(&replica.address());
        let well = |replica: &&Arc<Replica>| {
            untried(replica) && replica.is_serving() && !replica.record().is_out(now)
        };
        let well: Vec<_> = all.iter().filter(well).collect();
        let untried: Vec<_> = all.iter().filter(untried).collect();
        let every: Vec<_> = all.iter().collect();
        let from = [well, untried, every];
        let from = from.into_iter().find(|some| !some.is_empty())?;
        let one = rand::random_range(0..from.len());
        let other = (one + rand::random_range(1..from.len().max(2))) % from.len();
        let (one, other) = (from[one], from[other]);
        let better = if other.load() < one.load() {
            other
        } else {
            one
        };
        Some(better.clone())
    }

    fn replicas(&self) -> Arc<[Arc<Replica>]> {
        self.replicas
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn look_up(&self) {
        let found = self.addresses.look_up().await;
        self.take(found);
    }

    /// Takes what was found for all that there is. Those that stay keep their connections; when nothing was
    /// found, all stay.
    fn take(&self, found: Vec<Found>) {
        if found.is_empty() {
            return;
        }
        let mut replicas = self
            .replicas
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if replicas
            .iter()
            .map(|one| one.address())
            .eq(found.iter().map(|one| one.address))
        {
            return;
        }
        let known = replicas.clone();
        let replica = |found: Found| {
            let same = known.iter().find(|one| one.address() == found.address);
            same.cloned()
                .unwrap_or_else(|| Arc::new(Replica::new(found, self.settings.clone())))
        };
        *replicas = found.into_iter().map(replica).collect();
    }
}

/// Whether the service says itself, before anything else, that it cannot serve.
fn is_unavailable<B>(response: &Response<B>) -> bool {
    let status = response.headers().get("grpc-status");
    status.is_some_and(|status| status == "14") || response.status().is_server_error()
}

/// Whether an answer speaks against its replica. One that does not know the key of a token yet, which the
/// gateway knows already, is well.
fn is_ill<B>(response: &Response<B>) -> bool {
    is_unavailable(response) && !response.headers().contains_key(ISSUER_AWAITED)
}

#[cfg(test)]
mod tests;
