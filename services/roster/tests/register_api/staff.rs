//! Staff as a client sees them.
#![expect(clippy::unwrap_used, reason = "what fails in a suite fails its test")]

use crate::desk::desk_suite;
use crate::desk::people::{TODAY, dismissed, hired, new, organization, updated};
use crate::desk::{Desk, FUQING_PRIMARY, GULOU, GULOU_PRIMARY, fields, reason};
use kit::db::statement;
use proto::roster::staff_member::{Post, State};
use proto::roster::staff_service_client::StaffServiceClient;
use proto::roster::{
    GetStaffMemberRequest, ListStaffMembersRequest, StaffMember, TransferStaffMemberRequest,
};
use sea_orm::ConnectionTrait;
use tonic::Code;

async fn what_is_written_is_read_back_without_what_is_private(desk: Desk) {
    desk.plant().await;
    let mut client = StaffServiceClient::new(desk.officer());
    let mut request = new(GULOU_PRIMARY, " 林　小燕 ", &[Post::Teacher, Post::Medical]);
    let sent = request.staff_member.as_mut().unwrap();
    sent.grade = 3;
    sent.staff_code = "００１２".to_owned();
    sent.id_number = "11010519491231002x".to_owned();
    sent.phone = "+86 138-0013-8000".to_owned();
    sent.swab_exempt = true;
    sent.start_date = Some(TODAY);
    let made = client
        .create_staff_member(request)
        .await
        .unwrap()
        .into_inner();
    let expected = StaffMember {
        name: made.name.clone(),
        organization: organization(GULOU_PRIMARY),
        display_name: "林 小燕".to_owned(),
        posts: vec![Post::Teacher.into(), Post::Medical.into()],
        grade: 3,
        staff_code: "0012".to_owned(),
        id_number: String::new(),
        phone: String::new(),
        masked_phone: "138****8000".to_owned(),
        swab_exempt: true,
        start_date: Some(TODAY),
        state: State::Active.into(),
        update_time: made.update_time,
        etag: "\"1\"".to_owned(),
    };
    assert_eq!(made, expected);
    let name = made.name.clone();
    let read = client
        .get_staff_member(GetStaffMemberRequest { name })
        .await;
    assert_eq!(read.unwrap().into_inner(), made);
}

async fn the_same_request_hires_once(desk: Desk) {
    desk.plant().await;
    let mut client = StaffServiceClient::new(desk.officer());
    let mut request = new(GULOU_PRIMARY, "林", &[]);
    request.request_id = "5f1e2c1a-6d1f-4a3b-9a58-0d2f5a1b7c11".to_owned();
    let first = client.create_staff_member(request.clone()).await.unwrap();
    let again = client.create_staff_member(request.clone()).await.unwrap();
    assert_eq!(first.into_inner(), again.into_inner());
    request.parent = organization(GULOU);
    let refused = client.create_staff_member(request).await.unwrap_err();
    assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
    let request = ListStaffMembersRequest {
        parent: organization(GULOU_PRIMARY),
        ..Default::default()
    };
    let listed = client.list_staff_members(request).await.unwrap();
    assert_eq!(listed.into_inner().staff.len(), 1);
}

async fn wrong_fields_are_named_together(desk: Desk) {
    desk.plant().await;
    let mut client = StaffServiceClient::new(desk.officer());
    let mut request = new(GULOU_PRIMARY, " ", &[Post::Guard, Post::Guard]);
    let sent = request.staff_member.as_mut().unwrap();
    sent.grade = 13;
    sent.staff_code = "9".repeat(65);
    sent.id_number = "110105194912310021".to_owned();
    sent.phone = "0591-83300000".to_owned();
    sent.state = State::Dismissed.into();
    sent.start_date = Some(proto::Date { month: 13, ..TODAY });
    let refused = client.create_staff_member(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let expected = [
        "staff_member.posts[1]",
        "staff_member.grade",
        "staff_member.staff_code",
        "staff_member.id_number",
        "staff_member.phone",
        "staff_member.start_date",
        "staff_member.display_name",
        "staff_member.state",
    ];
    assert_eq!(fields(&refused), expected);
    let member = hired(&mut client, GULOU_PRIMARY, "林", &[]).await;
    for (path, field) in [
        ("display_name", "staff_member.display_name"),
        ("state", "staff_member.state"),
        ("organization", "update_mask.paths[0]"),
    ] {
        let blank = StaffMember {
            name: member.name.clone(),
            ..StaffMember::default()
        };
        let refused = updated(&mut client, blank, &[path]).await.unwrap_err();
        assert_eq!(fields(&refused), [field]);
    }
    let future = TransferStaffMemberRequest {
        name: member.name,
        destination_organization: organization(FUQING_PRIMARY),
        effective_date: Some(proto::Date { day: 8, ..TODAY }),
        request_id: String::new(),
    };
    let refused = client.transfer_staff_member(future).await.unwrap_err();
    assert_eq!(fields(&refused), ["effective_date"]);
}

async fn a_person_works_at_one_place_at_a_time(desk: Desk) {
    desk.plant().await;
    let mut client = StaffServiceClient::new(desk.officer());
    let with_number = |at: &str| {
        let mut request = new(at, "林", &[]);
        request.staff_member.as_mut().unwrap().id_number = "11010519491231002X".to_owned();
        request
    };
    let first = client.create_staff_member(with_number(GULOU_PRIMARY)).await;
    let first = first.unwrap().into_inner();
    let refused = client
        .create_staff_member(with_number(FUQING_PRIMARY))
        .await;
    let refused = refused.unwrap_err();
    assert_eq!(reason(&refused), "PERSON_REGISTERED");
    let other = hired(&mut client, FUQING_PRIMARY, "陈", &[]).await;
    let same = StaffMember {
        id_number: "11010519491231002X".to_owned(),
        ..other.clone()
    };
    let refused = updated(&mut client, same, &["id_number"]).await;
    assert_eq!(reason(&refused.unwrap_err()), "PERSON_REGISTERED");
    dismissed(&mut client, &first.name).await.unwrap();
    let hired_again = client
        .create_staff_member(with_number(FUQING_PRIMARY))
        .await;
    assert_ne!(hired_again.unwrap().into_inner().name, first.name);
}

async fn staff_codes_are_unique_within_an_organization(desk: Desk) {
    desk.plant().await;
    let mut client = StaffServiceClient::new(desk.officer());
    let coded = |at: &str| {
        let mut request = new(at, "林", &[]);
        request.staff_member.as_mut().unwrap().staff_code = "7".to_owned();
        request
    };
    client
        .create_staff_member(coded(GULOU_PRIMARY))
        .await
        .unwrap();
    client
        .create_staff_member(coded(FUQING_PRIMARY))
        .await
        .unwrap();
    let refused = client.create_staff_member(coded(GULOU_PRIMARY)).await;
    let refused = refused.unwrap_err();
    let expected = (Code::AlreadyExists, "ALREADY_EXISTS".to_owned());
    assert_eq!((refused.code(), reason(&refused)), expected);
}

async fn an_update_changes_what_the_mask_names(desk: Desk) {
    desk.plant().await;
    let mut client = StaffServiceClient::new(desk.officer());
    let mut request = new(GULOU_PRIMARY, "林", &[Post::Teacher]);
    request.staff_member.as_mut().unwrap().phone = "13800138000".to_owned();
    let before = client
        .create_staff_member(request)
        .await
        .unwrap()
        .into_inner();
    let sent = StaffMember {
        grade: 5,
        state: State::OnLeave.into(),
        display_name: "not named".to_owned(),
        phone: String::new(),
        ..before.clone()
    };
    let after = updated(&mut client, sent.clone(), &["grade", "state", "phone"]).await;
    let expected = StaffMember {
        grade: 5,
        state: State::OnLeave.into(),
        masked_phone: String::new(),
        etag: "\"2\"".to_owned(),
        ..before.clone()
    };
    assert_eq!(after.unwrap(), expected);
    let refused = updated(&mut client, sent, &["grade"]).await.unwrap_err();
    let expected = (Code::Aborted, "ETAG_MISMATCH".to_owned());
    assert_eq!((refused.code(), reason(&refused)), expected);
}

async fn a_change_by_hand_is_no_longer_the_imports(desk: Desk) {
    desk.plant().await;
    let mut client = StaffServiceClient::new(desk.officer());
    let member = hired(&mut client, GULOU_PRIMARY, "林", &[Post::Teacher]).await;
    let db = desk.database().await;
    let tx = db.begin().await.unwrap();
    let mark =
        "UPDATE staff SET content_hash = id_hash, raw_hash = 7, batch = 3, source_posts = 64";
    tx.execute_raw(statement(&tx, mark, [])).await.unwrap();
    tx.commit().await.unwrap();
    updated(&mut client, member, &["grade"]).await.unwrap();
    let select = "SELECT raw_hash, batch, source_posts FROM staff";
    let row = db
        .read()
        .query_one_raw(statement(db.read(), select, []))
        .await;
    let row = row.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<Option<i64>>(0).unwrap(), None);
    assert_eq!(row.try_get_by_index::<Option<i64>>(1).unwrap(), None);
    assert_eq!(row.try_get_by_index::<i32>(2).unwrap(), 64);
}

async fn a_list_is_paged_and_filtered_by_post(desk: Desk) {
    desk.plant().await;
    let mut client = StaffServiceClient::new(desk.officer());
    let mut guards = Vec::new();
    for number in 0..5 {
        let posts = [Post::Guard, Post::Teacher];
        let member = hired(&mut client, GULOU_PRIMARY, "陈", &posts[number % 2..]).await;
        if number % 2 == 0 {
            guards.push(member.name);
        }
    }
    guards.sort();
    let mut request = ListStaffMembersRequest {
        parent: organization(GULOU_PRIMARY),
        post: Post::Guard.into(),
        page_size: 2,
        ..Default::default()
    };
    let first = client
        .list_staff_members(request.clone())
        .await
        .unwrap()
        .into_inner();
    request.page_token = first.next_page_token;
    let second = client
        .list_staff_members(request.clone())
        .await
        .unwrap()
        .into_inner();
    let names = first.staff.iter().chain(&second.staff).map(|one| &one.name);
    assert_eq!(names.collect::<Vec<_>>(), guards.iter().collect::<Vec<_>>());
    assert_eq!(
        (first.staff.len(), second.next_page_token),
        (2, String::new())
    );
    request.post = Post::Teacher.into();
    let refused = client
        .list_staff_members(request.clone())
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "INVALID_PAGE_TOKEN");
    request.post = 99;
    let refused = client.list_staff_members(request).await.unwrap_err();
    assert_eq!(fields(&refused), ["post"]);
}

desk_suite! {
    what_is_written_is_read_back_without_what_is_private,
    the_same_request_hires_once,
    wrong_fields_are_named_together,
    a_person_works_at_one_place_at_a_time,
    staff_codes_are_unique_within_an_organization,
    an_update_changes_what_the_mask_names,
    a_change_by_hand_is_no_longer_the_imports,
    a_list_is_paged_and_filtered_by_post,
}
