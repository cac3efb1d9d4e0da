//! Alerts for broken glasses, as the organisation above sees them.

use kit::auth::{BREAK_GLASS, Role};
use kit::scratch::Scratch;
use notification::domain::fact::Kind;
use proto::notification as pb;
use proto::notification::alert::{Severity, State};
use proto::roster::SnapshotRequest;
use proto::roster::roster_feed_client::RosterFeedClient;
use tonic::Request;
use uuid::Uuid;

use crate::raised;
use crate::town::neighbours::Neighbours;
use crate::town::on_both;
use crate::town::world::{World, by};
use crate::town::{BUREAU, BUREAU_PATH, SCHOOL, SCHOOL_PATH, town};

on_both!(
    a_broken_glass_is_told_to_the_bureau_and_not_to_the_school,
    a_further_use_after_the_end_of_an_alert_raises_another,
    none_is_missed_while_the_service_was_down,
);

const WHY: &str = "食堂聚集性呕吐，急需查看健康状况";

/// A request of a principal who breaks the glass.
fn breaking<T>(subject: &str, message: T) -> Request<T> {
    let mut request = by(subject, Role::Principal, SCHOOL_PATH, message);
    let why: String = WHY.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let why = why.parse().expect("a header");
    request.metadata_mut().insert(BREAK_GLASS, why);
    request
}

fn of_school() -> pb::ListAlertsRequest {
    pb::ListAlertsRequest {
        parent: SCHOOL.to_owned(),
        ..Default::default()
    }
}

impl World {
    async fn break_glass(&mut self, subject: &str) {
        let asked = self.alerts.list_alerts(breaking(subject, of_school()));
        asked.await.expect("listed");
    }

    /// The alerts for broken glasses that the bureau has, the newest first.
    async fn glasses(&mut self) -> Vec<pb::Alert> {
        let ask = pb::ListAlertsRequest {
            parent: BUREAU.to_owned(),
            kind: Kind::BreakGlassUsed as i32,
            ..Default::default()
        };
        let ask = by("officer", Role::DistrictOfficer, BUREAU_PATH, ask);
        // The register may have to be heard first.
        let listed = self.alerts.list_alerts(ask).await;
        listed.map_or_else(|_| Vec::new(), |listed| listed.into_inner().alerts)
    }

    /// The same once they are as `wanted`.
    async fn glasses_until(&mut self, wanted: impl Fn(&[pb::Alert]) -> bool) -> Vec<pb::Alert> {
        for _ in 0..1200 {
            let alerts = self.glasses().await;
            if wanted(&alerts) {
                return alerts;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("{:?}", self.glasses().await);
    }

    async fn end(&mut self, name: &str) {
        let id = || Uuid::new_v4().to_string();
        let acknowledge = pb::AcknowledgeAlertRequest {
            name: name.to_owned(),
            request_id: id(),
            ..Default::default()
        };
        let acknowledge = by("officer", Role::DistrictOfficer, BUREAU_PATH, acknowledge);
        let acknowledged = self.alerts.acknowledge_alert(acknowledge).await;
        acknowledged.expect("acknowledged");
        let take = pb::TakeAlertRequest {
            name: name.to_owned(),
            request_id: id(),
            ..Default::default()
        };
        let take = by("officer", Role::DistrictOfficer, BUREAU_PATH, take);
        self.alerts.take_alert(take).await.expect("taken");
        let resolve = pb::ResolveAlertRequest {
            name: name.to_owned(),
            comment: "已核对理由".to_owned(),
            request_id: id(),
        };
        let resolve = by("officer", Role::DistrictOfficer, BUREAU_PATH, resolve);
        self.alerts.resolve_alert(resolve).await.expect("ended");
    }
}

async fn a_broken_glass_is_told_to_the_bureau_and_not_to_the_school(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    world.break_glass("principal-1").await;
    let alerts = world.glasses_until(|alerts| !alerts.is_empty()).await;
    let [alert] = &alerts[..] else {
        panic!("one alert: {alerts:?}");
    };
    assert!(
        alert.name.starts_with(&format!("{BUREAU}/alerts/")),
        "{alert:?}"
    );
    assert!(
        alert.basis.starts_with("auditLogs/notification/records/"),
        "{alert:?}"
    );
    let told = (
        alert.state(),
        alert.severity(),
        &*alert.rule,
        alert.fact_stands,
    );
    assert_eq!(told, (State::Open, Severity::Warning, "6.8", false));
    let told = format!("{alert:?}");
    assert!(
        !told.contains("principal-1") && !told.contains(WHY),
        "{told}"
    );
    // More of the same caller is the same alert, another caller is another.
    world.break_glass("principal-1").await;
    world.break_glass("principal-2").await;
    let alerts = world
        .glasses_until(|alerts| {
            alerts.len() == 2 && alerts.iter().any(|alert| alert.title.contains("2 次"))
        })
        .await;
    assert!(
        alerts.iter().any(|alert| alert.title.contains("1 次")),
        "{alerts:?}"
    );
    let own = raised::alerts_of(&mut world, Kind::BreakGlassUsed).await;
    assert_eq!(own, [], "the school judges none of its own");
}

async fn a_further_use_after_the_end_of_an_alert_raises_another(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    world.break_glass("principal-1").await;
    let alerts = world.glasses_until(|alerts| !alerts.is_empty()).await;
    world.end(&alerts[0].name).await;
    world.break_glass("principal-1").await;
    let alerts = world.glasses_until(|alerts| alerts.len() == 2).await;
    let mut states: Vec<State> = alerts.iter().map(pb::Alert::state).collect();
    states.sort_by_key(|state| *state as i32);
    assert_eq!(states, [State::Open, State::Resolved]);
}

async fn none_is_missed_while_the_service_was_down(scratch: Scratch) {
    let neighbours = Neighbours::start().await;
    neighbours.tell_roster(town()).await;
    let mut world = World::beside(scratch, neighbours.address()).await;
    world.stop().await;
    let channel = kit::channel::connect_lazy(&neighbours.address()).expect("an address");
    let asked = breaking("principal-1", SnapshotRequest::default());
    let asked = RosterFeedClient::new(channel).snapshot(asked).await;
    asked.expect("a snapshot");
    world.start().await;
    // The neighbours of the test have one log between them, so each tells of the same use.
    let alerts = world.glasses_until(|alerts| alerts.len() == 3).await;
    let mut bases: Vec<&str> = alerts
        .iter()
        .filter_map(|alert| alert.basis.split('/').nth(1))
        .collect();
    bases.sort_unstable();
    assert_eq!(bases, ["roster", "safety-inspection", "sampling"]);
    world.stop().await;
    world.start().await;
    world.break_glass("principal-1").await;
    let alerts = world.glasses_until(|alerts| alerts.len() > 3).await;
    assert_eq!(alerts.len(), 4, "what was told is not told again");
    neighbours.running.stop().await.expect("stopped");
}
