//! A planned job into the register, in one transaction.

use chrono::NaiveDate;
use kit::auth::Caller;
use kit::db::{Tx, statement};
use prost::Message;
use proto::roster as pb;
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::super::{Act, App, announce};
use crate::domain::import::{Kind, Verb};
use crate::error::Error;
use crate::store::import::jobs::{Counts, Job};
use crate::store::import::shape::{self, SHAPES};
use crate::store::{from_day, organizations};

impl App {
    /// Takes a planned job into the register.
    pub(crate) async fn commit_import_job(
        &self,
        caller: &Caller,
        id: Uuid,
        allow_vanishing: bool,
        act: Act<'_, impl Message>,
    ) -> Result<pb::ImportJob, Error> {
        let committed = self
            .move_job(caller, id, Verb::Commit, act, async |tx, job| {
                self.commit(tx, job, allow_vanishing).await
            })
            .await;
        // Two rows met that no plan could see: somebody registered the number meanwhile.
        committed.map_err(|err| if is_taken(&err) { Error::Stale } else { err })
    }

    async fn commit(&self, tx: &Tx, job: &mut Job, allow_vanishing: bool) -> Result<(), Error> {
        if job.blocked && !allow_vanishing {
            let people = [Kind::Student, Kind::StaffMember];
            let vanished = people
                .iter()
                .filter_map(|kind| job.counts.get(kind))
                .map(|one| one.vanished);
            let known = people
                .iter()
                .filter_map(|kind| job.counts.get(kind))
                .map(|one| one.changed + one.unchanged + one.vanished);
            return Err(Error::TooManyVanish {
                vanished: vanished.sum(),
                known: known.sum(),
            });
        }
        if job.fingerprint.as_ref() != Some(&shape::fingerprint(tx, job).await?) {
            return Err(Error::Stale);
        }
        let nothing = |counts: &Counts| counts.created + counts.changed + counts.vanished == 0;
        if job.counts.values().all(nothing) {
            return Ok(());
        }
        let today = self.clock.today();
        let touched = apply(tx, job, today).await?;
        for shape in SHAPES {
            let written = shape.written(tx, job.number).await?;
            job.counts.entry(shape.kind).or_default().written = written;
        }
        self.announce_import(tx, touched, today).await
    }

    /// Announces what a commit or its taking back touched, the tree first.
    pub(super) async fn announce_import(
        &self,
        tx: &Tx,
        touched: Touched,
        today: NaiveDate,
    ) -> Result<(), Error> {
        let Touched {
            organizations,
            class_groups,
            staffed,
            answerable,
        } = touched;
        for some in organizations.chunks(500) {
            let mut facts = Vec::with_capacity(some.len());
            for id in some {
                let organization = organizations::get(tx, id).await?;
                facts.extend(organization.as_ref().map(announce::organization));
            }
            announce::tell(tx, facts).await?;
        }
        announce::class_rolls(tx, class_groups, today).await?;
        announce::staff_rolls(tx, staffed).await?;
        announce::responsibility_rolls(tx, answerable, self.now()).await?;
        Ok(())
    }
}

fn is_taken(err: &Error) -> bool {
    let Error::Database(err) = err else {
        return false;
    };
    matches!(
        err.sql_err(),
        Some(sea_orm::SqlErr::UniqueConstraintViolation(_))
    )
}

/// What others must hear of again.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Organisations, by id, parents first.
    pub(super) organizations: Vec<String>,
    /// Class groups, by place.
    pub(super) class_groups: Vec<String>,
    /// Organisations whose staff changed, by id.
    pub(super) staffed: Vec<String>,
    /// Organisations at which somebody else may answer now, by id.
    pub(super) answerable: Vec<String>,
}

impl Touched {
    /// What the job `number` touches as the tables stand now: what it wrote, and what it keeps of
    /// the rows that it replaced.
    pub(super) async fn by(tx: &Tx, number: i64) -> Result<Self, DbErr> {
        let organizations = "SELECT id FROM organizations WHERE batch = $1 ORDER BY org_path";
        let class_groups = "SELECT org_path FROM class_groups WHERE batch = $1 \
            UNION SELECT org_path FROM students WHERE batch = $1 \
            UNION SELECT org_path FROM replaced_students WHERE job = $1";
        let staffed = "SELECT o.id FROM organizations o WHERE o.org_path IN (\
            SELECT org_path FROM staff WHERE batch = $1 \
            UNION SELECT org_path FROM replaced_staff WHERE job = $1)";
        let headed = "SELECT DISTINCT organization FROM class_groups WHERE batch = $1";
        let staffed = texts(tx, staffed, number).await?;
        let mut answerable = texts(tx, headed, number).await?;
        answerable.extend(staffed.iter().cloned());
        Ok(Self {
            organizations: texts(tx, organizations, number).await?,
            class_groups: texts(tx, class_groups, number).await?,
            staffed,
            answerable,
        })
    }
}

async fn texts(tx: &Tx, sql: &str, number: i64) -> Result<Vec<String>, DbErr> {
    let rows = tx
        .query_all_raw(statement(tx, sql, [number.into()]))
        .await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Changes the register: who goes makes room first, then parents before children.
async fn apply(tx: &Tx, job: &Job, today: NaiveDate) -> Result<Touched, Error> {
    let day = from_day(today);
    let of = |kind| job.counts.get(&kind).copied().unwrap_or_default();
    for shape in SHAPES.iter().rev().filter(|shape| shape.owned) {
        if of(shape.kind).vanished > 0 {
            let select = format!(
                "SELECT id FROM import_vanished WHERE job = $1 AND kind = {}",
                shape.kind.code()
            );
            shape.vanish(tx, job, &select, day).await?;
        }
    }
    for shape in SHAPES {
        let counts = of(shape.kind);
        let refused = counts.refused_by_plan > 0;
        if counts.created + counts.changed == 0 {
            continue;
        }
        let comparison = shape.compare(tx, job.number, refused).await?;
        if comparison.present > 0 {
            shape.change(tx, job, refused, day).await?;
        }
        if comparison.staged > comparison.present {
            shape.create(tx, job, refused, comparison, day).await?;
        }
    }
    for shape in SHAPES.iter().rev().filter(|shape| !shape.owned) {
        if of(shape.kind).vanished > 0 {
            let select = format!(
                "SELECT s.{0} FROM {1} s WHERE s.job = $1 AND s.removal AND NOT EXISTS (\
                 SELECT 1 FROM import_verdicts v WHERE v.job = s.job AND v.row = s.row \
                 AND v.planned AND v.rejected)",
                shape.key, shape.staged
            );
            shape.vanish(tx, job, &select, day).await?;
        }
    }
    name_head_teachers(tx, job).await?;
    Ok(Touched::by(tx, job.number).await?)
}

/// Class groups get the head teachers that staff rows name. A class group that the job did not
/// write is kept first, like any row that a commit replaces.
async fn name_head_teachers(tx: &Tx, job: &Job) -> Result<(), DbErr> {
    const NAMED: &str = "SELECT s.head_of, min(t.id) AS staff FROM import_staff s \
        JOIN staff t ON t.id = s.id AND t.batch = $1 \
        WHERE s.job = $1 AND s.head_of <> '' GROUP BY s.head_of";
    let named = match tx.backend() {
        // There is no least UUID in older servers; as text they sort alike.
        kit::db::Backend::Postgres => NAMED.replace("min(t.id)", "min(t.id::text)::uuid"),
        kit::db::Backend::Sqlite => NAMED.to_owned(),
    };
    let keep = format!(
        "INSERT INTO replaced_class_groups SELECT $1, c.* FROM class_groups c \
         JOIN ({named}) n ON n.head_of = c.org_path \
         WHERE (c.batch IS NULL OR c.batch <> $1) \
         AND (c.head_teacher IS NULL OR c.head_teacher <> n.staff)"
    );
    tx.execute_raw(statement(tx, &keep, [job.number.into()]))
        .await?;
    let update = format!(
        "UPDATE class_groups AS c SET head_teacher = n.staff, batch = $1, version = c.version + 1, \
         update_time = $2 FROM ({named}) AS n WHERE n.head_of = c.org_path \
         AND (c.head_teacher IS NULL OR c.head_teacher <> n.staff)"
    );
    tx.execute_raw(statement(
        tx,
        &update,
        [job.number.into(), job.update_time.into()],
    ))
    .await?;
    Ok(())
}
