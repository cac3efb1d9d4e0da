//! The numbers in force: what sampling needs of a policy profile.

use std::time::Duration;

use super::day::Day;
use super::health::rules::HealthRules;
use super::quota::Ratio;
use super::retention::Periods;
use super::swab::SingleReason;

/// The part of a policy profile that sampling decides by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The profile and its version; recorded in every decision.
    pub version: String,
    /// The region's organisation; none for the whole city.
    pub organization: Option<String>,
    /// The first day in force.
    pub effective: Day,
    /// Whether anybody is drawn at all.
    pub enabled: bool,
    /// The share of students a day.
    pub student_ratio: Ratio,
    /// The share of staff a day.
    pub staff_ratio: Ratio,
    /// Everybody once in as many school days.
    pub cycle_days: u8,
    /// A longer gap in school days is an alert.
    pub gap_alert_days: u32,
    /// Holders of a post (the number of the roster's enum), once in as many civil days.
    pub post_frequencies: Vec<(u8, u8)>,
    /// Sampling points, once in as many civil days.
    pub environment_days: u16,
    /// How many swabs a tube takes.
    pub tube_capacity: u32,
    /// Whether a tube holds one class group only.
    pub class_pure: bool,
    /// Who is swabbed alone.
    pub single_only: Vec<SingleReason>,
    /// From sealing to the laboratory.
    pub max_to_laboratory: Duration,
    /// From sealing to the result.
    pub result_sla: Duration,
    /// From a positive result to the notice.
    pub positive_notify: Duration,
    /// From a positive result to single swabs of all members.
    pub positive_resample: Duration,
    /// Whether a negative single swab releases its person without a human.
    pub auto_release: bool,
    /// For how long what is known of people is kept; none in a profile that does not say it.
    pub retention: Option<Periods>,
    /// What the health of people is decided by.
    pub health: HealthRules,
}

impl Policy {
    /// Whether somebody is swabbed alone for this reason. A policy that names none means them all:
    /// rule 2.11 may be narrowed, never forgotten.
    pub fn is_single(&self, reason: SingleReason) -> bool {
        self.single_only.is_empty() || self.single_only.contains(&reason)
    }

    /// After how many civil days somebody with these posts is due; 0 when the posts do not say.
    pub fn every_days(&self, posts: u32) -> u8 {
        self.post_frequencies
            .iter()
            .filter(|(post, _)| posts >> post & 1 == 1)
            .map(|(_, days)| *days)
            .min()
            .unwrap_or(0)
    }
}

/// The policy in force at `org_path` on `day`: of the nearest region that has one in effect, the
/// one that came into effect last.
pub fn in_force<'a>(policies: &'a [Policy], org_path: &str, day: Day) -> Option<&'a Policy> {
    let depth = |policy: &Policy| match &policy.organization {
        None => Some(0),
        Some(id) => org_path
            .split('/')
            .position(|part| part == id)
            .map(|place| place + 1),
    };
    policies
        .iter()
        .filter(|policy| policy.effective <= day)
        .filter_map(|policy| Some((depth(policy)?, policy.effective, &policy.version, policy)))
        .max_by_key(|(depth, effective, version, _)| (*depth, *effective, *version))
        .map(|(_, _, _, policy)| policy)
}
