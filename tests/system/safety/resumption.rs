//! The way back to school: everybody is at home, grades 12 and 9 return first and the rest after them, one
//! school waits until its hazard is gone, and a class is sent home again (rules 4.1 to 4.10).

use chrono::NaiveDate;
use kit::auth::{Caller, Role};
use kit::field::to_date;
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::class_group_service_client::ClassGroupServiceClient;
use proto::roster::import_job::Mode;
use proto::roster::import_row::Record;
use proto::roster::set_teaching_mode_request::Ground;
use proto::roster::{ClassGroup, ClassGroupRow, ListClassGroupsRequest, SetTeachingModeRequest};
use proto::safety::resumption::{Decision, State};
use proto::safety::resumption_block::Kind;
use proto::safety::resumption_service_client::ResumptionServiceClient;
use proto::safety::resumption_suspension::{Reason, Scope};
use proto::safety::{
    GetReadinessRequest, GetResumptionBatchRequest, GetResumptionFiguresRequest,
    GetResumptionRequest, PlanResumptionBatchRequest, ReSuspendRequest, Resumption,
    ResumptionBatch, ScheduleResumptionBatchResponse, SignJointInspectionRequest,
    StartJointInspectionRequest,
};
use tests::city::{Door, caller};
use tests::import::Importer;
use tests::town::{CITY, DISTRICT, numbered, school};
use tests::until;
use tonic::{Code, Status};

use super::people::{call, once, organization};
use super::preparation::{
    checks_itself, deputy, drills, head, isolation_room, major_hazard, named, removes, supplies,
};
use super::storm::taught;
use crate::region::{Region, SCHOOLS};
use crate::verbs::{denied, expect, request_id};

const REFUSED: Code = Code::FailedPrecondition;
/// The batch of grades 12 and 9, and that of the other grades.
const FIRST: i32 = 1;
const REST: i32 = 2;
/// The school with every grade of this story, the one with the hazard, and one of primary grades only.
const WHOLE: u32 = 1;
const HAZARDOUS: u32 = 2;
const PRIMARY: u32 = 3;
/// The organisation that is founded when the class groups of grades 9 and 12 are known.
const GROWN: &str = "base-03";
/// The class groups of grades 9 and 12.
const NINE: &str = "j2019-01";
const TWELVE: &str = "s2019-01";

fn of_april(day: u32) -> Option<proto::Date> {
    NaiveDate::from_ymd_opt(2022, 4, day).map(to_date)
}

fn bureau() -> String {
    format!("organizations/{DISTRICT}")
}

/// An account that inspects for a department.
fn inspector(region: &Region, subject: &str, role: Role, scope: &str) -> Door {
    region.city.door_of(Caller {
        subject: subject.to_owned(),
        ..caller(role, scope)
    })
}

/// The three departments that inspect together.
fn education(region: &Region) -> Door {
    let scope = format!("{CITY}/{DISTRICT}");
    inspector(region, "education-1", Role::DistrictOfficer, &scope)
}

fn health(region: &Region) -> Door {
    let scope = format!("{CITY}/{DISTRICT}");
    inspector(region, "health-1", Role::DiseaseControl, &scope)
}

fn market(region: &Region) -> Door {
    region.authority("market-1")
}

/// The class groups of a school that the register has taught in person; all others are at home.
async fn in_person(region: &Region, at: u32) -> Vec<String> {
    let request = ListClassGroupsRequest {
        parent: organization(at),
        page_size: 1000,
        ..ListClassGroupsRequest::default()
    };
    let door = region.officer("clerk");
    let listed = call!(ClassGroupServiceClient, door, list_class_groups, request);
    let groups = listed.expect("class groups").class_groups;
    let home = |group: &ClassGroup| group.teaching_mode() == TeachingMode::Suspended;
    let (home, here): (Vec<_>, Vec<_>) = groups.into_iter().partition(home);
    assert!(
        !(home.is_empty() && here.is_empty()),
        "{at} has class groups"
    );
    let here = here.into_iter().map(|group| {
        assert_eq!(group.teaching_mode(), TeachingMode::InPerson, "{group:?}");
        let id = group.name.rsplit('/').next();
        id.map(str::to_owned).unwrap_or_default()
    });
    let mut here: Vec<String> = here.collect();
    here.sort_unstable();
    here
}

async fn until_in_person(region: &Region, at: u32, expected: &[&str]) {
    until("the register hears of it", || async {
        (in_person(region, at).await == expected).then_some(())
    })
    .await;
}

async fn get(region: &Region, at: u32, position: i32) -> Resumption {
    let request = GetResumptionRequest {
        name: named(at, position),
    };
    let found = call!(
        ResumptionServiceClient,
        deputy(region, at),
        get_resumption,
        request
    );
    found.expect("a resumption")
}

async fn until_state(region: &Region, at: u32, position: i32, state: State) {
    until("it comes so far", || async {
        (get(region, at, position).await.state() == state).then_some(())
    })
    .await;
}

/// What blocks a school beside its answers: why, and by which rule.
async fn guards(region: &Region, at: u32, position: i32) -> Vec<(Kind, String, String)> {
    let request = GetReadinessRequest {
        name: format!("{}/readiness", named(at, position)),
    };
    let ready = call!(
        ResumptionServiceClient,
        head(region, at),
        get_readiness,
        request
    );
    let blocks = ready.expect("a readiness").blocks.into_iter();
    let guards = blocks.filter(|block| block.item.is_empty());
    guards
        .map(|block| (block.kind(), block.explanation, block.rule))
        .collect()
}

/// Class groups of grades 9 and 12 are founded; then the city sends everybody home.
pub(super) async fn begins_with_everybody_at_home(region: &Region) {
    let group = |at: u32, id: &str, grade: i32, called: &str| {
        let row = ClassGroupRow {
            organization: school(at),
            class_group: id.to_owned(),
            display_name: called.to_owned(),
            grade,
        };
        (format!("c-{at}-{id}"), Record::ClassGroup(row))
    };
    let groups = vec![
        group(WHOLE, NINE, 9, "初三（1）班"),
        group(WHOLE, TWELVE, 12, "高三（1）班"),
        group(HAZARDOUS, NINE, 9, "初三（1）班"),
    ];
    let importer = Importer::new(region.city.door(Role::CityOfficer, CITY));
    importer.take(Mode::Delta, &numbered(groups)).await;
    region.city.catch_up(GROWN).await;
    let request = || SetTeachingModeRequest {
        name: format!("organizations/{CITY}"),
        teaching_mode: TeachingMode::Suspended.into(),
        grades: Vec::new(),
        reason: "全市中小学停课".to_owned(),
        request_id: request_id(),
        ground: Ground::General.into(),
    };
    for wrong in [region.head(), region.guard(), region.bureau()] {
        let wrong = call!(ClassGroupServiceClient, wrong, set_teaching_mode, request());
        denied("the city's decision", wrong);
    }
    let chief = region.officer("chief");
    let home = call!(ClassGroupServiceClient, chief, set_teaching_mode, request());
    home.expect("everybody is sent home");
    for (id, _) in region.schools() {
        assert_eq!(taught(region, &id).await, [TeachingMode::Suspended]);
    }
}

async fn plan(door: Door, position: i32, day: u32) -> Result<ResumptionBatch, Status> {
    let request = PlanResumptionBatchRequest {
        parent: bureau(),
        position,
        planned_date: of_april(day),
        request_id: request_id(),
    };
    call!(
        ResumptionServiceClient,
        door,
        plan_resumption_batch,
        request
    )
}

/// Grades 12 and 9 go first, the other grades follow, and no batch overtakes one that goes before.
pub(super) async fn is_planned_in_batches(region: &Region) {
    denied("a school plans", plan(region.head(), FIRST, 7).await);
    let late = plan(region.bureau(), REST, 8).await;
    expect("nobody goes before", late, REFUSED, "RESUMPTION_ORDER");
    let first = plan(region.bureau(), FIRST, 7).await.expect("is planned");
    assert_eq!((first.grades, first.kindergarten), (vec![9, 12], false));
    let early = plan(region.bureau(), REST, 6).await;
    expect("before the first", early, REFUSED, "RESUMPTION_ORDER");
    let rest = plan(region.bureau(), REST, 8).await.expect("is planned");
    let counts: Vec<(State, i32)> = rest
        .counts
        .iter()
        .map(|one| (one.state(), one.resumption_count))
        .collect();
    let schools = i32::try_from(SCHOOLS).expect("few");
    assert_eq!(counts, [(State::Suspended, schools)]);
    assert_eq!(get(region, WHOLE, FIRST).await.grades, [9, 12]);
    assert_eq!(get(region, HAZARDOUS, FIRST).await.grades, [9]);
    assert_eq!(get(region, WHOLE, REST).await.grades, [3]);
}

/// Every school drills, has supplies and an isolation room; at one of them something is very dangerous.
/// Gives that hazard.
pub(super) async fn is_prepared_for(region: &Region) -> String {
    let before = guards(region, WHOLE, FIRST).await.into_iter();
    let before: Vec<Kind> = before.map(|(kind, _, _)| kind).collect();
    assert_eq!(before, [Kind::Drill, Kind::Supplies, Kind::IsolationRoom]);
    let schools = [WHOLE, HAZARDOUS, PRIMARY];
    drills(region, &schools).await;
    for at in schools {
        supplies(region, at).await;
        isolation_room(region, at).await;
    }
    assert_eq!(guards(region, WHOLE, FIRST).await, []);
    let hazard = major_hazard(region, HAZARDOUS).await;
    for at in [WHOLE, HAZARDOUS] {
        checks_itself(region, at, FIRST).await;
    }
    hazard
}

async fn sign(door: Door, name: &str) -> Result<Resumption, Status> {
    let request = SignJointInspectionRequest {
        name: name.to_owned(),
        decision: Decision::Approve.into(),
        opinion: "现场核验符合要求".to_owned(),
        items: Vec::new(),
        request_id: request_id(),
    };
    call!(
        ResumptionServiceClient,
        door,
        sign_joint_inspection,
        request
    )
}

/// The bureau names who inspects for each department, and two of them sign.
async fn is_inspected(region: &Region, at: u32, position: i32) {
    let name = named(at, position);
    let request = || StartJointInspectionRequest {
        name: name.clone(),
        education_inspector: "education-1".to_owned(),
        health_inspector: "health-1".to_owned(),
        market_inspector: "market-1".to_owned(),
        request_id: request_id(),
    };
    let own = call!(
        ResumptionServiceClient,
        head(region, at),
        start_joint_inspection,
        request()
    );
    denied("one's own inspectors", own);
    let named = call!(
        ResumptionServiceClient,
        region.bureau(),
        start_joint_inspection,
        request()
    );
    named.expect("are named");
    denied("one's own school", sign(head(region, at), &name).await);
    let other = sign(region.authority("fire-brigade"), &name).await;
    expect("not named", other, REFUSED, "RESUMPTION_INSPECTOR");
    sign(education(region), &name).await.expect("signs");
    let twice = sign(education(region), &name).await;
    expect("signs twice", twice, REFUSED, "RESUMPTION_SIGNED");
    sign(health(region), &name).await.expect("signs");
}

/// Three departments approve one school.
pub(super) async fn is_inspected_by_three(region: &Region) {
    is_inspected(region, WHOLE, FIRST).await;
    let approved = sign(market(region), &named(WHOLE, FIRST)).await;
    let approved = approved.expect("signs last");
    assert_eq!(approved.state(), State::Approved);
    assert!(
        approved
            .signatures
            .iter()
            .all(|one| one.sign_time.is_some())
    );
}

/// Nobody is approved past an open major hazard; the bureau sees why, and the head cannot help it.
pub(super) async fn is_blocked_by_the_hazard(region: &Region) {
    is_inspected(region, HAZARDOUS, FIRST).await;
    let name = named(HAZARDOUS, FIRST);
    let last = sign(market(region), &name).await;
    expect("a hazard is open", last, REFUSED, "RESUMPTION_BLOCKED");
    let hazard = (
        Kind::MajorHazard,
        "有 1 项重大隐患未销号".to_owned(),
        "4.10".to_owned(),
    );
    assert_eq!(guards(region, HAZARDOUS, FIRST).await, [hazard]);
    let stays = get(region, HAZARDOUS, FIRST).await;
    assert_eq!(stays.state(), State::Inspecting, "nothing was signed");
    assert_eq!(stays.blocks, [i32::from(Kind::MajorHazard)]);
    let schedule = || once!(ScheduleResumptionRequest, name, date: of_april(7));
    let own = call!(
        ResumptionServiceClient,
        head(region, HAZARDOUS),
        schedule_resumption,
        schedule()
    );
    denied("one's own day", own);
    let early = call!(
        ResumptionServiceClient,
        region.bureau(),
        schedule_resumption,
        schedule()
    );
    expect("not approved", early, REFUSED, "RESUMPTION_STATE");
    let figures = GetResumptionFiguresRequest {
        name: format!("{}/resumptionFigures", bureau()),
        position: FIRST,
    };
    let next_door = call!(
        ResumptionServiceClient,
        head(region, HAZARDOUS),
        get_resumption_figures,
        figures.clone()
    );
    denied("the figures of others", next_door);
    let figures = call!(
        ResumptionServiceClient,
        region.bureau(),
        get_resumption_figures,
        figures
    );
    let figures = figures.expect("figures");
    let total = figures.total.expect("a total");
    assert_eq!(
        (
            total.resumption_count,
            total.ready_count,
            total.returned_count
        ),
        (2, 1, 0)
    );
    let worst = &figures.parts[0];
    assert_eq!(worst.organization, organization(HAZARDOUS));
    for figure in [&total, worst] {
        let [blocked] = &figure.blocked[..] else {
            panic!("one guard blocks: {figure:?}");
        };
        assert_eq!(
            (blocked.kind(), blocked.resumption_count),
            (Kind::MajorHazard, 1)
        );
    }
}

async fn schedule(door: Door, position: i32) -> Result<ScheduleResumptionBatchResponse, Status> {
    let name = format!("{}/resumptionBatches/{position}", bureau());
    let request = once!(ScheduleResumptionBatchRequest, name, date: None);
    call!(
        ResumptionServiceClient,
        door,
        schedule_resumption_batch,
        request
    )
}

/// The bureau gives the day, and on the day it is taught again: grades 12 and 9 of the approved school, and
/// nobody else.
pub(super) async fn lets_grades_twelve_and_nine_return(region: &Region) {
    denied("a school", schedule(region.head(), FIRST).await);
    let given = schedule(region.bureau(), FIRST).await.expect("has a day");
    assert_eq!((given.scheduled_count, given.left_out_count), (1, 1));
    assert_eq!(given.left_out[0].resumption, named(HAZARDOUS, FIRST));
    let waits = get(region, WHOLE, FIRST).await;
    assert_eq!(waits.state(), State::Scheduled);
    assert_eq!(waits.scheduled_date, of_april(7));
    assert_eq!(
        in_person(region, WHOLE).await,
        [""; 0],
        "not before the day"
    );

    region.at(7, 7, 0);
    until_state(region, WHOLE, FIRST, State::Monitoring).await;
    assert_eq!(in_person(region, WHOLE).await, [NINE, TWELVE]);
    for (id, _) in region.schools() {
        if id != school(WHOLE) {
            assert_eq!(taught(region, &id).await, [TeachingMode::Suspended]);
        }
    }
}

/// The other grades prepare as the first did, and return after them.
pub(super) async fn lets_the_rest_follow(region: &Region) {
    for at in [WHOLE, PRIMARY] {
        checks_itself(region, at, REST).await;
        is_inspected(region, at, REST).await;
        let approved = sign(market(region), &named(at, REST)).await;
        assert_eq!(approved.expect("signs last").state(), State::Approved);
    }
    let given = schedule(region.bureau(), REST).await.expect("has a day");
    assert_eq!((given.scheduled_count, given.left_out_count), (2, 1));
    region.at(8, 7, 0);
    let young = region.city.town.class_id(1);
    let second = region.city.town.class_id(2);
    for at in [WHOLE, PRIMARY] {
        until_state(region, at, REST, State::Monitoring).await;
    }
    let all = [NINE, &young, &second, TWELVE];
    assert_eq!(in_person(region, WHOLE).await, all);
    assert_eq!(in_person(region, PRIMARY).await, [young, second]);
    assert_eq!(in_person(region, HAZARDOUS).await, [""; 0]);
}

/// The school removes its hazard; the signature that was refused is given, and grade 9 returns there, too.
pub(super) async fn waits_until_the_hazard_is_gone(region: &Region, hazard: &str) {
    removes(region, HAZARDOUS, hazard).await;
    let name = named(HAZARDOUS, FIRST);
    let approved = sign(market(region), &name).await;
    assert_eq!(approved.expect("signs last").state(), State::Approved);
    let today = once!(ScheduleResumptionRequest, name, date: of_april(8));
    let given = call!(
        ResumptionServiceClient,
        region.bureau(),
        schedule_resumption,
        today
    );
    given.expect("has a day");
    until_state(region, HAZARDOUS, FIRST, State::Monitoring).await;
    assert_eq!(in_person(region, HAZARDOUS).await, [NINE]);
    let request = GetResumptionBatchRequest {
        name: format!("{}/resumptionBatches/{FIRST}", bureau()),
    };
    let batch = call!(
        ResumptionServiceClient,
        region.bureau(),
        get_resumption_batch,
        request
    );
    let counts = batch.expect("a batch").counts;
    let counts: Vec<(State, i32)> = counts
        .iter()
        .map(|one| (one.state(), one.resumption_count))
        .collect();
    assert_eq!(counts, [(State::Monitoring, 2)]);
}

/// A case is found in one class: that class is at home again, and nobody else.
pub(super) async fn is_taken_back_for_one_class(region: &Region) {
    let class = format!("{}/classGroups/{NINE}", organization(WHOLE));
    let request = || ReSuspendRequest {
        parent: organization(WHOLE),
        class_group: class.clone(),
        reason: Reason::Epidemic.into(),
        explanation: "发现确诊病例".to_owned(),
        until_date: of_april(22),
        request_id: request_id(),
        ..ReSuspendRequest::default()
    };
    for wrong in [region.guard(), region.deputy(), region.sibling()] {
        let wrong = call!(ResumptionServiceClient, wrong, re_suspend, request());
        denied("the head decides", wrong);
    }
    let away = call!(
        ResumptionServiceClient,
        region.head(),
        re_suspend,
        request()
    );
    let away = away.expect("is at home again");
    assert_eq!((away.resumption_count, away.school_count), (1, 1));
    let town = &region.city.town;
    let [young, second] = [1, 2].map(|number| town.class_id(number));
    until_in_person(region, WHOLE, &[&young, &second, TWELVE]).await;
    assert_eq!(in_person(region, PRIMARY).await, [young, second]);
    assert_eq!(in_person(region, HAZARDOUS).await, [NINE]);
    let first = get(region, WHOLE, FIRST).await;
    assert_eq!(first.state(), State::ReSuspended);
    let suspension = first.suspension.expect("a suspension");
    assert_eq!(suspension.scope(), Scope::Class);
    assert_eq!(suspension.class_groups, [class]);
    let rest = get(region, WHOLE, REST).await;
    assert_eq!(rest.state(), State::Monitoring, "they are taught on");
    let steps: Vec<&str> = first.history.iter().map(|one| &*one.to_state).collect();
    assert_eq!(
        steps,
        [
            "SUSPENDED",
            "SELF_CHECKING",
            "SELF_PASSED",
            "APPLIED",
            "INSPECTING",
            "INSPECTING",
            "INSPECTING",
            "APPROVED",
            "SCHEDULED",
            "RESUMED",
            "MONITORING",
            "RE_SUSPENDED"
        ]
    );
}
