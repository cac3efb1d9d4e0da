//! What somebody is told of what is held about them, by when, and by whom.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::time::Duration;

use kit::auth::{Caller, Issuer, Role};
use kit::clock::Clock;
use proto::roster as pb;
use proto::roster::guardian_service_client::GuardianServiceClient;
use proto::roster::staff_service_client::StaffServiceClient;
use proto::roster::student_service_client::StudentServiceClient;
use proto::roster::subject_request::{Asker, Kind, State};
use proto::roster::subject_request_service_client::SubjectRequestServiceClient;

use crate::desk::{Desk, Door, date, desk_suite, fields};
use crate::hands::{door, refused};
use crate::people::{THIRD, THIRD_TWO, enrol, plant, resident};

type Subjects = SubjectRequestServiceClient<Door>;

const SCHOOL: &str = "organizations/2135010001";
const AT: &str = "fz/350102/2135010001";

/// Somebody of the school by name.
fn staff(desk: &Desk, subject: &str, role: Role) -> Subjects {
    SubjectRequestServiceClient::new(door(desk, subject, role, AT))
}

/// The account of a pupil or of their family.
fn family(desk: &Desk, role: Role, student: &str) -> Subjects {
    let caller = Caller {
        person: Some(student.to_owned()),
        ..Caller::new(format!("of-{student}"), vec![role], AT.parse().unwrap())
    };
    let life = Duration::from_secs(90 * 24 * 3600);
    let token = Issuer::development().issue(caller, desk.clock.now(), life);
    SubjectRequestServiceClient::new(desk.door(&token))
}

fn wanted(student: &str, kind: Kind) -> pb::FileSubjectRequestRequest {
    pb::FileSubjectRequestRequest {
        parent: SCHOOL.to_owned(),
        subject_request: Some(pb::SubjectRequest {
            person: student.to_owned(),
            kind: kind.into(),
            asker: Asker::Guardian.into(),
            identity_check: "户口簿与身份证原件核对无误".to_owned(),
            ..pb::SubjectRequest::default()
        }),
        request_id: String::new(),
    }
}

fn holdings(services: &[&str]) -> Vec<pb::ServiceHolding> {
    let told = services.iter().map(|service| pb::ServiceHolding {
        service: (*service).to_owned(),
        holds: true,
        statement: "采样记录与结果，纸质副本当面交付".to_owned(),
    });
    told.collect()
}

fn answer(name: &str, services: &[&str]) -> pb::AnswerSubjectRequestRequest {
    pb::AnswerSubjectRequestRequest {
        name: name.to_owned(),
        answer: "已当面说明并交付副本".to_owned(),
        holdings: holdings(services),
        request_id: String::new(),
    }
}

const ALL: [&str; 3] = ["sampling", "safety-inspection", "notification"];

fn data(name: &str) -> pb::GetSubjectDataRequest {
    pb::GetSubjectDataRequest {
        name: format!("{name}/data"),
    }
}

async fn a_family_asks_the_school_answers_and_the_family_sees_what_is_held(desk: Desk) {
    plant(&desk).await;
    let id_number = resident("20120901", 1);
    let pupil = enrol(&desk, THIRD, &id_number).await;
    let clerk = door(&desk, "clerk", Role::SchoolClerk, AT);
    let mother = pb::Guardian {
        display_name: "林妈妈".to_owned(),
        relation: 2,
        phone: "13900005678".to_owned(),
        ..pb::Guardian::default()
    };
    let mother = pb::CreateGuardianRequest {
        parent: pupil.name.clone(),
        guardian: Some(mother),
        request_id: String::new(),
    };
    let mut guardians = GuardianServiceClient::new(clerk.clone());
    guardians.create_guardian(mother).await.unwrap();
    let look_up = pb::LookUpStudentRequest {
        id_type: 0,
        id_number: id_number.clone(),
        reason: "核酸异常，核实身份".to_owned(),
    };
    let mut students = StudentServiceClient::new(clerk);
    students.look_up_student(look_up).await.unwrap();

    let mut home = family(&desk, Role::Guardian, &pupil.name);
    let mut filed = wanted(&pupil.name, Kind::Copy);
    filed
        .subject_request
        .as_mut()
        .unwrap()
        .identity_check
        .clear();
    let filed = home.file_subject_request(filed).await.unwrap().into_inner();
    assert_eq!((filed.state(), filed.overdue), (State::Received, false));
    assert_eq!(filed.due_date, Some(date("2022-05-07")));
    let early = home.get_subject_data(data(&filed.name)).await;
    assert_eq!(refused(early), "SUBJECT_REQUEST_STATE");

    let mut school = staff(&desk, "clerk", Role::SchoolClerk);
    let left_out = school
        .answer_subject_request(answer(&filed.name, &ALL[..2]))
        .await;
    assert_eq!(refused(left_out), "SUBJECT_REQUEST_INCOMPLETE");
    let answered = school
        .answer_subject_request(answer(&filed.name, &ALL))
        .await;
    let answered = answered.unwrap().into_inner();
    assert_eq!(
        (answered.state(), &*answered.closed_by),
        (State::Answered, "clerk")
    );
    assert_eq!(answered.holdings, holdings(&ALL));

    let shown = home
        .get_subject_data(data(&filed.name))
        .await
        .unwrap()
        .into_inner();
    let item = |category: &str, field: &str| {
        let mut categories = shown.categories.iter();
        let found = categories.find(|found| found.category == category).unwrap();
        let mut items = found.items.iter().filter(|item| item.field == field);
        items.next().map(|item| item.value.clone())
    };
    assert_eq!(item("register", "birth_month").as_deref(), Some("201209"));
    assert_eq!(item("numbers", "id_number"), Some(id_number), "in full");
    let guardian = item("guardians", "guardian");
    assert_eq!(guardian.as_deref(), Some("林妈妈（MOTHER）139****5678"));
    let looked = item("disclosures", "disclosure").unwrap();
    assert!(
        looked.contains("LookUpStudent：核酸异常，核实身份"),
        "{looked}"
    );
    for category in &shown.categories {
        let told = [&category.purpose, &category.basis, &category.retention];
        assert!(told.iter().all(|told| !told.is_empty()), "{category:?}");
    }

    desk.clock.advance(chrono::Duration::days(31));
    let late = home.get_subject_data(data(&filed.name)).await;
    assert_eq!(refused(late), "SUBJECT_REQUEST_STATE");
}

async fn nobody_asks_about_somebody_else(desk: Desk) {
    plant(&desk).await;
    let (own, other) = (
        enrol(&desk, THIRD, "").await,
        enrol(&desk, THIRD_TWO, "").await,
    );
    let mut home = family(&desk, Role::Guardian, &own.name);
    let answer = home
        .file_subject_request(wanted(&other.name, Kind::Access))
        .await;
    assert_eq!(refused(answer), "SCOPE_DENIED");
    let mut school = staff(&desk, "clerk", Role::SchoolClerk);
    let filed = school
        .file_subject_request(wanted(&other.name, Kind::Access))
        .await;
    let filed = filed.unwrap().into_inner();
    let get = pb::GetSubjectRequestRequest {
        name: filed.name.clone(),
    };
    assert_eq!(refused(home.get_subject_request(get).await), "NOT_FOUND");
    assert_eq!(
        refused(home.get_subject_data(data(&filed.name)).await),
        "NOT_FOUND"
    );
    let withdraw = pb::WithdrawSubjectRequestRequest {
        name: filed.name.clone(),
        request_id: String::new(),
    };
    let answer = home.withdraw_subject_request(withdraw.clone()).await;
    assert_eq!(refused(answer), "NOT_FOUND");
    let list = pb::ListSubjectRequestsRequest {
        parent: SCHOOL.to_owned(),
        ..pb::ListSubjectRequestsRequest::default()
    };
    let listed = home.list_subject_requests(list.clone()).await.unwrap();
    assert_eq!(listed.into_inner().subject_requests, []);
    let listed = school.list_subject_requests(list.clone()).await.unwrap();
    assert_eq!(
        listed.into_inner().subject_requests,
        std::slice::from_ref(&filed)
    );
    let mut subject = family(&desk, Role::Guardian, &other.name);
    let listed = subject.list_subject_requests(list).await.unwrap();
    assert_eq!(listed.into_inner().subject_requests, [filed]);
    let mut head = staff(&desk, "head", Role::Principal);
    let answer = head
        .get_subject_data(data(&subject_name(&mut subject).await))
        .await;
    assert_eq!(
        refused(answer),
        "SCOPE_DENIED",
        "numbers take people.reveal"
    );
    let withdrawn = subject.withdraw_subject_request(withdraw).await.unwrap();
    assert_eq!(withdrawn.into_inner().state(), State::Withdrawn);
}

/// The name of the only request that a family sees.
async fn subject_name(home: &mut Subjects) -> String {
    let list = pb::ListSubjectRequestsRequest {
        parent: SCHOOL.to_owned(),
        ..pb::ListSubjectRequestsRequest::default()
    };
    let listed = home.list_subject_requests(list).await.unwrap().into_inner();
    listed.subject_requests[0].name.clone()
}

async fn the_young_do_not_ask_alone_and_the_school_says_how_it_checked(desk: Desk) {
    plant(&desk).await;
    let young = enrol(&desk, THIRD, &resident("20120901", 1)).await;
    let older = enrol(&desk, THIRD, &resident("20070901", 2)).await;
    let alone = |student: &str| {
        let mut request = wanted(student, Kind::Access);
        request.subject_request.as_mut().unwrap().asker = Asker::Person.into();
        request
    };
    let mut pupil = family(&desk, Role::Student, &young.name);
    let status = pupil
        .file_subject_request(alone(&young.name))
        .await
        .unwrap_err();
    assert_eq!(fields(&status), ["subject_request.asker"]);
    let mut pupil = family(&desk, Role::Student, &older.name);
    pupil
        .file_subject_request(alone(&older.name))
        .await
        .unwrap();
    let mut school = staff(&desk, "clerk", Role::SchoolClerk);
    let mut unchecked = wanted(&young.name, Kind::Access);
    unchecked
        .subject_request
        .as_mut()
        .unwrap()
        .identity_check
        .clear();
    let status = school.file_subject_request(unchecked).await.unwrap_err();
    assert_eq!(fields(&status), ["subject_request.identity_check"]);
    let mut telling = wanted(&young.name, Kind::Access);
    telling.subject_request.as_mut().unwrap().identity_check = "电话 13800138000 核实".to_owned();
    let status = school.file_subject_request(telling).await.unwrap_err();
    assert_eq!(fields(&status), ["subject_request.identity_check"]);
    let unsaid = school
        .file_subject_request(wanted(&young.name, Kind::Correction))
        .await;
    assert_eq!(fields(&unsaid.unwrap_err()), ["subject_request.fields"]);
}

async fn a_correction_is_answered_or_refused_by_law_and_what_is_late_is_listed(desk: Desk) {
    plant(&desk).await;
    let pupil = enrol(&desk, THIRD, "").await;
    let mut school = staff(&desk, "clerk", Role::SchoolClerk);
    let mut correction = wanted(&pupil.name, Kind::Correction);
    correction.subject_request.as_mut().unwrap().fields = vec!["birth_month".to_owned()];
    let first = school
        .file_subject_request(correction.clone())
        .await
        .unwrap()
        .into_inner();
    let second = school
        .file_subject_request(correction)
        .await
        .unwrap()
        .into_inner();
    let held = school.get_subject_data(data(&first.name)).await;
    assert_eq!(
        refused(held),
        "SUBJECT_REQUEST_STATE",
        "nobody asked for it"
    );
    let done = school
        .answer_subject_request(answer(&first.name, &[]))
        .await;
    assert_eq!(done.unwrap().into_inner().state(), State::Answered);
    let again = school
        .answer_subject_request(answer(&first.name, &[]))
        .await;
    assert_eq!(refused(again), "SUBJECT_REQUEST_STATE");

    desk.clock.advance(chrono::Duration::days(31));
    let mut bureau =
        SubjectRequestServiceClient::new(door(&desk, "ann", Role::DistrictOfficer, "fz/350102"));
    let due = pb::ListSubjectRequestsRequest {
        parent: "organizations/350102".to_owned(),
        due_by: Some(date("2022-05-07")),
        ..pb::ListSubjectRequestsRequest::default()
    };
    let late = bureau
        .list_subject_requests(due.clone())
        .await
        .unwrap()
        .into_inner();
    let late: Vec<_> = late
        .subject_requests
        .into_iter()
        .map(|one| (one.name, one.overdue))
        .collect();
    assert_eq!(late, [(second.name.clone(), true)]);
    let refuse = pb::RefuseSubjectRequestRequest {
        name: second.name,
        reason: "个人信息保护法第四十五条第一款".to_owned(),
        request_id: String::new(),
    };
    let mut school = staff(&desk, "clerk", Role::SchoolClerk);
    let closed = school
        .refuse_subject_request(refuse)
        .await
        .unwrap()
        .into_inner();
    assert_eq!((closed.state(), closed.overdue), (State::Refused, true));
    let late = bureau
        .list_subject_requests(due)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(late.subject_requests, []);
}

fn used(name: &str, service: &str) -> pb::UseSubjectRequestRequest {
    pb::UseSubjectRequestRequest {
        name: name.to_owned(),
        service: service.to_owned(),
        request_id: String::new(),
    }
}

async fn other_services_learn_whose_data_they_may_show_and_that_they_did_is_told(desk: Desk) {
    plant(&desk).await;
    let (pupil, other) = (
        enrol(&desk, THIRD, "").await,
        enrol(&desk, THIRD_TWO, "").await,
    );
    let mut school = staff(&desk, "clerk", Role::SchoolClerk);
    let filed = school
        .file_subject_request(wanted(&pupil.name, Kind::Access))
        .await
        .unwrap()
        .into_inner();
    let whose = school
        .use_subject_request(used(&filed.name, "sampling"))
        .await;
    let whose = whose.unwrap().into_inner();
    assert_eq!((&whose.person, &*whose.organization), (&pupil.name, SCHOOL));
    assert!(whose.org_path.starts_with(&format!("{AT}/")), "{whose:?}");
    let unknown = school.use_subject_request(used(&filed.name, "kitchen"));
    assert_eq!(fields(&unknown.await.unwrap_err()), ["service"]);

    let mut home = family(&desk, Role::Guardian, &pupil.name);
    let mut neighbours = family(&desk, Role::Guardian, &other.name);
    let early = home.use_subject_request(used(&filed.name, "notification"));
    assert_eq!(refused(early.await), "SUBJECT_REQUEST_STATE");
    let stranger = neighbours.use_subject_request(used(&filed.name, "notification"));
    assert_eq!(refused(stranger.await), "NOT_FOUND");
    let mut head = staff(&desk, "head", Role::Principal);
    let head = head.use_subject_request(used(&filed.name, "sampling"));
    assert_eq!(refused(head.await), "SCOPE_DENIED", "as for the numbers");

    let held = school.get_subject_data(data(&filed.name)).await.unwrap();
    let seen = |held: pb::SubjectData| -> Vec<String> {
        let looks = held
            .categories
            .into_iter()
            .filter(|one| one.category == "disclosures");
        looks
            .flat_map(|one| one.items)
            .map(|item| item.value)
            .collect()
    };
    let told = seen(held.into_inner());
    assert_eq!(told.len(), 1, "{told:?}");
    let reason = format!("ExportHeldData：{}（sampling）", filed.name);
    assert!(told[0].ends_with(&reason), "{told:?}");
    let again = school.get_subject_data(data(&filed.name)).await.unwrap();
    let again = seen(again.into_inner());
    let reason = format!("GetSubjectData：{}", filed.name);
    assert!(
        again.iter().any(|look| look.ends_with(&reason)),
        "{again:?}"
    );

    let answered = school
        .answer_subject_request(answer(&filed.name, &ALL))
        .await;
    answered.unwrap();
    let whose = home.use_subject_request(used(&filed.name, "notification"));
    assert_eq!(whose.await.unwrap().into_inner().person, pupil.name);
    desk.clock.advance(chrono::Duration::days(31));
    let late = school.use_subject_request(used(&filed.name, "sampling"));
    assert_eq!(refused(late.await), "SUBJECT_REQUEST_STATE");
}

async fn a_request_that_was_refused_shows_nothing_any_more(desk: Desk) {
    plant(&desk).await;
    let pupil = enrol(&desk, THIRD, "").await;
    let mut school = staff(&desk, "clerk", Role::SchoolClerk);
    let filed = school
        .file_subject_request(wanted(&pupil.name, Kind::Copy))
        .await
        .unwrap()
        .into_inner();
    let refuse = pb::RefuseSubjectRequestRequest {
        name: filed.name.clone(),
        reason: "个人信息保护法第四十五条第一款".to_owned(),
        request_id: String::new(),
    };
    school.refuse_subject_request(refuse).await.unwrap();
    let shown = school.use_subject_request(used(&filed.name, "safety-inspection"));
    assert_eq!(refused(shown.await), "SUBJECT_REQUEST_STATE");
}

/// Somebody who works at the school and is responsible for less than it.
fn colleague(desk: &Desk, name: &str) -> Subjects {
    let scope = format!("{AT}/p2019-01");
    let caller = Caller {
        person: Some(name.to_owned()),
        ..Caller::new(
            format!("of-{name}"),
            vec![Role::ClassReporter],
            scope.parse().unwrap(),
        )
    };
    let life = Duration::from_secs(90 * 24 * 3600);
    let token = Issuer::development().issue(caller, desk.clock.now(), life);
    SubjectRequestServiceClient::new(desk.door(&token))
}

async fn employ(desk: &Desk, name: &str) -> pb::StaffMember {
    let mut staff = StaffServiceClient::new(door(desk, "clerk", Role::SchoolClerk, AT));
    let request = pb::CreateStaffMemberRequest {
        parent: SCHOOL.to_owned(),
        staff_member: Some(pb::StaffMember {
            display_name: name.to_owned(),
            posts: vec![pb::staff_member::Post::Teacher.into()],
            phone: "13900005678".to_owned(),
            ..pb::StaffMember::default()
        }),
        request_id: String::new(),
    };
    staff
        .create_staff_member(request)
        .await
        .unwrap()
        .into_inner()
}

/// What somebody who works asks about themselves.
fn of_own(member: &str) -> pb::FileSubjectRequestRequest {
    let mut request = wanted(member, Kind::Copy);
    let asked = request.subject_request.as_mut().unwrap();
    asked.asker = Asker::Person.into();
    asked.identity_check.clear();
    request
}

async fn who_works_asks_about_themselves_and_sees_what_is_held(desk: Desk) {
    plant(&desk).await;
    let (teacher, other) = (employ(&desk, "林老师").await, employ(&desk, "陈老师").await);
    let mut own = colleague(&desk, &teacher.name);
    let filed = own.file_subject_request(of_own(&teacher.name)).await;
    let filed = filed.unwrap().into_inner();
    assert_eq!(
        (&filed.person, filed.state()),
        (&teacher.name, State::Received)
    );
    assert_eq!(subject_name(&mut own).await, filed.name);
    let early = own.get_subject_data(data(&filed.name)).await;
    assert_eq!(refused(early), "SUBJECT_REQUEST_STATE");

    let mut school = staff(&desk, "clerk", Role::SchoolClerk);
    school.get_subject_data(data(&filed.name)).await.unwrap();
    let answered = school
        .answer_subject_request(answer(&filed.name, &ALL))
        .await;
    answered.unwrap();
    let shown = own.get_subject_data(data(&filed.name)).await;
    let shown = shown.unwrap().into_inner();
    let value = |category: &str, field: &str| {
        let mut categories = shown.categories.iter();
        let found = categories.find(|found| found.category == category).unwrap();
        let mut items = found.items.iter().filter(|item| item.field == field);
        items.next().map(|item| item.value.clone())
    };
    assert_eq!(
        value("employment", "display_name").as_deref(),
        Some("林老师")
    );
    assert_eq!(value("employment", "posts").as_deref(), Some("TEACHER"));
    let phone = value("staff_numbers", "phone");
    assert_eq!(phone.as_deref(), Some("13900005678"), "in full");
    let looked = value("disclosures", "disclosure").unwrap();
    assert!(looked.contains("GetSubjectData"), "{looked}");
    let whose = own.use_subject_request(used(&filed.name, "sampling")).await;
    let whose = whose.unwrap().into_inner();
    assert_eq!((&whose.person, &*whose.org_path), (&teacher.name, AT));

    let mut stranger = colleague(&desk, &other.name);
    let get = pb::GetSubjectRequestRequest {
        name: filed.name.clone(),
    };
    assert_eq!(
        refused(stranger.get_subject_request(get).await),
        "NOT_FOUND"
    );
    let told = stranger.get_subject_data(data(&filed.name)).await;
    assert_eq!(refused(told), "NOT_FOUND");
    let shown = stranger.use_subject_request(used(&filed.name, "sampling"));
    assert_eq!(refused(shown.await), "NOT_FOUND");
    let list = pb::ListSubjectRequestsRequest {
        parent: SCHOOL.to_owned(),
        ..pb::ListSubjectRequestsRequest::default()
    };
    let listed = stranger.list_subject_requests(list).await.unwrap();
    assert_eq!(listed.into_inner().subject_requests, []);
}

async fn who_works_files_for_nobody_else_and_nowhere_else(desk: Desk) {
    plant(&desk).await;
    let (teacher, other) = (employ(&desk, "林老师").await, employ(&desk, "陈老师").await);
    let pupil = enrol(&desk, THIRD, "").await;
    let mut own = colleague(&desk, &teacher.name);
    for person in [&other.name, &pupil.name] {
        let filed = own.file_subject_request(of_own(person)).await;
        assert_eq!(refused(filed), "SCOPE_DENIED", "{person}");
    }
    let elsewhere = pb::FileSubjectRequestRequest {
        parent: "organizations/350102".to_owned(),
        ..of_own(&teacher.name)
    };
    assert_eq!(
        refused(own.file_subject_request(elsewhere).await),
        "SCOPE_DENIED"
    );
    let mut nobody = staff(&desk, "guard", Role::Guard);
    let filed = nobody.file_subject_request(of_own(&teacher.name)).await;
    assert_eq!(refused(filed), "SCOPE_DENIED", "an account of nobody");

    let mut school = staff(&desk, "clerk", Role::SchoolClerk);
    let unchecked = school.file_subject_request(of_own(&teacher.name)).await;
    assert_eq!(
        fields(&unchecked.unwrap_err()),
        ["subject_request.identity_check"]
    );
    let guardian = school
        .file_subject_request(wanted(&teacher.name, Kind::Copy))
        .await;
    assert_eq!(fields(&guardian.unwrap_err()), ["subject_request.asker"]);
    let mut paper = wanted(&teacher.name, Kind::Copy);
    paper.subject_request.as_mut().unwrap().asker = Asker::Person.into();
    let paper = school.file_subject_request(paper).await.unwrap();
    let withdraw = pb::WithdrawSubjectRequestRequest {
        name: paper.into_inner().name,
        request_id: String::new(),
    };
    let withdrawn = own.withdraw_subject_request(withdraw).await.unwrap();
    assert_eq!(withdrawn.into_inner().state(), State::Withdrawn);
}

desk_suite!(
    who_works_asks_about_themselves_and_sees_what_is_held,
    who_works_files_for_nobody_else_and_nowhere_else,
    a_family_asks_the_school_answers_and_the_family_sees_what_is_held,
    nobody_asks_about_somebody_else,
    the_young_do_not_ask_alone_and_the_school_says_how_it_checked,
    a_correction_is_answered_or_refused_by_law_and_what_is_late_is_listed,
    other_services_learn_whose_data_they_may_show_and_that_they_did_is_told,
    a_request_that_was_refused_shows_nothing_any_more,
);
