//! Tasks of the weather, one by one.

use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};

use super::query::Where;
use super::{NEVER, Turn};
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
        /// The place within the organisation that it is about; empty for all of it.
        place: String,
    }
}

/// How many tasks of an organisation are how far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskCounts {
    /// Open, overdue ones among them.
    pub open: i64,
    /// Overdue.
    pub overdue: i64,
    /// Done, of the present warning.
    pub done: i64,
    /// When the first open one is due, in milliseconds since 1970.
    pub first_due: i64,
    /// When the first open one that is not overdue is due.
    pub next_due: i64,
}

impl Default for TaskCounts {
    fn default() -> Self {
        Self {
            open: 0,
            overdue: 0,
            done: 0,
            first_due: NEVER,
            next_due: NEVER,
        }
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
        TaskRow::save(tx, std::slice::from_ref(row)).await?;
        Self::retell(tx, &row.organization, "weatherState").await
    }

    /// The open tasks of an organisation that were due before `now`, in the order of their names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overdue_weather_tasks(
        db: &impl ConnectionTrait,
        organization: &str,
        now: i64,
    ) -> Result<Vec<TaskRow>, DbErr> {
        let sql = format!(
            "SELECT {} FROM weather_tasks WHERE organization = $1 AND state = {} AND due_at < $2 \
             ORDER BY name",
            TaskRow::COLUMNS.join(", "),
            TaskState::Open as i32,
        );
        let values = [organization.into(), now.into()];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter().map(TaskRow::read).collect()
    }

    /// How many tasks of an organisation are how far at `now`, in milliseconds since 1970: of those
    /// that were given out in its present warning, and open ones of earlier ones.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_task_counts(
        db: &impl ConnectionTrait,
        (organization, episode): (&str, i32),
        now: i64,
    ) -> Result<TaskCounts, DbErr> {
        let (open, done) = (TaskState::Open as i32, TaskState::Done as i32);
        let sum = |wheres: &str| format!("COUNT(CASE WHEN {wheres} THEN 1 END)");
        let first =
            |wheres: &str| format!("COALESCE(MIN(CASE WHEN {wheres} THEN due_at END), {NEVER})");
        let sql = format!(
            "SELECT {}, {}, {}, {}, {} FROM weather_tasks WHERE organization = $1",
            sum(&format!("state = {open}")),
            sum(&format!("state = {open} AND due_at < $2")),
            sum(&format!("state = {done} AND episode = $3")),
            first(&format!("state = {open}")),
            first(&format!("state = {open} AND due_at >= $2")),
        );
        let values = [organization.into(), now.into(), episode.into()];
        let row = db.query_one_raw(statement(db, &sql, values)).await?;
        let Some(row) = row else {
            return Ok(TaskCounts::default());
        };
        Ok(TaskCounts {
            open: row.try_get_by_index(0)?,
            overdue: row.try_get_by_index(1)?,
            done: row.try_get_by_index(2)?,
            first_due: row.try_get_by_index(3)?,
            next_due: row.try_get_by_index(4)?,
        })
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
