//! What a school does before anybody is taught there again: it drills, has supplies and an isolation room,
//! removes what is dangerous, and checks itself with evidence (rules 4.1 to 4.8).

use chrono::{Days, NaiveDate};
use kit::auth::Role;
use kit::clock::civil_date;
use kit::field::{to_date, to_timestamp};
use proto::safety::checklist_item::Kind;
use proto::safety::checklist_service_client::ChecklistServiceClient;
use proto::safety::drill_service_client::DrillServiceClient;
use proto::safety::hazard::{Grade, State};
use proto::safety::hazard_control::Measure;
use proto::safety::hazard_service_client::HazardServiceClient;
use proto::safety::record_headcount_request::Count;
use proto::safety::resumption_answer::Value;
use proto::safety::resumption_service_client::ResumptionServiceClient;
use proto::safety::shelter_service_client::ShelterServiceClient;
use proto::safety::supply_service_client::SupplyServiceClient;
use proto::safety::{
    AnswerResumptionItemsRequest, ChecklistItem, CreateDrillRequest, CreateIsolationRoomRequest,
    Drill, DrillType, GetChecklistTemplateRequest, Hazard, HazardCategory, HazardControl,
    HazardFixes, HazardSubmission, IsolationRoom, ListSupplyItemsRequest, Photo,
    RecordHeadcountRequest, RecordSupplyMovementRequest, ReportHazardRequest, ResumptionAnswer,
    ReviewDrillRequest, SupplyLot, VerifyHazardRequest, supply_movement,
};
use tests::city::Door;
use tests::town::school;
use tonic::Code;

use super::people::{call, once, organization};
use crate::region::Region;
use crate::verbs::{denied, expect, request_id};

/// The deputy for safety of the school with this number.
pub(super) fn deputy(region: &Region, at: u32) -> Door {
    region.of_school(at, Role::SafetyOfficer, "安全副校长")
}

/// The principal of the school with this number.
pub(super) fn head(region: &Region, at: u32) -> Door {
    region.of_school(at, Role::Principal, "校长")
}

/// The resource name of the resumption of a school's batch.
pub(super) fn named(at: u32, position: i32) -> String {
    format!("{}/resumptions/{position}", organization(at))
}

/// The full-element drill of epidemic control at each of these schools, with whoever is not at home: from
/// the plan to the archive, since only then it counts (rules 4.1, 5.20).
pub(super) async fn drills(region: &Region, schools: &[u32]) {
    let mut planned = Vec::new();
    for at in schools {
        planned.push((*at, plan_drill(region, *at).await));
    }
    region.at(6, 9, 0);
    for (at, name) in planned {
        drill(region, at, &name).await;
    }
}

async fn plan_drill(region: &Region, at: u32) -> String {
    let request = CreateDrillRequest {
        parent: organization(at),
        drill: Some(Drill {
            drill_type: DrillType::EpidemicFull.into(),
            scenario: "晨检发现发热学生".to_owned(),
            leader: region.staff(&school(at), "安全副校长").to_owned(),
            plan_time: Some(to_timestamp(region.later(30))),
            storeys: 4,
            routes: "教室经专用通道至隔离室".to_owned(),
            ..Drill::default()
        }),
        request_id: request_id(),
    };
    let planned = call!(
        DrillServiceClient,
        deputy(region, at),
        create_drill,
        request
    );
    let name = planned.expect("is planned").name;
    let approve = once!(ApproveDrillRequest, name);
    let approved = call!(DrillServiceClient, head(region, at), approve_drill, approve);
    approved.expect("is approved");
    let announce = once!(AnnounceDrillRequest, name, unannounced: false);
    let announced = call!(
        DrillServiceClient,
        deputy(region, at),
        announce_drill,
        announce
    );
    announced.expect("is announced");
    name
}

async fn drill(region: &Region, at: u32, name: &str) {
    let own = deputy(region, at);
    let start = once!(StartDrillRequest, name, signal_time: None);
    let running = call!(DrillServiceClient, own.clone(), start_drill, start);
    let groups = running.expect("is signalled").groups.into_iter();
    let out = once!(RecordAllOutRequest, name, all_out_time: None);
    let out = call!(DrillServiceClient, own.clone(), record_all_out, out);
    out.expect("is out");
    let everybody = groups.map(|group| Count {
        present_count: group.expected_count,
        group: group.group,
        missing: Vec::new(),
    });
    let count = RecordHeadcountRequest {
        name: name.to_owned(),
        counts: everybody.collect(),
        request_id: request_id(),
    };
    let counted = call!(DrillServiceClient, own.clone(), record_headcount, count);
    counted.expect("is counted");
    let end = once!(EndDrillRequest, name, injury_count: 0, plan_changes: String::new(), photos: Vec::new());
    let ended = call!(DrillServiceClient, own, end_drill, end);
    ended.expect("is over");
    let review = ReviewDrillRequest {
        name: name.to_owned(),
        score: 92,
        summary: "处置规范".to_owned(),
        problems: Vec::new(),
        request_id: request_id(),
    };
    let judged = call!(DrillServiceClient, region.bureau(), review_drill, review);
    judged.expect("is judged");
    let archive = once!(ArchiveDrillRequest, name);
    let archived = call!(DrillServiceClient, head(region, at), archive_drill, archive);
    assert!(archived.expect("is in the archive").counts);
}

/// Supplies of everything that is used up come to a school (rule 4.5).
pub(crate) async fn supplies(region: &Region, at: u32) {
    let own = deputy(region, at);
    let request = ListSupplyItemsRequest {
        page_size: 1000,
        ..ListSupplyItemsRequest::default()
    };
    let listed = call!(SupplyServiceClient, own.clone(), list_supply_items, request);
    let items = listed.expect("items").supply_items;
    for item in items.into_iter().filter(|item| item.daily_use.is_some()) {
        let expires = NaiveDate::from_ymd_opt(2022, 12, 31).filter(|_| item.expires);
        let request = RecordSupplyMovementRequest {
            parent: organization(at),
            item: item.name,
            kind: supply_movement::Kind::Receipt.into(),
            quantity: 100_000,
            lot: Some(SupplyLot {
                lot: "A1".to_owned(),
                expire_date: expires.map(to_date),
            }),
            note: String::new(),
            request_id: request_id(),
        };
        let entered = call!(
            SupplyServiceClient,
            own.clone(),
            record_supply_movement,
            request
        );
        entered.expect("is entered");
    }
}

/// A school has an isolation room that is fit for it (rule 4.6).
pub(crate) async fn isolation_room(region: &Region, at: u32) {
    let request = CreateIsolationRoomRequest {
        parent: organization(at),
        isolation_room: Some(IsolationRoom {
            display_name: "隔离观察室".to_owned(),
            access: "东门旁".to_owned(),
            capacity: 4,
            separate: true,
            ventilated: true,
            near_gate: true,
            own_route: true,
            own_toilet: true,
            ..IsolationRoom::default()
        }),
        request_id: request_id(),
    };
    let created = call!(
        ShelterServiceClient,
        deputy(region, at),
        create_isolation_room,
        request
    );
    created.expect("is created");
}

/// The guard of a school finds a water tank empty; the bureau says that it is a major hazard (rule 5.4).
pub(super) async fn major_hazard(region: &Region, at: u32) -> String {
    let request = ReportHazardRequest {
        parent: organization(at),
        hazard: Some(Hazard {
            category: HazardCategory::Fire.into(),
            place: "building-1/lab-1".to_owned(),
            description: "实验楼消防水池无水".to_owned(),
            photos: vec![region.photo(30)],
            ..Hazard::default()
        }),
        request_id: request_id(),
    };
    let guard = region.of_school(at, Role::Guard, "保安");
    let found = call!(HazardServiceClient, guard, report_hazard, request);
    let name = found.expect("is reported").name;
    let verify = VerifyHazardRequest {
        name: name.clone(),
        grade: Grade::Major.into(),
        request_id: request_id(),
        ..VerifyHazardRequest::default()
    };
    let verified = call!(HazardServiceClient, region.bureau(), verify_hazard, verify);
    assert_eq!(verified.expect("is verified").grade(), Grade::Major);
    name
}

/// The school removes it, and the bureau closes it (rules 5.6 to 5.9).
pub(super) async fn removes(region: &Region, at: u32, name: &str) {
    let own = deputy(region, at);
    let control = HazardControl {
        measures: vec![Measure::StopUse.into()],
        description: "停用实验楼".to_owned(),
        ..HazardControl::default()
    };
    let control = once!(ControlHazardRequest, name, control: Some(control));
    let safe = call!(HazardServiceClient, own.clone(), control_hazard, control);
    safe.expect("is out of use");
    let fixes = HazardFixes {
        owner: String::new(),
        measures: "检修水池并注水".to_owned(),
        budget_fen: Some(80_000),
        due_date: Some(to_date(civil_date(region.now()) + Days::new(10))),
        contingency_plan: "整改期间专人值守".to_owned(),
    };
    let assign = once!(AssignHazardRequest, name, fixes: Some(fixes));
    let assigned = call!(HazardServiceClient, head(region, at), assign_hazard, assign);
    assigned.expect("is assigned");
    let begin = once!(RectifyHazardRequest, name);
    let begun = call!(HazardServiceClient, own.clone(), rectify_hazard, begin);
    begun.expect("begins");
    let submission = HazardSubmission {
        statement: "水池已注满".to_owned(),
        photos: vec![region.photo(31)],
        ..HazardSubmission::default()
    };
    let submit = once!(SubmitHazardRequest, name, submission: Some(submission));
    let submitted = call!(HazardServiceClient, own, submit_hazard, submit);
    submitted.expect("is submitted");
    let review = once!(ReviewHazardRequest, name);
    let reviewed = call!(HazardServiceClient, region.bureau(), review_hazard, review);
    reviewed.expect("is reviewed");
    let close = once!(CloseHazardRequest, name, note: String::new());
    let closed = call!(HazardServiceClient, region.bureau(), close_hazard, close);
    assert_eq!(closed.expect("is closed").state(), State::Closed);
}

/// A good answer to an item, with the picture that shows it.
fn good(region: &Region, (at, number): (u32, usize), item: &ChecklistItem) -> ResumptionAnswer {
    let bound = item.minimum_thousandths.or(item.maximum_thousandths);
    let value = match item.kind() {
        Kind::Number | Kind::Days => Value::NumberThousandths(bound.unwrap_or_default()),
        Kind::Text => Value::Text("已落实".to_owned()),
        _ => Value::Good(true),
    };
    let picture = u8::try_from(number).expect("a short list");
    let school = u8::try_from(at).expect("a small region");
    let photo = Photo {
        sha256: [vec![school; 16], vec![picture; 16]].concat().into(),
        ..region.photo(0)
    };
    ResumptionAnswer {
        item: item.code.clone(),
        value: Some(value),
        photos: vec![photo],
        ..ResumptionAnswer::default()
    }
}

/// A school answers every item of the checklist with evidence; its head signs when nothing mandatory is
/// missing, and it asks for the inspection.
pub(super) async fn checks_itself(region: &Region, at: u32, position: i32) {
    let (own, name) = (deputy(region, at), named(at, position));
    let start = once!(StartSelfCheckRequest, name);
    let started = call!(
        ResumptionServiceClient,
        own.clone(),
        start_self_check,
        start
    );
    let started = started.expect("is started");
    let [list] = &started.checklist_templates[..] else {
        panic!("nothing was added to the checklist: {started:?}");
    };
    let request = GetChecklistTemplateRequest { name: list.clone() };
    let list = call!(
        ChecklistServiceClient,
        own.clone(),
        get_checklist_template,
        request
    );
    let items = list.expect("a checklist").items;
    let answers = items.iter().enumerate();
    let mut answers: Vec<ResumptionAnswer> = answers
        .map(|(number, item)| good(region, (at, number), item))
        .collect();
    let answer = |answers: Vec<ResumptionAnswer>| AnswerResumptionItemsRequest {
        name: name.clone(),
        answers,
        request_id: request_id(),
    };
    let bare = ResumptionAnswer {
        photos: Vec::new(),
        ..answers[0].clone()
    };
    let bare = call!(
        ResumptionServiceClient,
        own.clone(),
        answer_resumption_items,
        answer(vec![bare])
    );
    expect("no evidence", bare, Code::InvalidArgument, "INVALID_FIELD");
    let last = answers.split_off(1);
    let first = answers;
    let answered = call!(
        ResumptionServiceClient,
        own.clone(),
        answer_resumption_items,
        answer(last)
    );
    answered.expect("all but one are answered");
    let sign = || once!(SignSelfCheckRequest, name);
    let missing = call!(
        ResumptionServiceClient,
        head(region, at),
        sign_self_check,
        sign()
    );
    expect(
        "a mandatory item is missing",
        missing,
        Code::FailedPrecondition,
        "RESUMPTION_BLOCKED",
    );
    let answered = call!(
        ResumptionServiceClient,
        own.clone(),
        answer_resumption_items,
        answer(first)
    );
    assert_eq!(answered.expect("all are answered").score, 100);
    let deputy = call!(
        ResumptionServiceClient,
        own.clone(),
        sign_self_check,
        sign()
    );
    denied("the head signs", deputy);
    let signed = call!(
        ResumptionServiceClient,
        head(region, at),
        sign_self_check,
        sign()
    );
    signed.expect("is signed");
    let apply = once!(ApplyForInspectionRequest, name);
    let applied = call!(ResumptionServiceClient, own, apply_for_inspection, apply);
    applied.expect("asks for the inspection");
}
