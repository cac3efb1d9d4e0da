//! Each wing of the service: its use cases and workers, and the gRPC services that it adds.

use kit::drain::Drain;
use kit::feed::{Feed, spawn_sequencer};
use kit::server::Latch;
use kit::subject::{HeldDataGrpc, Requests};
use kit::teaching::Teaching;
use proto::safety::accountability_service_server::AccountabilityServiceServer;
use proto::safety::checklist_service_server::ChecklistServiceServer;
use proto::safety::drill_service_server::DrillServiceServer;
use proto::safety::duty_service_server::DutyServiceServer;
use proto::safety::hazard_service_server::HazardServiceServer;
use proto::safety::incident_service_server::IncidentServiceServer;
use proto::safety::inspection_plan_service_server::InspectionPlanServiceServer;
use proto::safety::inspection_service_server::InspectionServiceServer;
use proto::safety::protection_service_server::ProtectionServiceServer;
use proto::safety::resumption_service_server::ResumptionServiceServer;
use proto::safety::safety_feed_server::SafetyFeedServer;
use proto::safety::safety_figures_service_server::SafetyFiguresServiceServer;
use proto::safety::shelter_service_server::ShelterServiceServer;
use proto::safety::supply_service_server::SupplyServiceServer;
use proto::safety::visitor_service_server::VisitorServiceServer;
use proto::safety::weather_service_server::WeatherServiceServer;
use proto::subject::held_data_service_server::HeldDataServiceServer;
use tonic::service::Routes;

use crate::app::Base;
use crate::app::announcing::Announcing;
use crate::app::drills::Drills;
use crate::app::duty::{Duty, Templates};
use crate::app::figures::FiguresDesk;
use crate::app::hazards::{Hazards, Watch};
use crate::app::held::Watched;
use crate::app::incidents::Incidents;
use crate::app::inspections::Inspections;
use crate::app::looking::look;
use crate::app::overdue;
use crate::app::protection::Protection;
use crate::app::refuges::Refuges;
use crate::app::resumption::Resumptions;
use crate::app::supplies::Supplies;
use crate::app::timers::timer;
use crate::app::visitors::{Keeper, Visitors};
use crate::app::weather::{Weather, shipped as actions};
use crate::domain::checklist::shipped;
use crate::domain::incident::harm::Tables;
use crate::domain::supply::item::Catalogue;
use crate::grpc;
use crate::grpc::announced::FEED;
use crate::start::StartError;

/// What is held about a person, as the `requests` at the roster allow.
pub(crate) fn held(routes: Routes, base: &Base, requests: Requests) -> Routes {
    let held = HeldDataGrpc::new(Watched(base.store.clone()), requests);
    routes.add_service(HeldDataServiceServer::new(held))
}

/// Hazards and who was told of them.
pub(crate) fn hazards(routes: Routes, base: &Base, drain: &Drain) -> Result<Routes, StartError> {
    let hazards = Hazards::new(base.clone());
    let service = grpc::HazardGrpc::new(hazards.clone())
        .map_err(|err| StartError::Config(format!("hazard-major-rules: {err}")))?;
    Watch::start(base.clone(), drain.clone());
    let accountability = AccountabilityServiceServer::new(grpc::AccountabilityGrpc::new(hazards));
    Ok(routes
        .add_service(HazardServiceServer::new(service))
        .add_service(accountability))
}

/// Checklists, plans of inspections, and inspections.
pub(crate) async fn inspections(routes: Routes, base: &Base) -> Result<Routes, StartError> {
    let inspections = Inspections::new(base.clone());
    let lists = shipped::checklists().map_err(StartError::Config)?;
    let schedules = shipped::schedules().map_err(StartError::Config)?;
    inspections.ship(lists, &schedules).await?;
    let checklists = ChecklistServiceServer::new(grpc::Checklists::new(inspections.clone()));
    let plans = grpc::InspectionPlanGrpc::new(inspections.clone());
    let plans = InspectionPlanServiceServer::new(plans);
    let inspections = InspectionServiceServer::new(grpc::InspectionGrpc::new(inspections));
    Ok(routes
        .add_service(checklists)
        .add_service(inspections)
        .add_service(plans))
}

/// Drills and what is owed of them.
pub(crate) fn drills(routes: Routes, base: &Base) -> Routes {
    let drills = DrillServiceServer::new(grpc::DrillGrpc::new(Drills::new(base.clone())));
    routes.add_service(drills)
}

/// Duty rosters and shifts.
pub(crate) fn duty(routes: Routes, base: &Base, templates: Templates, drain: &Drain) -> Routes {
    let duty = Duty::new(base.clone(), templates);
    tokio::spawn(duty.clone().watch(drain.clone()));
    let duty = DutyServiceServer::new(grpc::DutyGrpc::new(duty));
    routes.add_service(duty)
}

/// Visitors from their request to their leaving.
pub(crate) fn visitors(routes: Routes, visitors: Visitors, drain: &Drain) -> Routes {
    Keeper::start(visitors.clone(), drain.clone());
    let visitors = VisitorServiceServer::new(grpc::Visiting::new(visitors));
    routes.add_service(visitors)
}

/// Warnings of the weather, what is done by them, and suspensions of teaching.
pub(crate) fn weather(
    routes: Routes,
    base: &Base,
    teaching: Teaching,
    drain: &Drain,
) -> Result<Routes, StartError> {
    let catalogue = actions().map_err(|err| StartError::Config(format!("weather: {err}")))?;
    let weather = Weather::new(base.clone(), teaching, catalogue);
    tokio::spawn(look(weather.clone(), timer(base, "weather"), drain.clone()));
    let weather = WeatherServiceServer::new(grpc::WeatherGrpc::new(weather));
    Ok(routes.add_service(weather))
}

/// Incidents, from their detection to their review.
pub(crate) fn incidents(routes: Routes, base: &Base) -> Result<Routes, StartError> {
    let levels = Tables::shipped()
        .map_err(|err| StartError::Config(format!("data/incident_levels.toml: {err}")))?;
    let incidents = Incidents::new(base.clone(), levels);
    let incidents = IncidentServiceServer::new(grpc::Incident::new(incidents));
    Ok(routes.add_service(incidents))
}

/// How campuses are protected, their supplies, their shelters and isolation rooms.
pub(crate) fn protection(routes: Routes, base: &Base) -> Result<Routes, StartError> {
    Catalogue::check().map_err(StartError::Config)?;
    let protection = grpc::ProtectionGrpc::new(Protection::new(base.clone()));
    let protection = ProtectionServiceServer::new(protection);
    let supply = SupplyServiceServer::new(grpc::SupplyGrpc::new(Supplies::new(base.clone())));
    let shelter = ShelterServiceServer::new(grpc::ShelterGrpc::new(Refuges::new(base.clone())));
    Ok(routes
        .add_service(protection)
        .add_service(supply)
        .add_service(shelter))
}

/// Resumption of teaching, from the self-check to the days after it.
pub(crate) fn resumption(routes: Routes, base: &Base, teaching: Teaching, drain: &Drain) -> Routes {
    let resumptions = Resumptions::new(base.clone(), teaching);
    tokio::spawn(look(
        resumptions.clone(),
        timer(base, "resumption"),
        drain.clone(),
    ));
    let service = ResumptionServiceServer::new(grpc::ResumptionGrpc::new(resumptions));
    routes.add_service(service)
}

/// The feed, and the figures of bureaus; the latch is let go once everything that stands is told.
pub(crate) fn feed(
    routes: Routes,
    base: &Base,
    templates: Templates,
    latch: Latch,
    drain: &Drain,
) -> Routes {
    let db = base.store.database();
    spawn_sequencer(db.clone(), drain.clone());
    Announcing::start(base.clone(), templates, latch, drain.clone());
    let feed = Feed::new(db.clone(), FEED, drain.clone());
    let feed = SafetyFeedServer::new(grpc::FeedGrpc::new(feed));
    tokio::spawn(overdue::tell(base.clone(), drain.clone()));
    let figures = FiguresDesk::start(base.clone(), drain.clone());
    let figures = SafetyFiguresServiceServer::new(grpc::FiguresGrpc(figures));
    routes.add_service(feed).add_service(figures)
}
