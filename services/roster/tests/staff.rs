//! Staff as a client sees them.

mod desk;

use desk::follow::Follower;
use desk::{CITY, Desk, Door, FUQING, FUQING_PRIMARY, GULOU, GULOU_PRIMARY, fields, reason};
use kit::auth::Role;
use kit::db::statement;
use proto::roster::staff_member::{Post, State};
use proto::roster::staff_service_client::StaffServiceClient;
use proto::roster::{
    CreateStaffMemberRequest, DismissStaffMemberRequest, GetStaffMemberRequest,
    ListStaffMembersRequest, StaffMember, TransferStaffMemberRequest, UpdateStaffMemberRequest,
};
use sea_orm::ConnectionTrait;
use tonic::{Code, Status};

const TODAY: proto::Date = proto::Date {
    year: 2022,
    month: 4,
    day: 7,
};

type Staff = StaffServiceClient<Door>;

fn organization(id: &str) -> String {
    format!("organizations/{id}")
}

fn new(organization_id: &str, display_name: &str, posts: &[Post]) -> CreateStaffMemberRequest {
    CreateStaffMemberRequest {
        parent: organization(organization_id),
        staff_member: Some(StaffMember {
            display_name: display_name.to_owned(),
            posts: posts.iter().copied().map(i32::from).collect(),
            ..StaffMember::default()
        }),
        request_id: String::new(),
    }
}

async fn hired(client: &mut Staff, at: &str, name: &str, posts: &[Post]) -> StaffMember {
    let made = client.create_staff_member(new(at, name, posts)).await;
    made.expect("hired").into_inner()
}

async fn updated(
    client: &mut Staff,
    member: StaffMember,
    paths: &[&str],
) -> Result<StaffMember, Status> {
    let paths = paths.iter().map(|&path| path.to_owned()).collect();
    let request = UpdateStaffMemberRequest {
        staff_member: Some(member),
        update_mask: Some(prost_types::FieldMask { paths }),
        request_id: String::new(),
    };
    let changed = client.update_staff_member(request).await;
    changed.map(tonic::Response::into_inner)
}

async fn moved(client: &mut Staff, name: &str, to: &str) -> Result<StaffMember, Status> {
    let request = TransferStaffMemberRequest {
        name: name.to_owned(),
        destination_organization: organization(to),
        effective_date: Some(TODAY),
        request_id: String::new(),
    };
    let moved = client.transfer_staff_member(request).await;
    moved.map(tonic::Response::into_inner)
}

async fn dismissed(client: &mut Staff, name: &str) -> Result<StaffMember, Status> {
    let request = DismissStaffMemberRequest {
        name: name.to_owned(),
        request_id: String::new(),
    };
    let gone = client.dismiss_staff_member(request).await;
    gone.map(tonic::Response::into_inner)
}

async fn one(client: &mut Staff, name: &str) -> Result<StaffMember, Status> {
    let name = name.to_owned();
    let found = client
        .get_staff_member(GetStaffMemberRequest { name })
        .await;
    found.map(tonic::Response::into_inner)
}

/// Makes `teacher` head teacher of a class group of the primary school in Gulou.
async fn heads(desk: &Desk, teacher: &str) {
    let db = desk.database().await;
    let tx = db.begin().await.expect("it begins");
    let teacher: uuid::Uuid = teacher
        .trim_start_matches("staff/")
        .parse()
        .expect("an identifier");
    let insert = statement(
        &tx,
        "INSERT INTO class_groups (org_path, organization, id, display_name, stage, entry_year, \
         number, head_teacher, version, roll_version, update_time) \
         VALUES ($1, $2, 'p2019-01', '三（1）班', 2, 2019, 1, $3, 5, 1, 0)",
        [
            format!("fz/{GULOU}/{GULOU_PRIMARY}/p2019-01").into(),
            GULOU_PRIMARY.into(),
            teacher.into(),
        ],
    );
    tx.execute_raw(insert).await.expect("it is added");
    tx.commit().await.expect("it commits");
}

/// The head teacher and the version of that class group.
async fn class_group(desk: &Desk) -> (Option<uuid::Uuid>, i64) {
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
    assert_eq!(one(&mut client, &made.name).await.unwrap(), made);
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

async fn who_moves_gives_up_posts_and_class_group(desk: Desk) {
    desk.plant().await;
    let mut client = StaffServiceClient::new(desk.officer());
    let posts = [Post::Teacher, Post::HeadTeacher];
    let before = hired(&mut client, GULOU_PRIMARY, "林", &posts).await;
    heads(&desk, &before.name).await;
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
    assert_eq!(class_group(&desk).await, (None, 6));
    let refused = moved(&mut client, &before.name, FUQING_PRIMARY).await;
    assert_eq!(fields(&refused.unwrap_err()), ["destination_organization"]);
}

async fn who_is_dismissed_stays_for_history_only(desk: Desk) {
    desk.plant().await;
    let mut client = StaffServiceClient::new(desk.officer());
    let member = hired(&mut client, GULOU_PRIMARY, "林", &[Post::HeadTeacher]).await;
    heads(&desk, &member.name).await;
    let gone = dismissed(&mut client, &member.name).await.unwrap();
    assert_eq!(gone.state(), State::Dismissed);
    assert_eq!(class_group(&desk).await, (None, 6));
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
    what_is_written_is_read_back_without_what_is_private,
    the_same_request_hires_once,
    wrong_fields_are_named_together,
    a_person_works_at_one_place_at_a_time,
    staff_codes_are_unique_within_an_organization,
    an_update_changes_what_the_mask_names,
    a_change_by_hand_is_no_longer_the_imports,
    who_moves_gives_up_posts_and_class_group,
    who_is_dismissed_stays_for_history_only,
    a_list_is_paged_and_filtered_by_post,
    a_district_neither_sees_nor_moves_others,
    every_change_is_announced,
}
