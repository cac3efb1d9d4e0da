//! What is wrong with rows and jobs, as a client is told.
#![expect(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use crate::desk::desk_suite;
use crate::desk::{CITY, Desk, GULOU, reason};
use kit::auth::Role;
use kit::db::statement;
use proto::roster::import_job::{Mode, State};
use proto::roster::import_row::Record;
use proto::roster::import_service_client::ImportServiceClient;
use proto::roster::{
    CreateImportJobRequest, DiscardImportJobRequest, GetImportJobRequest, ImportKind,
    ListImportJobsRequest, StudentRow,
};
use sea_orm::ConnectionTrait;
use tonic::Code;

use crate::parcel::*;

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
    a_plan_that_the_register_overtook_is_not_committed,
    rows_sent_again_have_one_effect_and_gaps_are_refused,
    each_refused_row_says_why,
    somebody_registered_elsewhere_is_refused_by_the_plan,
    a_job_is_moved_only_forward,
    a_district_neither_sees_nor_makes_jobs_elsewhere,
    nothing_private_stands_open_in_the_database,
);
