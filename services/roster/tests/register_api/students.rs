//! Students as a client sees them, and their rolls as a reader of the feed does.
#![expect(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use crate::desk;
use crate::desk::desk_suite;
use crate::desk::{Desk, GULOU_PRIMARY};
use crate::people::{
    FUQING_THIRD, Follower, REQUEST, THIRD, THIRD_TWO, day, enrol, enrolment, execute, invalid,
    number, plant, refusal, refused, resident, today, told, transfer, update, withdraw,
};
use kit::auth::Role;
use proto::roster::roll_member::Presence;
use proto::roster::student::{Sex, State};
use proto::roster::student_service_client::StudentServiceClient;
use proto::roster::{GetStudentRequest, IdType, ListStudentsRequest, RollMember, Student};
use tonic::Code;

type Client = StudentServiceClient<desk::Door>;

fn officer(desk: &Desk) -> Client {
    StudentServiceClient::new(desk.officer())
}

async fn sex_and_birth_month_follow_the_number_and_no_number_is_answered(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let mut follower = Follower::of(&desk).await;
    let made = client.create_student(told()).await.unwrap().into_inner();
    let expected = Student {
        name: made.name.clone(),
        display_name: "林小雨".to_owned(),
        class_group: THIRD.to_owned(),
        sex: Sex::Female.into(),
        birth_month: 201_209,
        id_type: IdType::Resident.into(),
        masked_phone: "139****1234".to_owned(),
        presence: Presence::Expected.into(),
        boarder: true,
        dormitory: "3-201".to_owned(),
        swab_exempt: true,
        start_date: day(2021, 9, 1),
        state: State::Enrolled.into(),
        update_time: made.update_time,
        etag: "\"1\"".to_owned(),
        ..Student::default()
    };
    assert_eq!(made, expected);
    let name = made.name.clone();
    let read = client.get_student(GetStudentRequest { name }).await;
    assert_eq!(read.unwrap().into_inner(), made);
    let (entity, version, roll) = follower.roll().await;
    let member = RollMember {
        person: made.name,
        presence: Presence::Expected.into(),
        boarder: true,
        dormitory: "3-201".to_owned(),
        swab_exempt: true,
        since: 20_210_901,
    };
    assert_eq!((&*entity, version), (THIRD, 2));
    assert_eq!(roll.unwrap().members, [member]);
}

async fn wrong_fields_are_named_together(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let mut request = told();
    request.start_date = day(2022, 4, 8);
    request.student = Some(Student {
        sex: 3,
        birth_month: 202_205,
        id_number: "350102201209010019".to_owned(),
        student_number: "G1".to_owned(),
        phone: "12345".to_owned(),
        presence: 9,
        dormitory: "房".repeat(33),
        ..Student::default()
    });
    let wrong = client.create_student(request).await.unwrap_err();
    let expected = [
        "student.display_name",
        "student.sex",
        "student.birth_month",
        "student.student_number",
        "student.phone",
        "student.presence",
        "student.dormitory",
        "student.id_number",
        "start_date",
    ];
    assert_eq!(refusal(wrong), invalid(&expected));
    let one = |change: fn(&mut Student)| {
        let mut request = told();
        request.student.as_mut().map(change);
        request
    };
    let singles = [
        (one(|sent| sent.id_type = 6), "student.id_type"),
        (one(|sent| sent.id_type = 7), "student.id_type"),
        (
            one(|sent| (sent.id_type, sent.id_number) = (2, String::new())),
            "student.id_number",
        ),
        (one(|sent| sent.boarder = false), "student.dormitory"),
    ];
    for (request, field) in singles {
        let wrong = client.create_student(request).await.unwrap_err();
        assert_eq!(refusal(wrong), invalid(&[field]));
    }
    let mut request = told();
    request.class_group = "organizations/2135010001".to_owned();
    let wrong = client.create_student(request).await.unwrap_err();
    assert_eq!(refusal(wrong), invalid(&["class_group"]));
    assert_eq!(number(&desk, "SELECT COUNT(*) FROM students").await, 0);
}

async fn an_update_changes_what_it_names_and_shows_in_the_next_roll(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let before = client.create_student(told()).await.unwrap().into_inner();
    execute(
        &desk,
        "UPDATE students SET content_hash = id_hash, raw_hash = 1, batch = 1",
    )
    .await;
    let mut follower = Follower::of(&desk).await;
    let named = Student {
        name: before.name.clone(),
        presence: Presence::OnLeave.into(),
        etag: before.etag.clone(),
        ..Student::default()
    };
    let request = update(named, &["presence", "boarder", "phone", "sex"]);
    let after = client.update_student(request.clone()).await;
    let after = after.unwrap().into_inner();
    let expected = Student {
        presence: Presence::OnLeave.into(),
        boarder: false,
        dormitory: String::new(),
        masked_phone: String::new(),
        etag: "\"2\"".to_owned(),
        update_time: after.update_time,
        ..before.clone()
    };
    assert_eq!(after, expected);
    let (_, version, roll) = follower.roll().await;
    let member = roll.unwrap().members.remove(0);
    assert_eq!(
        (version, member.presence(), member.boarder, member.since),
        (3, Presence::OnLeave, false, 20_210_901)
    );
    let stale = client.update_student(request).await.unwrap_err();
    assert_eq!(refusal(stale), refused(Code::Aborted, "ETAG_MISMATCH"));
    let marked = "SELECT COUNT(*) FROM students \
        WHERE content_hash IS NOT NULL OR raw_hash IS NOT NULL OR batch IS NOT NULL";
    assert_eq!(number(&desk, marked).await, 0);
    // Without a mask what is not empty changes; a passport tells neither sex nor month.
    let passport = Student {
        name: before.name.clone(),
        id_type: IdType::Passport.into(),
        id_number: "e 12345678".to_owned(),
        birth_month: 201_112,
        ..Student::default()
    };
    let after = client.update_student(update(passport, &[])).await;
    let after = after.unwrap().into_inner();
    assert_eq!(
        (after.id_type(), after.birth_month, after.sex()),
        (IdType::Passport, 201_112, Sex::Female)
    );
    let none = Student {
        name: before.name.clone(),
        ..Student::default()
    };
    let after = client.update_student(update(none, &["id_number"])).await;
    assert_eq!(after.unwrap().into_inner().id_type(), IdType::Unspecified);
    let nameless = Student {
        name: before.name,
        ..Student::default()
    };
    let wrong = client.update_student(update(nameless, &["*"])).await;
    let wrong = wrong.unwrap_err();
    assert_eq!(refusal(wrong), invalid(&["student.display_name"]));
}

async fn the_same_request_enrols_once(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let mut request = told();
    request.request_id = REQUEST.to_owned();
    let first = client.create_student(request.clone()).await.unwrap();
    let again = client.create_student(request.clone()).await.unwrap();
    assert_eq!(first.into_inner(), again.into_inner());
    assert_eq!(number(&desk, "SELECT COUNT(*) FROM students").await, 1);
    // Another number is another request, though no number is kept of it.
    if let Some(student) = &mut request.student {
        student.id_number = resident("20120901", 6);
    }
    let reused = client.create_student(request).await.unwrap_err();
    let expected = refused(Code::InvalidArgument, "REQUEST_ID_REUSED");
    assert_eq!(refusal(reused), expected);
}

async fn pages_hold_a_class_group_or_a_school(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let mut names = Vec::new();
    for group in [THIRD, THIRD, THIRD_TWO] {
        names.push(enrol(&desk, group, "").await.name);
    }
    let left = enrol(&desk, THIRD, "").await.name;
    let gone = client.withdraw_student(withdraw(&left, today())).await;
    gone.unwrap();
    enrol(&desk, FUQING_THIRD, "").await;
    let [first, second, third] = <[String; 3]>::try_from(names).unwrap();
    let here = vec![first.clone(), second.clone()];
    let with_left = vec![first.clone(), second.clone(), left];
    let school = vec![first, second, third];
    for (parent, show_withdrawn, expected) in [
        (THIRD, false, here),
        (THIRD, true, with_left),
        (
            "organizations/2135010001/classGroups/-",
            false,
            school.clone(),
        ),
        ("organizations/2135010001", false, school),
        ("organizations/350102/classGroups/-", false, vec![]),
    ] {
        let mut list = ListStudentsRequest {
            parent: parent.to_owned(),
            show_withdrawn,
            page_size: 2,
            page_token: String::new(),
        };
        let mut seen = Vec::new();
        loop {
            let page = client.list_students(list.clone()).await.unwrap();
            let page = page.into_inner();
            seen.extend(page.students.into_iter().map(|student| student.name));
            list.page_token = page.next_page_token;
            if list.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, expected, "{parent}");
    }
}

async fn nobody_acts_outside_of_their_part_of_the_tree(desk: Desk) {
    plant(&desk).await;
    let school = format!("fz/350102/{GULOU_PRIMARY}");
    let class = format!("{school}/p2019-01");
    let denied = || refused(Code::PermissionDenied, "SCOPE_DENIED");
    // Who, whether they read here, whether they write here, whether they move somebody to Fuqing.
    let callers = [
        (Role::CityOfficer, "fz", true, true, true),
        (Role::DistrictOfficer, "fz/350102", true, true, false),
        (Role::DistrictOfficer, "fz/350181", false, false, false),
        (Role::SchoolClerk, &*school, true, true, false),
        (
            Role::SchoolClerk,
            "fz/350102/3435010002",
            false,
            false,
            false,
        ),
        (Role::Principal, &*school, true, false, false),
        (Role::ClassReporter, &*class, true, false, false),
        (Role::Laboratory, "fz", false, false, false),
    ];
    for (role, scope, reads, writes, moves) in callers {
        let mut client = StudentServiceClient::new(desk.caller(role, scope));
        let name = &enrol(&desk, THIRD, "").await.name;
        let expect = |status: Option<tonic::Status>, allowed: bool, what: &str| {
            let expected = (!allowed).then(denied);
            assert_eq!(status.map(refusal), expected, "{role} at {scope}: {what}");
        };
        let get = GetStudentRequest { name: name.clone() };
        expect(client.get_student(get).await.err(), reads, "get");
        let list = ListStudentsRequest {
            parent: THIRD.to_owned(),
            ..ListStudentsRequest::default()
        };
        expect(client.list_students(list).await.err(), reads, "list");
        let create = enrolment(THIRD, "林小雨");
        expect(client.create_student(create).await.err(), writes, "create");
        let renamed = Student {
            name: name.clone(),
            display_name: "林大雨".to_owned(),
            ..Student::default()
        };
        let renamed = client.update_student(update(renamed, &[])).await;
        expect(renamed.err(), writes, "update");
        let moved = client.transfer_student(transfer(name, THIRD_TWO, today()));
        expect(moved.await.err(), writes, "transfer within the school");
        let moved = client.transfer_student(transfer(name, FUQING_THIRD, today()));
        expect(moved.await.err(), moves, "transfer to another district");
        let left = client.withdraw_student(withdraw(name, today())).await;
        expect(left.err(), writes, "withdraw");
    }
}

async fn unknown_and_foreign_pupils_are_answered_alike(desk: Desk) {
    plant(&desk).await;
    let clerk = desk.caller(Role::SchoolClerk, &format!("fz/350102/{GULOU_PRIMARY}"));
    let mut clerk = StudentServiceClient::new(clerk);
    let foreign = enrol(&desk, FUQING_THIRD, "").await.name;
    let unknown = "students/00000000-0000-7000-8000-000000000000".to_owned();
    let denied = || refused(Code::PermissionDenied, "SCOPE_DENIED");
    let mut messages = Vec::new();
    for name in [&foreign, &unknown] {
        let name = name.clone();
        let renamed = Student {
            name: name.clone(),
            display_name: "林大雨".to_owned(),
            ..Student::default()
        };
        let refusals = [
            clerk.update_student(update(renamed, &[])).await,
            clerk
                .transfer_student(transfer(&name, THIRD, today()))
                .await,
            clerk.withdraw_student(withdraw(&name, today())).await,
            clerk.get_student(GetStudentRequest { name }).await,
        ];
        for status in refusals {
            let status = status.unwrap_err();
            messages.push(status.message().to_owned());
            assert_eq!(refusal(status), denied());
        }
    }
    assert_eq!(messages[..4], messages[4..]);
    let name = unknown;
    let missing = officer(&desk).get_student(GetStudentRequest { name }).await;
    let expected = refused(Code::NotFound, "NOT_FOUND");
    assert_eq!(refusal(missing.unwrap_err()), expected);
    let malformed = GetStudentRequest {
        name: "students/1".to_owned(),
    };
    let malformed = clerk.get_student(malformed).await.unwrap_err();
    assert_eq!(refusal(malformed), invalid(&["name"]));
}

desk_suite!(
    sex_and_birth_month_follow_the_number_and_no_number_is_answered,
    wrong_fields_are_named_together,
    an_update_changes_what_it_names_and_shows_in_the_next_roll,
    the_same_request_enrols_once,
    pages_hold_a_class_group_or_a_school,
    nobody_acts_outside_of_their_part_of_the_tree,
    unknown_and_foreign_pupils_are_answered_alike,
);
