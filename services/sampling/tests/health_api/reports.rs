//! Reports up the hierarchy: order, receipts, and every clock (rules 1.16 to 1.18, 5.35; T25).

use chrono::Duration;
use futures_util::TryStreamExt;
use kit::auth::Role;
use proto::roster::Disease;
use proto::roster::report_policy::Level;
use proto::sampling::case_report::Kind;
use proto::sampling::report_service_client::ReportServiceClient;
use proto::sampling::sampling_event::State as Told;
use proto::sampling::sampling_feed_client::SamplingFeedClient;
use proto::sampling::{
    AcknowledgeReportRequest, Case, CaseReport, ForwardReportRequest, ListCasesRequest,
    ListReportStepsRequest, ListReportsRequest, OpenCaseRequest, ReportHop, ReportStep,
    ResultValue, SamplingEvent, SamplingSnapshotRequest, UpdateSeverityRequest, WriteReportRequest,
    case, report_step,
};
use tonic::{Code, Status};

use super::cases::{
    all, close, disease_control, doctor, get, of_person, open, positive_single, rule_out,
};
use super::site::{Site, refused};
use super::town::{Authorised, CITY, DISTRICT, SCHOOL, on_both_databases, reason, school_path};

on_both_databases!(
    reports_are_written_in_order_and_never_changed,
    what_is_opened_again_is_reported_again,
    every_hop_has_its_clock,
    a_level_may_be_passed_over_and_lateness_stays,
    who_receives_is_who_answers_for_the_level,
    a_level_without_an_account_is_recorded_by_who_sends_to_it,
    follow_up_reports_are_due_as_the_policy_asks,
    deaths_shorten_the_time_to_the_first_report,
    a_case_is_known_no_later_than_what_it_rests_on,
    the_feed_tells_of_lateness_and_of_nobody,
    ruling_out_stops_the_clocks,
);

fn school(site: &Site) -> ReportServiceClient<Authorised> {
    let scope = school_path(SCHOOL);
    ReportServiceClient::new(site.0.authorised(&[Role::EpidemicReporter], &scope))
}

fn above(site: &Site) -> ReportServiceClient<Authorised> {
    ReportServiceClient::new(site.as_role(Role::DiseaseControl, None))
}

pub(crate) async fn write(site: &Site, case: &str, kind: Kind) -> Result<CaseReport, Status> {
    let report = CaseReport {
        kind: kind.into(),
        place: "三年（1）班教室".to_owned(),
        suspected_count: 1,
        measures: "已隔离，教室终末消毒".to_owned(),
        cause: if kind == Kind::Final {
            "校外聚餐感染".to_owned()
        } else {
            String::new()
        },
        contact_post: "学校疫情报告人".to_owned(),
        ..Default::default()
    };
    let request = WriteReportRequest {
        case: case.to_owned(),
        report: Some(report),
        ..Default::default()
    };
    Ok(school(site).write_report(request).await?.into_inner())
}

async fn receive(site: &Site, case: &str, level: Level) -> Result<ReportStep, Status> {
    let outside = matches!(
        level,
        Level::CountyGovernment | Level::Province | Level::State
    );
    let number = if outside {
        "闽卫收〔2022〕7 号"
    } else {
        ""
    };
    let request = AcknowledgeReportRequest {
        case: case.to_owned(),
        level: level.into(),
        outside_reference: number.to_owned(),
        ..Default::default()
    };
    Ok(above(site).acknowledge_report(request).await?.into_inner())
}

fn lates(case: &Case) -> Vec<bool> {
    case.hops.iter().map(|hop| hop.late).collect()
}

async fn reports_are_written_in_order_and_never_changed(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let case = open(&site, of_person(1, Disease::Covid19)).await.name;
    for kind in [Kind::FollowUp, Kind::Final] {
        let early = write(&site, &case, kind).await;
        assert_eq!(
            reason(&early.expect_err("no first")),
            refused("REPORT_ORDER")
        );
    }
    let first = write(&site, &case, Kind::First).await.expect("first");
    assert!(!first.late && first.name.ends_with("/reports/1"));
    let twice = write(&site, &case, Kind::First).await;
    assert_eq!(
        reason(&twice.expect_err("one first")),
        refused("REPORT_ORDER")
    );
    // A follow-up is due within 24 h.
    site.0.clock.advance(Duration::hours(25));
    let follow = write(&site, &case, Kind::FollowUp)
        .await
        .expect("follow-up");
    assert!(follow.late, "an hour too late");
    assert!(get(&site, &case).await.late);
    site.0.clock.advance(Duration::hours(23));
    let open = write(&site, &case, Kind::Final).await;
    assert_eq!(reason(&open.expect_err("open")), refused("CASE_STATE"));
    doctor(&site)
        .close_case(close(&case))
        .await
        .expect("closed");
    let last = write(&site, &case, Kind::Final).await.expect("final");
    assert!(!last.late);
    let after = write(&site, &case, Kind::FollowUp).await;
    assert_eq!(
        reason(&after.expect_err("the end")),
        refused("REPORT_ORDER")
    );
    let case = get(&site, &case).await;
    assert!(case.late, "what was late stays late");
    assert_eq!(
        (case.last_report_kind(), case.follow_up_due_time),
        (Kind::Final, None)
    );
    let request = ListReportsRequest {
        case: case.name,
        ..Default::default()
    };
    let all = school(&site).list_reports(request).await.expect("reports");
    assert_eq!(all.into_inner().reports, [first, follow, last]);
}

/// Rule 5.35: the daily reports of an urgent case go on when it is opened again after the final one.
async fn what_is_opened_again_is_reported_again(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    positive_single(&site).await;
    let case = all(&site).await.remove(0).name;
    write(&site, &case, Kind::First).await.expect("first");
    doctor(&site)
        .close_case(close(&case))
        .await
        .expect("closed");
    write(&site, &case, Kind::Final).await.expect("final");
    assert_eq!(get(&site, &case).await.follow_up_due_time, None);
    site.0.clock.advance(Duration::days(2));
    assert!(site.report("SG-0001", 2, ResultValue::Positive).await.0);
    let again = get(&site, &case).await;
    assert_eq!(again.state(), case::State::Open);
    let due = again.follow_up_due_time.map(|due| due.seconds);
    assert_eq!(due, Some(site.0.now().timestamp() + 86_400));
    let open = write(&site, &case, Kind::Final).await;
    assert_eq!(reason(&open.expect_err("open")), refused("CASE_STATE"));
    let follow = write(&site, &case, Kind::FollowUp).await;
    assert!(!follow.expect("follow-up").late);
}

/// T25: the clock of every hop of 1.17 runs out when nobody receives.
async fn every_hop_has_its_clock(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let levels = [
        Level::CountyHealth,
        Level::CountyGovernment,
        Level::City,
        Level::Province,
        Level::State,
    ];
    for (missing, level) in levels.into_iter().enumerate() {
        let number = u32::try_from(missing).expect("small");
        let case = open(&site, of_person(number, Disease::Covid19)).await.name;
        write(&site, &case, Kind::First).await.expect("first");
        for received in &levels[..missing] {
            site.0.clock.advance(Duration::minutes(30));
            receive(&site, &case, *received).await.expect("received");
        }
        let limit = if level == Level::State { 1 } else { 2 };
        site.0.clock.advance(Duration::hours(limit));
        let punctual = get(&site, &case).await;
        assert_eq!(lates(&punctual), [false; 5], "{level:?} has {limit} h");
        assert!(!punctual.late);
        site.0.clock.advance(Duration::milliseconds(1));
        let late = stored_late(&site, &case).await;
        let expected: Vec<bool> = (0..5).map(|hop| hop == missing).collect();
        assert_eq!(lates(&late), expected);
        receive(&site, &case, level)
            .await
            .expect("received at last");
        let after = get(&site, &case).await;
        assert_eq!(
            lates(&after),
            expected,
            "a receipt does not make it punctual"
        );
        assert!(after.late);
    }
}

/// The case once the deadline was noticed: it is among the late ones of a list then.
async fn stored_late(site: &Site, case: &str) -> Case {
    for _ in 0..400 {
        let request = ListCasesRequest {
            organization: format!("organizations/{SCHOOL}"),
            late: true,
            ..Default::default()
        };
        let late = doctor(site).list_cases(request).await.expect("cases");
        let found = late
            .into_inner()
            .cases
            .into_iter()
            .find(|one| one.name == case);
        if let Some(found) = found {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{case} was not noticed");
}

async fn a_level_may_be_passed_over_and_lateness_stays(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let case = open(&site, of_person(1, Disease::Covid19)).await.name;
    let early = receive(&site, &case, Level::City).await;
    assert_eq!(
        reason(&early.expect_err("nothing to receive")),
        refused("REPORT_LEVEL")
    );
    site.0.clock.advance(Duration::hours(3));
    assert!(write(&site, &case, Kind::First).await.expect("first").late);
    receive(&site, &case, Level::City)
        .await
        .expect("over two heads");
    let told = get(&site, &case).await;
    let over: Vec<bool> = told.hops.iter().map(|hop| hop.over_level).collect();
    assert_eq!(over, [true, true, false, false, false]);
    assert_eq!(lates(&told), [true, false, false, false, false]);
    let started = |hop: &ReportHop| hop.start_time.is_some();
    let started: Vec<bool> = told.hops.iter().map(started).collect();
    assert_eq!(started, [true, false, false, true, false]);
    site.0.clock.advance(Duration::hours(1));
    receive(&site, &case, Level::CountyHealth)
        .await
        .expect("kept");
    assert_eq!(
        get(&site, &case).await.hops[..3],
        told.hops[..3],
        "and moves nothing"
    );
}

async fn who_receives_is_who_answers_for_the_level(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let case = open(&site, of_person(1, Disease::Covid19)).await.name;
    write(&site, &case, Kind::First).await.expect("first");
    let request = |level: Level| AcknowledgeReportRequest {
        case: case.clone(),
        level: level.into(),
        request_id: uuid::Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let district = format!("{CITY}/{DISTRICT}");
    let mut bureau =
        ReportServiceClient::new(site.0.authorised(&[Role::DistrictOfficer], &district));
    let denied = (Code::PermissionDenied, "SCOPE_DENIED".to_owned());
    let city = bureau.acknowledge_report(request(Level::City)).await;
    assert_eq!(reason(&city.expect_err("not the city")), denied);
    let own = school(&site)
        .acknowledge_report(request(Level::CountyHealth))
        .await;
    assert_eq!(reason(&own.expect_err("not the school")), denied);
    let none = above(&site)
        .acknowledge_report(request(Level::School))
        .await;
    assert_eq!(
        none.expect_err("the school writes").code(),
        Code::InvalidArgument
    );
    let beside = bureau
        .acknowledge_report(request(Level::CountyHealth))
        .await;
    let beside = beside.expect("kept beside").into_inner();
    assert_eq!(beside.kind(), report_step::Kind::ReceivedBeside);
    assert_eq!(get(&site, &case).await.hops[0].receive_time, None);
    let forward = ForwardReportRequest {
        case: case.clone(),
        level: Level::CountyHealth.into(),
        to_level: Level::CountyGovernment.into(),
        ..Default::default()
    };
    let early = above(&site).forward_report(forward.clone()).await;
    assert_eq!(
        reason(&early.expect_err("not received")),
        refused("REPORT_LEVEL")
    );
    let first = request(Level::CountyHealth);
    let received = above(&site).acknowledge_report(first.clone()).await;
    let again = above(&site).acknowledge_report(first).await;
    let received = received.expect("received").into_inner();
    assert_eq!(again.expect("a repeat").into_inner(), received);
    above(&site).forward_report(forward).await.expect("sent up");
    let request = ListReportStepsRequest {
        case: case.clone(),
        ..Default::default()
    };
    let steps = school(&site)
        .list_report_steps(request)
        .await
        .expect("steps");
    let kinds = steps.into_inner().report_steps;
    let kinds: Vec<_> = kinds.iter().map(ReportStep::kind).collect();
    use report_step::Kind as K;
    assert_eq!(kinds, [K::ReceivedBeside, K::Received, K::Forwarded]);
}

/// D3: nobody below a level gives its receipt; one that is given outside is told apart.
async fn a_level_without_an_account_is_recorded_by_who_sends_to_it(
    database: kit::scratch::Scratch,
) {
    let site = Site::open(database).await;
    let case = open(&site, of_person(1, Disease::Covid19)).await.name;
    write(&site, &case, Kind::First).await.expect("first");
    let district = format!("{CITY}/{DISTRICT}");
    let request = |level: Level, number: &str| AcknowledgeReportRequest {
        case: case.clone(),
        level: level.into(),
        outside_reference: number.to_owned(),
        ..Default::default()
    };
    let as_role = |role, scope: &str| ReportServiceClient::new(site.0.authorised(&[role], scope));
    let denied = (Code::PermissionDenied, "SCOPE_DENIED".to_owned());
    for (role, scope, level) in [
        (Role::DistrictOfficer, &*district, Level::CountyGovernment),
        (Role::CityOfficer, CITY, Level::CountyGovernment),
        (Role::DistrictOfficer, &*district, Level::Province),
        (Role::DiseaseControl, &*district, Level::City),
        (Role::DiseaseControl, &*district, Level::State),
    ] {
        let number = if level == Level::City {
            ""
        } else {
            "收〔2022〕1 号"
        };
        let refused = as_role(role, scope)
            .acknowledge_report(request(level, number))
            .await;
        assert_eq!(
            reason(&refused.expect_err("not theirs")),
            denied,
            "{role:?} {level:?}"
        );
    }
    let invalid = (Code::InvalidArgument, "INVALID_FIELD".to_owned());
    for (level, number) in [(Level::Province, ""), (Level::City, "收〔2022〕1 号")] {
        let refused = above(&site)
            .acknowledge_report(request(level, number))
            .await;
        assert_eq!(
            reason(&refused.expect_err("a number")),
            invalid,
            "{level:?}"
        );
    }
    let control = as_role(Role::DiseaseControl, &district)
        .acknowledge_report(request(Level::CountyHealth, ""))
        .await;
    assert_eq!(
        control.expect("its own").into_inner().kind(),
        report_step::Kind::Received
    );
    let sent = as_role(Role::DiseaseControl, &district)
        .acknowledge_report(request(Level::CountyGovernment, "收〔2022〕1 号"))
        .await;
    let sent = sent.expect("recorded").into_inner();
    assert_eq!(
        (sent.kind(), &*sent.outside_reference),
        (report_step::Kind::ReceivedOutside, "收〔2022〕1 号")
    );
    let city = as_role(Role::CityOfficer, CITY)
        .acknowledge_report(request(Level::City, ""))
        .await;
    city.expect("the city's own");
    let province = as_role(Role::CityOfficer, CITY)
        .acknowledge_report(request(Level::Province, "闽收〔2022〕2 号"))
        .await;
    province.expect("the city sent");
    let told = get(&site, &case).await;
    let marked: Vec<bool> = told.hops.iter().map(|hop| hop.recorded_by_sender).collect();
    assert_eq!(marked, [false, true, false, true, false]);
    let received = told.hops.iter().filter(|hop| hop.receive_time.is_some());
    assert_eq!(received.count(), 4);
}

/// Rule 5.35: daily for levels I and II; the shipped policy asks for others every three days.
async fn follow_up_reports_are_due_as_the_policy_asks(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    for (number, disease, days) in [(1, Disease::Covid19, 1), (2, Disease::Influenza, 3)] {
        let case = open(&site, of_person(number, disease)).await.name;
        let first = write(&site, &case, Kind::First).await.expect("first");
        let due = get(&site, &case).await.follow_up_due_time;
        let written = first.report_time.expect("a time");
        let expected = written.seconds + days * 86_400;
        assert_eq!(due.map(|due| due.seconds), Some(expected), "{disease:?}");
    }
}

fn limit(case: &Case) -> i64 {
    let (due, found) = (case.first_report_due_time, case.detect_time);
    due.expect("due").seconds - found.expect("found").seconds
}

/// Rule 1.19: one death of norovirus and five patients in hospital are events of two hours.
async fn deaths_shorten_the_time_to_the_first_report(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let event = |disease: Disease, hospitalised, dead| OpenCaseRequest {
        organization: format!("organizations/{SCHOOL}"),
        disease: disease.into(),
        detection: case::Detection::Hospital.into(),
        event_kind: case::EventKind::Outbreak.into(),
        person_count: 9,
        hospitalised_count: hospitalised,
        dead_count: dead,
        ..Default::default()
    };
    for (disease, hospitalised, dead, hours) in [
        (Disease::Norovirus, 3, 0, 24),
        (Disease::Norovirus, 0, 1, 2),
        (Disease::Influenza, 4, 0, 24),
        (Disease::Influenza, 5, 0, 2),
    ] {
        let opened = open(&site, event(disease, hospitalised, dead)).await;
        assert_eq!(limit(&opened), hours * 3600, "{disease:?}");
        assert_eq!(
            (opened.hospitalised_count, opened.dead_count),
            (hospitalised, dead)
        );
    }
    let too_many = doctor(&site)
        .open_case(event(Disease::Norovirus, 0, 10))
        .await;
    assert_eq!(too_many.expect_err("of nine").code(), Code::InvalidArgument);
    // A patient dies later: two hours from then.
    let person = open(&site, of_person(1, Disease::Norovirus)).await;
    assert_eq!(limit(&person), 24 * 3600);
    site.0.clock.advance(Duration::hours(1));
    let grave = UpdateSeverityRequest {
        name: person.name.clone(),
        severity: case::Severity::Dead.into(),
        ..Default::default()
    };
    let grave = doctor(&site).update_severity(grave).await;
    assert_eq!(limit(&grave.expect("died").into_inner()), 3 * 3600);
}

/// Limits count from when the check was taken, whatever time the school gives.
async fn a_case_is_known_no_later_than_what_it_rests_on(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    positive_single(&site).await;
    let found = all(&site).await;
    let since = found[0].detect_time.expect("a time");
    site.0.clock.advance(Duration::hours(5));
    let based = |basis: &str| OpenCaseRequest {
        basis: basis.to_owned(),
        ..of_person(20, Disease::Covid19)
    };
    let capped = open(&site, based("holds/FZ-0001")).await;
    let capped = capped.detect_time.expect("a time");
    assert!(capped.seconds <= since.seconds, "the hold was known before");
    let free = OpenCaseRequest {
        basis: "letters/2022-7".to_owned(),
        ..of_person(21, Disease::Covid19)
    };
    let free = open(&site, free).await.detect_time.expect("a time");
    assert!(
        free.seconds >= since.seconds + 5 * 3600,
        "nothing is known of it"
    );
}

async fn the_feed_tells_of_lateness_and_of_nobody(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let case = open(&site, of_person(1, Disease::Covid19)).await;
    let told = in_feed(&site, |case| !case.late).await;
    assert_eq!(told.name, case.name);
    assert!(told.person.is_empty() && told.class_group.is_empty() && told.basis.is_empty());
    assert_eq!(told.organization, format!("organizations/{SCHOOL}"));
    site.0
        .clock
        .advance(Duration::hours(2) + Duration::milliseconds(1));
    let late = in_feed(&site, |case| case.late).await;
    assert!(late.hops[0].late);
}

/// The case in the snapshot of the feed once it is as wanted.
async fn in_feed(site: &Site, wanted: impl Fn(&Case) -> bool) -> Case {
    for _ in 0..400 {
        let mut feed = SamplingFeedClient::new(site.as_role(Role::PartnerSystem, None));
        let parts = feed.snapshot(SamplingSnapshotRequest::default()).await;
        let parts: Vec<_> = parts
            .expect("a feed")
            .into_inner()
            .try_collect()
            .await
            .expect("all");
        let events = parts.into_iter().flat_map(|part| part.events);
        let case = |event: SamplingEvent| match event.state {
            Some(Told::Case(case)) => Some(case),
            _ => None,
        };
        if let Some(found) = events.filter_map(case).find(&wanted) {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the feed does not tell");
}

async fn ruling_out_stops_the_clocks(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let (punctual, late) = (
        open(&site, of_person(1, Disease::Covid19)).await.name,
        open(&site, of_person(2, Disease::Covid19)).await.name,
    );
    disease_control(&site)
        .rule_out_case(rule_out(&punctual))
        .await
        .expect("ruled out");
    site.0.clock.advance(Duration::hours(3));
    disease_control(&site)
        .rule_out_case(rule_out(&late))
        .await
        .expect("ruled out");
    site.0.clock.advance(Duration::days(3));
    assert!(!get(&site, &punctual).await.late);
    assert!(get(&site, &late).await.late, "ruling out does not hide it");
}
