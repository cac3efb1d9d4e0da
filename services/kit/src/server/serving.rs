//! Serves every connection until it ends, grows old, has no call for long, or the server drains.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{Stream, StreamExt};
use tokio::task::{JoinError, JoinSet};

use super::connection::Connection;
use crate::drain::Drain;

/// Connections that were opened at once are not closed at once.
const SPREAD: std::ops::Range<f64> = 0.9..1.1;

/// How long a connection is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    /// About so long, drawn for each.
    pub(super) age: Duration,
    /// Not longer than this without an open call.
    pub(super) idle: Duration,
}

/// Has `one` serve each connection that comes in, until its second argument is over: then the connection is
/// closed in order. That is when it was `kept` for as long as one is, or at the drain, when no more are taken.
/// Ends when the last connection has.
pub(super) async fn serve<F, S, E>(
    incoming: impl Stream<Item = Connection>,
    kept: Kept,
    drain: Drain,
    one: F,
) where
    F: Fn(Connection, BoxFuture<'static, ()>) -> S,
    S: Future<Output = Result<(), E>> + Send + 'static,
    E: std::error::Error + Send + 'static,
{
    let mut served = JoinSet::new();
    {
        // Whoever connects later is refused as soon as this is dropped.
        let mut incoming = pin!(incoming);
        let mut draining = pin!(drain.draining());
        loop {
            tokio::select! {
                () = &mut draining => break,
                Some(ended) = served.join_next() => note(ended),
                next = incoming.next() => {
                    let Some(mut connection) = next else { break };
                    let close = closing(&mut connection, kept, drain.clone());
                    served.spawn(one(connection, close));
                }
            }
        }
    }
    while let Some(ended) = served.join_next().await {
        note(ended);
    }
}

/// How long one connection may be open.
fn drawn(age: Duration) -> Duration {
    age.mul_f64(rand::random_range(SPREAD))
}

/// Waits until a connection is to be closed, or is gone by itself.
fn closing(connection: &mut Connection, kept: Kept, drain: Drain) -> BoxFuture<'static, ()> {
    let (gone, calls) = (connection.gone(), connection.calls());
    let age = drawn(kept.age);
    Box::pin(async move {
        tokio::select! {
            () = tokio::time::sleep(age) => {}
            () = calls.none_for(kept.idle) => {}
            () = drain.draining() => {}
            // Nothing is sent: the other half goes with the connection.
            _ = gone => {}
        }
    })
}

/// One connection's failure is no failure of the server.
fn note<E: std::error::Error>(ended: Result<Result<(), E>, JoinError>) {
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(err)) => tracing::debug!(error = %err, "a connection failed"),
        Err(err) => {
            tracing::warn!(error = %err, "a connection ended in a way that it never should")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_drawn_for_each_connection_a_tenth_more_or_less() {
        let age = Duration::from_secs(3_600);
        let drawn: Vec<Duration> = (0..200).map(|_| drawn(age)).collect();
        let within = Duration::from_secs(3_240)..=Duration::from_secs(3_960);
        assert!(drawn.iter().all(|one| within.contains(one)), "{drawn:?}");
        let (first, last) = (drawn.iter().min(), drawn.iter().max());
        let spread = last.unwrap().saturating_sub(*first.unwrap());
        assert!(spread > age / 10, "{spread:?}");
    }
}
