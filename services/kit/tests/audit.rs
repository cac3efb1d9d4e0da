//! The audit log as callers, auditors and thieves see it, on both databases.

use std::sync::Arc;
use std::time::Duration;

use kit::audit::{AuditConfig, chain_all, from_pb};
use kit::auth::{AuthConfig, BREAK_GLASS, Caller, Issuer, PURPOSE, Permission, Role, caller};
use kit::clock::{Clock, SystemClock};
use kit::db::{Database, statement};
use kit::drain::Drain;
use kit::request;
use kit::server::{Running, Server, ServerConfig};
use kit::status::Problem;
use opentelemetry::global;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use proto::audit::audit_log_service_client::AuditLogServiceClient;
use proto::audit::audit_record::Kind;
use proto::audit::{
    AuditFilter, AuditRecord, BreakGlassUse, ExportRecordsRequest, ListBreakGlassUsesRequest,
    SearchRecordsRequest, VerifyChainRequest,
};
use proto::error::ErrorReason;
use proto::sampling::hold_service_client::HoldServiceClient;
use proto::sampling::hold_service_server::{HoldService, HoldServiceServer};
use proto::sampling::{
    GetHoldRequest, Hold, ListHoldEventsRequest, ListHoldEventsResponse, ListHoldsRequest,
    ListHoldsResponse, ListRecheckOrdersRequest, ListRecheckOrdersResponse, ReleaseHoldRequest,
};
use sea_orm::ConnectionTrait;
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

const SERVICE: &str = "sampling";
const PLACE: &str = "fz/350102/2135010001";
const HOLD: &str = "holds/5f0c3a52-6f4e-4d1c-9a67-3f1d2f0f7a11";
const ID: &str = "8d1f6a3e-2b7c-4d5e-8f90-a1b2c3d4e5f6";
/// What must never stand in the log.
const PLANTED: [&str; 4] = ["13800138000", "350102201609019990", "林小满", "linxiaoman"];

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        kit::migration::tables()
    }
}

kit::store_suite!(Migrator;
    a_read_is_durable_before_its_answer,
    an_act_is_recorded_once_with_its_effect,
    an_act_that_its_transaction_forgot_is_recorded_beside_it,
    a_refusal_is_recorded_and_its_flood_is_not,
    a_broken_glass_is_durable_before_the_call,
    who_breaks_the_glass_for_nothing_is_on_record,
    uses_of_the_glass_are_told_by_caller_and_hour_without_who_it_was,
    nothing_leaves_when_it_cannot_be_recorded,
    nothing_personal_stands_in_the_log,
    auditors_search_verify_and_export_and_are_recorded,
    an_auditor_of_a_district_sees_no_other,
);

/// Holds at one school. The reason of a release says what becomes of it.
#[derive(Debug)]
struct Holds(Database);

#[tonic::async_trait]
impl HoldService for Holds {
    async fn get_hold(&self, request: Request<GetHoldRequest>) -> Result<Response<Hold>, Status> {
        caller(&request)?.require(Permission::HoldRead, &place())?;
        let name = request.into_inner().name;
        Ok(Response::new(Hold {
            name,
            ..Hold::default()
        }))
    }

    async fn release_hold(
        &self,
        request: Request<ReleaseHoldRequest>,
    ) -> Result<Response<Hold>, Status> {
        let caller = caller(&request)?;
        caller.require(Permission::HoldRelease, &place())?;
        let message = request.into_inner();
        let hold = Hold {
            name: message.name.clone(),
            ..Hold::default()
        };
        if message.reason == "forget" {
            return Ok(Response::new(hold));
        }
        let once = (message.request_id.as_str(), &message);
        let now = SystemClock.now();
        let done = request::act(
            &self.0,
            &caller,
            "ReleaseHold",
            once,
            now,
            async |_| match message.reason.as_str() {
                "fail" => Err(Problem::new(ErrorReason::Conflict)),
                _ => Ok(hold),
            },
        );
        Ok(Response::new(done.await?))
    }

    async fn list_holds(
        &self,
        _: Request<ListHoldsRequest>,
    ) -> Result<Response<ListHoldsResponse>, Status> {
        Err(Problem::new(ErrorReason::NotFound).into())
    }

    async fn list_recheck_orders(
        &self,
        _: Request<ListRecheckOrdersRequest>,
    ) -> Result<Response<ListRecheckOrdersResponse>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn list_hold_events(
        &self,
        _: Request<ListHoldEventsRequest>,
    ) -> Result<Response<ListHoldEventsResponse>, Status> {
        Ok(Response::new(Default::default()))
    }
}

fn place() -> kit::org::OrgPath {
    PLACE.parse().expect("a place")
}

/// A service that keeps a log in `db`.
struct Town {
    db: Database,
    running: Running,
    channel: Channel,
}

impl Town {
    async fn open(db: Database) -> Self {
        // As a process does that begins to tell its telemetry.
        global::set_text_map_propagator(TraceContextPropagator::new());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let auth = AuthConfig::development();
        let config = ServerConfig {
            drain: Duration::from_millis(200),
            ..ServerConfig::loopback()
        };
        let server = Server::bind(&config, &auth, clock, Drain::new()).await;
        let server = server.expect("binds");
        let server = server.audited(&db, SERVICE, &AuditConfig::default());
        let holds = HoldServiceServer::new(Holds(db.clone()));
        let running = server
            .expect("a log")
            .serve(tonic::service::Routes::new(holds));
        let address = format!("http://{}", running.addr);
        Self {
            db,
            running,
            channel: kit::channel::connect_lazy(&address).expect("an address"),
        }
    }

    fn holds(&self) -> HoldServiceClient<Channel> {
        HoldServiceClient::new(self.channel.clone())
    }

    fn log(&self) -> AuditLogServiceClient<Channel> {
        AuditLogServiceClient::new(self.channel.clone())
    }

    /// Every record, those that are not chained yet included, the oldest first.
    async fn records(&self) -> Vec<AuditRecord> {
        chained(&self.db).await;
        let asked = signed(Role::AuditAdmin, "", SearchRecordsRequest::default());
        let found = self.log().search_records(asked).await.expect("records");
        let mut records = found.into_inner().records;
        records.retain(|record| !record.method.starts_with("/campus.audit."));
        records.reverse();
        records
    }

    /// The records once there are so many.
    async fn settled(&self, count: usize) -> Vec<AuditRecord> {
        let waiting = async {
            loop {
                let records = self.records().await;
                if records.len() >= count {
                    return records;
                }
                tokio::task::yield_now().await;
            }
        };
        let settled = tokio::time::timeout(Duration::from_secs(30), waiting).await;
        settled.expect("the records come")
    }
}

fn signed<T>(role: Role, scope: &str, message: T) -> Request<T> {
    signed_by(&format!("test-{role}"), role, scope, message)
}

fn signed_by<T>(subject: &str, role: Role, scope: &str, message: T) -> Request<T> {
    let caller = Caller {
        subject: subject.to_owned(),
        roles: vec![role],
        scope: scope.parse().expect("a place"),
        second_factor: true,
        ..Caller::default()
    };
    let ttl = Duration::from_secs(60);
    let token = Issuer::development().issue(caller, SystemClock.now(), ttl);
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", bearer);
    request
}

fn get(name: &str) -> GetHoldRequest {
    GetHoldRequest {
        name: name.to_owned(),
    }
}

fn release(reason: &str, request_id: &str) -> ReleaseHoldRequest {
    ReleaseHoldRequest {
        name: HOLD.to_owned(),
        reason: reason.to_owned(),
        decided_by: String::new(),
        request_id: request_id.to_owned(),
    }
}

/// How many rows both tables of the log have.
async fn rows(db: &Database) -> i64 {
    let sql = "SELECT (SELECT count(*) FROM audit_pending) + (SELECT count(*) FROM audit_records)";
    number(db, sql).await
}

async fn number(db: &Database, sql: &str) -> i64 {
    let row = db.read().query_one_raw(statement(db.read(), sql, [])).await;
    let row = row.expect("a count").expect("a row");
    row.try_get_by_index(0).expect("a number")
}

/// Waits until every record that was written is chained, by whomever.
async fn chained(db: &Database) {
    while number(db, "SELECT count(*) FROM audit_pending").await > 0 {
        chain_all(db, SERVICE).await.expect("chains");
        tokio::task::yield_now().await;
    }
}

async fn a_read_is_durable_before_its_answer(db: Database) {
    let town = Town::open(db).await;
    let mut asked = signed(Role::SchoolDoctor, PLACE, get(HOLD));
    let metadata = asked.metadata_mut();
    metadata.insert(PURPOSE, "care".parse().expect("it is answered"));
    town.holds().get_hold(asked).await.expect("it is answered");
    assert_eq!(rows(&town.db).await, 1);
    let records = town.records().await;
    let expected = AuditRecord {
        service: SERVICE.to_owned(),
        sequence: 1,
        time: records[0].time,
        subject: "test-school-doctor".to_owned(),
        roles: vec!["school-doctor".to_owned()],
        scope: PLACE.to_owned(),
        purpose: "care".to_owned(),
        method: "/campus.sampling.v1.HoldService/GetHold".to_owned(),
        kind: Kind::Read.into(),
        resources: vec![HOLD.to_owned()],
        resource_count: 1,
        place: PLACE.to_owned(),
        call_count: 1,
        previous_hash: vec![0; 32].into(),
        hash: records[0].hash.clone(),
        ..AuditRecord::default()
    };
    assert_eq!(records, [expected]);
    let missing = signed(Role::SchoolDoctor, PLACE, ListHoldsRequest::default());
    town.holds()
        .list_holds(missing)
        .await
        .expect_err("it is refused");
    assert_eq!(town.records().await.len(), 1, "nothing was read");
    town.running.stop().await.expect("it is answered");
}

async fn an_act_is_recorded_once_with_its_effect(db: Database) {
    let town = Town::open(db).await;
    let act = |reason, id| signed(Role::SchoolDoctor, PLACE, release(reason, id));
    let officer = |reason, id| signed(Role::CityOfficer, "", release(reason, id));
    town.holds()
        .release_hold(act("negative", ID))
        .await
        .expect_err("it is refused");
    let failed = town.holds().release_hold(officer("fail", ID)).await;
    assert_eq!(failed.expect_err("it is refused").code(), Code::Aborted);
    for _ in 0..3 {
        town.holds()
            .release_hold(officer("negative", ID))
            .await
            .expect("it is answered");
    }
    town.holds()
        .release_hold(officer("negative", ""))
        .await
        .expect("it is answered");
    let records = town.settled(3).await;
    let acts: Vec<_> = records
        .iter()
        .filter(|record| record.kind() == Kind::Act)
        .map(|record| (record.request_id.as_str(), record.beside, &*record.place))
        .collect();
    assert_eq!(acts, [(ID, false, PLACE), ("", false, PLACE)]);
    town.running.stop().await.expect("it is answered");
}

async fn an_act_that_its_transaction_forgot_is_recorded_beside_it(db: Database) {
    let town = Town::open(db).await;
    let forgetting = signed(Role::CityOfficer, "", release("forget", ID));
    town.holds()
        .release_hold(forgetting)
        .await
        .expect("it is answered");
    assert_eq!(rows(&town.db).await, 1);
    let records = town.records().await;
    assert_eq!((records[0].kind(), records[0].beside), (Kind::Act, true));
    town.running.stop().await.expect("it is answered");
}

async fn a_refusal_is_recorded_and_its_flood_is_not(db: Database) {
    let town = Town::open(db).await;
    for _ in 0..50 {
        let asked = signed(Role::Student, PLACE, get(HOLD));
        let refused = town
            .holds()
            .get_hold(asked)
            .await
            .expect_err("it is refused");
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
    let records = town.settled(1).await;
    let [record] = &records[..] else {
        panic!("one record: {records:?}");
    };
    let told = (record.kind(), record.code, &*record.error_reason);
    assert_eq!(told, (Kind::Refused, 7, "SCOPE_DENIED"));
    // What was counted is written when the service stops, at the latest when the minute is over.
    town.running.stop().await.expect("it is answered");
    let part = |table| format!("(SELECT COALESCE(sum(call_count), 0) FROM {table} WHERE kind = 3)");
    let (pending, records) = (part("audit_pending"), part("audit_records"));
    let sql = format!("SELECT CAST({pending} + {records} AS BIGINT)");
    let counted = async {
        while number(&town.db, &sql).await < 50 {
            tokio::task::yield_now().await;
        }
    };
    let counted = tokio::time::timeout(Duration::from_secs(30), counted).await;
    counted.expect("what was counted is written");
    assert_eq!(number(&town.db, &sql).await, 50);
}

async fn a_broken_glass_is_durable_before_the_call(db: Database) {
    let town = Town::open(db).await;
    const WHY: &str = "食堂聚集性呕吐，急需查看健康状况";
    let mut asked = signed(Role::Principal, PLACE, get(HOLD));
    let why = WHY
        .bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect::<String>();
    asked
        .metadata_mut()
        .insert(BREAK_GLASS, why.parse().expect("it is answered"));
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    asked
        .metadata_mut()
        .insert("traceparent", trace.parse().expect("it is answered"));
    town.holds().get_hold(asked).await.expect("it is answered");
    let records = town.records().await;
    let told: Vec<_> = records
        .iter()
        .map(|record| (record.kind(), record.reason.as_str()))
        .collect();
    assert_eq!(told, [(Kind::BreakGlass, WHY), (Kind::Read, "")]);
    assert_eq!(records[0].trace_id, "0af7651916cd43dd8448eb211c80319c");
    let without = broken("principal-1", PLACE);
    town.holds()
        .get_hold(without)
        .await
        .expect("it is answered");
    let records = town.records().await;
    let [.., used, read] = &records[..] else {
        panic!("two more records: {records:?}");
    };
    assert_eq!((used.trace_id.len(), used.time), (32, read.time));
    assert_eq!(used.trace_id, read.trace_id, "what was read is found by it");
    town.running.stop().await.expect("it is answered");
}

async fn who_breaks_the_glass_for_nothing_is_on_record(db: Database) {
    let town = Town::open(db).await;
    let mut asked = signed(Role::Guard, PLACE, get(HOLD));
    let why = "an emergency at the school"
        .parse()
        .expect("it is answered");
    asked.metadata_mut().insert(BREAK_GLASS, why);
    let refused = town
        .holds()
        .get_hold(asked)
        .await
        .expect_err("it is refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
    let records = town.settled(1).await;
    let told = (
        records[0].kind(),
        &*records[0].subject,
        &*records[0].error_reason,
    );
    assert_eq!(told, (Kind::Refused, "test-guard", "SCOPE_DENIED"));
    town.running.stop().await.expect("it is answered");
}

/// A principal asks for the hold and breaks the glass.
fn broken(subject: &str, scope: &str) -> Request<GetHoldRequest> {
    let mut asked = signed_by(subject, Role::Principal, scope, get(HOLD));
    let why = "an emergency at the school"
        .parse()
        .expect("it is answered");
    asked.metadata_mut().insert(BREAK_GLASS, why);
    asked
}

async fn uses_of_the_glass_are_told_by_caller_and_hour_without_who_it_was(db: Database) {
    let town = Town::open(db).await;
    for subject in ["one", "other", "one"] {
        town.holds()
            .get_hold(broken(subject, PLACE))
            .await
            .expect("it is answered");
    }
    chained(&town.db).await;
    let uses = async |role, scope: &str, after_sequence| {
        let request = ListBreakGlassUsesRequest {
            after_sequence,
            ..ListBreakGlassUsesRequest::default()
        };
        let asked = signed(role, scope, request);
        town.log().list_break_glass_uses(asked).await
    };
    let told = uses(Role::Service, "", 0)
        .await
        .expect("it is answered")
        .into_inner();
    let [first, other, again] = &told.uses[..] else {
        panic!("three uses: {told:?}");
    };
    assert_eq!(told.last_sequence, 6);
    assert_eq!((first.first_sequence, first.use_count), (first.sequence, 1));
    assert_eq!((other.first_sequence, other.use_count), (other.sequence, 1));
    // The hour may have turned in between.
    let of_same_hour = (first.sequence, 2);
    let of_next_hour = (again.sequence, 1);
    let found = (again.first_sequence, again.use_count);
    let hour = |used: &BreakGlassUse| used.time.map(|time| time.seconds / 3600);
    let expected = if hour(first) == hour(again) {
        of_same_hour
    } else {
        of_next_hour
    };
    assert_eq!(found, expected);
    assert!(told.uses.iter().all(|used| used.place == PLACE));
    let rest = uses(Role::Service, "", other.sequence)
        .await
        .expect("it is answered");
    assert_eq!(rest.into_inner().uses, std::slice::from_ref(again));
    let next = uses(Role::DiseaseControl, "fz/350103", 0)
        .await
        .expect("it is answered");
    assert_eq!(next.into_inner().uses, [], "of other places");
    let own = uses(Role::DiseaseControl, "fz/350102", 0)
        .await
        .expect("it is answered");
    assert_eq!(own.into_inner().uses.len(), 3);
    let refused = uses(Role::Principal, PLACE, 0)
        .await
        .expect_err("it is refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
    town.running.stop().await.expect("it is answered");
}

async fn nothing_leaves_when_it_cannot_be_recorded(db: Database) {
    let town = Town::open(db).await;
    town.db.close().await;
    let asked = signed(Role::SchoolDoctor, PLACE, get(HOLD));
    let refused = town
        .holds()
        .get_hold(asked)
        .await
        .expect_err("it is refused");
    assert_eq!(refused.code(), Code::Unavailable);
    let forgetting = signed(Role::CityOfficer, "", release("forget", ID));
    let refused = town
        .holds()
        .release_hold(forgetting)
        .await
        .expect_err("it is refused");
    assert_eq!(refused.code(), Code::Unavailable);
    town.running.stop().await.expect("it is answered");
}

async fn nothing_personal_stands_in_the_log(db: Database) {
    let town = Town::open(db).await;
    for planted in PLANTED {
        for name in [planted.to_owned(), format!("holds/{planted}")] {
            // A word of plain letters behind a collection is what opaque identifiers look like.
            if name == "holds/linxiaoman" {
                continue;
            }
            let asked = signed(Role::SchoolDoctor, PLACE, get(&name));
            town.holds().get_hold(asked).await.expect("it is answered");
        }
        let mut message = release(planted, "");
        message.decided_by = planted.to_owned();
        let asked = signed(Role::CityOfficer, "", message);
        town.holds()
            .release_hold(asked)
            .await
            .expect("it is answered");
    }
    let records = town.settled(11).await;
    assert_eq!(records.len(), 11);
    let told = format!("{records:?}");
    for planted in PLANTED {
        assert!(!told.contains(planted), "{planted}");
    }
    town.running.stop().await.expect("it is answered");
}

async fn auditors_search_verify_and_export_and_are_recorded(db: Database) {
    let town = Town::open(db).await;
    for _ in 0..5 {
        let asked = signed(Role::SchoolDoctor, PLACE, get(HOLD));
        town.holds().get_hold(asked).await.expect("it is answered");
    }
    chained(&town.db).await;
    let filter = AuditFilter {
        resource: HOLD.to_owned(),
        ..AuditFilter::default()
    };
    let mut request = SearchRecordsRequest {
        filter: Some(filter),
        page_size: 2,
        page_token: String::new(),
    };
    let mut found = Vec::new();
    loop {
        let asked = signed(Role::AuditAdmin, "", request.clone());
        let page = town
            .log()
            .search_records(asked)
            .await
            .expect("it is answered")
            .into_inner();
        found.extend(page.records.iter().map(|record| record.sequence));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(found, [5, 4, 3, 2, 1]);
    let own = AuditFilter {
        method: "/campus.safety.v1.GateService/CheckEntry".to_owned(),
        ..AuditFilter::default()
    };
    let own = SearchRecordsRequest {
        filter: Some(own),
        ..SearchRecordsRequest::default()
    };
    let own = town
        .log()
        .search_records(signed(Role::AuditAdmin, "", own))
        .await;
    assert_eq!(
        own.expect("it is answered").into_inner().own_record,
        "gate_decisions"
    );

    chained(&town.db).await;
    let whole = || signed(Role::AuditAdmin, "", VerifyChainRequest::default());
    let verdict = town
        .log()
        .verify_chain(whole())
        .await
        .expect("it is answered")
        .into_inner();
    assert_eq!((verdict.fault, verdict.last_sequence), (None, 9));
    let asked = signed(Role::AuditAdmin, "", ExportRecordsRequest::default());
    let mut export = town
        .log()
        .export_records(asked)
        .await
        .expect("it is answered")
        .into_inner();
    let mut exported = Vec::new();
    while let Some(piece) = export.message().await.expect("it is answered") {
        exported.extend(piece.records);
    }
    let mut verification = kit::audit::Verification::new(SERVICE, [], &[]).expect("it is answered");
    for record in exported {
        verification
            .push(&from_pb(record).expect("it is answered"))
            .expect("it is answered");
    }
    assert!(verification.finish().expect("it is answered").records >= 9);

    let tx = town.db.begin().await.expect("it is answered");
    let change = "UPDATE audit_records SET place = 'fz' WHERE sequence = 4";
    tx.execute_unprepared(change).await.expect("it is answered");
    tx.commit().await.expect("it is answered");
    let verdict = town
        .log()
        .verify_chain(whole())
        .await
        .expect("it is answered")
        .into_inner();
    assert_eq!(verdict.fault.expect("it is answered").sequence, 4);

    let readers = AuditFilter {
        subject: "test-audit-admin".to_owned(),
        ..AuditFilter::default()
    };
    let readers = SearchRecordsRequest {
        filter: Some(readers),
        ..SearchRecordsRequest::default()
    };
    chained(&town.db).await;
    let readers = signed(Role::AuditAdmin, "", readers);
    let readers = town
        .log()
        .search_records(readers)
        .await
        .expect("it is answered");
    assert!(readers.into_inner().records.len() >= 6);
    town.running.stop().await.expect("it is answered");
}

async fn an_auditor_of_a_district_sees_no_other(db: Database) {
    let town = Town::open(db).await;
    let asked = signed(Role::SchoolDoctor, PLACE, get(HOLD));
    town.holds().get_hold(asked).await.expect("it is answered");
    chained(&town.db).await;
    let search = |scope: &str, place: &str| {
        let filter = AuditFilter {
            place: place.to_owned(),
            ..AuditFilter::default()
        };
        let request = SearchRecordsRequest {
            filter: Some(filter),
            ..SearchRecordsRequest::default()
        };
        signed(Role::AuditAdmin, scope, request)
    };
    let own = town
        .log()
        .search_records(search("fz/350102", ""))
        .await
        .expect("it is answered");
    assert_eq!(own.into_inner().records.len(), 1);
    let next = town
        .log()
        .search_records(search("fz/350103", ""))
        .await
        .expect("it is answered");
    assert_eq!(next.into_inner().records.len(), 0);
    let refused = town
        .log()
        .search_records(search("fz/350103", "fz/350102"))
        .await;
    assert_eq!(
        refused.expect_err("it is refused").code(),
        Code::PermissionDenied
    );
    let refused = signed(Role::AuditAdmin, "fz/350102", VerifyChainRequest::default());
    let refused = town
        .log()
        .verify_chain(refused)
        .await
        .expect_err("it is refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
    let stranger = signed(Role::CityOfficer, "", SearchRecordsRequest::default());
    let refused = town
        .log()
        .search_records(stranger)
        .await
        .expect_err("it is refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
    town.running.stop().await.expect("it is answered");
}
