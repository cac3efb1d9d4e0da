//! SharedGroupService.

use kit::auth::{Permission, caller};
use kit::field::{Fields, read_or_denied};
use kit::page;
use kit::status::Problem;
use proto::sampling::shared_group::{Kind, Member};
use proto::sampling::shared_group_service_server::SharedGroupService;
use proto::sampling::{
    GetSharedGroupRequest, ListSharedGroupsRequest, ListSharedGroupsResponse,
    RemoveSharedGroupRequest, SetSharedGroupRequest, SharedGroup,
};
use tonic::{Request, Response, Status};

use super::case_requests::{finish, person, small, text};
use super::shared_group_convert::shared_group;
use crate::app::App;
use crate::app::health::shared_groups::NewGroup;
use crate::domain::health::shared::{Seat, SharedKind};
use crate::domain::plan::is_id;
use crate::domain::roll::{GroupKind, PersonId};
use crate::grpc::convert::{self, cut};

/// Serves shared groups.
#[derive(Clone, Debug)]
pub(super) struct Api(pub(super) App);

/// Characters of the name of a group within its school.
const MOST_CODE: usize = 40;
/// People of one group, class groups of one, rows and columns of a seat plan.
const MOST_MEMBERS: usize = 2000;
const MOST_CLASS_GROUPS: usize = 200;
const MOST_SEATS: i32 = 200;

/// The identifiers in `organizations/{organization}/sharedGroups/{shared_group}`.
fn named<'a>(fields: &mut Fields, name: &'a str) -> (&'a str, &'a str) {
    let rest = name.strip_prefix("organizations/");
    let parts = rest.and_then(|rest| rest.split_once("/sharedGroups/"));
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_code = |code: &str| (1..=MOST_CODE).contains(&code.len()) && code.bytes().all(fits);
    let parts = parts.filter(|(school, code)| is_id(school) && is_code(code));
    if parts.is_none() {
        fields.violation(
            "name",
            "应为 organizations/{机构编号}/sharedGroups/{分组编号}",
            "must be organizations/{organization}/sharedGroups/{shared_group}",
        );
    }
    parts.unwrap_or_default()
}

/// The identifiers in the name of a request that has no other field to check.
fn only_name(name: &str) -> Result<(&str, &str), Problem> {
    let mut fields = Fields::new();
    let parts = named(&mut fields, name);
    fields.finish()?;
    Ok(parts)
}

#[tonic::async_trait]
impl SharedGroupService for Api {
    async fn set_shared_group(
        &self,
        request: Request<SetSharedGroupRequest>,
    ) -> Result<Response<SharedGroup>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseWrite)?;
        let request = request.into_inner();
        let (organization, _) = named(&mut Fields::new(), &request.name);
        let may = convert::may_at(&self.0, &caller, Permission::CaseWrite, organization);
        let new = read_or_denied(group(&request), may).await?;
        let set = self.0.set_shared_group(&caller, new, &request).await?;
        Ok(Response::new(set))
    }

    async fn remove_shared_group(
        &self,
        request: Request<RemoveSharedGroupRequest>,
    ) -> Result<Response<SharedGroup>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseWrite)?;
        let request = request.into_inner();
        let name = only_name(&request.name)?;
        let removed = self.0.remove_shared_group(&caller, name, &request).await?;
        Ok(Response::new(removed))
    }

    async fn get_shared_group(
        &self,
        request: Request<GetSharedGroupRequest>,
    ) -> Result<Response<SharedGroup>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseRead)?;
        let (organization, code) = only_name(&request.get_ref().name)?;
        let found = self.0.get_shared_group(&caller, organization, code).await?;
        Ok(Response::new(found))
    }

    async fn list_shared_groups(
        &self,
        request: Request<ListSharedGroupsRequest>,
    ) -> Result<Response<ListSharedGroupsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseRead)?;
        let ListSharedGroupsRequest {
            parent,
            kind,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [parent.as_str(), &kind.to_string()];
        let after: String = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut fields = Fields::new();
        let organization = convert::organization(&mut fields, "parent", &parent);
        let kind = match kind {
            0 => 0,
            kind => fields
                .enumeration::<Kind>("kind", kind)
                .map_or(0, |kind| small(kind.into())),
        };
        fields.finish()?;
        let mut rows = self
            .0
            .list_shared_groups(&caller, organization, kind, &after, limit + 1)
            .await?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.code, &binding));
        Ok(Response::new(ListSharedGroupsResponse {
            shared_groups: rows.iter().map(|row| shared_group(row, &[])).collect(),
            next_page_token,
        }))
    }
}

/// The group of a request.
fn group(request: &SetSharedGroupRequest) -> Result<NewGroup<'_>, Problem> {
    let mut fields = Fields::new();
    let (organization, code) = named(&mut fields, &request.name);
    let kind: Option<Kind> = fields.enumeration("kind", request.kind);
    let kind = kind.and_then(|kind| SharedKind::from_code(small(kind.into())));
    fields.required("display_name", &request.display_name);
    text(&mut fields, "display_name", &request.display_name, 63);
    fields.within("members", request.members.len(), 0..=MOST_MEMBERS);
    fields.within(
        "class_groups",
        request.class_groups.len(),
        0..=MOST_CLASS_GROUPS,
    );
    let seats = kind == Some(SharedKind::Seats);
    if seats && !request.class_groups.is_empty() {
        let (chinese, english) = ("座位表须逐人填写座位", "a seat plan names everybody");
        fields.violation("class_groups", chinese, english);
    }
    let mut members: Vec<(PersonId, GroupKind, Seat)> = Vec::new();
    for (place, one) in request.members.iter().take(MOST_MEMBERS).enumerate() {
        let field = |name: &str| format!("members[{place}].{name}");
        let seat = seat(&mut fields, &field, one, seats);
        if let Some((person, kind)) = person(&mut fields, &field("person"), &one.person) {
            members.push((person, kind, seat));
        }
    }
    let mut named: Vec<PersonId> = members.iter().map(|(person, _, _)| *person).collect();
    named.sort_unstable();
    if named.windows(2).any(|pair| pair[0] == pair[1]) {
        fields.violation("members", "同一人重复", "names somebody twice");
    }
    let mut class_groups = Vec::new();
    let classes = request.class_groups.iter().take(MOST_CLASS_GROUPS);
    for (place, name) in classes.enumerate() {
        let field = format!("class_groups[{place}]");
        match convert::class_group(&mut fields, &field, name) {
            Some((school, id)) if school == organization => class_groups.push(id),
            Some(_) => fields.violation(field, "不是本校的班级", "is of another school"),
            None => {}
        }
    }
    let new = kind.map(|kind| NewGroup {
        organization,
        code,
        kind,
        display_name: &request.display_name,
        members,
        class_groups,
    });
    finish(fields, new)
}

/// The seat of somebody; only a seat plan has seats.
fn seat(fields: &mut Fields, field: &impl Fn(&str) -> String, one: &Member, seats: bool) -> Seat {
    let most = if seats { MOST_SEATS } else { 0 };
    let row = fields.within(&field("row"), one.row, 0..=most);
    let column = fields.within(&field("column"), one.column, 0..=most);
    Seat {
        row: small(row),
        column: small(column),
    }
}
