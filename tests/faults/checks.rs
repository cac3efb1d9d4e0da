//! Sampling is killed while classes report. Every check that was acknowledged is there exactly once
//! and as it was acknowledged, the counters are those of the checks, and fevers fired once.

use std::sync::Arc;

use kit::auth::Role;
use proto::notification::alert_service_client::AlertServiceClient;
use proto::notification::{Alert, ListAlertsRequest, alert};
use proto::roster::check_policy::Slot;
use proto::sampling::cluster_service_client::ClusterServiceClient;
use proto::sampling::screening_service_client::ScreeningServiceClient;
use proto::sampling::submit_check_response::Verdict;
use proto::sampling::{
    Check, Cluster, ListChecksRequest, ListClusterEventsRequest, ListClustersRequest,
};
use tests::checks::{figures, submit, three_fevers, zero};
use tests::city::{City, Store};
use tests::town::{Town, school, school_path};
use tests::{until, within};

use super::campaign::Campaign;
use super::kinds::Kind;
use super::strikes::{Plan, strike};

/// How often sampling is killed.
const CUTS: u32 = 5;
/// The checks that each class group submits.
const SLOTS: [Slot; 2] = [Slot::Morning, Slot::Noon];
/// The class group of each school with three fevers in the morning.
const FEVERISH: u32 = 1;

/// A town with checks enough for the cuts.
fn town() -> Town {
    Town {
        classes: 16,
        students: 5,
        ..Town::of(3)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_check_is_lost_or_counted_twice_when_sampling_is_killed_sqlite() {
    checks(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_check_is_lost_or_counted_twice_when_sampling_is_killed_postgres() {
    checks(Store::Postgres).await;
}

async fn checks(store: Store) {
    let Some(city) = City::open(store, town()).await else {
        return;
    };
    let (city, campaign) = (Arc::new(city), Campaign::new());
    let mut clients = tokio::task::JoinSet::new();
    for at in 1..=city.town.schools {
        clients.spawn(reporter(campaign.clone(), city.clone(), at));
    }
    let plan = Plan {
        kinds: &[Kind::Kill],
        services: &["sampling"],
        faults: CUTS,
        seed: 11,
    };
    strike(&campaign, &city, None, &plan).await;
    assert_eq!(campaign.tally.times(Kind::Kill.name()), CUTS);
    while let Some(ended) = within("the reporters end", clients.join_next()).await {
        let (at, acknowledged) = ended.expect("a reporter ends well");
        checks_stand(&city, at, &acknowledged).await;
        counters_equal_checks(&city, at).await;
        fevers_fired_once(&city, at).await;
    }
}

/// Submits every check of a school, some of them again; gives what was acknowledged.
async fn reporter(campaign: Campaign, city: Arc<City>, at: u32) -> (u32, Vec<Check>) {
    let door = city.door(Role::EpidemicReporter, &school_path(at));
    let town = city.town;
    let mut acknowledged = Vec::new();
    let all = SLOTS.into_iter().flat_map(|slot| {
        let classes = 1..=town.classes;
        classes.map(move |class| (slot, class))
    });
    for ((slot, class), number) in all.zip(0_u32..) {
        let check = match (slot, class) {
            (Slot::Morning, FEVERISH) => three_fevers(&city, at, class, slot),
            _ => zero(&town, at, class, slot),
        };
        let send = || submit(&door, &check);
        let answer = campaign.insist("sampling", "a check", send).await;
        // It may have been stored when the answer was cut.
        assert!(
            matches!(answer.verdict(), Verdict::Stored | Verdict::Repeated),
            "{answer:?}"
        );
        if number.is_multiple_of(3) {
            let send = || submit(&door, &check);
            let again = campaign.insist("sampling", "a repeat", send).await;
            assert_eq!(again.verdict(), Verdict::Repeated);
            assert_eq!(again.check, answer.check, "a repeat changes nothing");
        }
        acknowledged.extend(answer.check);
    }
    (at, acknowledged)
}

async fn checks_stand(city: &City, at: u32, acknowledged: &[Check]) {
    let door = city.door(Role::EpidemicReporter, &school_path(at));
    let mut stored = Vec::new();
    for slot in SLOTS {
        let request = ListChecksRequest {
            scope: format!("organizations/{}", school(at)),
            check_date: Some(kit::field::to_date(city.town.today)),
            slot: slot.into(),
            page_size: 1000,
            ..ListChecksRequest::default()
        };
        let mut client = ScreeningServiceClient::new(door.clone());
        let listed = client.list_checks(request).await;
        let listed = listed.expect("checks").into_inner();
        assert_eq!(listed.next_page_token, "", "a school is one page");
        stored.extend(listed.checks);
    }
    let by_name = |checks: &[Check]| {
        let mut checks = checks.to_vec();
        checks.sort_by(|one, other| one.name.cmp(&other.name));
        checks
    };
    assert_eq!(by_name(&stored), by_name(acknowledged), "school {at}");
    assert!(
        stored
            .iter()
            .all(|check| check.version == 1 && check.conflict_count == 0),
        "school {at}: each was stored once"
    );
}

async fn counters_equal_checks(city: &City, at: u32) {
    let door = city.door(Role::SchoolDoctor, &school_path(at));
    let told = figures(city, door, &school(at)).await;
    let (classes, students) = (city.town.classes as i32, city.town.students as i32);
    for (slot, ill) in SLOTS.into_iter().zip([1, 0]) {
        let counted = told.checks.iter().find(|one| one.slot() == slot);
        let counted = counted.expect("the check of the day");
        assert_eq!(
            (
                counted.submitted_count,
                counted.answered_count,
                counted.zero_count
            ),
            (classes, classes, classes - ill),
            "school {at}: {slot:?}"
        );
        assert_eq!(
            (counted.roll_count, counted.present_count),
            (classes * students, classes * students),
            "school {at}: {slot:?}"
        );
    }
    let ill = told.ill_count.and_then(|ill| ill.count);
    assert_eq!(ill, Some(3), "school {at}");
}

async fn fevers_fired_once(city: &City, at: u32) {
    let door = city.door(Role::SchoolDoctor, &school_path(at));
    let mut client = ClusterServiceClient::new(door);
    let request = ListClustersRequest {
        organization: format!("organizations/{}", school(at)),
        ..ListClustersRequest::default()
    };
    let listed = client.list_clusters(request).await.expect("clusters");
    let [cluster] = &listed.into_inner().clusters[..] else {
        panic!("school {at}: one cluster");
    };
    assert_eq!(cluster.class_group, city.town.class_group(at, FEVERISH));
    assert_eq!(cluster.person_count, 3);
    let request = ListClusterEventsRequest {
        cluster: cluster.name.clone(),
        ..ListClusterEventsRequest::default()
    };
    let listed = client.list_cluster_events(request).await.expect("a trail");
    let events = listed.into_inner().cluster_events;
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["FIRED"], "school {at}");
    let raised = until("the alert arrives", || async {
        let raised = alerts(city, at, cluster).await;
        (!raised.is_empty()).then_some(raised)
    });
    assert_eq!(raised.await.len(), 1, "school {at}: one alert");
}

/// The alerts of a school about a cluster.
async fn alerts(city: &City, at: u32, cluster: &Cluster) -> Vec<Alert> {
    let door = city.door(Role::EpidemicReporter, &school_path(at));
    let request = ListAlertsRequest {
        parent: format!("organizations/{}", school(at)),
        page_size: 1000,
        ..ListAlertsRequest::default()
    };
    let listed = AlertServiceClient::new(door).list_alerts(request).await;
    let mut alerts = listed.expect("alerts").into_inner().alerts;
    alerts.retain(|one| one.kind() == alert::Kind::ClusterFound);
    assert!(alerts.iter().all(|one| one.basis == cluster.name));
    alerts
}
