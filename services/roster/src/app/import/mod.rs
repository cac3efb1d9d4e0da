//! Imports: a job is opened, takes rows, is planned, reviewed, committed, and may be taken back.

mod commit;
mod intake;
mod judging;
mod placing;
mod plan;
mod register;
mod roll_back;
mod sheets;

use std::collections::BTreeMap;

use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::org::OrgPath;
use kit::request::{Once, Ticket, once};
use prost::Message;
use proto::roster as pb;
use uuid::Uuid;

use super::{Act, App, check, hidden};
use crate::domain::import::{State, Verb};
use crate::error::Error;
use crate::grpc::import_convert;
use crate::store::import::jobs::{self, Job};
use crate::store::import::verdicts;
use crate::store::organizations;

pub(crate) use intake::Outcome;

/// A job to be opened.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) organization: String,
    pub(crate) source: String,
    pub(crate) bulk: bool,
    pub(crate) vanish_threshold: f64,
}

impl App {
    /// Opens a job. The first import of an empty register brings the root along.
    pub(crate) async fn create_import_job(
        &self,
        caller: &Caller,
        draft: Draft,
        act: Act<'_, impl Message>,
    ) -> Result<pb::ImportJob, Error> {
        caller.allowed(Permission::ImportRun)?;
        let Draft {
            organization,
            source,
            bulk,
            vanish_threshold,
        } = draft;
        let org_path = self.import_place(caller, &organization).await?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let Act {
            method,
            request_id,
            request,
        } = act;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let mut job = Job {
            number: 0,
            id: (self.new_id)(),
            organization,
            org_path,
            source,
            bulk,
            vanish_threshold,
            state: State::Receiving,
            durable_row: 0,
            blocked: false,
            counts: BTreeMap::new(),
            fingerprint: None,
            create_time: now.timestamp_millis(),
            update_time: now.timestamp_millis(),
        };
        jobs::insert(&tx, &mut job).await?;
        let answer = import_convert::job(&job);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    async fn import_place(&self, caller: &Caller, id: &str) -> Result<String, Error> {
        let first = organizations::get(self.db.read(), id).await?.is_none()
            && organizations::root(self.db.read()).await?.is_none();
        if first {
            check(caller, Permission::ImportRun, id)?;
            return Ok(id.to_owned());
        }
        Ok(self
            .organization(caller, Permission::ImportRun, id)
            .await?
            .org_path)
    }

    /// One job.
    pub(crate) async fn import_job(&self, caller: &Caller, id: Uuid) -> Result<Job, Error> {
        caller.allowed(Permission::ImportRun)?;
        let found = jobs::get(self.db.read(), id).await?;
        let Some(job) = found else {
            return Err(hidden(caller, Permission::ImportRun, name(id)));
        };
        check(caller, Permission::ImportRun, &job.org_path)?;
        Ok(job)
    }

    /// One page of the jobs in the caller's scope, the newest first.
    pub(crate) async fn list_import_jobs(
        &self,
        caller: &Caller,
        before: i64,
        limit: u64,
    ) -> Result<Vec<Job>, Error> {
        let scope: &OrgPath = caller.allowed(Permission::ImportRun)?;
        Ok(jobs::list(self.db.read(), scope, before, limit).await?)
    }

    /// One page of what there is to say about a job's rows.
    pub(crate) async fn list_import_verdicts(
        &self,
        caller: &Caller,
        id: Uuid,
        after: (i64, i16),
        limit: u64,
    ) -> Result<Vec<verdicts::Stored>, Error> {
        let job = self.import_job(caller, id).await?;
        Ok(verdicts::list(self.db.read(), job.number, after, limit).await?)
    }

    /// Gives a job up before its commit.
    pub(crate) async fn discard_import_job(
        &self,
        caller: &Caller,
        id: Uuid,
        act: Act<'_, impl Message>,
    ) -> Result<pb::ImportJob, Error> {
        self.move_job(caller, id, Verb::Discard, act, async |_, _| Ok(()))
            .await
    }

    /// Applies a verb to a job that is locked meanwhile.
    async fn move_job(
        &self,
        caller: &Caller,
        id: Uuid,
        verb: Verb,
        act: Act<'_, impl Message>,
        work: impl AsyncFnOnce(&Tx, &mut Job) -> Result<(), Error>,
    ) -> Result<pb::ImportJob, Error> {
        self.import_job(caller, id).await?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let Act {
            method,
            request_id,
            request,
        } = act;
        let ticket: Ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let found = jobs::lock(&tx, id).await?;
        let mut job = found.ok_or_else(|| Error::NotFound(name(id)))?;
        let after = job.state.after(verb)?;
        job.update_time = now.timestamp_millis();
        work(&tx, &mut job).await?;
        job.state = after;
        jobs::update(&tx, &job).await?;
        let answer = import_convert::job(&job);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        if !matches!(after, State::Receiving | State::Planned) {
            self.forget_staged();
        }
        Ok(answer)
    }

    /// Forgets staged rows that nobody needs any more, beside the calls.
    pub(crate) fn forget_staged(&self) {
        let db = self.db.clone();
        tokio::spawn(async move {
            loop {
                match jobs::forget_staged(&db).await {
                    Ok(true) => tokio::task::yield_now().await,
                    Ok(false) => return,
                    // The next job's end, or the next start, goes on with it.
                    Err(err) => {
                        tracing::warn!(error = %err, "staged rows are not forgotten yet");
                        return;
                    }
                }
            }
        });
    }
}

fn name(id: Uuid) -> String {
    format!("importJobs/{id}")
}
