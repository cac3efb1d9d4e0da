//! What a commit would do, counted and not done.

use std::collections::HashSet;

use kit::auth::Caller;
use kit::db::Tx;
use prost::Message;
use proto::roster as pb;
use uuid::Uuid;

use super::super::{Act, App};
use crate::domain::import::{Kind, Verb, too_many_vanish};
use crate::error::Error;
use crate::store::import::jobs::Job;
use crate::store::import::shape::{SHAPES, Shape};
use crate::store::import::{checks, compare, known};

impl App {
    /// Compares what a job staged with the register. Nothing in the register changes.
    pub(crate) async fn plan_import_job(
        &self,
        caller: &Caller,
        id: Uuid,
        act: Act<'_, impl Message>,
    ) -> Result<pb::ImportJob, Error> {
        self.move_job(caller, id, Verb::Plan, act, async |tx, job| {
            self.plan(tx, job).await
        })
        .await
    }

    async fn plan(&self, tx: &Tx, job: &mut Job) -> Result<(), Error> {
        compare::prepare(tx).await?;
        let present = compare::fingerprint(tx, job).await?;
        // Rows that stood in the register to the letter were not staged: they must still stand.
        let passed_over = job.counts.values().any(|counts| counts.same > 0);
        if passed_over && job.fingerprint.as_ref() != Some(&present) {
            return Err(Error::Stale);
        }
        job.fingerprint = Some(present);
        compare::forget_last_plan(tx, job).await?;
        let (mut vanished, mut known) = (0, 0);
        for shape in SHAPES {
            // Somebody refused may have guardians, so kinds are planned parents first.
            let (kept, gone) = if shape.owned {
                let (gone, of) = self.find_vanished(tx, job, shape).await?;
                if shape.kind != Kind::Guardian {
                    (vanished, known) = (vanished + gone, known + of);
                }
                (0, gone)
            } else {
                checks::refuse_removals(tx, job, shape).await?
            };
            let refused = checks::refuse(tx, job, shape).await?;
            let comparison = shape.compare(tx, job.number, refused > 0).await?;
            let counts = job.counts.entry(shape.kind).or_default();
            counts.refused_by_plan = refused + kept;
            counts.created = comparison.staged - comparison.active;
            counts.changed = comparison.changed;
            counts.unchanged = counts.same + comparison.active - comparison.changed;
            counts.vanished = gone;
        }
        let threshold = job.vanish_threshold;
        job.blocked = too_many_vanish(vanished.unsigned_abs(), known.unsigned_abs(), threshold);
        Ok(())
    }

    /// Finds whom a whole delivery no longer names; gives how many go, of how many.
    async fn find_vanished(&self, tx: &Tx, job: &Job, shape: &Shape) -> Result<(i64, i64), Error> {
        let known = shape.count_known(tx, job).await?;
        let asked = shape.count_asked(tx, job).await?;
        // Whoever stands in the register to the letter has not vanished.
        let same = job.counts.get(&shape.kind).map_or(0, |counts| counts.same);
        if !job.bulk || same == known {
            return Ok((asked, known));
        }
        let mut seen = HashSet::new();
        known::seen(tx, job.number, shape.kind, |id| {
            seen.insert(id);
        })
        .await?;
        let mut gone = Vec::new();
        known::people(&self.db, shape, job, |id, _| {
            if !seen.contains(&id) {
                gone.push(Uuid::from_u128(id));
            }
        })
        .await?;
        let missing = i64::try_from(gone.len()).unwrap_or(i64::MAX);
        known::store_vanished(tx, job.number, shape.kind, gone).await?;
        Ok((asked + missing, known))
    }
}
