//! Where a resumption stands, and every move between (rule 4.10).

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::away::{Away, Part, Suspension};
use super::inspection::{Decision, Inspection, Signature, Verdict, WrongSignature};
use super::own_plan::{OwnPlan, Ruling};
use crate::domain::numbered::numbered;

numbered! {
    /// Where a resumption stands; the numbers are those of the contract.
    State {
        /// Not begun.
        Suspended = 1 "SUSPENDED",
        /// The school checks itself.
        SelfChecking = 2 "SELF_CHECKING",
        /// All that is mandatory is met, and the head signed.
        SelfPassed = 3 "SELF_PASSED",
        /// Asked for the joint inspection.
        Applied = 4 "APPLIED",
        /// The three departments inspect.
        Inspecting = 5 "INSPECTING",
        /// All three approved.
        Approved = 6 "APPROVED",
        /// A department demands that items are put right.
        Rectify = 7 "RECTIFY",
        /// A department refused.
        Rejected = 8 "REJECTED",
        /// Has a day.
        Scheduled = 9 "SCHEDULED",
        /// Teaching was resumed; the register is being told.
        Resumed = 10 "RESUMED",
        /// The register has been told; watched for a time.
        Monitoring = 11 "MONITORING",
        /// The time of watching is over.
        Stable = 12 "STABLE",
        /// Suspended again.
        ReSuspended = 13 "RE_SUSPENDED",
        /// A university reported its own plan to the headquarters.
        Reported = 14 "REPORTED",
    }
}

impl State {
    /// Whether all of the batch may be at school.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Resumed | Self::Monitoring | Self::Stable)
    }

    /// Whether nothing is under way that another plan would overturn.
    pub fn is_idle(self) -> bool {
        matches!(self, Self::Suspended | Self::ReSuspended)
    }
}

/// What is done with a resumption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// The school begins to check itself, by these versions of the checklist.
    StartSelfCheck(Vec<String>),
    /// Items are answered.
    Answer,
    /// The head signs; all that is mandatory was found to be met.
    SignSelfCheck(String),
    /// The school asks for the joint inspection.
    Apply,
    /// The joint inspection begins, with one account for each department.
    StartInspection([String; 3]),
    /// One inspector says what the department says.
    Sign(Signature),
    /// A university reports its own plan.
    Report(OwnPlan),
    /// The headquarters says what becomes of the plan.
    Rule(Ruling),
    /// It gets its day.
    Schedule(NaiveDate),
    /// Its day has come and nothing blocks.
    Resume,
    /// The register has been told: it is watched for so many days.
    Monitor(u32),
    /// The time of watching is over.
    Settle,
    /// Teaching is suspended again for a part of the batch.
    ReSuspend(Part, Suspension),
}

impl Verb {
    /// The word of histories.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::StartSelfCheck(_) => "START_SELF_CHECK",
            Self::Answer => "ANSWER",
            Self::SignSelfCheck(_) => "SIGN_SELF_CHECK",
            Self::Apply => "APPLY",
            Self::StartInspection(_) => "START_INSPECTION",
            Self::Sign(_) => "SIGN_INSPECTION",
            Self::Report(_) => "REPORT_OWN_PLAN",
            Self::Rule(_) => "DECIDE_OWN_PLAN",
            Self::Schedule(_) => "SCHEDULE",
            Self::Resume => "RESUME",
            Self::Monitor(_) => "MONITOR",
            Self::Settle => "SETTLE",
            Self::ReSuspend(..) => "RE_SUSPEND",
        }
    }
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
    /// The account signed the self-check, and now judges it.
    #[error("who signs the self-check does not inspect")]
    Signer,
    /// The day lies in the past, or has not come.
    #[error("not on {0}")]
    Day(NaiveDate),
}

/// One school's way back to teaching, for one batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The grades of the school that are of the batch; none of a kindergarten.
    pub grades: Vec<i32>,
    /// Where it stands.
    pub state: State,
    /// Who of the batch is away.
    pub away: Away,
    /// The versions of the checklist, the one that the others add to first; none before the
    /// self-check.
    pub checklists: Vec<String>,
    /// The first day of the self-check: by the laws of that day.
    pub started: Option<NaiveDate>,
    /// The account of the head who signed; empty before.
    pub signer: String,
    /// The joint inspection, once it has begun.
    pub inspection: Option<Inspection>,
    /// The items that the last inspection demands to be put right.
    pub demands: BTreeSet<String>,
    /// The day of resumption, once it has one.
    pub day: Option<NaiveDate>,
    /// When teaching was resumed last.
    pub resumed: Option<DateTime<Utc>>,
    /// The last day of watching.
    pub monitor_until: Option<NaiveDate>,
    /// Why teaching was suspended again, until it is resumed.
    pub suspension: Option<Suspension>,
    /// Of a university: its own plan stands in place of batch, self-check and joint inspection.
    #[serde(default)]
    pub own: bool,
    /// The plan, once it was reported.
    #[serde(default)]
    pub plan: Option<OwnPlan>,
}

impl Progress {
    /// Nothing has begun, and all of these grades are away.
    pub fn new(grades: Vec<i32>) -> Self {
        Self {
            grades,
            state: State::Suspended,
            away: Away::Everybody,
            checklists: Vec::new(),
            started: None,
            signer: String::new(),
            inspection: None,
            demands: BTreeSet::new(),
            day: None,
            resumed: None,
            monitor_until: None,
            suspension: None,
            own: false,
            plan: None,
        }
    }

    /// The same of a university, which reports its own plan.
    pub fn own() -> Self {
        Self {
            own: true,
            ..Self::new(Vec::new())
        }
    }

    /// In another state, with nothing of what led there but who is away and why.
    fn anew(self, state: State) -> Self {
        Self {
            state,
            away: self.away,
            resumed: self.resumed,
            suspension: self.suspension,
            own: self.own,
            ..Self::new(self.grades)
        }
    }

    fn at(self, state: State) -> Self {
        Self { state, ..self }
    }

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
                Verb::StartSelfCheck(checklists),
                S::Suspended | S::Rectify | S::Rejected | S::ReSuspended,
            ) if !self.own => Ok(Self {
                checklists,
                started: Some(today),
                ..self.anew(S::SelfChecking)
            }),
            (Verb::Answer, S::SelfChecking) => Ok(self),
            (Verb::SignSelfCheck(signer), S::SelfChecking) => Ok(Self {
                state: S::SelfPassed,
                signer,
                ..self
            }),
            (Verb::Apply, S::SelfPassed) => Ok(self.at(S::Applied)),
            (Verb::StartInspection(inspectors), S::Applied) => {
                if inspectors.contains(&self.signer) {
                    return Err(Refused::Signer);
                }
                Ok(Self {
                    state: S::Inspecting,
                    inspection: Some(Inspection::begin(inspectors)),
                    ..self
                })
            }
            (Verb::Sign(signature), S::Inspecting) => self.sign(signature),
            (Verb::Report(plan), S::Suspended | S::Rectify | S::Rejected | S::ReSuspended)
                if self.own =>
            {
                if plan.day < today {
                    return Err(Refused::Day(plan.day));
                }
                Ok(Self {
                    signer: plan.reporter.clone(),
                    plan: Some(plan),
                    ..self.anew(S::Reported)
                })
            }
            (Verb::Rule(ruling), S::Reported) => self.rule(ruling),
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
                    away: Away::Nobody,
                    suspension: None,
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
                _ => Ok(self.at(S::Stable)),
            },
            (Verb::ReSuspend(part, suspension), state) if state != S::Suspended => {
                let away = self.away.clone().with(part, &self.grades);
                Ok(Self {
                    away,
                    suspension: Some(suspension),
                    ..self.anew(S::ReSuspended)
                })
            }
            _ => Err(Refused::State(state)),
        }
    }

    fn rule(self, ruling: Ruling) -> Result<Self, Refused> {
        if ruling.actor == self.signer {
            return Err(Refused::Signer);
        }
        let state = match ruling.decision {
            Decision::Approve => State::Approved,
            Decision::Rectify => State::Rectify,
            Decision::Reject => State::Rejected,
        };
        let plan = self.plan.map(|plan| OwnPlan {
            ruling: Some(ruling),
            ..plan
        });
        Ok(Self {
            state,
            plan,
            ..self
        })
    }

    fn sign(self, signature: Signature) -> Result<Self, Refused> {
        if signature.inspector == self.signer {
            return Err(Refused::Signer);
        }
        let inspection = self.inspection.unwrap_or_default().sign(signature)?;
        let state = match inspection.verdict() {
            Verdict::Waiting => State::Inspecting,
            Verdict::Approved => State::Approved,
            Verdict::Rectify => State::Rectify,
            Verdict::Rejected => State::Rejected,
        };
        Ok(Self {
            state,
            demands: match state {
                State::Rectify => inspection.demands(),
                _ => BTreeSet::new(),
            },
            inspection: Some(inspection),
            ..self
        })
    }
}
