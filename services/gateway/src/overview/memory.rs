//! What was told last, for the time in which a service is down, and where organisations stand. Bounded,
//! and never shared: figures are kept by whom they were told to.

use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use moka::sync::Cache;
use tokio::time::Instant;

use super::assemble::Place;
use super::figures::Told;
use super::source::Source;
use super::who::{Rights, Who};

/// How many answers are kept, of a few kilobytes each.
const ANSWERS: u64 = 10_000;
const PLACES: u64 = 10_000;
/// The register is asked again where an organisation stands after this.
const FRESH: Duration = Duration::from_secs(60);
/// While the register is down, what it said counts this long.
const STALE: Duration = Duration::from_secs(3600);

/// What is remembered.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    answers: Cache<Key, Arc<Told>>,
    places: Cache<String, (Place, Instant)>,
}

/// To whom what was told. The same subject with other rights is somebody else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    subject: String,
    rights: Rights,
    id: String,
    source: Source,
    date: NaiveDate,
}

/// Where an organisation stands, as far as is remembered.
#[derive(Clone, Debug)]
pub(crate) enum Known {
    /// The register said so just now.
    Fresh(Place),
    /// It said so within the hour.
    Stale(Place),
    /// Nothing is remembered.
    Nothing,
}

impl Memory {
    /// Answers are kept for `keep`.
    pub(crate) fn new(keep: Duration) -> Self {
        Self {
            answers: Cache::builder()
                .max_capacity(ANSWERS)
                .time_to_live(keep)
                .build(),
            places: Cache::builder()
                .max_capacity(PLACES)
                .time_to_live(STALE)
                .build(),
        }
    }

    /// What `source` told `who` last.
    pub(crate) fn last(
        &self,
        who: &Who,
        id: &str,
        source: Source,
        date: NaiveDate,
    ) -> Option<Arc<Told>> {
        self.answers.get(&key(who, id, source, date))
    }

    /// Remembers what `source` told `who`, or with nothing that it refused to.
    pub(crate) fn keep(
        &self,
        who: &Who,
        id: &str,
        source: Source,
        date: NaiveDate,
        told: Option<&Told>,
    ) {
        let key = key(who, id, source, date);
        match told {
            Some(told) => self.answers.insert(key, Arc::new(told.clone())),
            None => self.answers.invalidate(&key),
        }
    }

    /// Where the organisation `id` stands.
    pub(crate) fn place(&self, id: &str) -> Known {
        match self.places.get(id) {
            Some((place, since)) if since.elapsed() < FRESH => Known::Fresh(place),
            Some((place, _)) => Known::Stale(place),
            None => Known::Nothing,
        }
    }

    /// Remembers where it stands, or with nothing that the register does not know it.
    pub(crate) fn keep_place(&self, id: &str, place: Option<&Place>) {
        match place {
            Some(place) => {
                let kept = (place.clone(), Instant::now());
                self.places.insert(id.to_owned(), kept);
            }
            None => self.places.invalidate(id),
        }
    }
}

fn key(who: &Who, id: &str, source: Source, date: NaiveDate) -> Key {
    Key {
        subject: who.caller.subject.clone(),
        rights: who.rights.clone(),
        id: id.to_owned(),
        source,
        date,
    }
}
