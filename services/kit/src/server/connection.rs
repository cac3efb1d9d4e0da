//! Connections that can be cut, that must speak soon, and that are not too many.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::transport::server::{Connected, TcpConnectInfo};

use crate::drain::Drain;

/// A connection must have sent the preface of HTTP/2 within this time; afterwards keepalive watches.
const PREFACE_WITHIN: Duration = Duration::from_secs(5);
/// How many bytes the preface has.
const PREFACE: usize = 24;
/// How long to wait when the process has no file descriptor left.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Accepts connections for ever. More than `most` at once are closed at once; after `cut` every
/// one breaks.
pub(super) fn incoming(
    listener: TcpListener,
    most: usize,
    cut: Drain,
) -> impl Stream<Item = Result<Connection, io::Error>> {
    let places = Arc::new(Semaphore::new(most));
    futures_util::stream::unfold(
        (listener, places, cut),
        |(listener, places, cut)| async move {
            loop {
                let stream = match listener.accept().await {
                    Ok((stream, _)) => stream,
                    // One connection's failure must not end the server.
                    Err(err) => {
                        tracing::warn!(error = %err, "cannot accept a connection");
                        tokio::time::sleep(EXHAUSTED).await;
                        continue;
                    }
                };
                let Ok(place) = places.clone().try_acquire_owned() else {
                    continue;
                };
                if stream.set_nodelay(true).is_err() {
                    continue;
                }
                let connection = Connection::new(stream, place, cut.clone());
                return Some((Ok(connection), (listener, places, cut)));
            }
        },
    )
}

/// A TCP connection that breaks when it is cut or does not say soon that it speaks HTTP/2.
pub(super) struct Connection {
    stream: TcpStream,
    cut: BoxFuture<'static, ()>,
    /// Runs until the preface is complete.
    preface: Option<Pin<Box<tokio::time::Sleep>>>,
    heard: usize,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: TcpStream, place: OwnedSemaphorePermit, cut: Drain) -> Self {
        Self {
            stream,
            cut: Box::pin(async move { cut.draining().await }),
            preface: Some(Box::pin(tokio::time::sleep(PREFACE_WITHIN))),
            heard: 0,
            _place: place,
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
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
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
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
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
