//! What the policy in force says of drills; without one the numbers of the rule book hold.

use chrono::TimeDelta;
use kit::field::delta_of;
use proto::roster::PolicyProfile;

use crate::app::policy_version;
use crate::domain::drill::Times;
use crate::domain::drill::obligation::Numbers;

/// The times of rule 5.19.
pub(super) fn times(profile: Option<&PolicyProfile>) -> Times {
    let drill = profile.and_then(|profile| profile.drill.as_ref());
    let span = |told: Option<prost_types::Duration>, otherwise| {
        let told = told.and_then(delta_of);
        told.unwrap_or(TimeDelta::seconds(otherwise))
    };
    Times {
        evacuation: span(drill.and_then(|drill| drill.evacuation), 120),
        primary: span(drill.and_then(|drill| drill.primary_evacuation), 180),
        policy_version: policy_version(profile),
    }
}

/// The numbers of rule 5.18.
pub(super) fn numbers(profile: Option<&PolicyProfile>) -> Numbers {
    let Some(drill) = profile.and_then(|profile| profile.drill.as_ref()) else {
        return Numbers {
            school_per_month: 1,
            kindergarten_per_quarter: 1,
            night_dorm_per_quarter: 1,
            bus_per_quarter: 1,
        };
    };
    let number = |number| u32::try_from(number).unwrap_or_default();
    Numbers {
        school_per_month: number(drill.school_per_month),
        kindergarten_per_quarter: number(drill.kindergarten_per_quarter),
        night_dorm_per_quarter: number(drill.night_dorm_per_quarter),
        bus_per_quarter: number(drill.bus_per_quarter),
    }
}
