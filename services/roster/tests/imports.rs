//! Imports as a client sees them.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod desk;

use desk::{CITY, Desk, GULOU, reason};
use futures_util::stream;
use kit::auth::Role;
use kit::db::statement;
use proto::roster::import_job::{Mode, State};
use proto::roster::import_row::Record;
use proto::roster::import_service_client::ImportServiceClient;
use proto::roster::organization_service_client::OrganizationServiceClient;
use proto::roster::roster_event::State as Fact;
use proto::roster::roster_feed_client::RosterFeedClient;
use proto::roster::{
    ClassGroupRoll, ClassGroupRow, CommitImportJobRequest, CreateImportJobRequest,
    DiscardImportJobRequest, GetImportJobRequest, GetOrganizationRequest, GuardianRow, ImportCount,
    ImportJob, ImportKind, ImportRequest, ImportResponse, ImportRow, ListImportJobsRequest,
    ListImportVerdictsRequest, OrganizationRow, PlanImportJobRequest, RollBackImportJobRequest,
    SnapshotRequest, StaffMemberRow, StudentRow,
};
use sea_orm::ConnectionTrait;
use tonic::{Code, Status};

type Client = ImportServiceClient<desk::Door>;

const SCHOOL: &str = "2135010001";

fn client(desk: &Desk) -> Client {
    ImportServiceClient::new(desk.officer())
}

async fn open(client: &mut Client, organization: &str, mode: Mode) -> String {
    let request = CreateImportJobRequest {
        organization: format!("organizations/{organization}"),
        source: "test".to_owned(),
        mode: mode.into(),
        vanish_threshold: None,
        request_id: String::new(),
    };
    client
        .create_import_job(request)
        .await
        .expect("a job is opened")
        .into_inner()
        .name
}

fn numbered(records: Vec<(&str, Record)>) -> Vec<ImportRow> {
    let rows = records.into_iter().zip(1..);
    rows.map(|((external_id, record), row)| ImportRow {
        row,
        removal: false,
        external_id: external_id.to_owned(),
        record: Some(record),
    })
    .collect()
}

fn tree() -> Vec<(&'static str, Record)> {
    let organization = |organization: &str, kind: &str, parent: &str, division: &str| {
        Record::Organization(OrganizationRow {
            organization: organization.to_owned(),
            kind: kind.to_owned(),
            display_name: format!("机构{organization}"),
            parent: parent.to_owned(),
            division_code: division.to_owned(),
            school_code: if kind == "SCHOOL" {
                organization.to_owned()
            } else {
                String::new()
            },
        })
    };
    let class_group = Record::ClassGroup(ClassGroupRow {
        organization: SCHOOL.to_owned(),
        class_group: "p2019-01".to_owned(),
        display_name: "三年（1）班".to_owned(),
        grade: 3,
    });
    vec![
        (CITY, organization(CITY, "CITY_BUREAU", "", "350100")),
        (GULOU, organization(GULOU, "COUNTY_BUREAU", CITY, GULOU)),
        (SCHOOL, organization(SCHOOL, "SCHOOL", GULOU, GULOU)),
        ("c1", class_group),
    ]
}

/// The resident id of somebody invented, born on 1 May 2013, with a serial that no one has.
fn resident_id(serial: u32) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let number = format!("35010220130501{:03}", 999 - serial);
    let sum: u32 = number
        .bytes()
        .zip(WEIGHTS)
        .map(|(b, w)| u32::from(b - b'0') * w)
        .sum();
    format!("{number}{}", char::from(b"10X98765432"[sum as usize % 11]))
}

fn student(serial: u32) -> StudentRow {
    StudentRow {
        organization: SCHOOL.to_owned(),
        class_group: "p2019-01".to_owned(),
        display_name: format!("学生{serial}"),
        id_number: resident_id(serial),
        ..StudentRow::default()
    }
}

fn guardian(of: &str) -> Record {
    Record::Guardian(GuardianRow {
        student: of.to_owned(),
        display_name: "家长".to_owned(),
        relation: "母亲".to_owned(),
        phone: "19900000001".to_owned(),
        priority: 1,
    })
}

fn head_teacher() -> Record {
    Record::StaffMember(StaffMemberRow {
        organization: SCHOOL.to_owned(),
        display_name: "老师".to_owned(),
        post: "班主任".to_owned(),
        class_group: "p2019-01".to_owned(),
        ..StaffMemberRow::default()
    })
}

/// The tree, a head teacher, two students and a guardian.
fn small_city() -> Vec<(&'static str, Record)> {
    let mut rows = tree();
    rows.extend([
        ("t1", head_teacher()),
        ("s1", Record::Student(student(1))),
        ("s2", Record::Student(student(2))),
        ("g1", guardian("s1")),
    ]);
    rows
}

async fn send(
    client: &mut Client,
    name: &str,
    rows: Vec<ImportRow>,
) -> Result<ImportResponse, Status> {
    let messages: Vec<ImportRequest> = rows
        .chunks(3)
        .map(|rows| ImportRequest {
            name: name.to_owned(),
            rows: rows.to_vec(),
        })
        .collect();
    client
        .import(stream::iter(messages))
        .await
        .map(tonic::Response::into_inner)
}

async fn plan(client: &mut Client, name: &str) -> Result<ImportJob, Status> {
    let request = PlanImportJobRequest {
        name: name.to_owned(),
        request_id: String::new(),
    };
    client
        .plan_import_job(request)
        .await
        .map(tonic::Response::into_inner)
}

async fn commit(client: &mut Client, name: &str) -> Result<ImportJob, Status> {
    let request = CommitImportJobRequest {
        name: name.to_owned(),
        ..Default::default()
    };
    client
        .commit_import_job(request)
        .await
        .map(tonic::Response::into_inner)
}

async fn roll_back(client: &mut Client, name: &str) -> Result<ImportJob, Status> {
    let request = RollBackImportJobRequest {
        name: name.to_owned(),
        request_id: String::new(),
    };
    client
        .roll_back_import_job(request)
        .await
        .map(tonic::Response::into_inner)
}

/// Sends everything, plans and commits; gives the plan.
async fn take(client: &mut Client, mode: Mode, rows: Vec<ImportRow>) -> ImportJob {
    let name = open(client, CITY, mode).await;
    send(client, &name, rows).await.expect("rows are staged");
    let planned = plan(client, &name).await.expect("it is planned");
    commit(client, &name).await.expect("it is committed");
    planned
}

fn of(job: &ImportJob, kind: ImportKind) -> ImportCount {
    job.counts
        .iter()
        .find(|count| count.kind() == kind)
        .copied()
        .unwrap_or_default()
}

async fn verdicts(client: &mut Client, name: &str) -> Vec<(i64, String, String, bool)> {
    let request = ListImportVerdictsRequest {
        parent: name.to_owned(),
        ..Default::default()
    };
    let page = client
        .list_import_verdicts(request)
        .await
        .expect("verdicts")
        .into_inner();
    page.verdicts
        .into_iter()
        .map(|one| (one.row, one.column, one.reason, one.rejected))
        .collect()
}

/// The roll of the class group as the feed has it now.
async fn roll(desk: &Desk) -> Option<ClassGroupRoll> {
    let mut client = RosterFeedClient::new(desk.officer());
    // On PostgreSQL the sequencer moves what was announced within moments.
    while outbox(desk).await > 0 {
        tokio::task::yield_now().await;
    }
    let pages = client
        .snapshot(SnapshotRequest::default())
        .await
        .expect("a snapshot");
    let mut pages = pages.into_inner();
    let mut found = None;
    while let Some(page) = pages.message().await.expect("pages") {
        for event in page.events {
            if let Some(Fact::ClassGroupRoll(roll)) = event.state {
                found = Some(roll);
            }
        }
    }
    found
}

async fn outbox(desk: &Desk) -> i64 {
    let db = desk.database().await;
    if db.postgres().is_none() {
        return 0;
    }
    number(&db, "SELECT count(*) FROM outbox").await
}

async fn number(db: &kit::db::Database, sql: &str) -> i64 {
    let row = db
        .read()
        .query_one_raw(statement(db.read(), sql, []))
        .await
        .expect("a count");
    row.expect("a row").try_get_by_index(0).expect("a number")
}

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

async fn a_plan_that_the_register_overtook_is_not_committed(desk: Desk) {
    let mut client = client(&desk);
    take(&mut client, Mode::Bulk, numbered(small_city())).await;
    let mut rows = small_city();
    rows[5].1 = Record::Student(StudentRow {
        boarder: "是".to_owned(),
        ..student(1)
    });
    let name = open(&mut client, CITY, Mode::Bulk).await;
    send(&mut client, &name, numbered(rows.clone()))
        .await
        .unwrap();
    plan(&mut client, &name).await.unwrap();
    take(&mut client, Mode::Bulk, numbered(rows)).await;
    let refused = commit(&mut client, &name).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::FailedPrecondition, "IMPORT_PLAN_STALE".to_owned())
    );
}

async fn rows_sent_again_have_one_effect_and_gaps_are_refused(desk: Desk) {
    let mut client = client(&desk);
    let rows = numbered(small_city());
    let name = open(&mut client, CITY, Mode::Bulk).await;
    send(&mut client, &name, rows[..4].to_vec()).await.unwrap();
    let refused = send(&mut client, &name, rows[5..].to_vec())
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "IMPORT_GAP");
    let answer = send(&mut client, &name, rows.clone()).await.unwrap();
    assert_eq!((answer.durable_row, answer.accepted_count), (8, 4));
    send(&mut client, &name, rows).await.unwrap();
    let planned = plan(&mut client, &name).await.unwrap();
    let received: i64 = planned.counts.iter().map(|count| count.received).sum();
    assert_eq!(received, 8);
}

async fn each_refused_row_says_why(desk: Desk) {
    let mut client = client(&desk);
    let mut rows = small_city();
    let unknown = StudentRow {
        organization: "nowhere".to_owned(),
        ..student(3)
    };
    let no_class = StudentRow {
        class_group: "p2019-09".to_owned(),
        ..student(4)
    };
    let wrong = StudentRow {
        id_number: "350102201305019990".to_owned(),
        ..student(5)
    };
    rows.extend([
        ("s3", Record::Student(unknown)),
        ("s4", Record::Student(no_class)),
        ("s5", Record::Student(wrong)),
        ("s1", Record::Student(student(6))),
        ("s7", Record::Student(student(1))),
        ("g2", guardian("s5")),
        (
            "s8",
            Record::Student(StudentRow {
                phone: "123".to_owned(),
                ..student(8)
            }),
        ),
    ]);
    let name = open(&mut client, CITY, Mode::Bulk).await;
    let answer = send(&mut client, &name, numbered(rows)).await.unwrap();
    assert_eq!((answer.accepted_count, answer.rejected_count), (9, 6));
    let said = verdicts(&mut client, &name).await;
    let expected = [
        (9, "organization", "UNKNOWN_ORGANIZATION", true),
        (10, "class_group", "UNKNOWN_CLASS_GROUP", true),
        (11, "id_number", "ID_CHECKSUM", true),
        (12, "external_id", "DUPLICATE_ROW", true),
        (13, "id_number", "DUPLICATE_ROW", true),
        (14, "student", "UNKNOWN_STUDENT", true),
        (15, "phone", "PHONE", false),
    ];
    let expected = expected.map(|(row, column, reason, rejected)| {
        (row, column.to_owned(), reason.to_owned(), rejected)
    });
    assert_eq!(said, expected);
    let planned = plan(&mut client, &name).await.unwrap();
    let students = of(&planned, ImportKind::Student);
    assert_eq!(
        (
            students.received,
            students.created,
            students.rejected,
            students.remarked
        ),
        (8, 3, 5, 1)
    );
}

async fn somebody_registered_elsewhere_is_refused_by_the_plan(desk: Desk) {
    let mut client = client(&desk);
    take(&mut client, Mode::Bulk, numbered(small_city())).await;
    let rows = numbered(vec![
        ("other", Record::Student(student(1))),
        ("g9", guardian("other")),
    ]);
    let name = open(&mut client, CITY, Mode::Delta).await;
    send(&mut client, &name, rows).await.unwrap();
    let planned = plan(&mut client, &name).await.unwrap();
    assert_eq!(of(&planned, ImportKind::Student).rejected, 1);
    assert_eq!(of(&planned, ImportKind::Guardian).rejected, 1);
    let said = verdicts(&mut client, &name).await;
    assert_eq!(said[0].2, "DUPLICATE_PERSON");
    assert_eq!(said[1].2, "UNKNOWN_STUDENT");
}

async fn a_job_is_moved_only_forward(desk: Desk) {
    let mut client = client(&desk);
    let name = open(&mut client, CITY, Mode::Bulk).await;
    let refused = commit(&mut client, &name).await.unwrap_err();
    assert_eq!(reason(&refused), "IMPORT_STATE");
    let refused = roll_back(&mut client, &name).await.unwrap_err();
    assert_eq!(reason(&refused), "IMPORT_STATE");
    send(&mut client, &name, numbered(small_city()))
        .await
        .unwrap();
    plan(&mut client, &name).await.unwrap();
    let refused = send(&mut client, &name, numbered(small_city()))
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "IMPORT_STATE");
    let request = DiscardImportJobRequest {
        name: name.clone(),
        request_id: String::new(),
    };
    let discarded = client
        .discard_import_job(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(discarded.state(), State::Discarded);
    let refused = commit(&mut client, &name).await.unwrap_err();
    assert_eq!(reason(&refused), "IMPORT_STATE");
}

async fn a_district_neither_sees_nor_makes_jobs_elsewhere(desk: Desk) {
    let mut city = client(&desk);
    take(&mut city, Mode::Bulk, numbered(small_city())).await;
    let name = open(&mut city, CITY, Mode::Delta).await;
    let mut district = ImportServiceClient::new(desk.caller(Role::DistrictOfficer, "fz/350181"));
    let request = GetImportJobRequest { name: name.clone() };
    let denied = district.get_import_job(request).await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
    let request = GetImportJobRequest {
        name: format!("importJobs/{}", uuid::Uuid::nil()),
    };
    let denied = district.get_import_job(request).await.unwrap_err();
    assert_eq!(
        denied.code(),
        Code::PermissionDenied,
        "unknown and foreign are alike"
    );
    let listed = district
        .list_import_jobs(ListImportJobsRequest::default())
        .await
        .unwrap();
    assert_eq!(listed.into_inner().import_jobs, []);
    let request = CreateImportJobRequest {
        organization: format!("organizations/{GULOU}"),
        source: "x".to_owned(),
        mode: Mode::Delta.into(),
        ..CreateImportJobRequest::default()
    };
    let denied = district.create_import_job(request).await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
}

async fn nothing_private_stands_open_in_the_database(desk: Desk) {
    let mut client = client(&desk);
    take(&mut client, Mode::Bulk, numbered(small_city())).await;
    let name = open(&mut client, CITY, Mode::Delta).await;
    let rows = numbered(vec![("s4", Record::Student(student(4)))]);
    send(&mut client, &name, rows).await.unwrap();
    let db = desk.database().await;
    let planted = [resident_id(1), resident_id(4), "19900000001".to_owned()];
    for table in [
        "students",
        "guardians",
        "staff",
        "import_students",
        "import_guardians",
    ] {
        let sealed = format!("SELECT sealed, id_hash FROM {table}");
        let sealed = if table.ends_with("guardians") {
            format!("SELECT sealed FROM {table}")
        } else {
            sealed
        };
        for row in db
            .read()
            .query_all_raw(statement(db.read(), &sealed, []))
            .await
            .unwrap()
        {
            let bytes: Option<Vec<u8>> = row.try_get_by_index(0).unwrap();
            let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
            assert!(
                planted.iter().all(|number| !text.contains(number.as_str())),
                "{table}"
            );
        }
    }
}

desk_suite!(
    an_empty_register_takes_a_whole_city,
    the_same_again_changes_nothing,
    a_change_is_counted_and_made,
    whoever_is_missing_vanishes_only_when_allowed,
    changes_only_leave_the_others_alone,
    whoever_comes_back_is_the_same_person,
    a_committed_job_is_taken_back,
    a_first_import_taken_back_leaves_an_empty_register,
    what_changed_since_is_not_taken_back,
    a_plan_that_the_register_overtook_is_not_committed,
    rows_sent_again_have_one_effect_and_gaps_are_refused,
    each_refused_row_says_why,
    somebody_registered_elsewhere_is_refused_by_the_plan,
    a_job_is_moved_only_forward,
    a_district_neither_sees_nor_makes_jobs_elsewhere,
    nothing_private_stands_open_in_the_database,
);
