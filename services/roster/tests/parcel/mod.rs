//! Rows of a small city, and the steps of an import in as few words as a test wants.
#![allow(dead_code, reason = "each test file uses a part")]

use crate::desk::{self, CITY, Desk, GULOU};
use futures_util::stream;
use kit::db::statement;
use proto::roster::import_job::Mode;
use proto::roster::import_row::Record;
use proto::roster::import_service_client::ImportServiceClient;
use proto::roster::roster_event::State as Fact;
use proto::roster::roster_feed_client::RosterFeedClient;
use proto::roster::{
    ClassGroupRoll, ClassGroupRow, CommitImportJobRequest, CreateImportJobRequest, GuardianRow,
    ImportCount, ImportJob, ImportKind, ImportRequest, ImportResponse, ImportRow,
    ListImportVerdictsRequest, OrganizationRow, PlanImportJobRequest, RollBackImportJobRequest,
    SnapshotRequest, StaffMemberRow, StudentRow,
};
use sea_orm::ConnectionTrait;
use tonic::Status;

pub(crate) type Client = ImportServiceClient<desk::Door>;

pub(crate) const SCHOOL: &str = "2135010001";

pub(crate) fn client(desk: &Desk) -> Client {
    ImportServiceClient::new(desk.officer())
}

pub(crate) async fn open(client: &mut Client, organization: &str, mode: Mode) -> String {
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

pub(crate) fn numbered(records: Vec<(&str, Record)>) -> Vec<ImportRow> {
    let rows = records.into_iter().zip(1..);
    rows.map(|((external_id, record), row)| ImportRow {
        row,
        removal: false,
        external_id: external_id.to_owned(),
        record: Some(record),
    })
    .collect()
}

pub(crate) fn tree() -> Vec<(&'static str, Record)> {
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
pub(crate) fn resident_id(serial: u32) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let number = format!("35010220130501{:03}", 999 - serial);
    let sum: u32 = number
        .bytes()
        .zip(WEIGHTS)
        .map(|(b, w)| u32::from(b - b'0') * w)
        .sum();
    format!("{number}{}", char::from(b"10X98765432"[sum as usize % 11]))
}

pub(crate) fn student(serial: u32) -> StudentRow {
    StudentRow {
        organization: SCHOOL.to_owned(),
        class_group: "p2019-01".to_owned(),
        display_name: format!("学生{serial}"),
        id_number: resident_id(serial),
        ..StudentRow::default()
    }
}

pub(crate) fn guardian(of: &str) -> Record {
    Record::Guardian(GuardianRow {
        student: of.to_owned(),
        display_name: "家长".to_owned(),
        relation: "母亲".to_owned(),
        phone: "19900000001".to_owned(),
        priority: 1,
    })
}

pub(crate) fn head_teacher() -> Record {
    Record::StaffMember(StaffMemberRow {
        organization: SCHOOL.to_owned(),
        display_name: "老师".to_owned(),
        post: "班主任".to_owned(),
        class_group: "p2019-01".to_owned(),
        ..StaffMemberRow::default()
    })
}

/// The tree, a head teacher, two students and a guardian.
pub(crate) fn small_city() -> Vec<(&'static str, Record)> {
    let mut rows = tree();
    rows.extend([
        ("t1", head_teacher()),
        ("s1", Record::Student(student(1))),
        ("s2", Record::Student(student(2))),
        ("g1", guardian("s1")),
    ]);
    rows
}

pub(crate) async fn send(
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

pub(crate) async fn plan(client: &mut Client, name: &str) -> Result<ImportJob, Status> {
    let request = PlanImportJobRequest {
        name: name.to_owned(),
        request_id: String::new(),
    };
    client
        .plan_import_job(request)
        .await
        .map(tonic::Response::into_inner)
}

pub(crate) async fn commit(client: &mut Client, name: &str) -> Result<ImportJob, Status> {
    let request = CommitImportJobRequest {
        name: name.to_owned(),
        ..Default::default()
    };
    client
        .commit_import_job(request)
        .await
        .map(tonic::Response::into_inner)
}

pub(crate) async fn roll_back(client: &mut Client, name: &str) -> Result<ImportJob, Status> {
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
pub(crate) async fn take(client: &mut Client, mode: Mode, rows: Vec<ImportRow>) -> ImportJob {
    let name = open(client, CITY, mode).await;
    send(client, &name, rows).await.expect("rows are staged");
    let planned = plan(client, &name).await.expect("it is planned");
    commit(client, &name).await.expect("it is committed");
    planned
}

pub(crate) fn of(job: &ImportJob, kind: ImportKind) -> ImportCount {
    job.counts
        .iter()
        .find(|count| count.kind() == kind)
        .copied()
        .unwrap_or_default()
}

pub(crate) async fn verdicts(client: &mut Client, name: &str) -> Vec<(i64, String, String, bool)> {
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
pub(crate) async fn roll(desk: &Desk) -> Option<ClassGroupRoll> {
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

pub(crate) async fn outbox(desk: &Desk) -> i64 {
    let db = desk.database().await;
    if db.postgres().is_none() {
        return 0;
    }
    number(&db, "SELECT count(*) FROM outbox").await
}

pub(crate) async fn number(db: &kit::db::Database, sql: &str) -> i64 {
    let row = db
        .read()
        .query_one_raw(statement(db.read(), sql, []))
        .await
        .expect("a count");
    row.expect("a row").try_get_by_index(0).expect("a number")
}
