//! How far a directive has come: by level, by district, with what is overdue and late.

use crate::town;
use crate::town::on_both;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::Duration;
use kit::auth::Role;
use kit::db::{Reader, statement};
use kit::scratch::Scratch;
use notification::domain::chain::Level;
use notification::store::Store;
use proto::notification as pb;
use proto::notification::level_progress::Level as Pb;
use proto::roster::organization::Kind;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use tonic::Code;
use uuid::Uuid;

use crate::town::classes::{class_group, class_name};
use crate::town::officers::{BUREAU_CLERK, SCHOOL_CLERK, SIGN, SISTER_CLERK, Step, WORK, draft};
use crate::town::world::{World, by, told};
use crate::town::{
    BUREAU, BUREAU_PATH, CITY, OTHER, SCHOOL, SCHOOL_PATH, SISTER, morning, organization,
};

on_both!(
    progress_is_told_by_level_and_district,
    a_district_is_done_by_the_share_of_the_policy_in_force_there,
    only_the_orderer_sees_progress,
    the_number_of_statements_does_not_grow,
    recipients_move_with_their_school,
);

fn level(progress: &pb::DirectiveProgress, level: Pb) -> &pb::LevelProgress {
    let mut levels = progress.levels.iter();
    levels.find(|one| one.level() == level).expect("a level")
}

fn minutes(of: &pb::LevelProgress) -> [i32; 4] {
    [
        of.first_minutes,
        of.median_minutes,
        of.p90_minutes,
        of.last_minutes,
    ]
}

/// A directive to everybody and their class groups.
async fn issued(world: &mut World) -> pb::Directive {
    let classes = [("p2019-01", 1), ("p2019-02", 2), ("p2019-03", 3)];
    let classes = classes.map(|(id, pupil)| class_group(SCHOOL_PATH, id, 3, &[pupil]));
    town::roster(&world.db, &classes, 1).await;
    let ask = pb::DraftDirectiveRequest {
        to_class_groups: true,
        ..draft(&[CITY])
    };
    let draft = world.drafted(ask).await.expect("drafted");
    world.sent(&draft.name).await
}

async fn progress_is_told_by_level_and_district(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let unsent = world.draft(&[BUREAU]).await;
    let nothing = world.progress(&unsent.name).await;
    assert!(!nothing.done && nothing.levels.is_empty() && nothing.districts.is_empty());

    let directive = issued(&mut world).await;
    let name = &*directive.name;
    assert_eq!(directive.recipient_count, 8);
    let counts = |of: &pb::LevelProgress| {
        [
            of.recipient_count,
            of.reached_count,
            of.acknowledged_count,
            of.accepted_count,
        ]
    };
    let begun = world.progress(name).await;
    assert_eq!(counts(level(&begun, Pb::District)), [2, 2, 0, 0]);
    assert_eq!(counts(level(&begun, Pb::School)), [3, 0, 0, 0]);
    assert_eq!(minutes(level(&begun, Pb::District)), [-1; 4]);

    let hash = directive.text_sha256.to_vec();
    world.clock.advance(Duration::minutes(10));
    world.steps(name, BUREAU, BUREAU_CLERK, &SIGN).await;
    let relayed = world.step(name, BUREAU, BUREAU_CLERK, Step::Relay(hash.clone()));
    relayed.await.expect("relayed");
    world.clock.advance(Duration::minutes(5));
    world.steps(name, SCHOOL, SCHOOL_CLERK, &SIGN).await;
    let relayed = world.step(name, SCHOOL, SCHOOL_CLERK, Step::Relay(hash));
    relayed.await.expect("relayed");
    for (after, id) in [(1, "p2019-01"), (2, "p2019-02"), (4, "p2019-03")] {
        world.clock.set(morning() + Duration::minutes(15 + after));
        let scope = format!("{SCHOOL_PATH}/{id}");
        let reporter = (Role::ClassReporter, &*scope);
        world
            .steps(name, &class_name(SCHOOL_PATH, id), reporter, &SIGN)
            .await;
    }
    // Two hours are over: one school signs late, the second bureau has not.
    world.clock.set(morning() + Duration::minutes(150));
    world.steps(name, SISTER, SISTER_CLERK, &SIGN).await;
    let now = world.progress(name).await;
    let districts = level(&now, Pb::District);
    assert_eq!(
        (minutes(districts), districts.overdue_count),
        ([10, 10, -1, -1], 1)
    );
    let schools = level(&now, Pb::School);
    assert_eq!(counts(schools), [3, 2, 2, 0]);
    assert_eq!(
        (minutes(schools), schools.late_count),
        ([15, 150, -1, -1], 1)
    );
    let class_groups = level(&now, Pb::ClassGroup);
    assert_eq!(
        (minutes(class_groups), class_groups.late_count),
        ([16, 17, 19, 19], 0)
    );
    let told: Vec<_> = now
        .districts
        .iter()
        .map(|one| {
            (
                &*one.organization,
                one.school_count,
                one.acknowledged_count,
                one.required_count,
            )
        })
        .collect();
    assert_eq!(told, [(BUREAU, 2, 2, 2), ("organizations/350103", 1, 0, 1)]);
    assert_eq!((now.done, now.done_percent), (false, 100));
    let overdue = world.outstanding(CITY, "fz", true).await;
    let overdue: Vec<_> = overdue.iter().map(|one| &*one.organization).collect();
    assert_eq!(overdue, ["organizations/350103"]);
}

async fn a_district_is_done_by_the_share_of_the_policy_in_force_there(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    town::roster(&world.db, &[town::policy_of(2, 10, 50)], 1).await;
    let directive = world.issued(&[BUREAU]).await;
    let (name, hash) = (&*directive.name, directive.text_sha256.to_vec());
    world.steps(name, BUREAU, BUREAU_CLERK, &SIGN).await;
    let relayed = world.step(name, BUREAU, BUREAU_CLERK, Step::Relay(hash));
    relayed.await.expect("relayed");
    world.steps(name, BUREAU, BUREAU_CLERK, &WORK).await;
    let early = world.accept(name, BUREAU, "fz").await.expect_err("none");
    assert_eq!(told(&early).2, "下级单位仅完成 0 个，需达到 1 个");
    world.steps(name, SCHOOL, SCHOOL_CLERK, &SIGN).await;
    world.steps(name, SCHOOL, SCHOOL_CLERK, &WORK).await;
    world
        .accept(name, SCHOOL, BUREAU_PATH)
        .await
        .expect("accepted");
    let progress = world.progress(name).await;
    assert_eq!((progress.done, progress.done_percent), (true, 50));
    assert_eq!(progress.districts[0].required_count, 1);
    world.accept(name, BUREAU, "fz").await.expect("half of two");
}

async fn only_the_orderer_sees_progress(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let name = world.issued(&[BUREAU]).await.name;
    for (scope, code) in [
        (BUREAU_PATH, Code::PermissionDenied),
        ("fz", Code::NotFound),
    ] {
        let elsewhere = format!("{CITY}/directives/{}", Uuid::from_u128(7));
        let name = if scope == "fz" {
            elsewhere
        } else {
            name.clone()
        };
        let ask = pb::GetDirectiveProgressRequest { name };
        let ask = by("reader-1", Role::DistrictOfficer, scope, ask);
        let refused = world.directives.get_directive_progress(ask).await;
        assert_eq!(told(&refused.expect_err("elsewhere")).0, code);
    }
}

/// A connection that counts what passes through it.
struct Counted<'a> {
    inner: &'a Reader,
    statements: AtomicUsize,
}

impl Counted<'_> {
    fn one_more(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Counted<'_> {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.one_more();
        self.inner.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.one_more();
        self.inner.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.one_more();
        self.inner.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.one_more();
        self.inner.query_all_raw(statement).await
    }
}

/// Three recipients and three thousand take as many statements.
async fn the_number_of_statements_does_not_grow(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let few = world.issued(&[BUREAU]).await;
    let mut many = Vec::new();
    for number in 0..60 {
        let school = format!("{BUREAU_PATH}/2135{number:06}");
        many.push(organization(&school, Kind::School));
        many.extend(
            (1..=50).map(|class| class_group(&school, &format!("p2019-{class:02}"), 3, &[])),
        );
    }
    town::roster(&world.db, &many, 1).await;
    let ask = pb::DraftDirectiveRequest {
        to_class_groups: true,
        ..draft(&[BUREAU])
    };
    let draft = world.drafted(ask).await.expect("drafted");
    let many = world.sent(&draft.name).await;
    assert_eq!((few.recipient_count, many.recipient_count), (3, 3063));
    let mut statements = Vec::new();
    for (directive, sizes) in [
        (&few, vec![(Level::District, 1), (Level::School, 2)]),
        (
            &many,
            vec![
                (Level::District, 1),
                (Level::School, 62),
                (Level::ClassGroup, 3000),
            ],
        ),
    ] {
        let counted = Counted {
            inner: world.db.read(),
            statements: AtomicUsize::new(0),
        };
        let id = directive.name.rsplit('/').next().unwrap_or_default();
        let id = Uuid::try_parse(id).expect("an id");
        let counts = Store::progress(&counted, id, morning())
            .await
            .expect("counted");
        let mut told: Vec<_> = counts
            .iter()
            .map(|one| (one.level, one.recipients))
            .collect();
        told.sort();
        assert_eq!(told, sizes);
        let signed = Store::signed(&counted, id, &counts).await.expect("read");
        assert_eq!(signed.len(), sizes.len());
        Store::districts(&counted, id).await.expect("read");
        statements.push(counted.statements.into_inner());
    }
    assert_eq!(statements, [4, 4]);
}

async fn recipients_move_with_their_school(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let directive = issued(&mut world).await;
    let (name, hash) = (directive.name, directive.text_sha256.to_vec());
    world.steps(&name, BUREAU, BUREAU_CLERK, &SIGN).await;
    let relayed = world.step(&name, BUREAU, BUREAU_CLERK, Step::Relay(hash));
    relayed.await.expect("relayed");
    let moved = "fz/350103/2135010001";
    let event = proto::roster::RosterEvent {
        version: 2,
        ..organization(moved, Kind::School)
    };
    town::roster(&world.db, &[event], 1).await;
    let seen = world.recipients(&name, moved).await;
    let seen: Vec<_> = seen.iter().map(|one| &*one.class_group).collect();
    let classes = ["p2019-01", "p2019-02", "p2019-03"].map(|id| class_name(SCHOOL_PATH, id));
    let [first, second, third] = &classes;
    assert_eq!(seen, ["", first, second, third]);
    let left = world.recipients(&name, BUREAU_PATH).await;
    let left: Vec<_> = left.iter().map(|one| &*one.organization).collect();
    assert_eq!(left, [BUREAU, SISTER]);
    let everybody = world.recipients(&name, "fz").await;
    let reached = everybody.iter().filter(|one| one.organization == OTHER);
    assert_eq!(reached.count(), 1);
    let sql =
        "SELECT COUNT(*) FROM directive_recipients WHERE org_path LIKE 'fz/350102/2135010001%'";
    let db = world.db.read();
    let row = db
        .query_one_raw(statement(db, sql, []))
        .await
        .expect("read");
    let count: i64 = row.expect("a row").try_get_by_index(0).expect("a count");
    assert_eq!(count, 0);
}
