//! A roster that says what a test wants, over the wire.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::NaiveDate;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kit::approvals::StandIn;
use proto::roster::calendar_year::NamedDay;
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::roll_member::Presence;
use proto::roster::roster_event::State;
use proto::roster::roster_feed_server::RosterFeed;
use proto::roster::{
    CalendarYear, ClassGroupRoll, Organization, PolicyProfile, RollMember, RosterEvent,
    SnapshotRequest, SnapshotResponse, StaffRoll, StaffRollMember, WatchRequest, WatchResponse,
    sampling_policy,
};
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use super::{CITY, DISTRICT, OTHER_SCHOOL, SCHOOL, school_path};

/// The student with this number; scattered, so that order says nothing.
pub(crate) fn student(number: u32) -> String {
    let scattered = number.wrapping_mul(2_654_435_761);
    format!(
        "students/{}",
        uuid::Uuid::from_u64_pair(u64::from(scattered) << 32, u64::from(number))
    )
}

pub(crate) fn member(person: String) -> RollMember {
    RollMember {
        person,
        presence: Presence::Expected.into(),
        since: 20_190_901,
        ..RollMember::default()
    }
}

/// A class group with students numbered from `first`.
pub(crate) fn class(school: &str, id: &str, first: u32, size: u32) -> ClassGroupRoll {
    ClassGroupRoll {
        class_group: format!("organizations/{school}/classGroups/{id}"),
        organization: format!("organizations/{school}"),
        display_name: "三年（1）班".to_owned(),
        grade: 3,
        teaching_mode: TeachingMode::InPerson.into(),
        members: (first..first + size)
            .map(|number| member(student(number)))
            .collect(),
    }
}

/// Members of a class group, by their place in it, board in a room.
pub(crate) fn board(roll: &mut ClassGroupRoll, places: std::ops::Range<usize>, room: &str) {
    for member in &mut roll.members[places] {
        member.boarder = true;
        room.clone_into(&mut member.dormitory);
    }
}

pub(crate) fn policy() -> PolicyProfile {
    let shipped = ::roster::shipped_policies(chrono::DateTime::UNIX_EPOCH);
    let mut policy = shipped.into_iter().next().expect("Fuzhou ships");
    policy.effective_date = NaiveDate::from_ymd_opt(2022, 1, 1).map(kit::field::to_date);
    if let Some(sampling) = &mut policy.sampling {
        sampling.post_frequencies = vec![sampling_policy::PostFrequency {
            post: proto::roster::staff_member::Post::Guard.into(),
            every_days: 2,
        }];
    }
    if let Some(pool) = &mut policy.pool {
        pool.single_only = Vec::new();
    }
    policy
}

/// What the roster says; the version of everything is its place in the history.
#[derive(Clone, Debug)]
pub(crate) struct Roster {
    history: Arc<Mutex<Vec<RosterEvent>>>,
    changed: Arc<watch::Sender<usize>>,
    /// What it answers when the service asks for approvals.
    pub(crate) approvals: StandIn,
    /// What it answers when the service asks whose data a request lets it show.
    pub(crate) subjects: kit::subject::StandIn,
}

impl Default for Roster {
    fn default() -> Self {
        Self {
            history: Arc::default(),
            changed: Arc::new(watch::Sender::new(0)),
            approvals: StandIn::default(),
            subjects: kit::subject::StandIn::default(),
        }
    }
}

impl Roster {
    /// A city with one district, two schools, the policy and Qingming.
    pub(crate) fn town() -> Self {
        Self::town_under(policy())
    }

    /// The same under another policy.
    pub(crate) fn town_under(policy: PolicyProfile) -> Self {
        let roster = Self::default();
        let mut path = String::new();
        for id in [CITY, DISTRICT, SCHOOL] {
            path = if path.is_empty() {
                id.to_owned()
            } else {
                format!("{path}/{id}")
            };
            roster.organization(id, &path);
        }
        roster.organization(OTHER_SCHOOL, &school_path(OTHER_SCHOOL));
        roster.policy(policy);
        let named = |day: (i32, u32, u32)| NamedDay {
            date: NaiveDate::from_ymd_opt(day.0, day.1, day.2).map(kit::field::to_date),
            display_name: "清明节".to_owned(),
        };
        let year = CalendarYear {
            name: "calendarYears/2022".to_owned(),
            year: 2022,
            days_off: [(2022, 4, 4), (2022, 4, 5)].map(named).into(),
            makeup_days: vec![named((2022, 4, 2))],
            ..CalendarYear::default()
        };
        roster.say("calendarYears/2022", CITY, State::CalendarYear(year));
        roster
    }

    /// Publishes another profile for the whole city.
    pub(crate) fn profile(&self, name: &str, profile: PolicyProfile) {
        self.say(name, CITY, State::PolicyProfile(profile));
    }

    pub(crate) fn organization(&self, id: &str, path: &str) {
        let name = format!("organizations/{id}");
        let organization = Organization {
            name: name.clone(),
            org_path: path.to_owned(),
            display_name: format!("学校 {id}"),
            ..Default::default()
        };
        self.say(&name, path, State::Organization(organization));
    }

    pub(crate) fn class(&self, roll: ClassGroupRoll) {
        let school = roll
            .organization
            .trim_start_matches("organizations/")
            .to_owned();
        let id = roll
            .class_group
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let path = format!("{}/{id}", school_path(&school));
        self.say(
            &roll.class_group.clone(),
            &path,
            State::ClassGroupRoll(roll),
        );
    }

    /// The policy of the city, in place of the one before.
    pub(crate) fn policy(&self, policy: PolicyProfile) {
        let name = "policyProfiles/fuzhou-2022-04-1";
        self.say(name, CITY, State::PolicyProfile(policy));
    }

    /// Staff of a school, with posts and grade.
    pub(crate) fn staff(&self, school: &str, staff: &[(String, &[&str], i32)]) {
        let members = staff
            .iter()
            .map(|(person, posts, grade)| StaffRollMember {
                member: Some(member(person.clone())),
                posts: posts.iter().map(|post| (*post).to_owned()).collect(),
                grade: *grade,
            })
            .collect();
        let name = format!("organizations/{school}/staffRoll");
        let roll = StaffRoll {
            organization: format!("organizations/{school}"),
            members,
        };
        self.say(&name, &school_path(school), State::StaffRoll(roll));
    }

    fn say(&self, entity: &str, path: &str, state: State) {
        let mut history = self.history.lock().expect("a lock");
        let version = i64::try_from(history.len()).expect("a version") + 1;
        history.push(RosterEvent {
            entity: entity.to_owned(),
            version,
            org_path: path.to_owned(),
            removed: false,
            state: Some(state),
        });
        self.changed.send_replace(history.len());
    }

    pub(super) fn said(&self) -> Vec<RosterEvent> {
        self.history.lock().expect("a lock").clone()
    }
}

pub(super) struct FeedApi(pub(super) Roster);

#[tonic::async_trait]
impl RosterFeed for FeedApi {
    type SnapshotStream = BoxStream<'static, Result<SnapshotResponse, Status>>;
    type WatchStream = BoxStream<'static, Result<WatchResponse, Status>>;

    async fn snapshot(
        &self,
        _: Request<SnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let said = self.0.said();
        let resume_token = said.len().to_string();
        let last: BTreeMap<String, RosterEvent> = said
            .into_iter()
            .map(|event| (event.entity.clone(), event))
            .collect();
        let mut parts: Vec<SnapshotResponse> = last
            .into_values()
            .collect::<Vec<_>>()
            .chunks(200)
            .map(|events| SnapshotResponse {
                events: events.to_vec(),
                ..Default::default()
            })
            .collect();
        let count = parts.len();
        for (place, part) in parts.iter_mut().enumerate() {
            if place + 1 == count {
                part.resume_token.clone_from(&resume_token);
            } else {
                part.page_token = place.to_string();
            }
        }
        Ok(Response::new(
            futures_util::stream::iter(parts.into_iter().map(Ok)).boxed(),
        ))
    }

    async fn watch(
        &self,
        request: Request<WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let from: usize = request.into_inner().resume_token.parse().unwrap_or(0);
        let roster = self.0.clone();
        let changes = roster.changed.subscribe();
        let stream = futures_util::stream::unfold((from, changes), move |(at, mut changes)| {
            let roster = roster.clone();
            async move {
                changes.wait_for(|count| *count > at).await.ok()?;
                let events = roster.said().split_off(at);
                let next = at + events.len();
                Some((
                    Ok(WatchResponse {
                        events,
                        resume_token: next.to_string(),
                        ..Default::default()
                    }),
                    (next, changes),
                ))
            }
        });
        Ok(Response::new(stream.boxed()))
    }
}
