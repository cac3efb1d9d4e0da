//! What one organisation or class group does with a directive (rule 5.39).

use chrono::{DateTime, Duration, NaiveDate, Utc};
use uuid::Uuid;

use super::chain::{Level, parts};
use super::content::TextHash;

/// The chain; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not delivered yet.
    Pending = 1,
    /// Delivered.
    Delivered = 2,
    /// Read.
    Read = 3,
    /// Signed for.
    Acked = 4,
    /// Passed on to those below.
    Relayed = 5,
    /// Being carried out.
    Executing = 6,
    /// Reported as finished.
    Reported = 7,
    /// The report was accepted.
    Accepted = 8,
    /// The report was returned.
    Returned = 9,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Delivered,
        Self::Read,
        Self::Acked,
        Self::Relayed,
        Self::Executing,
        Self::Reported,
        Self::Accepted,
        Self::Returned,
    ];

    /// The name in the contract, without prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Delivered => "DELIVERED",
            Self::Read => "READ",
            Self::Acked => "ACKED",
            Self::Relayed => "RELAYED",
            Self::Executing => "EXECUTING",
            Self::Reported => "REPORTED",
            Self::Accepted => "ACCEPTED",
            Self::Returned => "RETURNED",
        }
    }

    /// Nobody has signed for it yet.
    pub fn is_unsigned(self) -> bool {
        matches!(self, Self::Pending | Self::Delivered | Self::Read)
    }
}

/// What a recipient let pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// The instant until which it signs.
    Signature,
    /// The instant until which it passes the directive on.
    Relay,
    /// The day on which a demand is due.
    Demand,
    /// The instant until which the one above judges its report.
    Judgement,
}

impl Missed {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Signature, Self::Relay, Self::Demand, Self::Judgement];
}

/// What a recipient, or the one above, does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It arrived.
    Deliver,
    /// It was read.
    Read,
    /// It is signed for, with how soon it is passed on where somebody is below.
    Acknowledge(Option<Duration>),
    /// It is passed on, with the hash of the text that is passed on and a note.
    Relay(TextHash, String),
    /// How far the work is, in percent.
    Report(String, i32),
    /// The work is finished, with the id of the first demand that is not, and how soon the report is judged.
    Finish(String, Option<String>, Duration),
    /// How far the work on one demand is, with the day on which the next unfinished one is due.
    ReportItem(Option<NaiveDate>),
    /// The report is accepted, with the numbers of recipients below.
    Accept(Below),
    /// The report is returned, with the reason.
    Return(String),
}

/// How many recipients are right below, and how many of them are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Below {
    /// All of them.
    pub all: i32,
    /// Those accepted.
    pub accepted: i32,
    /// The share that must be accepted, in percent.
    pub percent: i32,
}

impl Below {
    /// How many must be accepted: rounded up.
    pub fn required(self) -> i32 {
        (self.all * self.percent + 99) / 100
    }
}

/// One organisation or class group that must carry out a directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The directive.
    pub directive: Uuid,
    /// The organisation id, or for a class group `{organization}~{class_group}`.
    pub id: String,
    /// The place in the tree.
    pub org_path: String,
    /// What it is.
    pub level: Level,
    /// The recipient id of the bureau through which it left the orderer; empty without one.
    pub district: String,
    /// The recipient id of who passes it on to this one; empty for the orderer.
    pub upper: String,
    /// How many recipients are right below.
    pub below: i32,
    /// Where it is in the chain.
    pub state: State,
    /// When it must be signed for; none until it was passed on.
    pub due: Option<DateTime<Utc>>,
    /// The day on which the next unfinished demand is due; none when all are finished.
    pub items_due: Option<NaiveDate>,
    /// When it was signed for.
    pub acknowledged: Option<DateTime<Utc>>,
    /// When it was passed on.
    pub relayed: Option<DateTime<Utc>>,
    /// When it must be passed on; none unless it is signed for and waits to be.
    pub relay_due: Option<DateTime<Utc>>,
    /// When the one above must accept or return the report; none unless one waits.
    pub judge_due: Option<DateTime<Utc>>,
    /// What this one adds for those below.
    pub relay_note: String,
    /// The latest report.
    pub report: String,
    /// How far the work is.
    pub progress: i32,
    /// Why the report was returned.
    pub return_reason: String,
    /// When it last changed.
    pub updated: DateTime<Utc>,
    /// The hash that travelled here.
    pub text_hash: TextHash,
    /// Guards against lost updates.
    pub version: i64,
}

/// Why a verb was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The verb does not start from this state.
    #[error("the recipient is {}", .0.as_str())]
    State(State),
    /// The one above has not passed it on.
    #[error("{0} has not passed it on")]
    NotRelayed(String),
    /// The text to pass on is another one.
    #[error("the text is not that of the directive")]
    TextChanged,
    /// A demand is not finished.
    #[error("item {0} is not finished")]
    ItemOutstanding(String),
    /// Nobody is below.
    #[error("nobody is below")]
    NobodyBelow,
    /// Too few of those below are accepted.
    #[error("{accepted} of {required} below are accepted")]
    BelowOutstanding {
        /// Those accepted.
        accepted: i32,
        /// Those needed.
        required: i32,
    },
}

impl Recipient {
    /// The organisation id: for a class group that of its school.
    pub fn organization(&self) -> &str {
        parts(&self.id).0
    }

    /// The id of the class group; empty for an organisation.
    pub fn class_group(&self) -> &str {
        parts(&self.id).1
    }

    /// Whether the one above has passed it on.
    pub fn is_reached(&self) -> bool {
        self.due.is_some()
    }

    /// The deadline to sign passed without a signature.
    pub fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        self.state.is_unsigned() && self.due.is_some_and(|due| due < now)
    }

    /// The deadline to pass it on passed, and it was not.
    pub fn is_relay_overdue(&self, now: DateTime<Utc>) -> bool {
        self.state == State::Acked && self.relay_due.is_some_and(|due| due < now)
    }

    /// The deadline to judge the report passed without a judgement.
    pub fn is_judgement_overdue(&self, now: DateTime<Utc>) -> bool {
        self.state == State::Reported && self.judge_due.is_some_and(|due| due < now)
    }

    /// The one above passes it on: the clock starts.
    #[must_use]
    pub fn reach(self, now: DateTime<Utc>, acknowledge: Duration) -> Self {
        Self {
            due: Some(now + acknowledge),
            updated: now,
            ..self
        }
    }

    /// Moves on.
    ///
    /// # Errors
    /// [`Refused`] when the verb does not start from here.
    pub fn apply(mut self, verb: Verb, now: DateTime<Utc>) -> Result<Self, Refused> {
        if !self.is_reached() {
            return Err(Refused::NotRelayed(self.upper));
        }
        self.state = match (verb, self.state) {
            (Verb::Deliver, State::Pending) => State::Delivered,
            (Verb::Read, State::Delivered) => State::Read,
            (Verb::Acknowledge(relay), State::Read) => {
                let relay = relay.filter(|_| self.below > 0);
                self.relay_due = relay.map(|relay| now + relay);
                self.acknowledged = Some(now);
                State::Acked
            }
            (Verb::Relay(..), State::Acked) if self.below == 0 => return Err(Refused::NobodyBelow),
            (Verb::Relay(hash, _), State::Acked) if hash != self.text_hash => {
                return Err(Refused::TextChanged);
            }
            (Verb::Relay(_, note), State::Acked) => {
                self.relayed = Some(now);
                self.relay_due = None;
                self.relay_note = note;
                State::Relayed
            }
            (Verb::Report(report, progress), from) if self.may_work(from) => {
                self.report = report;
                self.progress = progress;
                State::Executing
            }
            (Verb::ReportItem(next_due), from) if self.may_work(from) => {
                self.items_due = next_due;
                State::Executing
            }
            (Verb::Finish(_, Some(item), _), State::Executing) => {
                return Err(Refused::ItemOutstanding(item));
            }
            (Verb::Finish(report, None, judge), State::Executing) => {
                self.judge_due = Some(now + judge);
                self.report = report;
                self.progress = 100;
                State::Reported
            }
            (Verb::Accept(below), State::Reported) => {
                let (accepted, required) = (below.accepted, below.required());
                if accepted < required {
                    return Err(Refused::BelowOutstanding { accepted, required });
                }
                self.judge_due = None;
                State::Accepted
            }
            (Verb::Return(reason), State::Reported) => {
                self.judge_due = None;
                self.return_reason = reason;
                State::Returned
            }
            (_, state) => return Err(Refused::State(state)),
        };
        self.updated = now;
        Ok(self)
    }

    /// Work begins once those below have it too.
    fn may_work(&self, from: State) -> bool {
        match from {
            State::Acked => self.below == 0,
            State::Relayed | State::Executing | State::Returned => true,
            State::Pending | State::Delivered | State::Read | State::Reported | State::Accepted => {
                false
            }
        }
    }
}

#[cfg(test)]
#[path = "recipient_tests.rs"]
mod tests;
