//! Signals about the honesty of checks: seen, explained and judged.

use kit::auth::{Caller, Permission};
use kit::org::OrgPath;
use kit::request::{Once, once};
use kit::status::Problem;
use proto::error::ErrorReason;
use proto::sampling::{
    ExplainReportingSignalRequest, JudgeReportingSignalRequest, ReportingSignal,
};

use super::super::App;
use crate::domain::day::Day;
use crate::domain::health::regularity::Kind;
use crate::domain::health::signal::{SignalState, SignalVerb};
use crate::error::Error;
use crate::grpc::health::signal_convert;
use crate::store::health::signals::{self, Filter, SignalRow};
use kit::rows::{Lock, Row};

/// Which signals a caller asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) state: Option<SignalState>,
    pub(crate) kind: Option<Kind>,
    pub(crate) since: Day,
}

/// Whether the caller works for the school at this place, and not for a bureau above it.
fn is_own(caller: &Caller, school: &str) -> bool {
    let school: OrgPath = school.parse().unwrap_or_default();
    school.contains(&caller.scope)
}

/// The signal that was found, if the caller may explain it: they work for its school.
fn explainable(caller: &Caller, row: Option<SignalRow>, id: &str) -> Result<SignalRow, Error> {
    let permission = Permission::SignalExplain;
    let school = row.as_ref().map_or("", |row| &row.school);
    App::check_path(caller, permission, school)?;
    let row = row.ok_or_else(|| not_found(id))?;
    if !is_own(caller, &row.school) {
        let denied = Problem::new(ErrorReason::ScopeDenied);
        return Err(denied.meta("permission", permission).into());
    }
    Ok(row)
}

fn not_found(id: &str) -> Error {
    Error::NotFound(format!("reportingSignals/{id}"))
}

impl App {
    /// The signals of schools at or below an organisation that the caller sees, by identifier after
    /// `after`.
    pub(crate) async fn list_signals(
        &self,
        caller: &Caller,
        organization: &str,
        wanted: Wanted,
        after: &str,
        limit: u64,
    ) -> Result<Vec<SignalRow>, Error> {
        let permission = Permission::HealthCoverageRead;
        let place = self.place(caller, permission, organization).await?;
        let Wanted { state, kind, since } = wanted;
        let filter = Filter {
            place,
            own: caller.scope.to_string(),
            today: self.today(),
            state,
            kind,
            since,
        };
        Ok(signals::list(self.db.read(), &filter, after, limit).await?)
    }

    /// A signal that the caller sees, and with which they may do `permission`.
    pub(crate) async fn readable_signal(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<SignalRow, Error> {
        caller.allowed(permission)?;
        let row = SignalRow::get(self.db.read(), id, Lock::No).await?;
        let school = row.as_ref().map_or("", |row| &row.school);
        Self::check_path(caller, permission, school)?;
        let row = row.filter(|row| self.sees(caller, row));
        row.ok_or_else(|| not_found(id))
    }

    /// Whether a caller who may read signals there sees this one: bureaus wait for the school.
    fn sees(&self, caller: &Caller, row: &SignalRow) -> bool {
        let visible = Day::from_number(u16::try_from(row.visible_day).unwrap_or_default());
        let state = SignalState::from_code(row.state);
        is_own(caller, &row.school)
            || state.is_some_and(|state| state.is_visible(visible, self.today()))
    }

    /// Whether the caller may explain a signal.
    pub(crate) async fn may_explain(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        caller.allowed(Permission::SignalExplain)?;
        let row = SignalRow::get(self.db.read(), id, Lock::No).await?;
        explainable(caller, row, id).map(drop)
    }

    /// The school explains a signal.
    pub(crate) async fn explain_signal(
        &self,
        caller: &Caller,
        id: &str,
        request: &ExplainReportingSignalRequest,
    ) -> Result<ReportingSignal, Error> {
        caller.allowed(Permission::SignalExplain)?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let row = SignalRow::get(&tx, id, Lock::Yes).await?;
        let mut row = explainable(caller, row, id)?;
        let (method, request_id) = ("ExplainReportingSignal", &request.request_id);
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        row.state = after(&row, SignalVerb::Explain)?;
        row.explanation.clone_from(&request.explanation);
        row.explain_time = now.timestamp_millis();
        row.explained_by.clone_from(&caller.subject);
        SignalRow::save(&tx, std::slice::from_ref(&row)).await?;
        let answer = signal_convert::signal(&row);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// A bureau judges a signal that it sees.
    pub(crate) async fn judge_signal(
        &self,
        caller: &Caller,
        id: &str,
        verb: SignalVerb,
        request: &JudgeReportingSignalRequest,
    ) -> Result<ReportingSignal, Error> {
        let permission = Permission::SignalJudge;
        caller.allowed(permission)?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let row = SignalRow::get(&tx, id, Lock::Yes).await?;
        let school = row.as_ref().map_or("", |row| &row.school);
        Self::check_path(caller, permission, school)?;
        let row = row.filter(|row| self.sees(caller, row));
        let mut row = row.ok_or_else(|| not_found(id))?;
        let (method, request_id) = ("JudgeReportingSignal", &request.request_id);
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        row.state = after(&row, verb)?;
        row.judge_reason.clone_from(&request.reason);
        row.judge_time = now.timestamp_millis();
        row.judged_by.clone_from(&caller.subject);
        SignalRow::save(&tx, std::slice::from_ref(&row)).await?;
        let answer = signal_convert::signal(&row);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }
}

/// The number of the state after a verb.
fn after(row: &SignalRow, verb: SignalVerb) -> Result<i16, Error> {
    let state = SignalState::from_code(row.state).unwrap_or(SignalState::Confirmed);
    let next = state.after(verb).ok_or(Error::SignalState(state))?;
    Ok(next.code())
}
