//! How complete the checks of a place are and what they say: one small row of each kind a school, added
//! up when somebody asks.

use std::collections::{BTreeMap, HashMap};

use kit::auth::{Caller, Permission};
use kit::org::OrgPath;
use tokio::try_join;

use super::super::App;
use super::overdue::due_time;
use crate::domain::day::Day;
use crate::domain::health::check::Unit;
use crate::domain::health::coverage::{Expected, Figures, Open, Silence, SymptomCounts, Veil};
use crate::domain::health::rules::{Slot, SlotRule};
use crate::domain::health::tally::DayTally;
use crate::domain::policy::Policy;
use crate::error::Error;
use crate::store::health::expectations::ExpectationRow;
use crate::store::health::{absences, days, expectations, matters, windows};
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
    pub(crate) veils: Veils,
    /// When it was read, in milliseconds since 1970.
    pub(crate) read_time: i64,
}

/// What is hidden from a caller at a place: whoever may read what is counted sees the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Veils {
    pub(crate) ill: Veil,
    pub(crate) absences: Veil,
    pub(crate) clusters: Veil,
    pub(crate) cases: Veil,
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

impl Veils {
    pub(super) fn new(caller: &Caller, place: &OrgPath, policy: &Policy) -> Self {
        let may = |permission| caller.require(permission, place).is_ok();
        let unless = |also: bool| {
            if also || may(Permission::HealthRead) {
                Veil::NONE
            } else {
                Veil::below(policy.health.privacy_k)
            }
        };
        Self {
            ill: unless(false),
            absences: unless(may(Permission::AbsenceRead)),
            clusters: unless(may(Permission::ClusterRead)),
            cases: unless(may(Permission::CaseRead)),
        }
    }
}

/// What is stored of one school.
#[derive(Debug, Default)]
struct Stored {
    expected: Option<ExpectationRow>,
    tally: DayTally,
    three_days: SymptomCounts,
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

    /// Adds up the schools at or below each of `places`, which lie at or below `root`, in one pass.
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
                veils: Veils::new(caller, root, policy),
                read_time: now,
            });
        }
        let index: HashMap<String, usize> = (0..)
            .zip(&covered)
            .map(|(at, covered)| (covered.org_path.clone(), at))
            .collect();
        for (school, stored) in self.stored(root, day, live).await? {
            let figures = stored.figures(&facts, &school, day, school_day, now);
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
        for covered in &mut covered {
            covered.checks = checks_of(&facts, covered);
        }
        Ok(covered)
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
        let (expected, tallies, three_days) = try_join!(
            expectations::below(read, path),
            days::of_day(read, path, day),
            windows::below(read, path, day),
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
    }
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
