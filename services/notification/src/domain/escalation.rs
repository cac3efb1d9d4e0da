//! An alert that nobody acknowledges in time goes up the tree of organisations, as far as the city.

use chrono::{DateTime, Duration, Utc};

use super::alert::{Alert, State, Step};
use super::change::{Change, Event};
use super::place::above;
use super::rule::{Reaction, Rule};

/// The least time that somebody has who is told.
const LEAST: Duration = Duration::minutes(1);

/// The subject of what happened because its time had come.
const CLOCK: &str = "clock";

impl Step {
    /// The step of a deadline that passed.
    pub fn by_clock(time: DateTime<Utc>) -> Self {
        Self {
            subject: CLOCK.to_owned(),
            time,
            comment: String::new(),
        }
    }
}

impl Alert {
    /// Whether its deadline has passed without anybody acknowledging it.
    pub fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        self.state == State::Open && self.next.is_some_and(|next| next < now)
    }

    /// When it goes further up, counted from `now`, where it must be seen by `due` at the school; none when
    /// it stays where it is.
    pub(super) fn next_of(
        &self,
        reaction: &Reaction,
        due: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let steps = i32::try_from(above(&self.org_path).count()).unwrap_or(i32::MAX);
        match self.level {
            level if level >= steps => None,
            0 => Some(due),
            level => reaction.stay(level).map(|stay| now + stay),
        }
    }

    /// Nobody was told where it is: its clock stands until somebody is.
    #[must_use]
    pub(super) fn paused(self) -> Self {
        Self { next: None, ..self }
    }

    /// Somebody is told where it is: a clock that stood begins anew, at the school with the time that there
    /// was when it was raised.
    #[must_use]
    pub(super) fn resumed(self, rule: &Rule, now: DateTime<Utc>) -> Self {
        let span = (self.due - self.raised.max(self.occurred)).max(LEAST);
        if self.state != State::Open {
            return self;
        }
        let next = self.next_of(rule.reaction(self.grave), now + span, now);
        Self {
            next: self.next.or(next),
            ..self
        }
    }

    /// Escalates an alert that is overdue: to the next organisation above at which `answers` names
    /// somebody, or one step when nobody is named anywhere. None when it is not overdue.
    pub fn escalate(
        &self,
        rule: &Rule,
        answers: impl Fn(&str) -> Option<String>,
        now: DateTime<Utc>,
    ) -> Option<Change> {
        if !self.is_overdue(now) {
            return None;
        }
        let further = (1..).zip(above(&self.org_path));
        let mut further = further.filter(|(level, _)| *level > self.level).peekable();
        let Some((right_above, _)) = further.peek().copied() else {
            // The school moved up in the tree meanwhile: it is at the top.
            return Some(Change::from(Self {
                next: None,
                ..self.clone()
            }));
        };
        let named = further.find_map(|(level, organization)| Some((level, answers(organization)?)));
        let (level, owner) = named.unwrap_or((right_above, String::new()));
        let stay = rule.reaction(self.grave).stay(level);
        let ends = i32::try_from(above(&self.org_path).count()).unwrap_or(i32::MAX);
        let escalated = Self {
            level,
            owner: owner.clone(),
            next: stay.filter(|_| level < ends).map(|stay| now + stay),
            inhibited_by: String::new(),
            silenced_by: String::new(),
            ..self.clone()
        };
        Some(Change::from(escalated).entry(Event::Escalated, &Step::by_clock(now), &owner))
    }
}

#[cfg(test)]
#[path = "escalation_tests.rs"]
mod tests;
