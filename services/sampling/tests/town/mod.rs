//! A small town with a roster that says what a test wants, and the service that hears it.
#![allow(dead_code, reason = "each test uses its part")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use kit::auth::{AuthConfig, Issuer, Role};
use kit::clock::{Clock, ManualClock};
use kit::drain::Drain;
use kit::scratch::Scratch;
use kit::server::{Running, ServerConfig};
use kit::telemetry::TelemetryConfig;
use proto::roster::RosterEvent;
use proto::roster::roster_event::State;
use proto::roster::roster_feed_server::RosterFeedServer;
use proto::sampling::coverage_service_client::CoverageServiceClient;
use proto::sampling::draw_service_client::DrawServiceClient;
use proto::sampling::plan_service_client::PlanServiceClient;
use proto::sampling::{
    Assignment, CloseDayRequest, CreatePlanRequest, Draw, DrawDayRequest, DrawDayResponse,
    ExportDrawRequest, ListAssignmentsRequest, SamplingPlan, sampling_plan,
};
use sea_orm::ConnectionTrait;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

pub(crate) mod roster;

use roster::FeedApi;
pub(crate) use roster::{Roster, class, student};

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
    telemetry: TelemetryConfig,
}

pub(crate) type Authorised = InterceptedService<Channel, Bearer>;

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
        Self::telling(database, roster, TelemetryConfig::default()).await
    }

    /// The same, with a service that tells operators what the settings say.
    pub(crate) async fn telling(
        database: Scratch,
        roster: Roster,
        telemetry: TelemetryConfig,
    ) -> Self {
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
                .add_service(roster.approvals.service())
                .add_service(roster.subjects.service())
                .serve_with_incoming(incoming),
        );
        let (running, channel, drain) = serve(&database, &roster_address, &clock, &telemetry).await;
        let town = Self {
            roster,
            clock,
            database,
            channel,
            drain,
            running: Some(running),
            roster_address,
            telemetry,
        };
        town.has_heard().await;
        town
    }

    /// The page of the service for operators.
    pub(crate) fn page(&self) -> std::net::SocketAddr {
        let running = self.running.as_ref().expect("it runs");
        running.page.expect("it has a page")
    }

    /// Stops the service.
    pub(crate) async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await.expect("it stops");
        }
    }

    /// Stops the service and starts it again on the same data.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        let (running, channel, drain) = serve(
            &self.database,
            &self.roster_address,
            &self.clock,
            &self.telemetry,
        )
        .await;
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

    pub(crate) fn authorised(&self, roles: &[Role], scope: &str) -> Authorised {
        self.authorised_at(roles, scope, None)
    }

    /// A client with these roles at a place; of a laboratory, with its code.
    pub(crate) fn authorised_at(
        &self,
        roles: &[Role],
        scope: &str,
        laboratory: Option<&str>,
    ) -> Authorised {
        let scope = scope.parse().expect("a place");
        let ttl = Duration::from_secs(365 * 86_400);
        let subject = laboratory.unwrap_or("tester");
        let now = self.clock.now();
        let token = Issuer::development().token(subject, roles, &scope, laboratory, now, ttl);
        InterceptedService::new(self.channel.clone(), Bearer(token))
    }

    /// A client of the family or the pupil `student`.
    pub(crate) fn family(&self, role: Role, student: &str) -> Authorised {
        let caller = kit::auth::Caller {
            person: Some(student.to_owned()),
            ..kit::auth::Caller::new(
                format!("of-{student}"),
                vec![role],
                school_path(SCHOOL).parse().expect("a place"),
            )
        };
        let ttl = Duration::from_secs(365 * 86_400);
        let token = Issuer::development().issue(caller, self.clock.now(), ttl);
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

async fn serve(
    database: &Scratch,
    roster: &str,
    clock: &ManualClock,
    telemetry: &TelemetryConfig,
) -> (Running, Channel, Drain) {
    let drain = Drain::new();
    let config = sampling::Config {
        server: ServerConfig::loopback(),
        auth: AuthConfig::development(),
        telemetry: telemetry.clone(),
        audit: kit::audit::AuditConfig::default(),
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

/// The code of a refusal and its reason.
pub(crate) fn reason(status: &Status) -> (Code, String) {
    let info = status
        .get_error_details()
        .error_info()
        .map(|info| info.reason.clone());
    (status.code(), info.unwrap_or_default())
}

/// Makes each test run on SQLite and on PostgreSQL with a database of its own.
macro_rules! on_both_databases {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(kit::scratch::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let Some(database) = kit::scratch::postgres().await else { return };
                super::$test(database).await;
            })+
        }
    };
}
pub(crate) use on_both_databases;
