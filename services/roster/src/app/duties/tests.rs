//! Hand-overs that begin while the clock goes on.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use kit::auth::{Caller, Role};
use kit::clock::{Clock, ManualClock};
use kit::db::Database;
use kit::feed::{Feed, spawn_sequencer};
use kit::org::OrgPath;
use kit::vault::{MasterKeys, ROOT, Suite};
use prost::Message;
use proto::roster::RosterEvent;
use proto::roster::roster_event::State;

use super::*;
use crate::Migrator;
use crate::app::announce::FEED;
use crate::app::responsibility::Draft;
use crate::app::{Act, staff};
use crate::domain::organization::{Kind, Organization, Stages};
use crate::domain::private::Private;
use crate::domain::responsibility::Subject;
use crate::domain::staff::{Posts, State as Employment};
use crate::store::organizations;
use crate::vault::Vault;

fn app(db: Database, clock: &ManualClock) -> App {
    let mut vault = kit::vault::Vault::new(&MasterKeys::from([7; 32]), "test");
    for id in [ROOT, 1] {
        let key = vault.make_key(id, Suite::International);
        vault.take_up(&key).expect("its own key");
    }
    App {
        db,
        clock: Arc::new(clock.clone()),
        vault: Arc::new(Vault::new(vault)),
        new_id: Uuid::now_v7,
    }
}

fn officer() -> Caller {
    Caller::new("officer", vec![Role::CityOfficer], OrgPath::root())
}

fn act() -> Act<'static, RosterEvent> {
    static NOTHING: RosterEvent = RosterEvent {
        entity: String::new(),
        version: 0,
        org_path: String::new(),
        removed: false,
        state: None,
    };
    Act {
        method: "test",
        request_id: "",
        request: &NOTHING,
    }
}

async fn plant(app: &App, ids: &[&str]) {
    let tx = app.db.begin().await.unwrap();
    for &id in ids {
        let organization = Organization {
            id: id.to_owned(),
            org_path: id.to_owned(),
            kind: Kind::CityBureau,
            display_name: String::new(),
            parent: String::new(),
            division_code: String::new(),
            school_code: None,
            uscc: None,
            stages: Stages::default(),
            laboratory_code: None,
            boarding: false,
            closed: None,
            valid_from: None,
            replaced_by: String::new(),
            external_id: String::new(),
            version: 1,
            update_time: 0,
        };
        organizations::insert(&tx, &organization).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn hired(app: &App, organization: &str) -> Uuid {
    let draft = staff::Draft {
        display_name: "林".to_owned(),
        posts: Posts::default(),
        grade: 0,
        staff_code: String::new(),
        private: Private::default(),
        swab_exempt: false,
        start: None,
        state: Employment::Active,
    };
    let caller = officer();
    let made = app.create_staff_member(&caller, organization, draft, act());
    let name = made.await.unwrap().name;
    name.trim_start_matches("staff/").parse().unwrap()
}

async fn named(app: &App, organization: &str, who: Uuid, start: DateTime<Utc>) {
    let draft = Draft {
        subject: Subject::Fire,
        place: String::new().parse().unwrap(),
        staff_member: who,
        duties: String::new(),
        start: Some(start),
    };
    let caller = officer();
    let assigned = app.assign_responsibility(&caller, organization, draft, act());
    assigned.await.unwrap();
}

/// The organisations announced so far, each with who answers for fire safety there, as the feed
/// tells at the end.
async fn told(app: &App, drain: &Drain) -> Vec<(String, String)> {
    let pages = Feed::new(app.db.clone(), FEED, drain.clone())
        .snapshot(OrgPath::root(), String::new())
        .collect::<Vec<_>>()
        .await;
    let items = pages.into_iter().flat_map(|page| page.unwrap().items);
    let mut told: Vec<_> = items
        .filter_map(|item| {
            let event = RosterEvent::decode(item.payload.clone()).unwrap();
            let Some(State::ResponsibilityRoll(roll)) = event.state else {
                return None;
            };
            let fire = roll.duties.into_iter().find(|duty| duty.subject == "FIRE");
            let who = fire.map(|duty| duty.staff_member).unwrap_or_default();
            Some((roll.organization, who))
        })
        .collect();
    told.sort();
    told
}

/// Waits until the feed has caught up with `expected`.
async fn tells(app: &App, drain: &Drain, expected: &[(String, String)]) {
    let caught_up = async {
        while told(app, drain).await != expected {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), caught_up).await;
    if waited.is_err() {
        assert_eq!(told(app, drain).await, expected);
    }
}

async fn a_hand_over_is_told_once_it_begins_and_once_only(db: Database) {
    let clock = ManualClock::morning_of("2022-04-07".parse().unwrap());
    let app = app(db, &clock);
    let drain = Drain::new();
    spawn_sequencer(app.db.clone(), drain.clone());
    plant(&app, &["a", "b"]).await;
    let (first, second) = (hired(&app, "a").await, hired(&app, "a").await);
    let other = hired(&app, "b").await;
    let now = clock.now();
    named(&app, "a", first, now).await;
    named(&app, "a", second, now + chrono::Duration::hours(1)).await;
    named(&app, "b", other, now + chrono::Duration::hours(2)).await;
    let says = |organization: &str, who: Uuid| {
        (
            format!("organizations/{organization}"),
            format!("staff/{who}"),
        )
    };
    let ttl = Duration::from_secs(3600);
    let lease = lease::take(&app.db, LEASE, "me", ttl)
        .await
        .unwrap()
        .unwrap();

    assert_eq!(announce_due(&app, &lease).await.unwrap(), 0);
    tells(&app, &drain, &[says("a", first)]).await;
    clock.advance(chrono::Duration::minutes(60));
    assert_eq!(announce_due(&app, &lease).await.unwrap(), 1);
    assert_eq!(announce_due(&app, &lease).await.unwrap(), 0);
    tells(&app, &drain, &[says("a", second)]).await;
    // Nobody looked for a day: what began meanwhile is told all the same.
    clock.advance(chrono::Duration::days(1));
    assert_eq!(announce_due(&app, &lease).await.unwrap(), 1);
    tells(&app, &drain, &[says("a", second), says("b", other)]).await;
    drain.signal();
}

async fn who_lost_the_lease_tells_nothing(db: Database) {
    let clock = ManualClock::morning_of("2022-04-07".parse().unwrap());
    let app = app(db, &clock);
    plant(&app, &["a"]).await;
    let someone = hired(&app, "a").await;
    named(&app, "a", someone, clock.now() + chrono::Duration::hours(1)).await;
    clock.advance(chrono::Duration::hours(1));
    let ttl = Duration::from_secs(10);
    let lost = lease::take(&app.db, LEASE, "me", ttl)
        .await
        .unwrap()
        .unwrap();
    lost.clone().release(&app.db).await.unwrap();
    let held = lease::take(&app.db, LEASE, "you", ttl)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(announce_due(&app, &lost).await.unwrap(), 0);
    // Another replica is at it.
    announce_as(&app, "me").await.unwrap();
    assert_eq!(announce_due(&app, &held).await.unwrap(), 1);
}

kit::store_suite! {
    Migrator;
    a_hand_over_is_told_once_it_begins_and_once_only,
    who_lost_the_lease_tells_nothing,
}
