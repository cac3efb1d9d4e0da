//! By which rules the first school goes beside the common ones: a plan, a policy profile, a checklist and a
//! schedule of its own.

use kit::auth::Role;
use kit::clock::civil_date;
use kit::field::to_date;
use proto::roster::policy_service_client::PolicyServiceClient;
use proto::roster::{GetPolicyProfileRequest, PolicyProfile, ProposePolicyProfileRequest};
use proto::safety::checklist_item::{Evidence, Grade, Kind as Answer};
use proto::safety::checklist_service_client::ChecklistServiceClient;
use proto::safety::inspection_plan_service_client::InspectionPlanServiceClient;
use proto::safety::inspection_schedule::Cadence;
use proto::safety::{
    ChecklistItem, ChecklistTemplate, Clause, CreateChecklistTemplateRequest,
    CreateInspectionScheduleRequest, HazardCategory, InspectionLevel, InspectionSchedule,
    PlaceKind,
};
use proto::sampling::plan_service_client::PlanServiceClient;
use proto::sampling::{CreatePlanRequest, SamplingPlan, sampling_plan};
use tests::city::Door;

use super::day::{VICTIM, at};
use crate::region::Region;
use crate::safety::people::{call, organization};
use crate::verbs::request_id;

/// The profile that ships for the day.
const SHIPPED: &str = "policyProfiles/fuzhou-2022-04-1";

/// Makes one of each, which begins tomorrow. Gives their names.
pub(super) async fn are_made(region: &Region) -> Vec<String> {
    let own = at(region, VICTIM, Role::SafetyOfficer);
    vec![
        plan(region).await,
        profile(region).await,
        checklist(own.clone()).await,
        schedule(region, own).await,
    ]
}

fn tomorrow(region: &Region) -> Option<proto::Date> {
    civil_date(region.now()).succ_opt().map(to_date)
}

/// The bureau above has everybody of the school swabbed.
async fn plan(region: &Region) -> String {
    let request = CreatePlanRequest {
        plan: Some(SamplingPlan {
            display_name: "全员检测".to_owned(),
            kind: sampling_plan::Kind::MassRound.into(),
            organization: organization(VICTIM),
            start_date: tomorrow(region),
            ..SamplingPlan::default()
        }),
        plan_id: "own".to_owned(),
        request_id: request_id(),
    };
    let planned = call!(PlanServiceClient, region.bureau(), create_plan, request);
    planned.expect("a plan is made").name
}

/// The city proposes a policy for the school.
async fn profile(region: &Region) -> String {
    let officer = region.officer("clerk");
    let shipped = GetPolicyProfileRequest {
        name: SHIPPED.to_owned(),
    };
    let shipped = call!(
        PolicyServiceClient,
        officer.clone(),
        get_policy_profile,
        shipped
    );
    let request = ProposePolicyProfileRequest {
        policy_profile: Some(PolicyProfile {
            profile: "own".to_owned(),
            organization: organization(VICTIM),
            effective_date: tomorrow(region),
            ..shipped.expect("it is shipped")
        }),
        request_id: request_id(),
    };
    let proposed = call!(
        PolicyServiceClient,
        officer,
        propose_policy_profile,
        request
    );
    proposed.expect("is proposed").name
}

async fn checklist(own: Door) -> String {
    let item = ChecklistItem {
        code: "tank".to_owned(),
        text: "楼顶水箱加盖上锁".to_owned(),
        kind: Answer::YesNo.into(),
        evidence: Evidence::Observation.into(),
        mandatory: true,
        clause: Some(Clause {
            law: "学校卫生工作条例".to_owned(),
            article: "第七条".to_owned(),
            effective_date: Some(proto::Date {
                year: 1990,
                month: 6,
                day: 4,
            }),
        }),
        hazard_category: HazardCategory::Utilities.into(),
        grade: Grade::General.into(),
        weight: 3,
        ..ChecklistItem::default()
    };
    let request = CreateChecklistTemplateRequest {
        parent: organization(VICTIM),
        checklist_template: Some(ChecklistTemplate {
            code: "roof".to_owned(),
            display_name: "屋顶检查".to_owned(),
            place_kinds: vec![PlaceKind::School.into()],
            hazard_category: HazardCategory::Building.into(),
            items: vec![item],
            ..ChecklistTemplate::default()
        }),
        request_id: request_id(),
    };
    let drafted = call!(
        ChecklistServiceClient,
        own,
        create_checklist_template,
        request
    );
    drafted.expect("is drafted").name
}

async fn schedule(region: &Region, own: Door) -> String {
    let request = CreateInspectionScheduleRequest {
        parent: organization(VICTIM),
        inspection_schedule: Some(InspectionSchedule {
            display_name: "每日消防巡查".to_owned(),
            checklist_template: "checklistTemplates/fire~1".to_owned(),
            place_kind: PlaceKind::School.into(),
            level: InspectionLevel::School.into(),
            cadence: Cadence::SchoolDay.into(),
            start_date: tomorrow(region),
            ..InspectionSchedule::default()
        }),
        request_id: request_id(),
    };
    let entered = call!(
        InspectionPlanServiceClient,
        own,
        create_inspection_schedule,
        request
    );
    entered.expect("is entered").name
}
