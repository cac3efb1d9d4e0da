//! Connections that can be cut, that must speak soon and read what is written, and that are not too many.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use super::addresses::{Addresses, Lease};
use super::idle::OpenCalls;
use super::tls::Tls;
use crate::auth::ClientCertificate;
use crate::drain::Drain;

/// Encryption must be agreed on within this time.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(5);
/// How many connections may be agreeing on encryption at once, of one address and of all; more are
/// closed.
const MAX_HANDSHAKES_OF_ONE: usize = 128;
const MAX_HANDSHAKES: usize = 1024;
/// A connection must have sent as much as the preface of HTTP/2 within this time; afterwards keepalive
/// watches, or the time limit for the head of a request of HTTP/1.1.
const PREFACE_WITHIN: Duration = Duration::from_secs(5);
/// How many bytes the preface has.
const PREFACE: usize = 24;
/// A peer takes something of what is written within this time. One that answers pings may still leave
/// the rest unread.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);
/// How long to wait when the process has no file descriptor left.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// How many connections there may be, of all and of one address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    pub(super) all: usize,
    pub(super) of_one: usize,
}

/// Accepts connections for ever. Those beyond `most` are closed at once; after `cut` every one breaks.
pub(super) fn incoming(
    listener: TcpListener,
    most: Most,
    tls: Option<Tls>,
    cut: Drain,
) -> impl Stream<Item = Connection> {
    let door = Door {
        listener,
        places: Arc::new(Semaphore::new(most.all)),
        addresses: Addresses::new(most.of_one),
        agreeing: Addresses::new(MAX_HANDSHAKES_OF_ONE),
        tls,
        handshakes: JoinSet::new(),
        cut,
    };
    futures_util::stream::unfold(door, |mut door| async move {
        let connection = door.next().await;
        Some((connection, door))
    })
}

struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
    addresses: Addresses,
    agreeing: Addresses,
    tls: Option<Tls>,
    handshakes: JoinSet<Option<Connection>>,
    cut: Drain,
}

impl Door {
    async fn next(&mut self) -> Connection {
        loop {
            tokio::select! {
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some(connection)) = done {
                        return connection;
                    }
                }
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, from)) => {
                        if let Some(connection) = self.admit(stream, from.ip()) {
                            return connection;
                        }
                    }
                    // One connection's failure must not end the server.
                    Err(err) => {
                        tracing::warn!(error = %err, "cannot accept a connection");
                        tokio::time::sleep(EXHAUSTED).await;
                    }
                },
            }
        }
    }

    /// The connection where it is ready now; one that agrees on encryption comes later.
    fn admit(&mut self, stream: TcpStream, from: IpAddr) -> Option<Connection> {
        let place = Place {
            _own: self.addresses.enter(from)?,
            _all: self.places.clone().try_acquire_owned().ok()?,
        };
        stream.set_nodelay(true).ok()?;
        let cut = self.cut.clone();
        let Some(tls) = &self.tls else {
            return Some(Connection::new(Transport::Plain(stream), None, place, cut));
        };
        if self.handshakes.len() < MAX_HANDSHAKES {
            let agreeing = self.agreeing.enter(from)?;
            let agreed = tls.acceptor().accept(stream);
            self.handshakes.spawn(async move {
                let _agreeing = agreeing;
                let stream = tokio::time::timeout(HANDSHAKE_WITHIN, agreed).await.ok()?;
                let stream = stream
                    .inspect_err(|err| tracing::debug!(error = %err, "no encryption agreed on"))
                    .ok()?;
                let certificate = match stream.get_ref().1.peer_certificates() {
                    Some([own, ..]) => Some(Arc::new(ClientCertificate::read(own)?)),
                    _ => None,
                };
                let stream = Transport::Encrypted(Box::new(stream));
                Some(Connection::new(stream, certificate, place, cut))
            });
        }
        None
    }
}

/// A connection's place among all and among those of its address, until it is dropped.
struct Place {
    _own: Lease,
    _all: OwnedSemaphorePermit,
}

/// What a request tells of the connection that it came over.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// The certificate that the client showed and that an authority of the settings vouches for.
    pub(super) certificate: Option<Arc<ClientCertificate>>,
    /// What else is open on it.
    pub(super) calls: OpenCalls,
}

/// A connection that breaks when it is cut, does not say soon what it speaks, or takes nothing of what is
/// written.
pub(super) struct Connection {
    stream: Transport,
    peer: Peer,
    cut: BoxFuture<'static, ()>,
    /// Runs until the preface is complete.
    preface: Option<Pin<Box<tokio::time::Sleep>>>,
    heard: usize,
    /// Runs while the peer takes nothing.
    stuck: Option<Pin<Box<tokio::time::Sleep>>>,
    /// Tells by being dropped that the connection is.
    _open: Option<oneshot::Sender<()>>,
    _place: Place,
}

enum Transport {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

impl Connection {
    fn new(
        stream: Transport,
        certificate: Option<Arc<ClientCertificate>>,
        place: Place,
        cut: Drain,
    ) -> Self {
        Self {
            stream,
            peer: Peer {
                certificate,
                calls: OpenCalls::new(),
            },
            cut: Box::pin(async move { cut.draining().await }),
            preface: Some(Box::pin(tokio::time::sleep(PREFACE_WITHIN))),
            heard: 0,
            stuck: None,
            _open: None,
            _place: place,
        }
    }

    /// What fails once the connection is dropped, for one who waits for that.
    pub(super) fn gone(&mut self) -> oneshot::Receiver<()> {
        let (open, gone) = oneshot::channel();
        self._open = Some(open);
        gone
    }

    /// The calls that are open on it.
    pub(super) fn calls(&self) -> OpenCalls {
        self.peer.calls.clone()
    }

    /// What came of writing; a failure once the peer has taken nothing for too long.
    fn taken<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let begin = || Box::pin(tokio::time::sleep(TAKEN_WITHIN));
        let stuck = self.stuck.get_or_insert_with(begin);
        match stuck.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.cut.as_mut().poll(context).is_ready() {
            this.cut = Box::pin(std::future::ready(()));
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if let Some(late) = &mut this.preface
            && late.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        let read = match &mut this.stream {
            Transport::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Transport::Encrypted(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        if this.preface.is_some() {
            this.heard += buffer.filled().len() - before;
            if this.heard >= PREFACE {
                this.preface = None;
            }
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = match &mut this.stream {
            Transport::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Transport::Encrypted(stream) => Pin::new(stream).poll_write(context, bytes),
        };
        this.taken(context, written)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = match &mut this.stream {
            Transport::Plain(stream) => Pin::new(stream).poll_flush(context),
            Transport::Encrypted(stream) => Pin::new(stream).poll_flush(context),
        };
        this.taken(context, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Transport::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Transport::Encrypted(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = match &mut this.stream {
            Transport::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Transport::Encrypted(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        };
        this.taken(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Transport::Plain(stream) => stream.is_write_vectored(),
            Transport::Encrypted(stream) => stream.is_write_vectored(),
        }
    }
}
