//! When and how somebody wants to be reached, and when a message leaves because of it.

use chrono::{DateTime, Duration, Utc};

use super::message::{Category, Urgency};
use super::template::Language;

/// Minutes of a day.
pub const DAY: u16 = 1440;
/// Asia/Shanghai is as far ahead of UTC, in seconds.
const OFFSET: i64 = 8 * 3600;

/// A span of the day, in minutes since midnight in Asia/Shanghai; it may go past midnight. Empty when
/// it ends where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// From this minute on.
    pub start: u16,
    /// Until this minute.
    pub end: u16,
}

impl Quiet {
    fn contains(self, minute: u16) -> bool {
        if self.start <= self.end {
            (self.start..self.end).contains(&minute)
        } else {
            minute >= self.start || minute < self.end
        }
    }

    /// The first instant from `at` on that is outside.
    pub fn outside(self, at: DateTime<Utc>) -> DateTime<Utc> {
        if self.contains(minute_of(at)) {
            next_minute(at, self.end)
        } else {
            at
        }
    }
}

/// When and how somebody wants to be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// The language of texts.
    pub language: Language,
    /// Plain speech where a template has it.
    pub plain_speech: bool,
    /// Nothing is sent within.
    pub quiet: Quiet,
    /// What only comes to the inbox.
    pub inbox_only: Vec<Category>,
    /// The minute of the day at which what is ordinary is sent in one text; none to have each by
    /// itself.
    pub digest: Option<u16>,
    /// When they were last set; none for the defaults.
    pub updated: Option<DateTime<Utc>>,
}

impl Default for Preferences {
    /// 22:00 to 06:00 quiet, each by itself, Chinese.
    fn default() -> Self {
        Self {
            language: Language::Chinese,
            plain_speech: false,
            quiet: Quiet {
                start: 22 * 60,
                end: 6 * 60,
            },
            inbox_only: Vec::new(),
            digest: None,
            updated: None,
        }
    }
}

/// What is to be sent, as far as it decides when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// What it is about.
    pub category: Category,
    /// How much it presses.
    pub urgency: Urgency,
    /// When it was stored.
    pub created: DateTime<Utc>,
    /// Nothing is sent from then on.
    pub expires: DateTime<Utc>,
}

/// When a message leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// Now, by itself.
    Now,
    /// Now, in one text with what else was to leave at this instant for the same recipient.
    Gathered(DateTime<Utc>),
    /// Not before.
    At(DateTime<Utc>),
    /// Never by this channel: it only comes to the inbox.
    InboxOnly,
    /// Never: it has expired, or will before it may be sent.
    Never,
}

impl Preferences {
    /// When a message leaves. An emergency overrides everything but its end. `spread`, below a minute,
    /// keeps all who wait for the same minute from being sent at once; it is the same each time for the
    /// same recipient.
    pub fn departure(&self, waiting: Waiting, now: DateTime<Utc>, spread: Duration) -> Departure {
        if now >= waiting.expires {
            return Departure::Never;
        }
        if waiting.urgency == Urgency::Emergency {
            return Departure::Now;
        }
        if self.inbox_only.contains(&waiting.category) {
            return Departure::InboxOnly;
        }
        let digest = self
            .digest
            .filter(|_| waiting.urgency == Urgency::Ordinary)
            .map(|minute| self.quiet.outside(next_minute(waiting.created, minute)));
        // A digest that comes after the end is of no use: the message goes by itself.
        if let Some(at) = digest.filter(|at| *at < waiting.expires) {
            let at = late(at, spread, waiting.expires);
            let open = self.quiet.outside(now);
            return match at.max(open) {
                open if open <= now => Departure::Gathered(at),
                at if at < waiting.expires => Departure::At(at),
                _ => Departure::Never,
            };
        }
        self.outside_quiet_hours(waiting, now, spread)
    }

    /// When a message leaves that was gathered into a text before: its hour has come, so only quiet hours
    /// hold it, and those hold the whole text.
    pub fn departure_again(
        &self,
        waiting: Waiting,
        now: DateTime<Utc>,
        spread: Duration,
    ) -> Departure {
        if now >= waiting.expires {
            return Departure::Never;
        }
        if self.inbox_only.contains(&waiting.category) {
            return Departure::InboxOnly;
        }
        self.outside_quiet_hours(waiting, now, spread)
    }

    fn outside_quiet_hours(
        &self,
        waiting: Waiting,
        now: DateTime<Utc>,
        spread: Duration,
    ) -> Departure {
        match self.quiet.outside(now) {
            at if at <= now => Departure::Now,
            at if at < waiting.expires => Departure::At(late(at, spread, waiting.expires)),
            _ => Departure::Never,
        }
    }
}

/// `at`, later by `spread` unless that is too late.
fn late(at: DateTime<Utc>, spread: Duration, expires: DateTime<Utc>) -> DateTime<Utc> {
    let spread = at + spread;
    if spread < expires { spread } else { at }
}

/// The minute of the day in Asia/Shanghai.
fn minute_of(at: DateTime<Utc>) -> u16 {
    let seconds = (at.timestamp() + OFFSET).rem_euclid(86_400);
    u16::try_from(seconds / 60).unwrap_or_default()
}

/// The first instant from `at` on at which the minute `minute` of a day begins in Asia/Shanghai.
fn next_minute(at: DateTime<Utc>, minute: u16) -> DateTime<Utc> {
    let day = Duration::days(1);
    let since_midnight = Duration::milliseconds(
        (at.timestamp_millis() + OFFSET * 1000).rem_euclid(day.num_milliseconds()),
    );
    let same_day = at - since_midnight + Duration::minutes(i64::from(minute));
    if same_day >= at {
        same_day
    } else {
        same_day + day
    }
}

#[cfg(test)]
#[path = "preferences_tests.rs"]
mod tests;
