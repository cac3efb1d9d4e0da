//! Rows as they come: judged, held against the register, and made durable a stretch at a time,
//! while the next stretch is judged.

use futures_util::{FutureExt, Stream, StreamExt};
use kit::auth::Caller;
use kit::status::Problem;
use proto::roster::ImportRequest;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tonic::Status;
use uuid::Uuid;

use super::super::App;
use super::judging::Judging;
use crate::domain::import::{State, Verb};
use crate::error::Error;
use crate::store::import::compare;
use crate::store::import::jobs::{self, Stretch};
use crate::store::import::verdicts::Verdict;

/// How many messages one stretch takes at most, when they are there.
const MESSAGES: usize = 16;

/// What became of a stream of rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// The number of the last durable row.
    pub(crate) durable_row: i64,
    /// New rows that were taken.
    pub(crate) accepted: i64,
    /// New rows that were refused.
    pub(crate) rejected: i64,
    /// The first of what there is to say.
    pub(crate) verdicts: Vec<Verdict>,
}

impl App {
    /// Stages the rows of `messages` for the job `id`. Whatever is durable when the stream is cut
    /// stays so.
    pub(crate) async fn import<S>(
        &self,
        caller: &Caller,
        id: Uuid,
        first: ImportRequest,
        messages: S,
    ) -> Result<Outcome, Error>
    where
        S: Stream<Item = Result<ImportRequest, Status>> + Send + Unpin,
    {
        let mut job = self.import_job(caller, id).await?;
        job.state.after(Verb::Receive)?;
        let present = compare::fingerprint(self.db.read(), &job).await?;
        let before = job.fingerprint.get_or_insert_with(|| present.clone());
        if *before != present {
            return Err(Error::Stale);
        }
        let judging = Judging::open(self, job).await?;
        // Rows are staged in many transactions; the record comes before the first of them.
        let tx = self.db.begin().await?;
        kit::audit::act(&tx, caller);
        tx.commit().await?;
        let (stretches, waiting) = mpsc::channel(1);
        let writer = tokio::spawn(write(self.clone(), waiting));
        let outcome = judge(judging, first, messages, stretches).await;
        finish(outcome, writer).await
    }
}

/// Judges stretch after stretch and hands each to the writer.
async fn judge<S>(
    mut judging: Judging,
    first: ImportRequest,
    mut messages: S,
    stretches: mpsc::Sender<Stretch>,
) -> Result<Outcome, Error>
where
    S: Stream<Item = Result<ImportRequest, Status>> + Send + Unpin,
{
    let mut outcome = Outcome::default();
    let mut next = Some(first);
    while let Some(message) = next {
        let mut some = vec![message];
        let mut cut = None;
        while some.len() < MESSAGES {
            match messages.next().now_or_never() {
                Some(Some(Ok(message))) => some.push(message),
                Some(Some(Err(status))) => {
                    cut = Some(status);
                    break;
                }
                Some(None) | None => break,
            }
        }
        let work = move || {
            let judged = judging.take(some);
            (judging, judged)
        };
        let (back, judged) = tokio::task::spawn_blocking(work)
            .await
            .map_err(|err| Problem::new(proto::error::ErrorReason::Internal).source(err))?;
        judging = back;
        let (stretch, part) = judged?;
        outcome.add(part);
        if stretches.send(stretch).await.is_err() {
            // The writer stopped; it says why.
            return Ok(outcome);
        }
        if let Some(status) = cut {
            return Err(cut_off(status));
        }
        next = messages.next().await.transpose().map_err(cut_off)?;
    }
    Ok(outcome)
}

/// A stream that ended early: the caller is gone, asks too much of one message, or is told a reason already.
fn cut_off(status: Status) -> Error {
    if let Some(problem) = Problem::told_by(&status) {
        return problem.into();
    }
    let reason = match status.code() {
        tonic::Code::OutOfRange | tonic::Code::ResourceExhausted => {
            proto::error::ErrorReason::MessageTooLarge
        }
        tonic::Code::Internal | tonic::Code::InvalidArgument => {
            proto::error::ErrorReason::MessageMalformed
        }
        _ => proto::error::ErrorReason::Unavailable,
    };
    Problem::new(reason).source(status).into()
}

impl Outcome {
    fn add(&mut self, part: Self) {
        const FIRST: usize = 1000;
        self.accepted += part.accepted;
        self.rejected += part.rejected;
        let room = FIRST.saturating_sub(self.verdicts.len());
        self.verdicts.extend(part.verdicts.into_iter().take(room));
    }
}

/// Makes stretches durable one after the other; gives the last durable row of them.
async fn write(app: App, mut stretches: mpsc::Receiver<Stretch>) -> Result<Option<i64>, Error> {
    let mut durable = None;
    while let Some(stretch) = stretches.recv().await {
        let (id, last) = (stretch.job.id, stretch.job.durable_row);
        if !jobs::stage(&app.db, stretch).await? {
            // Another stream moved the job on, or a plan closed it.
            let found = jobs::get(app.db.read(), id).await?;
            let state = found.map_or(State::Discarded, |job| job.state);
            state.after(Verb::Receive)?;
            return Err(Problem::new(proto::error::ErrorReason::Conflict).into());
        }
        durable = Some(last);
    }
    Ok(durable)
}

/// What the judge was told, unless the writer failed.
async fn finish(
    outcome: Result<Outcome, Error>,
    writer: JoinHandle<Result<Option<i64>, Error>>,
) -> Result<Outcome, Error> {
    let written = writer
        .await
        .map_err(|err| Problem::new(proto::error::ErrorReason::Internal).source(err))?;
    let durable = written?;
    let outcome = outcome?;
    Ok(Outcome {
        durable_row: durable.unwrap_or(outcome.durable_row),
        ..outcome
    })
}
