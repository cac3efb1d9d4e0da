//! A committed job taken back: what it made goes, what it replaced returns.

use kit::auth::Caller;
use kit::db::{Tx, statement};
use prost::Message;
use proto::roster as pb;
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::super::announce::Fact;
use super::super::{Act, App, announce};
use super::commit::Touched;
use crate::domain::import::Verb;
use crate::error::Error;
use crate::store::import::jobs::Job;
use crate::store::import::shape::SHAPES;

impl App {
    /// Puts the register back to what it was before a committed job.
    pub(crate) async fn roll_back_import_job(
        &self,
        caller: &Caller,
        id: Uuid,
        act: Act<'_, impl Message>,
    ) -> Result<pb::ImportJob, Error> {
        self.move_job(caller, id, Verb::RollBack, act, async |tx, job| {
            self.roll_back(tx, job).await
        })
        .await
    }

    async fn roll_back(&self, tx: &Tx, job: &Job) -> Result<(), Error> {
        let mut changed = later_additions(tx, job.number).await?;
        for shape in SHAPES {
            let wrote = job
                .counts
                .get(&shape.kind)
                .map_or(0, |counts| counts.written);
            changed += wrote - shape.written(tx, job.number).await?;
        }
        if changed > 0 {
            return Err(Error::ChangedSince(changed));
        }
        let before = Touched::by(tx, job.number).await?;
        let gone = created_places(tx, job.number).await?;
        for shape in SHAPES.iter().rev() {
            shape.put_back(tx, job.number, job.update_time).await?;
        }
        announce::tell(tx, gone).await?;
        self.announce_import(tx, before, self.clock.today()).await
    }
}

/// What others added below places that the job made: it would lose its place.
async fn later_additions(tx: &Tx, job: i64) -> Result<i64, DbErr> {
    const ADDED: &str = "SELECT \
        (SELECT count(*) FROM students p WHERE (p.batch IS NULL OR p.batch <> $1) \
         AND p.org_path IN (SELECT org_path FROM class_groups c WHERE c.batch = $1 AND NOT EXISTS \
         (SELECT 1 FROM replaced_class_groups r WHERE r.job = $1 AND r.org_path = c.org_path))) \
        + (SELECT count(*) FROM class_groups c WHERE (c.batch IS NULL OR c.batch <> $1) \
         AND c.organization IN (SELECT id FROM organizations o WHERE o.batch = $1 AND NOT EXISTS \
         (SELECT 1 FROM replaced_organizations r WHERE r.job = $1 AND r.id = o.id))) \
        + (SELECT count(*) FROM staff w WHERE (w.batch IS NULL OR w.batch <> $1) \
         AND w.org_path IN (SELECT org_path FROM organizations o WHERE o.batch = $1 \
         AND NOT EXISTS (SELECT 1 FROM replaced_organizations r \
         WHERE r.job = $1 AND r.id = o.id))) \
        + (SELECT count(*) FROM organizations n WHERE (n.batch IS NULL OR n.batch <> $1) \
         AND n.parent IN (SELECT id FROM organizations o WHERE o.batch = $1 AND NOT EXISTS \
         (SELECT 1 FROM replaced_organizations r WHERE r.job = $1 AND r.id = o.id)))";
    let row = tx.query_one_raw(statement(tx, ADDED, [job.into()])).await?;
    row.map_or(Ok(0), |row| row.try_get_by_index(0))
}

/// The organisations and class groups that the job made, as facts that they are gone.
async fn created_places(tx: &Tx, job: i64) -> Result<Vec<Fact>, DbErr> {
    const ORGANIZATIONS: &str = "SELECT o.id, o.org_path, o.staff_version, o.duty_version, \
        o.version FROM organizations o \
        WHERE o.batch = $1 AND NOT EXISTS \
        (SELECT 1 FROM replaced_organizations r WHERE r.job = $1 AND r.id = o.id)";
    const CLASS_GROUPS: &str = "SELECT c.organization, c.id, c.org_path, c.roll_version \
        FROM class_groups c WHERE c.batch = $1 AND NOT EXISTS \
        (SELECT 1 FROM replaced_class_groups r WHERE r.job = $1 AND r.org_path = c.org_path)";
    let mut facts = Vec::new();
    for row in tx
        .query_all_raw(statement(tx, CLASS_GROUPS, [job.into()]))
        .await?
    {
        let (school, id): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        facts.push(Fact {
            kind: "class_group_roll",
            entity: format!("organizations/{school}/classGroups/{id}"),
            org_path: row.try_get_by_index(2)?,
            version: row.try_get_by_index::<i64>(3)? + 1,
            state: None,
        });
    }
    for row in tx
        .query_all_raw(statement(tx, ORGANIZATIONS, [job.into()]))
        .await?
    {
        let id: String = row.try_get_by_index(0)?;
        let org_path: String = row.try_get_by_index(1)?;
        let entities = [
            ("staff_roll", format!("organizations/{id}/staffRoll")),
            (
                "responsibility_roll",
                format!("organizations/{id}/responsibilityRoll"),
            ),
            ("organization", format!("organizations/{id}")),
        ];
        for (place, (kind, entity)) in (2..).zip(entities) {
            let version = row.try_get_by_index::<i64>(place)? + 1;
            facts.push(Fact {
                kind,
                entity,
                version,
                org_path: org_path.clone(),
                state: None,
            });
        }
    }
    Ok(facts)
}
