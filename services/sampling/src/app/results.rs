//! Results of laboratories, many in one transaction, with everything that follows from them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::request::{Once, once};
use prost::Message;
use sea_orm::Value as SqlValue;

use super::App;
use super::holds::Unsettled;
use super::tube_steps::counted;
use crate::domain::laboratory_result::{LaboratoryResult, Value, in_force};
use crate::domain::tube::{State, Verb};
use crate::error::{Error, state_name};
use crate::store::results::ResultRow;
use crate::store::tube_days;
use crate::store::tubes::TubeRow;
use kit::rows::{Lock, Row};

/// What became of a result: whether it was there before.
pub(crate) type Taken = Result<bool, Error>;

/// How many results share a transaction.
pub(crate) const TOGETHER: usize = 500;

impl App {
    /// Takes results; each has its own answer.
    pub(crate) async fn submit_results(
        &self,
        caller: &Caller,
        results: &[LaboratoryResult],
    ) -> Result<Vec<Taken>, Error> {
        caller.allowed(Permission::ResultSubmit)?;
        let mut taken = Vec::with_capacity(results.len());
        for part in results.chunks(TOGETHER) {
            let tx = self.db.begin().await?;
            taken.extend(self.take(&tx, caller, "SubmitResults", part).await?);
            tx.commit().await?;
        }
        Ok(taken)
    }

    /// Takes at most [`TOGETHER`] results in one transaction, once for each request id; `render` makes
    /// the answer of what became of each.
    pub(crate) async fn submit_batch<R: Message + Default>(
        &self,
        caller: &Caller,
        results: &[LaboratoryResult],
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Vec<Taken>) -> R,
    ) -> Result<R, Error> {
        const METHOD: &str = "BatchSubmitResults";
        caller.allowed(Permission::ResultSubmit)?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let ticket = match once(&tx, caller, METHOD, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let answer = render(self.take(&tx, caller, "SubmitResults", results).await?);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Takes results in one transaction. What they lead to depends on which results there are, not
    /// on their order.
    pub(crate) async fn take(
        &self,
        tx: &Tx,
        caller: &Caller,
        verb: &str,
        results: &[LaboratoryResult],
    ) -> Result<Vec<Taken>, Error> {
        let now = self.clock.now();
        let mut codes: BTreeSet<&str> = results.iter().map(|result| result.tube.as_str()).collect();
        // A single tube's hold is settled with it, so its tube is locked too; that never changes.
        let unlocked = TubeRow::find(tx, "code", keys(&codes), Lock::No).await?;
        let parents = unlocked.iter().map(|tube| tube.parent.as_str());
        codes.extend(parents.filter(|parent| !parent.is_empty()));
        let mut tubes: BTreeMap<String, TubeRow> =
            TubeRow::find(tx, "code", keys(&codes), Lock::Yes)
                .await?
                .into_iter()
                .map(|tube| (tube.code.clone(), tube))
                .collect();
        let before = tubes.clone();
        let mut known: HashMap<String, Vec<LaboratoryResult>> = HashMap::new();
        for row in ResultRow::find(tx, "tube", keys(&codes), Lock::No).await? {
            let result = from_row(&row);
            known.entry(row.tube).or_default().push(result);
        }
        let mut fresh = Vec::new();
        let mut taken = Vec::with_capacity(results.len());
        for result in results {
            let tube = tubes.get(&result.tube);
            let known = known.entry(result.tube.clone()).or_default();
            let verdict = judge(caller, result, tube, known);
            if matches!(verdict, Ok(false)) {
                known.push(result.clone());
                fresh.push(to_row(result, now));
            }
            taken.push(verdict);
        }
        ResultRow::add(tx, &fresh).await?;
        let mut follows = Follows::default();
        for code in fresh.iter().map(|row| &row.tube) {
            if let (Some(tube), Some(force)) =
                (tubes.get_mut(code), known.get(code).and_then(in_force))
            {
                follows.note(tube, force)?;
            }
        }
        self.follow(tx, caller, &mut tubes, &follows, now).await?;
        let mut moved: Vec<TubeRow> = tubes
            .into_values()
            .filter(|tube| before.get(&tube.code) != Some(tube))
            .collect();
        self.noted(tx, caller, &mut moved, verb, "", now).await?;
        self.settle_points(tx, &follows.points).await?;
        let moved = moved.iter().map(|tube| (before.get(&tube.code), tube));
        tube_days::add(tx, counted(moved, now)).await?;
        Ok(taken)
    }

    async fn follow(
        &self,
        tx: &Tx,
        caller: &Caller,
        tubes: &mut BTreeMap<String, TubeRow>,
        follows: &Follows,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let pick = |tubes: &BTreeMap<String, TubeRow>, codes: &BTreeSet<String>| -> Vec<TubeRow> {
            let found = codes.iter().filter_map(|code| tubes.get(code));
            found.cloned().collect()
        };
        let mut invalid = pick(tubes, &follows.invalid);
        self.resample(tx, &mut invalid, "INVALID", now).await?;
        tubes.extend(invalid.into_iter().map(|tube| (tube.code.clone(), tube)));
        let again = pick(tubes, &follows.valid_again);
        self.valid_again(tx, again).await?;
        self.settle(tx, caller, tubes, &follows.unsettled, now)
            .await
    }
}

/// What must follow from changed results.
#[derive(Debug, Default)]
struct Follows {
    /// Everybody is swabbed again.
    invalid: BTreeSet<String>,
    /// Nobody is swabbed again after all.
    valid_again: BTreeSet<String>,
    /// What holds, cases and controls follow from.
    unsettled: Unsettled,
    /// Points that are sealed or opened.
    points: BTreeSet<String>,
}

impl Follows {
    /// Puts a result in force, and notes what follows when another one was.
    fn note(&mut self, tube: &mut TubeRow, force: &LaboratoryResult) -> Result<(), Error> {
        let (old, new) = (Value::from_code(tube.result), force.value);
        if (old, tube.result_version) == (Some(new), force.version) {
            return Ok(());
        }
        (tube.result, tube.result_version) = (new.code(), force.version);
        let held = old.is_some_and(Value::holds);
        let holds = tube.is_regular() && tube.holds;
        if holds && (held || new.holds()) {
            self.unsettled.holds.insert(tube.code.clone());
        } else if tube.is_regular() && (held || new.holds()) {
            self.unsettled.lone.insert(tube.code.clone());
        }
        if !tube.parent.is_empty() {
            self.unsettled.holds.insert(tube.parent.clone());
        }
        if new == Value::Negative && old != Some(new) {
            self.unsettled.negative.insert(tube.code.clone());
        }
        if !tube.point.is_empty() {
            self.points.insert(tube.point.clone());
        }
        if old == Some(new) || (holds && held && new.holds()) {
            // The same follows: where the tube stands is decided with its hold.
            return Ok(());
        }
        tube.apply(match old {
            Some(_) => Verb::Correct(new),
            None => Verb::Report(new),
        })?;
        if new == Value::Invalid {
            self.invalid.insert(tube.code.clone());
        }
        if old == Some(Value::Invalid) {
            self.valid_again.insert(tube.code.clone());
        }
        Ok(())
    }
}

/// Whether a result is taken, and was before.
fn judge(
    caller: &Caller,
    result: &LaboratoryResult,
    tube: Option<&TubeRow>,
    known: &[LaboratoryResult],
) -> Taken {
    App::check_tube(caller, Permission::ResultSubmit, tube, &result.tube)?;
    let tube = tube.ok_or_else(|| Error::NotFound(format!("tubes/{}", result.tube)))?;
    let same = known
        .iter()
        .find(|one| (&one.report, one.version) == (&result.report, result.version));
    if let Some(same) = same {
        return if (same.value, same.tested) == (result.value, result.tested) {
            Ok(true)
        } else {
            Err(Error::ResultConflict(format!("tubes/{}", result.tube)))
        };
    }
    let state = tube.stands()?;
    let takes = state == State::Testing || (!known.is_empty() && state != State::Closed);
    if takes {
        Ok(false)
    } else {
        Err(Error::TubeState(state_name(state)))
    }
}

fn keys(codes: &BTreeSet<&str>) -> Vec<SqlValue> {
    codes.iter().map(|code| (*code).into()).collect()
}

pub(super) fn from_row(row: &ResultRow) -> LaboratoryResult {
    LaboratoryResult {
        tube: row.tube.clone(),
        report: row.report.clone(),
        version: row.version,
        value: Value::from_code(row.value).unwrap_or(Value::Invalid),
        tested: DateTime::from_timestamp_millis(row.test_time).unwrap_or_default(),
        reason: row.reason.clone(),
    }
}

fn to_row(result: &LaboratoryResult, now: DateTime<Utc>) -> ResultRow {
    let LaboratoryResult {
        tube,
        report,
        version,
        value,
        tested,
        reason,
    } = result.clone();
    ResultRow {
        tube,
        report,
        version,
        value: value.code(),
        test_time: tested.timestamp_millis(),
        reason,
        receive_time: now.timestamp_millis(),
    }
}
