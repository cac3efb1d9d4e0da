//! What happens by itself to concerns, support and care: one replica looks each second, each piece has a
//! transaction of its own, and what it did not get to is done later.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kit::clock::{civil_date, start_of};
use kit::db::Tx;
use kit::drain::Drain;
use kit::lease::{self, Lease};
use sea_orm::DbErr;
use uuid::Uuid;

use super::Base;
use super::care::task_name;
use super::concerns::concern_name;
use super::new_id;
use crate::domain::care::{Kind, State, Task, Verb};
use crate::domain::notice::{Hearers, Notice};
use crate::domain::party::Party;
use crate::domain::place::{above, leaf};
use crate::store::Store;
use crate::store::calendar::Rules;
use crate::store::controlled::Unplanned;
use crate::store::register::{EPIDEMIC_CONTROL, OVERALL_HEAD, PSYCHOLOGY};

/// The name of the lease: one replica looks at a time.
const LEASE: &str = "voices";
/// How long a replica that vanished keeps others from it.
const TTL: Duration = Duration::from_secs(10);
/// How often to look.
const PERIOD: Duration = Duration::from_secs(1);
/// How many of a kind are handled before the lease is taken anew.
const TOGETHER: u64 = 200;
/// How many notices that were told long ago are forgotten in a day.
const FORGOTTEN: u64 = 100_000;

/// Looks after deadlines of concerns and care.
#[derive(Clone, Debug)]
pub(crate) struct Voices {
    base: Base,
    holder: String,
}

impl Voices {
    /// Looks each second until the drain.
    pub(crate) fn start(base: Base, drain: Drain) {
        let holder = Uuid::new_v4().to_string();
        let voices = Self { base, holder };
        tokio::spawn(voices.watch(drain));
    }

    async fn watch(self, drain: Drain) {
        let mut forgotten = None;
        loop {
            let today = self.base.clock.today();
            if forgotten != Some(today) {
                match self.forget().await {
                    Ok(()) => forgotten = Some(today),
                    Err(err) => tracing::warn!(error = %err, "cannot forget old notices yet"),
                }
            }
            if let Err(err) = self.pass_all().await {
                tracing::warn!(error = %err, "cannot look for concerns and care, trying again");
            }
            if !drain.sleep(PERIOD).await {
                return;
            }
        }
    }

    async fn forget(&self) -> Result<(), DbErr> {
        let tx = self.base.store.database().begin().await?;
        Store::forget_notices(&tx, self.base.clock.now(), FORGOTTEN).await?;
        tx.commit().await
    }

    /// Handles everything that is due unless another replica is at it.
    async fn pass_all(&self) -> Result<(), DbErr> {
        let db = self.base.store.database();
        loop {
            let now = self.base.clock.now();
            let left = Store::concerns_left(db.read(), now, TOGETHER).await?;
            let waited = Store::concerns_waited(db.read(), now, TOGETHER).await?;
            let cases = Store::cases_waited(db.read(), now, TOGETHER).await?;
            let plan = self.is_to_plan(now).await?;
            let overdue = Store::is_task_overdue(db.read(), now).await?;
            let undone = Store::is_task_left(db.read(), now).await?;
            let voices = left.len() + waited.len() + cases.len();
            if voices == 0 && !plan && !overdue && !undone {
                return Ok(());
            }
            let Some(lease) = lease::take(db, LEASE, &self.holder, TTL).await? else {
                return Ok(());
            };
            let mut done = 0;
            // Before the next deadline of the same concern.
            for id in left {
                match self.pass_concern_up(&lease, id).await {
                    Ok(()) => done += 1,
                    Err(err) => {
                        tracing::warn!(error = %err, "those above could not be told of a concern");
                    }
                }
            }
            for id in waited {
                match self.pass_concern(&lease, id).await {
                    Ok(()) => done += 1,
                    Err(err) => {
                        tracing::warn!(error = %err, "the deadline of a concern could not be handled");
                    }
                }
            }
            for id in cases {
                match self.pass_case(&lease, id).await {
                    Ok(()) => done += 1,
                    Err(err) => {
                        tracing::warn!(error = %err, "a contact in a case could not be reminded of");
                    }
                }
            }
            if plan {
                done += self.plan(&lease).await?;
            }
            if overdue {
                done += self.pass_tasks(&lease).await?;
            }
            if undone {
                done += self.pass_tasks_up(&lease).await?;
            }
            if done == 0 {
                return lease.release(db).await;
            }
        }
    }

    async fn pass_concern(&self, lease: &Lease, id: Uuid) -> Result<(), DbErr> {
        let tx = self.base.store.database().begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(());
        }
        let now = self.base.clock.now();
        let concern = Store::concern_to_pass(&tx, id).await?;
        // Somebody may have moved it meanwhile.
        if let Some(concern) = concern
            && let Some(due) = concern.wait
        {
            // A deadline is the end of a day: the next one counts from that day.
            let rules = Store::rules(&tx).await?;
            let again = rules.clocks(&concern.org_path, due - TimeDelta::milliseconds(1));
            if let Some((concern, passed)) = concern.pass(now, again) {
                Store::save_passed(&tx, &concern).await?;
                let name = concern_name(&concern.organization, concern.id);
                let notice = Notice::of_deadline(&concern, passed, &name);
                Store::tell(&tx, notice.into_iter().collect(), now).await?;
            }
        }
        tx.commit().await
    }

    /// Tells those above of a concern whose deadline has been past for as long again.
    async fn pass_concern_up(&self, lease: &Lease, id: Uuid) -> Result<(), DbErr> {
        let tx = self.base.store.database().begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(());
        }
        let now = self.base.clock.now();
        let concern = Store::concern_to_pass(&tx, id).await?;
        // Somebody may have moved it meanwhile.
        if let Some((concern, passed)) = concern.and_then(|concern| concern.pass_up(now)) {
            Store::save_passed(&tx, &concern).await?;
            let name = concern_name(&concern.organization, concern.id);
            let when = (&*name, civil_date(now));
            let notice = passed.and_then(|passed| Notice::of_neglect(&concern, passed, when));
            Store::tell(&tx, notice.into_iter().collect(), now).await?;
        }
        tx.commit().await
    }

    /// Reminds of a contact in a case.
    async fn pass_case(&self, lease: &Lease, id: Uuid) -> Result<(), DbErr> {
        let tx = self.base.store.database().begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(());
        }
        let now = self.base.clock.now();
        let clock = Store::case_clock(&tx, id).await?;
        let rules = Store::rules(&tx).await?;
        let passed = clock.and_then(|clock| {
            let policy = rules.policy(&clock.org_path, civil_date(now));
            let within = policy.contact_within(clock.grade);
            clock.pass(now, within)
        });
        // Somebody may have made the contact meanwhile.
        if let Some((clock, reminder)) = passed {
            Store::save_case_clock(&tx, &clock).await?;
            let school = &*clock.organization;
            let counsellor = match Party::parse(&clock.counsellor_person) {
                Some(counsellor) => Some(counsellor),
                None => answerable(&tx, school, PSYCHOLOGY).await?,
            };
            let upper = above(&clock.org_path).next();
            let hearers = Hearers {
                counsellor,
                head: answerable_or_all(&tx, school, OVERALL_HEAD).await?,
                above: match upper {
                    Some(upper) => Some(answerable_or_all(&tx, upper, PSYCHOLOGY).await?),
                    None => None,
                },
            };
            let notices = Notice::of_support(&clock, reminder, hearers);
            Store::tell(&tx, notices, now).await?;
        }
        tx.commit().await
    }

    async fn is_to_plan(&self, now: DateTime<Utc>) -> Result<bool, DbErr> {
        let (db, today) = (self.base.store.database().read(), civil_date(now));
        if !Store::is_unplanned(db, today).await? {
            return Ok(false);
        }
        Ok(Store::rules(db).await?.calendar.is_school_day(today))
    }

    /// Plans today's care for some pupils under control; returns for how many.
    async fn plan(&self, lease: &Lease) -> Result<usize, DbErr> {
        let tx = self.base.store.database().begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(0);
        }
        let now = self.base.clock.now();
        let today = civil_date(now);
        let unplanned = Store::unplanned(&tx, today, TOGETHER).await?;
        let rules = Store::rules(&tx).await?;
        let tasks = unplanned
            .iter()
            .flat_map(|pupil| tasks_of(pupil, &rules, now));
        let added = Store::add_tasks(&tx, tasks.collect()).await?;
        tell_of_care(&tx, &added, now).await?;
        let planned: Vec<Uuid> = unplanned.iter().map(|pupil| pupil.student).collect();
        let count = planned.len();
        Store::note_planned(&tx, planned, today).await?;
        tx.commit().await?;
        Ok(count)
    }

    /// Marks some tasks whose time has passed; returns how many.
    async fn pass_tasks(&self, lease: &Lease) -> Result<usize, DbErr> {
        let tx = self.base.store.database().begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(0);
        }
        let now = self.base.clock.now();
        let found = Store::tasks_overdue(&tx, now, TOGETHER).await?;
        // Somebody may have done one meanwhile.
        let passed = found.into_iter().filter_map(|task| {
            // As long again as there was since the day began.
            let again = task.due + (task.due - start_of(task.day));
            task.apply(Verb::Pass(again), now).ok()
        });
        let passed: Vec<Task> = passed.collect();
        Store::save_tasks(&tx, &passed).await?;
        tell_of_care(&tx, &passed, now).await?;
        tx.commit().await?;
        Ok(passed.len())
    }

    /// Tells those above schools of some tasks that are still not done; returns of how many.
    async fn pass_tasks_up(&self, lease: &Lease) -> Result<usize, DbErr> {
        let tx = self.base.store.database().begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(0);
        }
        let now = self.base.clock.now();
        let found = Store::tasks_left(&tx, now, TOGETHER).await?;
        let left = found.into_iter().map(|task| Task {
            above: None,
            ..task
        });
        let left: Vec<Task> = left.collect();
        Store::save_tasks(&tx, &left).await?;
        let mut parties: BTreeMap<&str, Party> = BTreeMap::new();
        let mut notices = Vec::new();
        for task in &left {
            // A class group stands right below its school.
            let Some(upper) = above(&task.org_path).nth(1) else {
                continue;
            };
            if !parties.contains_key(upper) {
                let party = answerable_or_all(&tx, upper, EPIDEMIC_CONTROL).await?;
                parties.insert(upper, party);
            }
            if let Some(party) = parties.get(upper) {
                let name = task_name(&task.organization, task.id);
                notices.push(Notice::of_left_care(task, &name, party.clone()));
            }
        }
        Store::tell(&tx, notices, now).await?;
        tx.commit().await?;
        Ok(left.len())
    }
}

/// What is to be done today for a pupil: what was due before the control began is not.
fn tasks_of(pupil: &Unplanned, rules: &Rules, now: DateTime<Utc>) -> Vec<Task> {
    let today = civil_date(now);
    let policy = rules.policy(&pupil.org_path, today);
    let kinds = Kind::ALL.into_iter().map(|kind| {
        let due = start_of(today) + policy.care_within(kind);
        (kind, due)
    });
    kinds
        .filter(|(_, due)| pupil.since < *due)
        .map(|(kind, due)| Task {
            organization: pupil.organization.clone(),
            id: new_id(now),
            class_group: leaf(&pupil.org_path).to_owned(),
            org_path: pupil.org_path.clone(),
            student: pupil.student,
            kind,
            state: State::Due,
            day: today,
            due,
            completed: None,
            completer: String::new(),
            late: false,
            above: None,
        })
        .collect()
}

/// Whoever answers for a duty at an organisation.
async fn answerable(tx: &Tx, organization: &str, duty: &str) -> Result<Option<Party>, DbErr> {
    let answerable = Store::answerable(tx, organization, duty).await?;
    Ok(answerable.and_then(|name| Party::parse(&name)))
}

/// Whoever answers for a duty at an organisation, else the organisation.
async fn answerable_or_all(tx: &Tx, organization: &str, duty: &str) -> Result<Party, DbErr> {
    let staff = answerable(tx, organization, duty).await?;
    Ok(staff.unwrap_or_else(|| Party::Organization(organization.to_owned())))
}

/// Tells whoever answers for epidemic control at each school, else the school.
async fn tell_of_care(tx: &Tx, tasks: &[Task], now: DateTime<Utc>) -> Result<(), DbErr> {
    let mut parties: BTreeMap<&str, Party> = BTreeMap::new();
    let mut notices = Vec::new();
    for task in tasks {
        let school = task.organization.as_str();
        if !parties.contains_key(school) {
            let party = answerable_or_all(tx, school, EPIDEMIC_CONTROL).await?;
            parties.insert(school, party);
        }
        if let Some(party) = parties.get(school) {
            let name = task_name(school, task.id);
            notices.extend(Notice::of_care(task, &name, party.clone()));
        }
    }
    Store::tell(tx, notices, now).await
}
