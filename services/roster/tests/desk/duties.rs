//! Who answers for what, as tests name and ask.
#![allow(dead_code, reason = "each test file uses a part")]

use chrono::{DateTime, Utc};
use kit::field::to_timestamp;
use proto::roster::responsibility_node::Subject;
use proto::roster::responsibility_service_client::ResponsibilityServiceClient;
use proto::roster::{
    AssignResponsibilityRequest, ListResponsibilityNodesRequest, ListUnownedDutiesRequest,
    ResolveResponsibilityRequest, ResponsibilityNode,
};
use tonic::Status;

use super::Door;
use super::people::organization;

/// A client of the chain of responsibility.
pub(crate) type Chain = ResponsibilityServiceClient<Door>;

/// Asks to name `who`.
pub(crate) fn named(
    at: &str,
    subject: Subject,
    place: &str,
    who: &str,
) -> AssignResponsibilityRequest {
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

/// The same from an instant on.
pub(crate) fn from(
    mut request: AssignResponsibilityRequest,
    start: DateTime<Utc>,
) -> AssignResponsibilityRequest {
    let node = request.responsibility_node.as_mut().expect("a node");
    node.start_time = Some(to_timestamp(start));
    request
}

/// Names somebody.
pub(crate) async fn assigned(
    client: &mut Chain,
    request: AssignResponsibilityRequest,
) -> Result<ResponsibilityNode, Status> {
    let made = client.assign_responsibility(request).await;
    made.map(tonic::Response::into_inner)
}

/// Who answers, where, and after how many steps.
pub(crate) async fn who(
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

/// What [`who`] finds.
pub(crate) fn answers(who: &str, at: &str, steps: i32) -> (String, String, i32) {
    (who.to_owned(), organization(at), steps)
}

/// All nodes of an organisation, two a page.
pub(crate) async fn nodes(client: &mut Chain, at: &str, show_all: bool) -> Vec<ResponsibilityNode> {
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

/// All that nobody answers for below `ancestor`, two a page.
pub(crate) async fn unowned(client: &mut Chain, ancestor: &str) -> Vec<(String, Subject, String)> {
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
