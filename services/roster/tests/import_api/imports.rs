//! Imports as a client sees them: planned, committed, repeated, taken back.
#![expect(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use crate::desk::desk_suite;
use crate::desk::{CITY, Desk, GULOU, reason};
use kit::db::statement;
use proto::roster::import_job::{Mode, State};
use proto::roster::import_row::Record;
use proto::roster::organization_service_client::OrganizationServiceClient;
use proto::roster::{
    ClassGroupRoll, ClassGroupRow, CommitImportJobRequest, GetOrganizationRequest, ImportCount,
    ImportKind, OrganizationRow, StudentRow,
};
use sea_orm::ConnectionTrait;
use tonic::Code;
use uuid::Uuid;

use crate::parcel::*;

async fn an_empty_register_takes_a_whole_city(desk: Desk) {
    let mut client = client(&desk);
    let planned = take(&mut client, Mode::Bulk, numbered(small_city())).await;
    let created = |kind| (of(&planned, kind).received, of(&planned, kind).created);
    assert_eq!(created(ImportKind::Organization), (3, 3));
    assert_eq!(created(ImportKind::ClassGroup), (1, 1));
    assert_eq!(created(ImportKind::StaffMember), (1, 1));
    assert_eq!(created(ImportKind::Student), (2, 2));
    assert_eq!(created(ImportKind::Guardian), (1, 1));
    let mut tree = OrganizationServiceClient::new(desk.officer());
    let name = format!("organizations/{SCHOOL}");
    let school = tree
        .get_organization(GetOrganizationRequest { name })
        .await
        .unwrap();
    assert_eq!(school.into_inner().org_path, format!("fz/{GULOU}/{SCHOOL}"));
    let roll = roll(&desk).await.expect("the roll is published");
    assert_eq!((roll.grade, roll.members.len()), (3, 2));
}

async fn the_same_again_changes_nothing(desk: Desk) {
    let mut client = client(&desk);
    take(&mut client, Mode::Bulk, numbered(small_city())).await;
    let version = roll(&desk).await;
    let again = take(&mut client, Mode::Bulk, numbered(small_city())).await;
    for count in &again.counts {
        let expected = ImportCount {
            kind: count.kind,
            received: count.received,
            unchanged: count.received,
            ..ImportCount::default()
        };
        assert_eq!(*count, expected);
    }
    assert_eq!(roll(&desk).await, version);
}

async fn a_change_is_counted_and_made(desk: Desk) {
    let mut client = client(&desk);
    take(&mut client, Mode::Bulk, numbered(small_city())).await;
    let before = roll(&desk).await.expect("a roll");
    let mut rows = small_city();
    rows[5].1 = Record::Student(StudentRow {
        boarder: "是".to_owned(),
        ..student(1)
    });
    let planned = take(&mut client, Mode::Bulk, numbered(rows)).await;
    let students = of(&planned, ImportKind::Student);
    assert_eq!((students.changed, students.unchanged), (1, 1));
    let after = roll(&desk).await.expect("a roll");
    let boarders = after.members.iter().filter(|member| member.boarder).count();
    assert_eq!(boarders, 1);
    let people = |roll: &ClassGroupRoll| -> Vec<String> {
        roll.members
            .iter()
            .map(|member| member.person.clone())
            .collect()
    };
    assert_eq!(
        people(&before),
        people(&after),
        "nobody is somebody else afterwards"
    );
}

async fn whoever_is_missing_vanishes_only_when_allowed(desk: Desk) {
    let mut client = client(&desk);
    take(&mut client, Mode::Bulk, numbered(small_city())).await;
    let mut rows = small_city();
    rows.remove(6);
    let name = open(&mut client, CITY, Mode::Bulk).await;
    send(&mut client, &name, numbered(rows)).await.unwrap();
    let planned = plan(&mut client, &name).await.unwrap();
    assert!(planned.blocked);
    assert_eq!(of(&planned, ImportKind::Student).vanished, 1);
    let refused = commit(&mut client, &name).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (
            Code::FailedPrecondition,
            "IMPORT_VANISH_THRESHOLD".to_owned()
        )
    );
    assert_eq!(
        roll(&desk).await.unwrap().members.len(),
        2,
        "nothing happened"
    );
    let request = CommitImportJobRequest {
        name,
        allow_vanishing: true,
        ..Default::default()
    };
    client.commit_import_job(request).await.unwrap();
    assert_eq!(roll(&desk).await.unwrap().members.len(), 1);
}

async fn changes_only_leave_the_others_alone(desk: Desk) {
    let mut client = client(&desk);
    take(&mut client, Mode::Bulk, numbered(small_city())).await;
    let rows = numbered(vec![("s3", Record::Student(student(3)))]);
    let planned = take(&mut client, Mode::Delta, rows).await;
    let students = of(&planned, ImportKind::Student);
    assert_eq!((students.created, students.vanished), (1, 0));
    assert_eq!(roll(&desk).await.unwrap().members.len(), 3);
    let mut rows = numbered(vec![("s3", Record::Student(student(3)))]);
    rows[0].removal = true;
    let name = open(&mut client, CITY, Mode::Delta).await;
    send(&mut client, &name, rows).await.unwrap();
    let planned = plan(&mut client, &name).await.unwrap();
    assert_eq!(of(&planned, ImportKind::Student).vanished, 1);
    let request = CommitImportJobRequest {
        name,
        allow_vanishing: true,
        ..Default::default()
    };
    client.commit_import_job(request).await.unwrap();
    assert_eq!(roll(&desk).await.unwrap().members.len(), 2);
}

async fn whoever_comes_back_is_the_same_person(desk: Desk) {
    let mut client = client(&desk);
    take(&mut client, Mode::Bulk, numbered(small_city())).await;
    let before = roll(&desk).await.unwrap();
    let mut rows = small_city();
    rows.remove(6);
    let name = open(&mut client, CITY, Mode::Bulk).await;
    send(&mut client, &name, numbered(rows)).await.unwrap();
    plan(&mut client, &name).await.unwrap();
    let request = CommitImportJobRequest {
        name,
        allow_vanishing: true,
        ..Default::default()
    };
    client.commit_import_job(request).await.unwrap();
    take(&mut client, Mode::Bulk, numbered(small_city())).await;
    assert_eq!(roll(&desk).await.unwrap().members, before.members);
}

async fn a_committed_job_is_taken_back(desk: Desk) {
    let mut client = client(&desk);
    take(&mut client, Mode::Bulk, numbered(small_city())).await;
    let before = roll(&desk).await.unwrap();
    let mut rows = small_city();
    rows[5].1 = Record::Student(StudentRow {
        boarder: "是".to_owned(),
        ..student(1)
    });
    rows[6] = ("s9", Record::Student(student(9)));
    let name = open(&mut client, CITY, Mode::Bulk).await;
    send(&mut client, &name, numbered(rows)).await.unwrap();
    plan(&mut client, &name).await.unwrap();
    let request = CommitImportJobRequest {
        name: name.clone(),
        allow_vanishing: true,
        ..Default::default()
    };
    client.commit_import_job(request).await.unwrap();
    assert_ne!(roll(&desk).await.unwrap().members, before.members);
    let back = roll_back(&mut client, &name).await.unwrap();
    assert_eq!(back.state(), State::RolledBack);
    assert_eq!(roll(&desk).await.unwrap().members, before.members);
    let refused = roll_back(&mut client, &name).await.unwrap_err();
    assert_eq!(reason(&refused), "IMPORT_STATE");
}

async fn a_first_import_taken_back_leaves_an_empty_register(desk: Desk) {
    let mut client = client(&desk);
    let name = open(&mut client, CITY, Mode::Bulk).await;
    send(&mut client, &name, numbered(small_city()))
        .await
        .unwrap();
    plan(&mut client, &name).await.unwrap();
    commit(&mut client, &name).await.unwrap();
    roll_back(&mut client, &name).await.unwrap();
    assert_eq!(roll(&desk).await, None);
    let db = desk.database().await;
    for table in [
        "organizations",
        "class_groups",
        "staff",
        "students",
        "guardians",
    ] {
        assert_eq!(
            number(&db, &format!("SELECT count(*) FROM {table}")).await,
            0,
            "{table}"
        );
    }
}

async fn what_changed_since_is_not_taken_back(desk: Desk) {
    let mut client = client(&desk);
    let name = open(&mut client, CITY, Mode::Bulk).await;
    send(&mut client, &name, numbered(small_city()))
        .await
        .unwrap();
    plan(&mut client, &name).await.unwrap();
    commit(&mut client, &name).await.unwrap();
    let mut rows = small_city();
    rows[5].1 = Record::Student(StudentRow {
        boarder: "是".to_owned(),
        ..student(1)
    });
    take(&mut client, Mode::Bulk, numbered(rows)).await;
    let refused = roll_back(&mut client, &name).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::FailedPrecondition, "IMPORT_CHANGED_SINCE".to_owned())
    );
}

/// The same source sends the rows of a second school, under identifiers of people of the first.
async fn a_school_takes_over_nobody_of_another(desk: Desk) {
    let mut client = client(&desk);
    let mut rows = small_city();
    rows.extend(second_school());
    take(&mut client, Mode::Bulk, numbered(rows)).await;
    let before = families(&desk).await;
    let name = open(&mut client, SECOND, Mode::Delta).await;
    let theirs = StudentRow {
        organization: SECOND.to_owned(),
        ..student(1)
    };
    let rows = vec![
        ("s1", Record::Student(theirs)),
        ("g1", guardian("z1")),
        ("g2", guardian("z1")),
    ];
    send(&mut client, &name, numbered(rows)).await.unwrap();
    plan(&mut client, &name).await.unwrap();
    let refused = |row| {
        (
            row,
            "external_id".to_owned(),
            "DUPLICATE_PERSON".to_owned(),
            true,
        )
    };
    let mut said = verdicts(&mut client, &name).await;
    said.sort();
    assert_eq!(said, [refused(1), refused(2)]);
    commit(&mut client, &name).await.unwrap();
    let after = families(&desk).await;
    assert_eq!(after[..1], before, "the first family stays as it was");
    assert_eq!(after.len(), 2);
}

/// Each guardian with the student and the version, the oldest first.
async fn families(desk: &Desk) -> Vec<(Uuid, Uuid, i64)> {
    let db = desk.database().await;
    let sql = "SELECT id, student, CAST(version AS BIGINT) FROM guardians ORDER BY batch, id";
    let rows = db.read().query_all_raw(statement(db.read(), sql, []));
    let rows = rows.await.unwrap();
    let family = |row: &sea_orm::QueryResult| {
        (
            row.try_get_by_index(0).unwrap(),
            row.try_get_by_index(1).unwrap(),
            row.try_get_by_index(2).unwrap(),
        )
    };
    rows.iter().map(family).collect()
}

/// Another school of the district, with a class group and a student.
const SECOND: &str = "2135010002";

fn second_school() -> Vec<(&'static str, Record)> {
    let school = OrganizationRow {
        organization: SECOND.to_owned(),
        kind: "SCHOOL".to_owned(),
        display_name: format!("机构{SECOND}"),
        parent: GULOU.to_owned(),
        division_code: GULOU.to_owned(),
        school_code: SECOND.to_owned(),
    };
    let class_group = ClassGroupRow {
        organization: SECOND.to_owned(),
        class_group: "p2019-01".to_owned(),
        display_name: "三年（1）班".to_owned(),
        grade: 3,
    };
    let pupil = StudentRow {
        organization: SECOND.to_owned(),
        ..student(20)
    };
    vec![
        (SECOND, Record::Organization(school)),
        ("z-c1", Record::ClassGroup(class_group)),
        ("z1", Record::Student(pupil)),
    ]
}

desk_suite!(
    an_empty_register_takes_a_whole_city,
    the_same_again_changes_nothing,
    a_change_is_counted_and_made,
    whoever_is_missing_vanishes_only_when_allowed,
    changes_only_leave_the_others_alone,
    whoever_comes_back_is_the_same_person,
    a_school_takes_over_nobody_of_another,
    a_committed_job_is_taken_back,
    a_first_import_taken_back_leaves_an_empty_register,
    what_changed_since_is_not_taken_back,
);
