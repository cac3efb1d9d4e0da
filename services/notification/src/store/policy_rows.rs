//! Policies as texts in rows, both ways.

use chrono::Duration;
use serde::{Deserialize, Serialize};

use crate::domain::policy::{ByUrgency, Policy};
use crate::domain::voice_policy::VoicePolicy;

#[derive(Serialize, Deserialize)]
struct PolicyBody {
    version: String,
    hold_notice: i64,
    acknowledge_routine: i64,
    acknowledge_urgent: i64,
    acknowledge_extra_urgent: i64,
    /// Missing in what was stored before it was known, as is the next one.
    #[serde(default)]
    relay: Option<Seconds>,
    #[serde(default)]
    judge: Option<Seconds>,
    /// Missing in what was stored before it was known.
    #[serde(default = "all_of_them")]
    done_percent: i32,
    #[serde(default)]
    voices: VoicePolicy,
    /// Missing in what was stored before it was known, as is the next one.
    #[serde(default)]
    audit_days: u32,
    #[serde(default)]
    partner_log_years: u32,
}

/// Spans in seconds.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Seconds {
    routine: i64,
    urgent: i64,
    extra_urgent: i64,
}

impl From<ByUrgency> for Seconds {
    fn from(spans: ByUrgency) -> Self {
        Self {
            routine: spans.routine.num_seconds(),
            urgent: spans.urgent.num_seconds(),
            extra_urgent: spans.extra_urgent.num_seconds(),
        }
    }
}

impl Seconds {
    /// None when one of them is no span.
    fn spans(self) -> Option<ByUrgency> {
        Some(ByUrgency {
            routine: Duration::try_seconds(self.routine)?,
            urgent: Duration::try_seconds(self.urgent)?,
            extra_urgent: Duration::try_seconds(self.extra_urgent)?,
        })
    }
}

fn all_of_them() -> i32 {
    100
}

/// A policy as it is stored.
pub(super) fn pack(policy: &Policy) -> String {
    let Policy {
        version,
        hold_notice,
        acknowledge,
        relay,
        judge,
        done_percent,
        voices,
        audit_days,
        partner_log_years,
    } = policy;
    let Seconds {
        routine,
        urgent,
        extra_urgent,
    } = Seconds::from(*acknowledge);
    let body = PolicyBody {
        version: version.clone(),
        hold_notice: hold_notice.num_seconds(),
        acknowledge_routine: routine,
        acknowledge_urgent: urgent,
        acknowledge_extra_urgent: extra_urgent,
        relay: Some((*relay).into()),
        judge: Some((*judge).into()),
        done_percent: *done_percent,
        voices: voices.clone(),
        audit_days: *audit_days,
        partner_log_years: *partner_log_years,
    };
    serde_json::to_string(&body).unwrap_or_default()
}

/// The policy that is stored; none when it cannot be read.
pub(super) fn unpack(body: &str) -> Option<Policy> {
    let body: PolicyBody = serde_json::from_str(body).ok()?;
    let acknowledge = Seconds {
        routine: body.acknowledge_routine,
        urgent: body.acknowledge_urgent,
        extra_urgent: body.acknowledge_extra_urgent,
    };
    let judge = body.judge.unwrap_or_else(|| Policy::default().judge.into());
    Some(Policy {
        version: body.version,
        hold_notice: Duration::try_seconds(body.hold_notice)?,
        acknowledge: acknowledge.spans()?,
        relay: body.relay.unwrap_or(acknowledge).spans()?,
        judge: judge.spans()?,
        done_percent: body.done_percent,
        voices: body.voices,
        audit_days: body.audit_days,
        partner_log_years: body.partner_log_years,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_as_it_was_stored() {
        let span = |minutes| ByUrgency {
            routine: Duration::minutes(minutes * 3),
            urgent: Duration::minutes(minutes * 2),
            extra_urgent: Duration::minutes(minutes),
        };
        let policy = Policy {
            acknowledge: span(5),
            relay: span(7),
            judge: span(11),
            done_percent: 90,
            audit_days: 400,
            partner_log_years: 5,
            ..Policy::default()
        };
        assert_eq!(unpack(&pack(&policy)), Some(policy));
        assert_eq!(unpack("{}"), None);
    }

    #[test]
    fn one_that_was_stored_before_reports_had_a_deadline_has_the_shipped_one() {
        let stored = r#"{"version":"fuzhou-2022-04@1","hold_notice":600,"acknowledge_routine":3600,
            "acknowledge_urgent":1800,"acknowledge_extra_urgent":900}"#;
        let policy = unpack(stored).unwrap();
        let acknowledge = ByUrgency {
            routine: Duration::hours(1),
            urgent: Duration::minutes(30),
            extra_urgent: Duration::minutes(15),
        };
        let shipped = Policy::default();
        assert_eq!(
            (policy.acknowledge, policy.relay),
            (acknowledge, acknowledge)
        );
        assert_eq!((policy.judge, policy.done_percent), (shipped.judge, 100));
    }
}
