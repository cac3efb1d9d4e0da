//! Connections to one service: few, shared by all calls, made again when they break.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use axum::body::Body;
use http::uri::{Authority, Scheme, Uri};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;
/// How often a call that was surely not sent is tried on another connection.
const TRIES: usize = 3;

/// A call did not reach the service, or the service went away before it answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreachable {
    #[error("cannot connect")]
    Connect(#[source] std::io::Error),
    #[error("connecting took too long")]
    Slow,
    #[error("the connection broke")]
    Broken(#[source] hyper::Error),
}

/// The connections to one service.
#[derive(Debug)]
pub(crate) struct Pool {
    authority: Authority,
    connect_timeout: Duration,
    slots: Vec<Slot>,
    next: AtomicUsize,
}

#[derive(Debug, Default)]
struct Slot {
    connection: RwLock<Option<SendRequest<Body>>>,
    connecting: Mutex<()>,
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

/// The host and port of `http://host:port`; none when it has another form.
pub(crate) fn authority(address: &str) -> Option<Authority> {
    let uri: Uri = address.parse().ok()?;
    let plain = uri.scheme() == Some(&Scheme::HTTP) && matches!(uri.path(), "" | "/");
    uri.into_parts()
        .authority
        .filter(|authority| plain && authority.port().is_some())
}

impl Pool {
    pub(crate) fn new(authority: Authority, connections: usize, connect_timeout: Duration) -> Self {
        let slots = (0..connections).map(|_| Slot::default()).collect();
        Self {
            authority,
            connect_timeout,
            slots,
            next: AtomicUsize::new(0),
        }
    }

    /// Where the service answers.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Sends a call. One that a closing connection gives back untouched goes over another.
    pub(crate) async fn send(
        &self,
        mut request: Request<Body>,
    ) -> Result<Response<Incoming>, Unreachable> {
        let mut tries = 0;
        loop {
            tries += 1;
            let mut connection = self.connection().await?;
            if let Err(err) = connection.ready().await {
                if tries < TRIES {
                    continue;
                }
                return Err(Unreachable::Broken(err));
            }
            match connection.try_send_request(request).await {
                Ok(response) => return Ok(response),
                Err(mut err) => match err.take_message() {
                    Some(untouched) if tries < TRIES => request = untouched,
                    _ => return Err(Unreachable::Broken(err.into_error())),
                },
            }
        }
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
        let connection = self.connect(turn).await?;
        let mut place = slot
            .connection
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *place = Some(connection.clone());
        Ok(connection)
    }

    /// Connects. A name may stand for several replicas: each slot begins with another one.
    async fn connect(&self, turn: usize) -> Result<SendRequest<Body>, Unreachable> {
        let connect = async {
            let found = tokio::net::lookup_host(self.authority.as_str()).await?;
            let mut replicas: Vec<SocketAddr> = found.collect();
            let first = turn.checked_rem(replicas.len()).unwrap_or_default();
            replicas.rotate_left(first);
            let stream = TcpStream::connect(&replicas[..]).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        };
        let stream = timeout(self.connect_timeout, connect)
            .await
            .map_err(|_| Unreachable::Slow)?
            .map_err(Unreachable::Connect)?;
        let handshake = Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10))
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(stream));
        let (sender, connection) = timeout(self.connect_timeout, handshake)
            .await
            .map_err(|_| Unreachable::Slow)?
            .map_err(Unreachable::Broken)?;
        let authority = self.authority.clone();
        tokio::spawn(async move {
            if let Err(err) = connection.await {
                tracing::debug!(%authority, error = %err, "a connection to a service ended");
            }
        });
        Ok(sender)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_a_host_and_a_port() {
        assert_eq!(
            authority("http://roster:7401").unwrap().as_str(),
            "roster:7401"
        );
        for address in [
            "roster:7401",
            "https://roster:7401",
            "http://roster",
            "http://a:1/b",
            "",
        ] {
            assert_eq!(authority(address), None, "{address}");
        }
    }
}
