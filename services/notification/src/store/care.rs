//! Care tasks.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::concern_rows::{NEVER, above_at, instant};
use super::{Store, below_end, unreadable};
use crate::domain::care::{Kind, State, Task, Verb};

row! {
    /// A care task.
    CareRow in "care_tasks" by ["id"] {
        /// The id.
        id: Uuid,
        /// The school.
        organization: String,
        /// The id of the class group.
        class_group: String,
        /// The place of the class group.
        org_path: String,
        /// The pupil.
        student: Uuid,
        /// The number of the kind.
        kind: i16,
        /// The number of the state.
        state: i16,
        /// The civil day.
        day: String,
        /// Milliseconds since 1970.
        due_at: i64,
        /// When it was done; 0 before.
        complete_at: i64,
        /// Who said so.
        completer: String,
        /// It was not done in time.
        late: bool,
        /// When those above the school hear of it; the greatest number for never.
        above_at: i64,
    }
}

/// Where a list of tasks goes on.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct CareKey {
    /// Milliseconds since 1970.
    pub due_at: i64,
    /// The task.
    pub id: Uuid,
}

impl Store {
    /// Adds tasks, each once for a pupil, a day and a kind; returns those that are new.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_tasks(tx: &Tx, tasks: Vec<Task>) -> Result<Vec<Task>, DbErr> {
        let rows: Vec<CareRow> = tasks.iter().map(care_row).collect();
        CareRow::add(tx, &rows).await?;
        let ids = tasks.iter().map(|task| task.id.into()).collect();
        let added = CareRow::find(tx, "id", ids, Lock::No).await?;
        added.into_iter().map(task).collect()
    }

    /// Stores tasks as they are now. Whoever changes one holds it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_tasks(tx: &Tx, tasks: &[Task]) -> Result<(), DbErr> {
        let rows: Vec<CareRow> = tasks.iter().map(care_row).collect();
        CareRow::save(tx, &rows).await
    }

    /// One task of a school; held until the end of the transaction when `lock` says so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn task<C: ConnectionTrait + Sync>(
        db: &C,
        organization: &str,
        id: Uuid,
        lock: Lock,
    ) -> Result<Option<Task>, DbErr> {
        let mut rows = CareRow::find(db, "id", vec![id.into()], lock).await?;
        let found = rows.pop().filter(|row| row.organization == organization);
        found.map(task).transpose()
    }

    /// The tasks at and below `place`, the earliest deadline first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tasks(
        db: &impl ConnectionTrait,
        place: &str,
        state: Option<State>,
        after: Option<CareKey>,
        limit: u64,
    ) -> Result<Vec<Task>, DbErr> {
        let mut values: Vec<Value> = vec![
            place.into(),
            format!("{place}/").into(),
            below_end(place).into(),
        ];
        let mut wheres = "(org_path = $1 OR (org_path > $2 AND org_path < $3))".to_owned();
        if let Some(state) = state {
            values.push((state as i16).into());
            wheres = format!("{wheres} AND state = ${}", values.len());
        }
        if let Some(CareKey { due_at, id }) = after {
            values.extend([due_at.into(), id.into()]);
            let (due, id) = (values.len() - 1, values.len());
            wheres = format!("{wheres} AND (due_at > ${due} OR (due_at = ${due} AND id > ${id}))");
        }
        let sql = format!(
            "SELECT {} FROM care_tasks WHERE {wheres} ORDER BY due_at, id LIMIT {limit}",
            CareRow::COLUMNS.join(", ")
        );
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter().map(|row| task(CareRow::read(row)?)).collect()
    }

    /// Whether the time of a task has passed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_task_overdue(
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        let sql =
            "SELECT 1 FROM care_tasks WHERE state = 1 AND due_at < $1 ORDER BY due_at LIMIT 1";
        let select = statement(db, sql, [now.timestamp_millis().into()]);
        Ok(db.query_one_raw(select).await?.is_some())
    }

    /// Tasks whose time has passed, the longest first, held until the end of the transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tasks_overdue(
        tx: &Tx,
        now: DateTime<Utc>,
        limit: u64,
    ) -> Result<Vec<Task>, DbErr> {
        tasks_before(tx, (State::Due, "due_at"), now, limit).await
    }

    /// Whether those above a school hear of a task.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_task_left(
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        let sql =
            "SELECT 1 FROM care_tasks WHERE state = 3 AND above_at < $1 ORDER BY above_at LIMIT 1";
        let select = statement(db, sql, [now.timestamp_millis().into()]);
        Ok(db.query_one_raw(select).await?.is_some())
    }

    /// Tasks of which those above a school hear, those that wait longest first, held until the end of the
    /// transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tasks_left(tx: &Tx, now: DateTime<Utc>, limit: u64) -> Result<Vec<Task>, DbErr> {
        tasks_before(tx, (State::Overdue, "above_at"), now, limit).await
    }

    /// Drops what was still to be done for pupils who are free again.
    pub(super) async fn drop_tasks(
        tx: &Tx,
        students: Vec<Uuid>,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let keys = students.into_iter().map(Value::from).collect();
        let rows = CareRow::find(tx, "student", keys, Lock::Yes).await?;
        let mut dropped = Vec::new();
        for row in rows {
            // What is done or dropped stays as it is.
            dropped.extend(task(row)?.apply(Verb::Drop, now));
        }
        Self::save_tasks(tx, &dropped).await
    }
}

/// The tasks in a state whose instant in a column has passed, the earliest first, held until the end of the
/// transaction.
async fn tasks_before(
    tx: &Tx,
    (state, column): (State, &str),
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<Task>, DbErr> {
    let sql = format!(
        "SELECT id FROM care_tasks WHERE state = {} AND {column} < $1 ORDER BY {column}, id \
         LIMIT {limit}",
        state as i16
    );
    let select = statement(tx, &sql, [now.timestamp_millis().into()]);
    let mut ids: Vec<Value> = Vec::new();
    for row in tx.query_all_raw(select).await? {
        ids.push(row.try_get_by_index::<Uuid>(0)?.into());
    }
    let rows = CareRow::find(tx, "id", ids, Lock::Yes).await?;
    rows.into_iter().map(task).collect()
}

fn care_row(task: &Task) -> CareRow {
    let Task {
        organization,
        id,
        class_group,
        org_path,
        student,
        kind,
        state,
        day,
        due,
        completed,
        completer,
        late,
        above,
    } = task.clone();
    CareRow {
        id,
        organization,
        class_group,
        org_path,
        student,
        kind: kind as i16,
        state: state as i16,
        day: day.to_string(),
        due_at: due.timestamp_millis(),
        complete_at: completed.map_or(0, |completed| completed.timestamp_millis()),
        completer,
        late,
        above_at: above_at(above),
    }
}

fn task(row: CareRow) -> Result<Task, DbErr> {
    let kind = Kind::ALL.into_iter().find(|it| *it as i16 == row.kind);
    let state = State::ALL.into_iter().find(|it| *it as i16 == row.state);
    Ok(Task {
        organization: row.organization,
        id: row.id,
        class_group: row.class_group,
        org_path: row.org_path,
        student: row.student,
        kind: kind.ok_or_else(|| unreadable("kind of care"))?,
        state: state.ok_or_else(|| unreadable("state of care"))?,
        day: row.day.parse().map_err(|_| unreadable("day"))?,
        due: instant(row.due_at)?,
        completed: (row.complete_at != 0)
            .then(|| instant(row.complete_at))
            .transpose()?,
        completer: row.completer,
        late: row.late,
        above: (row.above_at != NEVER)
            .then(|| instant(row.above_at))
            .transpose()?,
    })
}
