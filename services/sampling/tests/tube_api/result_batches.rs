//! Results of laboratories that have no streams: many in one message.

use kit::auth::Role;
use proto::sampling::result_service_client::ResultServiceClient;
use proto::sampling::submit_results_response::Verdict;
use proto::sampling::{
    BatchSubmitResultsRequest, BatchSubmitResultsResponse, ListCustodyEventsRequest,
    ListHoldEventsRequest, Result as Outcome, ResultValue, SubmitResultsRequest, hold, tube,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::site::Site;
use super::town::{Authorised, on_both_databases, reason};

on_both_databases!(
    a_batch_has_the_verdicts_and_the_effects_of_the_stream,
    a_batch_that_is_sent_again_has_one_effect,
    a_batch_has_five_hundred_results_at_most,
    a_laboratory_reports_of_its_own_tubes_only,
);

/// How many results a batch may have.
const MOST: usize = 500;
const REQUEST_ID: &str = "7c7a9f2e-8d57-4f2a-9d3b-1f2e3d4c5b6b";

fn result(code: &str, value: ResultValue) -> Outcome {
    Outcome {
        tube: format!("tubes/{code}"),
        report: format!("R-{code}"),
        version: 1,
        value: value.into(),
        ..Outcome::default()
    }
}

fn results_of(site: &Site, laboratory: &str) -> ResultServiceClient<Authorised> {
    ResultServiceClient::new(site.as_role(Role::Laboratory, Some(laboratory)))
}

async fn batch(
    site: &Site,
    results: Vec<Outcome>,
    request_id: &str,
) -> Result<BatchSubmitResultsResponse, Status> {
    let request = BatchSubmitResultsRequest {
        results,
        request_id: request_id.to_owned(),
    };
    let mut client = results_of(site, "lab-1");
    let answer = client.batch_submit_results(request).await;
    answer.map(tonic::Response::into_inner)
}

async fn stream(site: &Site, results: Vec<Outcome>) -> Vec<Verdict> {
    let request = SubmitResultsRequest { results };
    let mut client = results_of(site, "lab-1");
    let answers = client.submit_results(tokio_stream::iter([request])).await;
    let answer = answers.expect("a stream").into_inner().message().await;
    answer.expect("an answer").expect("one").verdicts
}

/// What is said of two tubes, and all that can be wrong with it.
fn said([positive, invalid]: [&str; 2]) -> Vec<Outcome> {
    vec![
        result(positive, ResultValue::Positive),
        result("NO-0001", ResultValue::Negative),
        result(invalid, ResultValue::Unspecified),
        result(positive, ResultValue::Negative),
        result(positive, ResultValue::Positive),
        result(invalid, ResultValue::Invalid),
    ]
}

/// The verdicts without their sentences.
fn told(sent: &[Outcome], verdicts: &[Verdict]) -> Vec<(bool, bool, String)> {
    let tubes = sent.iter().map(|result| &result.tube);
    assert!(tubes.eq(verdicts.iter().map(|verdict| &verdict.tube)));
    for verdict in verdicts {
        assert_eq!(verdict.accepted, verdict.error_message.is_empty());
    }
    let told = verdicts.iter();
    let told = told.map(|one| (one.accepted, one.repeated_result, one.error_reason.clone()));
    told.collect()
}

/// What has become of two tubes.
#[derive(Debug, PartialEq)]
struct End {
    tubes: Vec<(tube::State, ResultValue, i32)>,
    custody: Vec<(String, String, tube::State)>,
    hold: hold::State,
    members: usize,
    events: Vec<(String, String)>,
    make_ups: Vec<String>,
}

async fn end(site: &Site, [positive, invalid]: [&str; 2]) -> End {
    let (mut tubes, mut custody) = (Vec::new(), Vec::new());
    for code in [positive, invalid] {
        let tube = site.tube(code).await;
        tubes.push((tube.state(), tube.result(), tube.result_version));
        let request = ListCustodyEventsRequest {
            tube: tube.name,
            ..ListCustodyEventsRequest::default()
        };
        let listed = site.sampler().list_custody_events(request).await;
        let listed = listed.expect("events").into_inner().custody_events;
        let listed = listed.into_iter();
        custody.extend(listed.map(|one| (one.verb.clone(), one.actor.clone(), one.state())));
    }
    let hold = site.hold(positive).await;
    let request = ListHoldEventsRequest {
        hold: hold.name.clone(),
        ..ListHoldEventsRequest::default()
    };
    let events = site.holds().list_hold_events(request).await;
    let events = events.expect("lines").into_inner().hold_events.into_iter();
    let of_the_tube = |person: &String| hold.members.contains(person);
    let make_ups = site.make_ups().await.into_iter();
    End {
        tubes,
        custody,
        hold: hold.state(),
        members: hold.members.len(),
        events: events.map(|one| (one.kind, one.actor)).collect(),
        make_ups: make_ups
            .filter(|(person, _)| !of_the_tube(person))
            .map(|(_, cause)| cause)
            .collect(),
    }
}

async fn a_batch_has_the_verdicts_and_the_effects_of_the_stream(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let (one, other) = (["BA-0001", "BA-0002"], ["ST-0001", "ST-0002"]);
    for (code, first) in one.into_iter().chain(other).zip([0, 3, 6, 9]) {
        site.filled(code, first..first + 3).await;
    }
    let sent = said(one);
    let answer = batch(&site, sent.clone(), "").await.expect("verdicts");
    let by_batch = told(&sent, &answer.verdicts);
    let expected = [
        (true, false, ""),
        (false, false, "SCOPE_DENIED"),
        (false, false, "INVALID_FIELD"),
        (false, false, "RESULT_CONFLICT"),
        (true, true, ""),
        (true, false, ""),
    ];
    let expected = expected.map(|(taken, before, why)| (taken, before, why.to_owned()));
    assert_eq!(by_batch, expected);
    assert_eq!(site.not_clear().await, 3, "who shared the tube is held");
    let of_the_batch = end(&site, one).await;
    assert_eq!(
        (of_the_batch.hold, of_the_batch.members),
        (hold::State::Active, 3)
    );
    assert_eq!(of_the_batch.make_ups, ["INVALID"; 3]);

    let sent = said(other);
    assert_eq!(told(&sent, &stream(&site, sent.clone()).await), by_batch);
    assert_eq!(site.not_clear().await, 6);
    let mut of_the_stream = end(&site, other).await;
    assert_eq!(of_the_stream.make_ups.len(), 6, "those of both");
    of_the_stream.make_ups.truncate(3);
    assert_eq!(of_the_stream, of_the_batch);
}

async fn a_batch_that_is_sent_again_has_one_effect(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..2).await;
    let found = || vec![result("FZ-0001", ResultValue::Positive)];
    let first = batch(&site, found(), REQUEST_ID).await.expect("taken");
    let again = batch(&site, found(), REQUEST_ID).await.expect("the same");
    assert_eq!(again, first, "a repeat gets the first answer");
    let accepted = |repeated| vec![(true, repeated, String::new())];
    assert_eq!(told(&found(), &first.verdicts), accepted(false));

    let anew = batch(&site, found(), "").await.expect("taken before");
    assert_eq!(told(&found(), &anew.verdicts), accepted(true));
    let other = vec![result("FZ-0001", ResultValue::Negative)];
    let refused = batch(&site, other, REQUEST_ID).await.expect_err("refused");
    let reused = (Code::InvalidArgument, "REQUEST_ID_REUSED".to_owned());
    assert_eq!(reason(&refused), reused);
    let refused = batch(&site, found(), "none").await.expect_err("no UUID");
    assert_eq!(fields(&refused), ["request_id"]);
    assert_eq!(site.count("SELECT COUNT(*) FROM results").await, 1);
    assert_eq!(site.not_clear().await, 2);
}

/// The fields that are wrong with a request.
fn fields(refused: &Status) -> Vec<String> {
    assert_eq!(
        reason(refused),
        (Code::InvalidArgument, "INVALID_FIELD".to_owned())
    );
    let details = refused.get_error_details();
    let violations = details.bad_request().map(|bad| &bad.field_violations);
    let violations = violations.into_iter().flatten();
    violations.map(|one| one.field.clone()).collect()
}

async fn a_batch_has_five_hundred_results_at_most(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..2).await;
    let of = |many: usize| {
        let own = result("FZ-0001", ResultValue::Negative);
        let others = (1..many).map(|at| result(&format!("NO-{at:04}"), ResultValue::Negative));
        std::iter::once(own).chain(others).take(many).collect()
    };
    for many in [0, MOST + 1] {
        let refused = batch(&site, of(many), "").await.expect_err("refused");
        assert_eq!(fields(&refused), ["results"], "{many}");
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM results").await, 0);
    let whole = batch(&site, of(MOST), "").await.expect("verdicts").verdicts;
    assert_eq!((whole.len(), whole[0].accepted), (MOST, true));
    let mut others = whole.iter().skip(1);
    assert!(others.all(|one| one.error_reason == "SCOPE_DENIED"));
    assert_eq!(site.count("SELECT COUNT(*) FROM results").await, 1);
}

async fn a_laboratory_reports_of_its_own_tubes_only(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..2).await;
    let request = BatchSubmitResultsRequest {
        results: vec![result("FZ-0001", ResultValue::Positive)],
        ..BatchSubmitResultsRequest::default()
    };
    let mut other = results_of(&site, "lab-2");
    let answer = other.batch_submit_results(request.clone()).await;
    let verdicts = answer.expect("a verdict").into_inner().verdicts;
    let denied = vec![(false, false, "SCOPE_DENIED".to_owned())];
    assert_eq!(told(&request.results, &verdicts), denied);
    let mut doctor = ResultServiceClient::new(site.as_role(Role::SchoolDoctor, None));
    let refused = doctor.batch_submit_results(request).await;
    let refused = refused.expect_err("a doctor submits none");
    let denied = (Code::PermissionDenied, "SCOPE_DENIED".to_owned());
    assert_eq!(reason(&refused), denied);
    assert_eq!(site.count("SELECT COUNT(*) FROM results").await, 0);
}
