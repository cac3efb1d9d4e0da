//! Requests of the second school about its own that name something of the first school besides: the same
//! request is taken with something of its own, and tells nothing with what is not.

use kit::auth::Role;
use proto::notification::delivery_service_client::DeliveryServiceClient;
use proto::notification::message::{Category, Urgency};
use proto::notification::recipients::Group;
use proto::notification::support_case::Grade;
use proto::notification::support_service_client::SupportServiceClient;
use proto::notification::{
    Message, OpenSupportCaseRequest, Recipients, SendMessageRequest, SupportCase,
};
use proto::roster::responsibility_node::Subject;
use proto::roster::responsibility_service_client::ResponsibilityServiceClient;
use proto::roster::staff_service_client::StaffServiceClient;
use proto::roster::student_service_client::StudentServiceClient;
use proto::roster::subject_request::{Asker, Kind as Wanted};
use proto::roster::subject_request_service_client::SubjectRequestServiceClient;
use proto::roster::{
    AssignResponsibilityRequest, FileSubjectRequestRequest, ResponsibilityNode, SubjectRequest,
    TransferStaffMemberRequest, TransferStudentRequest,
};
use proto::safety::gate_check::Verdict;
use proto::safety::gate_decision::Result as Decided;
use proto::safety::gate_reason::Code as Why;
use proto::safety::{GateCheck, GateDecision, GateReason};
use tests::town::school;
use tonic::Status;

use super::day::{SIBLING, VICTIM, at, today};
use crate::matrix::is_closed;
use crate::region::Region;
use crate::safety::people::{call, organization};
use crate::verbs::{denied, enter, request_id, told};

/// Somebody at the first school of whom there is something to know, and somebody of whom there is nothing.
pub(super) const RESTRICTED: (u32, u32) = (1, 3);
pub(super) const WELL: (u32, u32) = (1, 4);

/// What is not one's own is refused as if it were not there; what is one's own is taken.
pub(super) fn only_own<T>(what: &str, theirs: Result<T, Status>, own: Result<T, Status>) -> T {
    let theirs = theirs.map(drop).map_err(|refused| told(&refused));
    assert!(is_closed(&theirs, false, true), "{what}: {theirs:?}");
    own.unwrap_or_else(|refused| panic!("{what} of one's own: {refused:?}"))
}

/// Who answers for something, who moves where, and whose data somebody asks for.
pub(super) async fn the_register_keeps_apart(region: &Region) {
    let clerk = at(region, SIBLING, Role::SchoolClerk);
    let assign = |of: u32| AssignResponsibilityRequest {
        parent: organization(SIBLING),
        responsibility_node: Some(ResponsibilityNode {
            subject: Subject::Food.into(),
            staff_member: region.staff(&school(of), "安全副校长").to_owned(),
            ..ResponsibilityNode::default()
        }),
        request_id: request_id(),
    };
    let [theirs, own] = [assign(VICTIM), assign(SIBLING)];
    let theirs = call!(
        ResponsibilityServiceClient,
        clerk.clone(),
        assign_responsibility,
        theirs
    );
    let own = call!(
        ResponsibilityServiceClient,
        clerk.clone(),
        assign_responsibility,
        own
    );
    only_own("somebody answers", theirs, own);

    let file = |of: u32| FileSubjectRequestRequest {
        parent: organization(SIBLING),
        subject_request: Some(SubjectRequest {
            person: region.city.student(of, 1, 2).to_owned(),
            kind: Wanted::Copy.into(),
            asker: Asker::Guardian.into(),
            identity_check: "户口簿与身份证原件核对无误".to_owned(),
            ..SubjectRequest::default()
        }),
        request_id: request_id(),
    };
    let [theirs, own] = [file(VICTIM), file(SIBLING)];
    let theirs = call!(
        SubjectRequestServiceClient,
        clerk.clone(),
        file_subject_request,
        theirs
    );
    let own = call!(
        SubjectRequestServiceClient,
        clerk.clone(),
        file_subject_request,
        own
    );
    only_own("a family asks", theirs, own);

    for (from, to) in [(VICTIM, SIBLING), (SIBLING, VICTIM)] {
        let pupil = TransferStudentRequest {
            name: region.city.student(from, 2, 1).to_owned(),
            destination_class_group: region.city.town.class_group(to, 1),
            effective_date: today(region),
            request_id: request_id(),
        };
        let moved = call!(StudentServiceClient, clerk.clone(), transfer_student, pupil);
        denied("a pupil moves by the word of one school", moved);
        let member = TransferStaffMemberRequest {
            name: region.staff(&school(from), "心理教师").to_owned(),
            destination_organization: organization(to),
            effective_date: today(region),
            request_id: request_id(),
        };
        let moved = call!(
            StaffServiceClient,
            clerk.clone(),
            transfer_staff_member,
            member
        );
        denied("staff move by the word of one school", moved);
    }
}

/// What a decision on somebody lets the gate see.
fn seen(decision: &GateDecision) -> (Decided, Vec<Why>, Option<Verdict>) {
    let reasons = decision.reasons.iter().map(GateReason::code);
    let clearance = decision.clearance.as_ref().map(GateCheck::verdict);
    (decision.result(), reasons.collect(), clearance)
}

/// Whoever comes to the gate of the second school from the first one is turned away, and it is not said how
/// they are.
pub(super) async fn the_gate_keeps_apart(region: &Region) {
    let came = async |(class, place)| {
        let person = region.city.student(VICTIM, class, place);
        seen(&enter(&region.city, SIBLING, person).await)
    };
    let [restricted, well] = [came(RESTRICTED).await, came(WELL).await];
    assert_eq!(restricted, well);
    let (result, reasons, clearance) = restricted;
    assert_eq!(result, Decided::Deny);
    assert!(reasons.contains(&Why::PersonUnknown), "{reasons:?}");
    assert_eq!(clearance, Some(Verdict::NotRequired));
}

/// Whom a counsellor helps, and whom a school writes to.
pub(super) async fn words_keep_apart(region: &Region) {
    let open = |of: u32| OpenSupportCaseRequest {
        parent: organization(SIBLING),
        support_case: Some(SupportCase {
            person: region.city.student(of, 1, 2).to_owned(),
            grade: Grade::Yellow.into(),
            note: "近两周情绪低落".to_owned(),
            ..SupportCase::default()
        }),
        request_id: request_id(),
    };
    let counsellor = at(region, SIBLING, Role::Counsellor);
    let [theirs, own] = [open(VICTIM), open(SIBLING)];
    let theirs = call!(
        SupportServiceClient,
        counsellor.clone(),
        open_support_case,
        theirs
    );
    let own = call!(SupportServiceClient, counsellor, open_support_case, own);
    only_own("a case of support", theirs, own);

    let write = |of: u32| SendMessageRequest {
        parent: organization(SIBLING),
        message: Some(Message {
            category: Category::Notice.into(),
            urgency: Urgency::Ordinary.into(),
            template: "templates/notice".to_owned(),
            values: [("title", "家长会"), ("body", "周五下午三点")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            recipients: Some(Recipients {
                class_groups: vec![region.city.town.class_group(of, 1)],
                groups: vec![Group::Families.into()],
                ..Recipients::default()
            }),
            ..Message::default()
        }),
        request_id: request_id(),
    };
    let head = at(region, SIBLING, Role::Principal);
    let [theirs, own] = [write(VICTIM), write(SIBLING)];
    let theirs = call!(DeliveryServiceClient, head.clone(), send_message, theirs);
    let own = call!(DeliveryServiceClient, head, send_message, own);
    only_own("a message", theirs, own);
}
