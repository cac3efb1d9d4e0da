//! How complete the checks of a place are and what they say: one small row of each kind a school, added
//! up when somebody asks.

use std::collections::{BTreeMap, HashMap};

use kit::auth::{Caller, Permission};
use kit::org::OrgPath;
use tokio::try_join;

use super::super::App;
use super::overdue::due_time;
use super::veils::{Judged, top, veils};
use crate::domain::day::Day;
use crate::domain::health::check::Unit;
use crate::domain::health::coverage::{
    Corrections, Expected, Figures, Open, Silence, SymptomCounts,
};
use crate::domain::health::rules::{Slot, SlotRule};
use crate::domain::health::tally::DayTally;
use crate::domain::health::veil::{Counts, Hidden, Veils};
use crate::error::Error;
use crate::store::health::expectations::ExpectationRow;
use crate::store::health::{absences, corrections, days, expectations, matters, windows};
use crate::store::policy::Facts;
use crate::store::rolls;

/// What one place has said of people's health.
#[derive(Clone, Debug)]
pub(crate) struct HealthCovered {
    pub(crate) org_path: String,
    pub(crate) day: Day,
    pub(crate) school_day: bool,
    pub(crate) policy_version: String,
    /// The checks of the day, and when each is due in milliseconds since 1970; 0 for one that the
    /// policy does not hold any more.
    pub(crate) checks: Vec<(Slot, i64)>,
    pub(crate) figures: Figures,
    /// What is not settled; of today only.
    pub(crate) open: Option<Open>,
    /// What this caller does not see of it.
    pub(crate) hidden: Hidden,
    /// The number of ill people below which they are hidden from this caller; 0 when they are not.
    pub(crate) hidden_below: u32,
    /// When it was read, in milliseconds since 1970.
    pub(crate) read_time: i64,
}

/// Where a list of places goes on.
pub(crate) type After = (Silence, String);

/// How a list of places is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// By path.
    Path,
    /// The most silent first.
    Silence,
}

/// What is stored of one school.
#[derive(Debug, Default)]
struct Stored {
    expected: Option<ExpectationRow>,
    tally: DayTally,
    three_days: SymptomCounts,
    corrected: [Corrections; 3],
    open: Open,
}

impl App {
    /// What an organisation with everything below it has said.
    pub(crate) async fn health_coverage(
        &self,
        caller: &Caller,
        organization: &str,
        day: Day,
    ) -> Result<HealthCovered, Error> {
        let permission = Permission::HealthCoverageRead;
        let place = self.place(caller, permission, organization).await?;
        let mut covered = self
            .health_coverage_of(caller, &place, vec![place.to_string()], day)
            .await?;
        covered
            .pop()
            .ok_or_else(|| Error::NotFound(format!("organizations/{organization}")))
    }

    /// What the places right below an organisation have said, after one of them, and where to go on
    /// when there are more.
    pub(crate) async fn list_health_coverage(
        &self,
        caller: &Caller,
        organization: &str,
        day: Day,
        order: Order,
        after: Option<After>,
        limit: usize,
    ) -> Result<(Vec<HealthCovered>, Option<After>), Error> {
        let permission = Permission::HealthCoverageRead;
        let place = self.place(caller, permission, organization).await?;
        let children = rolls::children(self.db.read(), &place).await?;
        let covered = self
            .health_coverage_of(caller, &place, children, day)
            .await?;
        let rank = |covered: &HealthCovered| match order {
            Order::Path => (Silence::default(), covered.org_path.clone()),
            Order::Silence => (covered.figures.silence(), covered.org_path.clone()),
        };
        let mut ranked: Vec<(After, HealthCovered)> = covered
            .into_iter()
            .map(|covered| (rank(&covered), covered))
            .filter(|(rank, _)| after.as_ref().is_none_or(|after| rank > after))
            .collect();
        ranked.sort_by(|(one, _), (other, _)| one.cmp(other));
        let more = ranked.len() > limit;
        ranked.truncate(limit);
        let last = ranked.last().map(|(rank, _)| rank.clone());
        let covered = ranked.into_iter().map(|(_, covered)| covered).collect();
        Ok((covered, last.filter(|_| more)))
    }

    /// Adds up the schools at or below each of `places`, which are `root` or those right below it, in one pass.
    /// Where something is hidden from the caller, all that they see besides is looked at too.
    async fn health_coverage_of(
        &self,
        caller: &Caller,
        root: &OrgPath,
        places: Vec<String>,
        day: Day,
    ) -> Result<Vec<HealthCovered>, Error> {
        let facts = self.facts.get(self.db.read()).await?;
        let now = self.clock.now().timestamp_millis();
        let live = day == self.today();
        let school_day = facts.calendar.is_school_day(day);
        let seen = top(caller, root);
        let veils = veils(caller, root, facts.privacy_k(seen.as_str(), day));
        let mut covered = Vec::with_capacity(places.len());
        for path in places {
            let policy = facts.policy(&path, day);
            let policy = policy.ok_or_else(|| Error::NoPolicy(path.clone()))?;
            covered.push(HealthCovered {
                org_path: path,
                day,
                school_day,
                policy_version: policy.version.clone(),
                checks: Vec::new(),
                figures: Figures::default(),
                open: live.then(Open::default),
                hidden: Hidden::default(),
                hidden_below: veils.ill.limit(),
                read_time: now,
            });
        }
        let index: HashMap<String, usize> = (0..)
            .zip(&covered)
            .map(|(at, covered)| (covered.org_path.clone(), at))
            .collect();
        let read = match veils {
            Veils::NONE => root,
            _ => &seen,
        };
        let schools = self.stored(read, day, live).await?;
        for (school, stored) in &schools {
            if !within(root, school) {
                continue;
            }
            let figures = stored.figures(&facts, school, day, school_day, now);
            let ends = school.match_indices('/').map(|(end, _)| end);
            for end in ends.chain([school.len()]) {
                let Some(covered) = index
                    .get(&school[..end])
                    .and_then(|at| covered.get_mut(*at))
                else {
                    continue;
                };
                covered.figures.add(&figures);
                if let Some(open) = &mut covered.open {
                    open.add(&stored.open);
                }
            }
        }
        let judged = match veils {
            Veils::NONE => Judged::default(),
            _ => {
                let counts = schools.iter();
                let counts = counts.map(|(school, stored)| (school.clone(), stored.counts()));
                let below = covered.iter().any(|one| one.org_path != root.as_str());
                Judged::new(&veils, &counts.collect(), (&seen, root), below)
            }
        };
        for covered in &mut covered {
            covered.checks = checks_of(&facts, covered);
            covered.hidden = judged.of(&covered.org_path);
        }
        Ok(covered)
    }

    /// What is counted of every school at or below a place on a day, but for what is not settled now.
    pub(super) async fn counts(
        &self,
        place: &OrgPath,
        day: Day,
    ) -> Result<BTreeMap<String, Counts>, Error> {
        let schools = self.stored(place, day, false).await?;
        let counts = schools.into_iter();
        Ok(counts
            .map(|(school, stored)| (school, stored.counts()))
            .collect())
    }

    /// What is stored of every school at or below a place.
    async fn stored(
        &self,
        place: &OrgPath,
        day: Day,
        live: bool,
    ) -> Result<BTreeMap<String, Stored>, Error> {
        let read = self.db.read();
        let path = place.as_str();
        let (expected, tallies, three_days, corrected) = try_join!(
            expectations::below(read, path),
            days::of_day(read, path, day),
            windows::below(read, path, day),
            corrections::of_day(read, path, day),
        )?;
        let mut schools: BTreeMap<String, Stored> = BTreeMap::new();
        for row in expected {
            let name = row.school.clone();
            schools.entry(name).or_default().expected = Some(row);
        }
        for (school, tally) in tallies {
            schools.entry(school).or_default().tally = tally;
        }
        for (school, counts) in three_days {
            schools.entry(school).or_default().three_days = counts;
        }
        for (school, slot, more) in corrected {
            let known = schools.entry(school).or_default();
            if let Some(of_slot) = known.corrected.get_mut(slot as usize - 1) {
                of_slot.add(more);
            }
        }
        if live {
            let (absences, clusters, cases) = try_join!(
                absences::tallies_below(read, place),
                matters::clusters(read, place),
                matters::cases(read, place),
            )?;
            for (school, tally) in absences {
                schools.entry(school).or_default().open.absences = tally;
            }
            for (school, count) in clusters {
                schools.entry(school).or_default().open.clusters = count;
            }
            for (school, (open, late)) in cases {
                let matters = &mut schools.entry(school).or_default().open;
                (matters.cases, matters.late_cases) = (open, late);
            }
        }
        Ok(schools)
    }
}

impl Stored {
    fn counts(&self) -> Counts {
        Counts::of_school(&self.tally, &self.three_days, &self.open)
    }

    fn figures(
        &self,
        facts: &Facts,
        school: &str,
        day: Day,
        school_day: bool,
        now: i64,
    ) -> Figures {
        let policy = facts.policy(school, day);
        let rules = policy.map_or(&[][..], |policy| &policy.health.slots);
        let expected = |rule: &SlotRule| match &self.expected {
            Some(row) if school_day => Expected {
                checks: count(row.sessions(rule)),
                people: people(row, rule),
            },
            _ => Expected::default(),
        };
        let is_over = |rule: &SlotRule| now > due_time(day, rule.deadline_minute);
        Figures::of_school(&self.tally, self.three_days, rules, expected, is_over)
            .corrected(self.corrected)
    }
}

/// Whether the place `path` is `outer` or below it.
fn within(outer: &OrgPath, path: &str) -> bool {
    let rest = path.strip_prefix(outer.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// People whom a check expects in person now.
fn people(row: &ExpectationRow, rule: &SlotRule) -> u32 {
    let of = |unit: Unit, people: i32| if unit.is_checked(rule) { people } else { 0 };
    let people = of(Unit::ClassGroup, row.students)
        .saturating_add(of(Unit::Staff, row.staff))
        .saturating_add(of(Unit::Room, row.boarders));
    count(people)
}

fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// The checks that the policy of the place holds, and those that were submitted under another one.
fn checks_of(facts: &Facts, covered: &HealthCovered) -> Vec<(Slot, i64)> {
    let policy = facts.policy(&covered.org_path, covered.day);
    let checks = Slot::ALL.into_iter().filter_map(|slot| {
        let rule = policy.and_then(|policy| policy.health.slot(slot));
        let figures = covered.figures.slot(slot);
        match rule {
            Some(rule) => Some((slot, due_time(covered.day, rule.deadline_minute))),
            None if figures.expected + figures.submitted > 0 => Some((slot, 0)),
            None => None,
        }
    });
    checks.collect()
}
