//! An alert that nobody acknowledges in time goes up the tree of organisations, as far as the city.

use chrono::{DateTime, Utc};

use super::alert::{Alert, State, Step};
use super::change::{Change, Event};
use super::place::above;
use super::rule::Rule;

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
