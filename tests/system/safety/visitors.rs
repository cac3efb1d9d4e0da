//! A visitor from the request to the exit (rules 3.6 and 3.7).

use chrono::{Duration, NaiveDate};
use kit::auth::Role;
use kit::clock::civil_date;
use kit::field::{to_date, to_timestamp};
use proto::safety::gate_observation::Colour;
use proto::safety::visit::State;
use proto::safety::visit_event::Verb;
use proto::safety::visitor::DocumentKind;
use proto::safety::visitor_service_client::VisitorServiceClient;
use proto::safety::{
    ArriveVisitRequest, CheckVisitRequest, CreateVisitRequest, GateObservation,
    GetVisitPassRequest, GetVisitRequest, ListVisitsRequest, RevealVisitorRequest, TravelCard,
    Visit, VisitPass, Visitor,
};
use tests::city::Door;
use tests::town::{DISTRICT, resident_id, school_path};
use tonic::{Code, Status};

use super::people::{call, once, organization};
use crate::region::Region;
use crate::verbs::{denied, expect, request_id};

/// Somebody invented, with a document that nobody has and a number that no operator gives out.
const NAME: &str = "林来访";
const PHONE: &str = "19900000777";

const REFUSED: Code = Code::FailedPrecondition;

/// Whom the visit is to.
fn host(region: &Region) -> Door {
    region.at_school(Role::Counsellor, "心理教师")
}

fn wish(region: &Region, day: NaiveDate) -> CreateVisitRequest {
    let leave = kit::clock::start_of(day) + Duration::hours(12);
    CreateVisitRequest {
        parent: organization(1),
        visit: Some(Visit {
            visitor: Some(Visitor {
                full_name: NAME.to_owned(),
                document_kind: DocumentKind::ResidentCard.into(),
                document_number: resident_id(777),
                phone: PHONE.to_owned(),
                affiliation: "榕城电梯".to_owned(),
                ..Visitor::default()
            }),
            purpose: "检修电梯".to_owned(),
            host: region.staff(&tests::town::school(1), "心理教师").to_owned(),
            companion_count: 1,
            visit_date: Some(to_date(day)),
            expected_leave_time: Some(to_timestamp(leave)),
            ..Visit::default()
        }),
        request_id: request_id(),
    }
}

/// Asked for the day before; the host and then the epidemic group agree, and nobody else can.
pub(super) async fn are_announced(region: &Region) -> String {
    let today = civil_date(region.now());
    let tomorrow = today.succ_opt().expect("a day");
    let guard = region.guard();
    let late = call!(
        VisitorServiceClient,
        guard.clone(),
        create_visit,
        wish(region, today)
    );
    expect(
        "a visit of today",
        late,
        Code::InvalidArgument,
        "INVALID_FIELD",
    );
    let elsewhere = region.city.door(Role::Guard, &school_path(2));
    let foreign = call!(
        VisitorServiceClient,
        elsewhere,
        create_visit,
        wish(region, tomorrow)
    );
    denied("another school's guard", foreign);
    let asked = call!(
        VisitorServiceClient,
        guard,
        create_visit,
        wish(region, tomorrow)
    );
    let name = asked.expect("is asked for").name;

    let confirm = |seen| once!(ConfirmVisitRequest, name, document_seen: seen);
    let other = call!(
        VisitorServiceClient,
        region.deputy(),
        confirm_visit,
        confirm(true)
    );
    expect("not the host", other, REFUSED, "VISIT_APPROVER");
    let unseen = call!(
        VisitorServiceClient,
        host(region),
        confirm_visit,
        confirm(false)
    );
    expect(
        "nobody saw a document",
        unseen,
        REFUSED,
        "VISITOR_NOT_VERIFIED",
    );
    let agreed = call!(
        VisitorServiceClient,
        host(region),
        confirm_visit,
        confirm(true)
    );
    assert_eq!(agreed.expect("agrees").state(), State::HostApproved);

    let approve = || once!(ApproveVisitRequest, name);
    let own = call!(VisitorServiceClient, host(region), approve_visit, approve());
    denied("the host is not the epidemic group", own);
    let doctor = region.city.door(Role::SchoolDoctor, &school_path(1));
    let approved = call!(VisitorServiceClient, doctor, approve_visit, approve());
    assert_eq!(approved.expect("approves").state(), State::EpidemicApproved);
    let early = pass(region, &name).await;
    expect("it is not the day yet", early, REFUSED, "VISIT_PASS");
    who_it_is_stays_hidden(region, &name).await;
    name
}

/// Asked for the day before, and both agree. Gives the visit, which has a pass on its day.
pub(crate) async fn are_expected(region: &Region) -> String {
    let tomorrow = civil_date(region.now()).succ_opt().expect("a day");
    let guard = region.guard();
    let wish = wish(region, tomorrow);
    let asked = call!(VisitorServiceClient, guard, create_visit, wish);
    let name = asked.expect("is asked for").name;
    let confirm = once!(ConfirmVisitRequest, name, document_seen: true);
    let agreed = call!(VisitorServiceClient, host(region), confirm_visit, confirm);
    agreed.expect("agrees");
    let doctor = region.city.door(Role::SchoolDoctor, &school_path(1));
    let approve = once!(ApproveVisitRequest, name);
    let approved = call!(VisitorServiceClient, doctor, approve_visit, approve);
    approved.expect("approves");
    name
}

async fn pass(region: &Region, name: &str) -> Result<VisitPass, Status> {
    let request = GetVisitPassRequest {
        name: format!("{name}/pass"),
    };
    call!(VisitorServiceClient, host(region), get_visit_pass, request)
}

/// Lists and reads mask the visitor; only who may reveals, with a reason.
async fn who_it_is_stays_hidden(region: &Region, name: &str) {
    let masked = |visit: &Visit| {
        let visitor = visit.visitor.clone().unwrap_or_default();
        visitor.full_name != NAME
            && visitor.phone != PHONE
            && visitor.document_number != resident_id(777)
    };
    let get = || GetVisitRequest {
        name: name.to_owned(),
    };
    for door in [region.guard(), region.bureau()] {
        let read = call!(VisitorServiceClient, door, get_visit, get());
        let read = read.expect("reads");
        assert!(masked(&read), "{read:?}");
    }
    denied(
        "next door",
        call!(VisitorServiceClient, region.sibling(), get_visit, get()),
    );
    let list = ListVisitsRequest {
        parent: format!("organizations/{DISTRICT}"),
        ..ListVisitsRequest::default()
    };
    let listed = call!(VisitorServiceClient, region.bureau(), list_visits, list);
    let listed = listed.expect("lists").visits;
    assert_eq!(listed.len(), 1);
    assert!(masked(&listed[0]), "{listed:?}");
    let reveal = || RevealVisitorRequest {
        name: name.to_owned(),
        reason: "核对来访登记".to_owned(),
    };
    denied(
        "a guard reveals nobody",
        call!(
            VisitorServiceClient,
            region.guard(),
            reveal_visitor,
            reveal()
        ),
    );
    let shown = call!(
        VisitorServiceClient,
        region.deputy(),
        reveal_visitor,
        reveal()
    );
    assert_eq!(shown.expect("is shown").full_name, NAME);
}

/// On the day: a live pass at the right gate, the checks of both, and out again together.
pub(super) async fn come_and_go(region: &Region, name: &str) {
    region.at(7, 9, 0);
    let code = pass(region, name).await.expect("a pass").pass_code;
    let arrive = |at: u32| ArriveVisitRequest {
        parent: organization(at),
        pass_code: code.clone(),
        request_id: request_id(),
    };
    let next_door = region.city.door(Role::Guard, &school_path(2));
    let wrong = call!(VisitorServiceClient, next_door, arrive_visit, arrive(2));
    expect("the wrong gate", wrong, REFUSED, "VISIT_PASS");
    let arrived = call!(
        VisitorServiceClient,
        region.guard(),
        arrive_visit,
        arrive(1)
    );
    assert_eq!(arrived.expect("arrives").state(), State::Arrived);

    let seen = GateObservation {
        temperature_decidegrees: Some(366),
        colour: Colour::Green.into(),
        travel_card: Some(TravelCard {
            show_date: Some(to_date(civil_date(region.now()))),
            starred: false,
            ..Default::default()
        }),
        ..GateObservation::default()
    };
    let check = CheckVisitRequest {
        name: name.to_owned(),
        observation: Some(seen.clone()),
        companion_observations: vec![seen],
        mask_worn: true,
        device: "南门".to_owned(),
        badge: "017".to_owned(),
        request_id: request_id(),
        ..CheckVisitRequest::default()
    };
    let admitted = call!(VisitorServiceClient, region.guard(), check_visit, check);
    let admitted = admitted.expect("is checked");
    assert_eq!(
        (admitted.state(), admitted.entered_companion_count),
        (State::Admitted, 1)
    );

    region.at(7, 9, 50);
    let leave = |count| once!(LeaveVisitRequest, name, companion_count: count);
    let alone = call!(VisitorServiceClient, region.guard(), leave_visit, leave(0));
    let (code, why) = (Code::InvalidArgument, "INVALID_FIELD");
    expect("one would stay inside", alone, code, why);
    let left = call!(VisitorServiceClient, region.guard(), leave_visit, leave(1));
    let left = left.expect("leaves");
    let verbs: Vec<Verb> = left.history.iter().map(|event| event.verb()).collect();
    assert_eq!(
        verbs,
        [
            Verb::Request,
            Verb::Confirm,
            Verb::Approve,
            Verb::Arrive,
            Verb::Admit,
            Verb::Leave
        ]
    );
    assert_eq!(left.state(), State::Left);
}
