//! ResponsibilityService.

use kit::auth::{Permission, caller};
use kit::field::{Fields, read_or_denied};
use kit::page;
use kit::status::Problem;
use proto::roster as pb;
use proto::roster::responsibility_service_server::ResponsibilityService;
use proto::roster::{
    AssignResponsibilityRequest, ListResponsibilityNodesRequest, ListResponsibilityNodesResponse,
    ListUnownedDutiesRequest, ListUnownedDutiesResponse, ResolveResponsibilityRequest,
    ResolveResponsibilityResponse, ResponsibilityNode, UnownedDuty,
};
use tonic::{Request, Response, Status};

use super::convert;
use super::organization::act;
use crate::app::App;
use crate::app::responsibility::Draft;
use crate::domain::import::normal;
use crate::domain::responsibility::{Answer, Found, Node, Place, Subject};
use crate::store::responsibility::Wanted;
use crate::store::unowned::Gap;

/// Serves who answers for what.
#[derive(Debug)]
pub(super) struct Api(pub(super) App);

#[tonic::async_trait]
impl ResponsibilityService for Api {
    async fn list_responsibility_nodes(
        &self,
        request: Request<ListResponsibilityNodesRequest>,
    ) -> Result<Response<ListResponsibilityNodesResponse>, Status> {
        let caller = caller(&request)?;
        let ListResponsibilityNodesRequest {
            parent,
            show_all,
            page_size,
            page_token,
        } = request.into_inner();
        let organization = convert::id("parent", "organizations", &parent)?;
        let size = page::size(page_size)?;
        let binding = [&*parent, &*show_all.to_string()];
        let after: Option<(i16, String, i64)> = page::after(&page_token, &binding)?;
        let wanted = Wanted {
            organization: String::new(),
            at: None,
            after: after.unwrap_or_default(),
            limit: size + 1,
        };
        let found = self.0.list_nodes(&caller, organization, show_all, wanted);
        let mut found = found.await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some(last) if more => {
                let key = (last.subject.code(), last.place.as_str(), last.start);
                page::next(&key, &binding)
            }
            _ => String::new(),
        };
        Ok(Response::new(ListResponsibilityNodesResponse {
            responsibility_nodes: found.into_iter().map(node).collect(),
            next_page_token,
        }))
    }

    async fn assign_responsibility(
        &self,
        request: Request<AssignResponsibilityRequest>,
    ) -> Result<Response<ResponsibilityNode>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::id("parent", "organizations", &request.parent)?;
        let may = self
            .0
            .organization(&caller, Permission::RosterWrite, organization);
        let draft = read_or_denied(draft(&request), may).await?;
        let act = act("AssignResponsibility", &request.request_id, &request);
        let named = self
            .0
            .assign_responsibility(&caller, organization, draft, act);
        Ok(Response::new(named.await?))
    }

    async fn resolve_responsibility(
        &self,
        request: Request<ResolveResponsibilityRequest>,
    ) -> Result<Response<ResolveResponsibilityResponse>, Status> {
        let caller = caller(&request)?;
        let ResolveResponsibilityRequest {
            organization,
            subject: number,
            place: text,
            time,
        } = request.into_inner();
        let organization = convert::id("organization", "organizations", &organization)?;
        let mut fields = Fields::new();
        let subject = subject("subject", number, &mut fields);
        let place = place("place", &text, subject, &mut fields);
        let at = time.and_then(|time| fields.instant("time", Some(time)));
        let may = self
            .0
            .organization(&caller, Permission::RosterRead, organization);
        read_or_denied(fields.finish(), may).await?;
        let subject = subject.unwrap_or(Subject::OverallHead);
        let found = self
            .0
            .resolve_responsibility(&caller, organization, subject, &place, at);
        Ok(Response::new(found.await?))
    }

    async fn list_unowned_duties(
        &self,
        request: Request<ListUnownedDutiesRequest>,
    ) -> Result<Response<ListUnownedDutiesResponse>, Status> {
        let caller = caller(&request)?;
        let ListUnownedDutiesRequest {
            ancestor,
            page_size,
            page_token,
        } = request.into_inner();
        let above = convert::id("ancestor", "organizations", &ancestor)?;
        let size = page::size(page_size)?;
        let binding = [&*ancestor];
        let after: Option<(String, i16)> = page::after(&page_token, &binding)?;
        let after = after.unwrap_or_default();
        let found = self.0.list_unowned_duties(&caller, above, &after, size + 1);
        let mut found = found.await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some(last) if more => page::next(&(&last.org_path, last.subject.code()), &binding),
            _ => String::new(),
        };
        Ok(Response::new(ListUnownedDutiesResponse {
            unowned_duties: found.into_iter().map(unowned).collect(),
            next_page_token,
        }))
    }
}

/// Somebody to be named, as sent.
fn draft(request: &AssignResponsibilityRequest) -> Result<Draft, Problem> {
    let sent = request.responsibility_node.clone().unwrap_or_default();
    let field = |name: &str| format!("responsibility_node.{name}");
    let staff_member = convert::uuid(&field("staff_member"), "staff", &sent.staff_member)?;
    let mut fields = Fields::new();
    let subject = subject(&field("subject"), sent.subject, &mut fields);
    let place = place(&field("place"), &sent.place, subject, &mut fields);
    let duties = normal(&sent.duties);
    fields.text(&field("duties"), &duties, 500);
    let start = sent
        .start_time
        .and_then(|start| fields.instant(&field("start_time"), Some(start)));
    fields.finish()?;
    Ok(Draft {
        subject: subject.unwrap_or(Subject::OverallHead),
        place,
        staff_member,
        duties,
        start,
    })
}

fn subject(field: &str, number: i32, fields: &mut Fields) -> Option<Subject> {
    let subject = i16::try_from(number).ok().and_then(Subject::from_code);
    if subject.is_none() {
        fields.violation(field, "请选择有效的选项", "not a known value");
    }
    subject
}

/// The place as sent; for a class group it is one.
fn place(field: &str, text: &str, subject: Option<Subject>, fields: &mut Fields) -> Place {
    if text.is_empty() && subject == Some(Subject::ClassGroup) {
        fields.violation(
            field,
            "必填：班级代码",
            "required: the id of the class group",
        );
    }
    text.parse().unwrap_or_else(|_| {
        fields.violation(
            field,
            "应为以 / 连接的至多 8 段，每段 1 到 32 个小写字母、数字或连字符",
            "must be at most 8 parts joined by /, each 1 to 32 of a-z, 0-9 and -",
        );
        Place::default()
    })
}

/// A node for the wire.
pub(crate) fn node(node: Node) -> ResponsibilityNode {
    let name = node.name();
    let Node {
        id: _,
        organization: _,
        subject,
        place,
        staff_member,
        duties,
        start,
        end,
    } = node;
    ResponsibilityNode {
        name,
        subject: subject.code().into(),
        place: place.to_string(),
        staff_member: format!("staff/{staff_member}"),
        duties,
        start_time: convert::instant(start),
        end_time: end.and_then(convert::instant),
    }
}

/// Who was found, for the wire.
pub(crate) fn found(found: Found) -> pb::ResolveResponsibilityResponse {
    let Found {
        answer,
        organization,
        steps,
    } = found;
    let node = match answer {
        Answer::Named(named) => node(named),
        Answer::Officer {
            subject,
            place,
            post,
            holder,
        } => ResponsibilityNode {
            name: String::new(),
            subject: subject.code().into(),
            place: place.to_string(),
            staff_member: format!("staff/{holder}"),
            duties: post.as_str().to_owned(),
            start_time: None,
            end_time: None,
        },
    };
    pb::ResolveResponsibilityResponse {
        responsibility_node: Some(node),
        organization: format!("organizations/{organization}"),
        steps,
    }
}

fn unowned(gap: Gap) -> UnownedDuty {
    let Gap {
        org_path: _,
        organization,
        subject,
        class_group,
    } = gap;
    UnownedDuty {
        organization: format!("organizations/{organization}"),
        subject: subject.code().into(),
        place: class_group,
    }
}
