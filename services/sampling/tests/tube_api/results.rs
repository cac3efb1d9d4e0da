//! Results, their corrections, and that their order does not matter (rule 2.18).

use kit::approvals::Answer;
use kit::auth::{PURPOSE, Role};
use kit::field::to_timestamp;
use proto::roster::{MinorData, UseAccessRequest};
use proto::sampling::coverage_service_client::CoverageServiceClient;
use proto::sampling::result_service_client::ResultServiceClient;
use proto::sampling::{
    CorrectResultRequest, Coverage, GetCoverageRequest, GetResultRequest, Hold,
    ListCoverageRequest, ListResultsRequest, PoolType, ResultValue, Tube, VoidTubeRequest, hold,
    tube,
};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use tonic::{Code, Request};

use super::site::Site;
use super::town::{CITY, DISTRICT, SCHOOL, on_both_databases, reason, school_path};

on_both_databases!(
    results_in_any_order_end_alike,
    every_order_with_repeats_ends_in_the_same_state,
    a_correction_is_a_new_version_with_its_reason,
    for_an_audit_results_are_read_only_when_somebody_approved_it,
    the_tubes_of_today_are_counted_with_what_was_corrected,
    who_may_not_read_tubes_or_holds_is_not_told_how_many_there_are,
);

async fn results_in_any_order_end_alike(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..3).await;
    site.filled("FZ-0002", 3..6).await;
    let (positive, negative) = ((1, ResultValue::Positive), (2, ResultValue::Negative));
    for (version, value) in [positive, positive, negative, positive] {
        assert!(site.report("FZ-0001", version, value).await.0);
    }
    for (version, value) in [negative, positive, negative] {
        assert!(site.report("FZ-0002", version, value).await.0);
    }
    for code in ["FZ-0001", "FZ-0002"] {
        let tube = site.tube(code).await;
        assert_eq!(
            (tube.state(), tube.result_version),
            (tube::State::Negative, 2)
        );
    }
    assert_eq!(site.not_clear().await, 0);
    let other = site.report("FZ-0001", 1, ResultValue::Suspect).await;
    assert_eq!(other, (false, "RESULT_CONFLICT".to_owned()));
    let request = CorrectResultRequest {
        tube: "tubes/FZ-0001".to_owned(),
        report: "R-FZ-0001".to_owned(),
        value: ResultValue::Positive.into(),
        reason: "labels were swapped".to_owned(),
        ..Default::default()
    };
    let mut client = ResultServiceClient::new(site.as_role(Role::Laboratory, Some("lab-1")));
    assert_eq!(
        client
            .correct_result(request)
            .await
            .expect("corrected")
            .into_inner()
            .version,
        3
    );
    assert_eq!(site.not_clear().await, 3);
    assert_eq!(site.hold("FZ-0001").await.state(), hold::State::Active);
}

/// The law of results: whatever order they come in and however often, tubes, hold and controls end
/// in the same state.
async fn every_order_with_repeats_ends_in_the_same_state(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    use ResultValue::{Invalid, Negative, Positive, Suspect};
    let mut rng = StdRng::seed_from_u64(22);
    let mut ends = Vec::new();
    for round in 0..12_u32 {
        let (pool, first) = (format!("FZ-{round:04}"), round * 3);
        site.filled(&pool, first..first + 3).await;
        // The first result orders the singles, so it alone comes first.
        assert!(site.report(&pool, 1, Positive).await.0);
        let single = |number: u32| format!("SG-{round:04}-{number}");
        for number in 0..3 {
            let hold = format!("holds/{pool}");
            site.single(&single(number), &hold, first + number).await;
        }
        let mut results = vec![
            (pool.clone(), 2, Negative),
            (pool.clone(), 3, Invalid),
            (pool.clone(), 4, Suspect),
            (single(0), 1, Negative),
            (single(1), 1, Negative),
            (single(1), 2, Positive),
            (single(2), 1, Invalid),
            (single(2), 2, Negative),
        ];
        for _ in 0..4 {
            let again = results[rng.random_range(0..results.len())].clone();
            results.push(again);
        }
        results.shuffle(&mut rng);
        for (code, version, value) in &results {
            let (accepted, why) = site.report(code, *version, *value).await;
            assert!(accepted, "{code} {version}: {why}");
        }
        let mut end = vec![state_of(&site.tube(&pool).await)];
        for number in 0..3 {
            end.push(state_of(&site.tube(&single(number)).await));
        }
        let controls = site.controls().await.len() - ends.len() * 3;
        ends.push((
            end,
            hold_of(&site.hold(&pool).await),
            controls,
            site.make_ups().await.len(),
        ));
    }
    assert_eq!(ends[0].1.0, hold::State::ResolvedPositive);
    for end in &ends {
        assert_eq!(end, &ends[0]);
    }
}

fn state_of(tube: &Tube) -> (tube::State, ResultValue, i32, i32) {
    (
        tube.state(),
        tube.result(),
        tube.result_version,
        tube.positive_count,
    )
}

fn hold_of(hold: &Hold) -> (hold::State, usize, i32, String) {
    (
        hold.state(),
        hold.members.len(),
        hold.positive_count,
        hold.end_reason.clone(),
    )
}

async fn a_correction_is_a_new_version_with_its_reason(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..2).await;
    assert!(site.report("FZ-0001", 1, ResultValue::Negative).await.0);
    let mut client = ResultServiceClient::new(site.as_role(Role::Laboratory, Some("lab-1")));
    let correct = CorrectResultRequest {
        tube: "tubes/FZ-0001".to_owned(),
        report: "R-FZ-0001".to_owned(),
        value: ResultValue::Positive.into(),
        reason: "labels were swapped".to_owned(),
        request_id: "7c7a9f2e-8d57-4f2a-9d3b-1f2e3d4c5b6a".to_owned(),
        ..Default::default()
    };
    let first = client
        .correct_result(correct.clone())
        .await
        .expect("corrected");
    let again = client
        .correct_result(correct.clone())
        .await
        .expect("the same");
    assert_eq!(first.get_ref(), again.get_ref());
    assert_eq!(
        site.not_clear().await,
        2,
        "a negative that was positive holds"
    );
    let get = GetResultRequest {
        tube: correct.tube.clone(),
    };
    let force = client.get_result(get).await.expect("in force").into_inner();
    assert_eq!(&force, first.get_ref());
    assert_eq!(
        (force.version, force.reason.as_str()),
        (2, "labels were swapped")
    );
    let mut versions = Vec::new();
    let mut page_token = String::new();
    loop {
        let list = ListResultsRequest {
            tube: correct.tube.clone(),
            page_size: 1,
            page_token,
        };
        let page = client
            .list_results(list)
            .await
            .expect("a page")
            .into_inner();
        versions.extend(
            page.results
                .iter()
                .map(|result| (result.version, result.value())),
        );
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(
        versions,
        [(1, ResultValue::Negative), (2, ResultValue::Positive)]
    );
}

/// A request for a purpose.
fn meant<T>(request: T, purpose: &'static str) -> Request<T> {
    let mut request = Request::new(request);
    let purpose = purpose.parse().expect("a header");
    request.metadata_mut().insert(PURPOSE, purpose);
    request
}

/// The result of a tube may be one person's (rule 6.8).
async fn for_an_audit_results_are_read_only_when_somebody_approved_it(
    database: kit::scratch::Scratch,
) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..1).await;
    assert!(site.report("FZ-0001", 1, ResultValue::Negative).await.0);
    let roster = &site.0.roster.approvals;
    let school = format!("organizations/{SCHOOL}");
    let tube = || "tubes/FZ-0001".to_owned();
    let get = || GetResultRequest { tube: tube() };
    let list = || ListResultsRequest {
        tube: tube(),
        ..ListResultsRequest::default()
    };
    let at_school = school_path(SCHOOL);
    let doctor = site.0.authorised(&[Role::SchoolDoctor], &at_school);
    let mut doctor = ResultServiceClient::new(doctor);
    let read = doctor.get_result(meant(get(), "care")).await;
    read.expect("daily work");
    let read = doctor.list_results(meant(list(), "care")).await;
    read.expect("daily work");
    assert!(roster.heard().is_empty(), "daily work asks nobody");

    roster.say(&school, Answer::NotApproved);
    let not_approved = (Code::PermissionDenied, "ACCESS_NOT_APPROVED".to_owned());
    let refused = doctor.get_result(meant(get(), "audit")).await;
    assert_eq!(reason(&refused.expect_err("refused")), not_approved);
    let refused = doctor.list_results(meant(list(), "audit")).await;
    assert_eq!(reason(&refused.expect_err("refused")), not_approved);

    roster.say(&school, Answer::Approved);
    let used = |method: &str| UseAccessRequest {
        parent: school.clone(),
        data: MinorData::Sampling.into(),
        method: format!("ResultService.{method}"),
        ..UseAccessRequest::default()
    };
    let last = || roster.heard().pop().map(|(used, _)| used);
    let read = doctor.get_result(meant(get(), "audit")).await;
    assert_eq!(
        read.expect("approved").into_inner().value(),
        ResultValue::Negative
    );
    assert_eq!(last(), Some(used("GetResult")));
    let read = doctor.list_results(meant(list(), "audit")).await;
    assert_eq!(read.expect("approved").into_inner().results.len(), 1);
    assert_eq!(last(), Some(used("ListResults")));
}

async fn coverage(site: &Site, role: Role, organization: &str) -> Coverage {
    let request = GetCoverageRequest {
        scope: format!("organizations/{organization}"),
    };
    let mut client = CoverageServiceClient::new(site.as_role(role, None));
    let told = client.get_coverage(request).await.expect("coverage");
    told.into_inner()
}

async fn the_tubes_of_today_are_counted_with_what_was_corrected(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..3).await;
    site.filled("FZ-0002", 3..6).await;
    site.issue(PoolType::P10, &["FZ-0003", "FZ-0004"]).await;
    site.open_tube("FZ-0003", "").await;
    site.open_tube("FZ-0004", "").await;
    let void = VoidTubeRequest {
        name: "tubes/FZ-0004".to_owned(),
        reason: "damaged".to_owned(),
        ..VoidTubeRequest::default()
    };
    site.sampler().void_tube(void).await.expect("voided");
    assert!(site.report("FZ-0001", 1, ResultValue::Positive).await.0);
    let before = coverage(&site, Role::CityOfficer, CITY).await;
    let tubes = before.tubes.expect("tubes");
    assert_eq!(
        (tubes.opened_count, tubes.sealed_count, tubes.received_count),
        (3, 2, 2),
        "one is not sealed, and the voided one does not count"
    );
    assert_eq!((tubes.result_count, tubes.positive_count), (1, Some(1)));
    assert_eq!((tubes.corrected_count, tubes.last_correct_time), (0, None));
    assert_eq!(before.holds.expect("holds").hold_count, 1);

    site.0.clock.advance(chrono::Duration::minutes(1));
    for _ in 0..2 {
        assert!(site.report("FZ-0001", 2, ResultValue::Negative).await.0);
    }
    let corrected_at = to_timestamp(site.0.now());
    for organization in [CITY, DISTRICT, SCHOOL] {
        let after = coverage(&site, Role::CityOfficer, organization).await;
        let tubes = after.tubes.expect("tubes");
        assert_eq!((tubes.result_count, tubes.positive_count), (1, Some(0)));
        assert_eq!(
            (tubes.corrected_count, tubes.last_correct_time),
            (1, Some(corrected_at)),
            "{organization}"
        );
        assert_eq!(after.holds.expect("holds").hold_count, 0);
    }
    let request = ListCoverageRequest {
        parent: format!("organizations/{DISTRICT}"),
        ..ListCoverageRequest::default()
    };
    let mut client = CoverageServiceClient::new(site.as_role(Role::CityOfficer, None));
    let parts = client.list_coverage(request).await.expect("parts");
    let parts = parts.into_inner().coverages;
    let opened = |one: &Coverage| one.tubes.as_ref().map_or(0, |tubes| tubes.opened_count);
    assert_eq!(parts.iter().map(opened).sum::<i32>(), 3);

    site.0.clock.advance(chrono::Duration::days(1));
    let late = coverage(&site, Role::CityOfficer, CITY).await;
    let tubes = late.tubes.expect("tubes");
    assert_eq!(
        (tubes.opened_count, tubes.overdue_count),
        (0, 1),
        "the other one waits for its result since yesterday"
    );
}

async fn who_may_not_read_tubes_or_holds_is_not_told_how_many_there_are(
    database: kit::scratch::Scratch,
) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..3).await;
    assert!(site.report("FZ-0001", 1, ResultValue::Positive).await.0);
    let sampler = coverage(&site, Role::Sampler, CITY).await;
    let tubes = sampler.tubes.expect("a sampler reads tubes");
    assert_eq!((tubes.result_count, tubes.positive_count), (1, None));
    assert_eq!(sampler.holds, None);
    let reporter = coverage(&site, Role::ClassReporter, CITY).await;
    assert_eq!(reporter.tubes, None);
    assert_eq!(reporter.holds.expect("holds").hold_count, 1);
}
