//! A planned job into the register, in one transaction.

use chrono::NaiveDate;
use kit::auth::Caller;
use kit::db::Tx;
use prost::Message;
use proto::roster as pb;
use uuid::Uuid;

use super::super::{Act, App, announce};
use crate::domain::import::{Kind, Verb};
use crate::error::Error;
use crate::store::import::compare;
use crate::store::import::effects::{self, Touched};
use crate::store::import::jobs::{Counts, Job};
use crate::store::import::shape::SHAPES;
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
        if job.fingerprint.as_ref() != Some(&compare::fingerprint(tx, job).await?) {
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
    effects::name_head_teachers(tx, job).await?;
    Ok(Touched::by(tx, job.number).await?)
}
