//! What people do with clusters, and what happens when nobody does.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::org::OrgPath;
use kit::request::{Once, once};
use prost::Message;
use proto::sampling::{AcknowledgeClusterRequest, CloseClusterRequest, Cluster};

use super::keep::line;
use crate::app::App;
use crate::app::health::deadlines::{Deadline, settle};
use crate::domain::health::cluster_state::{ClusterState, ClusterVerb};
use crate::error::Error;
use crate::store::health::cases::CaseRow;
use crate::store::health::clusters::ClusterRow;
use crate::store::health::reports;
use kit::rows::{Lock, Row};

/// As many clusters are followed into what they are part of.
const MOST_MERGED: usize = 16;

/// Whether the caller works for a place above this school.
pub(in crate::app::health) fn is_above(caller: &Caller, school: &str) -> bool {
    let school: Option<OrgPath> = school.parse().ok();
    school.is_some_and(|school| caller.scope != school && caller.scope.contains(&school))
}

impl App {
    /// Takes up an open cluster.
    pub(crate) async fn acknowledge_cluster(
        &self,
        caller: &Caller,
        id: &str,
        request: &AcknowledgeClusterRequest,
    ) -> Result<Cluster, Error> {
        let verb = ClusterVerb::Acknowledge;
        let (ids, note) = ((id, request.request_id.as_str()), &request.note);
        self.handle(caller, verb, ids, request, |row, now| {
            row.acknowledge_time = now;
            row.acknowledged_by.clone_from(&caller.subject);
            ("ACKNOWLEDGED", note.clone())
        })
        .await
    }

    /// Ends a cluster by the decision of a human. Only above its school is it decided that nothing is
    /// to be reported (rule 1.15).
    pub(crate) async fn close_cluster(
        &self,
        caller: &Caller,
        id: &str,
        request: &CloseClusterRequest,
    ) -> Result<Cluster, Error> {
        let today = i32::from(self.today().number());
        let ids = (id, request.request_id.as_str());
        self.handle(caller, ClusterVerb::Close, ids, request, |row, now| {
            row.close_time = now;
            row.closed_by.clone_from(&request.decided_by);
            row.close_reason.clone_from(&request.reason);
            row.last_day = row.last_day.max(today);
            let note = format!("{}: {}", request.decided_by, request.reason);
            ("CLOSED", note)
        })
        .await
    }

    async fn handle(
        &self,
        caller: &Caller,
        verb: ClusterVerb,
        (id, request_id): (&str, &str),
        request: &impl Message,
        change: impl FnOnce(&mut ClusterRow, i64) -> (&'static str, String),
    ) -> Result<Cluster, Error> {
        caller.allowed(Permission::ClusterHandle)?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let row = self.locked_cluster(&tx, id).await?;
        let path = row.as_ref().map_or("", |row| &row.org_path);
        Self::check_path(caller, Permission::ClusterHandle, path)?;
        let mut row = row.ok_or_else(|| Error::NotFound(format!("clusters/{id}")))?;
        let method = match verb {
            ClusterVerb::Acknowledge => "AcknowledgeCluster",
            ClusterVerb::Close => "CloseCluster",
        };
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let state = ClusterState::from_code(row.state).and_then(|state| state.after(verb));
        row.state = state.ok_or(Error::ClusterState(row.state))?.code();
        let (kind, note) = change(&mut row, now.timestamp_millis());
        line(&tx, &mut row, (kind, &caller.subject, &note), now).await?;
        if verb == ClusterVerb::Close {
            if is_above(caller, &row.school) {
                settle(&tx, Deadline::ClusterReport, id).await?;
            }
            self.withdraw(&tx, &mut row, now).await?;
        }
        self.save_cluster(&tx, row.clone()).await?;
        let answer = self.told_cluster(&tx, caller, row).await?;
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// A cluster whose school is locked; none when there is none.
    pub(in crate::app::health) async fn locked_cluster(
        &self,
        tx: &Tx,
        id: &str,
    ) -> Result<Option<ClusterRow>, Error> {
        let Some(row) = ClusterRow::get(tx, id, Lock::No).await? else {
            return Ok(None);
        };
        self.lock_health(tx, &[&row.school]).await?;
        Ok(ClusterRow::get(tx, id, Lock::No).await?)
    }

    /// A report on this case was received: with it, the one on the cluster that led to the case, on
    /// what that is part of, and on those that it holds. The school is locked.
    pub(in crate::app::health) async fn cluster_is_reported(
        &self,
        tx: &Tx,
        case: &CaseRow,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let mut next = case.basis.strip_prefix("clusters/").map(str::to_owned);
        if next.is_none() {
            return Ok(());
        }
        let last = reports::list(tx, &case.id, case.reports - 1, 1).await?;
        let written = last.last().map_or(0, |report| report.time);
        for _ in 0..MOST_MERGED {
            let Some(id) = next else { break };
            let row = ClusterRow::get(tx, &id, Lock::No).await?;
            let Some(row) = row.filter(|row| row.school == case.school) else {
                break;
            };
            next = Some(row.merged_into.clone()).filter(|into| !into.is_empty());
            self.is_reported(tx, row, (actor, &case.name(), written), now)
                .await?;
        }
        Ok(())
    }

    /// The report on a cluster that is locked is due: one of which none was received is overdue, for
    /// good.
    pub(in crate::app::health) async fn report_is_due(
        &self,
        tx: &Tx,
        mut row: ClusterRow,
    ) -> Result<(), Error> {
        let merged = row.state == ClusterState::Merged.code();
        if row.report_time != 0 || merged || row.overdue {
            return Ok(());
        }
        row.overdue = true;
        line(tx, &mut row, ("OVERDUE", "rule 1.15", ""), self.clock.now()).await?;
        self.save_cluster(tx, row).await
    }
}
