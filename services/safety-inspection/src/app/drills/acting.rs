//! What is done with a drill: one transaction each, noted in its history.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::clock::civil_date;
use kit::db::Tx;
use kit::rows::Lock;
use prost::Message;
use uuid::Uuid;

use super::{COLLECTION, Drills, Shown, find, policy, shown};
use crate::app::{Site, identity};
use crate::domain::drill::{Count, Drill, Ending, Group, Plan, Review, Signal, Step, Type};
use crate::domain::hazard::report::Report;
use crate::domain::history::Move;
use crate::domain::photo::Photo;
use crate::error::Error;
use crate::store::Store;

/// A judgement as it is handed in.
#[derive(Debug)]
pub(crate) struct Assessment {
    /// 0 to 100.
    pub(crate) score: u32,
    /// In words.
    pub(crate) summary: String,
    /// What was wrong; each becomes a hazard.
    pub(crate) problems: Vec<Report>,
}

/// What is done with a drill.
#[derive(Debug)]
pub(crate) enum Act {
    Approve,
    Announce,
    Conceal,
    Postpone(DateTime<Utc>, String),
    /// At an instant, or now.
    Start(Option<DateTime<Utc>>),
    /// At an instant, or now.
    AllOut(Option<DateTime<Utc>>),
    Headcount(Vec<Count>),
    Find(String),
    End(Ending, Vec<Photo>),
    Abort(String),
    Review(Assessment),
    Archive,
}

impl Act {
    /// What its caller must be allowed to do.
    pub(crate) fn permission(step: Step) -> Permission {
        match step {
            Step::Approve => Permission::DrillApprove,
            Step::Review | Step::Archive => Permission::DrillReview,
            Step::Announce
            | Step::Conceal
            | Step::Postpone
            | Step::Start
            | Step::AllOut
            | Step::Headcount
            | Step::Find
            | Step::End
            | Step::Abort => Permission::DrillWrite,
        }
    }

    fn note(&self) -> &str {
        match self {
            Self::Postpone(_, reason) | Self::Abort(reason) => reason,
            _ => "",
        }
    }
}

impl Drills {
    /// Does something with a drill.
    pub(crate) async fn act<R: Message + Default>(
        &self,
        caller: &Caller,
        (site, id): (&Site, Uuid),
        act: Act,
        (method, request): (&'static str, (&str, &impl Message)),
        render: impl FnOnce(Shown) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now| {
            let record = find(tx, &site.organization.id, id, Lock::Yes).await?;
            let (name, actor) = (record.name(COLLECTION), identity(caller));
            let note = act.note().to_owned();
            let by = (&*name, &*actor);
            let (drill, moved) = self
                .done(tx, site, record.value.clone(), act, by, now)
                .await?;
            let record = record.with(drill);
            Store::save_drill(tx, &record).await?;
            Store::note_move(tx, &name, &moved, (&actor, &note), now).await?;
            Ok(render(shown(tx, &caller.scope, record).await?))
        };
        self.base.act(caller, method, request, work).await
    }

    async fn done(
        &self,
        tx: &Tx,
        site: &Site,
        drill: Drill,
        act: Act,
        (name, actor): (&str, &str),
        now: DateTime<Utc>,
    ) -> Result<(Drill, Move), Error> {
        Ok(match act {
            Act::Approve => drill.step(Step::Approve)?,
            Act::Announce => drill.step(Step::Announce)?,
            Act::Conceal => drill.step(Step::Conceal)?,
            Act::Postpone(at, _) => drill.postpone(at, now)?,
            Act::Start(at) => {
                let at = at.unwrap_or(now);
                let rules = Store::rules(tx).await?;
                let times = policy::times(rules.policy(&site.path, civil_date(at)));
                let taught = Store::class_groups(tx, &site.organization.id).await?;
                let grades = taught.into_iter().map(|group| group.grade);
                let organization = site.organization.clone().with_stages_of(grades);
                let signal = Signal {
                    at,
                    by: actor.to_owned(),
                    target_seconds: drill.plan.target_seconds(&organization, &times),
                    policy_version: times.policy_version,
                };
                let groups = expected(tx, &site.organization.id, &drill.plan).await?;
                drill.start(signal, groups, now)?
            }
            Act::AllOut(at) => drill.all_out(at.unwrap_or(now), now)?,
            Act::Headcount(counts) => drill.headcount(counts)?,
            Act::Find(person) => drill.found(&person, now)?,
            Act::End(ending, photos) => {
                let ended = drill.end(ending)?;
                let place = (&*site.organization.id, &*site.organization.org_path);
                Store::add_photos(tx, place, name, &photos, now).await?;
                ended
            }
            Act::Abort(_) => drill.step(Step::Abort)?,
            Act::Review(assessment) => {
                drill.reviewable(actor)?;
                let mut problems = assessment.problems;
                for problem in &mut problems {
                    name.clone_into(&mut problem.origin);
                }
                let hazards = self
                    .base
                    .open_hazards(tx, site, problems, actor, now)
                    .await?;
                drill.review(Review {
                    reviewer: actor.to_owned(),
                    score: assessment.score,
                    summary: assessment.summary,
                    hazards,
                    at: now,
                })?
            }
            Act::Archive => drill.step(Step::Archive)?,
        })
    }
}

/// Who takes part, as the rolls have it now: of the bus, who rides it; at night, the boarders; else
/// everybody who comes to school, and the staff.
async fn expected(tx: &Tx, organization: &str, plan: &Plan) -> Result<Vec<Group>, Error> {
    let groups = Store::class_groups(tx, organization).await?.into_iter();
    let sized = groups.map(|group| {
        let rider = plan.riders.iter().find(|one| one.class_group == group.name);
        let size = match plan.kind {
            Type::Bus => rider.map_or(0, |one| one.count.min(group.expected)),
            Type::NightDorm => group.boarders,
            _ if group.in_person => group.expected,
            _ => 0,
        };
        (group.name, size)
    });
    let mut expected: Vec<Group> = sized
        .filter(|(_, size)| *size > 0)
        .map(|(name, size)| Group::expected(name, size))
        .collect();
    if !matches!(plan.kind, Type::Bus | Type::NightDorm) {
        let (staff, _) = Store::staff(tx, organization).await?;
        if staff > 0 {
            let name = format!("organizations/{organization}/staffRoll");
            expected.push(Group::expected(name, staff));
        }
    }
    Ok(expected)
}
