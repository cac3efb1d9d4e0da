//! Where a resumption stands, and every move between (rule 4.10).

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::inspection::{Decision, Department, Inspection, Signature, Verdict, WrongSignature};

/// Where a resumption stands; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Not begun.
    Suspended = 1,
    /// The school checks itself.
    SelfChecking = 2,
    /// All that is mandatory is met, and the head signed.
    SelfPassed = 3,
    /// Asked for the joint inspection.
    Applied = 4,
    /// The three departments inspect.
    Inspecting = 5,
    /// All three approved.
    Approved = 6,
    /// A department demands that items are put right.
    Rectify = 7,
    /// A department refused.
    Rejected = 8,
    /// Has a day.
    Scheduled = 9,
    /// Teaching was resumed; the register is being told.
    Resumed = 10,
    /// The register has been told; watched for a time.
    Monitoring = 11,
    /// The time of watching is over.
    Stable = 12,
    /// Suspended again.
    ReSuspended = 13,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 13] = [
        Self::Suspended,
        Self::SelfChecking,
        Self::SelfPassed,
        Self::Applied,
        Self::Inspecting,
        Self::Approved,
        Self::Rectify,
        Self::Rejected,
        Self::Scheduled,
        Self::Resumed,
        Self::Monitoring,
        Self::Stable,
        Self::ReSuspended,
    ];

    /// The state of a number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as i16 == number)
    }

    /// The name in the contract, without prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suspended => "SUSPENDED",
            Self::SelfChecking => "SELF_CHECKING",
            Self::SelfPassed => "SELF_PASSED",
            Self::Applied => "APPLIED",
            Self::Inspecting => "INSPECTING",
            Self::Approved => "APPROVED",
            Self::Rectify => "RECTIFY",
            Self::Rejected => "REJECTED",
            Self::Scheduled => "SCHEDULED",
            Self::Resumed => "RESUMED",
            Self::Monitoring => "MONITORING",
            Self::Stable => "STABLE",
            Self::ReSuspended => "RE_SUSPENDED",
        }
    }

    /// Whether pupils of the batch may be at school: then a suspension must reach the register.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Resumed | Self::Monitoring | Self::Stable)
    }
}

/// What is done with a resumption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// The school begins to check itself, by this version of the checklist.
    StartSelfCheck(String),
    /// The head signs; all that is mandatory was found to be met.
    SignSelfCheck(String),
    /// The school asks for the joint inspection.
    Apply,
    /// The joint inspection begins, with one account for each department.
    StartInspection([String; 3]),
    /// One inspector says what the department says.
    Sign(Signature),
    /// It gets its day.
    Schedule(NaiveDate),
    /// Its day has come and nothing blocks.
    Resume,
    /// The register has been told: it is watched for so many days.
    Monitor(u32),
    /// The time of watching is over.
    Settle,
    /// Teaching is suspended again.
    ReSuspend,
}

/// Why a move is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The verb does not start from this state.
    #[error("the resumption is {}", .0.as_str())]
    State(State),
    /// The signature is not one that is waited for.
    #[error(transparent)]
    Signature(#[from] WrongSignature),
    /// The day lies in the past, or has not come.
    #[error("not on {0}")]
    Day(NaiveDate),
}

/// One school's way back to teaching, for one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Where it stands.
    pub state: State,
    /// The version of the checklist; empty before the self-check.
    pub checklist: String,
    /// The account of the head who signed; empty before.
    pub signer: String,
    /// The joint inspection, once it has begun.
    pub inspection: Option<Inspection>,
    /// The day of resumption, once it has one.
    pub day: Option<NaiveDate>,
    /// When teaching was resumed.
    pub resumed: Option<DateTime<Utc>>,
    /// The last day of watching.
    pub monitor_until: Option<NaiveDate>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            state: State::Suspended,
            checklist: String::new(),
            signer: String::new(),
            inspection: None,
            day: None,
            resumed: None,
            monitor_until: None,
        }
    }
}

impl Progress {
    /// Moves on, at an instant of a civil day.
    ///
    /// # Errors
    /// [`Refused`], and nothing changes.
    pub fn apply(
        self,
        verb: Verb,
        (now, today): (DateTime<Utc>, NaiveDate),
    ) -> Result<Self, Refused> {
        use State as S;
        let state = self.state;
        match (verb, state) {
            (
                Verb::StartSelfCheck(checklist),
                S::Suspended | S::Rectify | S::Rejected | S::ReSuspended,
            ) => Ok(Self {
                state: S::SelfChecking,
                checklist,
                ..Self::default()
            }),
            (Verb::SignSelfCheck(signer), S::SelfChecking) => Ok(Self {
                state: S::SelfPassed,
                signer,
                ..self
            }),
            (Verb::Apply, S::SelfPassed) => Ok(Self {
                state: S::Applied,
                ..self
            }),
            (Verb::StartInspection(inspectors), S::Applied) => Ok(Self {
                state: S::Inspecting,
                inspection: Some(Inspection::begin(inspectors)),
                ..self
            }),
            (Verb::Sign(signature), S::Inspecting) => self.sign(signature),
            (Verb::Schedule(day), S::Approved | S::Scheduled) => {
                if day < today {
                    return Err(Refused::Day(day));
                }
                Ok(Self {
                    state: S::Scheduled,
                    day: Some(day),
                    ..self
                })
            }
            (Verb::Resume, S::Scheduled) => match self.day {
                Some(day) if day > today => Err(Refused::Day(day)),
                _ => Ok(Self {
                    state: S::Resumed,
                    resumed: Some(now),
                    ..self
                }),
            },
            (Verb::Monitor(days), S::Resumed) => Ok(Self {
                state: S::Monitoring,
                monitor_until: today.checked_add_days(Days::new(days.into())),
                ..self
            }),
            (Verb::Settle, S::Monitoring) => match self.monitor_until {
                Some(last) if last >= today => Err(Refused::Day(last)),
                _ => Ok(Self {
                    state: S::Stable,
                    ..self
                }),
            },
            (Verb::ReSuspend, _) if state != S::Suspended && state != S::ReSuspended => Ok(Self {
                state: S::ReSuspended,
                ..Self::default()
            }),
            _ => Err(Refused::State(state)),
        }
    }

    fn sign(self, signature: Signature) -> Result<Self, Refused> {
        let inspection = self.inspection.unwrap_or_default().sign(signature)?;
        let state = match inspection.verdict() {
            Verdict::Waiting => State::Inspecting,
            Verdict::Approved => State::Approved,
            Verdict::Rectify => State::Rectify,
            Verdict::Rejected => State::Rejected,
        };
        Ok(Self {
            state,
            inspection: Some(inspection),
            ..self
        })
    }

    /// Whether this signature would be the last of three approvals: then guards must be asked first.
    pub fn would_approve(&self, department: Department, decision: Decision) -> bool {
        let others = |inspection: &Inspection| {
            let mut others = inspection
                .seats
                .iter()
                .filter(|seat| seat.department != department);
            others.all(|seat| seat.decision() == Some(Decision::Approve))
        };
        decision == Decision::Approve && self.inspection.as_ref().is_some_and(others)
    }
}
