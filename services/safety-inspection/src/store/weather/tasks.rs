//! Tasks of the weather, one by one.

use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};

use super::Turn;
use super::query::Where;
use crate::domain::weather::action::Action;
use crate::domain::weather::task::TaskState;
use crate::store::Store;

row! {
    /// One action at one organisation.
    TaskRow in "weather_tasks" by ["name"] {
        /// The resource.
        name: String,
        /// The id of the organisation.
        organization: String,
        /// Its place.
        org_path: String,
        /// The warning after none in which it was given out.
        episode: i32,
        /// The number of the action.
        action: i16,
        /// The number of the level that asks for it.
        level: i16,
        /// The number of the state.
        state: i16,
        /// Who answered when it was given out.
        owner: String,
        /// When it was given out.
        created_at: i64,
        /// When it is due.
        due_at: i64,
        /// Who did it.
        doer: String,
        /// When it was done; 0 before.
        done_at: i64,
        /// What was done.
        note: String,
        /// How many entries its history has.
        changes: i32,
    }
}

/// Which tasks are listed.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    /// Of organisations at and below this place.
    pub place: String,
    /// Those in this state.
    pub state: Option<TaskState>,
    /// Those of this action.
    pub action: Option<Action>,
    /// Those that are open and were due before this time.
    pub overdue: Option<i64>,
}

impl Store {
    /// A task.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_task(
        db: &impl ConnectionTrait,
        name: &str,
        lock: Lock,
    ) -> Result<Option<TaskRow>, DbErr> {
        TaskRow::get(db, name, lock).await
    }

    /// Saves a task that was in the state `from` before, with an entry in its history.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_weather_task(
        tx: &Tx,
        row: &mut TaskRow,
        from: i16,
        turn: &Turn,
    ) -> Result<(), DbErr> {
        row.changes += 1;
        let subject = (&*row.name, row.changes);
        Self::weather_changed(tx, subject, (from, row.state), row.level, turn).await?;
        TaskRow::save(tx, std::slice::from_ref(row)).await
    }

    /// Tasks, the first due first, after the task `after` (its time and name), at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_tasks(
        db: &impl ConnectionTrait,
        wanted: &Tasks,
        after: Option<(i64, String)>,
        limit: u64,
    ) -> Result<Vec<TaskRow>, DbErr> {
        let mut wheres = Where::default();
        wheres.below("org_path", &wanted.place);
        if let Some(state) = wanted.state {
            wheres.and(format!("state = {}", state as i32));
        }
        if let Some(action) = wanted.action {
            wheres.and(format!("action = {}", action as i32));
        }
        if let Some(now) = wanted.overdue {
            let now = wheres.value(now);
            let open = TaskState::Open as i32;
            wheres.and(format!("state = {open} AND due_at < {now}"));
        }
        if let Some((due, name)) = after {
            let (due, name) = (wheres.value(due), wheres.value(name));
            wheres.and(format!(
                "(due_at > {due} OR (due_at = {due} AND name > {name}))"
            ));
        }
        let sql = format!(
            "SELECT {} FROM weather_tasks WHERE {} ORDER BY due_at, name LIMIT {limit}",
            TaskRow::COLUMNS.join(", "),
            wheres.sql(),
        );
        let rows = db.query_all_raw(statement(db, &sql, wheres.values)).await?;
        rows.iter().map(TaskRow::read).collect()
    }
}
