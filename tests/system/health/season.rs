//! Days of health by a clock that the test moves: boarders in the evening, checks taken without a
//! network, checks that are too regular, a report that goes up hop by hop, and another profile from a
//! date on.

use chrono::{Duration, NaiveDate};
use kit::auth::Role;
use kit::clock::{Clock, ManualClock, start_of};
use kit::field::to_date;
use proto::roster::check_policy::Slot;
use proto::roster::report_policy::Level;
use proto::roster::student_service_client::StudentServiceClient;
use proto::roster::{Disease, Student, UpdateStudentRequest};
use proto::safety::check_entry_request::Identity;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_service_client::GateServiceClient;
use proto::safety::{CheckEntryRequest, GateObservation};
use proto::sampling::case_service_client::CaseServiceClient;
use proto::sampling::plan_service_client::PlanServiceClient;
use proto::sampling::report_service_client::ReportServiceClient;
use proto::sampling::reporting_signal::{Kind as Signal, State as SignalState};
use proto::sampling::reporting_signal_service_client::ReportingSignalServiceClient;
use proto::sampling::screening_service_client::ScreeningServiceClient;
use proto::sampling::submit_check_response::Verdict;
use proto::sampling::{
    AcknowledgeReportRequest, BatchSubmitChecksRequest, Case, CaseReport, CheckReading,
    CheckSubmission, CreatePlanRequest, ExplainReportingSignalRequest, ForwardReportRequest,
    GetCaseRequest, ListMissingRequest, ListReportingSignalsRequest, OpenCaseRequest,
    ReportingSignal, SamplingPlan, WriteReportRequest, case, case_report, sampling_plan,
};
use tests::city::{City, Door, Store};
use tests::town::{CITY, DISTRICT, Town, school, school_path};
use tests::until;
use tonic::Code;

use crate::checks::{reporter, submit, zero};
use crate::verbs::{draw_city, expect, request_id};

const HERE: u32 = 1;
const CLASS: u32 = 1;

/// The city and the clock that it goes by.
struct Season {
    city: City,
    clock: ManualClock,
}

impl Season {
    /// 08:00 on Friday, 6 January 2023: two days before the shipped routine profile is in force.
    async fn open(store: Store) -> Option<Self> {
        let day = NaiveDate::from_ymd_opt(2023, 1, 6).expect("a day");
        let clock = ManualClock::morning_of(day);
        let town = Town {
            today: day,
            ..Town::of(1)
        };
        let city = City::rehearse(store, town, clock.clone()).await?;
        Some(Self { city, clock })
    }

    /// Goes on at an hour and minute so many days later.
    fn at(&self, days: i64, hour: i64, minute: i64) {
        let day = self.city.town.today + Duration::days(days);
        let instant = start_of(day) + Duration::minutes(hour * 60 + minute);
        assert!(self.clock.now() <= instant, "time goes forward");
        self.clock.set(instant);
    }

    fn door(&self, role: Role, scope: &str) -> Door {
        self.city.door(role, scope)
    }

    fn doctor(&self) -> Door {
        self.door(Role::SchoolDoctor, &school_path(HERE))
    }

    fn district(&self, role: Role) -> Door {
        self.door(role, &format!("{CITY}/{DISTRICT}"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_season_of_health_under_two_profiles_sqlite() {
    a_season(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_season_of_health_under_two_profiles_postgres() {
    a_season(Store::Postgres).await;
}

async fn a_season(store: Store) {
    let Some(season) = Season::open(store).await else {
        return;
    };
    a_room_is_boarded(&season).await;
    under_the_first_profile(&season).await;
    checks_come_late_from_a_device(&season).await;
    let case = a_report_goes_up(&season).await;
    what_is_too_regular_is_seen(&season).await;
    boarders_are_checked_by_room(&season).await;
    the_report_is_late(&season, &case).await;
    under_the_routine_profile(&season).await;
}

/// Two pupils board in a room, by the register.
async fn a_room_is_boarded(season: &Season) {
    let mut students = StudentServiceClient::new(season.district(Role::DistrictOfficer));
    for place in [1, 2] {
        let request = UpdateStudentRequest {
            student: Some(Student {
                name: season.city.student(HERE, CLASS, place).to_owned(),
                boarder: true,
                dormitory: "3-201".to_owned(),
                ..Student::default()
            }),
            update_mask: None,
            request_id: request_id(),
        };
        students.update_student(request).await.expect("boards");
    }
}

/// Somebody who shows neither code nor card comes to the gate.
async fn enter_bare(season: &Season, place: u32) -> Outcome {
    let person = season.city.student(HERE, CLASS, place).to_owned();
    let request = CheckEntryRequest {
        parent: format!("organizations/{}", school(HERE)),
        identity: Some(Identity::Person(person)),
        observation: Some(GateObservation {
            temperature_decidegrees: Some(365),
            ..GateObservation::default()
        }),
        device: "south gate".to_owned(),
        request_id: request_id(),
        ..CheckEntryRequest::default()
    };
    let guard = season.door(Role::Guard, &school_path(HERE));
    let decided = GateServiceClient::new(guard).check_entry(request).await;
    let decided = decided.expect("the gate decides");
    decided.into_inner().effective_result()
}

/// Codes and cards are asked for, and pupils are drawn.
async fn under_the_first_profile(season: &Season) {
    let bare = enter_bare(season, 5).await;
    assert_ne!(bare, Outcome::Admit, "no code, no card");
    let officer = season.door(Role::CityOfficer, CITY);
    let plan = CreatePlanRequest {
        plan: Some(SamplingPlan {
            display_name: "每日抽样".to_owned(),
            kind: sampling_plan::Kind::StudentRotation.into(),
            organization: format!("organizations/{CITY}"),
            start_date: Some(to_date(season.city.town.today)),
            ..SamplingPlan::default()
        }),
        plan_id: "daily".to_owned(),
        request_id: request_id(),
    };
    let mut plans = PlanServiceClient::new(officer.clone());
    plans.create_plan(plan).await.expect("a plan is made");
    let drawn = draw_city(officer, "daily").await.expect("is drawn");
    assert!(drawn.pick_count > 0);
}

/// A device without a network hands in the same check twice: it is stored once, by the time at which it
/// was taken.
async fn checks_come_late_from_a_device(season: &Season) {
    let taken = season.clock.now();
    let check = CheckSubmission {
        capture_time: Some(kit::field::to_timestamp(taken)),
        ..zero(&season.city.town, HERE, 2, Slot::Morning)
    };
    season.at(0, 8, 20);
    let request = BatchSubmitChecksRequest {
        checks: vec![check.clone(), check],
    };
    let own = reporter(&season.city, HERE, 2);
    let mut screening = ScreeningServiceClient::new(own);
    let answer = screening.batch_submit_checks(request.clone()).await;
    let results = answer.expect("is taken").into_inner().results;
    let verdicts: Vec<Verdict> = results.iter().map(|one| one.verdict()).collect();
    assert_eq!(verdicts, [Verdict::Stored, Verdict::Repeated]);
    let again = screening.batch_submit_checks(request).await;
    let results = again.expect("is taken again").into_inner().results;
    assert!(results.iter().all(|one| one.verdict() == Verdict::Repeated));
}

async fn case_of(season: &Season, name: &str) -> Case {
    let request = GetCaseRequest {
        name: name.to_owned(),
    };
    let read = CaseServiceClient::new(season.doctor())
        .get_case(request)
        .await;
    read.expect("a case").into_inner()
}

/// The school reports; disease control of the county has it and sends it up, the city has it.
async fn a_report_goes_up(season: &Season) -> String {
    let request = OpenCaseRequest {
        person: season.city.student(HERE, CLASS, 7).to_owned(),
        disease: Disease::Covid19.into(),
        detection: case::Detection::Hospital.into(),
        request_id: request_id(),
        ..OpenCaseRequest::default()
    };
    let mut cases = CaseServiceClient::new(season.doctor());
    let opened = cases.open_case(request).await.expect("is opened");
    let name = opened.into_inner().name;
    let request = WriteReportRequest {
        case: name.clone(),
        report: Some(CaseReport {
            kind: case_report::Kind::First.into(),
            place: "三年（1）班教室".to_owned(),
            suspected_count: 1,
            measures: "已隔离，教室终末消毒".to_owned(),
            contact_post: "学校疫情报告人".to_owned(),
            ..CaseReport::default()
        }),
        request_id: request_id(),
    };
    let school = season.door(Role::EpidemicReporter, &school_path(HERE));
    let mut reports = ReportServiceClient::new(school);
    reports.write_report(request).await.expect("is written");
    let acknowledge = |level: Level, outside: &str| AcknowledgeReportRequest {
        case: name.clone(),
        level: level.into(),
        outside_reference: outside.to_owned(),
        request_id: request_id(),
    };
    let mut county = ReportServiceClient::new(season.district(Role::DiseaseControl));
    let city = county
        .acknowledge_report(acknowledge(Level::City, ""))
        .await;
    expect(
        "the county for the city",
        city,
        Code::PermissionDenied,
        "SCOPE_DENIED",
    );
    let received = county.acknowledge_report(acknowledge(Level::CountyHealth, ""));
    received.await.expect("the county has it");
    let forward = ForwardReportRequest {
        case: name.clone(),
        level: Level::CountyHealth.into(),
        to_level: Level::CountyGovernment.into(),
        request_id: request_id(),
    };
    county.forward_report(forward).await.expect("is sent up");
    let noted = acknowledge(Level::CountyGovernment, "榕政收〔2023〕3号");
    county.acknowledge_report(noted).await.expect("is noted");
    let mut city = ReportServiceClient::new(season.door(Role::DiseaseControl, CITY));
    let received = city.acknowledge_report(acknowledge(Level::City, ""));
    received.await.expect("the city has it");
    let case = case_of(season, &name).await;
    let received: Vec<bool> = case
        .hops
        .iter()
        .map(|hop| hop.receive_time.is_some())
        .collect();
    assert_eq!(received, [true, true, true, false, false]);
    assert!(!case.late, "so far");
    name
}

/// The province never confirms: two hours after the city had it, that hop is late for good.
async fn the_report_is_late(season: &Season, name: &str) {
    let case = until("the hop is late", || async {
        let case = case_of(season, name).await;
        case.late.then_some(case)
    })
    .await;
    let lates: Vec<bool> = case.hops.iter().map(|hop| hop.late).collect();
    assert_eq!(lates[..4], [false, false, false, true], "{:?}", case.hops);
}

async fn signals(season: &Season, door: Door) -> Vec<ReportingSignal> {
    let request = ListReportingSignalsRequest {
        organization: format!("organizations/{}", school(HERE)),
        since_date: Some(to_date(season.city.town.today)),
        ..ListReportingSignalsRequest::default()
    };
    let mut client = ReportingSignalServiceClient::new(door);
    let listed = client.list_reporting_signals(request).await;
    listed.expect("signals").into_inner().reporting_signals
}

/// Twelve temperatures that are the same to the tenth: the school sees it first and explains it, then
/// the district sees both.
async fn what_is_too_regular_is_seen(season: &Season) {
    let reading = |place| CheckReading {
        person: season.city.student(HERE, CLASS, place).to_owned(),
        temperature_tenths: 365,
    };
    let check = CheckSubmission {
        readings: (8..20).map(reading).collect(),
        ..zero(&season.city.town, HERE, CLASS, Slot::Morning)
    };
    let submitted = submit(&reporter(&season.city, HERE, CLASS), &check).await;
    submitted.expect("is submitted");
    season.at(0, 8, 31);
    let principal = || season.door(Role::Principal, &school_path(HERE));
    let seen = until("the school sees it", || async {
        let seen = signals(season, principal()).await;
        seen.into_iter()
            .find(|one| one.kind() == Signal::IdenticalTemperatures)
    })
    .await;
    let above = || season.district(Role::DistrictOfficer);
    assert_eq!(signals(season, above()).await, [], "the school first");
    let request = ExplainReportingSignalRequest {
        name: seen.name.clone(),
        explanation: "使用同一支体温枪，已校准".to_owned(),
        request_id: request_id(),
    };
    let mut own = ReportingSignalServiceClient::new(principal());
    let explained = own.explain_reporting_signal(request).await;
    explained.expect("is explained");
    let told = signals(season, above()).await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].name.as_str(), told[0].state()),
        (seen.name.as_str(), SignalState::Explained)
    );
}

/// The room of the boarders is expected in the evening, and submits a check.
async fn boarders_are_checked_by_room(season: &Season) {
    season.at(0, 19, 0);
    let request = || ListMissingRequest {
        scope: format!("organizations/{}", school(HERE)),
        slot: Slot::Evening.into(),
        page_size: 100,
        ..ListMissingRequest::default()
    };
    let mut screening = ScreeningServiceClient::new(season.doctor());
    let missing = screening.list_missing(request()).await.expect("rooms");
    let missing = missing.into_inner().missing_checks;
    let [room] = &missing[..] else {
        panic!("one room: {missing:?}");
    };
    assert_eq!((room.room.as_str(), room.expected_count), ("3-201", 2));
    let check = CheckSubmission {
        scope: room.scope.clone(),
        roll_count: 2,
        present_count: 2,
        ..zero(&season.city.town, HERE, CLASS, Slot::Evening)
    };
    submit(&season.doctor(), &check)
        .await
        .expect("is submitted");
    let missing = screening.list_missing(request()).await.expect("rooms");
    assert_eq!(missing.into_inner().missing_checks, []);
}

/// From 8 January on neither code nor card is asked for, and nobody is drawn.
async fn under_the_routine_profile(season: &Season) {
    season.at(3, 8, 0);
    assert_eq!(enter_bare(season, 5).await, Outcome::Admit);
    let officer = season.door(Role::CityOfficer, CITY);
    let drawn = draw_city(officer, "daily").await;
    expect(
        "no mass sampling",
        drawn,
        Code::FailedPrecondition,
        "PLAN_NOT_ACTIVE",
    );
}
