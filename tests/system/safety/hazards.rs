//! Hazards from being found until they are closed: a general one within the school, a major one with the
//! bureau (rules 5.3 to 5.9).

use chrono::Days;
use kit::auth::Role;
use kit::clock::civil_date;
use kit::field::to_date;
use proto::safety::accountability_record::Act;
use proto::safety::accountability_service_client::AccountabilityServiceClient;
use proto::safety::hazard::{Grade, Source, State};
use proto::safety::hazard_control::Measure;
use proto::safety::hazard_service_client::HazardServiceClient;
use proto::safety::{
    AssignHazardRequest, ControlHazardRequest, GetHazardRequest, Hazard, HazardControl,
    HazardFixes, HazardProgressReport, HazardSubmission, ListAccountabilityRecordsRequest,
    ListHazardChangesRequest, ListHazardsRequest, SubmitHazardRequest, VerifyHazardRequest,
};
use tests::city::Door;
use tests::town::{DISTRICT, school, school_path};
use tonic::{Code, Status};

use super::people::{call, once, organization};
use crate::region::Region;
use crate::verbs::{denied, expect, request_id};

const REFUSED: Code = Code::FailedPrecondition;

async fn get(door: Door, name: &str) -> Result<Hazard, Status> {
    let request = GetHazardRequest {
        name: name.to_owned(),
    };
    call!(HazardServiceClient, door, get_hazard, request)
}

fn verify(name: &str) -> VerifyHazardRequest {
    VerifyHazardRequest {
        name: name.to_owned(),
        grade: Grade::General.into(),
        request_id: request_id(),
        ..VerifyHazardRequest::default()
    }
}

/// The five fixes, due in some days; the owner is whoever answers.
fn assign(region: &Region, name: &str, days: u64) -> AssignHazardRequest {
    let fixes = HazardFixes {
        owner: String::new(),
        measures: "更换并复检".to_owned(),
        budget_fen: Some(120_000),
        due_date: Some(to_date(civil_date(region.now()) + Days::new(days))),
        contingency_plan: "整改期间专人引导疏散".to_owned(),
    };
    once!(AssignHazardRequest, name, fixes: Some(fixes))
}

fn submit(region: &Region, name: &str, picture: u8) -> SubmitHazardRequest {
    let submission = HazardSubmission {
        statement: "已整改".to_owned(),
        photos: vec![region.photo(picture)],
        ..HazardSubmission::default()
    };
    once!(SubmitHazardRequest, name, submission: Some(submission))
}

/// Whom the service told of a hazard, and what, the first first.
async fn told(region: &Region, hazard: &str) -> Vec<(Act, String)> {
    let request = ListAccountabilityRecordsRequest {
        parent: organization(1),
        hazard: hazard.to_owned(),
        ..ListAccountabilityRecordsRequest::default()
    };
    let listed = call!(
        AccountabilityServiceClient,
        region.bureau(),
        list_accountability_records,
        request
    );
    let records = listed.expect("listed").accountability_records;
    let records = records.into_iter().rev();
    records
        .map(|record| (record.act(), record.staff_member))
        .collect()
}

/// The door that does not open: its owner removes it, another person of the school closes it.
pub(super) async fn is_removed_and_reviewed_by_another(region: &Region, name: &str) {
    let deputy = region.staff(&school(1), "安全副校长").to_owned();
    let found = get(region.guard(), name).await.expect("a hazard");
    assert_eq!(
        (found.state(), found.source()),
        (State::Reported, Source::Inspection)
    );
    assert!(found.origin.starts_with(&organization(1)), "{found:?}");
    denied("next door", get(region.sibling(), name).await);

    region.at(6, 9, 30);
    let verified = call!(
        HazardServiceClient,
        region.deputy(),
        verify_hazard,
        verify(name)
    );
    assert_eq!(verified.expect("is verified").grade(), Grade::General);
    let guard = call!(
        HazardServiceClient,
        region.guard(),
        assign_hazard,
        assign(region, name, 5)
    );
    denied("a guard assigns nothing", guard);
    let assigned = call!(
        HazardServiceClient,
        region.head(),
        assign_hazard,
        assign(region, name, 5)
    );
    let fixes = assigned.expect("is assigned").fixes.unwrap_or_default();
    assert_eq!(fixes.owner, deputy, "whoever answers for it");
    let begin = once!(RectifyHazardRequest, name);
    call!(HazardServiceClient, region.deputy(), rectify_hazard, begin).expect("begins");

    region.at(6, 11, 0);
    let done = submit(region, name, 200);
    call!(HazardServiceClient, region.deputy(), submit_hazard, done).expect("is submitted");
    let review = || once!(ReviewHazardRequest, name);
    let own = call!(
        HazardServiceClient,
        region.deputy(),
        review_hazard,
        review()
    );
    expect("one's own work", own, REFUSED, "HAZARD_SAME_PERSON");
    call!(HazardServiceClient, region.head(), review_hazard, review()).expect("is reviewed");
    let close = once!(CloseHazardRequest, name, note: "门已能打开".to_owned());
    let closed = call!(HazardServiceClient, region.head(), close_hazard, close);
    let closed = closed.expect("is closed");
    assert_eq!(closed.state(), State::Closed);
    assert_eq!(closed.reviewer, region.staff(&school(1), "校长"));

    let request = ListHazardChangesRequest {
        parent: name.to_owned(),
        ..ListHazardChangesRequest::default()
    };
    let changes = call!(
        HazardServiceClient,
        region.bureau(),
        list_hazard_changes,
        request
    );
    let changes = changes.expect("its history").changes;
    let acts: Vec<&str> = changes.iter().map(|change| &*change.act).collect();
    assert_eq!(
        acts,
        [
            "ReportHazard",
            "VerifyHazard",
            "AssignHazard",
            "RectifyHazard",
            "SubmitHazard",
            "ReviewHazard",
            "CloseHazard"
        ]
    );
    let trail = told(region, name).await;
    let expected = [(Act::Found, deputy.clone()), (Act::Assigned, deputy)];
    assert_eq!(trail[..2], expected);
    let acts: Vec<Act> = trail[2..].iter().map(|(act, _)| *act).collect();
    assert_eq!(acts, [Act::Submitted]);
}

/// A general hazard of the school with this number goes the whole way on one evening: its deputy for safety
/// removes it, the bureau looks at it and closes it.
pub(super) async fn is_removed_at(region: &Region, at: u32, name: &str) {
    let own = || region.of_school(at, Role::SafetyOfficer, "安全副校长");
    call!(HazardServiceClient, own(), verify_hazard, verify(name)).expect("is verified");
    let mut fixes = assign(region, name, 5);
    if let Some(fixes) = &mut fixes.fixes {
        fixes.owner = region.staff(&school(at), "安全副校长").to_owned();
    }
    call!(HazardServiceClient, own(), assign_hazard, fixes).expect("is assigned");
    let begin = once!(RectifyHazardRequest, name);
    call!(HazardServiceClient, own(), rectify_hazard, begin).expect("begins");
    let done = submit(region, name, 201);
    call!(HazardServiceClient, own(), submit_hazard, done).expect("is submitted");
    let review = once!(ReviewHazardRequest, name);
    call!(HazardServiceClient, region.bureau(), review_hazard, review).expect("is reviewed");
    let close = once!(CloseHazardRequest, name, note: "已复核".to_owned());
    let closed = call!(HazardServiceClient, region.bureau(), close_hazard, close);
    assert_eq!(closed.expect("is closed").state(), State::Closed);
}

/// The panels that burn: out of use first, on the bureau's list, and closed by the bureau alone.
pub(super) async fn is_major_and_closed_by_the_bureau(region: &Region, name: &str) {
    let brigade = region.authority("fire-brigade");
    let found = get(brigade.clone(), name).await.expect("a hazard");
    assert_eq!(
        (found.grade(), &*found.major_rules),
        (Grade::Major, &["gb-2017-fire-01".to_owned()][..])
    );
    region.at(6, 11, 30);
    let verified = call!(
        HazardServiceClient,
        region.deputy(),
        verify_hazard,
        verify(name)
    );
    let grade = verified.expect("is verified").grade();
    assert_eq!(grade, Grade::Major, "nobody makes it less");
    let early = call!(
        HazardServiceClient,
        region.head(),
        assign_hazard,
        assign(region, name, 20)
    );
    expect(
        "people are not safe",
        early,
        REFUSED,
        "HAZARD_CONTROL_MISSING",
    );
    let control = |measure: Measure| {
        let control = HazardControl {
            measures: vec![measure.into()],
            description: "停用彩钢板活动室".to_owned(),
            ..HazardControl::default()
        };
        once!(ControlHazardRequest, name, control: Some(control))
    };
    let cordon: ControlHazardRequest = control(Measure::Cordon);
    let cordon = call!(HazardServiceClient, region.deputy(), control_hazard, cordon);
    expect(
        "a cordon is not enough",
        cordon,
        REFUSED,
        "HAZARD_CONTROL_MISSING",
    );
    let stop = control(Measure::StopUse);
    call!(HazardServiceClient, region.deputy(), control_hazard, stop).expect("is out of use");
    let demand = once!(SuperviseHazardRequest, name, demand: "限期拆除".to_owned());
    let school = call!(
        HazardServiceClient,
        region.head(),
        supervise_hazard,
        demand.clone()
    );
    denied("a school supervises nobody", school);
    call!(
        HazardServiceClient,
        region.bureau(),
        supervise_hazard,
        demand
    )
    .expect("is listed");
    let fixes = assign(region, name, 20);
    call!(HazardServiceClient, region.head(), assign_hazard, fixes).expect("is assigned");
    let begin = once!(RectifyHazardRequest, name);
    call!(HazardServiceClient, region.deputy(), rectify_hazard, begin).expect("begins");
    let report = HazardProgressReport {
        description: "已拆除一半".to_owned(),
        percent: 50,
        ..HazardProgressReport::default()
    };
    let report = once!(ReportHazardProgressRequest, name, progress_report: Some(report));
    let reported = call!(
        HazardServiceClient,
        region.deputy(),
        report_hazard_progress,
        report
    );
    assert!(!reported.expect("is reported").late);

    region.at(6, 13, 30);
    let done = submit(region, name, 201);
    call!(HazardServiceClient, region.deputy(), submit_hazard, done).expect("is submitted");
    let review = || once!(ReviewHazardRequest, name);
    let low = call!(HazardServiceClient, region.head(), review_hazard, review());
    expect(
        "too low for a major one",
        low,
        REFUSED,
        "HAZARD_LEVEL_TOO_LOW",
    );
    let partner = call!(HazardServiceClient, brigade, review_hazard, review());
    denied("another authority", partner);
    call!(
        HazardServiceClient,
        region.bureau(),
        review_hazard,
        review()
    )
    .expect("is reviewed");
    let close = once!(CloseHazardRequest, name, note: String::new());
    let closed = call!(HazardServiceClient, region.bureau(), close_hazard, close);
    assert_eq!(closed.expect("is closed").state(), State::Closed);
    let lift = once!(LiftHazardSupervisionRequest, name, note: String::new());
    call!(
        HazardServiceClient,
        region.bureau(),
        lift_hazard_supervision,
        lift
    )
    .expect("is taken off the list");
    nothing_is_open(region).await;
}

async fn nothing_is_open(region: &Region) {
    let open = |parent: String| ListHazardsRequest {
        parent,
        open: true,
        ..ListHazardsRequest::default()
    };
    let district = open(format!("organizations/{DISTRICT}"));
    let listed = call!(HazardServiceClient, region.bureau(), list_hazards, district);
    assert_eq!(listed.expect("listed").hazards, []);
    let elsewhere = region.city.door(Role::SafetyOfficer, &school_path(2));
    let foreign = call!(
        HazardServiceClient,
        elsewhere,
        list_hazards,
        open(organization(1))
    );
    denied("another school's ledger", foreign);
}
