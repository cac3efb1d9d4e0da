//! What must have an owner, who may ask, and what others hear of it.
#![expect(clippy::unwrap_used, reason = "what fails in a suite fails its test")]

use crate::desk::desk_suite;
use std::collections::BTreeSet;

use crate::desk::duties::{answers, assigned, from, named, unowned, who};
use crate::desk::follow::Follower;
use crate::desk::people::{TODAY, class_group, dismissed, on_leave, organization, somebody};
use crate::desk::{CITY, Desk, FUQING, FUQING_PRIMARY, GULOU, GULOU_PRIMARY, GULOU_SENIOR, reason};
use chrono::Duration;
use kit::auth::Role;
use kit::clock::Clock;
use proto::roster::responsibility_node::Subject;
use proto::roster::responsibility_service_client::ResponsibilityServiceClient;
use proto::roster::staff_member::Post;
use proto::roster::staff_service_client::StaffServiceClient;
use proto::roster::{
    ListResponsibilityNodesRequest, ListUnownedDutiesRequest, TransferStaffMemberRequest,
};
use tonic::Code;

async fn who_answers_leaves_only_after_a_successor_is_there(desk: Desk) {
    desk.plant().await;
    let mut client = ResponsibilityServiceClient::new(desk.officer());
    let mut staff = StaffServiceClient::new(desk.officer());
    let first = somebody(&mut staff, GULOU_PRIMARY, &[]).await;
    let second = somebody(&mut staff, GULOU_PRIMARY, &[]).await;
    let traffic = |who: &str| named(GULOU_PRIMARY, Subject::Traffic, "", who);
    assigned(&mut client, traffic(&first)).await.unwrap();
    let transfer = TransferStaffMemberRequest {
        name: first.clone(),
        destination_organization: organization(FUQING_PRIMARY),
        effective_date: Some(TODAY),
        request_id: String::new(),
    };
    let expected = "RESPONSIBILITY_UNOWNED";
    let refused = staff.transfer_staff_member(transfer.clone()).await;
    assert_eq!(reason(&refused.unwrap_err()), expected);
    assert_eq!(
        reason(&dismissed(&mut staff, &first).await.unwrap_err()),
        expected
    );
    // Until a successor arranged for later begins, the present holder answers.
    let later = desk.clock.now() + Duration::hours(1);
    assigned(&mut client, from(traffic(&second), later))
        .await
        .unwrap();
    for waiting in [&first, &second] {
        assert_eq!(
            reason(&dismissed(&mut staff, waiting).await.unwrap_err()),
            expected
        );
    }
    desk.clock.set(later);
    staff.transfer_staff_member(transfer).await.unwrap();
    assert_eq!(
        reason(&dismissed(&mut staff, &second).await.unwrap_err()),
        expected
    );
}

async fn what_nobody_answers_for_is_listed_below_an_ancestor(desk: Desk) {
    desk.plant().await;
    let mut client = ResponsibilityServiceClient::new(desk.officer());
    let mut staff = StaffServiceClient::new(desk.officer());
    let indispensable = [Subject::OverallHead, Subject::OverallParty, Subject::Safety];
    let everything =
        |at: &str| indispensable.map(|subject| (organization(at), subject, String::new()));
    class_group(&desk, "p2019-01", None, 1).await;
    class_group(&desk, "p2015-01", None, 2).await;
    let class = |id: &str| {
        (
            organization(GULOU_PRIMARY),
            Subject::ClassGroup,
            id.to_owned(),
        )
    };
    let mut expected = Vec::new();
    for at in [CITY, GULOU, GULOU_PRIMARY] {
        expected.extend(everything(at));
    }
    expected.push(class("p2019-01"));
    for at in [GULOU_SENIOR, FUQING, FUQING_PRIMARY] {
        expected.extend(everything(at));
    }
    assert_eq!(unowned(&mut client, CITY).await, expected);

    // A post owns, a name owns; nobody on leave does.
    let both = [Post::Principal, Post::PartySecretary];
    let head = somebody(&mut staff, GULOU_PRIMARY, &both).await;
    let deputy = somebody(&mut staff, GULOU_PRIMARY, &[]).await;
    let request = named(GULOU_PRIMARY, Subject::Safety, "", &deputy);
    assigned(&mut client, request).await.unwrap();
    let teacher = somebody(&mut staff, GULOU_PRIMARY, &[Post::HeadTeacher]).await;
    class_group(&desk, "p2019-02", Some(&teacher), 1).await;
    let request = named(GULOU_PRIMARY, Subject::ClassGroup, "p2019-01", &head);
    assigned(&mut client, request).await.unwrap();
    assert_eq!(unowned(&mut client, GULOU_PRIMARY).await, []);
    for away in [&head, &teacher, &deputy] {
        on_leave(&mut staff, away).await;
    }
    let mut expected = everything(GULOU_PRIMARY).to_vec();
    expected.extend([class("p2019-01"), class("p2019-02")]);
    assert_eq!(unowned(&mut client, GULOU_PRIMARY).await, expected);
}

async fn what_is_listed_as_unowned_is_what_the_search_passes_over(desk: Desk) {
    desk.plant().await;
    let mut client = ResponsibilityServiceClient::new(desk.officer());
    let mut staff = StaffServiceClient::new(desk.officer());
    somebody(&mut staff, CITY, &[Post::Principal]).await;
    somebody(
        &mut staff,
        GULOU,
        &[Post::PartySecretary, Post::SafetyDeputy],
    )
    .await;
    let head = somebody(&mut staff, GULOU_PRIMARY, &[Post::Principal]).await;
    class_group(&desk, "p2019-01", Some(&head), 1).await;
    class_group(&desk, "p2019-02", None, 1).await;
    let gaps: BTreeSet<(String, i32, String)> = unowned(&mut client, CITY)
        .await
        .into_iter()
        .map(|(at, subject, place)| (at, subject.into(), place))
        .collect();
    let mut asked = Vec::new();
    for at in [
        CITY,
        GULOU,
        GULOU_PRIMARY,
        GULOU_SENIOR,
        FUQING,
        FUQING_PRIMARY,
    ] {
        for subject in [Subject::OverallHead, Subject::OverallParty, Subject::Safety] {
            asked.push((at, subject, ""));
        }
    }
    for class in ["p2019-01", "p2019-02"] {
        asked.push((GULOU_PRIMARY, Subject::ClassGroup, class));
    }
    for (at, subject, place) in asked {
        let (_, _, steps) = who(&mut client, at, subject, place, None).await.unwrap();
        let listed = gaps.contains(&(organization(at), subject.into(), place.to_owned()));
        assert_eq!(steps > 0, listed, "{at} {subject:?} {place}");
    }
}

async fn a_district_asks_and_names_within_its_part(desk: Desk) {
    desk.plant().await;
    let mut staff = StaffServiceClient::new(desk.officer());
    let city = somebody(&mut staff, CITY, &[Post::Principal]).await;
    let ours = somebody(&mut staff, GULOU_PRIMARY, &[]).await;
    let mut client =
        ResponsibilityServiceClient::new(desk.caller(Role::DistrictOfficer, "fz/350102"));
    let found = who(&mut client, GULOU_PRIMARY, Subject::Fire, "", None).await;
    assert_eq!(
        found.unwrap(),
        answers(&city, CITY, 8),
        "the search goes on above the scope"
    );
    assert_eq!(unowned(&mut client, GULOU).await.len(), 9);
    for hidden in [FUQING_PRIMARY, CITY, "no-such-school"] {
        let list = ListResponsibilityNodesRequest {
            parent: organization(hidden),
            ..Default::default()
        };
        let gaps = ListUnownedDutiesRequest {
            ancestor: organization(hidden),
            ..Default::default()
        };
        let refusals = [
            who(&mut client, hidden, Subject::Fire, "", None)
                .await
                .unwrap_err(),
            assigned(&mut client, named(hidden, Subject::Fire, "", &ours))
                .await
                .unwrap_err(),
            client.list_responsibility_nodes(list).await.unwrap_err(),
            client.list_unowned_duties(gaps).await.unwrap_err(),
        ];
        for refused in refusals {
            let expected = (Code::PermissionDenied, "SCOPE_DENIED".to_owned());
            assert_eq!((refused.code(), reason(&refused)), expected, "{hidden}");
        }
    }
    let mut principal = ResponsibilityServiceClient::new(desk.caller(Role::Principal, "fz/350102"));
    let denied = assigned(
        &mut principal,
        named(GULOU_PRIMARY, Subject::Fire, "", &ours),
    )
    .await;
    assert_eq!(denied.unwrap_err().code(), Code::PermissionDenied);
}

async fn naming_is_announced_with_who_answers_now(desk: Desk) {
    let mut follower = Follower::of(&desk).await;
    desk.plant().await;
    let mut client = ResponsibilityServiceClient::new(desk.officer());
    let mut staff = StaffServiceClient::new(desk.officer());
    let head = somebody(&mut staff, GULOU_PRIMARY, &[Post::Principal]).await;
    let doctor = somebody(&mut staff, GULOU_PRIMARY, &[]).await;
    follower.duties(GULOU_PRIMARY).await;
    let later = desk.clock.now() + Duration::hours(1);
    let request = named(GULOU_PRIMARY, Subject::Weather, "", &doctor);
    assigned(&mut client, from(request, later)).await.unwrap();
    let request = named(GULOU_PRIMARY, Subject::EpidemicControl, "", &doctor);
    assigned(&mut client, request).await.unwrap();
    let duty = |subject: &str, who: &str| (subject.to_owned(), String::new(), who.to_owned());
    let expected = [
        duty("OVERALL_HEAD", &head),
        duty("SAFETY", &head),
        duty("EPIDEMIC_CONTROL", &doctor),
    ];
    assert_eq!(follower.duties(GULOU_PRIMARY).await, expected);
    on_leave(&mut staff, &doctor).await;
    let expected = [
        duty("OVERALL_HEAD", &head),
        duty("SAFETY", &head),
        duty("EPIDEMIC_CONTROL", &head),
    ];
    assert_eq!(follower.duties(GULOU_PRIMARY).await, expected);
}

desk_suite! {
    who_answers_leaves_only_after_a_successor_is_there,
    what_nobody_answers_for_is_listed_below_an_ancestor,
    what_is_listed_as_unowned_is_what_the_search_passes_over,
    a_district_asks_and_names_within_its_part,
    naming_is_announced_with_who_answers_now,
}
