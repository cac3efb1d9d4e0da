//! What the roster publishes, kept as the draw needs it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use kit::clock::Clock;
use kit::db::Tx;
use kit::projection::Projection;
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::roll_member::Presence;
use proto::roster::roster_event::State;
use proto::roster::staff_member::Post;
use proto::roster::{
    ClassGroupRoll, PolicyProfile, RollMember, RosterEvent, StaffRoll, StaffRollMember,
};
use sea_orm::DbErr;

use crate::app::destruction::SERVICE;
use crate::app::health::overdue;
use crate::domain::coverage::Tally;
use crate::domain::day::Day;
use crate::domain::health::dormitory::{self, Resident};
use crate::domain::roll::{GroupKind, Member, PersonId, Roll};
use crate::store::health as store;
use crate::store::health::dormitories::DormitoryRow;
use crate::store::rolls::GroupRow;
use crate::store::{coverage, people, policy, rolls};

/// Keeps rolls, policies and calendars.
#[derive(Debug)]
pub(crate) struct RosterProjection {
    clock: Arc<dyn Clock>,
}

impl RosterProjection {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

#[async_trait::async_trait]
impl Projection for RosterProjection {
    type Event = RosterEvent;

    fn name(&self) -> &'static str {
        "roster"
    }

    async fn apply(&self, tx: &Tx, events: &[RosterEvent], generation: i64) -> Result<(), DbErr> {
        let mut organizations = Vec::new();
        let mut policies = Vec::new();
        let withdrawn = PolicyProfile::default();
        let mut years = Vec::new();
        let mut groups = BTreeMap::new();
        let mut rooms = HashMap::new();
        for event in events {
            let entity = event.entity.clone();
            match &event.state {
                Some(State::Organization(organization)) => {
                    let id = entity
                        .strip_prefix("organizations/")
                        .unwrap_or(&entity)
                        .to_owned();
                    organizations.push(rolls::Organization {
                        id,
                        path: event.org_path.clone(),
                        version: event.version,
                        display_name: organization.display_name.clone(),
                    });
                }
                Some(State::ClassGroupRoll(roll)) => {
                    let group = class_group(event, roll);
                    rooms.insert(group.path.clone(), dormitories(&group, roll));
                    groups.insert(group.path.clone(), Some(group));
                }
                Some(State::StaffRoll(roll)) => {
                    for group in staff_groups(event, roll) {
                        groups.insert(group.path.clone(), Some(group));
                    }
                    self.empty_other_grades(tx, event, &mut groups).await?;
                }
                Some(State::PolicyProfile(profile)) => {
                    policies.push((entity, event.version, profile));
                }
                Some(State::CalendarYear(year)) => years.push((entity, event.version, year)),
                // Emergencies are heard of below.
                Some(
                    State::ResponsibilityRoll(_) | State::Emergency(_) | State::DestructionOrder(_),
                ) => {}
                // A profile without parts is in force nowhere.
                None if entity.starts_with("policyProfiles/") => {
                    policies.push((entity, event.version, &withdrawn));
                }
                None if entity.contains("/classGroups/") => {
                    groups.insert(group_path(event, id_of(&entity)), None);
                }
                None => {}
            }
        }
        kit::destruction::hear(tx, SERVICE, events).await?;
        rolls::save_organizations(tx, organizations, generation).await?;
        policy::save_policies(tx, &policies, generation).await?;
        policy::save_calendars(tx, &years, generation).await?;
        if !policies.is_empty() || !years.is_empty() {
            overdue::plan(tx, self.clock.now()).await?;
        }
        save_groups(tx, groups, &rooms, generation, self.clock.today().into()).await
    }

    async fn sweep(&self, tx: &Tx, generation: i64) -> Result<(), DbErr> {
        let unseen = rolls::unseen_groups(tx, generation).await?;
        let removed = unseen.into_iter().map(|path| (path, None)).collect();
        let (rooms, today) = (HashMap::new(), self.clock.today().into());
        save_groups(tx, removed, &rooms, generation, today).await?;
        rolls::remove_unseen(tx, generation).await
    }
}

impl RosterProjection {
    /// A grade whose last staff left is an empty group from then on.
    async fn empty_other_grades(
        &self,
        tx: &Tx,
        event: &RosterEvent,
        groups: &mut BTreeMap<String, Option<GroupRow>>,
    ) -> Result<(), DbErr> {
        for stored in rolls::groups_below(tx, &event.org_path).await? {
            let is_other = stored.kind == GroupKind::Staff
                && stored.school_path() == event.org_path
                && !groups.contains_key(&stored.path);
            if is_other {
                let (members, version) = (Vec::new(), event.version);
                groups.insert(
                    stored.path.clone(),
                    Some(GroupRow {
                        members,
                        version,
                        ..stored
                    }),
                );
            }
        }
        Ok(())
    }
}

/// Stores groups with the rooms of their boarders, finds out who joined, left or came back, and
/// counts their schools anew.
async fn save_groups(
    tx: &Tx,
    changed: BTreeMap<String, Option<GroupRow>>,
    rooms: &HashMap<String, Vec<DormitoryRow>>,
    generation: i64,
    today: Day,
) -> Result<(), DbErr> {
    if changed.is_empty() {
        return Ok(());
    }
    let paths: Vec<String> = changed.keys().cloned().collect();
    let schools: Vec<String> = paths.iter().map(|path| school_of(path)).collect();
    let mut tallies = coverage::lock(tx, &schools).await?;
    let stored: HashMap<String, GroupRow> = rolls::groups_at(tx, &paths)
        .await?
        .into_iter()
        .map(|group| (group.path.clone(), group))
        .collect();
    let returned: Vec<String> = paths
        .iter()
        .filter(|path| !stored.contains_key(*path))
        .cloned()
        .collect();
    let mut entries = rolls::entries_at(tx, &returned).await?;
    let seen = rolls::seen_at(tx, &paths, generation).await?;
    let (mut saved, mut removed) = (Vec::new(), Vec::new());
    let (mut found, mut found_at) = (Vec::new(), Vec::new());
    for (path, group) in changed {
        let before = stored.get(&path);
        let mut count = |of: &GroupRow, sign: i32| -> Result<(), DbErr> {
            let tally = tallies
                .entry(school_of(&path))
                .or_insert_with(Tally::default);
            tally.add(&coverage::of_group(of)?, sign);
            Ok(())
        };
        let Some(mut group) = group else {
            if let Some(before) = before {
                count(before, -1)?;
                rolls::remove_group(tx, &path).await?;
                removed.push(path);
            }
            continue;
        };
        // The first sight in a generation stands whatever its version: the roster may have gone back to an earlier time.
        if seen.contains(&path) && before.is_some_and(|before| before.version >= group.version) {
            continue;
        }
        let roll = group.roll()?;
        let known: HashSet<PersonId> = match before {
            Some(before) => {
                let old = before.roll()?;
                let was_taught = before.taught;
                group.members = roll.clone().after(&old, was_taught, today).pack(group.kind);
                group.entries = before.entries.clone();
                let left: Vec<PersonId> = ids(&old).filter(|id| roll.get(*id).is_none()).collect();
                people::forget_people(tx, &path, &left).await?;
                count(before, -1)?;
                ids(&old).collect()
            }
            None => {
                // Nobody waits before their group was heard of.
                let roll = roll.clone().after(&Roll::default(), false, today);
                group.members = roll.pack(group.kind);
                group.entries = entries.remove(&path).unwrap_or_default();
                HashSet::new()
            }
        };
        for person in ids(&roll).filter(|id| !known.contains(id)) {
            found.push(person);
            found_at.push(path.clone());
        }
        count(&group, 1)?;
        saved.push(group);
    }
    rolls::save_groups(tx, &saved, generation).await?;
    let (found, found_at) = last_of_each(found, found_at);
    people::save_people(tx, found, found_at).await?;
    let moved = saved.iter().map(|group| &group.path).chain(&removed);
    save_expected(tx, moved.collect(), &stored, rooms).await?;
    coverage::save(tx, tallies).await
}

/// Stores who lives where, and what is expected of the schools of groups that moved.
async fn save_expected(
    tx: &Tx,
    moved: Vec<&String>,
    stored: &HashMap<String, GroupRow>,
    rooms: &HashMap<String, Vec<DormitoryRow>>,
) -> Result<(), DbErr> {
    let known = moved.iter().filter(|path| stored.contains_key(**path));
    let known = known.map(|path| path.as_str().into()).collect();
    let before = store::dormitories::of_groups(tx, known).await?;
    let now = moved.iter().filter_map(|path| rooms.get(*path)).flatten();
    let now: Vec<DormitoryRow> = now.cloned().collect();
    store::dormitories::replace(tx, &before, &now).await?;
    let schools: BTreeSet<String> = moved.iter().map(|path| school_of(path)).collect();
    let schools: Vec<String> = schools.into_iter().collect();
    store::expectations::recount(tx, &schools).await
}

/// The room of boarders who have none yet: nobody who boards goes unchecked.
const NO_ROOM: &str = "未分配";

/// The rooms in which boarders of a class group live. None of them is expected while the group is
/// not taught in person.
fn dormitories(group: &GroupRow, roll: &ClassGroupRoll) -> Vec<DormitoryRow> {
    let mut rooms: BTreeMap<&str, Vec<Resident>> = BTreeMap::new();
    for member in roll.members.iter().filter(|member| member.boarder) {
        let room = if member.dormitory.is_empty() {
            NO_ROOM
        } else {
            &member.dormitory
        };
        rooms
            .entry(room)
            .or_default()
            .extend(to_member(member, 0).map(|member| Resident {
                person: member.person,
                on_leave: member.on_leave,
            }));
    }
    let school = group.school_path();
    let row = |(room, residents): (&str, Vec<Resident>)| {
        let there = residents.iter().filter(|resident| !resident.on_leave);
        let expected = if group.taught { there.count() } else { 0 };
        DormitoryRow {
            place: format!("{school}/{}", dormitory::id(school, room)),
            group_path: group.path.clone(),
            school: school.to_owned(),
            room: room.to_owned(),
            expected: i32::try_from(expected).unwrap_or(i32::MAX),
            members: dormitory::pack(&residents),
        }
    };
    rooms.into_iter().map(row).collect()
}

/// Of somebody who is on two rolls, the last one counts: one statement may not touch a row twice.
fn last_of_each(people: Vec<PersonId>, paths: Vec<String>) -> (Vec<PersonId>, Vec<String>) {
    let last: HashMap<PersonId, String> = people.into_iter().zip(paths).collect();
    last.into_iter().unzip()
}

fn ids(roll: &Roll) -> impl Iterator<Item = PersonId> {
    roll.members().iter().map(|member| member.person)
}

fn school_of(path: &str) -> String {
    path.rsplit_once('/')
        .map_or("", |(school, _)| school)
        .to_owned()
}

fn id_of(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

/// The place of a class group: that of the event, which may be that of the school.
fn group_path(event: &RosterEvent, id: &str) -> String {
    if id_of(&event.org_path) == id {
        event.org_path.clone()
    } else {
        format!("{}/{id}", event.org_path)
    }
}

/// A class group.
fn class_group(event: &RosterEvent, roll: &ClassGroupRoll) -> GroupRow {
    let id = id_of(&roll.class_group).to_owned();
    let members = roll
        .members
        .iter()
        .filter_map(|member| to_member(member, 0))
        .collect();
    GroupRow {
        organization: roll
            .organization
            .trim_start_matches("organizations/")
            .to_owned(),
        id,
        kind: GroupKind::Students,
        display_name: roll.display_name.clone(),
        grade: roll.grade,
        taught: match roll.teaching_mode() {
            TeachingMode::InPerson => true,
            TeachingMode::Unspecified | TeachingMode::Online | TeachingMode::Suspended => false,
        },
        version: event.version,
        members: Roll::new(members).pack(GroupKind::Students),
        entries: Vec::new(),
        path: group_path(event, id_of(&roll.class_group)),
    }
}

/// The staff of one organisation, a group for each grade they work with.
fn staff_groups(event: &RosterEvent, roll: &StaffRoll) -> Vec<GroupRow> {
    let mut grades: BTreeMap<i32, Vec<Member>> = BTreeMap::new();
    for StaffRollMember {
        member,
        posts,
        grade,
    } in &roll.members
    {
        let posts = posts
            .iter()
            .filter_map(|post| Post::from_str_name(&format!("POST_{post}")));
        let posts = posts.fold(0_u32, |bits, post| bits | 1 << (post as i32).clamp(0, 31));
        let member = member.as_ref().and_then(|member| to_member(member, posts));
        grades.entry(*grade).or_default().extend(member);
    }
    grades
        .into_iter()
        .map(|(grade, members)| {
            let id = format!("staff-{grade:02}");
            GroupRow {
                path: format!("{}/{id}", event.org_path),
                organization: roll
                    .organization
                    .trim_start_matches("organizations/")
                    .to_owned(),
                id,
                kind: GroupKind::Staff,
                display_name: String::new(),
                grade,
                taught: true,
                version: event.version,
                members: Roll::new(members).pack(GroupKind::Staff),
                entries: Vec::new(),
            }
        })
        .collect()
}

/// A person on a roll; none when the name is not one of the roster's.
fn to_member(member: &RollMember, posts: u32) -> Option<Member> {
    let id = member.person.rsplit('/').next()?;
    let since = u32::try_from(member.since).ok()?;
    let (year, month, day) = (since / 10_000, since / 100 % 100, since % 100);
    let since = chrono::NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day);
    Some(Member {
        person: PersonId(*uuid::Uuid::parse_str(id).ok()?.as_bytes()),
        on_leave: match member.presence() {
            Presence::Expected => false,
            Presence::Unspecified | Presence::OnLeave => true,
        },
        exempt: member.swab_exempt,
        since: since.map_or(Day::NEVER, Day::from),
        posts,
    })
}

#[cfg(test)]
mod tests;
