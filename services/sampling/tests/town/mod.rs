//! A small town with a roster that says what a test wants, and the service that hears it.
#![allow(dead_code, reason = "each test uses its part")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kit::auth::{AuthConfig, Issuer, Role};
use kit::clock::{Clock, ManualClock};
use kit::drain::Drain;
use kit::scratch::Scratch;
use kit::server::{Running, ServerConfig};
use kit::telemetry::TelemetryConfig;
use proto::roster::calendar_year::NamedDay;
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::roll_member::Presence;
use proto::roster::roster_event::State;
use proto::roster::roster_feed_server::{RosterFeed, RosterFeedServer};
use proto::roster::{
    CalendarYear, ClassGroupRoll, HoldPolicy, Organization, PolicyProfile, PoolPolicy, RollMember,
    RosterEvent, SamplingPolicy, SnapshotRequest, SnapshotResponse, StaffRoll, StaffRollMember,
    TubePolicy, WatchRequest, WatchResponse, hold_policy, pool_policy, sampling_policy,
};
use proto::sampling::coverage_service_client::CoverageServiceClient;
use proto::sampling::draw_service_client::DrawServiceClient;
use proto::sampling::plan_service_client::PlanServiceClient;
use proto::sampling::{
    Assignment, CloseDayRequest, CreatePlanRequest, Draw, DrawDayRequest, DrawDayResponse,
    ExportDrawRequest, ListAssignmentsRequest, SamplingPlan, sampling_plan,
};
use sea_orm::ConnectionTrait;
use tokio::sync::watch;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

pub(crate) const CITY: &str = "fz";
pub(crate) const DISTRICT: &str = "350102";
pub(crate) const SCHOOL: &str = "2135010001";
pub(crate) const OTHER_SCHOOL: &str = "2135010002";

/// Monday, 28 March 2022: the week before Qingming, whose Saturday is made up.
pub(crate) fn monday() -> NaiveDate {
    NaiveDate::from_ymd_opt(2022, 3, 28).expect("a day")
}

pub(crate) fn school_path(school: &str) -> String {
    format!("{CITY}/{DISTRICT}/{school}")
}

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

fn hours(hours: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration {
        seconds: hours * 3600,
        nanos: 0,
    })
}

pub(crate) fn policy() -> PolicyProfile {
    PolicyProfile {
        name: "policyProfiles/fuzhou-2022-04-1".to_owned(),
        policy_version: "fuzhou-2022-04@1".to_owned(),
        effective_date: Some(kit::field::to_date(
            NaiveDate::from_ymd_opt(2022, 1, 1).expect("a day"),
        )),
        sampling: Some(SamplingPolicy {
            enabled: true,
            student_ratio_basis_points: 2000,
            unit: sampling_policy::Unit::Class.into(),
            strategy: sampling_policy::Strategy::LeastRecent.into(),
            cycle_days: 5,
            gap_alert_days: 7,
            rounding: sampling_policy::Rounding::Up.into(),
            staff_ratio_basis_points: 2000,
            post_frequencies: vec![sampling_policy::PostFrequency {
                post: proto::roster::staff_member::Post::Guard.into(),
                every_days: 2,
            }],
            environment_days: 7,
        }),
        pool: Some(PoolPolicy {
            pool_type: pool_policy::PoolType::P10.into(),
            class_pure: true,
            single_only: Vec::new(),
        }),
        tube: Some(TubePolicy {
            max_to_laboratory: hours(4),
            result_sla: hours(24),
            positive_resample: hours(2),
            ..TubePolicy::default()
        }),
        hold: Some(HoldPolicy {
            auto_release: hold_policy::AutoRelease::SingleNegative.into(),
        }),
        ..PolicyProfile::default()
    }
}

/// What the roster says; the version of everything is its place in the history.
#[derive(Clone, Debug)]
pub(crate) struct Roster {
    history: Arc<Mutex<Vec<RosterEvent>>>,
    changed: Arc<watch::Sender<usize>>,
}

impl Default for Roster {
    fn default() -> Self {
        Self {
            history: Arc::default(),
            changed: Arc::new(watch::Sender::new(0)),
        }
    }
}

impl Roster {
    /// A city with one district, two schools, the policy and Qingming.
    pub(crate) fn town() -> Self {
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
        roster.say(
            "policyProfiles/fuzhou-2022-04-1",
            CITY,
            State::PolicyProfile(policy()),
        );
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

    pub(crate) fn organization(&self, id: &str, path: &str) {
        let name = format!("organizations/{id}");
        let organization = Organization {
            name: name.clone(),
            org_path: path.to_owned(),
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

    fn said(&self) -> Vec<RosterEvent> {
        self.history.lock().expect("a lock").clone()
    }
}

struct FeedApi(Roster);

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
                    }),
                    (next, changes),
                ))
            }
        });
        Ok(Response::new(stream.boxed()))
    }
}

/// A service that has heard the roster.
#[derive(Debug)]
pub(crate) struct Town {
    pub(crate) roster: Roster,
    pub(crate) clock: ManualClock,
    pub(crate) database: Scratch,
    pub(crate) channel: Channel,
    pub(crate) drain: Drain,
    running: Option<Running>,
    roster_address: String,
}

type Authorised = InterceptedService<Channel, Bearer>;

#[derive(Clone)]
pub(crate) struct Bearer(String);

impl tonic::service::Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let value = format!("Bearer {}", self.0)
            .parse()
            .expect("a token is ASCII");
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}

impl Town {
    /// Starts the service on `database` and waits until it has heard what `roster` says.
    pub(crate) async fn start(database: Scratch, roster: Roster) -> Self {
        let clock = ManualClock::morning_of(monday());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let roster_address = format!("http://{}", listener.local_addr().expect("an address"));
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        let feed =
            RosterFeedServer::new(FeedApi(roster.clone())).max_encoding_message_size(64 << 20);
        tokio::spawn(
            tonic::transport::Server::builder()
                .add_service(feed)
                .serve_with_incoming(incoming),
        );
        let (running, channel, drain) = serve(&database, &roster_address, &clock).await;
        let town = Self {
            roster,
            clock,
            database,
            channel,
            drain,
            running: Some(running),
            roster_address,
        };
        town.has_heard().await;
        town
    }

    /// Stops the service and starts it again on the same data.
    pub(crate) async fn restart(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await.expect("it stops");
        }
        let (running, channel, drain) =
            serve(&self.database, &self.roster_address, &self.clock).await;
        (self.running, self.channel, self.drain) = (Some(running), channel, drain);
        self.has_heard().await;
    }

    /// Waits until the last thing said by the roster is stored.
    pub(crate) async fn has_heard(&self) {
        let said = self.roster.said();
        let groups: Vec<&RosterEvent> = said
            .iter()
            .filter(|event| matches!(event.state, Some(State::ClassGroupRoll(_))))
            .collect();
        let last: BTreeMap<&str, i64> = groups
            .iter()
            .map(|event| (event.org_path.as_str(), event.version))
            .collect();
        let expected: i64 = last.values().sum();
        let db = kit::db::Database::connect(&self.database)
            .await
            .expect("the database");
        let sql =
            "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM class_rolls WHERE kind = 1";
        for _ in 0..6000 {
            let sum = db
                .read()
                .query_one_raw(kit::db::statement(db.read(), sql, []))
                .await;
            let sum: i64 = sum
                .ok()
                .flatten()
                .map_or(0, |row| row.try_get_by_index(0).unwrap_or(0));
            if sum == expected && self.hears_policy(&db).await {
                db.close().await;
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the roster was not heard");
    }

    async fn hears_policy(&self, db: &kit::db::Database) -> bool {
        let facts = sampling::store::policy::FactsCache::default()
            .get(db.read())
            .await;
        facts.is_ok_and(|facts| !facts.policies.is_empty())
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn today(&self) -> NaiveDate {
        self.clock.today()
    }

    /// Moves to 08:00 of the next civil day.
    pub(crate) fn next_day(&self) {
        self.clock.advance(chrono::Duration::days(1));
    }

    fn authorised(&self, roles: &[Role], scope: &str) -> Authorised {
        let scope = scope.parse().expect("a place");
        let ttl = Duration::from_secs(365 * 86_400);
        let token =
            Issuer::development().token("tester", roles, &scope, None, self.clock.now(), ttl);
        InterceptedService::new(self.channel.clone(), Bearer(token))
    }

    pub(crate) fn draws(&self) -> DrawServiceClient<Authorised> {
        self.draws_as(&[Role::CityOfficer], CITY)
    }

    pub(crate) fn draws_as(&self, roles: &[Role], scope: &str) -> DrawServiceClient<Authorised> {
        DrawServiceClient::new(self.authorised(roles, scope))
    }

    pub(crate) fn plans(&self) -> PlanServiceClient<Authorised> {
        self.plans_as(&[Role::CityOfficer], CITY)
    }

    pub(crate) fn plans_as(&self, roles: &[Role], scope: &str) -> PlanServiceClient<Authorised> {
        PlanServiceClient::new(self.authorised(roles, scope))
    }

    pub(crate) fn coverage(&self) -> CoverageServiceClient<Authorised> {
        CoverageServiceClient::new(self.authorised(&[Role::CityOfficer], CITY))
    }

    pub(crate) fn date(&self) -> proto::Date {
        kit::field::to_date(self.today())
    }

    /// The students' plan of the city from today.
    pub(crate) async fn plan(&self, id: &str, kind: sampling_plan::Kind) -> SamplingPlan {
        let plan = SamplingPlan {
            display_name: "每日抽样".to_owned(),
            kind: kind.into(),
            organization: format!("organizations/{CITY}"),
            start_date: Some(self.date()),
            ..SamplingPlan::default()
        };
        let request = CreatePlanRequest {
            plan: Some(plan),
            plan_id: id.to_owned(),
            ..Default::default()
        };
        self.plans()
            .create_plan(request)
            .await
            .expect("a plan")
            .into_inner()
    }

    /// Draws today and returns the last progress.
    pub(crate) async fn draw(&self, plan: &str, organization: &str) -> DrawDayResponse {
        self.try_draw(plan, organization).await.expect("a draw")
    }

    pub(crate) async fn try_draw(
        &self,
        plan: &str,
        organization: &str,
    ) -> Result<DrawDayResponse, Status> {
        let request = DrawDayRequest {
            plan: format!("plans/{plan}"),
            organization: format!("organizations/{organization}"),
            draw_date: None,
        };
        let mut progress = self.draws().draw_day(request).await?.into_inner();
        let mut last = DrawDayResponse::default();
        while let Some(next) = progress.message().await? {
            last = next;
        }
        assert!(last.finished, "the last message is the end");
        Ok(last)
    }

    pub(crate) fn draw_name(&self, plan: &str, school: &str) -> String {
        let today = self.today();
        format!(
            "draws/{plan}~{:04}{:02}{:02}~{school}",
            today.year(),
            today.month(),
            today.day()
        )
    }

    pub(crate) async fn assignments(&self, draw: &str, class_group: &str) -> Vec<Assignment> {
        let request = ListAssignmentsRequest {
            draw: draw.to_owned(),
            class_group: class_group.to_owned(),
            page_size: 1000,
            ..Default::default()
        };
        let answer = self
            .draws()
            .list_assignments(request)
            .await
            .expect("assignments");
        answer.into_inner().assignments
    }

    pub(crate) async fn close(&self, draw: &str) -> Draw {
        let request = CloseDayRequest {
            name: draw.to_owned(),
            ..Default::default()
        };
        self.draws()
            .close_day(request)
            .await
            .expect("closed")
            .into_inner()
    }

    /// The file of today's publication.
    pub(crate) async fn export(&self, plan: &str, organization: &str) -> Vec<u8> {
        let request = ExportDrawRequest {
            plan: format!("plans/{plan}"),
            organization: format!("organizations/{organization}"),
            draw_date: Some(self.date()),
        };
        let mut chunks = self
            .draws()
            .export_draw(request)
            .await
            .expect("a file")
            .into_inner();
        let mut file = Vec::new();
        while let Some(chunk) = chunks.message().await.expect("a chunk") {
            file.extend(chunk.content);
        }
        file
    }

    /// Swabs people of a group today, as a sealed tube would.
    pub(crate) async fn swab(&self, group_path: &str, people: &[String]) {
        let db = kit::db::Database::connect(&self.database)
            .await
            .expect("the database");
        let tx = db.begin().await.expect("a transaction");
        let ids: Vec<_> = people.iter().map(|name| person(name)).collect();
        sampling::store::rotation::sampled(&tx, group_path, &ids, self.today().into())
            .await
            .expect("swabbed");
        tx.commit().await.expect("committed");
        db.close().await;
    }

    /// Holds somebody of a group, as a positive tube would.
    pub(crate) async fn hold(&self, group_path: &str, who: &str) {
        let db = kit::db::Database::connect(&self.database)
            .await
            .expect("the database");
        let sql = "INSERT INTO clearances (person, org_path, control, medical, effective_time, \
            rule, policy_version, basis, version) VALUES ($1, $2, 2, 1, 0, '2.19', '', '', 1)";
        let tx = db.begin().await.expect("a transaction");
        let values = [person(who).0.to_vec().into(), group_path.into()];
        tx.execute_raw(kit::db::statement(&tx, sql, values))
            .await
            .expect("held");
        tx.commit().await.expect("committed");
        db.close().await;
    }
}

pub(crate) fn person(name: &str) -> sampling::domain::roll::PersonId {
    let id = name.rsplit('/').next().expect("an identifier");
    sampling::domain::roll::PersonId(*uuid::Uuid::parse_str(id).expect("a UUID").as_bytes())
}

async fn serve(database: &Scratch, roster: &str, clock: &ManualClock) -> (Running, Channel, Drain) {
    let drain = Drain::new();
    let config = sampling::Config {
        server: ServerConfig::loopback(),
        auth: AuthConfig::development(),
        telemetry: TelemetryConfig::default(),
        database: (**database).clone(),
        roster: roster.to_owned(),
        signing_key_file: None,
    };
    let running = sampling::start(config, Arc::new(clock.clone()), drain.clone())
        .await
        .expect("the service starts");
    let channel =
        kit::channel::connect_lazy(&format!("http://{}", running.addr)).expect("a channel");
    (running, channel, drain)
}
