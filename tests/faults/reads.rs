//! Everything that is kept, read page by page.

use kit::auth::Role;
use proto::notification::directive_service_client::DirectiveServiceClient;
use proto::notification::{
    Directive, DirectiveRecipient, ListDirectivesRequest, ListRecipientsRequest,
};
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::class_group_service_client::ClassGroupServiceClient;
use proto::roster::import_service_client::ImportServiceClient;
use proto::roster::{GetClassGroupRequest, ImportJob, ListImportJobsRequest};
use proto::safety::gate_service_client::GateServiceClient;
use proto::safety::hazard_service_client::HazardServiceClient;
use proto::safety::visitor_service_client::VisitorServiceClient;
use proto::safety::{
    GateDecision, GetVisitRequest, Hazard, HazardChange, ListGateDecisionsRequest,
    ListHazardChangesRequest, ListHazardsRequest, ListVisitsRequest, Visit,
};
use proto::sampling::absence_service_client::AbsenceServiceClient;
use proto::sampling::draw_service_client::DrawServiceClient;
use proto::sampling::hold_service_client::HoldServiceClient;
use proto::sampling::plan_service_client::PlanServiceClient;
use proto::sampling::suspension_service_client::SuspensionServiceClient;
use proto::sampling::tube_service_client::TubeServiceClient;
use proto::sampling::{
    Absence, Draw, Hold, ListAbsencesRequest, ListDrawsRequest, ListHoldsRequest, ListPlansRequest,
    ListSuspensionsRequest, ListTracesRequest, ListTubesRequest, SamplingPlan, Suspension, Trace,
    Tube, absence,
};
use tests::city::{City, Door};
use tests::every;
use tests::town::{CITY, DISTRICT, school, school_path};
use tests::verbs::assignments;
use tonic::Status;

/// Small pages, so that each reading has several.
const PAGE: i32 = 50;

fn officer(city: &City) -> Door {
    city.door(Role::CityOfficer, CITY)
}

fn bureau(city: &City) -> Door {
    city.door(Role::DistrictOfficer, &format!("{CITY}/{DISTRICT}"))
}

/// Reads every page of a list: client, method, request, and the field with the items.
macro_rules! all {
    ($client:expr, $method:ident, $request:expr, $items:ident) => {{
        let (client, base) = ($client, $request);
        every(|page_token| {
            let (mut client, mut request) = (client.clone(), base.clone());
            (request.page_size, request.page_token) = (PAGE, page_token);
            async move {
                let page = client.$method(request).await?.into_inner();
                Ok((page.$items, page.next_page_token))
            }
        })
        .await
    }};
}

pub(super) async fn plans(city: &City) -> Result<Vec<SamplingPlan>, Status> {
    let client = PlanServiceClient::new(officer(city));
    all!(client, list_plans, ListPlansRequest::default(), plans)
}

pub(super) async fn draws(city: &City, plan: &str) -> Result<Vec<Draw>, Status> {
    let client = DrawServiceClient::new(officer(city));
    let request = ListDrawsRequest {
        organization: format!("organizations/{CITY}"),
        plan: format!("plans/{plan}"),
        ..ListDrawsRequest::default()
    };
    all!(client, list_draws, request, draws)
}

/// Somebody whom a draw calls.
pub(super) async fn assigned(city: &City, draw: &str) -> Result<String, Status> {
    let called = assignments(officer(city), draw).await?;
    let first = called.into_iter().next();
    Ok(first.expect("a draw calls somebody").person)
}

pub(super) async fn decided(city: &City, at: u32) -> Result<Vec<GateDecision>, Status> {
    let client = GateServiceClient::new(city.door(Role::Guard, &school_path(at)));
    let request = ListGateDecisionsRequest {
        parent: format!("organizations/{}", school(at)),
        ..ListGateDecisionsRequest::default()
    };
    all!(client, list_gate_decisions, request, gate_decisions)
}

pub(super) async fn drafted(city: &City) -> Result<Vec<Directive>, Status> {
    let client = DirectiveServiceClient::new(bureau(city));
    let request = ListDirectivesRequest {
        parent: format!("organizations/{DISTRICT}"),
        ..ListDirectivesRequest::default()
    };
    all!(client, list_directives, request, directives)
}

pub(super) async fn imports(city: &City) -> Result<Vec<ImportJob>, Status> {
    let client = ImportServiceClient::new(officer(city));
    let request = ListImportJobsRequest::default();
    all!(client, list_import_jobs, request, import_jobs)
}

pub(super) async fn tubes(city: &City) -> Result<Vec<Tube>, Status> {
    let client = TubeServiceClient::new(officer(city));
    let request = ListTubesRequest {
        organization: format!("organizations/{CITY}"),
        ..ListTubesRequest::default()
    };
    all!(client, list_tubes, request, tubes)
}

pub(super) async fn holds(city: &City) -> Result<Vec<Hold>, Status> {
    let client = HoldServiceClient::new(officer(city));
    let request = ListHoldsRequest {
        organization: format!("organizations/{CITY}"),
        ..ListHoldsRequest::default()
    };
    all!(client, list_holds, request, holds)
}

/// The directives that the city wrote.
pub(super) async fn orders(city: &City) -> Result<Vec<Directive>, Status> {
    let client = DirectiveServiceClient::new(officer(city));
    let request = ListDirectivesRequest {
        parent: format!("organizations/{CITY}"),
        ..ListDirectivesRequest::default()
    };
    all!(client, list_directives, request, directives)
}

pub(super) async fn recipients(
    city: &City,
    directive: &str,
) -> Result<Vec<DirectiveRecipient>, Status> {
    let client = DirectiveServiceClient::new(officer(city));
    let request = ListRecipientsRequest {
        parent: directive.to_owned(),
        ..ListRecipientsRequest::default()
    };
    all!(client, list_recipients, request, recipients)
}

pub(super) async fn hazards(city: &City) -> Result<Vec<Hazard>, Status> {
    let client = HazardServiceClient::new(bureau(city));
    let request = ListHazardsRequest {
        parent: format!("organizations/{DISTRICT}"),
        ..ListHazardsRequest::default()
    };
    all!(client, list_hazards, request, hazards)
}

/// What was done to a hazard, the first first.
pub(super) async fn hazard_changes(city: &City, hazard: &str) -> Result<Vec<HazardChange>, Status> {
    let client = HazardServiceClient::new(bureau(city));
    let request = ListHazardChangesRequest {
        parent: hazard.to_owned(),
        ..ListHazardChangesRequest::default()
    };
    all!(client, list_hazard_changes, request, changes)
}

/// Visits, without what happened on each.
pub(super) async fn visits(city: &City) -> Result<Vec<Visit>, Status> {
    let client = VisitorServiceClient::new(bureau(city));
    let request = ListVisitsRequest {
        parent: format!("organizations/{DISTRICT}"),
        ..ListVisitsRequest::default()
    };
    all!(client, list_visits, request, visits)
}

pub(super) async fn visit(city: &City, name: &str) -> Result<Visit, Status> {
    let name = name.to_owned();
    let mut client = VisitorServiceClient::new(bureau(city));
    let visit = client.get_visit(GetVisitRequest { name }).await?;
    Ok(visit.into_inner())
}

/// Whoever follows absences at a school, before the service.
fn reporter(city: &City, at: u32) -> AbsenceServiceClient<Door> {
    AbsenceServiceClient::new(city.door(Role::EpidemicReporter, &school_path(at)))
}

pub(super) async fn absences(
    city: &City,
    at: u32,
    state: absence::State,
) -> Result<Vec<Absence>, Status> {
    let client = reporter(city, at);
    let request = ListAbsencesRequest {
        scope: format!("organizations/{}", school(at)),
        state: state.into(),
        ..ListAbsencesRequest::default()
    };
    all!(client, list_absences, request, absences)
}

/// The attempts to reach somebody about an absence at a school.
pub(super) async fn traces(city: &City, at: u32, absence: &str) -> Result<Vec<Trace>, Status> {
    let client = reporter(city, at);
    let request = ListTracesRequest {
        absence: absence.to_owned(),
        ..ListTracesRequest::default()
    };
    all!(client, list_traces, request, traces)
}

pub(super) async fn suspensions(city: &City) -> Result<Vec<Suspension>, Status> {
    let client = SuspensionServiceClient::new(bureau(city));
    let request = ListSuspensionsRequest {
        organization: format!("organizations/{DISTRICT}"),
        ..ListSuspensionsRequest::default()
    };
    all!(client, list_suspensions, request, suspensions)
}

/// How a class group is taught by the register.
pub(super) async fn teaching_mode(city: &City, class_group: &str) -> Result<TeachingMode, Status> {
    let request = GetClassGroupRequest {
        name: class_group.to_owned(),
    };
    let mut client = ClassGroupServiceClient::new(officer(city));
    let read = client.get_class_group(request).await?;
    Ok(read.into_inner().teaching_mode())
}
