//! Class groups, students and staff for tests, and a reader who follows their rolls.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::VecDeque;
use std::time::Duration;

use kit::db::statement;
use proto::Date;
use proto::roster::class_group_service_client::ClassGroupServiceClient;
use proto::roster::organization_service_client::OrganizationServiceClient;
use proto::roster::roster_event::State;
use proto::roster::roster_feed_client::RosterFeedClient;
use proto::roster::student;
use proto::roster::student_service_client::StudentServiceClient;
use proto::roster::{
    ClassGroup, ClassGroupRoll, CreateClassGroupRequest, CreateStudentRequest, Organization,
    RosterEvent, SnapshotRequest, Stage, Student, TransferStudentRequest,
    UpdateOrganizationRequest, UpdateStudentRequest, WatchRequest, WatchResponse,
    WithdrawStudentRequest,
};
use sea_orm::ConnectionTrait;
use tonic::{Code, Status, Streaming};
use uuid::Uuid;

use crate::desk::{CITY, Desk, fields, reason};

/// The primary school of Gulou and two of its class groups, and one of Fuqing.
pub(crate) const THIRD: &str = "organizations/2135010001/classGroups/p2019-01";
pub(crate) const THIRD_TWO: &str = "organizations/2135010001/classGroups/p2019-02";
pub(crate) const FUQING_THIRD: &str = "organizations/2135010003/classGroups/p2019-01";
pub(crate) const REQUEST: &str = "5f1e2c1a-6d1f-4a3b-9a58-0d2f5a1b7c11";

/// A civil day.
pub(crate) fn day(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

/// Today, in every test.
pub(crate) fn today() -> Option<Date> {
    day(2022, 4, 7)
}

/// An invented resident number of somebody born on `born`, such as `20120901`.
pub(crate) fn resident(born: &str, serial: u32) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let body = format!("350102{born}{serial:03}");
    let digits = body.chars().filter_map(|digit| digit.to_digit(10));
    let sum: u32 = digits
        .zip(WEIGHTS)
        .map(|(digit, weight)| digit * weight)
        .sum();
    let check = "10X98765432".chars().nth(sum as usize % 11);
    body + &check.expect("a remainder of eleven").to_string()
}

/// What asks for a class group of a school.
pub(crate) fn class_group(
    organization: &str,
    stage: Stage,
    entry_year: i32,
    number: i32,
) -> CreateClassGroupRequest {
    CreateClassGroupRequest {
        parent: format!("organizations/{organization}"),
        class_group: Some(ClassGroup {
            stage: stage.into(),
            entry_year,
            number,
            ..ClassGroup::default()
        }),
        request_id: String::new(),
    }
}

/// Plants the small city and the three class groups above.
pub(crate) async fn plant(desk: &Desk) {
    desk.plant().await;
    let mut client = ClassGroupServiceClient::new(desk.officer());
    for (school, number) in [("2135010001", 1), ("2135010001", 2), ("2135010003", 1)] {
        let request = class_group(school, Stage::Primary, 2019, number);
        client
            .create_class_group(request)
            .await
            .expect("it is added");
    }
}

/// What asks to enrol somebody without a document.
pub(crate) fn enrolment(class_group: &str, display_name: &str) -> CreateStudentRequest {
    CreateStudentRequest {
        class_group: class_group.to_owned(),
        student: Some(Student {
            display_name: display_name.to_owned(),
            ..Student::default()
        }),
        start_date: day(2021, 9, 1),
        request_id: String::new(),
    }
}

/// What asks to change a student; without paths, every field that is not empty.
pub(crate) fn update(student: Student, paths: &[&str]) -> UpdateStudentRequest {
    let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
    UpdateStudentRequest {
        student: Some(student),
        update_mask: (!paths.is_empty()).then_some(prost_types::FieldMask { paths }),
        request_id: String::new(),
    }
}

/// What asks to move a student.
pub(crate) fn transfer(name: &str, to: &str, date: Option<proto::Date>) -> TransferStudentRequest {
    TransferStudentRequest {
        name: name.to_owned(),
        destination_class_group: to.to_owned(),
        effective_date: date,
        request_id: String::new(),
    }
}

/// What asks to take a student off the roll.
pub(crate) fn withdraw(name: &str, date: Option<proto::Date>) -> WithdrawStudentRequest {
    WithdrawStudentRequest {
        name: name.to_owned(),
        end_date: date,
        request_id: String::new(),
    }
}

/// Everything that can be told of a student.
pub(crate) fn told() -> CreateStudentRequest {
    let id_number = resident("20120901", 4);
    CreateStudentRequest {
        class_group: THIRD.to_owned(),
        student: Some(Student {
            display_name: " 林小雨 ".to_owned(),
            sex: student::Sex::Male.into(),
            birth_month: 201_101,
            student_number: format!("g{id_number}"),
            id_number,
            phone: "＋86 139-0000-1234".to_owned(),
            boarder: true,
            dormitory: "3-201".to_owned(),
            swab_exempt: true,
            ..Student::default()
        }),
        start_date: day(2021, 9, 1),
        request_id: String::new(),
    }
}

/// Enrols somebody with the resident number `id_number`.
pub(crate) async fn enrol(desk: &Desk, class_group: &str, id_number: &str) -> Student {
    let mut request = enrolment(class_group, "林小雨");
    if let Some(student) = &mut request.student {
        student.id_number = id_number.to_owned();
    }
    let mut client = StudentServiceClient::new(desk.officer());
    client
        .create_student(request)
        .await
        .expect("somebody is enrolled")
        .into_inner()
}

/// Puts somebody on the staff at a place; `state` 3 has left.
pub(crate) async fn employ(desk: &Desk, id: Uuid, place: &str, state: i16) {
    let db = desk.database().await;
    let tx = db.begin().await.expect("a transaction");
    let sql = "INSERT INTO staff (id, org_path, display_name, state, version, update_time) \
        VALUES ($1, $2, '陈老师', $3, 1, 0)";
    let values = [id.into(), place.into(), state.into()];
    tx.execute_raw(statement(&tx, sql, values))
        .await
        .expect("a row");
    tx.commit().await.expect("a commit");
}

/// Runs a statement that gives one number.
pub(crate) async fn number(desk: &Desk, sql: &str) -> i64 {
    let db = desk.database().await;
    let row = db.read().query_one_raw(statement(db.read(), sql, []));
    let row = row.await.expect("it runs").expect("a row");
    row.try_get_by_index(0).expect("a number")
}

/// Runs a statement that changes something.
pub(crate) async fn execute(desk: &Desk, sql: &str) {
    let db = desk.database().await;
    let tx = db.begin().await.expect("a transaction");
    tx.execute_raw(statement(&tx, sql, []))
        .await
        .expect("it runs");
    tx.commit().await.expect("a commit");
}

/// The code, the reason and the fields of a refusal.
pub(crate) fn refusal(status: Status) -> (Code, String, Vec<String>) {
    (status.code(), reason(&status), fields(&status))
}

/// A refusal that names `wrong` fields.
pub(crate) fn invalid(wrong: &[&str]) -> (Code, String, Vec<String>) {
    let wrong = wrong.iter().map(|&field| field.to_owned()).collect();
    (Code::InvalidArgument, "INVALID_FIELD".to_owned(), wrong)
}

/// A refusal with a reason alone.
pub(crate) fn refused(code: Code, reason: &str) -> (Code, String, Vec<String>) {
    (code, reason.to_owned(), Vec::new())
}

/// Somebody who read a snapshot and follows what changes from then on.
pub(crate) struct Follower {
    stream: Streaming<WatchResponse>,
    seen: VecDeque<RosterEvent>,
}

impl Follower {
    /// Begins to follow.
    pub(crate) async fn of(desk: &Desk) -> Self {
        let mut client = RosterFeedClient::new(desk.officer());
        let snapshot = client.snapshot(SnapshotRequest::default()).await;
        let mut snapshot = snapshot.expect("a snapshot").into_inner();
        let mut resume_token = String::new();
        while let Some(part) = snapshot.message().await.expect("a part") {
            resume_token = part.resume_token;
        }
        let watch = client.watch(WatchRequest { resume_token }).await;
        let mut follower = Self {
            stream: watch.expect("a watch").into_inner(),
            seen: VecDeque::new(),
        };
        // What was planted may still be on its way into the feed: a change that comes after all of
        // it tells where it ends.
        let mark = Organization {
            name: format!("organizations/{CITY}"),
            display_name: "市教育局".to_owned(),
            ..Organization::default()
        };
        let request = UpdateOrganizationRequest {
            organization: Some(mark),
            ..UpdateOrganizationRequest::default()
        };
        let mut client = OrganizationServiceClient::new(desk.officer());
        let mark = client.update_organization(request).await;
        let mark = mark.expect("it changes").into_inner();
        loop {
            let event = follower.event().await;
            if (&event.entity, event.version) == (&mark.name, mark.version) {
                return follower;
            }
        }
    }

    /// The next change.
    pub(crate) async fn event(&mut self) -> RosterEvent {
        loop {
            if let Some(event) = self.seen.pop_front() {
                return event;
            }
            let next = tokio::time::timeout(Duration::from_secs(60), self.stream.message());
            let response = next.await.expect("something changes");
            let response = response.expect("the watch goes on").expect("no end");
            self.seen.extend(response.events);
        }
    }

    /// The next roll: the class group's name, the version, and the roll while there is one.
    pub(crate) async fn roll(&mut self) -> (String, i64, Option<ClassGroupRoll>) {
        loop {
            let event = self.event().await;
            match event.state {
                Some(State::ClassGroupRoll(roll)) => {
                    return (event.entity, event.version, Some(roll));
                }
                None if event.entity.contains("/classGroups/") => {
                    assert!(event.removed, "what has no state is gone");
                    return (event.entity, event.version, None);
                }
                _ => {}
            }
        }
    }

    /// The next roll as its class group, version and members' names.
    pub(crate) async fn members(&mut self) -> (String, i64, Vec<String>) {
        let (entity, version, roll) = self.roll().await;
        let members = roll.map(|roll| roll.members).unwrap_or_default();
        let names = members.into_iter().map(|member| member.person).collect();
        (entity, version, names)
    }
}
