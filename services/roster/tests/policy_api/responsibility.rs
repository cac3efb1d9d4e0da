//! Who answers for what as a client sees it.
#![expect(clippy::unwrap_used, reason = "what fails in a suite fails its test")]

use crate::desk::desk_suite;
use crate::desk::duties::{answers, assigned, from, named, nodes, who};
use crate::desk::people::{class_group, dismissed, on_leave, organization, somebody};
use crate::desk::{CITY, Desk, FUQING_PRIMARY, GULOU, GULOU_PRIMARY, fields, reason};
use chrono::Duration;
use kit::clock::Clock;
use kit::field::to_timestamp;
use proto::roster::responsibility_node::Subject;
use proto::roster::responsibility_service_client::ResponsibilityServiceClient;
use proto::roster::staff_member::Post;
use proto::roster::staff_service_client::StaffServiceClient;
use proto::roster::{ResolveResponsibilityRequest, ResponsibilityNode};
use tonic::Code;

async fn the_search_goes_outwards_and_up(desk: Desk) {
    desk.plant().await;
    let mut client = ResponsibilityServiceClient::new(desk.officer());
    let mut staff = StaffServiceClient::new(desk.officer());
    let fire = Subject::Fire;
    let place = "building-3/floor-2";
    let refused = who(&mut client, GULOU_PRIMARY, fire, place, None).await;
    let refused = refused.unwrap_err();
    let expected = (
        Code::FailedPrecondition,
        "RESPONSIBILITY_UNOWNED".to_owned(),
    );
    assert_eq!((refused.code(), reason(&refused)), expected);

    let city = somebody(&mut staff, CITY, &[Post::Principal]).await;
    let found = who(&mut client, GULOU_PRIMARY, fire, place, None).await;
    assert_eq!(found.unwrap(), answers(&city, CITY, 10));
    let bureau = somebody(&mut staff, GULOU, &[Post::SafetyDeputy]).await;
    let found = who(&mut client, GULOU_PRIMARY, fire, place, None).await;
    assert_eq!(found.unwrap(), answers(&bureau, GULOU, 6));
    let head = somebody(&mut staff, GULOU_PRIMARY, &[Post::Principal]).await;
    let found = who(&mut client, GULOU_PRIMARY, fire, place, None).await;
    assert_eq!(found.unwrap(), answers(&head, GULOU_PRIMARY, 4));
    let deputy = somebody(&mut staff, GULOU_PRIMARY, &[Post::SafetyDeputy]).await;
    let found = who(&mut client, GULOU_PRIMARY, fire, place, None).await;
    assert_eq!(found.unwrap(), answers(&deputy, GULOU_PRIMARY, 3));

    let teacher = somebody(&mut staff, GULOU_PRIMARY, &[Post::Teacher]).await;
    for (place, steps) in [("", 2), ("building-3", 1), ("building-3/floor-2", 0)] {
        let other = somebody(&mut staff, GULOU_PRIMARY, &[]).await;
        assigned(&mut client, named(GULOU_PRIMARY, fire, place, &other))
            .await
            .unwrap();
        let asked = "building-3/floor-2";
        let found = who(&mut client, GULOU_PRIMARY, fire, asked, None).await;
        assert_eq!(found.unwrap(), answers(&other, GULOU_PRIMARY, steps));
    }
    let request = named(GULOU_PRIMARY, fire, place, &teacher);
    desk.clock.advance(Duration::minutes(1));
    assigned(&mut client, request).await.unwrap();
    on_leave(&mut staff, &teacher).await;
    let found = who(&mut client, GULOU_PRIMARY, fire, place, None).await;
    assert_eq!(found.unwrap().2, 1, "whoever is on leave does not answer");
}

async fn an_office_answers_without_a_node(desk: Desk) {
    desk.plant().await;
    let mut client = ResponsibilityServiceClient::new(desk.officer());
    let mut staff = StaffServiceClient::new(desk.officer());
    somebody(&mut staff, GULOU_PRIMARY, &[Post::Medical]).await;
    let mut reporters = [
        somebody(&mut staff, GULOU_PRIMARY, &[Post::EpidemicReporter]).await,
        somebody(&mut staff, GULOU_PRIMARY, &[Post::EpidemicReporter]).await,
    ];
    reporters.sort();
    let request = ResolveResponsibilityRequest {
        organization: organization(GULOU_PRIMARY),
        subject: Subject::EpidemicControl.into(),
        ..Default::default()
    };
    let found = client
        .resolve_responsibility(request)
        .await
        .unwrap()
        .into_inner();
    let expected = ResponsibilityNode {
        name: String::new(),
        subject: Subject::EpidemicControl.into(),
        place: String::new(),
        staff_member: reporters[0].clone(),
        duties: "EPIDEMIC_REPORTER".to_owned(),
        start_time: None,
        end_time: None,
    };
    assert_eq!(found.responsibility_node, Some(expected));
    assert_eq!(
        (found.organization, found.steps),
        (organization(GULOU_PRIMARY), 0)
    );
}

async fn a_class_group_has_its_head_teacher(desk: Desk) {
    desk.plant().await;
    let mut client = ResponsibilityServiceClient::new(desk.officer());
    let mut staff = StaffServiceClient::new(desk.officer());
    let teacher = somebody(&mut staff, GULOU_PRIMARY, &[Post::HeadTeacher]).await;
    let substitute = somebody(&mut staff, GULOU_PRIMARY, &[Post::Teacher]).await;
    class_group(&desk, "p2019-01", Some(&teacher), 1).await;
    class_group(&desk, "p2015-01", None, 2).await;
    let found = who(
        &mut client,
        GULOU_PRIMARY,
        Subject::ClassGroup,
        "p2019-01",
        None,
    )
    .await;
    assert_eq!(found.unwrap(), answers(&teacher, GULOU_PRIMARY, 0));
    let request = named(GULOU_PRIMARY, Subject::ClassGroup, "p2019-01", &substitute);
    assigned(&mut client, request).await.unwrap();
    let found = who(
        &mut client,
        GULOU_PRIMARY,
        Subject::ClassGroup,
        "p2019-01",
        None,
    )
    .await;
    assert_eq!(found.unwrap(), answers(&substitute, GULOU_PRIMARY, 0));

    let refused = who(
        &mut client,
        GULOU_PRIMARY,
        Subject::ClassGroup,
        "p2019-09",
        None,
    )
    .await;
    assert_eq!(reason(&refused.unwrap_err()), "NOT_FOUND");
    for (class, expected) in [
        ("p2019-09", "NOT_FOUND"),
        ("p2015-01", "CLASS_GROUP_GRADUATED"),
    ] {
        let request = named(GULOU_PRIMARY, Subject::ClassGroup, class, &teacher);
        let refused = assigned(&mut client, request).await.unwrap_err();
        assert_eq!(reason(&refused), expected);
    }
}

async fn a_hand_over_leaves_neither_a_gap_nor_two_persons(desk: Desk) {
    desk.plant().await;
    let mut client = ResponsibilityServiceClient::new(desk.officer());
    let mut staff = StaffServiceClient::new(desk.officer());
    let (first, second) = (
        somebody(&mut staff, GULOU_PRIMARY, &[]).await,
        somebody(&mut staff, GULOU_PRIMARY, &[]).await,
    );
    let now = desk.clock.now();
    let food = |who: &str| named(GULOU_PRIMARY, Subject::Food, "canteen-1", who);
    let before = assigned(&mut client, food(&first)).await.unwrap();
    assert_eq!(before.start_time, Some(to_timestamp(now)));
    let later = now + Duration::hours(3);
    let after = assigned(&mut client, from(food(&second), later))
        .await
        .unwrap();
    let relieved = ResponsibilityNode {
        end_time: Some(to_timestamp(later)),
        ..before.clone()
    };
    let all = nodes(&mut client, GULOU_PRIMARY, true).await;
    assert_eq!(all, [relieved.clone(), after.clone()]);
    assert_eq!(nodes(&mut client, GULOU_PRIMARY, false).await, [relieved]);
    for minute in 0..300 {
        let at = now + Duration::minutes(minute);
        let holder = if at < later { &first } else { &second };
        let found = who(
            &mut client,
            GULOU_PRIMARY,
            Subject::Food,
            "canteen-1",
            Some(at),
        )
        .await;
        assert_eq!(
            found.unwrap(),
            answers(holder, GULOU_PRIMARY, 0),
            "minute {minute}"
        );
    }
    for early in [later, later - Duration::minutes(1), now] {
        let refused = assigned(&mut client, from(food(&first), early))
            .await
            .unwrap_err();
        let expected = (Code::FailedPrecondition, "RESPONSIBILITY_ORDER".to_owned());
        assert_eq!((refused.code(), reason(&refused)), expected);
    }
    desk.clock.set(later);
    assert_eq!(nodes(&mut client, GULOU_PRIMARY, false).await, [after]);
    // Whoever handed over and left answered until then.
    dismissed(&mut staff, &first).await.unwrap();
    let found = who(
        &mut client,
        GULOU_PRIMARY,
        Subject::Food,
        "canteen-1",
        Some(now),
    )
    .await;
    assert_eq!(found.unwrap(), answers(&first, GULOU_PRIMARY, 0));
}

async fn hand_overs_at_the_same_time_stay_in_line(desk: Desk) {
    desk.plant().await;
    let mut staff = StaffServiceClient::new(desk.officer());
    let client = ResponsibilityServiceClient::new(desk.officer());
    let now = desk.clock.now();
    let mut requests = Vec::new();
    for hour in 0..8 {
        let who = somebody(&mut staff, GULOU_PRIMARY, &[]).await;
        let request = named(GULOU_PRIMARY, Subject::Security, "gate-1", &who);
        requests.push(from(request, now + Duration::hours(hour)));
    }
    let answers = requests.into_iter().rev().map(|request| {
        let mut client = client.clone();
        async move { assigned(&mut client, request).await }
    });
    let answers = futures_util::future::join_all(answers).await;
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(reason(refused), "RESPONSIBILITY_ORDER");
    }
    let line = nodes(&mut client.clone(), GULOU_PRIMARY, true).await;
    let made = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(line.len(), made);
    for pair in line.windows(2) {
        assert_eq!(pair[0].end_time, pair[1].start_time);
    }
    assert_eq!(line.last().unwrap().end_time, None);
}

async fn the_same_request_names_once(desk: Desk) {
    desk.plant().await;
    let mut client = ResponsibilityServiceClient::new(desk.officer());
    let mut staff = StaffServiceClient::new(desk.officer());
    let someone = somebody(&mut staff, GULOU_PRIMARY, &[]).await;
    let mut request = named(GULOU_PRIMARY, Subject::Data, "", &someone);
    request.request_id = "5f1e2c1a-6d1f-4a3b-9a58-0d2f5a1b7c11".to_owned();
    let first = assigned(&mut client, request.clone()).await.unwrap();
    desk.clock.advance(Duration::minutes(1));
    assert_eq!(assigned(&mut client, request.clone()).await.unwrap(), first);
    assert_eq!(nodes(&mut client, GULOU_PRIMARY, true).await.len(), 1);
    request.parent = organization(GULOU);
    let refused = assigned(&mut client, request).await.unwrap_err();
    assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
}

async fn only_who_works_there_is_named(desk: Desk) {
    desk.plant().await;
    let mut client = ResponsibilityServiceClient::new(desk.officer());
    let mut staff = StaffServiceClient::new(desk.officer());
    let elsewhere = somebody(&mut staff, FUQING_PRIMARY, &[]).await;
    let unknown = "staff/00000000-0000-0000-0000-000000000001";
    for stranger in [&*elsewhere, unknown] {
        let request = named(GULOU_PRIMARY, Subject::Fire, "", stranger);
        let refused = assigned(&mut client, request).await.unwrap_err();
        assert_eq!(fields(&refused), ["responsibility_node.staff_member"]);
    }
    let gone = somebody(&mut staff, GULOU_PRIMARY, &[]).await;
    dismissed(&mut staff, &gone).await.unwrap();
    let request = named(GULOU_PRIMARY, Subject::Fire, "", &gone);
    let refused = assigned(&mut client, request).await.unwrap_err();
    assert_eq!(reason(&refused), "STAFF_MEMBER_DISMISSED");
}

async fn wrong_fields_are_named_together(desk: Desk) {
    desk.plant().await;
    let mut client = ResponsibilityServiceClient::new(desk.officer());
    let mut staff = StaffServiceClient::new(desk.officer());
    let someone = somebody(&mut staff, GULOU_PRIMARY, &[]).await;
    let mut request = named(GULOU_PRIMARY, Subject::Unspecified, "楼/3", &someone);
    let node = request.responsibility_node.as_mut().unwrap();
    node.duties = "责".repeat(501);
    node.start_time = Some(prost_types::Timestamp {
        seconds: i64::MAX,
        nanos: 0,
    });
    let refused = assigned(&mut client, request).await.unwrap_err();
    let expected = [
        "responsibility_node.subject",
        "responsibility_node.place",
        "responsibility_node.duties",
        "responsibility_node.start_time",
    ];
    assert_eq!(fields(&refused), expected);
    let request = named(GULOU_PRIMARY, Subject::ClassGroup, "", &someone);
    let refused = assigned(&mut client, request).await.unwrap_err();
    assert_eq!(fields(&refused), ["responsibility_node.place"]);
    let refused = who(&mut client, GULOU_PRIMARY, Subject::Unspecified, "/", None).await;
    assert_eq!(fields(&refused.unwrap_err()), ["subject", "place"]);
}

desk_suite! {
    the_search_goes_outwards_and_up,
    an_office_answers_without_a_node,
    a_class_group_has_its_head_teacher,
    a_hand_over_leaves_neither_a_gap_nor_two_persons,
    hand_overs_at_the_same_time_stay_in_line,
    the_same_request_names_once,
    only_who_works_there_is_named,
    wrong_fields_are_named_together,
}
