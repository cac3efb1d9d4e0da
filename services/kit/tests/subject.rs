//! What a service tells people about themselves, as callers see it and as the roster is asked.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use kit::audit::AuditConfig;
use kit::auth::{AuthConfig, Caller, Issuer, Permission, Role};
use kit::clock::{Clock, SystemClock};
use kit::db::{Database, statement};
use kit::drain::Drain;
use kit::said;
use kit::server::{Running, Server, ServerConfig};
use kit::status::Problem;
use kit::subject::{
    As, Asked, By, Field, Group, Held, HeldDataGrpc, Holdings, LeftOut, Record, Requests, Rows,
    Section, StandIn, untold,
};
use proto::audit::audit_log_service_client::AuditLogServiceClient;
use proto::audit::audit_record::Kind;
use proto::audit::{AuditFilter, SearchRecordsRequest};
use proto::sampling::clearance::Control;
use proto::subject::held_data_service_client::HeldDataServiceClient;
use proto::subject::held_data_service_server::HeldDataServiceServer;
use proto::subject::held_section::Telling;
use proto::subject::{ExportHeldDataRequest, HeldSection};
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

const REQUEST: &str =
    "organizations/2135010001/subjectRequests/0b9c3f5e-a111-4222-8333-44445555abcd";
const CLASS: &str = "fz/350102/2135010001/p2019-01";
const SCHOOL: &str = "fz/350102/2135010001";

struct Marks;

impl MigrationName for Marks {
    fn name(&self) -> &str {
        "m20261127_000001_marks"
    }
}

#[async_trait]
impl MigrationTrait for Marks {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = [
            "CREATE TABLE marks (person BLOB NOT NULL, control SMALLINT NOT NULL, good BOOLEAN NOT NULL, \
             set_at BIGINT NOT NULL, note TEXT)",
            "CREATE TABLE sealed (id A_UUID PRIMARY KEY)",
            "CREATE TABLE weather (day INTEGER PRIMARY KEY)",
        ];
        kit::migration::create(manager, &tables).await
    }
}

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = kit::migration::tables();
        migrations.push(Box::new(Marks));
        migrations
    }
}

kit::store_suite!(Migrator;
    rows_of_the_person_are_told_the_latest_first_and_nobody_elses,
    a_long_section_comes_in_parts_with_one_count,
    what_is_reserved_or_withheld_says_why,
    who_may_not_reveal_numbers_is_refused_before_the_roster_is_asked,
    what_the_roster_refuses_is_refused_and_without_it_nothing_is_told,
    a_family_is_told_of_its_own_child_only,
    who_works_is_told_everything_about_themselves_and_nothing_of_colleagues,
    a_handler_is_told_of_who_works_as_of_pupils,
    the_roster_is_told_what_is_left_of_the_callers_deadline,
    a_read_is_on_record,
    whoever_read_or_changed_something_of_the_person_is_told_without_names,
    every_table_is_accounted_for_once,
);

const fn section(name: &'static str, tables: &'static [&'static str]) -> Section {
    Section {
        name,
        title: "标记",
        title_en: "marks",
        purpose: "试验",
        basis: "个人信息保护法第十三条",
        retention: "三十日",
        guard: None,
        only: None,
        reserve: None,
        tables,
        rows: None,
    }
}

static SECTIONS: [Section; 4] = [
    Section {
        rows: Some(Rows {
            by: By::Bytes,
            from: "marks m WHERE m.person = $1",
            order: "m.set_at DESC",
            fields: &[
                Field("control", "m.control", said!(Control)),
                Field("good", "m.good", As::YesNo),
                Field("set_time", "m.set_at", As::Millis),
                Field("note", "m.note", As::Text),
            ],
        }),
        ..section("marks", &["marks"])
    },
    Section {
        reserve: Some("由心理教师另行答复"),
        ..section("sealed", &["sealed"])
    },
    Section {
        guard: Some(Permission::HealthRead),
        ..section("private", &["sealed"])
    },
    Section {
        only: Some(Group::Staff),
        ..section("shifts", &["sealed"])
    },
];

/// Marks of people, something sealed, and something that handlers are not told.
#[derive(Debug)]
struct House(Database);

#[async_trait]
impl Holdings for House {
    fn service(&self) -> &'static str {
        "sampling"
    }

    fn sections(&self) -> &'static [Section] {
        &SECTIONS
    }

    fn database(&self) -> &Database {
        &self.0
    }

    async fn gather(&self, _: &'static Section, asked: &Asked) -> Result<Held, Problem> {
        Ok(Held::all(vec![
            Record::new().with("place", asked.school().to_string()),
        ]))
    }
}

struct Town {
    db: Database,
    roster: StandIn,
    running: Running,
    channel: Channel,
}

impl Town {
    async fn open(db: Database) -> Self {
        let roster = StandIn::default();
        let address = roster.serve().await.expect("a port");
        let requests = kit::channel::connect_lazy(&address).expect("an address");
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let config = ServerConfig {
            drain: Duration::from_millis(200),
            ..ServerConfig::loopback()
        };
        let server = Server::bind(&config, &AuthConfig::development(), clock, Drain::new()).await;
        let server = server
            .expect("binds")
            .audited(&db, "sampling", &AuditConfig::default());
        let held = HeldDataGrpc::new(House(db.clone()), Requests::new(requests));
        let routes = tonic::service::Routes::new(HeldDataServiceServer::new(held));
        let running = server.expect("a log").serve(routes);
        let address = format!("http://{}", running.addr);
        Self {
            db,
            roster,
            running,
            channel: kit::channel::connect_lazy(&address).expect("an address"),
        }
    }

    async fn mark(&self, person: Uuid, set_at: i64) {
        let tx = self.db.begin().await.expect("a transaction");
        let values = [
            person.as_bytes().to_vec().into(),
            2_i16.into(),
            true.into(),
            set_at.into(),
        ];
        let sql = "INSERT INTO marks (person, control, good, set_at) VALUES ($1, $2, $3, $4)";
        tx.execute_raw(statement(&tx, sql, values))
            .await
            .expect("a row");
        tx.commit().await.expect("stored");
    }

    async fn export(&self, caller: Caller) -> Result<Vec<HeldSection>, Status> {
        let mut client = HeldDataServiceClient::new(self.channel.clone());
        let name = REQUEST.to_owned();
        let asked = signed(caller, ExportHeldDataRequest { name });
        let mut parts = client.export_held_data(asked).await?.into_inner();
        let mut sections = Vec::new();
        while let Some(part) = parts.message().await? {
            sections.extend(part.section);
        }
        Ok(sections)
    }

    async fn stop(self) {
        self.running.stop().await.expect("it stops");
    }
}

fn pupil(number: u128) -> (Uuid, String) {
    let id = Uuid::from_u128(number);
    (id, format!("students/{id}"))
}

fn clerk() -> Caller {
    somebody(Role::SchoolClerk, SCHOOL)
}

fn somebody(role: Role, place: &str) -> Caller {
    let place = place.parse().expect("a place");
    Caller {
        second_factor: true,
        ..Caller::new("somebody", vec![role], place)
    }
}

fn family(child: &str) -> Caller {
    Caller {
        person: Some(child.to_owned()),
        ..somebody(Role::Guardian, SCHOOL)
    }
}

fn signed<T>(caller: Caller, message: T) -> Request<T> {
    let ttl = Duration::from_secs(60);
    let token = Issuer::development().issue(caller, SystemClock.now(), ttl);
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", bearer);
    request
}

fn reason(status: &Status) -> (Code, String) {
    let info = status.get_details_error_info();
    let reason = info.map(|info| info.reason).unwrap_or_default();
    (status.code(), reason)
}

/// The records of a section as fields and values.
fn records(section: &HeldSection) -> Vec<Vec<(&str, &str)>> {
    let records = section.records.iter();
    let told = records.map(|record| {
        let fields = record.fields.iter();
        fields.map(|one| (&*one.field, &*one.value)).collect()
    });
    told.collect()
}

async fn rows_of_the_person_are_told_the_latest_first_and_nobody_elses(db: Database) {
    let town = Town::open(db).await;
    let ((id, name), (other, _)) = (pupil(1), pupil(2));
    town.roster.say(REQUEST, &name, CLASS);
    town.mark(id, 1_649_289_600_000).await;
    town.mark(id, 1_649_376_000_000).await;
    town.mark(other, 1_649_289_600_000).await;
    let told = town.export(clerk()).await.expect("it is told");
    let names: Vec<_> = told.iter().map(|one| &*one.section).collect();
    assert_eq!(names, ["marks", "sealed", "private", "accesses"]);
    let marks = &told[0];
    assert_eq!((marks.telling(), marks.record_count), (Telling::Full, 2));
    let mark = |time| {
        vec![
            ("control", "CONTROL_POOL_HOLD"),
            ("good", "是"),
            ("set_time", time),
        ]
    };
    let expected = [mark("2022-04-08 08:00:00"), mark("2022-04-07 08:00:00")];
    assert_eq!(records(marks), expected);
    let words = [&marks.title, &marks.title_en, &marks.purpose, &marks.basis];
    assert!(words.iter().all(|words| !words.is_empty()) && marks.sensitive);
    let heard = town.roster.heard();
    assert_eq!((&*heard[0].name, &*heard[0].service), (REQUEST, "sampling"));
    town.stop().await;
}

async fn a_long_section_comes_in_parts_with_one_count(db: Database) {
    let town = Town::open(db).await;
    let (id, name) = pupil(1);
    town.roster.say(REQUEST, &name, CLASS);
    for time in 1..=201 {
        town.mark(id, time).await;
    }
    let mut told = town.export(clerk()).await.expect("it is told");
    told.retain(|one| one.section == "marks");
    let sizes: Vec<_> = told.iter().map(|one| one.records.len()).collect();
    assert_eq!(sizes, [200, 1]);
    assert!(told.iter().all(|one| one.record_count == 201));
    town.stop().await;
}

async fn what_is_reserved_or_withheld_says_why(db: Database) {
    let town = Town::open(db).await;
    let (_, name) = pupil(1);
    town.roster.say(REQUEST, &name, CLASS);
    let told = town.export(clerk()).await.expect("it is told");
    let heads = |told: &[HeldSection]| -> Vec<(Telling, String, i64)> {
        let heads = told[1..3].iter();
        let head =
            |one: &HeldSection| (one.telling(), one.withheld_reason.clone(), one.record_count);
        heads.map(head).collect()
    };
    let reserved = (Telling::Existence, "由心理教师另行答复".to_owned(), 1);
    let guarded = heads(&told).pop().expect("two");
    assert_eq!((guarded.0, guarded.2), (Telling::Withheld, 0));
    assert!(guarded.1.contains("经办人"), "{guarded:?}");
    assert_eq!(heads(&told)[0], reserved);
    assert_eq!(records(&told[2]), Vec::<Vec<(&str, &str)>>::new());
    assert_eq!(records(&told[1]), [[("place", SCHOOL)]]);
    let told = town.export(family(&name)).await.expect("it is told");
    let full = (Telling::Full, String::new(), 1);
    assert_eq!(heads(&told), [reserved, full.clone()]);
    // Whoever reads such records every day is told them, and may answer for the school as well.
    let doctor = Caller {
        roles: vec![Role::SchoolClerk, Role::SchoolDoctor],
        ..clerk()
    };
    let told = town.export(doctor).await.expect("it is told");
    assert_eq!(heads(&told)[1], full);
    town.stop().await;
}

async fn who_may_not_reveal_numbers_is_refused_before_the_roster_is_asked(db: Database) {
    let town = Town::open(db).await;
    let (_, name) = pupil(1);
    town.roster.say(REQUEST, &name, CLASS);
    for role in [Role::Guard, Role::Principal, Role::ClassReporter] {
        let refused = town.export(somebody(role, SCHOOL)).await;
        let denied = (Code::PermissionDenied, "SCOPE_DENIED".to_owned());
        assert_eq!(reason(&refused.expect_err("refused")), denied, "{role}");
    }
    assert_eq!(town.roster.heard(), []);
    // What the roster says of the place is not enough.
    let elsewhere = somebody(Role::SchoolClerk, "fz/350102/2135010002");
    let refused = town.export(elsewhere).await.expect_err("refused");
    assert_eq!(reason(&refused).1, "SCOPE_DENIED");
    town.stop().await;
}

async fn what_the_roster_refuses_is_refused_and_without_it_nothing_is_told(db: Database) {
    let town = Town::open(db).await;
    let (_, name) = pupil(1);
    let refused = town.export(clerk()).await.expect_err("no request");
    assert_eq!(reason(&refused), (Code::NotFound, "NOT_FOUND".to_owned()));
    town.roster.say(REQUEST, &name, CLASS);
    town.export(clerk()).await.expect("it is told");
    town.roster.close(REQUEST);
    let refused = town.export(clerk()).await.expect_err("it was closed");
    let closed = (Code::FailedPrecondition, "SUBJECT_REQUEST_STATE".to_owned());
    assert_eq!(reason(&refused), closed);
    town.roster.say(REQUEST, &name, CLASS);
    town.roster.down.store(true, Ordering::SeqCst);
    let refused = town.export(clerk()).await.expect_err("nobody is asked");
    assert_eq!(
        reason(&refused),
        (Code::Unavailable, "UNAVAILABLE".to_owned())
    );
    town.stop().await;
}

async fn a_family_is_told_of_its_own_child_only(db: Database) {
    let town = Town::open(db).await;
    let ((_, own), (_, other)) = (pupil(1), pupil(2));
    // A roster that says another child than that of the token is not believed.
    town.roster.say(REQUEST, &other, CLASS);
    let refused = town.export(family(&own)).await.expect_err("refused");
    assert_eq!(reason(&refused).1, "SCOPE_DENIED");
    town.roster.say(REQUEST, &own, CLASS);
    town.export(family(&own)).await.expect("it is told");
    town.stop().await;
}

async fn the_roster_is_told_what_is_left_of_the_callers_deadline(db: Database) {
    let town = Town::open(db).await;
    let (_, name) = pupil(1);
    town.roster.say(REQUEST, &name, CLASS);
    // Less than the roster has by itself.
    let deadline = Duration::from_secs(4);
    let name = REQUEST.to_owned();
    let mut asked = signed(clerk(), ExportHeldDataRequest { name });
    asked.set_timeout(deadline);
    let mut client = HeldDataServiceClient::new(town.channel.clone());
    client.export_held_data(asked).await.expect("it is told");
    let waits = town.roster.waits();
    assert!(matches!(waits[..], [wait] if wait <= deadline), "{waits:?}");
    town.stop().await;
}

/// Whether records wait for their place in the log.
async fn waiting(db: &Database) -> bool {
    let any = statement(db.read(), "SELECT id FROM audit_pending LIMIT 1", []);
    let any = db.read().query_one_raw(any).await;
    any.expect("the database answers").is_some()
}

async fn a_read_is_on_record(db: Database) {
    let town = Town::open(db).await;
    let (_, name) = pupil(1);
    town.roster.say(REQUEST, &name, CLASS);
    town.export(clerk()).await.expect("it is told");
    while waiting(&town.db).await {
        let chained = kit::audit::chain_all(&town.db, "sampling").await;
        chained.expect("a log");
        tokio::task::yield_now().await;
    }
    let asked = SearchRecordsRequest {
        filter: Some(AuditFilter {
            method: "/campus.subject.v1.HeldDataService/ExportHeldData".to_owned(),
            ..AuditFilter::default()
        }),
        ..SearchRecordsRequest::default()
    };
    let mut log = AuditLogServiceClient::new(town.channel.clone());
    let found = log.search_records(signed(somebody(Role::AuditAdmin, "fz"), asked));
    let found = found.await.expect("records").into_inner().records;
    let [record] = found.as_slice() else {
        panic!("{} records", found.len());
    };
    assert_eq!((record.kind(), &*record.place), (Kind::Read, CLASS));
    assert_eq!(record.resources, [REQUEST]);
    town.stop().await;
}

async fn whoever_read_or_changed_something_of_the_person_is_told_without_names(db: Database) {
    let town = Town::open(db).await;
    let (_, name) = pupil(1);
    town.roster.say(REQUEST, &name, CLASS);
    // A read, an act and a refusal, far behind what the log of this test writes itself.
    for (kind, sequence) in [(1, 1_000_001_i64), (2, 1_000_002), (3, 1_000_003)] {
        let tx = town.db.begin().await.expect("a transaction");
        let sql = "INSERT INTO audit_records (sequence, time, subject, roles, scope, partner, purpose, \
             method, kind, resources, resource_count, place, code, error_reason, request_id, trace_id, \
             reason, call_count, beside, previous_hash, hash) \
             VALUES ($1, 1649289600000, 'doctor-7', 'school-doctor', '', '', 'care', '/a.B/C', $2, $3, 1, \
             'fz', 0, '', '', '', '', 1, FALSE, $4, $4)";
        let values = [
            sequence.into(),
            kind.into(),
            name.as_str().into(),
            vec![0_u8; 32].into(),
        ];
        tx.execute_raw(statement(&tx, sql, values))
            .await
            .expect("a row");
        let sql = "INSERT INTO audit_names (name, sequence) VALUES ($1, $2)";
        let values = [name.as_str().into(), sequence.into()];
        tx.execute_raw(statement(&tx, sql, values))
            .await
            .expect("a row");
        tx.commit().await.expect("stored");
    }
    let told = town.export(clerk()).await.expect("it is told");
    let accesses = told.last().expect("the last section");
    let access = vec![
        ("time", "2022-04-07 08:00:00"),
        ("method", "/a.B/C"),
        ("roles", "school-doctor"),
        ("purpose", "care"),
        ("place", "fz"),
    ];
    assert_eq!(records(accesses), [access.clone(), access]);
    town.stop().await;
}

async fn every_table_is_accounted_for_once(db: Database) {
    let left = |tables| LeftOut {
        reason: "no person",
        tables,
    };
    let silent = LeftOut {
        reason: "",
        ..left(&["weather"])
    };
    let found = untold(&db, &SECTIONS, &[silent]).await;
    let expected = ["weather is left out without a reason"];
    assert_eq!(found.expect("tables"), expected);
    let all = untold(&db, &SECTIONS, &[left(&["weather"])]).await;
    assert_eq!(all.expect("tables"), Vec::<String>::new());
    let found = untold(&db, &SECTIONS[1..], &[left(&["sealed", "rooms"])]).await;
    let expected = [
        "marks is neither told nor left out",
        "weather is neither told nor left out",
        "rooms does not exist",
        "sealed is accounted for 2 times",
    ];
    assert_eq!(found.expect("tables"), expected);
}

/// Somebody who works at the school, and is responsible for one class group only.
fn teacher(number: u128) -> Caller {
    let (id, _) = pupil(number);
    Caller {
        person: Some(format!("staff/{id}")),
        ..somebody(Role::ClassReporter, CLASS)
    }
}

async fn who_works_is_told_everything_about_themselves_and_nothing_of_colleagues(db: Database) {
    let town = Town::open(db).await;
    let own = teacher(1);
    let name = own.person.clone().expect("a person");
    town.roster.say(REQUEST, &name, SCHOOL);
    town.mark(pupil(1).0, 1_649_289_600_000).await;
    let told = town.export(own).await.expect("it is told");
    let names: Vec<_> = told.iter().map(|one| &*one.section).collect();
    assert_eq!(names, ["marks", "sealed", "private", "shifts", "accesses"]);
    let in_full = told.iter().filter(|one| one.telling() == Telling::Full);
    assert_eq!(in_full.count(), 4, "all but what is reserved");
    assert_eq!(told[0].record_count, 1);
    assert_eq!(records(&told[3]), [[("place", SCHOOL)]]);
    let colleague = town.export(teacher(2)).await.expect_err("refused");
    let denied = (Code::PermissionDenied, "SCOPE_DENIED".to_owned());
    assert_eq!(reason(&colleague), denied);
    town.roster.say(REQUEST, &pupil(1).1, CLASS);
    let namesake = town.export(teacher(1)).await.expect_err("refused");
    assert_eq!(reason(&namesake), denied, "a pupil of the same number");
    town.stop().await;
}

async fn a_handler_is_told_of_who_works_as_of_pupils(db: Database) {
    let town = Town::open(db).await;
    let name = teacher(1).person.expect("a person");
    town.roster.say(REQUEST, &name, SCHOOL);
    let guarded = |told: &[HeldSection]| told[2].telling();
    let told = town.export(clerk()).await.expect("it is told");
    assert_eq!(guarded(&told), Telling::Withheld);
    let herself = Caller {
        person: Some(name),
        ..clerk()
    };
    let told = town.export(herself).await.expect("it is told");
    assert_eq!(guarded(&told), Telling::Full);
    town.stop().await;
}
