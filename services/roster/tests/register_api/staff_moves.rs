//! Staff who move and leave, who may move them, and what others hear of it.
#![expect(clippy::unwrap_used, reason = "what fails in a suite fails its test")]

use crate::desk::desk_suite;
use crate::desk::follow::Follower;
use crate::desk::people::{
    Staff, TODAY, class_group, dismissed, hired, moved, new, organization, updated,
};
use crate::desk::{CITY, Desk, FUQING, FUQING_PRIMARY, GULOU_PRIMARY, fields, reason};
use kit::auth::Role;
use kit::db::statement;
use proto::roster::staff_member::{Post, State};
use proto::roster::staff_service_client::StaffServiceClient;
use proto::roster::{GetStaffMemberRequest, ListStaffMembersRequest, StaffMember};
use sea_orm::ConnectionTrait;
use tonic::{Code, Status};

async fn one(client: &mut Staff, name: &str) -> Result<StaffMember, Status> {
    let name = name.to_owned();
    let found = client
        .get_staff_member(GetStaffMemberRequest { name })
        .await;
    found.map(tonic::Response::into_inner)
}

/// The head teacher and the version of that class group.
async fn head(desk: &Desk) -> (Option<uuid::Uuid>, i64) {
    let db = desk.database().await;
    let select = statement(
        db.read(),
        "SELECT head_teacher, version FROM class_groups",
        [],
    );
    let row = db.read().query_one_raw(select).await.expect("it answers");
    let row = row.expect("a class group");
    (
        row.try_get_by_index(0).expect("a head"),
        row.try_get_by_index(1).expect("a version"),
    )
}

async fn who_moves_gives_up_posts_and_class_group(desk: Desk) {
    desk.plant().await;
    let mut client = StaffServiceClient::new(desk.officer());
    let posts = [Post::Teacher, Post::HeadTeacher];
    let before = hired(&mut client, GULOU_PRIMARY, "林", &posts).await;
    class_group(&desk, "p2019-01", Some(&before.name), 1).await;
    let after = moved(&mut client, &before.name, FUQING_PRIMARY)
        .await
        .unwrap();
    let expected = StaffMember {
        organization: organization(FUQING_PRIMARY),
        posts: Vec::new(),
        start_date: Some(TODAY),
        etag: "\"2\"".to_owned(),
        ..before.clone()
    };
    assert_eq!(after, expected);
    assert_eq!(head(&desk).await, (None, 2));
    let refused = moved(&mut client, &before.name, FUQING_PRIMARY).await;
    assert_eq!(fields(&refused.unwrap_err()), ["destination_organization"]);
}

async fn who_swap_places_at_the_same_time_both_arrive(desk: Desk) {
    desk.plant().await;
    let mut client = StaffServiceClient::new(desk.officer());
    for _ in 0..4 {
        let one = hired(&mut client, GULOU_PRIMARY, "林", &[]).await.name;
        let other = hired(&mut client, FUQING_PRIMARY, "陈", &[]).await.name;
        let (mut here, mut there) = (client.clone(), client.clone());
        let both = tokio::join!(
            moved(&mut here, &one, FUQING_PRIMARY),
            moved(&mut there, &other, GULOU_PRIMARY),
        );
        assert_eq!(both.0.unwrap().organization, organization(FUQING_PRIMARY));
        assert_eq!(both.1.unwrap().organization, organization(GULOU_PRIMARY));
    }
}

async fn who_is_dismissed_stays_for_history_only(desk: Desk) {
    desk.plant().await;
    let mut client = StaffServiceClient::new(desk.officer());
    let member = hired(&mut client, GULOU_PRIMARY, "林", &[Post::HeadTeacher]).await;
    class_group(&desk, "p2019-01", Some(&member.name), 1).await;
    let gone = dismissed(&mut client, &member.name).await.unwrap();
    assert_eq!(gone.state(), State::Dismissed);
    assert_eq!(head(&desk).await, (None, 2));
    let list = |show_dismissed| ListStaffMembersRequest {
        parent: organization(GULOU_PRIMARY),
        show_dismissed,
        ..Default::default()
    };
    let listed = client.list_staff_members(list(false)).await.unwrap();
    assert_eq!(listed.into_inner().staff, []);
    let listed = client.list_staff_members(list(true)).await.unwrap();
    assert_eq!(listed.into_inner().staff, std::slice::from_ref(&gone));
    let refusals = [
        dismissed(&mut client, &gone.name).await,
        moved(&mut client, &gone.name, FUQING_PRIMARY).await,
        updated(&mut client, gone.clone(), &["grade"]).await,
    ];
    for refused in refusals {
        let refused = refused.unwrap_err();
        let expected = (
            Code::FailedPrecondition,
            "STAFF_MEMBER_DISMISSED".to_owned(),
        );
        assert_eq!((refused.code(), reason(&refused)), expected);
    }
}

async fn a_district_neither_sees_nor_moves_others(desk: Desk) {
    desk.plant().await;
    let mut city = StaffServiceClient::new(desk.officer());
    let ours = hired(&mut city, GULOU_PRIMARY, "林", &[]).await;
    let theirs = hired(&mut city, FUQING_PRIMARY, "陈", &[]).await;
    let mut client = StaffServiceClient::new(desk.caller(Role::DistrictOfficer, "fz/350102"));
    assert_eq!(one(&mut client, &ours.name).await.unwrap(), ours);
    let unknown = "staff/00000000-0000-0000-0000-000000000001";
    let mut refusals = vec![
        moved(&mut client, &ours.name, FUQING).await,
        moved(&mut client, &ours.name, "no-such-school").await,
    ];
    for hidden in [&*theirs.name, unknown] {
        refusals.push(one(&mut client, hidden).await);
        refusals.push(dismissed(&mut client, hidden).await);
        refusals.push(moved(&mut client, hidden, GULOU_PRIMARY).await);
        let sent = StaffMember {
            name: hidden.to_owned(),
            ..StaffMember::default()
        };
        refusals.push(updated(&mut client, sent, &["grade"]).await);
    }
    for refused in refusals {
        let refused = refused.unwrap_err();
        let expected = (Code::PermissionDenied, "SCOPE_DENIED".to_owned());
        assert_eq!((refused.code(), reason(&refused)), expected);
    }
    let denied = client.create_staff_member(new(CITY, "林", &[])).await;
    assert_eq!(denied.unwrap_err().code(), Code::PermissionDenied);
    let refused = one(&mut city, unknown).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let mut principal = StaffServiceClient::new(desk.caller(Role::Principal, "fz/350102"));
    let denied = dismissed(&mut principal, &ours.name).await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
}

async fn every_change_is_announced(desk: Desk) {
    let mut follower = Follower::of(&desk).await;
    desk.plant().await;
    let mut client = StaffServiceClient::new(desk.officer());
    let member = hired(&mut client, GULOU_PRIMARY, "林", &[Post::Principal]).await;
    let person = member.name.clone();
    let on_roll = |posts: &[&str], grade| {
        let posts = posts.iter().map(|&post| post.to_owned()).collect();
        vec![(person.clone(), posts, grade)]
    };
    let duty = |subject: &str| (subject.to_owned(), String::new(), person.clone());
    let as_head = vec![
        duty("OVERALL_HEAD"),
        duty("SAFETY"),
        duty("EPIDEMIC_CONTROL"),
    ];
    assert_eq!(
        follower.staff(GULOU_PRIMARY).await,
        on_roll(&["PRINCIPAL"], 0)
    );
    assert_eq!(follower.duties(GULOU_PRIMARY).await, as_head);

    let sent = StaffMember {
        grade: 4,
        ..member.clone()
    };
    updated(&mut client, sent, &["grade"]).await.unwrap();
    assert_eq!(
        follower.staff(GULOU_PRIMARY).await,
        on_roll(&["PRINCIPAL"], 4)
    );

    let sent = StaffMember {
        name: person.clone(),
        state: State::OnLeave.into(),
        ..StaffMember::default()
    };
    updated(&mut client, sent, &["state"]).await.unwrap();
    assert_eq!(
        follower.staff(GULOU_PRIMARY).await,
        on_roll(&["PRINCIPAL"], 4)
    );
    assert_eq!(follower.duties(GULOU_PRIMARY).await, []);

    moved(&mut client, &person, FUQING_PRIMARY).await.unwrap();
    assert_eq!(follower.staff(GULOU_PRIMARY).await, []);
    assert_eq!(follower.staff(FUQING_PRIMARY).await, on_roll(&[], 0));
    dismissed(&mut client, &person).await.unwrap();
    assert_eq!(follower.staff(FUQING_PRIMARY).await, []);
}

desk_suite! {
    who_moves_gives_up_posts_and_class_group,
    who_swap_places_at_the_same_time_both_arrive,
    who_is_dismissed_stays_for_history_only,
    a_district_neither_sees_nor_moves_others,
    every_change_is_announced,
}
