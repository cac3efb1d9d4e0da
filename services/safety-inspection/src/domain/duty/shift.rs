//! Shifts: somebody comes, hands over in writing, and is taken over from (rule 5.31).

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Crew, Planned, Refused, ShiftState, ShiftStep, Span};
use crate::domain::history::Move;

/// Somebody who has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// `staff/{staff_member}`.
    pub staff_member: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What is handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What happened.
    pub summary: String,
    /// What is open.
    pub open_items: Vec<String>,
}

/// The handover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// What is handed over.
    pub note: Note,
    /// When it was written.
    pub written: DateTime<Utc>,
    /// Who took over.
    pub successor: String,
    /// When.
    pub taken: Option<DateTime<Utc>>,
}

/// A shift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// Where it is in its life cycle.
    pub state: ShiftState,
    /// When.
    pub span: Span,
    /// Who.
    pub crew: Crew,
    /// The leader checks in by then.
    pub check_in_due: DateTime<Utc>,
    /// Who has come.
    pub arrivals: Vec<Arrival>,
    /// The handover.
    pub handover: Option<Handover>,
    /// The name of the roster.
    pub roster: String,
    /// The name of the shift in whose place it stands; may be empty.
    pub replaces: String,
    /// The name of the shift that stands in its place; may be empty.
    pub replaced_by: String,
}

/// So long before it begins one may check in, and take over from the shift before.
const EARLY: TimeDelta = TimeDelta::hours(1);

impl Shift {
    /// A shift of a published roster; `grace` is the time to check in.
    pub fn scheduled(planned: Planned, roster: &str, grace: TimeDelta) -> Self {
        Self {
            state: ShiftState::Scheduled,
            check_in_due: planned.span.start + grace,
            span: planned.span,
            crew: planned.crew,
            arrivals: Vec::new(),
            handover: None,
            roster: roster.to_owned(),
            replaces: String::new(),
            replaced_by: String::new(),
        }
    }

    fn step(self, step: ShiftStep) -> Result<(Self, Move), Refused> {
        let from = self.state;
        let state = from.next(step).ok_or(Refused::State(from.as_str()))?;
        let moved = Move {
            from: from.as_str(),
            to: state.as_str(),
            step: step.as_str(),
        };
        Ok((Self { state, ..self }, moved))
    }

    /// When the leader may check in: until the grace is over, its last instant included.
    fn check_in(&self) -> Span {
        Span {
            start: self.span.start - EARLY,
            end: self.check_in_due,
        }
    }

    /// Somebody of the shift has come.
    ///
    /// # Errors
    /// [`Refused::State`], [`Refused::Person`] for somebody else, or [`Refused::Time`] when it is
    /// too early, or too late for the leader.
    pub fn arrive(mut self, person: &str, now: DateTime<Utc>) -> Result<(Self, Move), Refused> {
        let leads = self.crew.leader == person;
        let (step, time) = if leads {
            (ShiftStep::CheckIn, self.check_in())
        } else {
            let start = self.span.start - EARLY;
            (ShiftStep::Arrive, Span { start, ..self.span })
        };
        if self.state.next(step).is_none() {
            return Err(Refused::State(self.state.as_str()));
        }
        if !self.crew.has(person) {
            return Err(Refused::Person);
        }
        if now < time.start || now > time.end {
            return Err(Refused::Time(time));
        }
        let known = self.arrivals.iter().any(|one| one.staff_member == person);
        if !known {
            self.arrivals.push(Arrival {
                staff_member: person.to_owned(),
                at: now,
            });
        }
        self.step(step)
    }

    /// The leader writes the handover.
    ///
    /// # Errors
    /// [`Refused::State`], or [`Refused::Person`] for somebody else.
    pub fn write_handover(
        self,
        person: &str,
        note: Note,
        now: DateTime<Utc>,
    ) -> Result<(Self, Move), Refused> {
        let (mut next, moved) = self.step(ShiftStep::WriteHandover)?;
        if next.crew.leader != person {
            return Err(Refused::Person);
        }
        next.handover = Some(Handover {
            note,
            written: now,
            successor: String::new(),
            taken: None,
        });
        Ok((next, moved))
    }

    /// The leader of `following`, the next shift, takes over.
    ///
    /// # Errors
    /// [`Refused::State`], [`Refused::Handover`] when nothing is written or no shift follows,
    /// [`Refused::Person`] for somebody else, or [`Refused::Time`] when it is too early.
    pub fn take_over(
        self,
        person: &str,
        following: Option<&Self>,
        now: DateTime<Utc>,
    ) -> Result<(Self, Move), Refused> {
        let (mut next, moved) = self.step(ShiftStep::TakeOver)?;
        let (Some(handover), Some(following)) = (&mut next.handover, following) else {
            return Err(Refused::Handover);
        };
        if following.crew.leader != person {
            return Err(Refused::Person);
        }
        let start = following.span.start - EARLY;
        if now < start {
            let end = following.span.end;
            return Err(Refused::Time(Span { start, end }));
        }
        person.clone_into(&mut handover.successor);
        handover.taken = Some(now);
        Ok((next, moved))
    }

    /// The time to check in is over.
    ///
    /// # Errors
    /// [`Refused::State`] when somebody has come or it was raised before, [`Refused::Time`] before
    /// that.
    pub fn raise_alert(self, now: DateTime<Utc>) -> Result<(Self, Move), Refused> {
        let time = Span {
            start: self.check_in_due,
            end: self.span.end,
        };
        let (next, moved) = self.step(ShiftStep::RaiseAlert)?;
        if now <= time.start {
            return Err(Refused::Time(time));
        }
        Ok((next, moved))
    }

    /// Others are sent: this shift, and the one in its place under the names `names` (of this and of
    /// the new one), whose leader is there. Key posts stay with whoever is at them, and the same telephone
    /// answers.
    ///
    /// # Errors
    /// [`Refused::State`], [`Refused::Time`] when it is over, or [`Refused::TooFew`].
    pub fn replace(
        self,
        (leader, staff): (String, Vec<String>),
        demands: &super::Demands,
        (name, new_name): (&str, &str),
        now: DateTime<Utc>,
    ) -> Result<(Self, Self, Move), Refused> {
        let (mut old, moved) = self.step(ShiftStep::Replace)?;
        if now >= old.span.end {
            return Err(Refused::Time(old.span));
        }
        let crew = Crew {
            leader: leader.clone(),
            staff,
            posts: old.crew.posts.clone(),
            phone: old.crew.phone.clone(),
        };
        demands.check(now, &crew)?;
        new_name.clone_into(&mut old.replaced_by);
        let new = Self {
            state: ShiftState::OnDuty,
            span: Span {
                start: now,
                end: old.span.end,
            },
            crew,
            check_in_due: now,
            arrivals: vec![Arrival {
                staff_member: leader,
                at: now,
            }],
            handover: None,
            roster: old.roster.clone(),
            replaces: name.to_owned(),
            replaced_by: String::new(),
        };
        Ok((old, new, moved))
    }

    /// Puts `substitute` in place of `person`.
    ///
    /// # Errors
    /// [`Refused::State`], [`Refused::Time`] once it has begun, or [`Refused::Person`] when the one
    /// is not of the shift or the other one is already.
    pub fn swap(
        self,
        person: &str,
        substitute: &str,
        now: DateTime<Utc>,
    ) -> Result<(Self, Move), Refused> {
        let (next, moved) = self.step(ShiftStep::Swap)?;
        if now >= next.span.start {
            return Err(Refused::Time(Span {
                start: now,
                end: next.span.start,
            }));
        }
        if !next.crew.has(person) || next.crew.has(substitute) {
            return Err(Refused::Person);
        }
        let crew = next.crew.with(person, substitute);
        // Whoever has come and is no longer of the shift has not come for it.
        let mut arrivals = next.arrivals;
        arrivals.retain(|one| one.staff_member != person);
        let next = Self {
            crew,
            arrivals,
            ..next
        };
        Ok((next, moved))
    }

    /// Somebody of the shift passes a point.
    ///
    /// # Errors
    /// [`Refused::State`], or [`Refused::Person`] for somebody else.
    pub fn patrol(&self, person: &str) -> Result<(), Refused> {
        let next = self.state.next(ShiftStep::Patrol);
        next.ok_or(Refused::State(self.state.as_str()))?;
        if self.crew.has(person) {
            Ok(())
        } else {
            Err(Refused::Person)
        }
    }

    /// A bureau looks.
    ///
    /// # Errors
    /// [`Refused::State`], or [`Refused::Time`] before or after the shift.
    pub fn spot_check(self, now: DateTime<Utc>) -> Result<(Self, Move), Refused> {
        let (next, moved) = self.step(ShiftStep::SpotCheck)?;
        if next.span.contains(now) {
            Ok((next, moved))
        } else {
            Err(Refused::Time(next.span))
        }
    }

    /// `staff/{staff_member}`: who answers for it, the next leader once that took over.
    pub fn answers(&self) -> &str {
        let taken = self.handover.as_ref().filter(|one| one.taken.is_some());
        taken.map_or(&self.crew.leader, |handover| &handover.successor)
    }

    /// Whether it is over and nobody has taken over.
    pub fn handover_overdue(&self, now: DateTime<Utc>) -> bool {
        self.state == ShiftState::OnDuty && now >= self.span.end
    }
}
