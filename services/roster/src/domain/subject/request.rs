//! The life of a request: filed, and closed once.

use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::super::organization::coded;
use super::{ANSWER_DAYS, OTHERS, Person};

coded! {
    /// What is wanted.
    Kind {
        /// To know what is held.
        Access = 1 "ACCESS",
        /// A copy of it.
        Copy = 2 "COPY",
        /// Something put right.
        Correction = 3 "CORRECTION",
        /// Something deleted.
        Deletion = 4 "DELETION",
    }
}

coded! {
    /// Who asks.
    Asker {
        /// The person.
        Own = 1 "PERSON",
        /// A guardian.
        Guardian = 2 "GUARDIAN",
    }
}

coded! {
    /// The place in the life cycle.
    State {
        /// It waits for its answer.
        Received = 1 "RECEIVED",
        /// It was answered.
        Answered = 2 "ANSWERED",
        /// It was refused.
        Refused = 3 "REFUSED",
        /// It was taken back.
        Withdrawn = 4 "WITHDRAWN",
    }
}

/// What was filed; it does not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// About whom.
    pub person: Person,
    /// What is wanted.
    pub kind: Kind,
    /// Who asks.
    pub asker: Asker,
    /// How the school checked who asks; empty for who asks by their own account.
    pub identity_check: String,
    /// Which fields are concerned.
    pub fields: Vec<String>,
    /// Who filed it.
    pub by: String,
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// The civil day on which it was filed.
    pub day: NaiveDate,
}

/// What another service holds, as an answer tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Which service.
    pub service: String,
    /// Whether it holds anything.
    pub holds: bool,
    /// Which categories, and how they were handed over.
    pub statement: String,
}

/// How a request ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Close {
    /// With an answer.
    Answer {
        /// What is told.
        text: String,
        /// What other services hold.
        holdings: Vec<Holding>,
    },
    /// With a refusal, by this law.
    Refuse(String),
    /// By being taken back.
    Withdraw,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Into which state.
    pub state: State,
    /// What was told.
    pub text: String,
    /// What other services hold.
    pub holdings: Vec<Holding>,
    /// Who closed it.
    pub by: String,
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// The civil day of it.
    pub day: NaiveDate,
}

/// Why a request was not closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// It was closed before.
    #[error("a request that is {} cannot do this", .0.as_str())]
    State(State),
    /// The answer does not tell of this service, or tells twice.
    #[error("the answer does not tell once of {0}")]
    Service(String),
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectRequest {
    /// What was filed.
    pub filed: Filed,
    /// How it ended; none while it waits.
    pub closed: Option<Closed>,
}

impl SubjectRequest {
    /// Where it is in its life.
    pub fn state(&self) -> State {
        self.closed
            .as_ref()
            .map_or(State::Received, |closed| closed.state)
    }

    /// The last civil day for the answer.
    pub fn due(&self) -> NaiveDate {
        let day = self.filed.day;
        day.checked_add_days(Days::new(ANSWER_DAYS.unsigned_abs()))
            .unwrap_or(day)
    }

    /// Whether it still waits after its last day, or ended after it.
    pub fn overdue(&self, today: NaiveDate) -> bool {
        let until = self.closed.as_ref().map_or(today, |closed| closed.day);
        until > self.due()
    }

    /// The request once it is closed by somebody.
    ///
    /// # Errors
    /// When it was closed before, or the answer leaves out a service.
    pub fn close(
        self,
        close: Close,
        by: &str,
        (time, day): (i64, NaiveDate),
    ) -> Result<Self, Incomplete> {
        if self.closed.is_some() {
            return Err(Incomplete::State(self.state()));
        }
        let (state, text, holdings) = match close {
            Close::Answer { text, holdings } => {
                complete(self.filed.kind, &holdings)?;
                (State::Answered, text, holdings)
            }
            Close::Refuse(law) => (State::Refused, law, Vec::new()),
            Close::Withdraw => (State::Withdrawn, String::new(), Vec::new()),
        };
        let closed = Closed {
            state,
            text,
            holdings,
            by: by.to_owned(),
            time,
            day,
        };
        Ok(Self {
            closed: Some(closed),
            ..self
        })
    }
}

/// Whether an answer tells of every other service once, where it has to.
fn complete(kind: Kind, holdings: &[Holding]) -> Result<(), Incomplete> {
    let told = |service: &str| holdings.iter().filter(|one| one.service == service).count();
    let stranger = holdings
        .iter()
        .find(|one| !OTHERS.contains(&&*one.service) || told(&one.service) > 1);
    if let Some(stranger) = stranger {
        return Err(Incomplete::Service(stranger.service.clone()));
    }
    let whole = matches!(kind, Kind::Access | Kind::Copy);
    match OTHERS.iter().find(|service| told(service) == 0) {
        Some(left) if whole => Err(Incomplete::Service((*left).to_owned())),
        _ => Ok(()),
    }
}

/// Whether somebody born in this month, YYYYMM, may ask without a guardian on `today`: from 14 on (rule
/// 6.1), reckoned from the end of the month. Whose month is not known may not.
pub fn may_ask_alone(birth_month: i32, today: NaiveDate) -> bool {
    let (year, month) = (birth_month / 100, birth_month % 100);
    if !(1900..=9999).contains(&year) || !(1..=12).contains(&month) {
        return false;
    }
    let months = (today.year() - year) * 12 + today.month().cast_signed() - month;
    months > 14 * 12
}
