//! Every read of what belongs to a person is on record (rules 6.7, 6.8): at a school that has all that a school
//! can have, each method whose contract says so is asked by somebody who may. Afterwards the logs hold who read
//! what for which purpose, once each, and nothing else.

mod asked;
mod reads;

use kit::auth::{Caller, Role};
use kit::field::to_timestamp;
use proto::audit::audit_record::Kind;
use proto::audit::{AuditFilter, AuditRecord};
use proto::gateway::audit_service_client::AuditServiceClient;
use tests::city::{Door, Store, caller};
use tests::until;

use crate::audit::search;
use crate::leaks::day;
use crate::leaks::known::Known;
use crate::region::Region;
use reads::{Read, Reading};

/// Methods whose requests name nothing: of whom they tell is said by the place of whoever reads.
const NAME_NOTHING: [&str; 7] = [
    "ClearanceFeed.Snapshot",
    "ClearanceFeed.Watch",
    "DeliveryService.ListDeadLetters",
    "RosterFeed.Snapshot",
    "RosterFeed.Watch",
    "SamplingFeed.Snapshot",
    "SamplingFeed.Watch",
];

/// How many methods show persons, beside those of the logs themselves.
const METHODS: usize = 87;
/// How many reads there are.
const READS: usize = 97;

#[tokio::test(flavor = "multi_thread")]
async fn every_read_of_a_person_leaves_one_record() {
    let region = Region::open(Store::Sqlite).await;
    let region = region.expect("SQLite is always there");
    let seeds = day::at_both_schools(&region).await;
    let meetings = asked::meetings(&seeds);
    let known = Known::gathered(&region, seeds).await;
    // Whatever was read until now was read before this minute.
    region.at(8, 8, 1);

    let reading = reads::are_made(&region, &known, &meetings).await;
    let Reading {
        methods,
        mut reads,
        unread,
        unnamed,
        persons,
    } = reading;
    assert!(methods >= METHODS, "{methods} methods");
    assert!(unread.is_empty(), "never read: {unread:#?}");
    assert!(
        unnamed.iter().eq(&NAME_NOTHING),
        "name nothing: {unnamed:#?}"
    );
    assert!(persons.is_empty(), "not left out: {persons:#?}");
    reads.extend(reads::of_the_logs(&region).await);
    assert!(reads.len() >= READS, "{} reads", reads.len());

    reads.sort();
    let mut recorded = on_record(&region).await;
    recorded.sort();
    let missing: Vec<_> = less(&reads, &recorded);
    assert!(missing.is_empty(), "not on record: {missing:#?}");
    let beyond: Vec<_> = less(&recorded, &reads);
    assert!(beyond.is_empty(), "on record and never read: {beyond:#?}");
}

/// What of a sorted list another one has not, as often as it has it less.
fn less(these: &[Read], those: &[Read]) -> Vec<Read> {
    let often = |of: &[Read], read: &Read| of.iter().filter(|one| *one == read).count();
    let mut less = these.to_vec();
    less.dedup();
    less.retain(|read| often(these, read) > often(those, read));
    less
}

/// Every read of this minute that is on record, but for those of whoever searches.
async fn on_record(region: &Region) -> Vec<Read> {
    let searcher = "searcher";
    let door = region.city.door_of(Caller {
        subject: searcher.to_owned(),
        ..caller(Role::AuditAdmin, "")
    });
    let records = until("what was read is chained", || {
        chained(region, &door, searcher)
    })
    .await;
    let ours = |record: &AuditRecord| {
        // Services read from each other all the time.
        record.subject != searcher && !record.roles.iter().any(|role| role == "service")
    };
    let records = records.into_iter().filter(ours);
    records
        .map(|record| {
            assert_eq!(
                (record.code, record.call_count, record.beside),
                (0, 1, false),
                "{record:?}"
            );
            assert_eq!(record.time, Some(to_timestamp(region.now())), "{record:?}");
            Read::of(record)
        })
        .collect()
}

/// The records of the reads of this minute, as soon as each log has one of whoever searches: what was written
/// before that is chained before it.
async fn chained(region: &Region, door: &Door, searcher: &str) -> Option<Vec<AuditRecord>> {
    let filter = AuditFilter {
        start_time: Some(to_timestamp(region.now())),
        kind: Kind::Read.into(),
        ..AuditFilter::default()
    };
    let records = search(&AuditServiceClient::new(door.clone()), filter).await;
    let mut logs: Vec<_> = records
        .iter()
        .filter(|record| record.subject == searcher)
        .map(|record| record.service.clone())
        .collect();
    logs.sort();
    logs.dedup();
    (logs.len() == 4).then_some(records)
}
