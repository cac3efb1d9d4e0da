//! Errors that are put in on purpose: a campaign that does not find them would find none of the services either.

use crate::database::Plant;
use crate::process::Asked;
use crate::report::Tally;
use crate::{feed, leases, sagas};

/// Within how many seeds an error must be found.
const WITHIN: u64 = 40;

/// Looks that each error is found by the promise that it breaks: those in what was seen, and those in the database.
pub(crate) fn are_found(tally: &mut Tally) {
    let unnoticed = [
        feed::plants::unnoticed(),
        leases::plants::unnoticed(),
        sagas::plants::unnoticed(),
    ];
    unnoticed
        .concat()
        .into_iter()
        .for_each(|one| tally.note(one));
    for (scenario, plant, promise) in [
        ("feed", Plant::NoTransactions, "atomic: "),
        ("feed", Plant::NewestFirst, "gapless: "),
        ("leases", Plant::NoLocks, "no old fence: "),
    ] {
        let is_found = |seed| {
            let asked = Asked {
                scenario: scenario.to_owned(),
                seed,
                plant,
                traced: false,
            };
            let wrong = asked.outcome().wrong;
            wrong.iter().any(|wrong| wrong.starts_with(promise))
        };
        if !(1..=WITHIN).any(is_found) {
            tally.note(format!("nobody finds {plant:?} in {scenario}"));
        }
    }
}
