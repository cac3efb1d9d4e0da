//! The health of people: what is said of them and everything that follows from it.

mod absence_book;
mod absence_deadlines;
mod absence_ends;
pub(crate) mod absence_reads;
pub(crate) mod absence_steps;
pub(crate) mod absences;
mod alarms;
mod bases;
pub(crate) mod candidates;
mod case_diseases;
pub(crate) mod case_exports;
pub(crate) mod case_files;
mod case_people;
pub(crate) mod cases;
pub(crate) mod class_symptoms;
mod clusters;
mod contact_ends;
pub(crate) mod contacts;
pub(crate) mod coverage;
pub(crate) mod deadlines;
mod exams;
pub(crate) mod figures;
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
mod veils;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use kit::db::Tx;

pub(crate) use clusters::{Listing, Replayed, Simulated};
pub(crate) use suspensions::{Amendment, Asked, Decision, MOST_AMENDMENTS};

use super::App;
use crate::domain::day::Day;
use crate::domain::health::sign::Sign;
use crate::domain::roll::{GroupKind, PersonId};
use crate::error::Error;
use crate::store::health::{days, schools, signs, windows};

/// As many schools are counted in one transaction.
const TOGETHER: usize = 300;

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
    /// Their schools and the days on which they were ill.
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
        // What is said as it was before stays said when it was: a period is replayed by that.
        let known: HashMap<_, &Sign> = old.iter().map(|sign| (sign.key(), sign)).collect();
        let says: HashSet<_> = new.iter().map(Sign::key).collect();
        let gone = old.iter().filter(|sign| !says.contains(&sign.key()));
        let fresh = new
            .iter()
            .filter(|sign| known.get(&sign.key()) != Some(sign));
        signs::remove(tx, &gone.collect::<Vec<_>>()).await?;
        signs::save(tx, &fresh.collect::<Vec<_>>(), now.timestamp_millis()).await?;
        let (mut touched, today) = (Touched::default(), self.today());
        for sign in old.iter().chain(&new) {
            touched.people.insert(sign.person, sign.kind);
            let days = sign.days(today).map(|day| (sign.school().to_owned(), day));
            touched.days.extend(days);
        }
        count_symptoms(tx, &touched.days).await?;
        let facts = self.facts.get(tx).await?;
        let said = self.settle_medical(tx, &facts, &touched, now).await?;
        self.find_clusters(tx, &facts, (&touched, said), now).await
    }

    /// Counts those who are ill still today, and on the days that are counted with it, at every school
    /// where an illness goes on: of it nothing is said anew each day. Doing it twice changes nothing.
    pub(super) async fn count_going_on(&self) -> Result<(), Error> {
        let today = self.today();
        let first = windows::first_of(today);
        let schools = signs::schools_going_on(self.db.read(), first).await?;
        for part in schools.chunks(TOGETHER) {
            let tx = self.db.begin().await?;
            let names: Vec<&str> = part.iter().map(String::as_str).collect();
            self.lock_health(&tx, &names).await?;
            let days = first.number()..=today.number();
            let days = days.flat_map(|day| part.iter().map(move |school| (school, day)));
            let days = days.map(|(school, day)| (school.clone(), Day::from_number(day)));
            count_symptoms(&tx, &days.collect()).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Locks the health of schools.
    pub(super) async fn lock_health(&self, tx: &Tx, schools: &[&str]) -> Result<(), Error> {
        Ok(schools::lock(tx, schools).await?)
    }
}

/// Counts anew who is ill on these days at these schools, and with what.
async fn count_symptoms(tx: &Tx, of: &BTreeSet<(String, Day)>) -> Result<(), Error> {
    let counts = signs::counts_of(tx, of).await?;
    let mut tallies = days::of(tx, of).await?;
    for (key, (symptoms, ill)) in counts {
        let tally = tallies.entry(key).or_default();
        (tally.symptoms, tally.ill) = (symptoms, ill);
    }
    days::save(tx, &tallies).await?;
    Ok(windows::recount(tx, of).await?)
}
