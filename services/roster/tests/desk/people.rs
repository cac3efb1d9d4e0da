//! People of the small city, and what becomes of them.
#![allow(dead_code, reason = "each test file uses a part")]

use kit::db::statement;
use proto::roster::staff_member::{Post, State};
use proto::roster::staff_service_client::StaffServiceClient;
use proto::roster::{
    CreateStaffMemberRequest, DismissStaffMemberRequest, StaffMember, TransferStaffMemberRequest,
    UpdateStaffMemberRequest,
};
use sea_orm::ConnectionTrait;
use tonic::Status;

use super::{Desk, Door, GULOU, GULOU_PRIMARY};

/// The day on which everything happens.
pub(crate) const TODAY: proto::Date = proto::Date {
    year: 2022,
    month: 4,
    day: 7,
};

/// A client of the staff.
pub(crate) type Staff = StaffServiceClient<Door>;

/// The name of an organisation.
pub(crate) fn organization(id: &str) -> String {
    format!("organizations/{id}")
}

/// Asks to hire somebody.
pub(crate) fn new(
    organization_id: &str,
    display_name: &str,
    posts: &[Post],
) -> CreateStaffMemberRequest {
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

/// Somebody new.
pub(crate) async fn hired(client: &mut Staff, at: &str, name: &str, posts: &[Post]) -> StaffMember {
    let made = client.create_staff_member(new(at, name, posts)).await;
    made.expect("hired").into_inner()
}

/// The name of somebody new.
pub(crate) async fn somebody(client: &mut Staff, at: &str, posts: &[Post]) -> String {
    hired(client, at, "林", posts).await.name
}

/// Changes the fields at `paths`.
pub(crate) async fn updated(
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

/// Moves somebody today.
pub(crate) async fn moved(client: &mut Staff, name: &str, to: &str) -> Result<StaffMember, Status> {
    let request = TransferStaffMemberRequest {
        name: name.to_owned(),
        destination_organization: organization(to),
        effective_date: Some(TODAY),
        request_id: String::new(),
    };
    let moved = client.transfer_staff_member(request).await;
    moved.map(tonic::Response::into_inner)
}

/// Dismisses somebody.
pub(crate) async fn dismissed(client: &mut Staff, name: &str) -> Result<StaffMember, Status> {
    let request = DismissStaffMemberRequest {
        name: name.to_owned(),
        request_id: String::new(),
    };
    let gone = client.dismiss_staff_member(request).await;
    gone.map(tonic::Response::into_inner)
}

/// Sends somebody on long leave.
pub(crate) async fn on_leave(client: &mut Staff, name: &str) {
    let away = StaffMember {
        name: name.to_owned(),
        state: State::OnLeave.into(),
        ..StaffMember::default()
    };
    updated(client, away, &["state"]).await.expect("on leave");
}

/// A class group of the primary school in Gulou.
pub(crate) async fn class_group(desk: &Desk, id: &str, head_teacher: Option<&str>, state: i16) {
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
