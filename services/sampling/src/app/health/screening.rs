//! Checks, many in one transaction.

use chrono::{DateTime, Utc};
use kit::auth::Caller;
use kit::batch::Batcher;
use kit::drain::Drain;
use kit::status::Problem;

use super::super::App;
use super::screening_batch::Batch;
use super::screening_known::{Known, Vetted};
use super::units::UnitName;
use crate::domain::day::Day;
use crate::domain::health::check::Content;
use crate::domain::health::rules::Slot;
use crate::domain::health::screening::Verdict;
use crate::domain::roll::GroupKind;
use crate::error::Error;
use crate::store::health::checks::{self, CheckRow, Key};

/// One check as it was submitted.
#[derive(Clone, Debug)]
pub(crate) struct Submission {
    pub(crate) caller: Caller,
    pub(crate) unit: UnitName,
    pub(crate) day: Day,
    pub(crate) slot: Slot,
    /// What kind of people it names; none when it names nobody.
    pub(crate) kind: Option<GroupKind>,
    pub(crate) content: Content,
    /// When it was taken, in milliseconds since 1970; none means now.
    pub(crate) capture: Option<i64>,
    /// The identifier that the reporter's device gave it.
    pub(crate) client: [u8; 16],
    /// Why it corrects; none for an original.
    pub(crate) correction: Option<String>,
    /// Something must stand already.
    pub(crate) replaces: bool,
}

/// What became of a check, and what stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Submitted {
    pub(crate) verdict: Verdict,
    pub(crate) check: CheckRow,
}

pub(crate) type Checks = Batcher<Submission, Result<Submitted, Error>>;

/// How many checks may wait, and how many share a transaction.
const WAITING: usize = 8192;
const TOGETHER: usize = 512;

/// Starts the worker that commits checks together.
pub(crate) fn spawn(app: App, drain: Drain) -> Checks {
    let service = app.db.service();
    let batcher = Batcher::spawn(WAITING, TOGETHER, drain, move |submissions: Vec<_>| {
        let app = app.clone();
        Box::pin(async move {
            match app.submit_checks(&submissions).await {
                Ok(answers) => answers,
                Err(err) => {
                    let problem = Problem::from(err);
                    let reason = problem.reason();
                    let checks = submissions.len();
                    tracing::warn!(?reason, checks, "checks were not stored");
                    let refused = |_| Err(Problem::new(reason).into());
                    submissions.iter().map(refused).collect()
                }
            }
        })
    });
    batcher.observed(service, "checks")
}

impl App {
    /// Decides about checks in their order and stores them together.
    async fn submit_checks(
        &self,
        submissions: &[Submission],
    ) -> Result<Vec<Result<Submitted, Error>>, Error> {
        let now = self.clock.now();
        let known = self.known(submissions, now).await?;
        let vetted: Vec<Result<Vetted, Error>> = submissions
            .iter()
            .map(|submission| known.vet(submission))
            .collect();
        let keys: Vec<Key> = submissions
            .iter()
            .zip(&vetted)
            .filter_map(|(submission, vetted)| Some((submission, vetted.as_ref().ok()?)))
            .map(|(submission, vetted)| (submission.day, submission.slot, vetted.place.clone()))
            .collect();
        if keys.is_empty() {
            return Ok(vetted.into_iter().filter_map(refusal).collect());
        }
        self.store_checks(submissions, vetted, &known, &keys, now)
            .await
    }

    async fn store_checks(
        &self,
        submissions: &[Submission],
        vetted: Vec<Result<Vetted, Error>>,
        known: &Known,
        keys: &[Key],
        now: DateTime<Utc>,
    ) -> Result<Vec<Result<Submitted, Error>>, Error> {
        let tx = self.db.begin().await?;
        let schools: Vec<&str> = keys
            .iter()
            .filter_map(|(_, _, place)| place.rsplit_once('/'))
            .map(|(school, _)| school)
            .collect();
        self.lock_health(&tx, &schools).await?;
        let standing = checks::standing(&tx, keys.iter()).await?;
        let mut contested = Vec::new();
        for row in standing.iter().filter(|row| row.submission_count > 1) {
            contested.push(row.key()?);
        }
        let superseded = checks::superseded(&tx, contested.iter()).await?;
        let mut batch = Batch::new(standing, superseded)?;
        let answers = submissions
            .iter()
            .zip(vetted)
            .map(|(submission, vetted)| batch.take(submission, vetted?, now.timestamp_millis()))
            .collect();
        batch.store(self, &tx, known, now).await?;
        tx.commit().await?;
        Ok(answers)
    }
}

/// The answer to a submission that is refused.
fn refusal(vetted: Result<Vetted, Error>) -> Option<Result<Submitted, Error>> {
    vetted.err().map(Err)
}
