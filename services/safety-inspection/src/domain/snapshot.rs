//! What a gate takes along to decide without a network.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::finding::Finding;
use super::person::PersonName;
use super::policy::GatePolicy;

/// The people of one school and who of them must not enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The resource name.
    pub name: String,
    /// Everybody of the school, ordered.
    pub members: Vec<PersonName>,
    /// Who must not enter and why, ordered by person.
    pub blocked: Vec<(PersonName, Finding)>,
    /// The numbers in force.
    pub policy: GatePolicy,
    /// When it was made.
    pub create_time: DateTime<Utc>,
    /// When the facts were last confirmed.
    pub facts_time: Option<DateTime<Utc>>,
}

impl Snapshot {
    /// From here on the gate is in manual mode; at once when the facts were never confirmed.
    pub fn expire_time(&self) -> DateTime<Utc> {
        self.facts_time
            .map_or(self.create_time, |time| time + self.policy.snapshot_max_age)
    }

    /// SHA-256 over the lines that the contract lists: what a signature signs.
    pub fn digest(&self) -> [u8; 32] {
        let policy = &self.policy;
        let colours: Vec<_> = policy
            .deny_colours
            .iter()
            .map(|c| c.number().to_string())
            .collect();
        let mut text = format!(
            "campus/gate-snapshot/v1\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n",
            self.name,
            policy.version,
            policy.temperature_max,
            colours.join(","),
            policy.travel_window_days,
            self.create_time.timestamp(),
            self.expire_time().timestamp(),
        );
        for member in &self.members {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "+ {member}");
        }
        for (person, finding) in &self.blocked {
            let _ = writeln!(text, "- {person} {}", finding.number());
        }
        Sha256::digest(text).into()
    }
}
