//! An incident begins: somebody notices it.

use uuid::Uuid;

use super::category::{Category, Confidential};
use super::file::{Chain, Event, File, Incident, Limits};
use super::harm::{Casualties, TableName};
use super::moves::{Doer, Judge};
use super::state::{State, Verb};
use crate::domain::hazard::report;

/// What is said of an incident when it is noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noticed {
    /// What it is.
    pub category: Category,
    /// What kind of accident.
    pub hazard_category: Option<report::Category>,
    /// Why it is confidential.
    pub confidential: Option<Confidential>,
    /// The place within the organisation.
    pub place: String,
    /// What happened.
    pub summary: String,
    /// When it happened, in milliseconds since 1970.
    pub occurred: i64,
    /// What came to harm.
    pub harm: Casualties,
    /// Why it goes straight to the city; empty when it does not.
    pub over_level_reason: String,
}

/// Where an incident happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// The id of the organisation.
    pub organization: String,
    /// Its place in the tree.
    pub org_path: String,
    /// Whom its incidents go up to.
    pub chain: Chain,
}

impl File {
    /// The incident that `by` noticed: its level by `table`, its limits by the terms in force.
    pub fn detect(
        id: Uuid,
        noticed: Noticed,
        scene: Scene,
        (judge, table): (Judge<'_>, TableName),
        by: Doer<'_>,
    ) -> (Self, Event) {
        let level = judge.tables.level(table, &noticed.harm);
        let confidential_since = noticed.confidential.map_or(0, |_| by.time);
        let mut incident = Incident {
            id,
            organization: scene.organization,
            org_path: scene.org_path,
            category: noticed.category,
            hazard_category: noticed.hazard_category,
            confidential: noticed.confidential,
            confidential_since,
            place: noticed.place,
            summary: noticed.summary,
            occurred: noticed.occurred,
            detected: by.time,
            detector: by.actor.to_owned(),
            over_level_reason: noticed.over_level_reason,
            state: State::Detected,
            level,
            harm: noticed.harm,
            limits: Limits::new(judge.terms, table, (level, &noticed.harm)),
            chain: scene.chain,
            first_reported: 0,
            follow_due: 0,
            reported: 0,
            reported_occasion: 0,
            final_due: 0,
            raised: 0,
            raised_phone: 0,
            raised_occasion: 0,
            occasions: 0,
            government_since: 0,
            reports: 0,
            events: 1,
            late: false,
            ended: 0,
        };
        incident.set_level(level, by.time);
        let event = Event {
            sequence: 1,
            verb: Verb::Detect,
            from_state: None,
            to_state: State::Detected,
            from_level: None,
            to_level: level,
            time: by.time,
            actor: by.actor.to_owned(),
            reason: by.reason.to_owned(),
        };
        let steps = Vec::new();
        (Self { incident, steps }, event)
    }
}
