//! The numbers that notification goes by.

use chrono::{Duration, NaiveDate};

use super::directive::Urgency;
use super::place::contains;
use super::voice_policy::VoicePolicy;

/// A span of time for each urgency of a directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByUrgency {
    /// For an ordinary one.
    pub routine: Duration,
    /// For an urgent one.
    pub urgent: Duration,
    /// For a most urgent one.
    pub extra_urgent: Duration,
}

impl ByUrgency {
    /// That of a directive of this urgency.
    pub fn of(self, urgency: Urgency) -> Duration {
        match urgency {
            Urgency::Routine => self.routine,
            Urgency::Urgent => self.urgent,
            Urgency::ExtraUrgent => self.extra_urgent,
        }
    }
}

/// The part of a policy profile that notification needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The profile and its version.
    pub version: String,
    /// How soon a hold must have been noticed (rule 2.19).
    pub hold_notice: Duration,
    /// How soon a directive is signed for (rule 5.39).
    pub acknowledge: ByUrgency,
    /// How soon after its signature whoever passes it on does so.
    pub relay: ByUrgency,
    /// How soon the one above accepts or returns a finished report.
    pub judge: ByUrgency,
    /// The share of schools that must be done for a district to be, in percent, 1 to 100 (rule 5.39).
    pub done_percent: i32,
    /// How concerns, support and care are kept in time.
    pub voices: VoicePolicy,
    /// How many days audit logs are kept at least (rule 6.9).
    pub audit_days: u32,
    /// How many years records of partners and laboratories are kept in them at least (rule 6.9).
    pub partner_log_years: u32,
}

impl Default for Policy {
    /// The shipped profile `fuzhou-2022-04`: what holds before the register has told.
    fn default() -> Self {
        let acknowledge = ByUrgency {
            routine: Duration::hours(24),
            urgent: Duration::hours(2),
            extra_urgent: Duration::minutes(30),
        };
        Self {
            version: "fuzhou-2022-04".to_owned(),
            hold_notice: Duration::minutes(10),
            acknowledge,
            relay: acknowledge,
            judge: ByUrgency {
                routine: Duration::days(3),
                urgent: Duration::days(1),
                extra_urgent: Duration::days(1),
            },
            done_percent: 100,
            voices: VoicePolicy::default(),
            audit_days: 180,
            partner_log_years: 3,
        }
    }
}

/// A policy with the place and the day from which it is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enacted {
    /// The place in the organisation tree; empty for the whole city.
    pub region: String,
    /// The first civil day in force.
    pub effective: NaiveDate,
    /// The numbers.
    pub policy: Policy,
}

/// The policy in force at a place: that of the smallest region, and there the latest one; the
/// shipped one when there is none.
pub fn in_force(enacted: &[Enacted], place: &str, day: NaiveDate) -> Policy {
    enacted
        .iter()
        .filter(|enacted| enacted.effective <= day && contains(&enacted.region, place))
        .max_by_key(|e| (e.region.len(), e.effective, e.policy.version.clone()))
        .map(|enacted| enacted.policy.clone())
        .unwrap_or_default()
}
