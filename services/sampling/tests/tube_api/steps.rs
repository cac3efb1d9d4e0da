//! The life of a tube (rules 2.16, 2.17, 2.22).

use kit::auth::Role;
use proto::sampling::tube_service_client::TubeServiceClient;
use proto::sampling::{
    CloseTubeRequest, CustodyEvent, GetTubeRequest, HandOverTubeRequest, ListCustodyEventsRequest,
    ListTubesRequest, OpenTubeRequest, PoolType, ReceiveTubeRequest, RejectCause,
    RejectTubeRequest, RemoveSwabRequest, ReportTubeLostRequest, ResultValue, SealTubeRequest,
    SingleReason, StartTestingRequest, VoidTubeRequest, tube,
};
use tonic::{Code, Status};

use super::site::{CLASS, Site, refused};
use super::town::{CITY, SCHOOL, on_both_databases, reason, student};

on_both_databases!(
    an_invalid_result_makes_tasks_and_no_hold,
    four_hours_and_a_minute_are_flagged,
    a_laboratory_sees_its_codes_only,
    no_step_starts_from_a_state_that_is_not_its_own,
    nobody_is_swabbed_into_a_tube_that_was_never_opened,
    a_step_repeated_has_one_effect_and_an_empty_tube_is_not_sealed,
    two_people_sign_at_the_laboratory,
    a_result_that_is_not_there_in_time_is_overdue,
    a_lost_or_refused_tube_makes_tasks_until_its_people_are_swabbed_again,
    the_people_of_a_void_tube_may_be_swabbed_again,
);

/// T6.
async fn an_invalid_result_makes_tasks_and_no_hold(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..3).await;
    assert!(site.report("FZ-0001", 1, ResultValue::Invalid).await.0);
    assert_eq!(
        site.tube("FZ-0001").await.state(),
        tube::State::ResampleRequired
    );
    assert_eq!(site.not_clear().await, 0);
    let tasks = site.make_ups().await;
    assert!(tasks.iter().all(|task| task.1 == "INVALID"));
    assert_eq!(tasks.len(), 3);
}

/// T7.
async fn four_hours_and_a_minute_are_flagged(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.issue(PoolType::P10, &["FZ-0001", "FZ-0002"]).await;
    for (code, number, minutes) in [("FZ-0001", 0, 240), ("FZ-0002", 1, 241)] {
        site.open_tube(code, "").await;
        site.add(code, number, SingleReason::Unspecified)
            .await
            .expect("added");
        let tube = site.bring(code, chrono::Duration::minutes(minutes)).await;
        assert_eq!(tube.late, minutes > 240);
    }
}

async fn a_laboratory_sees_its_codes_only(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..2).await;
    let request = GetTubeRequest {
        name: "tubes/FZ-0001".to_owned(),
    };
    let own = site
        .laboratory()
        .get_tube(request.clone())
        .await
        .expect("own")
        .into_inner();
    assert_eq!((own.org_path.as_str(), own.class_group.as_str()), ("", ""));
    let mut other = TubeServiceClient::new(site.as_role(Role::Laboratory, Some("lab-2")));
    let status = other.get_tube(request).await.expect_err("not theirs");
    assert_eq!(status.code(), Code::PermissionDenied);
}

/// Every step from every state, as rule 2.22 has it: what is not allowed is refused with the state.
async fn no_step_starts_from_a_state_that_is_not_its_own(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let states: Vec<tube::State> = (1..=19)
        .map(|number| tube::State::try_from(number).expect("a state"))
        .collect();
    use tube::State as S;
    let starts: [(&str, &[S]); 11] = [
        ("open", &[S::Issued]),
        ("add", &[S::Open]),
        ("remove", &[S::Open]),
        ("seal", &[S::Open]),
        ("hand over", &[S::Sealed]),
        ("receive", &[S::HandedOver]),
        ("test", &[S::LabReceived]),
        ("void", &[S::Issued, S::Open]),
        ("lose", &[S::HandedOver]),
        ("reject", &[S::HandedOver, S::LabReceived]),
        (
            "close",
            &[
                S::Negative,
                S::Suspect,
                S::Positive,
                S::ResampleRequired,
                S::ResolvedNegative,
                S::ResolvedPositive,
            ],
        ),
    ];
    site.issue(PoolType::P10, &["FZ-0001"]).await;
    site.open_tube("FZ-0001", "").await;
    site.add("FZ-0001", 1, SingleReason::Unspecified)
        .await
        .expect("added");
    for state in &states {
        let code = i32::from(*state);
        site.force(&format!("UPDATE tubes SET state = {code}"))
            .await;
        for (step, from) in starts.iter().filter(|(_, from)| !from.contains(state)) {
            let answer = attempt(&site, step).await;
            let answer = answer.err().map(|status| reason(&status));
            assert_eq!(
                answer,
                Some(refused("TUBE_STATE")),
                "{step} from {state:?}, not {from:?}"
            );
        }
        assert_eq!(site.tube("FZ-0001").await.state(), *state, "nothing moved");
    }
}

/// Such a tube has no day yet, whatever became of it.
async fn nobody_is_swabbed_into_a_tube_that_was_never_opened(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.issue(PoolType::P10, &["FZ-0001"]).await;
    for state in [tube::State::Issued, tube::State::Voided] {
        let added = site.add("FZ-0001", 1, SingleReason::Unspecified).await;
        let answer = added.err().map(|status| reason(&status));
        assert_eq!(answer, Some(refused("TUBE_STATE")), "{state:?}");
        assert_eq!(site.tube("FZ-0001").await.state(), state);
        if state == tube::State::Issued {
            attempt(&site, "void").await.expect("voided");
        }
    }
}

async fn attempt(site: &Site, step: &str) -> Result<(), Status> {
    let name = "tubes/FZ-0001".to_owned();
    let (courier, receiver) = ("courier-7".to_owned(), "desk-2".to_owned());
    let why = "破损".to_owned();
    let (mut school, mut laboratory) = (site.sampler(), site.laboratory());
    match step {
        "open" => {
            let class_group = format!("organizations/{SCHOOL}/classGroups/{CLASS}");
            let request = OpenTubeRequest {
                name,
                class_group,
                ..Default::default()
            };
            school.open_tube(request).await.map(drop)
        }
        "add" => site
            .add("FZ-0001", 2, SingleReason::Unspecified)
            .await
            .map(drop),
        "remove" => {
            let request = RemoveSwabRequest {
                tube: name,
                person: student(1),
                reason: why,
                ..Default::default()
            };
            school.remove_swab(request).await.map(drop)
        }
        "seal" => {
            let request = SealTubeRequest {
                name,
                ..Default::default()
            };
            school.seal_tube(request).await.map(drop)
        }
        "hand over" => {
            let request = HandOverTubeRequest {
                name,
                courier,
                ..Default::default()
            };
            school.hand_over_tube(request).await.map(drop)
        }
        "receive" => {
            let request = ReceiveTubeRequest {
                name,
                courier,
                receiver,
                ..Default::default()
            };
            laboratory.receive_tube(request).await.map(drop)
        }
        "test" => {
            let request = StartTestingRequest {
                name,
                ..Default::default()
            };
            laboratory.start_testing(request).await.map(drop)
        }
        "void" => {
            let request = VoidTubeRequest {
                name,
                reason: why,
                ..Default::default()
            };
            school.void_tube(request).await.map(drop)
        }
        "lose" => {
            let request = ReportTubeLostRequest {
                name,
                reason: why,
                ..Default::default()
            };
            school.report_tube_lost(request).await.map(drop)
        }
        "reject" => {
            let request = RejectTubeRequest {
                name,
                cause: RejectCause::Leak.into(),
                ..Default::default()
            };
            laboratory.reject_tube(request).await.map(drop)
        }
        "close" => {
            let request = CloseTubeRequest {
                name,
                ..Default::default()
            };
            school.close_tube(request).await.map(drop)
        }
        other => panic!("{other} is no step"),
    }
}

async fn a_step_repeated_has_one_effect_and_an_empty_tube_is_not_sealed(
    database: kit::scratch::Scratch,
) {
    let site = Site::open(database).await;
    site.issue(PoolType::P10, &["FZ-0001"]).await;
    site.open_tube("FZ-0001", "").await;
    let seal = SealTubeRequest {
        name: "tubes/FZ-0001".to_owned(),
        request_id: "5f0a8c1e-6a0b-4e57-8a5f-9a3c1b2d4e6f".to_owned(),
    };
    let empty = site.sampler().seal_tube(seal.clone()).await;
    assert_eq!(reason(&empty.expect_err("empty")), refused("TUBE_EMPTY"));
    site.add("FZ-0001", 1, SingleReason::Unspecified)
        .await
        .expect("added");
    let first = site
        .sampler()
        .seal_tube(seal.clone())
        .await
        .expect("sealed");
    site.0.clock.advance(chrono::Duration::minutes(3));
    let again = site.sampler().seal_tube(seal).await.expect("the same");
    assert_eq!(first.into_inner(), again.into_inner());
    let events = custody(&site, Role::Sampler, None).await;
    let verbs: Vec<_> = events.iter().map(|event| event.verb.as_str()).collect();
    assert_eq!(verbs, ["IssueTubes", "OpenTube", "SealTube"]);
    let numbers: Vec<_> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

async fn custody(site: &Site, role: Role, laboratory: Option<&str>) -> Vec<CustodyEvent> {
    let request = ListCustodyEventsRequest {
        tube: "tubes/FZ-0001".to_owned(),
        ..Default::default()
    };
    let mut client = TubeServiceClient::new(site.as_role(role, laboratory));
    let events = client.list_custody_events(request).await.expect("events");
    events.into_inner().custody_events
}

/// Rule 2.16: courier and receiver sign both.
async fn two_people_sign_at_the_laboratory(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.issue(PoolType::P10, &["FZ-0001"]).await;
    site.open_tube("FZ-0001", "").await;
    site.add("FZ-0001", 1, SingleReason::Unspecified)
        .await
        .expect("added");
    attempt(&site, "seal").await.expect("sealed");
    attempt(&site, "hand over").await.expect("handed over");
    for (courier, receiver) in [("courier-8", "desk-2"), ("courier-7", "courier-7")] {
        let request = ReceiveTubeRequest {
            name: "tubes/FZ-0001".to_owned(),
            courier: courier.to_owned(),
            receiver: receiver.to_owned(),
            ..Default::default()
        };
        let unsigned = site.laboratory().receive_tube(request).await;
        assert_eq!(
            reason(&unsigned.expect_err("not signed")),
            refused("CUSTODY_SIGNATURES")
        );
    }
    attempt(&site, "receive").await.expect("received");
    let seen = custody(&site, Role::Sampler, None).await;
    let last = seen.last().expect("an event");
    assert_eq!(last.note, "courier courier-7, receiver desk-2");
    let by_laboratory = custody(&site, Role::Laboratory, Some("lab-1")).await;
    assert!(by_laboratory.iter().all(|event| event.note.is_empty()));
    let actors: Vec<_> = by_laboratory
        .iter()
        .map(|event| event.actor.as_str())
        .collect();
    assert_eq!(
        actors,
        ["lab-1", "", "", "", "lab-1"],
        "its own account only"
    );
}

/// Rule 2.17: no result never reads as negative.
async fn a_result_that_is_not_there_in_time_is_overdue(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..2).await;
    site.filled("FZ-0002", 2..4).await;
    assert!(site.report("FZ-0002", 1, ResultValue::Negative).await.0);
    assert!(!site.tube("FZ-0001").await.overdue);
    site.0.clock.advance(chrono::Duration::hours(24));
    let late = site.tube("FZ-0001").await;
    assert!(late.overdue);
    assert_eq!(
        (late.state(), late.result()),
        (tube::State::Testing, ResultValue::Unspecified)
    );
    let request = ListTubesRequest {
        organization: format!("organizations/{CITY}"),
        overdue: true,
        ..Default::default()
    };
    let listed = site.sampler().list_tubes(request).await.expect("tubes");
    let names: Vec<_> = listed.into_inner().tubes;
    let names: Vec<_> = names.iter().map(|tube| tube.name.as_str()).collect();
    assert_eq!(names, ["tubes/FZ-0001"]);
}

async fn a_lost_or_refused_tube_makes_tasks_until_its_people_are_swabbed_again(
    database: kit::scratch::Scratch,
) {
    let site = Site::open(database).await;
    for (lost, code, again) in [(true, "FZ-0001", "FZ-0003"), (false, "FZ-0002", "FZ-0004")] {
        let people = if lost { 0..2 } else { 2..4 };
        site.issue(PoolType::P10, &[code, again]).await;
        site.open_tube(code, "").await;
        for number in people.clone() {
            site.add(code, number, SingleReason::Unspecified)
                .await
                .expect("added");
        }
        let name = format!("tubes/{code}");
        let seal = SealTubeRequest {
            name: name.clone(),
            ..Default::default()
        };
        site.sampler().seal_tube(seal).await.expect("sealed");
        let hand = HandOverTubeRequest {
            name: name.clone(),
            courier: "courier-7".to_owned(),
            ..Default::default()
        };
        site.sampler()
            .hand_over_tube(hand)
            .await
            .expect("handed over");
        let cause = if lost {
            let lose = ReportTubeLostRequest {
                name,
                reason: "车辆事故".to_owned(),
                ..Default::default()
            };
            site.sampler().report_tube_lost(lose).await.expect("lost");
            "LOST"
        } else {
            let reject = RejectTubeRequest {
                name,
                cause: RejectCause::Leak.into(),
                ..Default::default()
            };
            let rejected = site.laboratory().reject_tube(reject).await;
            assert_eq!(rejected.expect("rejected").into_inner().reason, "LEAK");
            "REJECTED"
        };
        assert_eq!(site.tube(code).await.state(), tube::State::ResampleRequired);
        let tasks = site.make_ups().await;
        assert_eq!(tasks.len(), 2);
        assert!(tasks.iter().all(|task| task.1 == cause));
        assert_eq!(site.not_clear().await, 0, "no hold");
        site.open_tube(again, "").await;
        for number in people {
            site.add(again, number, SingleReason::Unspecified)
                .await
                .expect("swabbed again on the same day");
        }
        site.bring(again, chrono::Duration::minutes(5)).await;
        assert_eq!(site.make_ups().await, []);
    }
}

async fn the_people_of_a_void_tube_may_be_swabbed_again(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.issue(PoolType::P10, &["FZ-0001", "FZ-0002"]).await;
    site.open_tube("FZ-0001", "").await;
    site.add("FZ-0001", 1, SingleReason::Unspecified)
        .await
        .expect("added");
    attempt(&site, "void").await.expect("void");
    site.open_tube("FZ-0002", "").await;
    let again = site.add("FZ-0002", 1, SingleReason::Unspecified).await;
    assert_eq!(again.expect("added").swab_count, 1);
    assert_eq!(site.make_ups().await, []);
}
