//! A day of health across five processes, as those who work in it see it through the gateway: a
//! class reports, another does not, fevers become a cluster and an alert, the gate keeps out who is
//! ill, and what humans decide comes to pass.

mod approved;
mod decisions;
mod elsewhere;
mod outside;
mod returns;
mod season;

use std::time::{Duration, Instant};

use kit::auth::Role;
use proto::notification::alert;
use proto::privacy::PrivateCount;
use proto::roster::check_policy::Slot;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_reason::Code as Why;
use proto::sampling::cluster_service_client::ClusterServiceClient;
use proto::sampling::health_service_client::HealthServiceClient;
use proto::sampling::screening_service_client::ScreeningServiceClient;
use proto::sampling::submit_check_response::Verdict;
use proto::sampling::{
    AbsenceReason, AcknowledgeClusterRequest, CheckAbsence, CheckSubmission, Cluster,
    GetClusterRequest, ListClustersRequest, ListMissingRequest, ObservePersonRequest,
    ReleaseObservationRequest, check, cluster, health_state,
};
use tests::city::{City, Door, Store};
use tests::town::{CITY, DISTRICT, Town, school, school_path};
use tests::until;
use tonic::Code;

use crate::checks::{figures, reporter, submit, three_fevers};
use crate::verbs::{acknowledge, alert_about, enter, expect, request_id};

/// The school where people fall ill.
const HERE: u32 = 1;
/// The class group with fevers, and the one with hand, foot and mouth disease.
const FEVERISH: u32 = 1;
const SUSPENDED: u32 = 2;
/// How soon the gate has heard of who is ill and who is well again.
const SOON: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_health_from_a_check_to_a_suspension_sqlite() {
    a_day(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_health_from_a_check_to_a_suspension_postgres() {
    a_day(Store::Postgres).await;
}

async fn a_day(store: Store) {
    let Some(city) = City::open(store, Town::of(2)).await else {
        return;
    };
    let ill = city.student(HERE, FEVERISH, 1);
    let before = enter(&city, HERE, ill).await;
    assert_eq!(before.effective_result(), Outcome::Admit);

    fevers_are_reported(&city).await;
    the_gate_keeps_out(&city, ill).await;
    who_did_not_report_is_missing(&city).await;
    small_figures_are_hidden_above(&city).await;

    let cluster = the_cluster_is_seen(&city).await;
    the_alert_is_acknowledged(&city, &cluster).await;
    the_doctor_lets_go(&city, ill).await;

    let absence = decisions::an_absence_is_traced(&city).await;
    let suspension = decisions::a_suspension_is_approved(&city).await;
    let case = decisions::a_case_goes_up(&city).await;
    returns::a_pupil_returns_by_appeal(&city).await;
    outside::a_region_is_closed_and_opened(&city).await;
    outside::rules_are_tried(&city).await;
    outside::contacts_are_found_and_confirmed(&city).await;
    outside::staffing_is_seen(&city).await;
    approved::an_audit_takes_an_approval(&city).await;
    let seen = elsewhere::Seen {
        cluster: cluster.name,
        absence,
        suspension,
        case,
    };
    elsewhere::sees_nothing(&city, &seen).await;
}

fn doctor(city: &City) -> Door {
    city.door(Role::SchoolDoctor, &school_path(HERE))
}

fn district(city: &City) -> Door {
    city.door(Role::DistrictOfficer, &format!("{CITY}/{DISTRICT}"))
}

/// The reporter of a class group submits its check, with somebody away; nobody else's is theirs.
async fn fevers_are_reported(city: &City) {
    let own = reporter(city, HERE, FEVERISH);
    let other = three_fevers(city, HERE, SUSPENDED, Slot::Morning);
    let refused = submit(&own, &other).await;
    expect(
        "another class group",
        refused,
        Code::PermissionDenied,
        "SCOPE_DENIED",
    );
    let fevers = three_fevers(city, HERE, FEVERISH, Slot::Morning);
    let check = CheckSubmission {
        present_count: fevers.roll_count - 1,
        absent_count: 1,
        absences: vec![CheckAbsence {
            person: city.student(HERE, FEVERISH, 20).to_owned(),
            reason: AbsenceReason::Unknown.into(),
        }],
        ..fevers
    };
    let first = submit(&own, &check).await.expect("submitted");
    let stored = first.check.clone().expect("a check");
    assert_eq!(first.verdict(), Verdict::Stored);
    let findings = stored.finding_count.and_then(|findings| findings.count);
    assert_eq!(
        (stored.state(), findings),
        (check::State::Symptoms, Some(3))
    );
    let again = submit(&own, &check).await.expect("submitted again");
    assert_eq!(again.verdict(), Verdict::Repeated);
}

async fn the_gate_keeps_out(city: &City, ill: &str) {
    let begun = Instant::now();
    let denied = until("the gate denies", || async {
        let decision = enter(city, HERE, ill).await;
        (decision.effective_result() == Outcome::Deny).then_some(decision)
    })
    .await;
    assert!(begun.elapsed() < SOON, "after {:?}", begun.elapsed());
    let [why] = &denied.reasons[..] else {
        panic!("one reason: {denied:?}");
    };
    assert_eq!(why.code(), Why::NotAdmitted);
    let well = enter(city, HERE, city.student(HERE, FEVERISH, 4)).await;
    assert_eq!(
        well.effective_result(),
        Outcome::Admit,
        "who is well comes in"
    );
}

/// The class groups of the school that have not submitted a check.
async fn missing(city: &City, slot: Slot) -> Vec<String> {
    let request = ListMissingRequest {
        scope: format!("organizations/{}", school(HERE)),
        slot: slot.into(),
        page_size: 100,
        ..ListMissingRequest::default()
    };
    let door = city.door(Role::EpidemicReporter, &school_path(HERE));
    let mut client = ScreeningServiceClient::new(door);
    let listed = client.list_missing(request).await;
    let listed = listed.expect("who is missing").into_inner();
    let scopes = listed.missing_checks.into_iter().map(|one| one.scope);
    scopes
        .filter(|scope| scope.contains("/classGroups/p"))
        .collect()
}

async fn who_did_not_report_is_missing(city: &City) {
    let both = [FEVERISH, SUSPENDED].map(|class| city.town.class_group(HERE, class));
    assert_eq!(missing(city, Slot::Morning).await, both[1..]);
    assert_eq!(missing(city, Slot::Noon).await, both);
}

async fn small_figures_are_hidden_above(city: &City) {
    let above = figures(city, city.door(Role::CityOfficer, CITY), CITY).await;
    let morning = above.checks.iter().find(|one| one.slot() == Slot::Morning);
    let morning = morning.expect("the morning");
    assert_eq!(
        (
            morning.submitted_count,
            morning.zero_count,
            morning.absent_count
        ),
        (1, 0, 1)
    );
    let hidden = PrivateCount {
        count: None,
        hidden: true,
    };
    assert_eq!(above.ill_count, Some(hidden));
    let here = figures(city, doctor(city), &school(HERE)).await;
    let count = here.ill_count.and_then(|ill| ill.count);
    assert_eq!(count, Some(3), "the doctor may know");
}

async fn the_cluster_is_seen(city: &City) -> Cluster {
    let mut above = ClusterServiceClient::new(district(city));
    let request = ListClustersRequest {
        organization: format!("organizations/{DISTRICT}"),
        state: cluster::State::Open.into(),
        ..ListClustersRequest::default()
    };
    let listed = above.list_clusters(request).await.expect("clusters");
    let [found] = &listed.into_inner().clusters[..] else {
        panic!("one cluster");
    };
    let rule = found.rule.clone().expect("its rule");
    assert_eq!(rule.code, "similar-1-class");
    assert!(rule.numbers.contains(&"1.15".to_owned()), "{rule:?}");
    assert!(
        !rule.source.is_empty() && !rule.sentence.is_ascii(),
        "{rule:?}"
    );
    assert_eq!(found.class_group, city.town.class_group(HERE, FEVERISH));
    assert_eq!((found.person_count, found.stands), (3, true));

    let request = GetClusterRequest {
        name: found.name.clone(),
    };
    let read = above.get_cluster(request.clone()).await.expect("a cluster");
    assert_eq!(read.into_inner().people, [], "the district sees nobody");
    let mut here = ClusterServiceClient::new(doctor(city));
    let read = here.get_cluster(request).await.expect("a cluster");
    let read = read.into_inner();
    let mut people: Vec<&str> = read.people.iter().map(|one| one.person.as_str()).collect();
    let mut ill = [1, 2, 3].map(|place| city.student(HERE, FEVERISH, place));
    people.sort_unstable();
    ill.sort_unstable();
    assert_eq!(people, ill, "the doctor sees them all");
    read
}

/// The school sees the alert and takes the cluster up.
async fn the_alert_is_acknowledged(city: &City, found: &Cluster) {
    let raised = until("the alert arrives", || alert_about(city, HERE, &found.name)).await;
    assert_eq!(raised.kind(), alert::Kind::ClusterFound);
    assert_eq!(
        (raised.state(), raised.people_count),
        (alert::State::Open, 3)
    );
    assert_eq!(raised.owner, city.staff(HERE, "疫情报告人"));
    let seen = acknowledge(city, HERE, raised.name).await;
    assert_eq!(seen.state(), alert::State::Acknowledged);

    let request = AcknowledgeClusterRequest {
        name: found.name.clone(),
        note: "已核实".to_owned(),
        request_id: request_id(),
    };
    let mut clusters = ClusterServiceClient::new(doctor(city));
    let taken = clusters.acknowledge_cluster(request).await;
    let taken = taken.expect("is taken up").into_inner();
    assert_eq!(taken.state(), cluster::State::Acknowledged);
}

/// Repeated readings are normal, so that the gate lets the pupil in again (rule 3.3).
async fn the_doctor_lets_go(city: &City, ill: &str) {
    let mut client = HealthServiceClient::new(doctor(city));
    let observe = ObservePersonRequest {
        name: format!("{ill}/health"),
        room: "观察室".to_owned(),
        guardian_notified: true,
        request_id: request_id(),
        ..ObservePersonRequest::default()
    };
    let observed = client.observe_person(observe).await;
    let observed = observed.expect("is observed").into_inner();
    assert_eq!(observed.state(), health_state::State::InTempObservation);
    let release = ReleaseObservationRequest {
        name: format!("{ill}/health"),
        readings_tenths: vec![368, 366],
        no_symptoms: true,
        request_id: request_id(),
        ..ReleaseObservationRequest::default()
    };
    let released = client.release_observation(release).await;
    let released = released.expect("is let go").into_inner();
    assert_eq!(released.state(), health_state::State::Normal);
    let begun = Instant::now();
    until("the gate admits again", || async {
        let decision = enter(city, HERE, ill).await;
        (decision.effective_result() == Outcome::Admit).then_some(())
    })
    .await;
    assert!(begun.elapsed() < SOON, "after {:?}", begun.elapsed());
    let other = enter(city, HERE, city.student(HERE, FEVERISH, 2)).await;
    assert_eq!(
        other.effective_result(),
        Outcome::Deny,
        "nobody saw the other one"
    );
}
