//! What was kept for long enough: found by its age and place, and removed unless something keeps it.

pub mod parts;
pub mod readings;

use kit::db::{Backend, Tx, statement};
use kit::rows::execute_in;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

use super::destruction::{Leaving, Part, Span};
use crate::domain::retention::{Before, Period, Region};

/// Rows of one table that are kept for the same time.
#[derive(Clone, Copy, Debug)]
pub struct Aged {
    /// What they are, for operators.
    pub kind: &'static str,
    /// For how long they are kept.
    pub period: Period,
    /// Of which category an emergency gathered them; empty where no destruction takes them.
    pub category: &'static str,
    /// The table and what hangs on it.
    part: Part,
    /// The place of a row.
    place: &'static str,
    /// Whether a row is old. `{before}` and `{before_day}` stand for the time before which it is.
    age: &'static str,
    /// Whether nothing keeps a row however old it is, with the same words for the time.
    free: &'static str,
    /// The columns of an index by which old rows come first.
    order: &'static str,
}

/// Where something is old, and since when.
#[derive(Clone, Copy, Debug)]
pub struct Old<'a> {
    /// Where.
    pub region: &'a Region,
    /// What is older is old.
    pub before: Before,
    /// What was gathered in these times is kept.
    pub kept: &'a [Span],
}

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// How many rows, without those that went with them.
    pub count: u64,
    /// What leaves the snapshot of the feed.
    pub leaving: Vec<Leaving>,
}

impl Old<'_> {
    /// Whether something at the place in `column` is of the region, and not `of` a time that is kept.
    fn here(&self, column: &str, of: impl Fn(&Span) -> String) -> String {
        let at = |place: &str| {
            format!("({column} = '{place}' OR ({column} >= '{place}/' AND {column} < '{place}0'))")
        };
        let mut here = if self.region.place.is_empty() {
            "TRUE".to_owned()
        } else {
            at(&self.region.place)
        };
        for place in &self.region.below {
            here.push_str(&format!(" AND NOT {}", at(place)));
        }
        for span in self.kept {
            here.push_str(&format!(" AND NOT ({})", of(span)));
        }
        here
    }
}

impl Aged {
    /// Which rows are removed.
    fn rows(&self, old: &Old<'_>) -> String {
        let Before { instant, day } = old.before;
        let here = old.here(self.place, |span| self.part.of(span));
        format!("{} AND {} AND {here}", self.age, self.free)
            .replace("{before}", &instant.to_string())
            .replace("{before_day}", &day.number().to_string())
    }

    /// Whether there is anything to remove.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn any(&self, db: &impl ConnectionTrait, old: &Old<'_>) -> Result<bool, DbErr> {
        let sql = format!(
            "SELECT 1 FROM {} WHERE {} LIMIT 1",
            self.part.table,
            self.rows(old)
        );
        let row = db.query_one_raw(statement(db, &sql, [])).await?;
        Ok(row.is_some())
    }

    /// Removes at most `limit` rows with what hangs on them, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove(&self, tx: &Tx, old: &Old<'_>, limit: u64) -> Result<Removed, DbErr> {
        if !self.part.with.is_empty() {
            return self.remove_whole(tx, old, limit).await;
        }
        let Part { table, key, .. } = self.part;
        let sql = format!(
            "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {} \
             ORDER BY {} LIMIT {limit})",
            self.rows(old),
            self.order
        );
        let done = tx.execute_raw(statement(tx, &sql, [])).await?;
        Ok(Removed {
            count: done.rows_affected(),
            leaving: Vec::new(),
        })
    }

    /// The same of rows on which others hang. They are locked, so that nobody adds to them meanwhile; those that
    /// somebody else has locked are passed over.
    async fn remove_whole(&self, tx: &Tx, old: &Old<'_>, limit: u64) -> Result<Removed, DbErr> {
        let Part {
            table,
            key,
            with,
            shown,
            ..
        } = self.part;
        let lock = match tx.backend() {
            Backend::Postgres => " FOR UPDATE SKIP LOCKED",
            Backend::Sqlite => "",
        };
        let sql = format!(
            "SELECT {} FROM {table} WHERE {} ORDER BY {} LIMIT {limit}{lock}",
            shown.map_or(key.to_owned(), |shown| shown.columns(key)),
            self.rows(old),
            self.order
        );
        let rows = tx.query_all_raw(statement(tx, &sql, [])).await?;
        let id = |row: &QueryResult| row.try_get_by_index::<String>(0).map(Value::from);
        let ids: Vec<Value> = rows.iter().map(id).collect::<Result<_, _>>()?;
        for (child, column) in with {
            let sql = format!("DELETE FROM {child} WHERE {column}");
            execute_in(tx, &sql, &[], ids.clone()).await?;
        }
        let sql = format!("DELETE FROM {table} WHERE {key}");
        execute_in(tx, &sql, &[], ids).await?;
        Ok(Removed {
            count: rows.len() as u64,
            leaving: shown.map_or(Ok(Vec::new()), |shown| shown.leaving(&rows))?,
        })
    }
}
