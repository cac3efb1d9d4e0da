//! Channels to other services.

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tonic::body::Body;
use tonic::transport::{Channel as Plain, Endpoint, Error};
use tower::Service;

use crate::telemetry::carried;
use crate::tls::{ClientTlsConfig, Dialer};

/// A channel from one service to another: each call carries the trace that it is a part of.
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
    type Future = <Plain as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        carried::inject(request.headers_mut());
        self.0.call(request)
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
    let endpoint = endpoint(address)?;
    if endpoint.uri().scheme_str() != Some("https") {
        return Ok(endpoint.connect_lazy());
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
    let origin = endpoint.uri().clone();
    let plain = address.replacen("https://", "http://", 1);
    let endpoint = self::endpoint(&plain)?.origin(origin);
    Ok(endpoint.connect_with_connector_lazy(connector))
}

/// The settings that every channel between services has.
///
/// # Errors
/// When `address` is not a URI.
pub fn endpoint(address: &str) -> Result<Endpoint, Error> {
    Ok(Endpoint::from_shared(address.to_owned())?
        .connect_timeout(Duration::from_secs(3))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .keep_alive_while_idle(true)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20))
}
