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
    ListReportStepsRequest, ListReportsRequest, ReportHop, ReportStep, SamplingEvent,
    SamplingSnapshotRequest, WriteReportRequest, report_step,
};
use tonic::{Code, Status};

use super::cases::{doctor, get, of_person, open, rule_out};
use super::site::{Site, refused};
use super::town::{Authorised, CITY, DISTRICT, SCHOOL, on_both_databases, reason, school_path};

on_both_databases!(
    reports_are_written_in_order_and_never_changed,
    every_hop_has_its_clock,
    a_level_may_be_passed_over_and_lateness_stays,
    who_receives_is_who_answers_for_the_level,
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
    let request = AcknowledgeReportRequest {
        case: case.to_owned(),
        level: level.into(),
        ..Default::default()
    };
    Ok(above(site).acknowledge_report(request).await?.into_inner())
}

fn lates(case: &Case) -> Vec<bool> {
    case.hops.iter().map(|hop| hop.late).collect()
}

async fn reports_are_written_in_order_and_never_changed(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let case = open(&site, of_person(1, Disease::Influenza)).await.name;
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
    doctor(&site)
        .rule_out_case(rule_out(&punctual))
        .await
        .expect("ruled out");
    site.0.clock.advance(Duration::hours(3));
    doctor(&site)
        .rule_out_case(rule_out(&late))
        .await
        .expect("ruled out");
    site.0.clock.advance(Duration::days(3));
    assert!(!get(&site, &punctual).await.late);
    assert!(get(&site, &late).await.late, "ruling out does not hide it");
}
