//! Which counts of people's health a caller sees (rules 6.12, 6.14). They are judged together where one could
//! be computed from others: over all the places that the caller sees, and those ill with those by symptom.

use std::collections::{BTreeMap, BTreeSet};

use kit::privacy::{Part, Seen, Sum, Veil, hidden};

use super::absence::{AbsenceState, Reason};
use super::coverage::{Open, SymptomCounts};
use super::rules::Slot;
use super::tally::{DayTally, SlotTally};

/// Which days are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Days {
    /// The day.
    One,
    /// The day and the two civil days before it.
    Three,
}

/// What is counted. Counts of places add up to those of the places above them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// People ill.
    Ill(Days),
    /// People with the symptom at this place of the contract's order, from 0.
    Symptom(Days, usize),
    /// People absent by one check of the day, which everybody sees.
    Absent(Slot),
    /// Of them, the ill ones.
    IllAbsent(Slot),
    /// Absences that have not ended.
    Absences(Reason, AbsenceState),
    /// Illnesses not uploaded in time.
    UploadsOverdue,
    /// Interviews that are due.
    InterviewsDue,
    /// Clusters that nobody has closed.
    Clusters,
    /// Cases that are open.
    Cases,
    /// Of them, those with something late.
    LateCases,
}

/// The reasons for an absence that tell of somebody's health.
pub const OF_HEALTH: [Reason; 2] = [Reason::Illness, Reason::Isolation];

/// Counts of one place; what is missing is nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Measure, u32>);

/// What is hidden of one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hidden(BTreeSet<Measure>);

/// What is hidden from a caller: whoever may read what is counted sees the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Veils {
    /// Ill people.
    pub ill: Veil,
    /// Absences for [`OF_HEALTH`].
    pub absences: Veil,
    /// Clusters.
    pub clusters: Veil,
    /// Cases.
    pub cases: Veil,
}

impl Days {
    const ALL: [Self; 2] = [Self::One, Self::Three];

    fn symptoms(self) -> impl Iterator<Item = Measure> {
        let count = SymptomCounts::default().symptoms.len();
        (0..count).map(move |at| Measure::Symptom(self, at))
    }
}

impl Measure {
    /// What this is a part of; itself where it is all.
    fn whole(self) -> Self {
        match self {
            Self::IllAbsent(slot) => Self::Absent(slot),
            all => all,
        }
    }
}

impl Counts {
    /// Those of one school. What is not settled is of today only.
    pub fn of_school(tally: &DayTally, three_days: &SymptomCounts, open: &Open) -> Self {
        let day = SymptomCounts {
            symptoms: tally.symptoms,
            ill: tally.ill,
        };
        let checks = Slot::ALL.map(|slot| {
            let SlotTally {
                absent, ill_absent, ..
            } = tally.slot(slot);
            (slot, *absent, *ill_absent)
        });
        let mut counts = Self::of_class_group(&day, three_days, &checks);
        let told = |count: i32| u32::try_from(count).unwrap_or(0);
        for reason in OF_HEALTH {
            for state in AbsenceState::ALL {
                let count = told(open.absences.count(reason, state));
                counts.put(Measure::Absences(reason, state), count);
            }
        }
        counts.put(Measure::UploadsOverdue, told(open.absences.uploads_overdue));
        counts.put(Measure::InterviewsDue, told(open.absences.interviews_due));
        counts.put(Measure::Clusters, open.clusters);
        counts.put(Measure::Cases, open.cases);
        counts.put(Measure::LateCases, open.late_cases);
        counts
    }

    /// Those of one class group, with how many are absent by each of its checks, and how many of them ill.
    pub fn of_class_group(
        day: &SymptomCounts,
        three_days: &SymptomCounts,
        checks: &[(Slot, u32, u32)],
    ) -> Self {
        let mut counts = Self::default();
        for (days, told) in [(Days::One, day), (Days::Three, three_days)] {
            counts.put(Measure::Ill(days), told.ill);
            for (symptom, count) in days.symptoms().zip(told.symptoms) {
                counts.put(symptom, count);
            }
        }
        for (slot, absent, ill_absent) in checks {
            counts.put(Measure::Absent(*slot), *absent);
            counts.put(Measure::IllAbsent(*slot), *ill_absent);
        }
        counts
    }

    /// Adds those of another place.
    pub fn add(&mut self, other: &Self) {
        for (measure, count) in &other.0 {
            let sum = self.0.entry(*measure).or_default();
            *sum = sum.saturating_add(*count);
        }
    }

    /// What is left without the counts of other places.
    #[must_use]
    pub fn without<'a>(&self, others: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut taken = Self::default();
        others.into_iter().for_each(|other| taken.add(other));
        let left = self.0.iter().map(|(measure, count)| {
            let count = count.saturating_sub(taken.get(*measure));
            (*measure, count)
        });
        Self(left.collect())
    }

    fn get(&self, measure: Measure) -> u32 {
        self.0.get(&measure).copied().unwrap_or_default()
    }

    fn put(&mut self, measure: Measure, count: u32) {
        if count > 0 {
            self.0.insert(measure, count);
        }
    }
}

impl Hidden {
    /// Whether the count of this is hidden.
    pub fn has(&self, measure: Measure) -> bool {
        self.0.contains(&measure)
    }

    /// The count of this as it is seen.
    pub fn see(&self, measure: Measure, count: u32) -> Seen {
        Seen::new(count, self.has(measure))
    }
}

impl Veils {
    /// Everything is seen.
    pub const NONE: Self = Self {
        ill: Veil::NONE,
        absences: Veil::NONE,
        clusters: Veil::NONE,
        cases: Veil::NONE,
    };

    fn of(&self, measure: Measure) -> Veil {
        match measure {
            Measure::Absent(_) => Veil::NONE,
            Measure::Ill(_) | Measure::Symptom(..) | Measure::IllAbsent(_) => self.ill,
            Measure::Absences(..) | Measure::UploadsOverdue | Measure::InterviewsDue => {
                self.absences
            }
            Measure::Clusters => self.clusters,
            Measure::Cases | Measure::LateCases => self.cases,
        }
    }

    /// What is hidden of the place `at` from somebody who sees every place at or below `root`, which is `at` or
    /// contains it. `schools` has the counts of the schools there by path.
    pub fn hidden_at(&self, schools: &BTreeMap<String, Counts>, root: &str, at: &str) -> Hidden {
        let mut all = Counts::default();
        for (path, counts) in schools {
            if below(root, path).is_some() {
                all.add(counts);
            }
        }
        let mut hidden = self.judge(&[&all], None).pop().unwrap_or_default();
        let mut place = root.to_owned();
        for id in below(root, at).unwrap_or_default().split('/') {
            if !id.is_empty() {
                let mut children = self.hidden_below(schools, &place, &hidden);
                hidden = children.remove(id).unwrap_or_default();
                place = format!("{place}/{id}");
            }
        }
        hidden
    }

    /// What is hidden of each place right below `place`, by its id. `above` is what is hidden of `place`.
    pub fn hidden_below(
        &self,
        schools: &BTreeMap<String, Counts>,
        place: &str,
        above: &Hidden,
    ) -> BTreeMap<String, Hidden> {
        let mut children: BTreeMap<&str, Counts> = BTreeMap::new();
        for (path, counts) in schools {
            if let Some(rest) = below(place, path) {
                let id = rest.split('/').next().unwrap_or_default();
                children.entry(id).or_default().add(counts);
            }
        }
        let counts: Vec<&Counts> = children.values().collect();
        let judged = self.judge(&counts, Some(above));
        let ids = children.keys().map(|id| (*id).to_owned());
        ids.zip(judged).collect()
    }

    /// What is hidden of each of some places that are together a place of which `above` is hidden; none when
    /// nobody is told of that.
    pub fn judge(&self, places: &[&Counts], above: Option<&Hidden>) -> Vec<Hidden> {
        let sum = |measure| match above {
            None => Sum::Untold,
            Some(above) if above.has(measure) => Sum::Hidden,
            Some(_) => Sum::Shown,
        };
        let mut judged = vec![Hidden::default(); places.len()];
        for days in Days::ALL {
            for (hidden, of_days) in judged.iter_mut().zip(self.illness(places, days, sum)) {
                hidden.0.extend(of_days.0);
            }
        }
        let counted = places.iter().flat_map(|counts| counts.0.keys());
        let others: BTreeSet<Measure> = counted
            .filter_map(|measure| match measure {
                Measure::Ill(_) | Measure::Symptom(..) => None,
                Measure::Absent(slot) => Some(Measure::IllAbsent(*slot)),
                other => Some(*other),
            })
            .collect();
        for measure in others {
            let (veil, whole) = (self.of(measure), measure.whole());
            let parts = places
                .iter()
                .map(|counts| Part::among(counts.get(measure), counts.get(whole)));
            let parts: Vec<Part> = parts.collect();
            // Of few who are seen, how many are ill would be nearly known: that nobody is, is hidden too.
            let few = |at: usize| {
                let whole = parts.get(at).map(|part| Part::all(part.whole()));
                whole.is_some_and(|whole| veil.covers(whole))
            };
            let flags = hidden(veil, &parts, sum(measure), few);
            mark(&mut judged, measure, &flags);
        }
        judged
    }

    /// Those ill are those with any symptom: where they are hidden, every symptom is, had or not. Where a
    /// symptom is hidden that is the only one there, those ill would be those with it, and are hidden too.
    fn illness(&self, places: &[&Counts], days: Days, sum: impl Fn(Measure) -> Sum) -> Vec<Hidden> {
        let ill = Measure::Ill(days);
        let all = places.iter().map(|counts| Part::all(counts.get(ill)));
        let all: Vec<Part> = all.collect();
        let mut given_away: BTreeSet<usize> = BTreeSet::new();
        // Each round gives away more places, or is the last.
        loop {
            let mut judged = vec![Hidden::default(); places.len()];
            let ill_hidden = hidden(self.ill, &all, sum(ill), |at| given_away.contains(&at));
            mark(&mut judged, ill, &ill_hidden);
            for symptom in days.symptoms() {
                let parts = places
                    .iter()
                    .map(|counts| Part::among(counts.get(symptom), counts.get(ill)));
                let parts: Vec<Part> = parts.collect();
                let with_ill = |at: usize| ill_hidden.get(at).copied().unwrap_or_default();
                let flags = hidden(self.ill, &parts, sum(symptom), with_ill);
                mark(&mut judged, symptom, &flags);
            }
            let before = given_away.len();
            let told = places.iter().zip(&judged).enumerate();
            let told = told.filter(|(_, (counts, hidden))| tells(counts, hidden, days));
            given_away.extend(told.map(|(at, _)| at));
            if given_away.len() == before {
                return judged;
            }
        }
    }
}

/// Whether the count of those ill tells one of a symptom that is hidden: the only one that anybody has.
fn tells(counts: &Counts, hidden: &Hidden, days: Days) -> bool {
    let mut unknown = days.symptoms().filter(|symptom| hidden.has(*symptom));
    let (Some(symptom), None) = (unknown.next(), unknown.next()) else {
        return false;
    };
    let others = days.symptoms().filter(|other| *other != symptom);
    !hidden.has(Measure::Ill(days))
        && others
            .map(|other| counts.get(other))
            .all(|count| count == 0)
}

fn mark(judged: &mut [Hidden], measure: Measure, flags: &[bool]) {
    for (hidden, flag) in judged.iter_mut().zip(flags) {
        if *flag {
            hidden.0.insert(measure);
        }
    }
}

/// What comes after `place` in the path of a place below it, empty for the place itself; none when it is not
/// there.
fn below<'a>(place: &str, path: &'a str) -> Option<&'a str> {
    let rest = path.strip_prefix(place)?;
    if rest.is_empty() {
        Some(rest)
    } else {
        rest.strip_prefix('/')
    }
}

#[cfg(test)]
#[path = "veil_tests.rs"]
mod tests;
