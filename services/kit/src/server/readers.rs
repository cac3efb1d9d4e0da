//! Answers that their readers do not take: each is given up after a while, so that nobody keeps what an
//! answer holds, in this service and in those behind it, by opening a call and not reading it.
//!
//! An answer that was asked for its next part is waiting for the service; one that gave a part and was not
//! asked for another waits for its reader. Only the latter is counted. The reader that comes back is
//! told UNAVAILABLE: of a stream it has its cursor.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame, SizeHint};
use proto::error::ErrorReason;
use tokio::sync::OwnedSemaphorePermit;
use tonic::Status;
use tonic::body::Body;

use crate::status::Problem;

/// How often it is looked at answers while the patience with one runs.
const LOOKS: u32 = 4;
/// What an answer says that does not wait for its reader.
const NOT_WAITING: u64 = 0;
/// Whoever was too slow may come back after this.
const RETRY: Duration = Duration::from_secs(1);

/// The answers under way. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Readers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    patience: Duration,
    /// How often it was looked at them, from 1.
    now: AtomicU64,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    last: u64,
    answers: HashMap<u64, Arc<Answer>>,
}

/// An answer, as those who look at it and the one who writes it share it.
struct Answer {
    /// None once it was given up.
    body: Mutex<Option<Held>>,
    /// Since which look it waits for its reader.
    since: AtomicU64,
}

/// The body, and what it keeps besides until it ends.
type Held = (Body, Option<OwnedSemaphorePermit>);

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}

impl Readers {
    /// Begins to look at answers; one may wait for its reader as long as `patience`.
    pub(super) fn start(patience: Duration) -> Self {
        let shared = Arc::new(Shared {
            patience,
            now: AtomicU64::new(NOT_WAITING + 1),
            open: Mutex::default(),
        });
        tokio::spawn(look(Arc::downgrade(&shared)));
        Self(shared)
    }

    /// `body`, which is given up when nobody reads it; it keeps `permit` until its end.
    pub(super) fn read(&self, body: Body, permit: Option<OwnedSemaphorePermit>) -> Body {
        if body.is_end_stream() {
            return body;
        }
        let answer = Arc::new(Answer {
            body: Mutex::new(Some((body, permit))),
            since: AtomicU64::new(NOT_WAITING),
        });
        let mut open = lock(&self.0.open);
        open.last += 1;
        let number = open.last;
        open.answers.insert(number, answer.clone());
        drop(open);
        Body::new(Reading {
            answer,
            number,
            ended: false,
            shared: self.0.clone(),
        })
    }
}

/// Gives up what waited too long for its reader, until nobody can answer any more.
async fn look(shared: Weak<Shared>) {
    loop {
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let pause = shared.patience / LOOKS;
        let given_up = shared.look();
        drop(shared);
        if !given_up.is_empty() {
            tracing::debug!(answers = given_up.len(), "nobody read them");
        }
        drop(given_up);
        tokio::time::sleep(pause.max(Duration::from_millis(1))).await;
    }
}

impl Shared {
    fn look(&self) -> Vec<Held> {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        let is_late = |answer: &Answer| {
            let since = answer.since.load(Ordering::Relaxed);
            since != NOT_WAITING && now.saturating_sub(since) > u64::from(LOOKS)
        };
        let open = lock(&self.open);
        let late = open.answers.values().filter(|answer| is_late(answer));
        let late: Vec<_> = late.cloned().collect();
        drop(open);
        let give_up = |answer: &Arc<Answer>| {
            let mut body = lock(&answer.body);
            // Its reader may have come back in the meantime.
            is_late(answer).then(|| body.take()).flatten()
        };
        late.iter().filter_map(give_up).collect()
    }
}

/// An answer on its way to its reader.
struct Reading {
    answer: Arc<Answer>,
    number: u64,
    ended: bool,
    shared: Arc<Shared>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        lock(&self.shared.open).answers.remove(&self.number);
    }
}

impl http_body::Body for Reading {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        let mut held = lock(&this.answer.body);
        let Some((body, _)) = held.as_mut() else {
            this.ended = true;
            let problem = Problem::new(ErrorReason::Unavailable).retry_after(RETRY);
            let mut trailers = HeaderMap::new();
            // Code, words and details of a problem are always legal in headers.
            let _ = Status::from(problem).add_header(&mut trailers);
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        };
        this.answer.since.store(NOT_WAITING, Ordering::Relaxed);
        let polled = Pin::new(body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(_))) => {
                let now = this.shared.now.load(Ordering::Relaxed);
                this.answer.since.store(now, Ordering::Relaxed);
            }
            Poll::Ready(None | Some(Err(_))) => *held = None,
            Poll::Pending => {}
        }
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            drop(held);
            this.ended = true;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        let held = lock(&self.answer.body);
        self.ended || held.as_ref().is_some_and(|(body, _)| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        // It may end before it was said.
        SizeHint::default()
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
