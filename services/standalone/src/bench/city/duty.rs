//! Duty at schools: a roster is published, somebody signs in and makes rounds, and the night takes over from the
//! day.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use chrono::{NaiveDate, TimeDelta};
use kit::auth::Role;
use kit::clock::start_of;
use kit::field::to_timestamp;
use proto::safety::duty_service_client::DutyServiceClient;
use proto::safety::{
    CheckInDutyShiftRequest, CreateDutyRosterRequest, DutyPost, DutyRoster, ListDutyShiftsRequest,
    PublishDutyRosterRequest, RecordPatrolRequest, TakeOverDutyShiftRequest, WriteHandoverRequest,
    duty_roster,
};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tonic::Status;
use uuid::Uuid;

use super::super::stand::Doors;
use super::act::Act;
use super::course::Course;
use super::options::Window;
use super::shift::Shift;
use super::tally::Outcome;
use crate::city::{Post, School};
use crate::house::Door;

/// The hours of the day's shift and of the night's, from the midnight before.
const HOURS: [(i64, i64); 2] = [(8, 20), (20, 32)];
/// How many rosters are made at once.
const TOGETHER: usize = 64;

/// How many steps a shift has behind it.
const PLANNED: u8 = 1;
const ATTENDED: u8 = 2;
const HANDED_OVER: u8 = 3;

/// Those who are on duty together.
struct Team {
    /// By resource name.
    leader: String,
    others: Vec<String>,
    guard: String,
    leading: DutyServiceClient<Door>,
    guarding: DutyServiceClient<Door>,
}

impl Team {
    /// The leader with `role`, two others, and one of the guards of a school.
    fn of(
        doors: &Doors<'_>,
        school: &School<'_>,
        (leader, role): (Post, Role),
        others: [Post; 2],
        guard: usize,
    ) -> anyhow::Result<Self> {
        let place = school.plan.org_path();
        let person = |post: Post, number: usize| {
            let mut staff = school.staff.iter().filter(|member| member.post == post);
            let member = staff.nth(number).context("somebody of a post")?;
            anyhow::Ok(format!("staff/{}", member.id))
        };
        let (leader, guard) = (person(leader, 0)?, person(Post::Guard, guard)?);
        let others = others.into_iter().map(|post| person(post, 0));
        Ok(Self {
            leading: DutyServiceClient::new(doors.open_as(&leader, role, &place)?),
            guarding: DutyServiceClient::new(doors.open_as(&guard, Role::Guard, &place)?),
            others: others.collect::<anyhow::Result<_>>()?,
            leader,
            guard,
        })
    }

    /// Their shift, between two hours of a day.
    fn shift(&self, day: NaiveDate, (from, to): (i64, i64)) -> duty_roster::Shift {
        let at = |hour| Some(to_timestamp(start_of(day) + TimeDelta::hours(hour)));
        duty_roster::Shift {
            start_time: at(from),
            end_time: at(to),
            leader: self.leader.clone(),
            staff: self.others.clone(),
            posts: vec![DutyPost {
                post: Post::Guard.code().to_owned(),
                staff_member: self.guard.clone(),
            }],
            phone: "0591-83850000".to_owned(),
        }
    }

    /// The leader and the guard have come.
    async fn sign_in(&self, shift: &str) -> Result<(), Status> {
        for client in [&self.leading, &self.guarding] {
            let request = CheckInDutyShiftRequest {
                name: shift.to_owned(),
                request_id: Uuid::new_v4().to_string(),
            };
            client.clone().check_in_duty_shift(request).await?;
        }
        Ok(())
    }
}

/// The duty of a school: who has the day, and who has the night.
pub(super) struct Watch {
    /// The resource name of the school.
    school: String,
    teams: [Team; 2],
}

impl Watch {
    /// That of a school.
    pub(super) fn of(doors: &Doors<'_>, school: &School<'_>) -> anyhow::Result<Self> {
        let leads = (Post::Principal, Role::Principal);
        let others = [Post::EpidemicReporter, Post::Administration];
        let day = Team::of(doors, school, leads, others, 0)?;
        let leads = (Post::PartySecretary, Role::SafetyOfficer);
        let others = [Post::HeadTeacher, Post::Medical];
        let night = Team::of(doors, school, leads, others, 1)?;
        Ok(Self {
            school: format!("organizations/{}", school.plan.code),
            teams: [day, night],
        })
    }

    /// Drafts and publishes the roster of a day with those of its shifts that are wanted; gives their names.
    async fn publish(
        &self,
        day: NaiveDate,
        wanted: [bool; 2],
    ) -> anyhow::Result<[Option<String>; 2]> {
        let teams = self.teams.iter().zip(HOURS).zip(wanted);
        let shifts = teams.filter(|(_, wanted)| *wanted);
        let shifts: Vec<_> = shifts
            .map(|((team, hours), _)| team.shift(day, hours))
            .collect();
        let [principal, secretary] = &self.teams;
        let count = shifts.len();
        let draft = CreateDutyRosterRequest {
            parent: self.school.clone(),
            duty_roster: Some(DutyRoster {
                start_time: shifts.first().and_then(|shift| shift.start_time),
                end_time: shifts.last().and_then(|shift| shift.end_time),
                shifts,
                ..DutyRoster::default()
            }),
            request_id: Uuid::new_v4().to_string(),
        };
        let draft = secretary.leading.clone().create_duty_roster(draft).await?;
        let publish = PublishDutyRosterRequest {
            name: draft.into_inner().name,
            request_id: Uuid::new_v4().to_string(),
        };
        let mut principal = principal.leading.clone();
        principal.publish_duty_roster(publish).await?;
        // The latest come first, and these are the latest.
        let list = ListDutyShiftsRequest {
            parent: self.school.clone(),
            page_size: i32::try_from(count)?,
            ..ListDutyShiftsRequest::default()
        };
        let listed = principal.list_duty_shifts(list).await?.into_inner();
        let names = self.teams.each_ref().map(|team| {
            let mut listed = listed.duty_shifts.iter();
            let shift = listed.find(|shift| shift.leader == team.leader);
            shift.map(|shift| shift.name.clone())
        });
        let found = names.each_ref().map(Option::is_some);
        ensure!(found == wanted, "not every shift of a roster exists");
        Ok(names)
    }
}

impl Shift {
    /// Publishes the roster of each school whose duty is signed in to in a part of the day.
    pub(super) async fn plan_duty(&self, window: Window) -> anyhow::Result<()> {
        let mut schools = BTreeMap::<u32, [bool; 2]>::new();
        for due in self.day.within(window) {
            let (school, part) = match due.act {
                Act::SignOn { school } => (school, 0),
                Act::HandOver { school } => (school, 1),
                _ => continue,
            };
            schools.entry(school).or_default()[part] = true;
        }
        let limit = Arc::new(Semaphore::new(TOGETHER));
        let mut planning = JoinSet::new();
        for (school, wanted) in schools {
            let permit = limit.clone().acquire_owned().await?;
            let (crew, today) = (self.crew.clone(), self.today);
            planning.spawn(async move {
                let watch = crew.watches.get(school as usize).context("a watch")?;
                let names = watch.publish(today, wanted).await?;
                drop(permit);
                anyhow::Ok((school, names))
            });
        }
        while let Some(planned) = planning.join_next().await {
            let (school, names) = planned??;
            let ([day, night], _) = self.watch(school)?;
            for (course, name) in [day, night].into_iter().zip(names) {
                if let Some(name) = name {
                    course.begin(name);
                }
            }
        }
        Ok(())
    }

    /// How far the day's and the night's shift of a school have come, and who has them.
    fn watch(&self, school: u32) -> anyhow::Result<(&[Course; 2], &Watch)> {
        let shifts = self.duty.get(school as usize).context("a school")?;
        let watch = self.crew.watches.get(school as usize);
        Ok((shifts, watch.context("a watch")?))
    }

    /// The leader of the day and the guard have come.
    pub(super) async fn sign_on(&self, school: u32) -> anyhow::Result<Outcome> {
        let ([shift, _], watch) = self.watch(school)?;
        let Some(name) = shift.after(PLANNED) else {
            return Ok(Outcome::Void);
        };
        let [team, _] = &watch.teams;
        team.sign_in(name).await?;
        shift.reach(ATTENDED);
        Ok(Outcome::Done)
    }

    /// The guard of the day passes the point of a round.
    pub(super) async fn patrol(&self, school: u32, round: u8) -> anyhow::Result<Outcome> {
        let ([shift, _], watch) = self.watch(school)?;
        let Some(name) = shift.after(ATTENDED) else {
            return Ok(Outcome::Void);
        };
        let [team, _] = &watch.teams;
        let request = RecordPatrolRequest {
            shift: name.to_owned(),
            point: format!("building-{}/floor-1", round + 1),
            request_id: Uuid::new_v4().to_string(),
        };
        team.guarding.clone().record_patrol(request).await?;
        Ok(Outcome::Done)
    }

    /// Those of the night have come, and take over from the day where somebody was there.
    pub(super) async fn hand_over(&self, school: u32) -> anyhow::Result<Outcome> {
        let ([shift, next], watch) = self.watch(school)?;
        let Some(name) = next.after(PLANNED) else {
            return Ok(Outcome::Void);
        };
        let [team, successors] = &watch.teams;
        successors.sign_in(name).await?;
        next.reach(ATTENDED);
        let Some(name) = shift.after(ATTENDED) else {
            return Ok(Outcome::Done);
        };
        let write = WriteHandoverRequest {
            name: name.to_owned(),
            summary: "全天正常，无突发情况".to_owned(),
            request_id: Uuid::new_v4().to_string(),
            ..WriteHandoverRequest::default()
        };
        team.leading.clone().write_handover(write).await?;
        let take = TakeOverDutyShiftRequest {
            name: name.to_owned(),
            request_id: Uuid::new_v4().to_string(),
        };
        successors
            .leading
            .clone()
            .take_over_duty_shift(take)
            .await?;
        shift.reach(HANDED_OVER);
        Ok(Outcome::Done)
    }
}
