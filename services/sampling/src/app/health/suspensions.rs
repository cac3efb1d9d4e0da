//! Suspensions of teaching: proposed with a cluster, decided by a human.

mod amend;
mod classes;
mod saga;

pub(crate) use amend::{Amendment, MOST_AMENDMENTS};

use chrono::{DateTime, NaiveDate, Utc};
use kit::auth::{Caller, Permission};
use kit::clock::start_of;
use kit::db::Tx;
use kit::feed::announce;
use kit::request::{Once, once};
use kit::status::Problem;
use prost::Message;
use proto::sampling::{Cluster, DecideSuspensionRequest, Suspension};

use super::clusters::line;
use super::deadlines::{Deadline, wait};
use crate::app::App;
use crate::domain::day::Day;
use crate::domain::health::cluster_rule::{ClusterRule, Scope};
use crate::domain::health::suspension::{Reach, SuspensionEvent, SuspensionState, back};
use crate::error::Error;
use crate::grpc::health::announced::suspension_change;
use crate::grpc::health::suspension_convert;
use crate::store::health::clusters::ClusterRow;
use crate::store::health::suspensions::{self, SuspensionRow, Whole};
use crate::store::rolls;
use kit::rows::{Lock, Row};

/// A first day may lie as many civil days ahead.
const AHEAD: u16 = 7;

/// Who is to stay away, as a human says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// As before.
    Same,
    /// As wide.
    Reach(Reach),
    /// The class groups with these resource names.
    Classes(Vec<String>),
}

/// What a human decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Teaching is suspended.
    Approve {
        /// Who stays away; the same as proposed.
        who: Asked,
        /// For how many civil days; 0 as proposed.
        days: u16,
        /// The first day; none for today.
        start: Option<NaiveDate>,
    },
    /// It is not.
    Reject,
}

impl App {
    /// Proposes to suspend teaching where a cluster is. The cluster's row is saved by the caller.
    pub(super) async fn propose(
        &self,
        tx: &Tx,
        cluster: &mut ClusterRow,
        rule: &ClusterRule,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let class = rule.scope == Scope::ClassGroup;
        let group = if class {
            cluster.place.clone()
        } else {
            String::new()
        };
        let found = rolls::groups_at(tx, std::slice::from_ref(&group)).await?;
        let reach = if class {
            Reach::ClassGroup
        } else {
            Reach::School
        };
        let mut row = SuspensionRow {
            id: self.identifier(now),
            cluster: cluster.id.clone(),
            school: cluster.school.clone(),
            org_path: cluster.org_path.clone(),
            rule: cluster.rule.clone(),
            policy_version: cluster.policy_version.clone(),
            state: SuspensionState::Proposed.code(),
            scope: reach.code(),
            group_path: group,
            grade: found.first().map_or(0, |group| group.grade),
            days: i32::from(rule.suspend_days),
            propose_time: now.timestamp_millis(),
            ..SuspensionRow::default()
        };
        note_size(&mut row, cluster);
        let note = format!("suspensions/{}", row.id);
        let actor = format!("rule {}", rule.numbers.join(", "));
        line(tx, cluster, ("PROPOSED", &actor, &note), now).await?;
        save(tx, row).await?;
        Ok(())
    }

    /// Withdraws what is proposed for a cluster; what was decided goes on.
    pub(super) async fn withdraw(
        &self,
        tx: &Tx,
        cluster: &mut ClusterRow,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let fell = (SuspensionEvent::Fell, "WITHDRAWN");
        follow(tx, cluster, fell, now).await
    }

    /// Proposes again what was withdrawn.
    pub(super) async fn propose_again(
        &self,
        tx: &Tx,
        cluster: &mut ClusterRow,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        follow(tx, cluster, (SuspensionEvent::Rose, "PROPOSED"), now).await
    }

    /// Proposes another suspension where those of a cluster were rejected or are over and it has become
    /// graver since: it reaches a further condition of its rule, or has twice the people. What was
    /// decided stays as it was. The cluster's row is saved by the caller.
    pub(super) async fn propose_anew(
        &self,
        tx: &Tx,
        cluster: &mut ClusterRow,
        rule: &ClusterRule,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        if rule.suspend_days == 0 {
            return Ok(());
        }
        let keys = vec![cluster.id.as_str().into()];
        let known = SuspensionRow::find(tx, "cluster", keys, Lock::No).await?;
        let over = |row: &SuspensionRow| {
            SuspensionState::from_code(row.state).is_some_and(SuspensionState::is_over)
        };
        let most = |number: fn(&SuspensionRow) -> i32| known.iter().map(number).max().unwrap_or(0);
        let (people, reached) = (most(|row| row.people), most(|row| row.conditions));
        let graver = cluster.people >= people.saturating_mul(2) || conditions(cluster) > reached;
        // Of what was decided before it was noted, nobody knows how large the cluster was.
        if people == 0 || !graver || !known.iter().all(over) {
            return Ok(());
        }
        self.propose(tx, cluster, rule, now).await
    }

    /// One suspension.
    pub(crate) async fn get_suspension(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<Suspension, Error> {
        let permission = Permission::ClusterRead;
        let row = self.readable_suspension(caller, permission, id).await?;
        let whole = suspensions::whole(self.db.read(), row).await?;
        Ok(suspension_convert::suspension(&whole))
    }

    /// A suspension with which the caller may do `permission`.
    pub(crate) async fn readable_suspension(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<SuspensionRow, Error> {
        caller.allowed(permission)?;
        let row = SuspensionRow::get(self.db.read(), id, Lock::No).await?;
        let path = row.as_ref().map_or("", |row| &row.org_path);
        Self::check_path(caller, permission, path)?;
        row.ok_or_else(|| Error::NotFound(format!("suspensions/{id}")))
    }

    /// Suspensions as they are told.
    pub(crate) async fn tell_suspensions(
        &self,
        rows: Vec<SuspensionRow>,
    ) -> Result<Vec<Suspension>, Error> {
        let wholes = suspensions::wholes(self.db.read(), rows).await?;
        Ok(wholes.iter().map(suspension_convert::suspension).collect())
    }

    /// Suspensions below an organisation, by identifier after `after`; those in a state unless it
    /// is 0.
    pub(crate) async fn list_suspensions(
        &self,
        caller: &Caller,
        organization: &str,
        state: i16,
        after: &str,
        limit: u64,
    ) -> Result<Vec<SuspensionRow>, Error> {
        let place = self
            .place(caller, Permission::ClusterRead, organization)
            .await?;
        Ok(suspensions::list(self.db.read(), &place, state, after, limit).await?)
    }

    /// Keeps what a human decides; the roster is told afterwards, however long that takes.
    pub(crate) async fn decide_suspension(
        &self,
        caller: &Caller,
        id: &str,
        decision: Decision,
        request: &DecideSuspensionRequest,
    ) -> Result<Suspension, Error> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let mut row = self.decidable(&tx, caller, id).await?;
        let (method, request_id) = ("DecideSuspension", &request.request_id);
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let kind = match decision {
            Decision::Reject => {
                step(&mut row, SuspensionEvent::Reject)?;
                "REJECTED"
            }
            Decision::Approve { who, days, start } => {
                step(&mut row, SuspensionEvent::Approve)?;
                let wanted = classes::wanted(&tx, &row, who).await?;
                let proposed = row.proposed();
                let away = proposed.change(&proposed.away, wanted);
                let away = away.ok_or(Error::SuspensionScope)?;
                classes::name(&tx, &mut row, &away).await?;
                let begin = self.approve(&mut row, (days, start))?;
                let begin = begin.timestamp_millis().max(now.timestamp_millis());
                wait(&tx, Deadline::SuspensionApply, id, begin).await?;
                "APPROVED"
            }
        };
        row.decide_time = now.timestamp_millis();
        row.decided_by.clone_from(&request.decided_by);
        row.decider.clone_from(&caller.subject);
        row.reason.clone_from(&request.reason);
        row.advice.clone_from(&request.advice);
        let note = format!("{}: {}", request.decided_by, request.reason);
        line_of(&tx, &mut row, (kind, &caller.subject, &note), now).await?;
        let whole = save(&tx, row).await?;
        let answer = suspension_convert::suspension(&whole);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Writes the days of an approval into its row and tells when it begins.
    fn approve(
        &self,
        row: &mut SuspensionRow,
        (days, start): (u16, Option<NaiveDate>),
    ) -> Result<DateTime<Utc>, Error> {
        if days != 0 {
            row.days = i32::from(days);
        }
        let today = self.clock.today();
        let start = start.unwrap_or(today);
        let first = Day::from(start);
        let soon = Day::from_number(self.today().number().saturating_add(AHEAD));
        if !(self.today()..=soon).contains(&first) {
            let problem = Problem::invalid(
                "start_date",
                "应为今天或之后 7 天内",
                "must be today or one of the 7 days after it",
            );
            return Err(problem.into());
        }
        let away = u16::try_from(row.days).unwrap_or_default();
        row.start_day = i32::from(first.number());
        row.return_day = i32::from(back(first, away).number());
        Ok(start_of(start))
    }

    /// A suspension of which the caller may decide, whose school is locked.
    async fn decidable(&self, tx: &Tx, caller: &Caller, id: &str) -> Result<SuspensionRow, Error> {
        let permission = Permission::SuspensionDecide;
        caller.allowed(permission)?;
        let row = self.locked_suspension(tx, id).await?;
        let path = row.as_ref().map_or("", |row| &row.org_path);
        Self::check_path(caller, permission, path)?;
        row.ok_or_else(|| Error::NotFound(format!("suspensions/{id}")))
    }

    /// A suspension whose school is locked; none when there is none.
    pub(super) async fn locked_suspension(
        &self,
        tx: &Tx,
        id: &str,
    ) -> Result<Option<SuspensionRow>, Error> {
        let Some(row) = SuspensionRow::get(tx, id, Lock::No).await? else {
            return Ok(None);
        };
        self.lock_health(tx, &[&row.school]).await?;
        Ok(SuspensionRow::get(tx, id, Lock::No).await?)
    }
}

/// Notes how large the cluster of a suspension is now.
fn note_size(row: &mut SuspensionRow, cluster: &ClusterRow) {
    (row.people, row.conditions) = (cluster.people, conditions(cluster));
}

/// How many conditions of its rule a cluster reaches.
fn conditions(cluster: &ClusterRow) -> i32 {
    let told = Cluster::decode(cluster.explanation.as_slice()).unwrap_or_default();
    i32::try_from(told.met_conditions.len()).unwrap_or(i32::MAX)
}

/// Moves a suspension on.
fn step(row: &mut SuspensionRow, event: SuspensionEvent) -> Result<(), Error> {
    let state = SuspensionState::from_code(row.state).and_then(|state| state.after(event));
    row.state = state.ok_or(Error::SuspensionState(row.state))?.code();
    Ok(())
}

/// Lets the proposal for a cluster follow it, where it can. The cluster's row is saved by the
/// caller.
async fn follow(
    tx: &Tx,
    cluster: &mut ClusterRow,
    (event, kind): (SuspensionEvent, &str),
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let keys = vec![cluster.id.as_str().into()];
    for mut row in SuspensionRow::find(tx, "cluster", keys, Lock::No).await? {
        if step(&mut row, event).is_ok() {
            let (actor, note) = (cluster.rule.clone(), format!("suspensions/{}", row.id));
            line(tx, cluster, (kind, &actor, &note), now).await?;
            save(tx, row).await?;
        }
    }
    Ok(())
}

/// Adds a line to the trail of the cluster of a suspension, and notes how large it is now.
async fn line_of(
    tx: &Tx,
    row: &mut SuspensionRow,
    said: (&str, &str, &str),
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if let Some(mut cluster) = ClusterRow::get(tx, &row.cluster, Lock::No).await? {
        note_size(row, &cluster);
        line(tx, &mut cluster, said, now).await?;
        ClusterRow::save(tx, std::slice::from_ref(&cluster)).await?;
    }
    Ok(())
}

/// Saves and announces a suspension; all of it as it is then.
async fn save(tx: &Tx, mut row: SuspensionRow) -> Result<Whole, Error> {
    row.version += 1;
    SuspensionRow::save(tx, std::slice::from_ref(&row)).await?;
    let whole = suspensions::whole(tx, row).await?;
    announce(tx, vec![suspension_change(&whole)]).await?;
    Ok(whole)
}
