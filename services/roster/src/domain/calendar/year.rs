//! One checked calendar year, and what it says of a day.

use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDate, Weekday};

/// The years for which there can be a calendar.
const YEARS: RangeInclusive<i32> = 2000..=2100;
/// A name has at most as many characters.
const MOST_CHARACTERS: usize = 63;

/// One civil day with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedDay {
    /// The civil day.
    pub date: NaiveDate,
    /// Shown to people.
    pub name: String,
}

/// A span of teaching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Shown to people.
    pub name: String,
    /// The first civil day.
    pub start: NaiveDate,
    /// The last civil day, included.
    pub end: NaiveDate,
}

/// The calendar of one civil year; always consistent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarYear {
    year: i32,
    days_off: Vec<NamedDay>,
    makeup_days: Vec<NamedDay>,
    terms: Vec<Term>,
}

/// Why there is or is no school.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Monday to Friday, not off.
    Regular,
    /// A make-up day.
    Makeup,
    /// Saturday or Sunday.
    Weekend,
    /// A day off.
    DayOff,
    /// Outside every term.
    Vacation,
}

/// What a calendar says of one civil day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchoolDay<'a> {
    /// There is school.
    pub school_day: bool,
    /// Why.
    pub kind: Kind,
    /// The name of a day off or make-up day, else empty.
    pub name: &'a str,
}

/// What is wrong with a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field, such as `makeup_days[2].date`.
    pub path: String,
    /// Why, in Chinese.
    pub zh: &'static str,
    /// Why, in English.
    pub en: &'static str,
}

impl CalendarYear {
    /// A calendar, when its parts fit together.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn new(
        year: i32,
        days_off: Vec<NamedDay>,
        makeup_days: Vec<NamedDay>,
        terms: Vec<Term>,
    ) -> Result<Self, Vec<Fault>> {
        let mut faults = Faults(Vec::new());
        if !YEARS.contains(&year) {
            faults.add(
                "year",
                "年份应在 2000 至 2100 之间",
                "lies outside 2000 to 2100",
            );
        }
        faults.days("days_off", &days_off, year);
        faults.days("makeup_days", &makeup_days, year);
        for (place, makeup) in makeup_days.iter().enumerate() {
            let path = || format!("makeup_days[{place}].date");
            if !weekend(makeup.date) {
                faults.add(
                    path(),
                    "补课日应为周六或周日",
                    "is neither a Saturday nor a Sunday",
                );
            }
            if named(&days_off, makeup.date).is_some() {
                faults.add(path(), "同一天不能既放假又补课", "is a day off as well");
            }
        }
        faults.terms(&terms, year);
        if faults.0.is_empty() {
            Ok(Self {
                year,
                days_off,
                makeup_days,
                terms,
            })
        } else {
            Err(faults.0)
        }
    }

    /// The calendar of a year of which nothing else is known: school from Monday to Friday.
    pub fn unknown(year: i32) -> Self {
        Self {
            year,
            days_off: Vec::new(),
            makeup_days: Vec::new(),
            terms: Vec::new(),
        }
    }

    /// The civil year.
    pub fn year(&self) -> i32 {
        self.year
    }

    /// The days off, ordered by date.
    pub fn days_off(&self) -> &[NamedDay] {
        &self.days_off
    }

    /// The Saturdays and Sundays with school, ordered by date.
    pub fn makeup_days(&self) -> &[NamedDay] {
        &self.makeup_days
    }

    /// The terms, ordered by date; empty when teaching is possible all year.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Whether `date` is a school day, and why: it lies in a term, or there are none, and is either
    /// a make-up day, or a day from Monday to Friday that is not off. None for a day of another year.
    pub fn school_day(&self, date: NaiveDate) -> Option<SchoolDay<'_>> {
        if date.year() != self.year {
            return None;
        }
        let in_term = |term: &Term| term.start <= date && date <= term.end;
        let (kind, name) = if !self.terms.is_empty() && !self.terms.iter().any(in_term) {
            (Kind::Vacation, "")
        } else if let Some(name) = named(&self.makeup_days, date) {
            (Kind::Makeup, name)
        } else if let Some(name) = named(&self.days_off, date) {
            (Kind::DayOff, name)
        } else if weekend(date) {
            (Kind::Weekend, "")
        } else {
            (Kind::Regular, "")
        };
        Some(SchoolDay {
            school_day: kind.is_school(),
            kind,
            name,
        })
    }
}

impl Kind {
    /// Whether there is school on such a day.
    pub fn is_school(self) -> bool {
        match self {
            Self::Regular | Self::Makeup => true,
            Self::Weekend | Self::DayOff | Self::Vacation => false,
        }
    }
}

struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, path: impl Into<String>, zh: &'static str, en: &'static str) {
        self.0.push(Fault {
            path: path.into(),
            zh,
            en,
        });
    }

    fn name(&mut self, path: String, name: &str) {
        let fits = (1..=MOST_CHARACTERS).contains(&name.chars().count());
        if !fits {
            self.add(
                path,
                "名称应为 1 至 63 个字符",
                "must have 1 to 63 characters",
            );
        }
    }

    fn days(&mut self, list: &str, days: &[NamedDay], year: i32) {
        for (place, day) in days.iter().enumerate() {
            self.name(format!("{list}[{place}].display_name"), &day.name);
            let path = || format!("{list}[{place}].date");
            if day.date.year() != year {
                self.add(path(), "日期不在该年内", "lies outside the year");
            }
            if place > 0 && days[place - 1].date >= day.date {
                let (zh, en) = (
                    "日期应按先后排列且不重复",
                    "must be later than the day before it",
                );
                self.add(path(), zh, en);
            }
        }
    }

    fn terms(&mut self, terms: &[Term], year: i32) {
        for (place, term) in terms.iter().enumerate() {
            self.name(format!("terms[{place}].display_name"), &term.name);
            let path = |field: &str| format!("terms[{place}].{field}");
            if term.end < term.start {
                self.add(
                    path("end_date"),
                    "结束日期早于开始日期",
                    "lies before the start",
                );
            }
            if term.end.year() < year || year < term.start.year() {
                self.add(
                    path("start_date"),
                    "学期不在该年内",
                    "no day of the term lies in the year",
                );
            }
            if place > 0 && terms[place - 1].end >= term.start {
                let (zh, en) = (
                    "学期应按先后排列且不重叠",
                    "must start after the term before it ends",
                );
                self.add(path("start_date"), zh, en);
            }
        }
    }
}

fn named(days: &[NamedDay], date: NaiveDate) -> Option<&str> {
    let day = days.iter().find(|day| day.date == date)?;
    Some(&day.name)
}

fn weekend(date: NaiveDate) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}
