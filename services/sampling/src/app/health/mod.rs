//! The health of people: what is said of them and everything that follows from it.

mod absence_book;
mod absence_deadlines;
pub(crate) mod absence_reads;
pub(crate) mod absence_steps;
pub(crate) mod absences;
mod alarms;
mod bases;
pub(crate) mod candidates;
pub(crate) mod case_exports;
pub(crate) mod case_files;
pub(crate) mod cases;
pub(crate) mod class_symptoms;
mod clusters;
pub(crate) mod contacts;
pub(crate) mod coverage;
pub(crate) mod deadlines;
mod exams;
pub(in crate::app) mod findings;
pub(crate) mod measures;
mod medical;
mod medical_reads;
pub(crate) mod missing;
pub(crate) mod overdue;
pub(crate) mod people;
mod regularity;
pub(crate) mod reports;
pub(crate) mod screening;
mod screening_batch;
mod screening_known;
pub(crate) mod shared_groups;
pub(crate) mod signals;
pub(crate) mod staffing;
mod suspensions;
pub(crate) mod units;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use kit::db::Tx;

pub(crate) use clusters::{Listing, MOST_SIGNS, Replayed, Simulated};
pub(crate) use suspensions::Decision;

use super::App;
use crate::domain::day::Day;
use crate::domain::health::sign::Sign;
use crate::domain::roll::{GroupKind, PersonId};
use crate::error::Error;
use crate::store::health::{days, schools, signs, windows};

/// What changes in what is said of people's health.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The sources that spoke, and whether each may have spoken before.
    sources: BTreeMap<String, bool>,
    signs: Vec<Sign>,
}

/// Whose health was spoken of: what follows is found out for them.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// The people, in the order in which all writers lock people.
    pub(super) people: BTreeMap<PersonId, GroupKind>,
    /// Their schools and the days.
    pub(super) days: BTreeSet<(String, Day)>,
}

impl Said {
    /// This source says `signs` from now on, in place of all it said before; `first` when it never
    /// spoke before, which saves looking.
    pub(super) fn source(&mut self, source: &str, first: bool, signs: Vec<Sign>) {
        debug_assert!(signs.iter().all(|sign| sign.source == source));
        self.sources.insert(source.to_owned(), !first);
        self.signs.extend(signs);
    }

    /// Whether nothing is said.
    pub(super) fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }
}

impl App {
    /// Stores what is said and lets everything follow: symptoms counted, medical states settled,
    /// clearances moved, clusters found. The schools concerned are locked by the caller
    /// (`store::health::schools::lock`), people not yet.
    pub(super) async fn note_signs(
        &self,
        tx: &Tx,
        said: Said,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Said {
            sources,
            signs: new,
        } = said;
        let repeated: Vec<&str> = sources
            .iter()
            .filter(|(_, spoke)| **spoke)
            .map(|(source, _)| source.as_str())
            .collect();
        let old = signs::of_sources(tx, &repeated).await?;
        if old == new {
            return Ok(());
        }
        let gone: BTreeSet<&str> = old.iter().map(|sign| sign.source.as_str()).collect();
        signs::remove(tx, &gone.into_iter().collect::<Vec<_>>()).await?;
        signs::save(tx, &new).await?;
        let mut touched = Touched::default();
        for sign in old.iter().chain(&new) {
            touched.people.insert(sign.person, sign.kind);
            touched.days.insert((sign.school().to_owned(), sign.day));
        }
        count_symptoms(tx, &touched).await?;
        self.settle_medical(tx, &touched, now).await?;
        self.find_clusters(tx, &touched, now).await
    }

    /// Locks the health of schools.
    pub(super) async fn lock_health(&self, tx: &Tx, schools: &[&str]) -> Result<(), Error> {
        Ok(schools::lock(tx, schools).await?)
    }
}

/// Counts anew who is ill on the days that were spoken of, and with what.
async fn count_symptoms(tx: &Tx, touched: &Touched) -> Result<(), Error> {
    let counts = signs::counts_of(tx, &touched.days).await?;
    let mut tallies = days::of(tx, &touched.days).await?;
    for (key, (symptoms, ill)) in counts {
        let tally = tallies.entry(key).or_default();
        (tally.symptoms, tally.ill) = (symptoms, ill);
    }
    days::save(tx, &tallies).await?;
    Ok(windows::recount(tx, &touched.days).await?)
}
