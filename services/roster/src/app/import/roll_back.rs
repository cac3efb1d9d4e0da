//! A committed job taken back: what it made goes, what it replaced returns.

use kit::auth::Caller;
use kit::db::Tx;
use prost::Message;
use proto::roster as pb;
use uuid::Uuid;

use super::super::announce::Fact;
use super::super::{Act, App, announce};
use crate::domain::import::Verb;
use crate::error::Error;
use crate::store::import::effects::{self, Made, Touched};
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
        let mut changed = effects::later_additions(tx, job.number).await?;
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
        let gone = effects::made(tx, job.number).await?;
        for shape in SHAPES.iter().rev() {
            shape.put_back(tx, job.number, job.update_time).await?;
        }
        announce::tell(tx, gone.into_iter().flat_map(gone_for_others)).await?;
        self.announce_import(tx, before, self.clock.today()).await
    }
}

/// What others are told of a place that is there no more.
fn gone_for_others(made: Made) -> Vec<Fact> {
    let fact = |kind, entity, version: i64, org_path: &String| Fact {
        kind,
        entity,
        version: version + 1,
        org_path: org_path.clone(),
        state: None,
    };
    match made {
        Made::ClassGroup {
            organization,
            id,
            org_path,
            version,
        } => {
            let entity = format!("organizations/{organization}/classGroups/{id}");
            vec![fact("class_group_roll", entity, version, &org_path)]
        }
        Made::Organization {
            id,
            org_path,
            versions: [own, staff, duties],
        } => {
            let name = format!("organizations/{id}");
            let roll = format!("{name}/responsibilityRoll");
            vec![
                fact("staff_roll", format!("{name}/staffRoll"), staff, &org_path),
                fact("responsibility_roll", roll, duties, &org_path),
                fact("organization", name, own, &org_path),
            ]
        }
    }
}
