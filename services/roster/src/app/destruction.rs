//! Destruction jobs: each step by somebody who may, and announced where services have to act.

use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::request;
use kit::rows::Lock;
use prost::Message;
use proto::roster as pb;

use super::{Act, App, announce};
use crate::domain::destruction::{Capacity, Certificate, Event, Job, Step, manifest};
use crate::domain::emergency::Emergency;
use crate::error::Error;
use crate::grpc::destruction_convert as convert;
use crate::store::destruction::{self as store, Stored};
use crate::store::emergencies;

/// What a capacity takes to approve in it.
pub(crate) fn permission(capacity: Capacity) -> Permission {
    match capacity {
        Capacity::Bureau => Permission::DestructionApprove,
        Capacity::Security => Permission::DestructionSecure,
    }
}

impl App {
    /// One job.
    pub(crate) async fn get_destruction(&self, caller: &Caller, id: &str) -> Result<Stored, Error> {
        self.city(caller, Permission::DestructionRead).await?;
        let found = store::get(self.db.read(), id, Lock::No).await?;
        found.ok_or_else(|| Error::NotFound(convert::job_name(id)))
    }

    /// One page of jobs, the latest first.
    pub(crate) async fn list_destructions(
        &self,
        caller: &Caller,
        before: &str,
        limit: u64,
    ) -> Result<Vec<Stored>, Error> {
        self.city(caller, Permission::DestructionRead).await?;
        Ok(store::list(self.db.read(), before, limit).await?)
    }

    /// Proposes a job for an emergency that has ended.
    pub(crate) async fn propose_destruction(
        &self,
        caller: &Caller,
        emergency: &str,
        reason: String,
        act: Act<'_, impl Message>,
    ) -> Result<pb::DestructionJob, Error> {
        let now = self.clock.now();
        let once = (act.request_id, act.request);
        request::act(&self.db, caller, act.method, once, now, async |tx| {
            let found = ended(tx, emergency).await?;
            let stored = Stored {
                id: (self.new_id)().hyphenated().to_string(),
                emergency: found.id,
                job: Job::propose(&caller.subject, now.timestamp_millis(), reason),
            };
            if !store::add(tx, &stored).await? {
                let standing = store::standing(tx, emergency).await?.unwrap_or_default();
                return Err(Error::UnderWay(convert::job_name(&standing)));
            }
            Ok(convert::job(stored))
        })
        .await
    }

    /// Takes one step of a job, when the rules allow it to this caller.
    pub(crate) async fn step_destruction(
        &self,
        caller: &Caller,
        id: &str,
        step: Step,
        act: Act<'_, impl Message>,
    ) -> Result<pb::DestructionJob, Error> {
        let now = self.clock.now();
        let once = (act.request_id, act.request);
        request::act(&self.db, caller, act.method, once, now, async |tx| {
            let starts = step == Step::Started;
            let stored = self.take(tx, caller, id, step).await?;
            if starts {
                let emergency = ended(tx, &stored.emergency).await?;
                announce::tell(tx, [announce::destruction_order(&stored, &emergency)]).await?;
            }
            Ok(convert::job(stored))
        })
        .await
    }

    /// Keeps what a service reports.
    pub(crate) async fn report_destruction(
        &self,
        caller: &Caller,
        id: &str,
        step: Step,
        act: Act<'_, impl Message>,
    ) -> Result<pb::ReportDestructionResponse, Error> {
        let now = self.clock.now();
        let once = (act.request_id, act.request);
        request::act(&self.db, caller, act.method, once, now, async |tx| {
            self.take(tx, caller, id, step).await?;
            Ok(pb::ReportDestructionResponse {})
        })
        .await
    }

    /// Makes the signed certificate of a confirmed job.
    pub(crate) async fn certify_destruction(
        &self,
        caller: &Caller,
        id: &str,
        act: Act<'_, impl Message>,
    ) -> Result<pb::DestructionCertificate, Error> {
        let now = self.clock.now();
        let once = (act.request_id, act.request);
        request::act(&self.db, caller, act.method, once, now, async |tx| {
            let stored = self.take(tx, caller, id, Step::Certified).await?;
            let emergency = ended(tx, &stored.emergency).await?;
            let manifest = manifest(&stored.name(), &emergency, &stored.job);
            let certificate = Certificate::sign(manifest, self.vault.certificates());
            store::keep(tx, id, &certificate).await?;
            Ok(convert::certificate(id, certificate))
        })
        .await
    }

    /// The certificate of a job.
    pub(crate) async fn get_certificate(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<pb::DestructionCertificate, Error> {
        self.city(caller, Permission::DestructionRead).await?;
        let found = store::certificate(self.db.read(), id).await?;
        let name = || Error::NotFound(convert::certificate_name(id));
        Ok(convert::certificate(id, found.ok_or_else(name)?))
    }

    async fn take(&self, tx: &Tx, caller: &Caller, id: &str, step: Step) -> Result<Stored, Error> {
        let found = store::get(tx, id, Lock::Yes).await?;
        let mut stored = found.ok_or_else(|| Error::NotFound(convert::job_name(id)))?;
        stored.job = stored.job.step(Event {
            actor: caller.subject.clone(),
            time: self.now(),
            step,
        })?;
        store::save(tx, &stored).await?;
        Ok(stored)
    }
}

/// The emergency, once it has ended.
async fn ended(tx: &Tx, id: &str) -> Result<Emergency, Error> {
    let found = emergencies::get(tx, id, Lock::No).await?;
    let found = found.ok_or_else(|| Error::NotFound(convert::emergency_name(id)))?;
    if found.end.is_none() {
        return Err(Error::EmergencyOpen(found.name()));
    }
    Ok(found)
}
