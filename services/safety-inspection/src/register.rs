//! What of the register's feed is kept beside the facts that gates decide by.

use std::collections::{BTreeMap, BTreeSet};

use kit::db::Tx;
use kit::field::{from_date, year_of};
use prost::Message;
use proto::roster as pb;
use proto::roster::roll_member::Presence;
use proto::roster::roster_event::State;
use sea_orm::DbErr;

use crate::domain::responsibility::Duty;
use crate::store::Store;
use crate::store::register::{
    CalendarYearRow, Changes, ClassGroupRow, OrganizationRow, PolicyRow, ResponsibilityRollRow,
    StaffRollRow, duties_text, posts_text,
};

/// Writes what a batch of the feed tells.
pub(crate) async fn write(
    tx: &Tx,
    events: &[pb::RosterEvent],
    generation: i64,
) -> Result<(), DbErr> {
    let mut batch = Batch::default();
    for event in events {
        batch.take(event, generation);
    }
    let follows = Follows::of(events);
    batch.organizations.write(tx).await?;
    batch.class_groups.write(tx).await?;
    batch.staff.write(tx).await?;
    batch.responsibility.write(tx).await?;
    batch.policies.write(tx).await?;
    batch.years.write(tx).await?;
    follows.retell(tx).await
}

/// What must be told anew in this service's own feed after a batch.
struct Follows {
    organizations: BTreeSet<String>,
    peopled: BTreeSet<String>,
    rules: bool,
}

impl Follows {
    fn of(events: &[pb::RosterEvent]) -> Self {
        let mut follows = Self {
            organizations: BTreeSet::new(),
            peopled: BTreeSet::new(),
            rules: false,
        };
        for event in events {
            match event.entity.split('/').collect::<Vec<_>>()[..] {
                ["organizations", id] | ["organizations", id, "staffRoll"] => {
                    follows.organizations.insert(id.to_owned());
                }
                ["organizations", id, "classGroups", _] => {
                    follows.peopled.insert(id.to_owned());
                }
                ["policyProfiles" | "calendarYears", _] => follows.rules = true,
                _ => {}
            }
        }
        follows
    }

    async fn retell(self, tx: &Tx) -> Result<(), DbErr> {
        let (peopled, organizations) = (
            Vec::from_iter(self.peopled),
            Vec::from_iter(self.organizations),
        );
        Store::retell_known(tx, &peopled).await?;
        Store::retell_organizations(tx, &organizations).await?;
        Store::judge_known_anew(tx, &[peopled, organizations].concat()).await?;
        if self.rules {
            Store::retell_all(tx).await?;
            Store::judge_all_anew(tx).await?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Batch {
    organizations: Changes<OrganizationRow>,
    class_groups: Changes<ClassGroupRow>,
    staff: Changes<StaffRollRow>,
    responsibility: Changes<ResponsibilityRollRow>,
    policies: Changes<PolicyRow>,
    years: Changes<CalendarYearRow>,
}

impl Batch {
    fn take(&mut self, event: &pb::RosterEvent, generation: i64) {
        match &event.state {
            Some(State::Organization(told)) => {
                self.organizations
                    .set(organization(event, told, generation));
            }
            Some(State::ClassGroupRoll(roll)) => {
                self.class_groups.set(class_group(event, roll, generation));
            }
            Some(State::StaffRoll(roll)) => self.staff.set(staff(event, roll, generation)),
            Some(State::ResponsibilityRoll(roll)) => {
                self.responsibility
                    .set(responsibility(event, roll, generation));
            }
            Some(State::PolicyProfile(profile)) => {
                if let Some(row) = policy(event, profile, generation) {
                    self.policies.set(row);
                }
            }
            Some(State::CalendarYear(told)) => self.years.set(year(event, told, generation)),
            // Kept beside the register: `kit::destruction`.
            Some(State::Emergency(_) | State::DestructionOrder(_)) => {}
            None => self.forget(event),
        }
    }

    fn forget(&mut self, event: &pb::RosterEvent) {
        let version = event.version;
        match event.entity.split('/').collect::<Vec<_>>()[..] {
            ["organizations", id] => self.organizations.remove(id, version),
            ["organizations", _, "classGroups", _] => {
                self.class_groups.remove(&event.entity, version);
            }
            ["organizations", id, "staffRoll"] => self.staff.remove(id, version),
            ["organizations", id, "responsibilityRoll"] => self.responsibility.remove(id, version),
            ["policyProfiles", _] => self.policies.remove(&event.entity, version),
            ["calendarYears", year] => self.years.remove(year, version),
            _ => {}
        }
    }
}

/// The id in `organizations/{organization}` and in names below it.
fn organization_id(name: &str) -> String {
    name.split('/').nth(1).unwrap_or_default().to_owned()
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn organization(
    event: &pb::RosterEvent,
    told: &pb::Organization,
    generation: i64,
) -> OrganizationRow {
    let stages = told.stages().map(|stage| stage as i32);
    OrganizationRow {
        id: organization_id(&event.entity),
        org_path: event.org_path.clone(),
        kind: i16::try_from(told.kind).unwrap_or_default(),
        display_name: told.display_name.clone(),
        stages: stages.fold(0, |bits, stage| bits | (1 << stage.clamp(0, 30))),
        division: told.division_code.clone(),
        boarding: told.boarding,
        open: told.state() != pb::organization::State::Closed,
        version: event.version,
        generation,
    }
}

fn class_group(
    event: &pb::RosterEvent,
    roll: &pb::ClassGroupRoll,
    generation: i64,
) -> ClassGroupRow {
    let expected = roll
        .members
        .iter()
        .filter(|member| member.presence() != Presence::OnLeave);
    let boarders = roll.members.iter().filter(|member| member.boarder);
    ClassGroupRow {
        name: event.entity.clone(),
        organization: organization_id(&event.entity),
        org_path: event.org_path.clone(),
        display_name: roll.display_name.clone(),
        grade: roll.grade,
        teaching_mode: i16::try_from(roll.teaching_mode).unwrap_or_default(),
        expected: count(expected.count()),
        boarders: count(boarders.count()),
        version: event.version,
        generation,
    }
}

fn staff(event: &pb::RosterEvent, roll: &pb::StaffRoll, generation: i64) -> StaffRollRow {
    let expected = roll.members.iter().filter(|one| {
        let member = one.member.as_ref();
        member.is_some_and(|member| member.presence() != Presence::OnLeave)
    });
    let mut posts = BTreeMap::new();
    for post in expected.clone().flat_map(|one| &one.posts) {
        *posts.entry(post.clone()).or_insert(0) += 1;
    }
    StaffRollRow {
        organization: organization_id(&event.entity),
        expected: count(expected.count()),
        posts: posts_text(&posts),
        version: event.version,
        generation,
    }
}

fn responsibility(
    event: &pb::RosterEvent,
    roll: &pb::ResponsibilityRoll,
    generation: i64,
) -> ResponsibilityRollRow {
    let duties = roll.duties.iter().map(|duty| Duty {
        subject: duty.subject.clone(),
        place: duty.place.clone(),
        staff_member: duty.staff_member.clone(),
    });
    ResponsibilityRollRow {
        organization: organization_id(&event.entity),
        duties: duties_text(duties),
        version: event.version,
        generation,
    }
}

/// None for one whose first day is no day: it never comes into force.
fn policy(
    event: &pb::RosterEvent,
    profile: &pb::PolicyProfile,
    generation: i64,
) -> Option<PolicyRow> {
    Some(PolicyRow {
        name: event.entity.clone(),
        region: event.org_path.clone(),
        effective: from_date(profile.effective_date?)?.to_string(),
        profile: profile.encode_to_vec(),
        version: event.version,
        generation,
    })
}

fn year(event: &pb::RosterEvent, told: &pb::CalendarYear, generation: i64) -> CalendarYearRow {
    let body = year_of(told);
    CalendarYearRow {
        year: organization_id(&event.entity),
        body: serde_json::to_string(&body).unwrap_or_default(),
        version: event.version,
        generation,
    }
}
