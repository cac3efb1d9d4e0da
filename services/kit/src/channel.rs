//! Channels to other services.

mod unsent;

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tonic::body::Body;
use tonic::transport::{Channel as Plain, Endpoint, Error};
use tower::Service;

use crate::sound;
use crate::telemetry::carried;
use crate::tls::{ClientTlsConfig, Dialer};
use unsent::Unsent;

/// A connection is made within this time.
const CONNECT: Duration = Duration::from_secs(3);
/// A collector takes what it is sent within this time: as long as whoever sends waits.
const COLLECT: Duration = Duration::from_secs(10);
/// How often a call is tried at most of which no message was sent.
const TRIES: usize = 3;

/// A channel from one service to another: each call carries the trace that it is a part of. One whose
/// connection is closed in order, or breaks, before a message was sent goes over another.
#[derive(Clone, Debug)]
pub struct Channel(Plain);

impl Channel {
    /// A channel to `address`, as [`connect_lazy`] makes one; over `https://` as `tls` says.
    ///
    /// # Errors
    /// When `address` is not a URI.
    pub fn to(address: &str, tls: Option<&ClientTlsConfig>) -> Result<Self, Error> {
        connect(address, tls).map(Self)
    }
}

impl From<Plain> for Channel {
    fn from(channel: Plain) -> Self {
        Self(channel)
    }
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Body>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response<Body>, Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        carried::inject(request.headers_mut());
        let (request, mut unsent) = Unsent::lend(request);
        let mut sent = self.0.call(request);
        let mut channel = self.0.clone();
        Box::pin(async move {
            let mut tries = 1;
            let answer = loop {
                let err = match sent.await {
                    Ok(answer) => break answer,
                    Err(err) => err,
                };
                let left = unsent.filter(|_| tries < TRIES);
                let Some((request, again)) = left.and_then(|unsent| unsent.again(&err)) else {
                    return Err(err);
                };
                tries += 1;
                poll_fn(|context| channel.poll_ready(context)).await?;
                (sent, unsent) = (channel.call(request), again);
            };
            Ok(sound::checked(answer).map(Body::new))
        })
    }
}

/// A channel to `address` (`http://host:port`, or `https://host:port` for a neighbour whose
/// certificate is from a public authority) that connects when it is first used, and again after
/// each failure.
///
/// # Errors
/// When `address` is not a URI.
pub fn connect_lazy(address: &str) -> Result<Plain, Error> {
    connect(address, None)
}

fn connect(address: &str, tls: Option<&ClientTlsConfig>) -> Result<Plain, Error> {
    over(address, tls, endpoint)
}

/// A channel to a collector of traces, as [`connect_lazy`] makes one. It is left alone while there is nothing to
/// send: collectors close connections on which they are asked too often whether they live.
pub(crate) fn to_collector(address: &str, tls: &ClientTlsConfig) -> Result<Plain, Error> {
    over(address, Some(tls), |address| {
        let endpoint = Endpoint::from_shared(address.to_owned())?;
        let endpoint = endpoint.connect_timeout(CONNECT).timeout(COLLECT);
        Ok(endpoint.tcp_nodelay(true))
    })
}

/// A channel to `address`, encrypted where it says so, with the settings of `endpoint`.
fn over(
    address: &str,
    tls: Option<&ClientTlsConfig>,
    endpoint: impl Fn(&str) -> Result<Endpoint, Error>,
) -> Result<Plain, Error> {
    let encrypted = endpoint(address)?;
    if encrypted.uri().scheme_str() != Some("https") {
        return Ok(encrypted.connect_lazy());
    }
    let dialer = Dialer::new(tls.cloned().unwrap_or_default());
    let connector = tower::service_fn(move |uri: Uri| {
        let dialer = dialer.clone();
        async move {
            let host = uri.host().ok_or(io::ErrorKind::InvalidInput)?;
            let stream = TcpStream::connect((
                host.trim_start_matches('[').trim_end_matches(']'),
                uri.port_u16().unwrap_or(443),
            ))
            .await?;
            stream.set_nodelay(true)?;
            dialer.secure(host, stream).await.map(TokioIo::new)
        }
    });
    // The transport encrypts by itself where the scheme says so, with files that it reads once.
    let origin = encrypted.uri().clone();
    let plain = address.replacen("https://", "http://", 1);
    let endpoint = endpoint(&plain)?.origin(origin);
    Ok(endpoint.connect_with_connector_lazy(connector))
}

/// The settings that every channel between services has.
///
/// # Errors
/// When `address` is not a URI.
pub fn endpoint(address: &str) -> Result<Endpoint, Error> {
    Ok(Endpoint::from_shared(address.to_owned())?
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .keep_alive_while_idle(true)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20))
}
