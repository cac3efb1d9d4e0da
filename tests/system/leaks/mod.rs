//! What one school has is told to no other: on an evening when two schools of one bureau have all that a
//! school can have, everybody of the second one, of a school of another bureau and of that bureau asks for
//! each thing of the first, in every way there is. Other than where nothing is there to be told, as in the
//! matrix of roles, a mistake here gives something away.

mod classes;
pub(crate) mod day;
pub(crate) mod known;
mod lists;
mod questions;
mod rules;
mod second;
mod second_health;
mod sick;

use tests::city::Store;

use crate::region::Region;
use known::Known;

/// Forms of names that need not be asked for: on that evening the school has nothing of the kind, or not for
/// sure, or it is everybody's. All others are asked for, by every method that takes one. The list only shrinks.
const UNASKED: [&str; 29] = [
    "alertRules/*",
    "calendarYears/*",
    "channels/*",
    "destructionJobs/*",
    "destructionJobs/*/certificate",
    "divisions/*",
    "emergencies/*",
    "organizations/**",
    "organizations/*/accountabilityRecords/*",
    "organizations/*/alerts/*",
    "organizations/*/careTasks/*",
    "organizations/*/directives/*",
    "organizations/*/dutySwaps/*",
    "organizations/*/inspectionCampaigns/*",
    "organizations/*/meetings/*",
    "organizations/*/mutualAidGroups/*",
    "organizations/*/patrolDays/*",
    "organizations/*/responseLevels/*",
    "organizations/*/resumptionBatches/*",
    "organizations/*/resumptions/*",
    "organizations/*/resumptions/*/readiness",
    "organizations/*/silences/*",
    "organizations/*/weatherSuspensions/*",
    "organizations/*/weatherTasks/*",
    "reportingSignals/*",
    "suspensions/*",
    "templates/*",
    "warnings/*",
    "weatherSignals/*",
];
/// Methods by which something was asked for.
const METHODS: usize = 260;
/// Methods that looked first where a thing is, and only then at what else was said.
const TOLD_APART: usize = 120;
/// Questions for things by their names.
const QUESTIONS: usize = 8_000;
/// Answers that the owners have, before and after.
const READINGS: usize = 120;
/// Lists of strangers' own places.
const LISTS: usize = 60;
/// Names of things of the first school in lists of one's own.
const BESIDE: usize = 500;
/// Pages of lists of the first school.
const TOKENS: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_school_is_told_to_another() {
    let region = Region::open(Store::Sqlite).await;
    let region = region.expect("SQLite is always there");
    let seeds = day::at_both_schools(&region).await;
    let mut known = Known::of(&region, seeds).await;
    assert!(
        known.readings() >= READINGS,
        "{} answers to the owners of {:#?}",
        known.readings(),
        known.names
    );

    let asking = questions::are_put(&region, &known).await;
    assert!(asking.reached.is_empty(), "{:#?}", asking.reached);
    let unasked = asking.unasked();
    let beyond: Vec<_> = unasked
        .iter()
        .filter(|form| !UNASKED.contains(&&***form))
        .collect();
    assert!(
        beyond.is_empty(),
        "not asked for: {beyond:#?} of {unasked:#?}"
    );
    let methods = asking.methods.len();
    assert!(methods >= METHODS, "{methods} methods");
    let told_apart = asking.told_apart.len();
    assert!(told_apart >= TOLD_APART, "{told_apart} look where it is");
    assert!(
        asking.questions >= QUESTIONS,
        "{} questions",
        asking.questions
    );

    classes::keep_apart(&region, &known).await;

    let read = lists::are_read(&region, &known).await;
    assert!(read.reached.is_empty(), "{:#?}", read.reached);
    assert!(read.lists >= LISTS, "{} lists", read.lists);
    assert!(read.beside >= BESIDE, "{} names beside", read.beside);
    assert!(read.tokens >= TOKENS, "{} pages", read.tokens);

    second_health::checks_keep_apart(&region).await;
    second_health::tubes_keep_apart(&region, &known).await;
    second_health::cases_keep_apart(&region).await;
    second::the_register_keeps_apart(&region).await;
    second::the_gate_keeps_apart(&region).await;
    second::words_keep_apart(&region).await;

    let changes = known.changes().await;
    assert!(changes.is_empty(), "{changes:#?}");
}
