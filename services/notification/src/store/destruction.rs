//! What was gathered of people while an emergency was open: found by its time, deleted once it is over, a
//! part at a time.

mod voices;

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::execute_in;
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::Store;
use super::retention::{Removed, TOGETHER, firsts, ids, skip};
use crate::domain::fact::Kind;

pub use voices::{CASES, CONCERNS, Voice, Voices};

/// The time of an emergency, without its last instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When it began.
    pub start: DateTime<Utc>,
    /// When it ended.
    pub end: DateTime<Utc>,
}

impl Span {
    /// Whether something of this instant (milliseconds since 1970) was gathered for it.
    pub fn holds(&self, instant: i64) -> bool {
        (self.start.timestamp_millis()..self.end.timestamp_millis()).contains(&instant)
    }

    fn millis(&self) -> [Value; 2] {
        [self.start, self.end].map(|at| at.timestamp_millis().into())
    }

    fn ids(&self) -> [Value; 2] {
        [self.start, self.end].map(|at| first_id_at(at).into())
    }
}

/// The least id of a row that was made at or after an instant.
fn first_id_at(instant: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(instant.timestamp_millis()).unwrap_or_default();
    // The fields of a version 7 UUID that come after the time, all at their least.
    Uuid::from_u128(u128::from(millis) << 80)
}

/// By what it is known when a row was gathered.
#[derive(Clone, Copy, Debug)]
enum By {
    /// Its id, which sorts by time.
    Id,
    /// A column with milliseconds since 1970.
    Millis(&'static str),
}

/// Rows of one table, which are no secrets in the database, with what hangs on them.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    table: &'static str,
    /// The column of its primary key: a UUID.
    key: &'static str,
    by: By,
    /// Only rows of these kinds, where the table has kinds.
    of: Option<fn(Kind) -> bool>,
    /// Whether a row decides about nobody any more.
    over: &'static str,
    /// Tables whose rows go with it, by the column that names it.
    with: &'static [(&'static str, &'static str)],
}

/// Alerts about people with their histories, and who was to be told of them. One is over when the feed of
/// this service has told of its end, and nothing can raise it again: its fact ended it, or the entity that a
/// human was done with has left its feed.
pub const ALERTS: Part = Part {
    table: "alerts",
    key: "id",
    by: By::Millis("raise_at"),
    of: Some(Kind::is_of_people),
    over: "state = 4 AND announced IN (0, revision) \
           AND (resolved LIKE '{\"subject\":\"fact\",%' OR NOT EXISTS \
           (SELECT 1 FROM facts f WHERE f.name = alerts.basis AND f.gone_at IS NULL))",
    with: &[("alert_entries", "alert"), ("told", "alert")],
};

/// Who was told of concerns, support and care: taken from the queue once its message is written.
pub const NOTICES: Part = Part {
    table: "notices",
    key: "id",
    by: By::Millis("create_at"),
    of: None,
    over: "done = TRUE",
    with: &[],
};

/// What was to be done for pupils at home; done, or dropped as they were free.
pub const CARE: Part = Part {
    table: "care_tasks",
    key: "id",
    by: By::Id,
    of: None,
    over: "state IN (2, 4)",
    with: &[],
};

/// Which pupils were under control.
pub const CONTROLLED: Part = Part {
    table: "controlled",
    key: "student",
    by: By::Millis("since_at"),
    of: None,
    over: "under = FALSE",
    with: &[],
};

impl Part {
    /// Which rows are of the emergency; its beginning and its end are $1 and $2.
    fn wheres(&self) -> String {
        let column = match self.by {
            By::Id => self.key,
            By::Millis(column) => column,
        };
        let wheres = format!("{column} >= $1 AND {column} < $2");
        let Some(of) = self.of else {
            return wheres;
        };
        let kinds = Kind::ALL.iter().copied().filter(|kind| of(*kind));
        let kinds: Vec<String> = kinds.map(|kind| (kind as i32).to_string()).collect();
        format!("{wheres} AND kind IN ({})", kinds.join(", "))
    }

    fn values(&self, span: &Span) -> [Value; 2] {
        match self.by {
            By::Id => span.ids(),
            By::Millis(_) => span.millis(),
        }
    }

    /// Deletes at most `limit` rows that are over, with what hangs on them; how many. Rows that somebody
    /// else is at are passed over. Whoever deletes alerts holds them by [`Store::lock_alerts`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&self, tx: &Tx, span: &Span, limit: u64) -> Result<u64, DbErr> {
        let Self {
            table,
            key,
            by: _,
            of: _,
            over,
            with,
        } = self;
        let sql = format!(
            "SELECT {key} FROM {table} WHERE {} AND {over} LIMIT {limit}{}",
            self.wheres(),
            skip(tx)
        );
        let gone = firsts(tx, &sql, self.values(span).to_vec()).await?;
        for (child, column) in *with {
            let sql = format!("DELETE FROM {child} WHERE {column}");
            execute_in(tx, &sql, &[], ids(&gone)).await?;
        }
        let sql = format!("DELETE FROM {table} WHERE {key}");
        execute_in(tx, &sql, &[], ids(&gone)).await?;
        Ok(gone.len() as u64)
    }

    /// How many rows there are, over or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&self, db: &impl ConnectionTrait, span: &Span) -> Result<i64, DbErr> {
        let sql = format!(
            "SELECT COUNT(*) FROM {} WHERE {}",
            self.table,
            self.wheres()
        );
        count(db, &sql, self.values(span)).await
    }
}

impl Store {
    /// Destroys messages that were stored while an emergency was open and are over, with texts, ledger
    /// and documents: at most `limit` deliveries, and a message with its last one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn destroy_messages(tx: &Tx, span: &Span, limit: u32) -> Result<Removed, DbErr> {
        let sql = format!(
            "SELECT id FROM messages WHERE swept = TRUE AND id >= $1 AND id < $2 \
             ORDER BY id LIMIT {TOGETHER}{}",
            skip(tx)
        );
        let over = firsts(tx, &sql, span.ids().to_vec()).await?;
        Self::remove_of(tx, &over, limit).await
    }

    /// How many messages were stored while an emergency was open.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn messages_during(db: &impl ConnectionTrait, span: &Span) -> Result<i64, DbErr> {
        let sql = "SELECT COUNT(*) FROM messages WHERE id >= $1 AND id < $2";
        count(db, sql, span.ids()).await
    }
}

async fn count(db: &impl ConnectionTrait, sql: &str, values: [Value; 2]) -> Result<i64, DbErr> {
    let row = db.query_one_raw(statement(db, sql, values)).await?;
    row.map_or(Ok(0), |row| row.try_get_by_index(0))
}
