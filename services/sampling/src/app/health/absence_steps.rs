//! What is done about an absence until the person is back.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::request::{Once, once};
use prost::Message;
use proto::sampling::Absence;
use sea_orm::Value;

use super::absences::{Illness, REACHED, reached, tell};
use crate::app::App;
use crate::domain::health::absence::{AbsenceState, AbsenceVerb, Reason};
use crate::domain::health::medical::Medical;
use crate::error::Error;
use crate::grpc::health::absence_convert;
use crate::store::health::absences::AbsenceRow;
use crate::store::health::medical::MedicalRow;
use kit::rows::{Lock, Row};

/// What came of an attempt, or that there was an interview: numbers of the contract.
const UNREACHABLE: i16 = 2;
const INTERVIEWED: i16 = 3;

/// What is done about an absence.
#[derive(Clone, Debug)]
pub(crate) enum AbsenceStep {
    /// Somebody was reached and gave the reason, with the illness and notes.
    Reached(Reason, Option<Illness>, String),
    /// Nobody was reached.
    Unreachable(String),
    /// This account traces.
    Assign(String),
    /// The illness was uploaded.
    Upload,
    /// The guardian was interviewed.
    Interview(String),
    /// The person is back since then, in milliseconds; 0 for now.
    End(i64),
}

impl AbsenceStep {
    fn method(&self) -> &'static str {
        match self {
            Self::Reached(..) | Self::Unreachable(_) => "TraceAbsence",
            Self::Assign(_) => "AssignTracer",
            Self::Upload => "ConfirmUpload",
            Self::Interview(_) => "RecordInterview",
            Self::End(_) => "EndAbsence",
        }
    }

    /// The upload is the school doctor's (rule 1.8).
    fn permission(&self) -> Permission {
        match self {
            Self::Upload => Permission::HealthDecide,
            _ => Permission::AbsenceWrite,
        }
    }

    /// None where the state alone does not decide.
    fn verb(&self) -> Option<AbsenceVerb> {
        Some(match self {
            Self::Reached(..) | Self::Unreachable(_) => AbsenceVerb::Trace,
            Self::Assign(_) => AbsenceVerb::Assign,
            Self::Upload => return None,
            Self::Interview(_) => AbsenceVerb::Interview,
            Self::End(_) => AbsenceVerb::End,
        })
    }
}

impl App {
    /// Does one step of an absence.
    pub(crate) async fn step_absence(
        &self,
        caller: &Caller,
        id: &str,
        step: AbsenceStep,
        (request_id, request): (&str, &impl Message),
    ) -> Result<Absence, Error> {
        self.readable_absence(caller, step.permission(), id).await?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let row = self.lock_absence(&tx, id).await?;
        let before = row.ok_or_else(|| Error::NotFound(format!("absences/{id}")))?;
        let method = step.method();
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let state = before.facts()?.stands();
        if step.verb().is_some_and(|verb| !state.allows(verb)) {
            return Err(Error::AbsenceState(state));
        }
        let mut row = before.clone();
        self.apply(&tx, caller, &mut row, step, state, now).await?;
        self.keep_absences(&tx, vec![(Some(before), row)], now)
            .await?;
        let row = self.stored_absence(&tx, id).await?;
        let answer = absence_convert::absence(&row, Self::sees_health(caller, &row.org_path));
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    async fn apply(
        &self,
        tx: &Tx,
        caller: &Caller,
        row: &mut AbsenceRow,
        step: AbsenceStep,
        state: AbsenceState,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        match step {
            AbsenceStep::Reached(reason, illness, note) => {
                reached(row, reason, now);
                match illness {
                    Some(illness) => tell(row, &illness, now),
                    None if reason != Reason::Illness => tell(row, &Illness::default(), now),
                    None => {}
                }
                let told = (REACHED, Some(reason), note.as_str());
                self.note_trace(tx, caller, &row.id, told, now).await?;
            }
            AbsenceStep::Unreachable(note) => {
                let told = (UNREACHABLE, None, note.as_str());
                self.note_trace(tx, caller, &row.id, told, now).await?;
            }
            AbsenceStep::Assign(tracer) => row.tracer = tracer,
            AbsenceStep::Upload => {
                if row.due_upload() == 0 || row.upload_time != 0 {
                    return Err(Error::AbsenceState(state));
                }
                row.upload_time = now.timestamp_millis();
            }
            AbsenceStep::Interview(note) => {
                let told = (INTERVIEWED, None, note.as_str());
                self.note_trace(tx, caller, &row.id, told, now).await?;
                row.interview_time = now.timestamp_millis();
                row.interview_due = false;
            }
            AbsenceStep::End(back) => {
                self.check_cleared(tx, &row.person).await?;
                row.return_time = if back == 0 {
                    now.timestamp_millis()
                } else {
                    back
                };
            }
        }
        Ok(())
    }

    /// Who is kept away by the school doctor is not back (rule 1.13).
    async fn check_cleared(&self, tx: &Tx, person: &[u8]) -> Result<(), Error> {
        let key: Value = person.to_vec().into();
        let medical = MedicalRow::find(tx, "person", vec![key], Lock::No)
            .await?
            .pop();
        match medical.map(|row| row.stands()).transpose()? {
            None | Some(Medical::Normal) => Ok(()),
            Some(_) => Err(Error::NotCleared),
        }
    }

    /// Locks an absence with its school; none when it does not exist.
    pub(super) async fn lock_absence(
        &self,
        tx: &Tx,
        id: &str,
    ) -> Result<Option<AbsenceRow>, Error> {
        let Some(row) = AbsenceRow::get(tx, id, Lock::No).await? else {
            return Ok(None);
        };
        self.lock_health(tx, &[&row.school]).await?;
        Ok(AbsenceRow::get(tx, id, Lock::Yes).await?)
    }

    /// An absence as it is stored now.
    pub(super) async fn stored_absence(&self, tx: &Tx, id: &str) -> Result<AbsenceRow, Error> {
        let row = AbsenceRow::get(tx, id, Lock::No).await?;
        row.ok_or_else(|| Error::NotFound(format!("absences/{id}")))
    }
}
