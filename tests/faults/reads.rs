//! Everything that is kept, read page by page.

use kit::auth::Role;
use proto::notification::directive_service_client::DirectiveServiceClient;
use proto::notification::{Directive, ListDirectivesRequest};
use proto::roster::import_service_client::ImportServiceClient;
use proto::roster::{ImportJob, ListImportJobsRequest};
use proto::safety::gate_service_client::GateServiceClient;
use proto::safety::{GateDecision, ListGateDecisionsRequest};
use proto::sampling::draw_service_client::DrawServiceClient;
use proto::sampling::hold_service_client::HoldServiceClient;
use proto::sampling::plan_service_client::PlanServiceClient;
use proto::sampling::tube_service_client::TubeServiceClient;
use proto::sampling::{
    Draw, Hold, ListDrawsRequest, ListHoldsRequest, ListPlansRequest, ListTubesRequest,
    SamplingPlan, Tube,
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
    let place = format!("{CITY}/{DISTRICT}");
    let client = DirectiveServiceClient::new(city.door(Role::DistrictOfficer, &place));
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
