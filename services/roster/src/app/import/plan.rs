//! What a commit would do, counted and not done.

use std::collections::HashSet;

use kit::auth::Caller;
use kit::db::{Backend, Tx, statement};
use kit::org::OrgPath;
use prost::Message;
use proto::roster as pb;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::super::{Act, App};
use crate::domain::import::{Kind, Reason, Verb, too_many_vanish};
use crate::error::Error;
use crate::store::import::jobs::Job;
use crate::store::import::known;
use crate::store::import::shape::{self, SHAPES, Shape};
use crate::store::within;

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
        prepare(tx).await?;
        let present = shape::fingerprint(tx, job).await?;
        // Rows that stood in the register to the letter were not staged: they must still stand.
        let passed_over = job.counts.values().any(|counts| counts.same > 0);
        if passed_over && job.fingerprint.as_ref() != Some(&present) {
            return Err(Error::Stale);
        }
        job.fingerprint = Some(present);
        forget_last_plan(tx, job).await?;
        let (mut vanished, mut known) = (0, 0);
        for shape in SHAPES {
            // Somebody refused may have guardians, so kinds are planned parents first.
            let gone = if shape.owned {
                let (gone, of) = self.find_vanished(tx, job, shape).await?;
                if shape.kind != Kind::Guardian {
                    (vanished, known) = (vanished + gone, known + of);
                }
                gone
            } else {
                count_removals(tx, job, shape).await?
            };
            let refused = refuse(tx, job, shape).await?;
            let comparison = shape.compare(tx, job.number, refused > 0).await?;
            let counts = job.counts.entry(shape.kind).or_default();
            counts.refused_by_plan = refused;
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
        let (condition, values) = shape.known(job, 1);
        let sql = format!("SELECT count(*) FROM {} t WHERE {condition}", shape.table);
        let known = count(tx, &sql, values).await?;
        let asked = "SELECT count(*) FROM import_vanished WHERE job = $1 AND kind = $2";
        let kind = shape.kind.code();
        let asked = count(tx, asked, vec![job.number.into(), kind.into()]).await?;
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

/// The planner knows nothing yet of tables that were just filled.
async fn prepare(tx: &Tx) -> Result<(), Error> {
    if tx.backend() == Backend::Postgres {
        tx.execute_unprepared("SET LOCAL work_mem = '64MB'").await?;
        for shape in SHAPES {
            tx.execute_unprepared(&format!("ANALYZE {}", shape.staged))
                .await?;
        }
    }
    Ok(())
}

/// A plan may be made again: what the last one found goes, what rows asked for stays.
async fn forget_last_plan(tx: &Tx, job: &Job) -> Result<(), Error> {
    let verdicts = "DELETE FROM import_verdicts WHERE job = $1 AND planned";
    tx.execute_raw(statement(tx, verdicts, [job.number.into()]))
        .await?;
    let vanished = "DELETE FROM import_vanished WHERE job = $1 AND planned";
    tx.execute_raw(statement(tx, vanished, [job.number.into()]))
        .await?;
    Ok(())
}

async fn count(tx: &Tx, sql: &str, values: Vec<sea_orm::Value>) -> Result<i64, Error> {
    let row = tx.query_one_raw(statement(tx, sql, values)).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get_by_index(0))?)
}

/// Rows that ask for the removal of an organisation or class group that is empty.
async fn count_removals(tx: &Tx, job: &Job, shape: &Shape) -> Result<i64, Error> {
    let Shape {
        staged, table, key, ..
    } = shape;
    let used = format!(
        "SELECT s.row FROM {staged} s JOIN {table} t ON t.{key} = s.{key} \
         WHERE s.job = $1 AND s.removal AND ({})",
        in_use(shape.kind)
    );
    let refused = shape
        .refuse(
            tx,
            job.number,
            "removal",
            Reason::NotEmpty,
            (&used, Vec::new()),
        )
        .await?;
    let all = format!(
        "SELECT count(*) FROM {staged} s JOIN {table} t ON t.{key} = s.{key} \
         WHERE s.job = $1 AND s.removal"
    );
    let all = count(tx, &all, vec![job.number.into()]).await?;
    Ok(all - i64::try_from(refused).unwrap_or_default())
}

/// Whether something at or below the organisation or class group `t` is in use.
pub(super) fn in_use(kind: Kind) -> &'static str {
    match kind {
        Kind::Organization => {
            "EXISTS (SELECT 1 FROM organizations o WHERE o.state = 1 AND o.parent = t.id) \
             OR EXISTS (SELECT 1 FROM class_groups c WHERE c.state = 1 AND c.organization = t.id) \
             OR EXISTS (SELECT 1 FROM staff w WHERE w.state <> 3 AND w.org_path = t.org_path)"
        }
        Kind::ClassGroup | Kind::StaffMember | Kind::Student | Kind::Guardian => {
            "EXISTS (SELECT 1 FROM students p WHERE p.state = 1 AND p.org_path = t.org_path)"
        }
    }
}

/// Refuses staged rows that only the whole of them and the register can judge.
async fn refuse(tx: &Tx, job: &Job, shape: &Shape) -> Result<i64, Error> {
    let mut refused = 0;
    let Shape {
        staged,
        table,
        kind,
        ..
    } = shape;
    match kind {
        Kind::Organization => {
            let taken = format!(
                "SELECT s.row FROM {staged} s JOIN {table} t ON t.school_code = s.school_code \
                 AND t.id <> s.id WHERE s.job = $1"
            );
            let select = (taken.as_str(), Vec::new());
            refused += shape
                .refuse(tx, job.number, "school_code", Reason::DuplicateRow, select)
                .await?;
        }
        Kind::ClassGroup => {}
        Kind::StaffMember | Kind::Student => {
            let active = if *kind == Kind::Student {
                "t.state = 1"
            } else {
                "t.state <> 3"
            };
            // Whoever goes in this very job makes room for who comes.
            let registered = format!(
                "SELECT s.row FROM {staged} s JOIN {table} t ON t.id_hash = s.id_hash \
                 AND t.id <> s.id AND {active} WHERE s.job = $1 AND s.id_hash IS NOT NULL \
                 AND NOT EXISTS (SELECT 1 FROM import_vanished v \
                 WHERE v.job = $1 AND v.kind = $2 AND v.id = t.id) \
                 AND NOT EXISTS (SELECT 1 FROM {staged} o WHERE o.job = $1 AND o.id = t.id \
                 AND (o.id_hash IS NULL OR o.id_hash <> s.id_hash))"
            );
            let select = (registered.as_str(), vec![kind.code().into()]);
            refused += shape
                .refuse(tx, job.number, "id_number", Reason::DuplicatePerson, select)
                .await?;
            let scope: OrgPath = job.org_path.parse().unwrap_or_default();
            if scope.parent().is_some_and(|above| !above.is_root()) {
                let (inside, values) = within("t.org_path", 2, &scope);
                let elsewhere = format!(
                    "SELECT s.row FROM {staged} s JOIN {table} t ON t.id = s.id AND {active} \
                     WHERE s.job = $1 AND NOT {inside}"
                );
                let select = (elsewhere.as_str(), values.to_vec());
                refused += shape
                    .refuse(
                        tx,
                        job.number,
                        "external_id",
                        Reason::DuplicatePerson,
                        select,
                    )
                    .await?;
            }
        }
        Kind::Guardian => {
            let students = job
                .counts
                .get(&Kind::Student)
                .map_or(0, |one| one.refused_by_plan);
            if students > 0 {
                let orphans = format!(
                    "SELECT s.row FROM {staged} s WHERE s.job = $1 AND s.student IN (\
                     SELECT p.id FROM import_students p JOIN import_verdicts v ON v.job = p.job \
                     AND v.row = p.row AND v.planned AND v.rejected WHERE p.job = $1)"
                );
                let select = (orphans.as_str(), Vec::new());
                refused += shape
                    .refuse(tx, job.number, "student", Reason::UnknownStudent, select)
                    .await?;
            }
        }
    }
    Ok(i64::try_from(refused).unwrap_or_default())
}
