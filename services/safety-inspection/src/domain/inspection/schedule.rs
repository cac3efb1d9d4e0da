//! How often places are inspected, by the days of the school calendar (rule 5.5).

use chrono::{Datelike, Days, Months, NaiveDate};
use kit::calendar::Calendar;

use crate::domain::checklist::item::PlaceKind;
use crate::domain::checklist::template::TemplateId;
use crate::domain::numbered::numbered;

numbered! {
    /// Who inspects; the later ones see what the earlier ones see.
    Level {
        /// A class or a post.
        Post = 1 "POST",
        /// A department of the school.
        Department = 2 "DEPARTMENT",
        /// The school.
        School = 3 "SCHOOL",
        /// A bureau above the school.
        Bureau = 4 "BUREAU",
        /// Another authority (rule 4.2).
        OtherAuthority = 5 "OTHER_AUTHORITY",
    }
}

impl Level {
    /// Whether somebody from outside the organisation inspects.
    pub fn is_outside(self) -> bool {
        matches!(self, Self::Bureau | Self::OtherAuthority)
    }
}

numbered! {
    /// How often; the numbers are those of the contract.
    Cadence {
        /// Each school day.
        SchoolDay = 1 "SCHOOL_DAY",
        /// Each week from Monday to Sunday.
        Week = 2 "WEEK",
        /// Each calendar month.
        Month = 3 "MONTH",
        /// Each term.
        Term = 4 "TERM",
        /// The two weeks before each term.
        BeforeTerm = 5 "BEFORE_TERM",
        /// The days before a holiday.
        BeforeHoliday = 6 "BEFORE_HOLIDAY",
        /// Each week of the flood season.
        FloodSeason = 7 "FLOOD_SEASON",
    }
}

/// How many days before a term its inspection is due.
const BEFORE_TERM: Days = Days::new(14);
/// How many days before a holiday its inspection is due.
const BEFORE_HOLIDAY: Days = Days::new(3);
/// From how many days in a row without work on they are a holiday.
const HOLIDAY: usize = 3;

/// How often places of a kind are inspected at and below an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The id.
    pub id: String,
    /// The id of the organisation; empty for what ships.
    pub organization: String,
    /// Its place; empty for the whole tree.
    pub org_path: String,
    /// Shown to people.
    pub display_name: String,
    /// By which list; other versions count as well.
    pub template: TemplateId,
    /// What is inspected.
    pub place_kind: PlaceKind,
    /// Who inspects.
    pub level: Level,
    /// How often.
    pub cadence: Cadence,
    /// Its first day.
    pub start: NaiveDate,
    /// Its last day; none while it goes on.
    pub end: Option<NaiveDate>,
}

/// The flood season of each year (rule 5.30), as month and day `MMDD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Season {
    /// Its first day.
    pub first: u32,
    /// Its last day.
    pub last: u32,
}

impl Season {
    fn contains(self, day: NaiveDate) -> bool {
        (self.first..=self.last).contains(&(day.month() * 100 + day.day()))
    }
}

/// Days within which one inspection is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period {
    /// The first day.
    pub first: NaiveDate,
    /// The last day.
    pub last: NaiveDate,
}

impl Period {
    /// Whether the day lies in it.
    pub fn contains(self, day: NaiveDate) -> bool {
        self.first <= day && day <= self.last
    }
}

impl Schedule {
    /// Whether it is for an organisation at this place.
    pub fn binds(&self, org_path: &str) -> bool {
        self.org_path.is_empty()
            || org_path
                .strip_prefix(self.org_path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The periods that share a day with those from `from` to `to` and begin while the schedule is in
    /// force, in order.
    pub fn periods(
        &self,
        calendar: &Calendar,
        season: Option<Season>,
        (from, to): (NaiveDate, NaiveDate),
    ) -> Vec<Period> {
        let mut periods = periods(self.cadence, calendar, season, (from, to));
        periods.retain(|period| {
            let ended = self.end.is_some_and(|end| period.first > end);
            period.first >= self.start && !ended
        });
        periods
    }
}

fn periods(
    cadence: Cadence,
    calendar: &Calendar,
    season: Option<Season>,
    (from, to): (NaiveDate, NaiveDate),
) -> Vec<Period> {
    let school = |period: &Period| days(*period).any(|day| calendar.is_school_day(day));
    let around = Period {
        first: from,
        last: to,
    };
    let mut periods: Vec<Period> = match cadence {
        Cadence::SchoolDay => days(around)
            .map(|day| Period {
                first: day,
                last: day,
            })
            .filter(school)
            .collect(),
        Cadence::Week => weeks(around).filter(school).collect(),
        Cadence::Month => months(around).filter(school).collect(),
        Cadence::Term => terms(calendar, around),
        Cadence::BeforeTerm => terms(calendar, widened(around, BEFORE_TERM))
            .into_iter()
            .map(|term| before(term.first, BEFORE_TERM))
            .collect(),
        Cadence::BeforeHoliday => holidays(calendar, widened(around, BEFORE_HOLIDAY))
            .map(|first| before(first, BEFORE_HOLIDAY))
            .filter(school)
            .collect(),
        Cadence::FloodSeason => {
            let wet = |week: &Period| {
                let season = season.as_ref();
                season.is_some_and(|season| days(*week).any(|day| season.contains(day)))
            };
            weeks(around).filter(wet).collect()
        }
    };
    periods.retain(|period| period.first <= to && period.last >= from);
    periods
}

fn days(period: Period) -> impl Iterator<Item = NaiveDate> {
    let days = period.first.iter_days();
    days.take_while(move |day| *day <= period.last)
}

/// Later by `after` days at its end.
fn widened(period: Period, after: Days) -> Period {
    Period {
        last: period.last + after,
        ..period
    }
}

/// The `length` days before `day`.
fn before(day: NaiveDate, length: Days) -> Period {
    Period {
        first: day - length,
        last: day - Days::new(1),
    }
}

fn weeks(around: Period) -> impl Iterator<Item = Period> {
    let monday = around.first - Days::new(around.first.weekday().num_days_from_monday().into());
    let mondays = monday.iter_weeks();
    let mondays = mondays.take_while(move |day| *day <= around.last);
    mondays.map(|first| Period {
        first,
        last: first + Days::new(6),
    })
}

fn months(around: Period) -> impl Iterator<Item = Period> {
    let first = around.first.with_day(1).unwrap_or(around.first);
    let firsts = std::iter::successors(Some(first), |day| day.checked_add_months(Months::new(1)));
    let firsts = firsts.take_while(move |day| *day <= around.last);
    firsts.map(|first| Period {
        first,
        last: first + Months::new(1) - Days::new(1),
    })
}

/// The terms that share a day with those `around`: of the calendar, or halves of the school year for a
/// year of which it knows none.
fn terms(calendar: &Calendar, around: Period) -> Vec<Period> {
    let mut terms = Vec::new();
    for year in around.first.year() - 1..=around.last.year() {
        let known = calendar.terms(year);
        let half = |from: (i32, u32), to: (i32, u32)| {
            let first = NaiveDate::from_ymd_opt(from.0, from.1, 1)?;
            let last = NaiveDate::from_ymd_opt(to.0, to.1, 31)?;
            Some((first, last))
        };
        let halves = [half((year, 2), (year, 8)), half((year, 9), (year + 1, 1))];
        let halves = halves.into_iter().flatten();
        if known.is_empty() {
            terms.extend(halves.map(|(first, last)| Period { first, last }));
        } else {
            terms.extend(known.iter().map(|(first, last)| Period {
                first: *first,
                last: *last,
            }));
        }
    }
    terms.retain(|term| term.first <= around.last && term.last >= around.first);
    terms.sort();
    terms.dedup();
    terms
}

/// The first days of the holidays that begin within `around`, which begins early enough.
fn holidays(calendar: &Calendar, around: Period) -> impl Iterator<Item = NaiveDate> {
    days(around).filter(|day| {
        let off = |day: &NaiveDate| !calendar.is_working_day(*day);
        let begins = day.pred_opt().is_some_and(|before| !off(&before));
        begins && day.iter_days().take(HOLIDAY).filter(off).count() == HOLIDAY
    })
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
