//! Lists of incidents at and below a place.

use kit::db::statement;
use kit::rows::Row;
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::file::IncidentRow;
use super::{BELOW, below};
use crate::domain::incident::category::Category;
use crate::domain::incident::file::Incident;
use crate::domain::incident::harm::Level;
use crate::domain::incident::state::State;
use crate::store::Store;

/// Which incidents a list holds; an empty list of values lets all through.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In one of these states.
    pub states: Vec<State>,
    /// Of one of these levels.
    pub levels: Vec<Level>,
    /// Of one of these categories.
    pub categories: Vec<Category>,
    /// Only those of which something was late, or is overdue at this instant, in milliseconds since
    /// 1970.
    pub overdue_at: Option<i64>,
    /// With the confidential ones.
    pub confidential: bool,
}

impl Filter {
    /// What it adds to WHERE: numbers of enums only, and the placeholder $5 for the instant.
    fn sql(&self) -> String {
        let mut sql = String::new();
        let numbers: [(&str, Vec<i16>); 3] = [
            ("state", self.states.iter().map(|of| *of as i16).collect()),
            ("level", self.levels.iter().map(|of| *of as i16).collect()),
            (
                "category",
                self.categories.iter().map(|of| *of as i16).collect(),
            ),
        ];
        for (column, numbers) in numbers {
            if !numbers.is_empty() {
                let numbers: Vec<String> = numbers.iter().map(i16::to_string).collect();
                sql += &format!(" AND {column} IN ({})", numbers.join(", "));
            }
        }
        if !self.confidential {
            sql += " AND confidential = 0";
        }
        if self.overdue_at.is_some() {
            sql += " AND (late = TRUE OR (next_due <> 0 AND next_due < $5))";
        }
        sql
    }
}

impl Store {
    /// Incidents at and below `place`, the newest first, older than `before`, at most `limit`, each
    /// with what is due next.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incidents(
        db: &impl ConnectionTrait,
        place: &str,
        filter: &Filter,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<(Incident, i64)>, DbErr> {
        let mut values: Vec<Value> = below(place);
        values.push(before.unwrap_or(Uuid::max()).into());
        if let Some(instant) = filter.overdue_at {
            values.push(instant.into());
        }
        let sql = format!(
            "SELECT {} FROM incidents WHERE {BELOW} AND id < $4{} ORDER BY id DESC LIMIT {limit}",
            IncidentRow::COLUMNS.join(", "),
            filter.sql(),
        );
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter()
            .map(|row| {
                let row = IncidentRow::read(row)?;
                let next_due = row.next_due;
                Ok((row.incident()?, next_due))
            })
            .collect()
    }
}
