//! The moves of a hazard, each with its guards (rule 5.9).

use chrono::{NaiveDate, TimeDelta};

use super::course::{Control, Course, Fixes, Measure, ProgressDue, ReviewDue, Submission};
use super::entry::{Actor, Hazard, Moment};
use super::major::Fact;
use super::state::{Grade, State};
use super::terms::{Setting, later};
use super::verb::{Plan, Verb};
use crate::domain::organization::Level;
use crate::domain::photo::Photo;

/// Why something is not done to a hazard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It does not start from this state.
    #[error("the hazard is {}", .0.word())]
    State(State),
    /// A major hazard is not out of use, and people are not away from it.
    #[error("nothing controls the major hazard, which is {}", .0.word())]
    ControlMissing(State),
    /// This must be done by somebody else.
    #[error("somebody else than the {0} must do this")]
    SamePerson(&'static str),
    /// This must be done at a higher level.
    #[error("this is done at {0:?} or above")]
    LevelTooLow(Level),
    /// No picture shows the place afterwards.
    #[error("no picture shows the place afterwards")]
    AfterPhotoMissing,
    /// The deadline is before today, or later than this last day.
    #[error("the deadline may be {0} at the latest")]
    Deadline(NaiveDate),
    /// The deadline was extended as often as the policy allows.
    #[error("the deadline may be extended {0} times")]
    ExtensionLimit(i32),
    /// An extension is undecided, or none is asked for.
    #[error("the extension is {0}")]
    ExtensionState(&'static str),
    /// Only major hazards are supervised.
    #[error("the hazard is not major")]
    NotMajor,
    /// It is on a list that is as high, or on none.
    #[error("the supervision is {0}")]
    SupervisionState(&'static str),
    /// No owner is named, and nobody answers.
    #[error("nobody answers for the hazard")]
    Unowned,
}

/// Something is absent.
pub(super) const NONE: &str = "NONE";

impl Hazard {
    /// Does `verb`. A refusal says why.
    ///
    /// # Errors
    /// [`Refused`] when the state or a guard does not allow it.
    pub fn apply(
        self,
        verb: Verb,
        actor: &Actor,
        now: Moment,
        setting: &Setting,
    ) -> Result<Self, Refused> {
        if !verb.states().contains(&self.state) {
            return Err(Refused::State(self.state));
        }
        match verb {
            Verb::Verify {
                grade,
                at_once,
                facts,
                major_rules,
                note: _,
            } => Ok(self.verify((grade, at_once), (facts, major_rules), now, setting)),
            Verb::Dismiss(_) => self.dismiss(actor),
            Verb::Control(measures, words) => self.control(measures, words, actor, now),
            Verb::Assign(plan) => self.assign(plan, now),
            Verb::HandOver { owner, reason: _ } => Ok(self.hand_over(owner)),
            Verb::Remind(_) => Ok(self),
            Verb::Rectify => Ok(self.rectify(now, setting)),
            Verb::Submit {
                statement,
                before,
                photos,
            } => self.submit(statement, (&before, &photos), actor, (now, setting)),
            Verb::Review => self.review(actor),
            Verb::Close(_) => self.close(actor, now),
            Verb::Return(_) => self.give_back(actor, now),
            Verb::Progress(percent, _) => Ok(self.progress(percent, now, setting)),
            Verb::RequestExtension(due, reason) => self.ask((due, reason), actor, now, setting),
            Verb::DecideExtension(granted, _) => self.decide(granted, actor, setting),
            Verb::Supervise(demand) => self.supervise(demand, actor, now),
            Verb::RecordSupervision(finding) => self.watch(finding, actor, now),
            Verb::LiftSupervision(_) => self.lift(actor, now),
        }
    }

    fn in_state(self, state: State) -> Self {
        Self { state, ..self }
    }

    fn verify(
        self,
        (judged, at_once): (Grade, bool),
        (facts, hit): (Vec<Fact>, Vec<String>),
        now: Moment,
        setting: &Setting,
    ) -> Self {
        let mut major_rules = self.major_rules;
        for code in hit {
            if !major_rules.contains(&code) {
                major_rules.push(code);
            }
        }
        let forced = !major_rules.is_empty() || !self.recurrence_of.is_empty();
        let grade = if forced { Grade::Major } else { judged };
        Self {
            state: State::Verified,
            grade: Some(grade),
            major_rules,
            due: setting.terms.last_day(grade, at_once, now.today),
            escalation: None,
            course: Course {
                facts,
                overdue_told: false,
                escalated: None,
                ..self.course
            },
            ..self
        }
    }

    fn dismiss(self, actor: &Actor) -> Result<Self, Refused> {
        if actor.is(&self.finder) {
            return Err(Refused::SamePerson("finder"));
        }
        self.require_level(actor)?;
        Ok(self.in_state(State::Dismissed))
    }

    fn control(
        mut self,
        measures: Vec<Measure>,
        description: String,
        actor: &Actor,
        now: Moment,
    ) -> Result<Self, Refused> {
        if self.is_major() && !measures.iter().any(|measure| measure.controls_major()) {
            return Err(Refused::ControlMissing(self.state));
        }
        self.course.control = Some(Control {
            measures,
            description,
            controller: actor.name.clone(),
            start: now.at,
            end: None,
        });
        Ok(self.in_state(State::InterimControl))
    }

    fn assign(mut self, plan: Plan, now: Moment) -> Result<Self, Refused> {
        if self.is_major() && self.state != State::InterimControl {
            return Err(Refused::ControlMissing(self.state));
        }
        let Plan {
            owner,
            measures,
            budget_fen,
            due,
            contingency_plan,
        } = plan;
        if owner.is_empty() {
            return Err(Refused::Unowned);
        }
        // Verified late or overdue already: whoever removes it still gets today.
        let latest = self.due.max(now.today);
        if due < now.today || due > latest {
            return Err(Refused::Deadline(latest));
        }
        self.due = due;
        self.course.fixes = Some(Fixes {
            owner,
            measures,
            budget_fen,
            contingency_plan,
            assigned: now.at,
        });
        Ok(self.in_state(State::Assigned))
    }

    fn hand_over(mut self, owner: String) -> Self {
        if let Some(fixes) = &mut self.course.fixes {
            let before = std::mem::replace(&mut fixes.owner, owner);
            self.course.remember(before);
        }
        self
    }

    fn rectify(mut self, now: Moment, setting: &Setting) -> Self {
        self.course.progress_due = self.next_progress(now, setting);
        self.in_state(State::Rectifying)
    }

    fn next_progress(&self, now: Moment, setting: &Setting) -> Option<ProgressDue> {
        self.is_major().then(|| ProgressDue {
            day: later(now.today, setting.terms.progress_days),
            told: false,
        })
    }

    fn progress(mut self, percent: i32, now: Moment, setting: &Setting) -> Self {
        self.course.percent = percent;
        self.course.progress_reports += 1;
        self.course.progress_due = self.next_progress(now, setting);
        self
    }

    fn submit(
        mut self,
        statement: String,
        (before, photos): (&[Photo], &[Photo]),
        actor: &Actor,
        (now, setting): (Moment, &Setting),
    ) -> Result<Self, Refused> {
        let assigned = self.course.fixes.as_ref().map(|fixes| fixes.assigned);
        let shows_after = |photo: &&Photo| {
            let later = assigned.is_none_or(|assigned| photo.taken >= assigned);
            later && before.iter().all(|old| old.sha256 != photo.sha256)
        };
        let after = photos.iter().filter(shows_after).count();
        if after == 0 {
            return Err(Refused::AfterPhotoMissing);
        }
        let last = self.course.submission.take();
        let round = last.as_ref().map_or(0, |last| last.round);
        if let Some(last) = last {
            self.course.remember(last.submitter);
        }
        self.course.submission = Some(Submission {
            statement,
            submitter: actor.name.clone(),
            submitted: now.at,
            day: Some(now.today),
            round: round + 1,
            after_photos: i32::try_from(after).unwrap_or(i32::MAX),
        });
        self.course.progress_due = None;
        self.course.review_due = Some(ReviewDue {
            day: later(now.today, setting.terms.review_days),
            told: false,
        });
        Ok(self.in_state(State::Submitted))
    }

    /// Whether whoever answers for its category at its place may review it, as far as the person goes.
    pub fn is_reviewed_by(&self, person: &str) -> bool {
        let submission = self.course.submission.as_ref();
        let submitter = submission.map_or("", |submission| submission.submitter.as_str());
        let before = self.course.former.iter().any(|name| name == person);
        !(self.is_major() || before || person == self.owner() || person == submitter)
    }

    /// Whether somebody may review it: nobody who owns or owned it or ever said that it is removed, and
    /// of a major one at the district or above.
    fn require_reviewer(&self, actor: &Actor) -> Result<(), Refused> {
        if actor.is(self.owner()) {
            return Err(Refused::SamePerson("owner"));
        }
        let submission = self.course.submission.as_ref();
        if submission.is_some_and(|submission| actor.is(&submission.submitter)) {
            return Err(Refused::SamePerson("submitter"));
        }
        if self.course.former.iter().any(|name| actor.is(name)) {
            return Err(Refused::SamePerson("former owner"));
        }
        self.require_level(actor)
    }

    /// A major hazard ends at the district or above.
    fn require_level(&self, actor: &Actor) -> Result<(), Refused> {
        if self.is_major() && actor.level < Level::District {
            return Err(Refused::LevelTooLow(Level::District));
        }
        Ok(())
    }

    fn review(mut self, actor: &Actor) -> Result<Self, Refused> {
        self.require_reviewer(actor)?;
        self.course.reviewer = actor.name.clone();
        Ok(self.in_state(State::Reviewing))
    }

    fn close(mut self, actor: &Actor, now: Moment) -> Result<Self, Refused> {
        self.require_reviewer(actor)?;
        let submission = self.course.submission.as_ref();
        if submission.is_none_or(|submission| submission.after_photos == 0) {
            return Err(Refused::AfterPhotoMissing);
        }
        self.course.reviewer = actor.name.clone();
        self.course.percent = 100;
        if let Some(control) = &mut self.course.control {
            control.end = Some(now.at);
        }
        self.course.review_due = None;
        self.closed = Some(now.at);
        Ok(self.in_state(State::Closed))
    }

    /// The owner has as many days left as when the removal was reported; that its review was late is
    /// over.
    fn give_back(mut self, actor: &Actor, now: Moment) -> Result<Self, Refused> {
        self.require_reviewer(actor)?;
        if let Some(left) = self.submitted_on().map(|day| self.due - day)
            && left >= TimeDelta::zero()
        {
            self.due = self.due.max(now.today + left);
        }
        if !self.course.overdue_told {
            self.escalation = None;
            self.course.escalated = None;
        }
        self.course.review_due = None;
        self.course.reviewer = actor.name.clone();
        Ok(self.in_state(State::Returned))
    }
}
