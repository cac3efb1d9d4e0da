//! What time does to a hazard: overdue, up to the district, up to the city, reviews that do not end
//! (rule 5.9), and reports of progress that do not come (rule 5.8).

use chrono::NaiveDate;

use super::course::{ProgressDue, ReviewDue};
use super::entry::Hazard;
use super::state::Bureau;
use super::terms::{Setting, Terms, later};

/// Something that time did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// Its deadline is over.
    Overdue,
    /// It went up.
    Escalated(Bureau),
    /// A report of progress did not come.
    ProgressOverdue,
    /// The review of its removal did not end.
    ReviewOverdue,
}

impl Passed {
    /// What stands in its history.
    pub fn act(self) -> &'static str {
        match self {
            Self::Overdue => "Overdue",
            Self::Escalated(_) => "Escalate",
            Self::ProgressOverdue => "ProgressOverdue",
            Self::ReviewOverdue => "ReviewOverdue",
        }
    }
}

impl Hazard {
    /// The first civil day on which time does something to it; none when it waits for people only.
    pub fn wait_on(&self, terms: &Terms) -> Option<NaiveDate> {
        if self.state.is_final() {
            return None;
        }
        let submitted_in_time = self.submitted_on().is_some_and(|day| day <= self.due);
        let waits = !self.course.overdue_told && !submitted_in_time;
        let overdue = waits.then(|| later(self.due, 1));
        let district = self.escalation == Some(Bureau::District);
        let up = self.course.escalated.filter(|_| district);
        let up = up.map(|since| later(since, terms.escalation_days));
        let progress = self.course.progress_due.filter(|due| !due.told);
        let progress = progress.map(|due| later(due.day, 1));
        let review = self.course.review_due.filter(|due| !due.told);
        let review = review.map(|due| later(due.day, 1));
        let all = [overdue, up, progress, review];
        all.into_iter().flatten().min()
    }

    /// Lets time pass until `today`; says what it did.
    pub fn pass(mut self, today: NaiveDate, setting: &Setting) -> (Self, Vec<Passed>) {
        let mut passed = Vec::new();
        if self.is_overdue(today) && !self.course.overdue_told {
            self.course.overdue_told = true;
            passed.push(Passed::Overdue);
            self.escalate(setting.first_bureau(), today, &mut passed);
        } else if let (Some(Bureau::District), Some(since), false) = (
            self.escalation,
            self.course.escalated,
            self.state.is_final(),
        ) && today >= later(since, setting.terms.escalation_days)
        {
            self.escalate(Bureau::City, today, &mut passed);
        }
        if let Some(due) = self.course.progress_due
            && !due.told
            && !self.state.is_final()
            && today > due.day
        {
            self.course.progress_due = Some(ProgressDue { told: true, ..due });
            passed.push(Passed::ProgressOverdue);
        }
        if let Some(due) = self.course.review_due
            && !due.told
            && today > due.day
        {
            self.course.review_due = Some(ReviewDue { told: true, ..due });
            passed.push(Passed::ReviewOverdue);
            if let Some(bureau) = self.above_reviewer(setting) {
                self.escalate(bureau, today, &mut passed);
            }
        }
        (self, passed)
    }

    /// To whom a late review goes up: above the bureau that reviews, or that knows already; none above
    /// the city.
    fn above_reviewer(&self, setting: &Setting) -> Option<Bureau> {
        let first = setting.first_bureau();
        match self.escalation {
            None if !self.is_major() || first == Bureau::City => Some(first),
            None | Some(Bureau::District) => Some(Bureau::City),
            Some(Bureau::City) => None,
        }
    }

    fn escalate(&mut self, bureau: Bureau, today: NaiveDate, passed: &mut Vec<Passed>) {
        self.escalation = Some(bureau);
        self.course.escalated = Some(today);
        passed.push(Passed::Escalated(bureau));
    }
}
