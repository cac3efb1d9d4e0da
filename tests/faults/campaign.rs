//! What all clients of a campaign share: whether it is over, what was acknowledged, and how a
//! command is sent until it is.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tests::process::SERVICES;
use tests::{PATIENCE, within};
use tokio::sync::watch;
use tokio::time::timeout;
use tonic::{Code, Status};

use super::report::{Errand, Label, Tally};

/// What all clients share.
#[derive(Clone)]
pub(super) struct Campaign {
    over: Arc<AtomicBool>,
    /// Acknowledged writes by service; those of the gateway are those of all.
    acknowledged: Arc<BTreeMap<&'static str, watch::Sender<Writes>>>,
    /// How often a call was made at most until it was acknowledged.
    attempts: Arc<AtomicU32>,
    pub(super) tally: Arc<Tally>,
}

/// The writes that a service acknowledged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writes {
    pub(super) count: u32,
    last: Instant,
    /// The longest time without one since it was asked for.
    longest: Duration,
}

impl Writes {
    fn none() -> Self {
        Self {
            count: 0,
            last: Instant::now(),
            longest: Duration::ZERO,
        }
    }

    fn one_more(&mut self) {
        self.longest = self.longest.max(self.last.elapsed());
        self.last = Instant::now();
        self.count += 1;
    }

    /// From here on the longest time without a write is asked for.
    fn ask(&mut self) {
        self.longest = Duration::ZERO;
        self.last = Instant::now();
    }
}

impl Campaign {
    pub(super) fn new() -> Self {
        let counters = SERVICES.map(|service| (service, watch::Sender::new(Writes::none())));
        Self {
            over: Arc::default(),
            acknowledged: Arc::new(counters.into()),
            attempts: Arc::default(),
            tally: Arc::default(),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Tells the clients to end.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// How often a call was made at most until it was acknowledged.
    pub(super) fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// Waits until a service has acknowledged so many writes more.
    pub(super) async fn more(&self, service: &str, writes: u32) {
        let mut acknowledged = self.acknowledged[service].subscribe();
        let wanted = acknowledged.borrow().count + writes;
        let wait = acknowledged.wait_for(|known| known.count >= wanted);
        let waited = within(&format!("writes to {service} go on"), wait).await;
        drop(waited.expect("the counters stay"));
    }

    /// Has a fault strike and waits until each of the services that it may hit has acknowledged a write after
    /// it; notes under `label` what became of calls meanwhile, and the longest time that one of them was
    /// without a write.
    pub(super) async fn under(
        &self,
        label: Label,
        hit: &[&'static str],
        fault: impl Future<Output = ()>,
    ) {
        self.tally.begin(label.clone());
        for service in hit {
            self.acknowledged[service].send_modify(Writes::ask);
        }
        fault.await;
        let mut longest = Duration::ZERO;
        for service in hit {
            self.more(service, 1).await;
            longest = longest.max(self.acknowledged[service].borrow().longest);
        }
        self.tally.end(label, longest);
    }

    /// Sends a command until it is acknowledged.
    pub(super) async fn insist<R, F, Fut>(&self, service: &str, what: &str, send: F) -> R
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<R, Status>>,
    {
        let answer = self.answer(Errand::Write, (service, what), send).await;
        for counted in [service, "gateway"] {
            self.acknowledged[counted].send_modify(Writes::one_more);
        }
        answer
    }

    /// Reads until there is an answer.
    pub(super) async fn read<R, F, Fut>(&self, service: &str, what: &str, send: F) -> R
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<R, Status>>,
    {
        self.answer(Errand::Read, (service, what), send).await
    }

    async fn answer<R, F, Fut>(
        &self,
        errand: Errand,
        (service, what): (&str, &str),
        mut send: F,
    ) -> R
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<R, Status>>,
    {
        let mut last = None;
        let trying = async {
            let mut attempt = 0;
            loop {
                attempt += 1;
                let began = Instant::now();
                match send().await {
                    Ok(answer) => {
                        self.attempts.fetch_max(attempt, Ordering::Relaxed);
                        self.tally.took(began.elapsed());
                        return answer;
                    }
                    Err(status) if may_be_sent_again(&status) => {
                        self.tally.failed(&status);
                        if attempt == 1 {
                            self.tally.failed_first(errand, &status);
                        }
                        last = Some(status);
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    Err(status) => panic!("{what}: {status:?}"),
                }
            }
        };
        match timeout(PATIENCE, trying).await {
            Ok(answer) => answer,
            Err(_) => panic!("{service} never took {what}; its last answer was {last:?}"),
        }
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
