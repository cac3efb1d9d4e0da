//! Faults strike sampling and the gateway while classes report, and correct what they reported. Every check
//! that was acknowledged is there exactly once and as it was acknowledged, no correction is taken twice, the
//! counters are those of the checks, and fevers fired once.
//!
//! `CAMPUS_CUTS` says how many faults strike on each database; 9 when it is not set, one of each kind.

use std::sync::Arc;
use std::time::Instant;

use kit::auth::Role;
use proto::notification::alert_service_client::AlertServiceClient;
use proto::notification::{Alert, ListAlertsRequest, alert};
use proto::roster::check_policy::Slot;
use proto::sampling::cluster_service_client::ClusterServiceClient;
use proto::sampling::screening_service_client::ScreeningServiceClient;
use proto::sampling::submit_check_response::Verdict;
use proto::sampling::{
    Check, CheckSubmission, Cluster, CorrectCheckRequest, ListChecksRequest,
    ListClusterEventsRequest, ListClustersRequest, SubmitCheckResponse, check,
};
use tests::checks::{figures, submit, three_fevers, zero};
use tests::city::{City, Door, Store};
use tests::town::{Town, school, school_path};
use tests::verbs::request_id;
use tests::{until, within};
use tokio::task::JoinSet;
use tonic::Status;

use super::campaign::Campaign;
use super::strikes::{Plan, strike};
use super::{kinds, settings, wired};

/// How many faults strike when nobody says it.
const FAULTS: u32 = 9;
/// Which services are struck.
const STRUCK: [&str; 2] = ["sampling", "gateway"];
/// The checks that each class group submits.
const SLOTS: [Slot; 2] = [Slot::Morning, Slot::Noon];
/// The class group of each school with three fevers in the morning.
const FEVERISH: u32 = 1;
/// How often a check is corrected at most: it may be submitted 50 times.
const CORRECTIONS: u32 = 40;

/// A town with checks enough for the usual faults.
fn town() -> Town {
    Town {
        classes: 16,
        students: 5,
        ..Town::of(3)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_check_is_lost_or_counted_twice_whatever_strikes_sqlite() {
    checks(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_check_is_lost_or_counted_twice_whatever_strikes_postgres() {
    checks(Store::Postgres).await;
}

async fn checks(store: Store) {
    let Some((cluster, city)) = wired(store, town()).await else {
        return;
    };
    let (kinds, mut notes) = kinds(store, cluster.as_ref());
    let plan = Plan {
        kinds: &kinds,
        services: &STRUCK,
        faults: settings::faults(FAULTS),
        seed: settings::seed(),
    };
    let (city, campaign, begun) = (Arc::new(city), Campaign::new(), Instant::now());
    let mut clients = JoinSet::new();
    for at in 1..=city.town.schools {
        clients.spawn(reporter(campaign.clone(), city.clone(), at));
    }
    tokio::select! {
        () = strike(&campaign, &city, cluster.as_ref(), &plan) => {}
        Some(ended) = clients.join_next() => panic!("a reporter ended early: {ended:?}"),
    }
    campaign.end();
    let mut all = Vec::new();
    while let Some(ended) = within("the reporters end", clients.join_next()).await {
        all.push(ended.expect("a reporter ends well"));
    }
    let standing = all.iter().flat_map(|(_, acknowledged)| acknowledged);
    let submitted: i64 = standing.map(|check| check.version).sum();
    notes.push(format!("acknowledged {submitted} checks and corrections"));
    let heading = format!(
        "Checks on {store:?}: {} faults by seed {} in {:.1} s",
        plan.faults,
        plan.seed,
        begun.elapsed().as_secs_f64()
    );
    campaign.tally.report(&heading, &notes);
    campaign.tally.is_free_of_internal_errors();
    for (at, acknowledged) in all {
        checks_stand(&campaign, &city, at, &acknowledged).await;
        counters_equal_checks(&city, at).await;
        fevers_fired_once(&campaign, &city, at).await;
    }
}

/// What is sent of a check.
struct Report {
    check: CheckSubmission,
    /// The check that it corrects; none for the first that is said of it.
    corrects: Option<String>,
}

impl Report {
    async fn send(&self, door: &Door) -> Result<SubmitCheckResponse, Status> {
        let Some(name) = &self.corrects else {
            return submit(door, &self.check).await;
        };
        let request = CorrectCheckRequest {
            name: name.clone(),
            check: Some(self.check.clone()),
            correction_reason: "点名有误".to_owned(),
        };
        let mut client = ScreeningServiceClient::new(door.clone());
        Ok(client.correct_check(request).await?.into_inner())
    }

    /// Sends it until it is acknowledged, and sometimes once more; what stands then.
    async fn insist(&self, campaign: &Campaign, door: &Door, number: u32) -> Check {
        let send = || self.send(door);
        let answer = campaign.insist("sampling", "a check", send).await;
        // It may have been stored when the answer was cut.
        assert!(
            matches!(answer.verdict(), Verdict::Stored | Verdict::Repeated),
            "{answer:?}"
        );
        if number.is_multiple_of(3) {
            let again = campaign.insist("sampling", "a repeat", send).await;
            assert_eq!(again.verdict(), Verdict::Repeated);
            assert_eq!(again.check, answer.check, "a repeat changes nothing");
        }
        answer.check.expect("a check stands")
    }
}

/// Submits every check of a school and corrects those without anybody ill, some of them again, until the
/// campaign is over; gives what was acknowledged last.
async fn reporter(campaign: Campaign, city: Arc<City>, at: u32) -> (u32, Vec<Check>) {
    let door = city.door(Role::EpidemicReporter, &school_path(at));
    let town = city.town;
    let mut reports = Vec::new();
    let all = SLOTS.into_iter().flat_map(|slot| {
        let classes = 1..=town.classes;
        classes.map(move |class| (slot, class))
    });
    for ((slot, class), number) in all.zip(0_u32..) {
        let check = match (slot, class) {
            (Slot::Morning, FEVERISH) => three_fevers(&city, at, class, slot),
            _ => zero(&town, at, class, slot),
        };
        let report = Report {
            check,
            corrects: None,
        };
        let stands = report.insist(&campaign, &door, number).await;
        reports.push((report, stands));
    }
    'campaign: for round in 1_u32.. {
        for ((report, stands), number) in reports.iter_mut().zip(round..) {
            if campaign.is_over() {
                break 'campaign;
            }
            let corrects = round <= CORRECTIONS && stands.state() == check::State::Zero;
            if corrects {
                report.check.client_id = request_id();
                report.corrects = Some(stands.name.clone());
            }
            let before = std::mem::replace(stands, report.insist(&campaign, &door, number).await);
            if corrects {
                assert_eq!(stands.version, before.version + 1, "it is taken once");
            } else {
                assert_eq!(*stands, before, "a repeat changes nothing");
            }
        }
    }
    (at, reports.into_iter().map(|(_, stands)| stands).collect())
}

async fn checks_stand(campaign: &Campaign, city: &City, at: u32, acknowledged: &[Check]) {
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
        let listed = campaign.insist("sampling", "checks", || {
            let mut client = ScreeningServiceClient::new(door.clone());
            let request = request.clone();
            async move { client.list_checks(request).await }
        });
        let listed = listed.await.into_inner();
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
        stored.iter().all(|check| check.conflict_count == 0),
        "school {at}: nothing contradicts what stands"
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

async fn fevers_fired_once(campaign: &Campaign, city: &City, at: u32) {
    let door = city.door(Role::SchoolDoctor, &school_path(at));
    let clusters = ClusterServiceClient::new(door);
    let request = ListClustersRequest {
        organization: format!("organizations/{}", school(at)),
        ..ListClustersRequest::default()
    };
    let listed = campaign.insist("sampling", "clusters", || {
        let (mut clusters, request) = (clusters.clone(), request.clone());
        async move { clusters.list_clusters(request).await }
    });
    let [cluster] = &listed.await.into_inner().clusters[..] else {
        panic!("school {at}: one cluster");
    };
    assert_eq!(cluster.class_group, city.town.class_group(at, FEVERISH));
    assert_eq!(cluster.person_count, 3);
    let request = ListClusterEventsRequest {
        cluster: cluster.name.clone(),
        ..ListClusterEventsRequest::default()
    };
    let listed = campaign.insist("sampling", "a trail", || {
        let (mut clusters, request) = (clusters.clone(), request.clone());
        async move { clusters.list_cluster_events(request).await }
    });
    let events = listed.await.into_inner().cluster_events;
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["FIRED"], "school {at}");
    let raised = until("the alert arrives", || async {
        let raised = alerts(city, at, cluster).await.ok()?;
        (!raised.is_empty()).then_some(raised)
    });
    assert_eq!(raised.await.len(), 1, "school {at}: one alert");
}

/// The alerts of a school about a cluster.
async fn alerts(city: &City, at: u32, cluster: &Cluster) -> Result<Vec<Alert>, Status> {
    let door = city.door(Role::EpidemicReporter, &school_path(at));
    let request = ListAlertsRequest {
        parent: format!("organizations/{}", school(at)),
        page_size: 1000,
        ..ListAlertsRequest::default()
    };
    let listed = AlertServiceClient::new(door).list_alerts(request).await;
    let mut alerts = listed?.into_inner().alerts;
    alerts.retain(|one| one.kind() == alert::Kind::ClusterFound);
    assert!(alerts.iter().all(|one| one.basis == cluster.name));
    Ok(alerts)
}
