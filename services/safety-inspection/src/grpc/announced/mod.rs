//! What changes are announced in the feed: nothing that people wrote, and nobody. Each field that is
//! told is named here, so that none is told unawares; what an entity adds to the figures of its
//! organisation stands beside it.

mod duty;
mod gate;
mod hazard;
mod incident;
mod refuge;
mod resumption;
mod standings;
mod visit;
mod weather;

use chrono::{Days, NaiveDate};
use kit::clock::start_of;
use kit::feed::Change;
use prost::Message;
use proto::safety as pb;
use proto::safety::safety_event::State;

pub(crate) use duty::{drill, duty_standing, shift, spot_check};
pub(crate) use gate::{gate_conflict_standing, gate_recheck_standing, gate_red_code_standing};
pub(crate) use hazard::{campaign, hazard};
pub(crate) use incident::incident;
pub(crate) use refuge::shelter_standing;
pub(crate) use resumption::{batch, resumption};
pub(crate) use standings::{
    Lacking, drill_standing, inspection_standing, protection_standing, supply_standing,
};
pub(crate) use visit::visit;
pub(crate) use weather::{alarm, alarm_gone, standing, suspension};

use crate::domain::figures::Counts;
use crate::store::told::NEVER;

/// The name of the feed.
pub(crate) const FEED: &str = "safety";

/// How an entity is now, as far as the feed and the figures know of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Telling {
    /// The collection, or what there is of an organisation once.
    pub(crate) collection: &'static str,
    /// The resource name.
    pub(crate) entity: String,
    /// The id of the organisation; empty for a warning.
    pub(crate) organization: String,
    /// Its place in the tree.
    pub(crate) org_path: String,
    /// What is told; none when it is not of interest.
    pub(crate) state: Option<State>,
    /// What it adds to the figures of its organisation.
    pub(crate) counts: Counts,
    /// When time alone changes it, in milliseconds since 1970.
    pub(crate) wake_at: i64,
}

impl Telling {
    /// Of an entity that is not of interest.
    pub(crate) fn gone(
        collection: &'static str,
        entity: String,
        (organization, org_path): (&str, &str),
    ) -> Self {
        Self {
            collection,
            entity,
            organization: organization.to_owned(),
            org_path: org_path.to_owned(),
            state: None,
            counts: Counts::default(),
            wake_at: NEVER,
        }
    }

    /// The same, with what is told.
    fn with(self, state: Option<State>, counts: Counts) -> Self {
        Self {
            state,
            counts,
            ..self
        }
    }

    /// The same, changed by time at an instant.
    fn wakes(self, wake_at: i64) -> Self {
        Self { wake_at, ..self }
    }

    /// The same, changed by people only.
    pub(crate) fn rests(self) -> Self {
        self.wakes(NEVER)
    }

    /// What there is of an organisation once, and is not of interest.
    pub(crate) fn no_standing(
        standing: &'static str,
        (organization, org_path): (&str, &str),
    ) -> Self {
        let entity = format!("organizations/{organization}/{standing}");
        Self::gone(standing, entity, (organization, org_path))
    }
}

/// The event of a telling.
pub(crate) fn event(telling: &Telling, state: Option<State>, version: i64) -> pb::SafetyEvent {
    pb::SafetyEvent {
        entity: telling.entity.clone(),
        version,
        org_path: telling.org_path.clone(),
        removed: state.is_none(),
        state,
    }
}

/// The change of an entity for the feed; without a state it leaves the snapshot.
pub(crate) fn change(mut telling: Telling, version: i64) -> Change {
    let state = telling.state.take();
    let event = event(&telling, state, version);
    Change {
        feed: FEED,
        kind: telling.collection,
        entity: telling.entity,
        version,
        removed: event.removed,
        org_path: telling.org_path.parse().unwrap_or_default(),
        payload: event.encode_to_vec(),
        latest: true,
    }
}

/// Milliseconds since 1970 for the wire; none for what never comes or has not come.
fn instant(millis: i64) -> Option<prost_types::Timestamp> {
    let set = Some(millis).filter(|at| *at != NEVER && *at != 0);
    set.and_then(chrono::DateTime::from_timestamp_millis)
        .map(kit::field::to_timestamp)
}

/// The first instant of the day after `today`, in milliseconds since 1970.
fn tomorrow(today: NaiveDate) -> i64 {
    let next = today.checked_add_days(Days::new(1));
    next.map_or(NEVER, |day| start_of(day).timestamp_millis())
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
