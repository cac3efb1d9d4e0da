//! The life of a destruction job: a fold over its steps.

use super::catalogue::{knows, services};
use super::event::{BackupCheck, Capacity, Event, Finding, Keep, Report, Step};

/// The place in the life cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Somebody wants it.
    Proposed,
    /// It is known what is kept.
    Assessed,
    /// Two persons agreed.
    Approved,
    /// Services destroy.
    Running,
    /// Nothing was found left.
    Confirmed,
    /// The certificate is signed.
    Certified,
    /// It was refused.
    Rejected,
    /// It was taken back.
    Withdrawn,
}

impl State {
    /// The word that callers are told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "PROPOSED",
            Self::Assessed => "ASSESSED",
            Self::Approved => "APPROVED",
            Self::Running => "RUNNING",
            Self::Confirmed => "CONFIRMED",
            Self::Certified => "CERTIFIED",
            Self::Rejected => "REJECTED",
            Self::Withdrawn => "WITHDRAWN",
        }
    }

    /// Whether nothing of it was ever destroyed and nothing will be.
    pub fn given_up(self) -> bool {
        matches!(self, Self::Rejected | Self::Withdrawn)
    }
}

/// Why a step was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The step does not start from this state.
    #[error("a job that is {} cannot do this", .0.as_str())]
    State(State),
    /// Another person has to take it.
    #[error("another person has to do this")]
    SamePerson,
    /// A service has not reported, or left something.
    #[error("{0} has not reported or left something")]
    Incomplete(String),
    /// Backups show so many records, and none was deleted.
    #[error("old backups show {0} records")]
    Backups(i64),
    /// A service has no such category.
    #[error("{service} has no category {category}")]
    Category {
        /// The service.
        service: String,
        /// The category.
        category: String,
    },
}

/// A job: where its steps have brought it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    state: State,
    keeps: Vec<Keep>,
    approvals: Vec<(Capacity, String)>,
    reports: Vec<Report>,
    events: Vec<Event>,
}

impl Job {
    /// A job that somebody proposes.
    pub fn propose(actor: &str, time: i64, reason: String) -> Self {
        Self {
            state: State::Proposed,
            keeps: Vec::new(),
            approvals: Vec::new(),
            reports: Vec::new(),
            events: vec![Event {
                actor: actor.to_owned(),
                time,
                step: Step::Proposed { reason },
            }],
        }
    }

    /// The job that took these steps; none when they are no history of a job.
    pub fn replay(events: impl IntoIterator<Item = Event>) -> Option<Self> {
        let mut events = events.into_iter();
        let Event { actor, time, step } = events.next()?;
        let Step::Proposed { reason } = step else {
            return None;
        };
        let begun = Self::propose(&actor, time, reason);
        events.try_fold(begun, |job, event| job.step(event).ok())
    }

    /// The job after one more step.
    ///
    /// # Errors
    /// When the state, the person or what is known does not allow the step.
    pub fn step(mut self, event: Event) -> Result<Self, Refused> {
        let actor = &event.actor;
        self.state = match (self.state, &event.step) {
            (State::Proposed, Step::Assessed { keeps, .. }) => {
                known(keeps)?;
                self.keeps.clone_from(keeps);
                State::Assessed
            }
            (State::Assessed, Step::Approved { capacity }) => {
                let mut before = self.approvals.iter();
                let again = before.any(|(given, who)| given == capacity || who == actor);
                if again || self.prepared(actor) {
                    return Err(Refused::SamePerson);
                }
                self.approvals.push((*capacity, actor.clone()));
                if self.approvals.len() < 2 {
                    State::Assessed
                } else {
                    State::Approved
                }
            }
            (State::Proposed | State::Assessed | State::Approved, Step::Rejected { .. }) => {
                if self.prepared(actor) {
                    return Err(Refused::SamePerson);
                }
                State::Rejected
            }
            (State::Proposed | State::Assessed | State::Approved, Step::Withdrawn { .. }) => {
                if self.proposer() != actor {
                    return Err(Refused::SamePerson);
                }
                State::Withdrawn
            }
            (State::Approved, Step::Started) => {
                if self.approved(actor) {
                    return Err(Refused::SamePerson);
                }
                State::Running
            }
            (State::Running, Step::Reported { report }) => {
                self.reports.retain(|told| told.service != report.service);
                self.reports.push(report.clone());
                State::Running
            }
            (State::Running, Step::Confirmed { checks, .. }) => {
                if self.approved(actor) || self.started(actor) {
                    return Err(Refused::SamePerson);
                }
                self.nothing_left(checks)?;
                State::Confirmed
            }
            (State::Confirmed, Step::Certified) => State::Certified,
            (state, _) => return Err(Refused::State(state)),
        };
        self.events.push(event);
        Ok(self)
    }

    /// Whether counts, samples and backups say that nothing is left.
    fn nothing_left(&self, checks: &[BackupCheck]) -> Result<(), Refused> {
        if let Some(service) = self.awaited().next() {
            return Err(Refused::Incomplete(service.to_owned()));
        }
        if let Some(left) = self.reports.iter().find(|report| !report.complete()) {
            return Err(Refused::Incomplete(left.service.clone()));
        }
        let exposed = self.reports.iter().map(Report::exposed).sum();
        let deleted = |check: &BackupCheck| check.finding == Finding::Deleted;
        if checks.is_empty() || (exposed > 0 && !checks.iter().any(deleted)) {
            return Err(Refused::Backups(exposed));
        }
        Ok(())
    }

    /// The services that have not reported.
    pub fn awaited(&self) -> impl Iterator<Item = &'static str> {
        let told = |service: &str| self.reports.iter().any(|report| report.service == service);
        services().filter(move |service| !told(service))
    }

    fn proposer(&self) -> &str {
        &self.events[0].actor
    }

    fn prepared(&self, actor: &str) -> bool {
        self.took(actor, |step| {
            matches!(step, Step::Proposed { .. } | Step::Assessed { .. })
        })
    }

    fn approved(&self, actor: &str) -> bool {
        self.approvals.iter().any(|(_, who)| who == actor)
    }

    fn started(&self, actor: &str) -> bool {
        self.took(actor, |step| matches!(step, Step::Started))
    }

    fn took(&self, actor: &str, which: impl Fn(&Step) -> bool) -> bool {
        let mut events = self.events.iter();
        events.any(|event| event.actor == actor && which(&event.step))
    }

    /// Where it is in its life.
    pub fn state(&self) -> State {
        self.state
    }

    /// What is kept.
    pub fn keeps(&self) -> &[Keep] {
        &self.keeps
    }

    /// What services reported.
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }

    /// Its steps, oldest first.
    pub fn events(&self) -> &[Event] {
        &self.events
    }
}

/// Whether each service has what it is to keep.
fn known(keeps: &[Keep]) -> Result<(), Refused> {
    let stranger = keeps
        .iter()
        .find(|keep| !knows(&keep.service, &keep.category));
    stranger.map_or(Ok(()), |keep| {
        Err(Refused::Category {
            service: keep.service.clone(),
            category: keep.category.clone(),
        })
    })
}
