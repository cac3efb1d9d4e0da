//! A wire between a gateway and a replica that can be frozen, as a stopped process is, and slowed.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Passes,
    /// Takes connections and bytes, and passes nothing on.
    Frozen,
    /// Passes everything on later by this.
    Slow(Duration),
}

/// A wire that leads to one replica.
pub(crate) struct Relay {
    pub(crate) addr: SocketAddr,
    wire: watch::Sender<Wire>,
}

impl Relay {
    pub(crate) async fn to(replica: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        let (wire, seen) = watch::channel(Wire::Passes);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(replica).await else {
                    continue;
                };
                let (near_reads, near_writes) = near.into_split();
                let (far_reads, far_writes) = far.into_split();
                tokio::spawn(pass(near_reads, far_writes, seen.clone()));
                tokio::spawn(pass(far_reads, near_writes, seen.clone()));
            }
        });
        Self { addr, wire }
    }

    pub(crate) fn becomes(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut wire: watch::Receiver<Wire>) {
    let mut bytes = vec![0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let Ok(now) = wire
            .wait_for(|wire| *wire != Wire::Frozen)
            .await
            .map(|now| *now)
        else {
            return;
        };
        if let Wire::Slow(by) = now {
            tokio::time::sleep(by).await;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
