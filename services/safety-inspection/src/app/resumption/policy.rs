//! What the policy in force says of resumption; without one the numbers of the rule book hold.

use proto::roster::PolicyProfile;

use crate::app::{refuges, supplies};
use crate::domain::resumption::guards::Terms;
use crate::domain::resumption::order::{Batch, Order};

/// A full drill within as many days before, and watching for as many days after (rule 4.10).
const DRILL_WITHIN_DAYS: u32 = 30;
const MONITOR_DAYS: u32 = 14;

fn natural(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

/// The order in which batches return (rule 4.1).
pub(super) fn order(profile: Option<&PolicyProfile>) -> Order {
    let told = profile.and_then(|profile| profile.resume.as_ref());
    told.map_or_else(Order::rule_book, |resume| {
        let batches = resume.order.iter().map(|batch| Batch {
            grades: batch.grades.clone(),
            other_grades: batch.other_grades,
            kindergarten: batch.kindergarten,
        });
        Order::new(batches.collect())
    })
}

/// What is asked of a school of so many pupils (rules 4.5, 4.6, 4.10).
pub(super) fn terms(profile: Option<&PolicyProfile>, pupils: u32) -> Terms {
    let told = profile.and_then(|profile| profile.resume.as_ref());
    Terms {
        drill_within_days: told.map_or(DRILL_WITHIN_DAYS, |resume| {
            natural(resume.drill_within_days)
        }),
        supply_days: supplies::policy::days(profile),
        isolation_rooms: refuges::policy::isolation(profile).required(pupils),
    }
}

/// For how many days a school is watched after teaching was resumed.
pub(super) fn monitor_days(profile: Option<&PolicyProfile>) -> u32 {
    let told = profile.and_then(|profile| profile.resume.as_ref());
    told.map_or(MONITOR_DAYS, |resume| natural(resume.monitor_days))
}
