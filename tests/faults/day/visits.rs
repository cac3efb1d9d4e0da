//! A visitor of the day: announced by a guard, confirmed by the host, approved by the school doctor, let in with a pass,
//! and out again.

use chrono::{Days, TimeDelta};
use kit::auth::{Caller, Role};
use kit::clock::{Clock, SystemClock, civil_date, start_of};
use kit::field::{to_date, to_timestamp};
use proto::safety::visit::State;
use proto::safety::visit_event::Verb;
use proto::safety::visitor::DocumentKind;
use proto::safety::visitor_service_client::VisitorServiceClient;
use proto::safety::{
    ApproveVisitRequest, ArriveVisitRequest, CheckVisitRequest, ConfirmVisitRequest,
    CreateVisitRequest, GetVisitPassRequest, LeaveVisitRequest, Visit, Visitor,
};
use tests::city::{City, Door, caller};
use tests::town::{resident_id, school_path};
use tests::verbs::check_entry;

use super::{Office, Trail, begun, last, organization};
use crate::campaign::Campaign;
use crate::judge::same;
use crate::reads;

const CREATE: &str = "campus.safety.v1.VisitorService/CreateVisit";
const CONFIRM: &str = "campus.safety.v1.VisitorService/ConfirmVisit";
const APPROVE: &str = "campus.safety.v1.VisitorService/ApproveVisit";
const ARRIVE: &str = "campus.safety.v1.VisitorService/ArriveVisit";
const CHECK: &str = "campus.safety.v1.VisitorService/CheckVisit";
const LEAVE: &str = "campus.safety.v1.VisitorService/LeaveVisit";

/// Nobody comes so soon before midnight: a visit is of one day.
const LATE: TimeDelta = TimeDelta::minutes(10);

/// Somebody of the school, before the service.
fn client(office: &Office<'_>, role: Role) -> VisitorServiceClient<Door> {
    VisitorServiceClient::new(office.city.door(role, &school_path(office.at)))
}

/// Whom the visit is to, before the service.
fn host(office: &Office<'_>) -> VisitorServiceClient<Door> {
    let person = office.city.staff(office.at, "校长").to_owned();
    VisitorServiceClient::new(office.city.door_of(Caller {
        person: Some(person),
        ..caller(Role::Principal, &school_path(office.at))
    }))
}

/// Somebody who cannot wait until tomorrow; none shortly before midnight.
fn wish(office: &Office<'_>, number: u32) -> Option<CreateVisitRequest> {
    let now = SystemClock.now();
    let today = civil_date(now);
    let midnight = start_of(today + Days::new(1));
    let visit = Visit {
        visitor: Some(Visitor {
            full_name: "林来访".to_owned(),
            document_kind: DocumentKind::ResidentCard.into(),
            document_number: resident_id(number % 900),
            phone: "19900000777".to_owned(),
            affiliation: "榕城电梯".to_owned(),
            ..Visitor::default()
        }),
        purpose: "检修电梯".to_owned(),
        host: office.city.staff(office.at, "校长").to_owned(),
        visit_date: Some(to_date(today)),
        expected_leave_time: Some(to_timestamp(midnight - TimeDelta::seconds(1))),
        urgent: true,
        ..Visit::default()
    };
    (midnight - now > LATE).then(|| CreateVisitRequest {
        parent: organization(office.at),
        visit: Some(visit),
        ..CreateVisitRequest::default()
    })
}

/// Notes a step of the visit of the day.
fn note(office: &mut Office<'_>, verb: Verb) {
    let trail = last(&mut office.days.visits);
    trail.steps.push(verb.as_str_name().to_owned());
}

/// Asked for, and both agree.
pub(super) async fn is_announced(office: &mut Office<'_>, number: u32) {
    let Some(wish) = wish(office, number) else {
        office.visited = false;
        return;
    };
    let guard = client(office, Role::Guard);
    let asked = office.act(CREATE, |request_id| {
        let (mut client, base) = (guard.clone(), wish.clone());
        let request = CreateVisitRequest { request_id, ..base };
        async move { Ok(client.create_visit(request).await?.into_inner()) }
    });
    let name = asked.await.name;
    let first = Verb::Request.as_str_name().to_owned();
    office.days.visits.push(begun(name.clone(), first));

    let host = host(office);
    let confirmed = office.act(CONFIRM, |request_id| {
        let (mut client, name) = (host.clone(), name.clone());
        let request = ConfirmVisitRequest {
            name,
            document_seen: true,
            request_id,
        };
        async move { Ok(client.confirm_visit(request).await?.into_inner()) }
    });
    confirmed.await;
    note(office, Verb::Confirm);

    let doctor = client(office, Role::SchoolDoctor);
    let approved = office.act(APPROVE, |request_id| {
        let (mut client, name) = (doctor.clone(), name.clone());
        let request = ApproveVisitRequest { name, request_id };
        async move { Ok(client.approve_visit(request).await?.into_inner()) }
    });
    approved.await;
    note(office, Verb::Approve);
    office.visited = true;
}

/// Shows a live pass and is checked. Whom the checks do not let in does not leave either.
pub(super) async fn comes(office: &mut Office<'_>) {
    if !office.visited {
        return;
    }
    let name = last(&mut office.days.visits).name.clone();
    let (host, parent) = (host(office), organization(office.at));
    let pass = office.campaign.read("safety-inspection", "a pass", || {
        let (mut client, name) = (host.clone(), format!("{name}/pass"));
        async move { client.get_visit_pass(GetVisitPassRequest { name }).await }
    });
    let pass_code = pass.await.into_inner().pass_code;
    let guard = client(office, Role::Guard);
    let arrived = office.act(ARRIVE, |request_id| {
        let (mut client, parent) = (guard.clone(), parent.clone());
        let request = ArriveVisitRequest {
            parent,
            pass_code: pass_code.clone(),
            request_id,
        };
        async move { Ok(client.arrive_visit(request).await?.into_inner()) }
    });
    arrived.await;
    note(office, Verb::Arrive);

    let seen = check_entry(office.at, "", "").observation;
    let checked = office.act(CHECK, |request_id| {
        let (mut client, name) = (guard.clone(), name.clone());
        let request = CheckVisitRequest {
            name,
            observation: seen.clone(),
            mask_worn: true,
            device: "南门".to_owned(),
            request_id,
            ..CheckVisitRequest::default()
        };
        async move { Ok(client.check_visit(request).await?.into_inner()) }
    });
    let state = checked.await.state();
    office.visited = state == State::Admitted;
    let verb = match state {
        State::Admitted => Verb::Admit,
        State::Denied => Verb::Deny,
        _ => Verb::Observe,
    };
    note(office, verb);
}

/// Whoever was let in is out again.
pub(super) async fn leaves(office: &mut Office<'_>) {
    if !office.visited {
        return;
    }
    let name = last(&mut office.days.visits).name.clone();
    let guard = client(office, Role::Guard);
    let left = office.act(LEAVE, |request_id| {
        let (mut client, name) = (guard.clone(), name.clone());
        let request = LeaveVisitRequest {
            name,
            companion_count: 0,
            request_id,
        };
        async move { Ok(client.leave_visit(request).await?.into_inner()) }
    });
    left.await;
    note(office, Verb::Leave);
}

/// Each visit is there once, and each of its steps once, in their order.
pub(super) async fn are_kept(campaign: &Campaign, city: &City, told: &[Trail]) {
    let listed = campaign.read("safety-inspection", "visits", || reads::visits(city));
    let mut kept = Vec::new();
    for Visit { name, .. } in listed.await {
        let read = campaign.read("safety-inspection", "a visit", || reads::visit(city, &name));
        let history = read.await.history.into_iter();
        let steps = history.map(|event| event.verb().as_str_name().to_owned());
        let steps = steps.collect();
        kept.push(Trail { name, steps });
    }
    same("visits", kept, told.to_vec(), |one| one.name.clone());
}
