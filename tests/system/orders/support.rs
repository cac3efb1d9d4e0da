//! A case of psychological support, which the counsellor of the school alone may know of.

use kit::auth::Role;
use proto::notification::support_case::{CloseReason, Grade};
use proto::notification::support_entry::Event;
use proto::notification::support_service_client::SupportServiceClient;
use proto::notification::{
    BeginSupportRequest, CloseSupportCaseRequest, FollowUpSupportCaseRequest,
    GetSupportCaseRequest, GetSupportFiguresRequest, GradeSupportCaseRequest,
    InformGuardianRequest, ListSupportAccessesRequest, ListSupportCasesRequest,
    OpenSupportCaseRequest, RecordContactRequest, ReferSupportCaseRequest,
    ReopenSupportCaseRequest, SupportCase,
};
use tests::city::Door;
use tests::town::{CITY, DISTRICT, school, school_path};
use tonic::{Code, Status};

use crate::region::Region;
use crate::verbs::{denied, expect, request_id};

fn support(door: &Door) -> SupportServiceClient<Door> {
    SupportServiceClient::new(door.clone())
}

async fn read(door: &Door, name: &str) -> Result<SupportCase, Status> {
    let name = name.to_owned();
    let case = support(door)
        .get_support_case(GetSupportCaseRequest { name })
        .await?;
    Ok(case.into_inner())
}

async fn list(door: &Door) -> Result<Vec<SupportCase>, Status> {
    let request = ListSupportCasesRequest {
        parent: format!("organizations/{}", school(1)),
        ..ListSupportCasesRequest::default()
    };
    let listed = support(door).list_support_cases(request).await?;
    Ok(listed.into_inner().support_cases)
}

async fn contact(door: &Door, name: &str) -> Result<SupportCase, Status> {
    let request = RecordContactRequest {
        name: name.to_owned(),
        note: "已面谈，约定下周再谈".to_owned(),
        request_id: request_id(),
    };
    Ok(support(door).record_contact(request).await?.into_inner())
}

/// What a counsellor does in a case, in the order of the lane.
#[derive(Clone, Copy, Debug)]
enum Step {
    Assess(Grade),
    Support,
    Inform,
    Refer,
    FollowUp,
    Close(CloseReason),
    Reopen(Grade),
}

async fn step(door: &Door, name: &str, step: Step) -> Result<SupportCase, Status> {
    let (name, request_id) = (name.to_owned(), request_id());
    let (note, mut client) = ("按方案办理".to_owned(), support(door));
    let moved = match step {
        Step::Assess(grade) => {
            let request = GradeSupportCaseRequest {
                name,
                grade: grade.into(),
                note,
                request_id,
            };
            client.grade_support_case(request).await
        }
        Step::Support => {
            let request = BeginSupportRequest {
                name,
                note,
                request_id,
            };
            client.begin_support(request).await
        }
        Step::Inform => {
            let request = InformGuardianRequest {
                name,
                note,
                request_id,
            };
            client.inform_guardian(request).await
        }
        Step::Refer => {
            let request = ReferSupportCaseRequest {
                name,
                note,
                request_id,
            };
            client.refer_support_case(request).await
        }
        Step::FollowUp => {
            let request = FollowUpSupportCaseRequest {
                name,
                note,
                request_id,
            };
            client.follow_up_support_case(request).await
        }
        Step::Close(reason) => {
            let request = CloseSupportCaseRequest {
                name,
                note,
                request_id,
                reason: reason.into(),
            };
            client.close_support_case(request).await
        }
        Step::Reopen(grade) => {
            let request = ReopenSupportCaseRequest {
                name,
                grade: grade.into(),
                note,
                request_id,
            };
            client.reopen_support_case(request).await
        }
    };
    Ok(moved?.into_inner())
}

/// From the assessment to the end and back: each step by the counsellor alone, and none before its turn.
async fn goes_through_its_lane(others: &[Door], own: &Door, name: &str) {
    use proto::notification::support_case::State;
    let early = step(own, name, Step::Refer).await;
    let (code, why) = (Code::FailedPrecondition, "SUPPORT_CASE_STATE");
    expect("not assessed", early, code, why);
    let walk = [
        (Step::Assess(Grade::Yellow), State::Assessed),
        (Step::Support, State::Supported),
        (Step::Inform, State::GuardianInformed),
        (Step::Refer, State::Referred),
        (Step::FollowUp, State::FollowUp),
        (Step::Close(CloseReason::Recovered), State::Closed),
        (Step::Reopen(Grade::Orange), State::Screened),
    ];
    for (next, state) in walk {
        if matches!(next, Step::Inform) {
            let untold = step(own, name, Step::Refer).await;
            let (code, why) = (Code::FailedPrecondition, "SUPPORT_CASE_GUARDIAN");
            expect("nobody told the guardian", untold, code, why);
        }
        for other in others {
            denied("a step", step(other, name, next).await);
        }
        let moved = step(own, name, next).await;
        let moved = moved.unwrap_or_else(|refused| panic!("{next:?}: {refused:?}"));
        assert_eq!(moved.state(), state, "{next:?}");
    }
}

async fn accesses(door: &Door, name: &str) -> Result<Vec<(String, String)>, Status> {
    let request = ListSupportAccessesRequest {
        parent: name.to_owned(),
        ..ListSupportAccessesRequest::default()
    };
    let listed = support(door).list_support_accesses(request).await?;
    let accesses = listed.into_inner().accesses.into_iter();
    Ok(accesses.map(|one| (one.subject, one.method)).collect())
}

/// Opened, read and carried on by the counsellor; everybody else is turned away, and the bureau does not
/// even see how many there are.
pub(super) async fn is_the_counsellors_alone(region: &Region) {
    let person = region.city.student(1, 1, 4);
    let request = OpenSupportCaseRequest {
        parent: format!("organizations/{}", school(1)),
        support_case: Some(SupportCase {
            person: person.to_owned(),
            grade: Grade::Orange.into(),
            note: "近两周情绪低落".to_owned(),
            ..SupportCase::default()
        }),
        request_id: request_id(),
    };
    let class = format!("{}/{}", school_path(1), region.city.town.class_id(1));
    let bureau = region
        .city
        .door(Role::DistrictOfficer, &region.bureaus()[0].1);
    let others = [
        region.city.door(Role::Principal, &school_path(1)),
        region.city.door(Role::SchoolDoctor, &school_path(1)),
        region.city.door(Role::ClassReporter, &class),
        region.city.door(Role::Counsellor, &school_path(2)),
        region.city.door(Role::CityOfficer, CITY),
        region.city.door(Role::SystemAdmin, CITY),
        region.person(Role::Guardian, &class, person),
        bureau.clone(),
    ];
    for other in &others {
        denied(
            "opening",
            support(other).open_support_case(request.clone()).await,
        );
    }
    let own = region.city.door(Role::Counsellor, &school_path(1));
    let opened = support(&own).open_support_case(request).await;
    let opened = opened.expect("is opened").into_inner();
    let name = &*opened.name;
    for other in &others {
        denied("reading", read(other, name).await);
        denied("listing", list(other).await);
        denied("writing", contact(other, name).await);
        denied("who has read it", accesses(other, name).await);
    }
    let case = read(&own, name).await.expect("one's own case");
    assert_eq!((&*case.person, case.grade()), (person, Grade::Orange));
    let after = contact(&own, name).await.expect("is carried on");
    let events: Vec<_> = after.entries.iter().map(|entry| entry.event()).collect();
    assert_eq!(events, [Event::Opened, Event::Contacted]);
    assert_eq!(list(&own).await.expect("listed").len(), 1);

    goes_through_its_lane(&others, &own, name).await;
    let methods = [
        "ListSupportCases",
        "RecordContact",
        "GetSupportCase",
        "OpenSupportCase",
        "GradeSupportCase",
        "BeginSupport",
        "InformGuardian",
        "ReferSupportCase",
        "FollowUpSupportCase",
        "CloseSupportCase",
        "ReopenSupportCase",
    ];
    let expected = methods.map(|method| ("test-counsellor".to_owned(), method.to_owned()));
    let mut known = accesses(&own, name).await.expect("who has read it");
    let mut expected = Vec::from(expected);
    known.sort();
    expected.sort();
    assert_eq!(known, expected, "every reading, and no other");

    let request = GetSupportFiguresRequest {
        parent: format!("organizations/{DISTRICT}"),
    };
    let figures = support(&bureau).get_support_figures(request).await;
    let figures = figures.expect("figures").into_inner();
    assert_eq!(
        [figures.open_count, figures.grave_count].map(|count| count.map(|count| count.hidden)),
        [Some(true); 2],
        "so few are hidden"
    );
}
