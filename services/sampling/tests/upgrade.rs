//! A database of a version before goes on where it was: of the one that knew no health, and of the one
//! whose absences did not tell their reports apart.

use kit::db::{Database, statement};
use kit::rows::{Lock, Row};
use kit::scratch::Scratch;
use sampling::Migrator;
use sampling::domain::day::Day;
use sampling::domain::health::absence::{AbsenceState, Reason};
use sampling::domain::roll::{GroupKind, Member, PersonId, Roll};
use sampling::store::controls::ControlRow;
use sampling::store::health::absences::{AbsenceRow, ReportRow};
use sampling::store::rolls::groups_at;
use sampling::store::tubes::TubeRow;
use sea_orm::ConnectionTrait;
use sea_orm_migration::sea_query::DynIden;
use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// The schema before there was health.
struct Before;

#[async_trait::async_trait]
impl MigratorTrait for Before {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = Migrator::migrations();
        migrations.retain(|migration| migration.name() < "m20261125");
        migrations
    }

    fn migration_table_name() -> DynIden {
        Migrator::migration_table_name()
    }
}

/// The schema whose absences stood without the reports that they rest on.
struct WithoutReports;

#[async_trait::async_trait]
impl MigratorTrait for WithoutReports {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = Migrator::migrations();
        migrations.retain(|migration| migration.name() < "m20261126");
        migrations
    }

    fn migration_table_name() -> DynIden {
        Migrator::migration_table_name()
    }
}

const PLACE: &str = "fz/350102/2135010001/p2019-01";
const PERSON: [u8; 16] = [7; 16];

fn roll() -> Roll {
    Roll::new(vec![Member {
        person: PersonId(PERSON),
        on_leave: false,
        exempt: false,
        since: Day::from_number(8000),
        posts: 0,
    }])
}

/// Writes as the version before did: a class group that the feed told, and a pupil of it who is held
/// for a tube.
async fn held_before(db: &Database) {
    let tx = db.begin().await.expect("a transaction");
    let members = roll().pack(GroupKind::Students);
    let writes = [
        (
            "INSERT INTO class_rolls (path, organization, id, kind, display_name, grade, taught, \
             version, generation, members) VALUES ($1, '2135010001', 'p2019-01', 1, '三年（1）班', 3, \
             TRUE, 5, 1, $2)",
            vec![PLACE.into(), members.into()],
        ),
        (
            "INSERT INTO projections (consumer, page_token, resume_token, generation) \
             VALUES ('roster', '', 'here', 1)",
            vec![],
        ),
        (
            "INSERT INTO tubes (code, laboratory, lot, capacity, subject, state, org_path, \
             class_group, point, draw, day, swab_count, parent, seal_time, sealed_by, courier, \
             receive_time, late, due_time, result, result_version, reason, policy_version, \
             positives, version) VALUES ('T1', 'lab-1', 'L1', 10, 1, 3, $1, '', '', '', 8100, 9, '', \
             0, '', '', 0, FALSE, 0, 2, 1, '', 'fuzhou-2022-04@1', 1, 4)",
            vec![PLACE.into()],
        ),
        (
            "INSERT INTO control_states (person, basis, control, since, org_path, policy_version) \
             VALUES ($1, 'holds/T1', 2, 1000, $2, 'fuzhou-2022-04@1')",
            vec![PERSON.to_vec().into(), PLACE.into()],
        ),
    ];
    for (sql, values) in writes {
        let insert = statement(&tx, sql, values);
        tx.execute_raw(insert).await.expect("written");
    }
    tx.commit().await.expect("committed");
}

async fn who_was_held_stays_held_and_the_register_is_asked_anew(scratch: Scratch) {
    let db = scratch.open::<Before>().await;
    held_before(&db).await;
    db.migrate::<Migrator>().await.expect("upgraded");
    let read = db.read();

    let held = ControlRow::find(read, "basis", vec!["holds/T1".into()], Lock::No).await;
    let expected = ControlRow {
        person: PERSON.to_vec(),
        basis: "holds/T1".to_owned(),
        control: 2,
        since: 1000,
        org_path: PLACE.to_owned(),
        policy_version: "fuzhou-2022-04@1".to_owned(),
        rule: "2.19".to_owned(),
        until: 0,
    };
    assert_eq!(held.expect("read"), [expected]);

    // Every tube of the version before was tested for COVID-19 and held its people.
    let tube = TubeRow::get(read, "T1", Lock::No).await.expect("read");
    let tube = tube.expect("the tube");
    let covid = proto::roster::Disease::Covid19 as i16;
    assert_eq!(
        (tube.swab_count, tube.disease, tube.holds),
        (9, covid, true)
    );

    // Who is expected at a check is told by the register only: its feed is read from the beginning,
    // and what comes is news.
    let groups = groups_at(read, &[PLACE.to_owned()]).await.expect("read");
    let [group] = &groups[..] else {
        panic!("one class group")
    };
    assert_eq!(
        (group.version, group.members.clone()),
        (0, roll().pack(GroupKind::Students))
    );
    let sql = "SELECT resume_token FROM projections WHERE consumer = 'roster'";
    let row = read
        .query_one_raw(statement(read, sql, []))
        .await
        .expect("read");
    let token: String = row.expect("a row").try_get_by_index(0).expect("a text");
    assert_eq!(token, "");
}

/// An absence of the version before, of a pupil with this number, in a state of the contract.
async fn absence_before(db: &Database, number: u8, state: i16, reported: i16) {
    let tx = db.begin().await.expect("a transaction");
    let sql = "INSERT INTO absences (id, person, kind, school, org_path, state, reason, reported, \
        told, start_day, leave_time, illness_time, symptoms, temperature, onset, seen_doctor, \
        disease, hospitalised, tracer, escalated, contact_due, trace_time, upload_due, upload_time, \
        upload_overdue, interview_due, interview_time, return_time, reporter, check_name, \
        policy_version, create_time, version) VALUES ($1, $2, 1, 'fz/350102/2135010001', $3, $4, $5, \
        $5, 0, 8100, 0, 0, 0, 0, 0, FALSE, 0, FALSE, 'head', TRUE, 900, 0, 0, 0, FALSE, FALSE, 0, 0, \
        'reporter', '', 'fuzhou-2022-04@1', 800, 3)";
    let values = [
        format!("absence-{number}").into(),
        vec![number; 16].into(),
        PLACE.into(),
        state.into(),
        reported.into(),
    ];
    let insert = statement(&tx, sql, values);
    tx.execute_raw(insert).await.expect("written");
    tx.commit().await.expect("committed");
}

/// Every open absence keeps its reason by a report of its own, and ended ones need none.
async fn open_absences_stand_by_themselves(scratch: Scratch) {
    let (unknown, ill) = (Reason::Unknown.code(), Reason::Illness.code());
    let db = scratch.open::<WithoutReports>().await;
    absence_before(&db, 1, AbsenceState::Open.code(), unknown).await;
    absence_before(&db, 2, AbsenceState::Traced.code(), ill).await;
    absence_before(&db, 3, AbsenceState::Ended.code(), ill).await;
    db.migrate::<Migrator>().await.expect("upgraded");
    let read = db.read();
    let ids: [sea_orm::Value; 3] = [1, 2, 3].map(|number| format!("absence-{number}").into());
    let rows = AbsenceRow::find(read, "id", ids.clone().into(), Lock::No).await;
    let told: Vec<_> = rows
        .expect("read")
        .into_iter()
        .map(|row| {
            (
                row.state,
                row.reason,
                row.escalated,
                row.withdraw_time,
                row.version,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (AbsenceState::Open.code(), unknown, true, 0, 3),
            (AbsenceState::Traced.code(), ill, true, 0, 3),
            (AbsenceState::Ended.code(), ill, true, 0, 3),
        ]
    );
    let reports = ReportRow::find(read, "absence", ids.into(), Lock::No).await;
    let reports: Vec<_> = reports
        .expect("read")
        .into_iter()
        .map(|row| (row.source, row.reason, row.day))
        .collect();
    assert_eq!(
        reports,
        [
            ("absences/absence-1".to_owned(), unknown, 8100),
            ("absences/absence-2".to_owned(), ill, 8100),
        ]
    );
    // Nobody has a second one that has not ended, as before.
    let tx = db.begin().await.expect("a transaction");
    let second = AbsenceRow {
        id: "absence-4".to_owned(),
        person: vec![1; 16],
        state: AbsenceState::Open.code(),
        ..AbsenceRow::default()
    };
    AbsenceRow::save(&tx, &[second])
        .await
        .expect_err("a second one");
}

mod sqlite {
    #[tokio::test(flavor = "multi_thread")]
    async fn open_absences_stand_by_themselves() {
        super::open_absences_stand_by_themselves(kit::scratch::sqlite()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_was_held_stays_held_and_the_register_is_asked_anew() {
        super::who_was_held_stays_held_and_the_register_is_asked_anew(kit::scratch::sqlite()).await;
    }
}

mod postgres {
    #[tokio::test(flavor = "multi_thread")]
    async fn open_absences_stand_by_themselves() {
        let Some(scratch) = kit::scratch::postgres().await else {
            return;
        };
        super::open_absences_stand_by_themselves(scratch).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_was_held_stays_held_and_the_register_is_asked_anew() {
        let Some(scratch) = kit::scratch::postgres().await else {
            return;
        };
        super::who_was_held_stays_held_and_the_register_is_asked_anew(scratch).await;
    }
}
