//! Clients that write, and keep what was acknowledged.

use std::fmt;
use std::sync::Arc;

use kit::auth::Role;
use proto::notification::directive::Urgency;
use proto::notification::directive_service_client::DirectiveServiceClient;
use proto::notification::{Audience, Directive, DraftDirectiveRequest};
use proto::roster::ImportJob;
use proto::safety::GateDecision;
use proto::safety::gate_service_client::GateServiceClient;
use proto::sampling::draw_service_client::DrawServiceClient;
use proto::sampling::plan_service_client::PlanServiceClient;
use proto::sampling::{Draw, ReplaceAssignmentRequest, Replacement, ResultValue, SamplingPlan};
use tests::city::City;
use tests::town::{CITY, DISTRICT, school, school_path};
use tests::verbs::{check_entry, create_plan, draw_city, request_id};

use super::campaign::Campaign;
use super::day::{DRAFT, Days};
use super::reads::{assigned, draws};

/// What one client had acknowledged.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) plans: Vec<SamplingPlan>,
    pub(super) draws: Vec<Draw>,
    pub(super) replacements: Vec<Replacement>,
    pub(super) decisions: Vec<GateDecision>,
    pub(super) directives: Vec<Directive>,
    pub(super) imports: Vec<ImportJob>,
    /// What the students of these imports are called.
    pub(super) students: Vec<String>,
    pub(super) tubes: Vec<Answered>,
    pub(super) days: Days,
}

/// A tube that went all its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) code: String,
    pub(super) person: String,
    pub(super) value: ResultValue,
}

impl Record {
    pub(super) fn add(&mut self, other: Self) {
        self.plans.extend(other.plans);
        self.draws.extend(other.draws);
        self.replacements.extend(other.replacements);
        self.decisions.extend(other.decisions);
        self.directives.extend(other.directives);
        self.imports.extend(other.imports);
        self.students.extend(other.students);
        self.tubes.extend(other.tubes);
        self.days.add(other.days);
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "acknowledged {} imports of {} students, {} plans, {} draws, {} replacements, {} tubes with \
             results, {} gate decisions, {} directives, {}",
            self.imports.len(),
            self.students.len(),
            self.plans.len(),
            self.draws.len(),
            self.replacements.len(),
            self.tubes.len(),
            self.decisions.len(),
            self.directives.len(),
            self.days,
        )
    }
}

/// Makes plans, draws them, and replaces somebody in each draw of the first school.
pub(super) async fn planner(campaign: Campaign, city: Arc<City>) -> Record {
    let door = city.door(Role::CityOfficer, CITY);
    let mut record = Record::default();
    for number in 0.. {
        if campaign.is_over() {
            break;
        }
        let id = format!("plan-{number}");
        let request = create_plan(&id, &request_id());
        let plan = campaign.insist_twice("sampling", number, || {
            let (mut plans, request) = (PlanServiceClient::new(door.clone()), request.clone());
            async move { Ok(plans.create_plan(request).await?.into_inner()) }
        });
        record.plans.push(plan.await);
        let draw = || draw_city(door.clone(), &id);
        campaign.insist("sampling", "a draw", draw).await;
        let draws = campaign
            .read("sampling", "the draws", || draws(&city, &id))
            .await;
        assert_eq!(
            draws.len(),
            city.town.schools as usize,
            "a finished draw has every school"
        );
        let name = draws[0].name.clone();
        record.draws.extend(draws);

        let absent = campaign
            .read("sampling", "assignments", || assigned(&city, &name))
            .await;
        let request = ReplaceAssignmentRequest {
            draw: name.clone(),
            absent,
            request_id: request_id(),
        };
        let replaced = campaign.insist_twice("sampling", number, || {
            let (mut draws, request) = (DrawServiceClient::new(door.clone()), request.clone());
            async move { Ok(draws.replace_assignment(request).await?.into_inner()) }
        });
        record.replacements.push(replaced.await);
    }
    record
}

/// Lets people in at the gate of a school.
pub(super) async fn guard(campaign: Campaign, city: Arc<City>, at: u32, place: u32) -> Record {
    let door = city.door(Role::Guard, &school_path(at));
    let mut record = Record::default();
    for number in 0.. {
        if campaign.is_over() {
            break;
        }
        let request = check_entry(at, city.student(at, 1, place), &request_id());
        let decision = campaign.insist_twice("safety-inspection", number, || {
            let (mut gate, request) = (GateServiceClient::new(door.clone()), request.clone());
            async move { Ok(gate.check_entry(request).await?.into_inner()) }
        });
        record.decisions.push(decision.await);
    }
    record
}

/// Drafts directives.
pub(super) async fn writer(campaign: Campaign, city: Arc<City>) -> Record {
    let door = city.door(Role::DistrictOfficer, &format!("{CITY}/{DISTRICT}"));
    let mut record = Record::default();
    for number in 0.. {
        if campaign.is_over() {
            break;
        }
        let request = DraftDirectiveRequest {
            parent: format!("organizations/{DISTRICT}"),
            urgency: Urgency::Urgent.into(),
            title: format!("通知 {number}"),
            text: "请各校落实晨午晚检。".to_owned(),
            audience: Some(Audience {
                organizations: vec![format!("organizations/{}", school(1))],
                ..Audience::default()
            }),
            request_id: request_id(),
            ..DraftDirectiveRequest::default()
        };
        let directive = campaign.insist_twice("notification", number, || {
            let (mut client, request) =
                (DirectiveServiceClient::new(door.clone()), request.clone());
            async move { Ok(client.draft_directive(request).await?.into_inner()) }
        });
        record.directives.push(directive.await);
        record.days.note(DRAFT, request.request_id);
    }
    record
}
