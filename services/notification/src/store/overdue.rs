//! Recipients of directives whose time has passed and of whom nobody was told yet.

use chrono::{DateTime, NaiveDate, Utc};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::Store;
use super::recipient_rows::number_of;
use crate::domain::recipient::Missed;

/// Those whom one recipient, or the orderer itself, passed a directive on to, and who let the same time
/// pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// The directive.
    pub directive: Uuid,
    /// The organisation id of who ordered.
    pub orderer: String,
    /// The recipient id of who passed it on; empty for the orderer.
    pub upper: String,
    /// What they let pass.
    pub missed: Missed,
    /// When: milliseconds since 1970 for a signature, `YYYYMMDD` for a demand.
    due: i64,
}

/// The condition of those who let something pass before $1.
fn missed(missed: Missed) -> &'static str {
    match missed {
        Missed::Signature => {
            "open = TRUE AND acknowledged_at IS NULL AND overdue_told = FALSE \
             AND due_at IS NOT NULL AND due_at < $1"
        }
        Missed::Demand => {
            "open = TRUE AND items_due > items_told AND due_at IS NOT NULL AND items_due < $1"
        }
    }
}

/// The column of the time that passed.
fn column(missed: Missed) -> &'static str {
    match missed {
        Missed::Signature => "due_at",
        Missed::Demand => "items_due",
    }
}

/// What is before, in the numbers of the column.
fn before(missed: Missed, (now, today): (DateTime<Utc>, NaiveDate)) -> Value {
    match missed {
        Missed::Signature => now.timestamp_millis().into(),
        Missed::Demand => i64::from(number_of(today)).into(),
    }
}

impl Store {
    /// Whose time has passed without anybody having been told, `limit` groups of each kind at most,
    /// those that are overdue longest first. Nothing is read but what is not told yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overdue(
        db: &impl ConnectionTrait,
        time: (DateTime<Utc>, NaiveDate),
        limit: u64,
    ) -> Result<Vec<Overdue>, DbErr> {
        let mut found = Vec::new();
        for kind in Missed::ALL {
            let (column, condition) = (column(kind), missed(kind));
            let sql = format!(
                "SELECT directive, orderer, upper_organization, CAST({column} AS BIGINT) \
                 FROM directive_recipients WHERE {condition} \
                 GROUP BY directive, orderer, upper_organization, {column} \
                 ORDER BY {column}, directive, upper_organization LIMIT {limit}"
            );
            let select = statement(db, &sql, [before(kind, time)]);
            for row in db.query_all_raw(select).await? {
                found.push(Overdue {
                    directive: row.try_get_by_index(0)?,
                    orderer: row.try_get_by_index(1)?,
                    upper: row.try_get_by_index(2)?,
                    missed: kind,
                    due: row.try_get_by_index(3)?,
                });
            }
        }
        Ok(found)
    }

    /// Notes that those of a group are told, and returns the ids of those who still are overdue. Whoever
    /// notes it tells them in the same transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_overdue(
        tx: &Tx,
        overdue: &Overdue,
        time: (DateTime<Utc>, NaiveDate),
    ) -> Result<Vec<String>, DbErr> {
        let kind = overdue.missed;
        let noted = match kind {
            Missed::Signature => "overdue_told = TRUE",
            Missed::Demand => "items_told = items_due",
        };
        let (column, condition) = (column(kind), missed(kind));
        let sql = format!(
            "UPDATE directive_recipients SET {noted} WHERE {condition} AND directive = $2 \
             AND upper_organization = $3 AND {column} = $4 RETURNING organization"
        );
        let values = [
            before(kind, time),
            overdue.directive.into(),
            overdue.upper.clone().into(),
            overdue.due.into(),
        ];
        let rows = tx.query_all_raw(statement(tx, &sql, values)).await?;
        rows.iter().map(|row| row.try_get_by_index(0)).collect()
    }
}

impl Overdue {
    /// The day or the instant that passed, in the form of a value of a template.
    pub fn due(&self) -> String {
        match self.missed {
            Missed::Signature => DateTime::from_timestamp_millis(self.due)
                .unwrap_or_default()
                .to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            Missed::Demand => {
                let (year, month, day) = (self.due / 10_000, self.due / 100 % 100, self.due % 100);
                format!("{year:04}-{month:02}-{day:02}")
            }
        }
    }
}
