//! Who answers for what as a client sees it.

mod desk;

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use desk::follow::Follower;
use desk::{
    CITY, Desk, Door, FUQING, FUQING_PRIMARY, GULOU, GULOU_PRIMARY, GULOU_SENIOR, fields, reason,
};
use kit::auth::Role;
use kit::clock::Clock;
use kit::db::statement;
use kit::field::to_timestamp;
use proto::roster::responsibility_node::Subject;
use proto::roster::responsibility_service_client::ResponsibilityServiceClient;
use proto::roster::staff_member::{Post, State};
use proto::roster::staff_service_client::StaffServiceClient;
use proto::roster::{
    AssignResponsibilityRequest, CreateStaffMemberRequest, DismissStaffMemberRequest,
    ListResponsibilityNodesRequest, ListUnownedDutiesRequest, ResolveResponsibilityRequest,
    ResponsibilityNode, StaffMember, TransferStaffMemberRequest, UpdateStaffMemberRequest,
};
use sea_orm::ConnectionTrait;
use tonic::{Code, Status};

type Chain = ResponsibilityServiceClient<Door>;

fn organization(id: &str) -> String {
    format!("organizations/{id}")
}

/// Somebody new with `posts`.
async fn hired(desk: &Desk, at: &str, posts: &[Post]) -> String {
    let mut client = StaffServiceClient::new(desk.officer());
    let request = CreateStaffMemberRequest {
        parent: organization(at),
        staff_member: Some(StaffMember {
            display_name: "林".to_owned(),
            posts: posts.iter().copied().map(i32::from).collect(),
            ..StaffMember::default()
        }),
        request_id: String::new(),
    };
    let made = client.create_staff_member(request).await.expect("hired");
    made.into_inner().name
}

async fn on_leave(desk: &Desk, name: &str) {
    let mut client = StaffServiceClient::new(desk.officer());
    let request = UpdateStaffMemberRequest {
        staff_member: Some(StaffMember {
            name: name.to_owned(),
            state: State::OnLeave.into(),
            ..StaffMember::default()
        }),
        ..Default::default()
    };
    client.update_staff_member(request).await.expect("on leave");
}

async fn dismissed(desk: &Desk, name: &str) -> Result<(), Status> {
    let mut client = StaffServiceClient::new(desk.officer());
    let request = DismissStaffMemberRequest {
        name: name.to_owned(),
        request_id: String::new(),
    };
    client.dismiss_staff_member(request).await.map(drop)
}

fn named(at: &str, subject: Subject, place: &str, who: &str) -> AssignResponsibilityRequest {
    AssignResponsibilityRequest {
        parent: organization(at),
        responsibility_node: Some(ResponsibilityNode {
            subject: subject.into(),
            place: place.to_owned(),
            staff_member: who.to_owned(),
            ..ResponsibilityNode::default()
        }),
        request_id: String::new(),
    }
}

fn from(
    mut request: AssignResponsibilityRequest,
    start: DateTime<Utc>,
) -> AssignResponsibilityRequest {
    let node = request.responsibility_node.as_mut().expect("a node");
    node.start_time = Some(to_timestamp(start));
    request
}

async fn assigned(
    client: &mut Chain,
    request: AssignResponsibilityRequest,
) -> Result<ResponsibilityNode, Status> {
    let made = client.assign_responsibility(request).await;
    made.map(tonic::Response::into_inner)
}

/// Who answers, where, and after how many steps.
async fn who(
    client: &mut Chain,
    at: &str,
    subject: Subject,
    place: &str,
    time: Option<DateTime<Utc>>,
) -> Result<(String, String, i32), Status> {
    let request = ResolveResponsibilityRequest {
        organization: organization(at),
        subject: subject.into(),
        place: place.to_owned(),
        time: time.map(to_timestamp),
    };
    let found = client.resolve_responsibility(request).await?.into_inner();
    let node = found.responsibility_node.expect("a node");
    Ok((node.staff_member, found.organization, found.steps))
}

fn answers(who: &str, at: &str, steps: i32) -> (String, String, i32) {
    (who.to_owned(), organization(at), steps)
}

async fn nodes(client: &mut Chain, at: &str, show_all: bool) -> Vec<ResponsibilityNode> {
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListResponsibilityNodesRequest {
            parent: organization(at),
            show_all,
            page_size: 2,
            page_token,
        };
        let page = client.list_responsibility_nodes(request).await;
        let page = page.expect("a page").into_inner();
        assert!(page.responsibility_nodes.len() <= 2);
        found.extend(page.responsibility_nodes);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return found;
        }
    }
}

async fn unowned(client: &mut Chain, ancestor: &str) -> Vec<(String, Subject, String)> {
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListUnownedDutiesRequest {
            ancestor: organization(ancestor),
            page_size: 2,
            page_token,
        };
        let page = client.list_unowned_duties(request).await;
        let page = page.expect("a page").into_inner();
        assert!(page.unowned_duties.len() <= 2);
        found.extend(page.unowned_duties.into_iter().map(|gap| {
            let subject = gap.subject();
            (gap.organization, subject, gap.place)
        }));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return found;
        }
    }
}

/// A class group of the primary school in Gulou.
async fn class_group(desk: &Desk, id: &str, head_teacher: Option<&str>, state: i16) {
    let head: Option<uuid::Uuid> = head_teacher.map(|name| {
        name.trim_start_matches("staff/")
            .parse()
            .expect("an identifier")
    });
    let db = desk.database().await;
    let tx = db.begin().await.expect("it begins");
    let insert = statement(
        &tx,
        "INSERT INTO class_groups (org_path, organization, id, display_name, stage, entry_year, \
         number, head_teacher, state, version, roll_version, update_time) \
         VALUES ($1, $2, $3, '三（1）班', 2, 2019, 1, $4, $5, 1, 1, 0)",
        [
            format!("fz/{GULOU}/{GULOU_PRIMARY}/{id}").into(),
            GULOU_PRIMARY.into(),
            id.into(),
            head.into(),
            state.into(),
        ],
    );
    tx.execute_raw(insert).await.expect("it is added");
    tx.commit().await.expect("it commits");
}

async fn the_search_goes_outwards_and_up(desk: Desk) {
    desk.plant().await;
    let mut client = ResponsibilityServiceClient::new(desk.officer());
    let fire = Subject::Fire;
    let place = "building-3/floor-2";
    let refused = who(&mut client, GULOU_PRIMARY, fire, place, None).await;
    let refused = refused.unwrap_err();
    let expected = (
        Code::FailedPrecondition,
        "RESPONSIBILITY_UNOWNED".to_owned(),
    );
    assert_eq!((refused.code(), reason(&refused)), expected);

    let city = hired(&desk, CITY, &[Post::Principal]).await;
    let found = who(&mut client, GULOU_PRIMARY, fire, place, None).await;
    assert_eq!(found.unwrap(), answers(&city, CITY, 10));
    let bureau = hired(&desk, GULOU, &[Post::SafetyDeputy]).await;
    let found = who(&mut client, GULOU_PRIMARY, fire, place, None).await;
    assert_eq!(found.unwrap(), answers(&bureau, GULOU, 6));
    let head = hired(&desk, GULOU_PRIMARY, &[Post::Principal]).await;
    let found = who(&mut client, GULOU_PRIMARY, fire, place, None).await;
    assert_eq!(found.unwrap(), answers(&head, GULOU_PRIMARY, 4));
    let deputy = hired(&desk, GULOU_PRIMARY, &[Post::SafetyDeputy]).await;
    let found = who(&mut client, GULOU_PRIMARY, fire, place, None).await;
    assert_eq!(found.unwrap(), answers(&deputy, GULOU_PRIMARY, 3));

    let teacher = hired(&desk, GULOU_PRIMARY, &[Post::Teacher]).await;
    for (place, steps) in [("", 2), ("building-3", 1), ("building-3/floor-2", 0)] {
        let other = hired(&desk, GULOU_PRIMARY, &[]).await;
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
    on_leave(&desk, &teacher).await;
    let found = who(&mut client, GULOU_PRIMARY, fire, place, None).await;
    assert_eq!(found.unwrap().2, 1, "whoever is on leave does not answer");
}

async fn an_office_answers_without_a_node(desk: Desk) {
    desk.plant().await;
    let mut client = ResponsibilityServiceClient::new(desk.officer());
    hired(&desk, GULOU_PRIMARY, &[Post::Medical]).await;
    let mut reporters = [
        hired(&desk, GULOU_PRIMARY, &[Post::EpidemicReporter]).await,
        hired(&desk, GULOU_PRIMARY, &[Post::EpidemicReporter]).await,
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
    let teacher = hired(&desk, GULOU_PRIMARY, &[Post::HeadTeacher]).await;
    let substitute = hired(&desk, GULOU_PRIMARY, &[Post::Teacher]).await;
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
    let (first, second) = (
        hired(&desk, GULOU_PRIMARY, &[]).await,
        hired(&desk, GULOU_PRIMARY, &[]).await,
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
    dismissed(&desk, &first).await.unwrap();
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

async fn the_same_request_names_once(desk: Desk) {
    desk.plant().await;
    let mut client = ResponsibilityServiceClient::new(desk.officer());
    let someone = hired(&desk, GULOU_PRIMARY, &[]).await;
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
    let elsewhere = hired(&desk, FUQING_PRIMARY, &[]).await;
    let unknown = "staff/00000000-0000-0000-0000-000000000001";
    for stranger in [&*elsewhere, unknown] {
        let request = named(GULOU_PRIMARY, Subject::Fire, "", stranger);
        let refused = assigned(&mut client, request).await.unwrap_err();
        assert_eq!(fields(&refused), ["responsibility_node.staff_member"]);
    }
    let gone = hired(&desk, GULOU_PRIMARY, &[]).await;
    dismissed(&desk, &gone).await.unwrap();
    let request = named(GULOU_PRIMARY, Subject::Fire, "", &gone);
    let refused = assigned(&mut client, request).await.unwrap_err();
    assert_eq!(reason(&refused), "STAFF_MEMBER_DISMISSED");
}

async fn wrong_fields_are_named_together(desk: Desk) {
    desk.plant().await;
    let mut client = ResponsibilityServiceClient::new(desk.officer());
    let someone = hired(&desk, GULOU_PRIMARY, &[]).await;
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

async fn who_answers_leaves_only_after_a_successor_is_there(desk: Desk) {
    desk.plant().await;
    let mut client = ResponsibilityServiceClient::new(desk.officer());
    let first = hired(&desk, GULOU_PRIMARY, &[]).await;
    let second = hired(&desk, GULOU_PRIMARY, &[]).await;
    let traffic = |who: &str| named(GULOU_PRIMARY, Subject::Traffic, "", who);
    assigned(&mut client, traffic(&first)).await.unwrap();
    let mut staff = StaffServiceClient::new(desk.officer());
    let transfer = TransferStaffMemberRequest {
        name: first.clone(),
        destination_organization: organization(FUQING_PRIMARY),
        effective_date: Some(proto::Date {
            year: 2022,
            month: 4,
            day: 7,
        }),
        request_id: String::new(),
    };
    let expected = "RESPONSIBILITY_UNOWNED";
    let refused = staff.transfer_staff_member(transfer.clone()).await;
    assert_eq!(reason(&refused.unwrap_err()), expected);
    assert_eq!(
        reason(&dismissed(&desk, &first).await.unwrap_err()),
        expected
    );
    // Until a successor arranged for later begins, the present holder answers.
    let later = desk.clock.now() + Duration::hours(1);
    assigned(&mut client, from(traffic(&second), later))
        .await
        .unwrap();
    for waiting in [&first, &second] {
        assert_eq!(
            reason(&dismissed(&desk, waiting).await.unwrap_err()),
            expected
        );
    }
    desk.clock.set(later);
    staff.transfer_staff_member(transfer).await.unwrap();
    assert_eq!(
        reason(&dismissed(&desk, &second).await.unwrap_err()),
        expected
    );
}

async fn what_nobody_answers_for_is_listed_below_an_ancestor(desk: Desk) {
    desk.plant().await;
    let mut client = ResponsibilityServiceClient::new(desk.officer());
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
    let head = hired(&desk, GULOU_PRIMARY, &both).await;
    let deputy = hired(&desk, GULOU_PRIMARY, &[]).await;
    let request = named(GULOU_PRIMARY, Subject::Safety, "", &deputy);
    assigned(&mut client, request).await.unwrap();
    let teacher = hired(&desk, GULOU_PRIMARY, &[Post::HeadTeacher]).await;
    class_group(&desk, "p2019-02", Some(&teacher), 1).await;
    let request = named(GULOU_PRIMARY, Subject::ClassGroup, "p2019-01", &head);
    assigned(&mut client, request).await.unwrap();
    assert_eq!(unowned(&mut client, GULOU_PRIMARY).await, []);
    for away in [&head, &teacher, &deputy] {
        on_leave(&desk, away).await;
    }
    let mut expected = everything(GULOU_PRIMARY).to_vec();
    expected.extend([class("p2019-01"), class("p2019-02")]);
    assert_eq!(unowned(&mut client, GULOU_PRIMARY).await, expected);
}

async fn what_is_listed_as_unowned_is_what_the_search_passes_over(desk: Desk) {
    desk.plant().await;
    let mut client = ResponsibilityServiceClient::new(desk.officer());
    hired(&desk, CITY, &[Post::Principal]).await;
    hired(&desk, GULOU, &[Post::PartySecretary, Post::SafetyDeputy]).await;
    let head = hired(&desk, GULOU_PRIMARY, &[Post::Principal]).await;
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
    let city = hired(&desk, CITY, &[Post::Principal]).await;
    let ours = hired(&desk, GULOU_PRIMARY, &[]).await;
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
    let head = hired(&desk, GULOU_PRIMARY, &[Post::Principal]).await;
    let doctor = hired(&desk, GULOU_PRIMARY, &[]).await;
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
    on_leave(&desk, &doctor).await;
    let expected = [
        duty("OVERALL_HEAD", &head),
        duty("SAFETY", &head),
        duty("EPIDEMIC_CONTROL", &head),
    ];
    assert_eq!(follower.duties(GULOU_PRIMARY).await, expected);
}

desk_suite! {
    the_search_goes_outwards_and_up,
    an_office_answers_without_a_node,
    a_class_group_has_its_head_teacher,
    a_hand_over_leaves_neither_a_gap_nor_two_persons,
    the_same_request_names_once,
    only_who_works_there_is_named,
    wrong_fields_are_named_together,
    who_answers_leaves_only_after_a_successor_is_there,
    what_nobody_answers_for_is_listed_below_an_ancestor,
    what_is_listed_as_unowned_is_what_the_search_passes_over,
    a_district_asks_and_names_within_its_part,
    naming_is_announced_with_who_answers_now,
}
