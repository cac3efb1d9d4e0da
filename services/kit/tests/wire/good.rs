//! Callers who call as they should, and how long they wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kit::channel::Channel;
use tokio::runtime::Builder;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Request, Response};

use super::Target;

/// How long a caller waits before the next call.
const PAUSE: Duration = Duration::from_millis(2);

type Codec = tonic_prost::ProstCodec<String, String>;

/// Somebody who calls as they should.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    target: Target,
    channel: Channel,
}

impl Caller {
    /// Calls `target`, over one connection.
    pub(crate) fn of(target: Target) -> Self {
        let scheme = target.tls.as_ref().map_or("http", |_| "https");
        let address = format!("{scheme}://{}", target.addr);
        let channel = Channel::to(&address, target.tls.as_ref());
        Self {
            target,
            channel: channel.expect("a URI"),
        }
    }

    /// Calls, and is answered; how long that took.
    pub(crate) async fn call(&self) -> Duration {
        let begun = Instant::now();
        let mut client = Grpc::new(self.channel.clone());
        client.ready().await.expect("connects");
        let mut request = Request::new("still".to_owned());
        let bearer = self.target.bearer.parse().expect("a header");
        request.metadata_mut().insert("authorization", bearer);
        let path = PathAndQuery::from_static(self.target.path);
        let answer = client.unary(request, path, Codec::default()).await;
        let answer: Response<String> = answer.expect("answered");
        assert_eq!(answer.into_inner(), "still");
        begun.elapsed()
    }

    /// The same over a connection of its own.
    pub(crate) async fn call_anew(&self) -> Duration {
        let begun = Instant::now();
        Self::of(self.target.clone()).call().await;
        begun.elapsed()
    }

    async fn call_over(&self, way: Way) -> Duration {
        match way {
            Way::One => self.call().await,
            Way::Each => self.call_anew().await,
        }
    }

    /// So many calls, one after the other.
    pub(crate) async fn calls(&self, count: usize, way: Way) -> Vec<Duration> {
        let mut took = Vec::new();
        for _ in 0..count {
            took.push(self.call_over(way).await);
            tokio::time::sleep(PAUSE).await;
        }
        took
    }
}

/// Over what somebody calls.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// One connection.
    One,
    /// A connection for each call.
    Each,
}

/// Calls that go on beside something else, in a thread of their own: attackers of this process do not hold up who
/// makes them.
#[derive(Debug)]
pub(crate) struct Calling {
    over: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    calls: JoinHandle<Vec<Duration>>,
}

impl Calling {
    pub(crate) fn begin(caller: &Caller, way: Way) -> Self {
        let (over, count) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (ended, counted, target) = (over.clone(), count.clone(), caller.target.clone());
        let calling = async move {
            let caller = Caller::of(target);
            // What is done once is done before anything is measured.
            caller.call().await;
            let mut took = Vec::new();
            while !ended.load(Ordering::Relaxed) {
                took.extend(caller.calls(1, way).await);
                counted.fetch_add(1, Ordering::Relaxed);
            }
            took
        };
        let calls = std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(calling)
        });
        Self { over, count, calls }
    }

    /// Whether so many calls were answered, or one was not.
    pub(crate) fn has_seen(&self, count: usize) -> bool {
        self.calls.is_finished() || self.count.load(Ordering::Relaxed) >= count
    }

    /// Waits until so many were.
    pub(crate) async fn see(&self, count: usize) {
        while !self.has_seen(count) {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// How long each call took, once the last one is answered.
    pub(crate) fn end(self) -> Vec<Duration> {
        self.over.store(true, Ordering::Relaxed);
        let ended = tokio::task::block_in_place(|| self.calls.join());
        ended.expect("every call is answered")
    }
}

/// How long 99 of 100 took at most.
pub(crate) fn p99(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    let index = (took.len() * 99).div_ceil(100).saturating_sub(1);
    took.get(index).copied().unwrap_or_default()
}
