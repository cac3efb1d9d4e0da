//! What all clients of a campaign share: whether it is over, what was acknowledged, and how a
//! command is sent until it is.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tests::process::SERVICES;
use tests::within;
use tokio::sync::watch;
use tonic::{Code, Status};

/// What all clients share.
#[derive(Clone)]
pub(super) struct Campaign {
    over: Arc<AtomicBool>,
    /// Acknowledged writes by service.
    pub(super) acknowledged: Arc<BTreeMap<&'static str, watch::Sender<u32>>>,
    /// Calls that were answered with an error and sent again.
    pub(super) again: Arc<AtomicU32>,
}

impl Campaign {
    pub(super) fn new() -> Self {
        let counters = SERVICES.map(|service| (service, watch::Sender::new(0)));
        Self {
            over: Arc::default(),
            acknowledged: Arc::new(counters.into()),
            again: Arc::default(),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Tells the clients to end.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Sends a command until it is acknowledged.
    pub(super) async fn insist<R, F, Fut>(&self, service: &str, what: &str, mut send: F) -> R
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<R, Status>>,
    {
        let trying = async {
            loop {
                match send().await {
                    Ok(answer) => {
                        for counted in [service, "gateway"] {
                            self.acknowledged[counted].send_modify(|count| *count += 1);
                        }
                        return answer;
                    }
                    Err(status) if may_be_sent_again(&status) => {
                        self.again.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    Err(status) => panic!("{what}: {status:?}"),
                }
            }
        };
        within(what, trying).await
    }

    /// Sends a command until it is acknowledged, and sometimes once more: the answer is the same.
    pub(super) async fn insist_twice<R, F, Fut>(&self, service: &str, number: u32, mut send: F) -> R
    where
        R: PartialEq + std::fmt::Debug,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<R, Status>>,
    {
        let first = self.insist(service, "a command", &mut send).await;
        if number.is_multiple_of(3) {
            let second = self.insist(service, "a repeat", &mut send).await;
            assert_eq!(first, second, "a repeat gets the first answer");
        }
        first
    }
}

/// A connection that broke says one of these; everything else is an answer of the service.
fn may_be_sent_again(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable
            | Code::Unknown
            | Code::Internal
            | Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::ResourceExhausted
    )
}
