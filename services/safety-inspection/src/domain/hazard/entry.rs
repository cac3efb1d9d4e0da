//! A hazard as it stands in the ledger.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use uuid::Uuid;

use super::course::{Course, Supervision};
use super::major::Fact;
use super::report::{Category, Report, Source};
use super::state::{Bureau, Grade, State};
use super::terms::Setting;
use crate::domain::organization::Level;

/// When something happens: the instant and its civil day in the city.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The instant.
    pub at: DateTime<Utc>,
    /// Its civil day.
    pub today: NaiveDate,
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The person of the register, else the subject of the token.
    pub name: String,
    /// The subject of the token.
    pub subject: String,
    /// At which level the actor decides.
    pub level: Level,
}

impl Actor {
    /// Whether this is the one who is written down as `name`.
    pub fn is(&self, name: &str) -> bool {
        !name.is_empty() && (self.name == name || self.subject == name)
    }
}

/// A number in the ledger of an organisation: new ones each January (rule 5.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerNumber {
    /// The civil year.
    pub year: i32,
    /// From 1.
    pub sequence: i32,
}

impl LedgerNumber {
    /// The civil year in whose ledger a hazard of `day` is numbered.
    pub fn year_of(day: NaiveDate) -> i32 {
        day.year()
    }
}

impl std::fmt::Display for LedgerNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:04}", self.year, self.sequence)
    }
}

/// Where a hazard is found: the id of the organisation and its place in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The id.
    pub organization: String,
    /// The place.
    pub org_path: String,
}

/// A hazard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hazard {
    /// Sorts by when it was found.
    pub id: Uuid,
    /// Where it is.
    pub home: Home,
    /// Its number in the ledger.
    pub number: LedgerNumber,
    /// The place within the organisation.
    pub place: String,
    /// Its field.
    pub category: Category,
    /// Who found it, as a kind.
    pub source: Source,
    /// What led to it.
    pub origin: String,
    /// What is wrong.
    pub description: String,
    /// Codes of the rules by which it is major (rule 5.4).
    pub major_rules: Vec<String>,
    /// Who found it.
    pub finder: String,
    /// When it was found.
    pub found: DateTime<Utc>,
    /// Where it stands.
    pub state: State,
    /// How grave it is; none before it is verified, unless a rule says so.
    pub grade: Option<Grade>,
    /// The name of the closed hazard that it repeats; may be empty.
    pub recurrence_of: String,
    /// The last civil day on which it may be open.
    pub due: NaiveDate,
    /// To whom it went up.
    pub escalation: Option<Bureau>,
    /// When it was closed.
    pub closed: Option<DateTime<Utc>>,
    /// What happened on its way.
    pub course: Course,
}

/// What is known of a hazard when it is opened, besides the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Its id.
    pub id: Uuid,
    /// Where it is.
    pub home: Home,
    /// Its number in the ledger.
    pub number: LedgerNumber,
    /// Facts that were stated.
    pub facts: Vec<Fact>,
    /// The name of the hazard that it repeats; may be empty.
    pub recurrence_of: String,
    /// Who found it.
    pub finder: String,
}

impl Hazard {
    /// Opens a hazard. It is major at once when a rule makes it so (rule 5.4) or when it repeats one
    /// (rule 5.9); until it is verified its deadline is that of its likely grade.
    pub fn open(opening: Opening, report: &Report, now: Moment, setting: &Setting) -> Self {
        let Opening {
            id,
            home,
            number,
            facts,
            recurrence_of,
            finder,
        } = opening;
        let major = !report.major_rules.is_empty() || !recurrence_of.is_empty();
        let likely = if major { Grade::Major } else { Grade::General };
        Self {
            id,
            home,
            number,
            place: report.place.clone(),
            category: report.category,
            source: report.source,
            origin: report.origin.clone(),
            description: report.description.clone(),
            major_rules: report.major_rules.clone(),
            finder,
            found: now.at,
            state: State::Reported,
            grade: major.then_some(Grade::Major),
            recurrence_of,
            due: setting.terms.last_day(likely, false, now.today),
            escalation: None,
            closed: None,
            course: Course {
                facts,
                proposed: report.proposed,
                clause: report.clause.clone(),
                ..Course::default()
            },
        }
    }

    /// Its resource name.
    pub fn name(&self) -> String {
        name(&self.home.organization, self.id)
    }

    /// The resource whose evidence the pictures of the last submission are.
    pub fn evidence(&self) -> Option<String> {
        let submission = self.course.submission.as_ref()?;
        Some(format!("{}/submissions/{}", self.name(), submission.round))
    }

    /// Who owns its removal; empty before it is assigned.
    pub fn owner(&self) -> &str {
        self.course
            .fixes
            .as_ref()
            .map_or("", |fixes| fixes.owner.as_str())
    }

    /// Whether people are not safe from it yet: it is open, and not a major one under interim control
    /// (rule 5.9).
    pub fn endangers(&self) -> bool {
        let control = self.course.control.as_ref();
        let controlled = control.is_some_and(|control| control.end.is_none());
        !(self.state.is_final() || self.is_major() && controlled)
    }

    /// The civil day on which its removal was reported, while that is looked at: the time that a
    /// reviewer takes is not its owner's.
    pub fn submitted_on(&self) -> Option<NaiveDate> {
        let reviewed = matches!(self.state, State::Submitted | State::Reviewing);
        let submission = self.course.submission.as_ref().filter(|_| reviewed);
        submission.and_then(|submission| submission.day)
    }

    /// Whether it is open after its deadline, or its removal was reported after it (rule 5.9).
    pub fn is_overdue(&self, today: NaiveDate) -> bool {
        !self.state.is_final() && self.submitted_on().unwrap_or(today) > self.due
    }

    /// Whether a report of progress is late (rule 5.8).
    pub fn is_progress_overdue(&self, today: NaiveDate) -> bool {
        self.course.progress_due.is_some_and(|due| today > due.day)
    }

    /// Whether the review of its removal is late (rule 5.9).
    pub fn is_review_overdue(&self, today: NaiveDate) -> bool {
        self.course.review_due.is_some_and(|due| today > due.day)
    }

    /// The supervision that stands.
    pub fn supervised(&self) -> Option<&Supervision> {
        let supervision = self.course.supervision.as_ref();
        supervision.filter(|supervision| supervision.lifted.is_none())
    }

    pub(super) fn is_major(&self) -> bool {
        self.grade == Some(Grade::Major)
    }
}

/// The resource name of a hazard of an organisation.
pub fn name(organization: &str, id: Uuid) -> String {
    format!("organizations/{organization}/hazards/{}", id.hyphenated())
}
