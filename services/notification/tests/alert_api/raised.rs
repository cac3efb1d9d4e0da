//! What every alert says, whichever feed told its fact, and how one waits for it.

use chrono::Duration;
use kit::auth::Role;
use kit::db::statement;
use notification::domain::fact::{Kind, Severity};
use prost::Message;
use proto::notification as pb;
use proto::notification::alert::State;
use sea_orm::ConnectionTrait;
use tonic::Status;

use crate::town::world::{World, by};
use crate::town::{SCHOOL, SCHOOL_PATH, staff};

/// What the alert of a fact says.
pub(crate) struct Said<'a> {
    pub(crate) kind: Kind,
    pub(crate) severity: Severity,
    pub(crate) title: &'a str,
    pub(crate) upper: &'a str,
    pub(crate) basis: &'a str,
    pub(crate) rule: &'a str,
    pub(crate) people: i32,
    /// From when it came to be until somebody must have seen it.
    pub(crate) due: Duration,
    /// Nothing but its fact ends it.
    pub(crate) stands: bool,
}

impl Said<'_> {
    /// That an alert which has just been raised says so, and names nobody.
    pub(crate) fn by(&self, alert: &pb::Alert) {
        let kind = self.kind;
        assert_eq!(alert.kind, kind as i32);
        assert_eq!(alert.severity, self.severity as i32, "{kind:?}");
        assert_eq!(&*alert.title, self.title);
        assert!(alert.title_en.is_ascii() && !alert.title_en.is_empty());
        assert_eq!(alert.upper_organization, self.upper, "{kind:?}");
        let told = (
            &*alert.basis,
            &*alert.rule,
            alert.people_count,
            alert.fact_stands,
        );
        let expected = (self.basis, self.rule, self.people, self.stands);
        assert_eq!(told, expected, "{kind:?}");
        assert_eq!((alert.state(), &*alert.owner), (State::Open, &*staff(1)));
        let span = |time: Option<prost_types::Timestamp>| time.expect("an instant").seconds;
        let within = span(alert.due_time) - span(alert.occur_time);
        assert_eq!(within, self.due.num_seconds(), "{kind:?}");
        let bytes = alert.encode_to_vec();
        assert!(!bytes.windows(9).any(|part| part == b"students/"));
    }
}

/// The alerts of a kind at the school, the newest first.
pub(crate) async fn listed(world: &mut World, kind: Kind) -> Result<Vec<pb::Alert>, Status> {
    let ask = pb::ListAlertsRequest {
        parent: SCHOOL.to_owned(),
        kind: kind as i32,
        ..Default::default()
    };
    let ask = by("reader-1", Role::Principal, SCHOOL_PATH, ask);
    Ok(world.alerts.list_alerts(ask).await?.into_inner().alerts)
}

/// The same of a world that knows the school.
pub(crate) async fn alerts_of(world: &mut World, kind: Kind) -> Vec<pb::Alert> {
    listed(world, kind).await.expect("listed")
}

/// The only alert of a kind.
pub(crate) async fn only(world: &mut World, kind: Kind) -> pb::Alert {
    let mut alerts = alerts_of(world, kind).await;
    assert_eq!(alerts.len(), 1, "{kind:?}");
    alerts.remove(0)
}

/// Waits until the only alert of a kind is in a state.
pub(crate) async fn until(world: &mut World, kind: Kind, state: State) {
    for _ in 0..800 {
        // The register may have to be heard first.
        let alerts = listed(world, kind).await.unwrap_or_default();
        if alerts.iter().any(|alert| alert.state() == state) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("no alert of {kind:?} became {state:?}");
}

/// How often somebody was told, and how often with another alert or another party.
pub(crate) async fn told(world: &World) -> (i64, i64) {
    let (db, sql) = (
        world.db.read(),
        "SELECT COUNT(*), (SELECT COUNT(*) FROM (SELECT DISTINCT alert, party FROM told) d) FROM told",
    );
    let row = db.query_one_raw(statement(db, sql, [])).await;
    let row = row.expect("read").expect("a row");
    (
        row.try_get_by_index(0).expect("a number"),
        row.try_get_by_index(1).expect("a number"),
    )
}
