//! One replica of a service: few connections, shared by all calls, made again when they break.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use axum::body::Body;
use http::Request;
use http::uri::{Authority, Scheme, Uri};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use kit::sound;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::address::Found;
use super::ejection::Record;
use super::{Answered, Settings, Unreachable};

/// A connection has room for everything that may wait on its streams to be read, of which a replica allows
/// about a thousand: an answer that its caller does not read holds up no other.
const STREAM_WINDOW: u32 = 128 << 10;
const CONNECTION_WINDOW: u32 = 128 << 20;
/// How often a call that was surely not sent is tried on another connection.
const TRIES: usize = 3;

/// A call did not come back: the call itself when it surely was not sent.
pub(super) type Failed = (Unreachable, Option<Box<Request<Body>>>);

/// One replica, its connections and what is known of how it does.
#[derive(Debug)]
pub(super) struct Replica {
    address: SocketAddr,
    authority: Authority,
    settings: Settings,
    slots: Vec<Slot>,
    next: AtomicUsize,
    in_flight: AtomicUsize,
    /// The moving average of how long answers took to begin, in microseconds.
    latency: AtomicU64,
    serving: AtomicBool,
    record: Mutex<Record>,
}

#[derive(Debug, Default)]
struct Slot {
    connection: RwLock<Option<SendRequest<Body>>>,
    connecting: tokio::sync::Mutex<()>,
}

impl Slot {
    fn open(&self) -> Option<SendRequest<Body>> {
        let connection = self
            .connection
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        connection
            .as_ref()
            .filter(|connection| !connection.is_closed())
            .cloned()
    }
}

/// Counts a call as under way until it is dropped.
#[derive(Debug)]
struct UnderWay<'a>(&'a Replica);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Replica {
    pub(super) fn new(Found { address, authority }: Found, settings: Settings) -> Self {
        Self {
            address,
            authority,
            slots: (0..settings.connections).map(|_| Slot::default()).collect(),
            settings,
            next: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            latency: AtomicU64::new(0),
            serving: AtomicBool::new(true),
            record: Mutex::new(Record::new(Instant::now())),
        }
    }

    /// Where it answers.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it says that it serves; so it is taken before it was asked.
    pub(super) fn is_serving(&self) -> bool {
        self.serving.load(Ordering::Relaxed)
    }

    /// It said whether it serves.
    pub(super) fn set_serving(&self, serving: bool) {
        self.serving.store(serving, Ordering::Relaxed);
    }

    /// What its calls tell of it.
    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many calls to it wait for their answer to begin.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// How long a call more would wait, roughly: the less, the better.
    pub(super) fn load(&self) -> u64 {
        let waiting = self.in_flight.load(Ordering::Relaxed) as u64 + 1;
        waiting.saturating_mul(self.latency.load(Ordering::Relaxed).max(1))
    }

    /// Sends a call to it. One that a closing connection gives back untouched goes over another.
    pub(super) async fn send(&self, request: Request<Body>) -> Result<Answered, Failed> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let _under_way = UnderWay(self);
        let begun = Instant::now();
        let mut request = self.addressed(request);
        let mut tries = 0;
        loop {
            tries += 1;
            let mut connection = match self.connection().await {
                Ok(connection) => connection,
                Err(err) => return Err((err, Some(Box::new(request)))),
            };
            if let Err(err) = connection.ready().await {
                if tries < TRIES {
                    continue;
                }
                return Err((Unreachable::Broken(err), Some(Box::new(request))));
            }
            match connection.try_send_request(request).await {
                Ok(response) => {
                    self.took(begun.elapsed());
                    return Ok(sound::checked(response));
                }
                Err(mut err) => match err.take_message() {
                    Some(untouched) if tries < TRIES => request = untouched,
                    untouched => {
                        let untouched = untouched.map(Box::new);
                        return Err((Unreachable::Broken(err.into_error()), untouched));
                    }
                },
            }
        }
    }

    /// Of eight answers, the last counts as one.
    fn took(&self, span: Duration) {
        let span = u64::try_from(span.as_micros()).unwrap_or(u64::MAX / 8);
        let before = self.latency.load(Ordering::Relaxed);
        let after = if before == 0 {
            span
        } else {
            before - before / 8 + span / 8
        };
        self.latency.store(after.max(1), Ordering::Relaxed);
    }

    fn addressed(&self, mut request: Request<Body>) -> Request<Body> {
        let mut parts = http::uri::Parts::default();
        let encrypted = self.settings.dialer.is_some();
        parts.scheme = Some(if encrypted {
            Scheme::HTTPS
        } else {
            Scheme::HTTP
        });
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = request.uri().path_and_query().cloned();
        // A scheme, an authority and a path always make a URI.
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
        request
    }

    async fn connection(&self) -> Result<SendRequest<Body>, Unreachable> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len();
        let slot = &self.slots[turn];
        if let Some(connection) = slot.open() {
            return Ok(connection);
        }
        let _connecting = slot.connecting.lock().await;
        // Somebody else may have connected while this call waited.
        if let Some(connection) = slot.open() {
            return Ok(connection);
        }
        let connection = self.connect().await?;
        let mut place = slot
            .connection
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *place = Some(connection.clone());
        Ok(connection)
    }

    async fn connect(&self) -> Result<SendRequest<Body>, Unreachable> {
        let connect = async {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        };
        let stream = self.in_time(connect).await?.map_err(Unreachable::Connect)?;
        match &self.settings.dialer {
            None => self.speak(stream).await,
            Some(dialer) => {
                let secured = dialer.secure(self.authority.host(), stream);
                let stream = self.in_time(secured).await?.map_err(Unreachable::Connect)?;
                self.speak(stream).await
            }
        }
    }

    /// Speaks HTTP/2 over an open connection.
    async fn speak<S>(&self, stream: S) -> Result<SendRequest<Body>, Unreachable>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let handshake = Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(self.settings.ping_interval)
            .keep_alive_timeout(self.settings.ping_timeout)
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(stream));
        let spoken = self.in_time(handshake).await?;
        let (sender, connection) = spoken.map_err(Unreachable::Broken)?;
        let address = self.address;
        tokio::spawn(async move {
            if let Err(err) = connection.await {
                tracing::debug!(%address, error = %err, "a connection to a service ended");
            }
        });
        Ok(sender)
    }

    async fn in_time<F: Future>(&self, work: F) -> Result<F::Output, Unreachable> {
        let done = timeout(self.settings.connect_timeout, work).await;
        done.map_err(|_| Unreachable::Slow)
    }
}
