//! What the policy in force says of supplies; without one the number of the rule book holds.

use proto::roster::PolicyProfile;

/// The days of rule 4.5.
const DAYS: u32 = 14;

/// For how many days supplies have to last (rule 4.5).
pub(crate) fn days(profile: Option<&PolicyProfile>) -> u32 {
    let resume = profile.and_then(|profile| profile.resume.as_ref());
    resume.map_or(DAYS, |resume| {
        u32::try_from(resume.supply_days).unwrap_or_default()
    })
}
