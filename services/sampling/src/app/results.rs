//! Results of laboratories, many in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;

use super::App;
use crate::domain::laboratory_result::{LaboratoryResult, Value, in_force};
use crate::domain::tube::{State, Verb};
use crate::error::{Error, state_name};
use crate::store::tubes::{Lock, ResultRow, TubeRow, execute_in};

/// What became of a result: whether it was there before.
pub(crate) type Taken = Result<bool, Error>;

/// How many results share a transaction.
pub(crate) const TOGETHER: usize = 500;

pub(crate) fn to_result(row: &ResultRow) -> LaboratoryResult {
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
            taken.extend(self.take(&tx, caller, part).await?);
            tx.commit().await?;
        }
        Ok(taken)
    }

    /// Takes results in one transaction, with everything that follows from them.
    pub(crate) async fn take(
        &self,
        tx: &Tx,
        caller: &Caller,
        results: &[LaboratoryResult],
    ) -> Result<Vec<Taken>, Error> {
        let now = self.clock.now();
        let keys = |codes: &BTreeSet<&str>| codes.iter().map(|code| (*code).into()).collect();
        let mut codes: BTreeSet<&str> = results.iter().map(|result| result.tube.as_str()).collect();
        // A single tube's hold is settled with it, so its tube is locked too; that never changes.
        let unlocked = TubeRow::find(tx, "code", keys(&codes), Lock::No).await?;
        codes.extend(
            unlocked
                .iter()
                .map(|tube| tube.parent.as_str())
                .filter(|one| !one.is_empty()),
        );
        let mut tubes: BTreeMap<String, TubeRow> =
            TubeRow::find(tx, "code", keys(&codes), Lock::Yes)
                .await?
                .into_iter()
                .map(|tube| (tube.code.clone(), tube))
                .collect();
        let before = tubes.clone();
        let mut known: HashMap<String, Vec<LaboratoryResult>> = HashMap::new();
        for row in ResultRow::find(tx, "tube", keys(&codes), Lock::No).await? {
            known
                .entry(row.tube.clone())
                .or_default()
                .push(to_result(&row));
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
        let touched: BTreeSet<&String> = fresh.iter().map(|row| &row.tube).collect();
        let mut changed = Vec::new();
        let mut lists = Lists::default();
        for code in touched {
            let (Some(tube), Some(force)) =
                (tubes.get_mut(code), known.get(code).and_then(in_force))
            else {
                continue;
            };
            let old = Value::from_code(before[code].result);
            (tube.result, tube.result_version) = (force.value.code(), force.version);
            if old != Some(force.value) {
                lists.follow(tube, old, force.value)?;
            }
            changed.push(code.clone());
        }
        self.follow(tx, caller, &mut tubes, &before, changed, lists, now)
            .await?;
        Ok(taken)
    }

    #[expect(clippy::too_many_arguments, reason = "one step of one transaction")]
    async fn follow(
        &self,
        tx: &Tx,
        caller: &Caller,
        tubes: &mut BTreeMap<String, TubeRow>,
        before: &BTreeMap<String, TubeRow>,
        changed: Vec<String>,
        lists: Lists,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let pick = |tubes: &BTreeMap<String, TubeRow>, codes: &[String]| -> Vec<TubeRow> {
            codes
                .iter()
                .filter_map(|code| tubes.get(code))
                .cloned()
                .collect()
        };
        if !lists.invalid.is_empty() {
            let mut invalid = pick(tubes, &lists.invalid);
            self.resample(tx, &mut invalid, "INVALID", now).await?;
            tubes.extend(invalid.into_iter().map(|tube| (tube.code.clone(), tube)));
        }
        if !lists.valid_again.is_empty() {
            let again = pick(tubes, &lists.valid_again);
            let keys = again.iter().map(|tube| tube.code.as_str().into()).collect();
            execute_in(tx, "DELETE FROM make_ups WHERE tube", keys).await?;
            let regular: Vec<_> = again
                .into_iter()
                .filter(|tube| tube.parent.is_empty())
                .collect();
            self.rotate(tx, &regular, true).await?;
        }
        let singles: Vec<TubeRow> = pick(tubes, &changed)
            .into_iter()
            .filter(|tube| !tube.parent.is_empty())
            .collect();
        let mut settle: BTreeSet<String> = lists.settle.into_iter().collect();
        settle.extend(singles.iter().map(|tube| tube.parent.clone()));
        self.settle(tx, caller, tubes, &settle, &singles, now)
            .await?;
        let moved: BTreeSet<String> = changed
            .into_iter()
            .chain(
                settle
                    .into_iter()
                    .filter(|code| tubes.get(code) != before.get(code)),
            )
            .collect();
        let mut moved = pick(tubes, &moved.into_iter().collect::<Vec<_>>());
        self.noted(tx, caller, &mut moved, "Result", "", now).await
    }
}

/// What must follow from changed results.
#[derive(Debug, Default)]
struct Lists {
    invalid: Vec<String>,
    valid_again: Vec<String>,
    settle: Vec<String>,
}

impl Lists {
    fn follow(&mut self, tube: &mut TubeRow, old: Option<Value>, new: Value) -> Result<(), Error> {
        let verb = if old.is_some() {
            Verb::Correct(new)
        } else {
            Verb::Report(new)
        };
        let held = old.is_some_and(Value::holds);
        if tube.parent.is_empty() && held && new.holds() {
            // Positive or suspect: what follows is the same.
            return Ok(());
        }
        tube.apply(verb)?;
        if old == Some(Value::Invalid) {
            self.valid_again.push(tube.code.clone());
        }
        if new == Value::Invalid {
            self.invalid.push(tube.code.clone());
        }
        if tube.parent.is_empty() && (held || new.holds()) {
            self.settle.push(tube.code.clone());
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
        return if same.value == result.value {
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
