//! Group commit: commands that arrive together share one transaction.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use proto::error::ErrorReason;
use tokio::sync::{mpsc, oneshot};
use tracing::{Instrument, Span};

use crate::drain::Drain;
use crate::status::Problem;
use crate::telemetry::carried;
use crate::telemetry::figures::Name;

const WAITING: Name = Name::count(
    "campus.queue.waiting",
    "How many commands wait for the next common commit",
);
const CAPACITY: Name = Name::count(
    "campus.queue.capacity",
    "How many may wait before new ones are refused",
);

struct Job<C, R> {
    command: C,
    answer: oneshot::Sender<R>,
    /// The call that waits for the answer.
    cause: Span,
}

/// Hands commands to one worker, which takes as many as are waiting and answers each after their
/// common commit. The queue is bounded: a full one refuses at once.
pub struct Batcher<C, R> {
    queue: mpsc::Sender<Job<C, R>>,
}

impl<C, R> Clone for Batcher<C, R> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
        }
    }
}

impl<C, R> fmt::Debug for Batcher<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batcher")
            .field("free", &self.queue.capacity())
            .finish()
    }
}

impl<C: Send + 'static, R: Send + 'static> Batcher<C, R> {
    /// Starts the worker. `work` gets at most `max_batch` commands and returns one answer for
    /// each, in their order. After the drain it finishes what is queued.
    pub fn spawn<F>(capacity: usize, max_batch: usize, drain: Drain, work: F) -> Self
    where
        F: Fn(Vec<C>) -> BoxFuture<'static, Vec<R>> + Send + 'static,
    {
        let (queue, jobs) = mpsc::channel(capacity);
        tokio::spawn(run(jobs, max_batch, drain, work));
        Self { queue }
    }

    /// Tells how full the queue is, as that of `service` with this name.
    #[must_use]
    pub fn observed(self, service: &'static str, queue: &'static str) -> Self {
        let labels = [("service", service), ("queue", queue)];
        let (waiting, capacity) = (self.queue.downgrade(), self.queue.downgrade());
        WAITING.read(labels, move || {
            let queue = waiting.upgrade()?;
            Some((queue.max_capacity() - queue.capacity()) as f64)
        });
        CAPACITY.read(labels, move || {
            Some(capacity.upgrade()?.max_capacity() as f64)
        });
        self
    }

    /// Queues `command` and waits for its answer.
    ///
    /// # Errors
    /// OVERLOADED when the queue is full, UNAVAILABLE when the service is stopping.
    pub async fn submit(&self, command: C) -> Result<R, Problem> {
        let (answer, answered) = oneshot::channel();
        let cause = Span::current();
        self.queue
            .try_send(Job {
                command,
                answer,
                cause,
            })
            .map_err(|err| match err {
                mpsc::error::TrySendError::Full(_) => {
                    Problem::new(ErrorReason::Overloaded).retry_after(Duration::from_millis(200))
                }
                mpsc::error::TrySendError::Closed(_) => Problem::new(ErrorReason::Unavailable),
            })?;
        answered
            .await
            .map_err(|_| Problem::new(ErrorReason::Unavailable))
    }
}

async fn run<C, R, F>(mut jobs: mpsc::Receiver<Job<C, R>>, max_batch: usize, drain: Drain, work: F)
where
    F: Fn(Vec<C>) -> BoxFuture<'static, Vec<R>>,
{
    let mut batch = Vec::with_capacity(max_batch);
    loop {
        let taken = tokio::select! {
            taken = jobs.recv_many(&mut batch, max_batch) => taken,
            () = drain.draining() => {
                jobs.close();
                jobs.recv_many(&mut batch, max_batch).await
            }
        };
        if taken == 0 {
            return;
        }
        let span = tracing::info_span!("commit together", commands = taken);
        carried::caused_by_spans(&span, batch.iter().map(|job| &job.cause));
        let (commands, waiting): (Vec<C>, Vec<_>) =
            batch.drain(..).map(|job| (job.command, job.answer)).unzip();
        let answers = work(commands).instrument(span).await;
        for (answer, caller) in answers.into_iter().zip(waiting) {
            // A caller that went away does not need its answer.
            let _ = caller.send(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn each_caller_gets_its_own_answer() {
        let batcher = Batcher::spawn(64, 16, Drain::new(), |commands: Vec<u32>| {
            Box::pin(async move { commands.into_iter().map(|number| number * 2).collect() })
        });
        let calls = (0..50).map(|number| {
            let batcher = batcher.clone();
            async move { (number, batcher.submit(number).await.unwrap()) }
        });
        for (number, answer) in futures_util::future::join_all(calls).await {
            assert_eq!(answer, number * 2);
        }
    }

    /// A worker that tells when it begins a batch and goes on when it is let.
    fn gated(
        capacity: usize,
        drain: Drain,
    ) -> (
        Batcher<u8, u8>,
        mpsc::UnboundedReceiver<usize>,
        Arc<Semaphore>,
    ) {
        let (begun, begins) = mpsc::unbounded_channel();
        let gate = Arc::new(Semaphore::new(0));
        let held = gate.clone();
        let batcher = Batcher::spawn(capacity, 2, drain, move |commands: Vec<u8>| {
            let (begun, held) = (begun.clone(), held.clone());
            Box::pin(async move {
                begun.send(commands.len()).expect("the test listens");
                held.acquire().await.expect("stays open").forget();
                commands
            })
        });
        (batcher, begins, gate)
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let (batcher, mut begins, gate) = gated(1, Drain::new());
        let submit = |number| {
            let batcher = batcher.clone();
            tokio::spawn(async move { batcher.submit(number).await })
        };
        let worked_on = submit(1);
        begins.recv().await.unwrap();
        let queued = submit(2);
        while batcher.queue.capacity() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = batcher.submit(3).await.unwrap_err();
        assert_eq!(refused.reason(), ErrorReason::Overloaded);
        gate.add_permits(2);
        assert_eq!(worked_on.await.unwrap().unwrap(), 1);
        assert_eq!(queued.await.unwrap().unwrap(), 2);
    }

    #[tokio::test]
    async fn a_draining_worker_finishes_what_is_queued() {
        let drain = Drain::new();
        let (batcher, mut begins, gate) = gated(8, drain.clone());
        let submit = |number| {
            let batcher = batcher.clone();
            tokio::spawn(async move { batcher.submit(number).await })
        };
        let mut calls = vec![submit(0)];
        begins.recv().await.unwrap();
        calls.extend((1..6).map(submit));
        while batcher.queue.capacity() > 3 {
            tokio::task::yield_now().await;
        }
        drain.signal();
        gate.add_permits(6);
        for (number, call) in calls.into_iter().enumerate() {
            assert_eq!(usize::from(call.await.unwrap().unwrap()), number);
        }
    }
}
