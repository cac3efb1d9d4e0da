//! A register that publishes what a test wants and can be taken away: what stands below roster is
//! tested by itself.

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc, Weekday};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kit::clock::civil_date;
use kit::field::to_date;
use proto::roster::calendar_year::NamedDay;
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::gate_policy::CodeColour;
use proto::roster::roll_member::Presence;
use proto::roster::roster_event::State;
use proto::roster::roster_feed_server::{RosterFeed, RosterFeedServer};
use proto::roster::{
    CalendarYear, ClassGroupRoll, GatePolicy, HoldPolicy, Organization, PersonCodePolicy,
    PolicyProfile, PoolPolicy, RollMember, RosterEvent, SamplingPolicy, SnapshotRequest,
    SnapshotResponse, StaffRoll, StaffRollMember, TubePolicy, WatchRequest, WatchResponse,
    hold_policy, pool_policy, sampling_policy,
};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// The city.
pub const CITY: &str = "fz";
/// The only county bureau.
pub const DISTRICT: &str = "350102";
/// How many class groups each school has.
pub const CLASSES: u32 = 2;
/// How many students each class group has.
pub const STUDENTS: u32 = 20;

/// The id of the school with this number.
pub fn school(number: u32) -> String {
    format!("21350100{number:02}")
}

/// The place of a school in the tree.
pub fn school_path(number: u32) -> String {
    format!("{CITY}/{DISTRICT}/{}", school(number))
}

/// The student with this place in a class group of a school.
pub fn student(school: u32, class: u32, place: u32) -> String {
    let number = (u64::from(school) << 32) | (u64::from(class) << 16) | u64::from(place);
    let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("students/{}", Uuid::from_u64_pair(scattered, number))
}

/// The guard of a school.
pub fn guard(school: u32) -> String {
    format!("staff/{}", Uuid::from_u64_pair(7, u64::from(school)))
}

/// A register that answers until it is closed.
#[derive(Debug)]
pub struct Register {
    /// Where it answers.
    pub address: String,
    runtime: Option<Runtime>,
}

impl Register {
    /// Publishes a city with this many schools, in which the day of `now` is a school day.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn open(schools: u32, now: DateTime<Utc>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let events = facts(schools, civil_date(now));
        let serving = runtime.spawn(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let addr = listener.local_addr().expect("an address");
            let feed = RosterFeedServer::new(Feed(events)).max_encoding_message_size(64 << 20);
            let server = tonic::transport::Server::builder().add_service(feed);
            tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
            addr
        });
        let addr = serving.await.expect("the register opens");
        Self {
            address: format!("http://{addr}"),
            runtime: Some(runtime),
        }
    }

    /// Breaks every connection and answers no more.
    pub fn close(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Register {
    fn drop(&mut self) {
        self.close();
    }
}

struct Feed(Vec<RosterEvent>);

#[tonic::async_trait]
impl RosterFeed for Feed {
    type SnapshotStream = BoxStream<'static, Result<SnapshotResponse, Status>>;
    type WatchStream = BoxStream<'static, Result<WatchResponse, Status>>;

    async fn snapshot(
        &self,
        _: Request<SnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let whole = SnapshotResponse {
            events: self.0.clone(),
            page_token: String::new(),
            resume_token: "end".to_owned(),
        };
        Ok(Response::new(
            futures_util::stream::iter([Ok(whole)]).boxed(),
        ))
    }

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        // Nothing changes in this register.
        Ok(Response::new(futures_util::stream::pending().boxed()))
    }
}

fn event(entity: String, org_path: String, state: State) -> RosterEvent {
    RosterEvent {
        entity,
        version: 1,
        org_path,
        removed: false,
        state: Some(state),
    }
}

fn facts(schools: u32, today: NaiveDate) -> Vec<RosterEvent> {
    let organization = |id: &str, path: String| {
        let name = format!("organizations/{id}");
        let organization = Organization {
            name: name.clone(),
            org_path: path.clone(),
            ..Default::default()
        };
        event(name, path, State::Organization(organization))
    };
    let mut events = vec![
        organization(CITY, CITY.to_owned()),
        organization(DISTRICT, format!("{CITY}/{DISTRICT}")),
    ];
    let policy = policy();
    events.push(event(
        policy.name.clone(),
        CITY.to_owned(),
        State::PolicyProfile(policy),
    ));
    for year in [today.year(), today.year() + 1] {
        let calendar = calendar(year, today);
        let path = CITY.to_owned();
        events.push(event(
            calendar.name.clone(),
            path,
            State::CalendarYear(calendar),
        ));
    }
    for number in 1..=schools {
        let (id, path) = (school(number), school_path(number));
        events.push(organization(&id, path.clone()));
        for class in 1..=CLASSES {
            let roll = class_group(number, class);
            let path = format!("{path}/{}", class_id(class));
            events.push(event(
                roll.class_group.clone(),
                path,
                State::ClassGroupRoll(roll),
            ));
        }
        let roll = StaffRoll {
            organization: format!("organizations/{id}"),
            members: vec![StaffRollMember {
                member: Some(member(guard(number))),
                posts: vec!["GUARD".to_owned()],
                grade: 0,
            }],
        };
        events.push(event(
            format!("organizations/{id}/staffRoll"),
            path,
            State::StaffRoll(roll),
        ));
    }
    events
}

/// The id of the class group with this number.
pub fn class_id(class: u32) -> String {
    format!("p2019-{class:02}")
}

fn class_group(number: u32, class: u32) -> ClassGroupRoll {
    let school = format!("organizations/{}", school(number));
    let mut members: Vec<RollMember> = (1..=STUDENTS)
        .map(|place| member(student(number, class, place)))
        .collect();
    members.sort_unstable_by(|a, b| a.person.cmp(&b.person));
    ClassGroupRoll {
        class_group: format!("{school}/classGroups/{}", class_id(class)),
        organization: school,
        display_name: format!("三年（{class}）班"),
        grade: 3,
        teaching_mode: TeachingMode::InPerson.into(),
        members,
    }
}

fn member(person: String) -> RollMember {
    RollMember {
        person,
        presence: Presence::Expected.into(),
        since: 20_190_901,
        ..RollMember::default()
    }
}

/// A year without holidays; a weekend that the test runs on is made up, with the day after.
fn calendar(year: i32, today: NaiveDate) -> CalendarYear {
    let days = [Some(today), today.checked_add_days(Days::new(1))]
        .into_iter()
        .flatten();
    let made_up = days
        .filter(|day| matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && day.year() == year)
        .map(|day| NamedDay {
            date: Some(to_date(day)),
            display_name: "补课".to_owned(),
        });
    CalendarYear {
        name: format!("calendarYears/{year}"),
        year,
        makeup_days: made_up.collect(),
        ..CalendarYear::default()
    }
}

fn policy() -> PolicyProfile {
    PolicyProfile {
        name: "policyProfiles/fuzhou-2022-04-1".to_owned(),
        policy_version: "fuzhou-2022-04@1".to_owned(),
        profile: "fuzhou-2022-04".to_owned(),
        organization: format!("organizations/{CITY}"),
        effective_date: Some(proto::Date {
            year: 2022,
            month: 4,
            day: 1,
        }),
        state: proto::roster::policy_profile::State::Active.into(),
        gate: Some(GatePolicy {
            temperature_max_tenths: 373,
            health_code_check: true,
            deny_colours: [CodeColour::Red, CodeColour::Yellow]
                .map(Into::into)
                .to_vec(),
            ..GatePolicy::default()
        }),
        person_code: Some(PersonCodePolicy { ttl_days: 30 }),
        sampling: Some(SamplingPolicy {
            enabled: true,
            student_ratio_basis_points: 2000,
            unit: sampling_policy::Unit::Class.into(),
            strategy: sampling_policy::Strategy::LeastRecent.into(),
            cycle_days: 5,
            gap_alert_days: 7,
            rounding: sampling_policy::Rounding::Up.into(),
            staff_ratio_basis_points: 2000,
            post_frequencies: Vec::new(),
            environment_days: 7,
        }),
        pool: Some(PoolPolicy {
            pool_type: pool_policy::PoolType::P10.into(),
            class_pure: true,
            single_only: Vec::new(),
        }),
        tube: Some(TubePolicy::default()),
        hold: Some(HoldPolicy {
            auto_release: hold_policy::AutoRelease::SingleNegative.into(),
        }),
        ..PolicyProfile::default()
    }
}
