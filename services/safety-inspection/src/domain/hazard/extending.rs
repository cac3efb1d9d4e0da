//! Later deadlines: asked for, and decided one level up (rule 5.9).

use chrono::NaiveDate;

use super::course::{Decision, Extension};
use super::entry::{Actor, Hazard, Moment};
use super::moves::{NONE, Refused};
use super::state::Grade;
use super::terms::{Setting, later};

impl Hazard {
    pub(super) fn ask(
        mut self,
        (due, reason): (NaiveDate, String),
        actor: &Actor,
        now: Moment,
        setting: &Setting,
    ) -> Result<Self, Refused> {
        let asked = self.course.extension.as_ref();
        if asked.is_some_and(|asked| asked.decision == Decision::Requested) {
            return Err(Refused::ExtensionState(Decision::Requested.word()));
        }
        let most = setting.terms.max_extensions;
        if self.course.extensions >= most {
            return Err(Refused::ExtensionLimit(most));
        }
        let grade = self.grade.unwrap_or(Grade::General);
        let latest = later(self.due.max(now.today), setting.terms.days(grade, false));
        if due <= self.due.max(now.today) || due > latest {
            return Err(Refused::Deadline(latest));
        }
        self.course.extension = Some(Extension {
            decision: Decision::Requested,
            due,
            reason,
            requester: actor.name.clone(),
            decider: String::new(),
        });
        Ok(self)
    }

    pub(super) fn decide(
        mut self,
        granted: bool,
        actor: &Actor,
        setting: &Setting,
    ) -> Result<Self, Refused> {
        let Some(mut asked) = self.course.extension.take() else {
            return Err(Refused::ExtensionState(NONE));
        };
        if asked.decision != Decision::Requested {
            return Err(Refused::ExtensionState(asked.decision.word()));
        }
        if actor.is(&asked.requester) {
            return Err(Refused::SamePerson("requester"));
        }
        if actor.level < setting.above() {
            return Err(Refused::LevelTooLow(setting.above()));
        }
        asked.decider = actor.name.clone();
        if granted {
            asked.decision = Decision::Granted;
            self.due = asked.due;
            self.escalation = None;
            self.course.extensions += 1;
            self.course.overdue_told = false;
            self.course.escalated = None;
        } else {
            asked.decision = Decision::Refused;
        }
        self.course.extension = Some(asked);
        Ok(self)
    }
}
