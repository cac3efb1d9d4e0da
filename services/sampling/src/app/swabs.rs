//! Swabs, many in one transaction; and the one that is taken back.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::batch::Batcher;
use kit::drain::Drain;
use kit::request::{Once, once};
use kit::status::Problem;
use prost::Message;
use proto::sampling::Tube;
use sea_orm::Value;

use super::App;
use super::swab_batch::{Batch, Known};
use crate::domain::roll::{GroupKind, PersonId};
use crate::domain::swab::{SingleReason, Verdict};
use crate::domain::tube::Verb;
use crate::error::Error;
use crate::grpc::tube_convert;
use crate::store::holds::RecheckRow;
use crate::store::people::locate_all;
use crate::store::tubes::TubeRow;
use crate::store::{clearance, swabs};
use kit::rows::{Lock, Row};

/// One scan.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    pub(crate) caller: Caller,
    pub(crate) tube: String,
    /// Who; none for the sample of a point.
    pub(crate) person: Option<(PersonId, GroupKind)>,
    /// When; none means now.
    pub(crate) time: Option<DateTime<Utc>>,
    /// Why the sampler sees that this person is to be swabbed alone.
    pub(crate) single: Option<SingleReason>,
}

/// What became of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scanned {
    pub(crate) verdict: Verdict,
    pub(crate) count: i32,
    pub(crate) capacity: i32,
}

pub(crate) type Scans = Batcher<Scan, Result<Scanned, Error>>;

/// How many scans may wait, and how many share a transaction.
const WAITING: usize = 8192;
const TOGETHER: usize = 512;

/// Starts the worker that commits scans together.
pub(crate) fn spawn(app: App, drain: Drain) -> Scans {
    let service = app.db.service();
    let batcher = Batcher::spawn(WAITING, TOGETHER, drain, move |scans: Vec<Scan>| {
        let app = app.clone();
        Box::pin(async move {
            match app.add_swabs(&scans).await {
                Ok(answers) => answers,
                Err(err) => {
                    let problem = Problem::from(err);
                    let reason = problem.reason();
                    tracing::warn!(?reason, scans = scans.len(), "scans were not stored");
                    scans
                        .iter()
                        .map(|_| Err(Problem::new(reason).into()))
                        .collect()
                }
            }
        })
    });
    batcher.observed(service, "swabs")
}

impl App {
    /// Decides about scans in their order and stores them together.
    async fn add_swabs(&self, scans: &[Scan]) -> Result<Vec<Result<Scanned, Error>>, Error> {
        let now = self.clock.now();
        let facts = self.facts.get(self.db.read()).await?;
        let asked: BTreeSet<PersonId> = scans
            .iter()
            .filter_map(|scan| scan.person.map(|(person, _)| person))
            .collect();
        let asked: Vec<PersonId> = asked.into_iter().collect();
        let located = locate_all(self.db.read(), &asked).await?;
        let tx = self.db.begin().await?;
        let day = i32::from(self.today().number());
        let keys = || {
            asked
                .iter()
                .map(|person| Value::from(person.0.to_vec()))
                .collect::<Vec<_>>()
        };
        // Tubes that hold these people are locked with those asked for, in one order.
        let before = swabs::counted(&tx, keys()).await?;
        let mut codes: BTreeSet<String> = scans.iter().map(|scan| scan.tube.clone()).collect();
        codes.extend(
            before
                .into_iter()
                .filter(|row| row.day == day)
                .map(|row| row.tube),
        );
        let codes = codes.iter().map(|code| code.as_str().into()).collect();
        let tubes = TubeRow::find(&tx, "code", codes, Lock::Yes).await?;
        let holds: BTreeSet<&str> = tubes.iter().map(|tube| tube.parent.as_str()).collect();
        let holds = holds.into_iter().filter(|hold| !hold.is_empty());
        let holds = holds.map(Value::from).collect();
        let known = Known {
            facts: &facts,
            located,
            held: clearance::held(&tx, &asked).await?,
            ordered: RecheckRow::find(&tx, "hold", holds, Lock::No)
                .await?
                .into_iter()
                .map(|order| (order.hold, order.person))
                .collect(),
            now,
        };
        let present = swabs::counted(&tx, keys()).await?;
        let mut batch = Batch::new(tubes, present);
        let mut answers = Vec::with_capacity(scans.len());
        for (place, scan) in scans.iter().enumerate() {
            answers.push(batch.scan(place, scan, &known));
        }
        batch.store(&tx, &mut answers).await?;
        tx.commit().await?;
        Ok(answers)
    }

    /// Takes back a swab that was noted on the wrong tube (rule 2.12).
    pub(crate) async fn remove_swab(
        &self,
        caller: &Caller,
        code: &str,
        (person, name): (PersonId, &str),
        reason: &str,
        (request_id, request): (&str, &impl Message),
    ) -> Result<Tube, Error> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let tube = TubeRow::get(&tx, code, Lock::Yes).await?;
        Self::check_tube(caller, Permission::TubeHandle, tube.as_ref(), code)?;
        let mut tube = tube.ok_or_else(|| Error::NotFound(format!("tubes/{code}")))?;
        let ticket = match once(&tx, caller, "RemoveSwab", request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        tube.apply(Verb::RemoveSwab)?;
        if swabs::remove(&tx, code, &person.0).await? {
            tube.swab_count -= 1;
            let note = format!("{name}: {reason}");
            let tubes = std::slice::from_mut(&mut tube);
            self.noted(&tx, caller, tubes, "RemoveSwab", &note, now)
                .await?;
        }
        let answer = tube_convert::tube(&tube, now, false);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }
}
