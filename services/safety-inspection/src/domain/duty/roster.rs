//! Rosters: a span of time in which somebody is always on duty (rule 5.31).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Crew, Refused, Span};
use crate::domain::history::Move;
use crate::domain::numbered::numbered;

numbered! {
    /// The place of a roster in its life cycle; the numbers are those of contract and table.
    RosterState {
        /// Being written.
        Draft = 1 "DRAFT",
        /// In force.
        Published = 2 "PUBLISHED",
    }
}

numbered! {
    /// What is done with a roster.
    RosterStep {
        /// Its shifts are replaced.
        Update = 1 "UPDATE",
        /// It is published.
        Publish = 2 "PUBLISH",
    }
}

impl RosterState {
    /// The state after `step`; none when the step does not start from here.
    pub fn next(self, step: RosterStep) -> Option<Self> {
        match (step, self) {
            (RosterStep::Update, Self::Draft) => Some(Self::Draft),
            (RosterStep::Publish, Self::Draft) => Some(Self::Published),
            (RosterStep::Update | RosterStep::Publish, Self::Published) => None,
        }
    }
}

/// A shift as it is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// When.
    pub span: Span,
    /// Who.
    pub crew: Crew,
}

/// What the policy asks of every shift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demands {
    /// How many beside the leader.
    pub min_staff: usize,
    /// Posts at which there is always somebody.
    pub key_posts: Vec<String>,
    /// The version of the policy.
    pub policy_version: String,
}

/// A roster of one organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// Where it is in its life cycle.
    pub state: RosterState,
    /// The time for which it is made.
    pub span: Span,
    /// The shifts, in the order of their begins.
    pub shifts: Vec<Planned>,
    /// The version of the policy by which it was published.
    pub policy_version: String,
}

impl Roster {
    /// A draft.
    pub fn draft(span: Span, mut shifts: Vec<Planned>) -> Self {
        shifts.sort_by_key(|shift| shift.span);
        Self {
            state: RosterState::Draft,
            span,
            shifts,
            policy_version: String::new(),
        }
    }

    fn step(self, step: RosterStep) -> Result<(Self, Move), Refused> {
        let from = self.state;
        let state = from.next(step).ok_or(Refused::State(from.as_str()))?;
        let moved = Move {
            from: from.as_str(),
            to: state.as_str(),
            step: step.as_str(),
        };
        Ok((Self { state, ..self }, moved))
    }

    /// Replaces span and shifts.
    ///
    /// # Errors
    /// [`Refused::State`] once it is published.
    pub fn update(self, span: Span, shifts: Vec<Planned>) -> Result<(Self, Move), Refused> {
        let (_, moved) = self.step(RosterStep::Update)?;
        Ok((Self::draft(span, shifts), moved))
    }

    /// Everybody who is on one of its shifts, each once.
    pub fn members(&self) -> BTreeSet<&str> {
        let crews = self.shifts.iter().map(|shift| &shift.crew);
        crews.flat_map(Crew::members).collect()
    }

    /// Puts it in force. `busy` says when its people are on duty elsewhere.
    ///
    /// # Errors
    /// [`Refused::State`], or the first of what is wrong: [`Refused::Gap`], [`Refused::TooFew`],
    /// [`Refused::KeyPost`], [`Refused::Overlap`].
    pub fn publish(
        self,
        demands: &Demands,
        busy: &[(String, Span)],
    ) -> Result<(Self, Move), Refused> {
        let (next, moved) = self.step(RosterStep::Publish)?;
        if let Some(gap) = gap(next.span, next.shifts.iter().map(|shift| shift.span)) {
            return Err(Refused::Gap(gap));
        }
        for shift in &next.shifts {
            demands.check(shift.span.start, &shift.crew)?;
        }
        overlap(&next.shifts)?;
        let elsewhere = |shift: &&Planned| {
            let mut busy = busy.iter();
            busy.any(|(person, span)| shift.span.overlaps(*span) && shift.crew.has(person))
        };
        if let Some(shift) = next.shifts.iter().find(elsewhere) {
            return Err(Refused::Overlap(shift.span.start));
        }
        let policy_version = demands.policy_version.clone();
        let next = Self {
            policy_version,
            ..next
        };
        Ok((next, moved))
    }
}

impl Demands {
    /// Whether a crew is enough.
    ///
    /// # Errors
    /// [`Refused::TooFew`] or [`Refused::KeyPost`].
    pub fn check(&self, start: DateTime<Utc>, crew: &Crew) -> Result<(), Refused> {
        let (count, required) = (crew.staff.len(), self.min_staff);
        if count < required {
            return Err(Refused::TooFew {
                start,
                count,
                required,
            });
        }
        let filled = |post: &&String| crew.posts.iter().any(|one| one.post == **post);
        match self.key_posts.iter().find(|post| !filled(post)) {
            Some(post) => Err(Refused::KeyPost {
                post: post.clone(),
                start,
            }),
            None => Ok(()),
        }
    }
}

/// A time between published rosters that is not longer, or is not further away, is told ahead.
const NEAR: TimeDelta = TimeDelta::days(7);

/// A time for which nobody is on a published roster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hole {
    /// Since the last roster before it; none when there was none.
    pub start: Option<DateTime<Utc>>,
    /// Until the next one; none when no other is published.
    pub end: Option<DateTime<Utc>>,
}

/// The hole in which `now` is, else the first one within a week between two of the published rosters
/// `spans`: those that end after `now`, in the order of their begins. `last` is the end of the one before.
pub fn hole(now: DateTime<Utc>, last: Option<DateTime<Utc>>, spans: &[Span]) -> Option<Hole> {
    let next = spans.first().map(|span| span.start);
    if next.is_none_or(|next| next > now) {
        return Some(Hole {
            start: last,
            end: next,
        });
    }
    let between = spans.windows(2).find_map(|pair| match pair {
        [one, other] if one.end < other.start => Some(Hole {
            start: Some(one.end),
            end: Some(other.start),
        }),
        _ => None,
    });
    between.filter(|hole| hole.start.is_some_and(|start| start - now <= NEAR))
}

/// The times of at most a week without anybody between a roster and its neighbours, which end before it
/// and begin after it.
pub fn holes_around(
    span: Span,
    (before, after): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
) -> Vec<Span> {
    let before = before.map(|start| Span {
        start,
        end: span.start,
    });
    let after = after.map(|end| Span {
        start: span.end,
        end,
    });
    let near = |hole: &Span| hole.length() > TimeDelta::zero() && hole.length() <= NEAR;
    before.into_iter().chain(after).filter(near).collect()
}

/// The first time within `whole` that none of `spans`, which come in the order of their begins,
/// covers.
pub(super) fn gap(whole: Span, spans: impl Iterator<Item = Span>) -> Option<Span> {
    let mut covered = whole.start;
    for span in spans {
        if span.start > covered {
            let end = span.start.min(whole.end);
            return Some(Span {
                start: covered,
                end,
            });
        }
        covered = covered.max(span.end);
    }
    (covered < whole.end).then_some(Span {
        start: covered,
        end: whole.end,
    })
}

/// Refuses when somebody is on two shifts, which come in the order of their begins, at once.
fn overlap(shifts: &[Planned]) -> Result<(), Refused> {
    let mut busy: BTreeMap<&str, (usize, DateTime<Utc>)> = BTreeMap::new();
    for (index, shift) in shifts.iter().enumerate() {
        for member in shift.crew.members() {
            let before = busy.insert(member, (index, shift.span.end));
            let clash =
                before.filter(|(other, until)| *other != index && shift.span.start < *until);
            if clash.is_some() {
                return Err(Refused::Overlap(shift.span.start));
            }
        }
    }
    Ok(())
}
