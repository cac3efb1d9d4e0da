//! What a parent asks, and what somebody asks whom nobody knows.

use kit::auth::Role;
use proto::notification::concern::{Category, State, Submitter};
use proto::notification::concern_service_client::ConcernServiceClient;
use proto::notification::{
    AnswerConcernRequest, AssignConcernRequest, Concern, ConcernCategoryFigures,
    GetConcernFiguresRequest, GetConcernRequest, ListConcernsRequest, RateAnswerRequest,
    SubmitConcernRequest, SubmitConcernResponse, TriageConcernRequest,
};
use tests::city::{City, Door};
use tests::town::{CITY, DISTRICT, school, school_path, student_called};
use tonic::{Code, Status};

use super::inbox::Inbox;
use crate::region::Region;
use crate::verbs::{denied, expect, request_id};

fn concerns(door: &Door) -> ConcernServiceClient<Door> {
    ConcernServiceClient::new(door.clone())
}

async fn submit(door: &Door, concern: Concern) -> SubmitConcernResponse {
    let request = SubmitConcernRequest {
        parent: format!("organizations/{}", school(1)),
        concern: Some(concern),
        request_id: request_id(),
    };
    let submitted = concerns(door).submit_concern(request.clone()).await;
    let submitted = submitted.expect("is handed in").into_inner();
    let again = concerns(door).submit_concern(request).await;
    assert_eq!(again.expect("is answered again").into_inner(), submitted);
    submitted
}

async fn read(door: &Door, name: &str, code: &str) -> Result<Concern, Status> {
    let request = GetConcernRequest {
        name: name.to_owned(),
        receipt_code: code.to_owned(),
    };
    Ok(concerns(door).get_concern(request).await?.into_inner())
}

async fn triage(door: &Door, name: &str, category: Category) -> Result<Concern, Status> {
    let request = TriageConcernRequest {
        name: name.to_owned(),
        category: category.into(),
        urgent: false,
        request_id: request_id(),
    };
    Ok(concerns(door).triage_concern(request).await?.into_inner())
}

async fn assign(door: &Door, name: &str, assignee: &str) -> Result<Concern, Status> {
    let request = AssignConcernRequest {
        name: name.to_owned(),
        assignee: assignee.to_owned(),
        request_id: request_id(),
    };
    Ok(concerns(door).assign_concern(request).await?.into_inner())
}

async fn answer(door: &Door, name: &str) -> Result<Concern, Status> {
    let request = AnswerConcernRequest {
        name: name.to_owned(),
        answer: "已调整食堂供餐时间，感谢反映".to_owned(),
        request_id: request_id(),
    };
    Ok(concerns(door).answer_concern(request).await?.into_inner())
}

async fn rate(door: &Door, name: &str, stars: i32, code: &str) -> Result<Concern, Status> {
    let request = RateAnswerRequest {
        name: name.to_owned(),
        satisfaction: stars,
        remark: "仍然拥挤".to_owned(),
        receipt_code: code.to_owned(),
        request_id: request_id(),
    };
    Ok(concerns(door).rate_answer(request).await?.into_inner())
}

/// Those who see to it, from the first word to the answer; gives what each was shown.
async fn see_to_it(door: &Door, name: &str, category: Category, assignee: &str) -> Vec<Concern> {
    let read = read(door, name, "").await.expect("is read");
    let triaged = triage(door, name, category).await.expect("is sorted out");
    let assigned = assign(door, name, assignee).await.expect("is assigned");
    assert_eq!(
        (assigned.state(), &*assigned.assignee),
        (State::Assigned, assignee)
    );
    let answered = answer(door, name).await.expect("is answered");
    assert_eq!(answered.state(), State::Answered);
    vec![read, triaged, assigned, answered]
}

/// Answered by the school, not to the parent's satisfaction; then by the bureau.
pub(super) async fn of_a_parent_is_answered_until_it_satisfies(region: &Region) {
    let child = region.city.student(1, 1, 1).to_owned();
    let class = format!("{}/{}", school_path(1), region.city.town.class_id(1));
    let parent = region.person(Role::Guardian, &class, &child);
    let concern = Concern {
        submitter: Submitter::Guardian.into(),
        category: Category::Living.into(),
        text: "食堂排队太久，孩子来不及吃完午饭".to_owned(),
        ..Concern::default()
    };
    let submitted = submit(&parent, concern).await;
    assert_eq!(submitted.receipt_code, "", "one's name is the way back");
    let name = submitted.concern.expect("a concern").name;
    let mut inbox = Inbox::open(&parent, &City::guardians_of(&child))
        .await
        .expect("the family's inbox");

    let principal = region.city.door(Role::Principal, &school_path(1));
    let bureau = region
        .city
        .door(Role::DistrictOfficer, &region.bureaus()[0].1);
    outsiders_learn_nothing(region, &name).await;
    denied(
        "sorting out one's own",
        triage(&parent, &name, Category::Living).await,
    );
    let answerer = region.staff(&school(1), "安全副校长");
    let mut shown = see_to_it(&principal, &name, Category::Living, answerer).await;
    inbox.about(&name).await;
    denied(
        "judging for the parent",
        rate(&principal, &name, 5, "").await,
    );
    let reopened = rate(&parent, &name, 2, "").await.expect("is judged");
    assert_eq!(
        (
            reopened.state(),
            reopened.reopen_count,
            &*reopened.assignee_organization
        ),
        (State::Reopened, 1, &*format!("organizations/{DISTRICT}"))
    );
    let gone = read(&principal, &name, "").await.expect_err("went up");
    assert_eq!(gone.code(), Code::NotFound);
    let answerer = region.staff(DISTRICT, "校长");
    shown.extend(see_to_it(&bureau, &name, Category::Living, answerer).await);
    inbox.about(&name).await;
    let closed = rate(&parent, &name, 5, "").await.expect("is judged");
    assert_eq!((closed.state(), closed.satisfaction), (State::Closed, 5));

    let request = ListConcernsRequest {
        parent: format!("organizations/{DISTRICT}"),
        ..ListConcernsRequest::default()
    };
    let listed = concerns(&bureau)
        .list_concerns(request)
        .await
        .expect("listed");
    let [listed] = &listed.into_inner().concerns[..] else {
        panic!("one concern");
    };
    assert_eq!(
        (&*listed.text, &*listed.answer),
        ("", ""),
        "lists have no words"
    );
    let shown = format!("{shown:?} {listed:?}");
    for tells in [&*child, &*student_called(1, 1, 1), "guardian"] {
        assert!(!shown.contains(tells), "{tells}");
    }
    few_are_hidden(&bureau).await;
}

/// Neither other parents nor other schools nor who works at the school without dealing with concerns.
async fn outsiders_learn_nothing(region: &Region, name: &str) {
    let class = format!("{}/{}", school_path(1), region.city.town.class_id(1));
    let outsiders = [
        region.person(Role::Guardian, &class, region.city.student(1, 1, 2)),
        region.city.door(Role::ClassReporter, &class),
        region.city.door(Role::SchoolDoctor, &school_path(1)),
        region.city.door(Role::Counsellor, &school_path(1)),
        region.city.door(Role::Principal, &school_path(2)),
        region
            .city
            .door(Role::DistrictOfficer, &region.bureaus()[1].1),
    ];
    for outsider in outsiders {
        denied("reading", read(&outsider, name, "").await);
        denied(
            "sorting out",
            triage(&outsider, name, Category::Other).await,
        );
        denied("answering", answer(&outsider, name).await);
        denied("judging", rate(&outsider, name, 5, "").await);
    }
    let system = region.city.door(Role::PartnerSystem, CITY);
    denied("a machine", read(&system, name, "").await);
}

async fn few_are_hidden(door: &Door) {
    let request = GetConcernFiguresRequest {
        parent: format!("organizations/{DISTRICT}"),
    };
    let figures = concerns(door).get_concern_figures(request).await;
    let figures = figures.expect("figures").into_inner().categories;
    let hidden = |one: &ConcernCategoryFigures| one.concern_count.is_some_and(|count| count.hidden);
    assert!(!figures.is_empty() && figures.iter().all(hidden));
}

/// A pupil complains of somebody at the school: the bureau has it at once, and the code is the only way
/// back.
pub(super) async fn of_nobody_comes_back_by_its_code(region: &Region) {
    let class = format!("{}/{}", school_path(1), region.city.town.class_id(2));
    let pupil = region.person(Role::Student, &class, region.city.student(1, 2, 3));
    let concern = Concern {
        submitter: Submitter::Student.into(),
        anonymous: true,
        category: Category::Conduct.into(),
        text: "有老师课后补课收费".to_owned(),
        ..Concern::default()
    };
    let submitted = submit(&pupil, concern).await;
    let (code, concern) = (
        submitted.receipt_code,
        submitted.concern.expect("a concern"),
    );
    let name = &*concern.name;
    assert!(!code.is_empty() && concern.anonymous);

    denied("without the code", read(&pupil, name, "").await);
    let wrong = read(&pupil, name, "AAAA-AAAA-AAAA-AAAA").await;
    assert_eq!(wrong.expect_err("another code").code(), Code::NotFound);
    let principal = region.city.door(Role::Principal, &school_path(1));
    let hidden = read(&principal, name, "")
        .await
        .expect_err("goes past the school");
    assert_eq!(hidden.code(), Code::NotFound);

    let bureau = region
        .city
        .door(Role::DistrictOfficer, &region.bureaus()[0].1);
    let of_school = region.staff(&school(1), "校长");
    let triaged = triage(&bureau, name, Category::Conduct).await;
    triaged.expect("is sorted out");
    expect(
        "somebody of the school",
        assign(&bureau, name, of_school).await,
        Code::FailedPrecondition,
        "CONCERN_ASSIGNEE",
    );
    let head = region.staff(DISTRICT, "校长");
    let assigned = assign(&bureau, name, head).await.expect("is assigned");
    let answered = answer(&bureau, name).await.expect("is answered");
    denied("judging without the code", rate(&pupil, name, 5, "").await);
    let closed = rate(&pupil, name, 4, &code).await.expect("is judged");
    assert_eq!(closed.state(), State::Closed);
    let shown = format!("{assigned:?} {answered:?} {closed:?}");
    for tells in [
        region.city.student(1, 2, 3),
        &*student_called(1, 2, 3),
        &*code,
    ] {
        assert!(!shown.contains(tells), "{tells}");
    }
}
