//! What the policy in force says of isolation rooms; without one the numbers of the rule book hold.

use proto::roster::PolicyProfile;

use crate::domain::shelter::isolation::Rule;

/// How many isolation rooms campuses need (rule 4.6).
pub(crate) fn isolation(profile: Option<&PolicyProfile>) -> Rule {
    let told = profile.and_then(|profile| profile.protection.as_ref());
    let told = told.filter(|told| told.isolation_rooms > 0 && told.large_campus_pupils > 0);
    told.map_or_else(Rule::default, |told| {
        let number = |number| u32::try_from(number).unwrap_or_default();
        Rule {
            rooms: number(told.isolation_rooms),
            large: number(told.large_campus_pupils),
            large_rooms: number(told.large_isolation_rooms.max(told.isolation_rooms)),
        }
    })
}
