//! By which hours duty is kept, in the flood season and otherwise (rules 5.30, 5.31).

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::Deserialize;

use super::{Crew, Planned, Span};

/// The time of year for which a template is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Season {
    /// Any time but the flood season.
    Ordinary,
    /// The flood season of the policy.
    Flood,
}

/// A template as it ships.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// The code, such as `FLOOD_SEASON`.
    pub code: String,
    /// Shown to people.
    pub display_name: String,
    /// For which time of year.
    pub season: Season,
    /// When shifts begin, in minutes since midnight, ascending.
    pub shift_start_minutes: Vec<u32>,
    /// From when rounds are made, in minutes since midnight.
    pub patrol_start_minute: u32,
    /// How long from then.
    pub patrol_minutes: u32,
    /// Each round is made within as many minutes.
    pub patrol_interval_minutes: u32,
    /// The rule and its source.
    pub source: String,
    /// Its first civil day.
    pub effective_date: NaiveDate,
}

/// Those who are on duty together.
pub type Team = Crew;

const DAY: u32 = 24 * 60;

impl Season {
    /// The season of a day, when the flood season begins and ends on these days of the year, month
    /// and day as in 415; it may go over the turn of the year.
    pub fn of(day: NaiveDate, (first, last): (u32, u32)) -> Self {
        let day = day.month() * 100 + day.day();
        let flood = if first <= last {
            (first..=last).contains(&day)
        } else {
            day >= first || day <= last
        };
        if flood { Self::Flood } else { Self::Ordinary }
    }
}

impl Template {
    /// What is wrong with it, in words; none when it can be used.
    pub fn flaw(&self) -> Option<&'static str> {
        let starts = &self.shift_start_minutes;
        if starts.is_empty() || !starts.is_sorted_by(|one, next| one < next) {
            return Some("shift_start_minutes must ascend");
        }
        if starts.iter().any(|start| *start >= DAY) || self.patrol_start_minute >= DAY {
            return Some("a minute is within a day");
        }
        let interval = self.patrol_interval_minutes;
        if interval == 0
            || self.patrol_minutes > DAY
            || !self.patrol_minutes.is_multiple_of(interval)
        {
            return Some("patrol_minutes is a multiple of the interval within a day");
        }
        if self.code.is_empty() || self.display_name.is_empty() || self.source.is_empty() {
            return Some("code, display_name and source are required");
        }
        None
    }

    /// When duty begins on a day.
    fn opening(&self, day: NaiveDate) -> DateTime<Utc> {
        city_instant(day, self.shift_start_minutes.first().copied().unwrap_or(0))
    }
}

/// The instant of a minute of a civil day in Asia/Shanghai (UTC+8).
pub fn city_instant(day: NaiveDate, minute: u32) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN).and_utc() - TimeDelta::hours(8);
    midnight + TimeDelta::minutes(i64::from(minute))
}

/// The span and the shifts from `first` to `last`, each day by its own template, with `teams` in
/// turn.
pub fn generate<'a>(
    (first, last): (NaiveDate, NaiveDate),
    teams: &[Team],
    template: impl Fn(NaiveDate) -> &'a Template,
) -> (Span, Vec<Planned>) {
    let mut teams = teams.iter().cycle();
    let mut shifts = Vec::new();
    let mut end = template(first).opening(first);
    let start = end;
    for day in first.iter_days().take_while(|day| *day <= last) {
        let next = day.succ_opt().unwrap_or(day);
        let starts = &template(day).shift_start_minutes;
        let starts = starts.iter().map(|minute| city_instant(day, *minute));
        let ends = starts.clone().skip(1).chain([template(next).opening(next)]);
        for (begin, until) in starts.zip(ends) {
            // Where two templates meet, the one shift ends when the other begins.
            let span = Span {
                start: begin.max(end),
                end: until,
            };
            if let Some(team) = teams.next().filter(|_| span.start < span.end) {
                let crew = team.clone();
                shifts.push(Planned { span, crew });
                end = span.end;
            }
        }
    }
    (Span { start, end }, shifts)
}
