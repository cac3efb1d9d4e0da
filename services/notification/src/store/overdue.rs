//! Recipients of directives whose time has passed and of whom nobody was told yet.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::recipient_rows::number_of;
use super::{Store, unreadable};
use crate::domain::recipient::Missed;

/// How long whoever owes judgements hears no more of other reports on the same directive while one that it
/// was told of waits.
const QUIET: Duration = Duration::days(1);

/// Those whom one recipient, or the orderer itself, passed a directive on to, and who let a time pass, or
/// whose reports it let wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// The directive.
    pub directive: Uuid,
    /// The organisation id of who ordered.
    pub orderer: String,
    /// The recipient id of who passed it on; empty for the orderer.
    pub upper: String,
    /// What they, or for a judgement the one above, let pass.
    pub missed: Missed,
    /// When, of several the earliest: milliseconds since 1970, for a demand `YYYYMMDD`.
    due: i64,
}

/// The condition of those who let something pass before $1. States: 4 is ACKED, 7 is REPORTED.
fn missed(missed: Missed) -> &'static str {
    match missed {
        Missed::Signature => {
            "open = TRUE AND acknowledged_at IS NULL AND overdue_told = FALSE \
             AND due_at IS NOT NULL AND due_at < $1"
        }
        Missed::Relay => {
            "open = TRUE AND state = 4 AND relay_due_at > relay_told AND relay_due_at < $1"
        }
        Missed::Demand => {
            "open = TRUE AND items_due > items_told AND due_at IS NOT NULL AND items_due < $1"
        }
        Missed::Judgement => {
            "open = TRUE AND state = 7 AND judge_due_at > judge_told AND judge_due_at < $1"
        }
    }
}

/// No report that waits for the same judgement and was told of fell due after $2.
const NOBODY_TOLD: &str = "NOT EXISTS (SELECT 1 FROM directive_recipients t \
     WHERE t.directive = directive_recipients.directive \
     AND t.upper_organization = directive_recipients.upper_organization \
     AND t.open = TRUE AND t.state = 7 AND t.judge_due_at > $2 AND t.judge_told = t.judge_due_at)";

/// The column of the time that passed.
fn column(missed: Missed) -> &'static str {
    match missed {
        Missed::Signature => "due_at",
        Missed::Relay => "relay_due_at",
        Missed::Demand => "items_due",
        Missed::Judgement => "judge_due_at",
    }
}

/// What notes that somebody is told.
fn noted(missed: Missed) -> &'static str {
    match missed {
        Missed::Signature => "overdue_told = TRUE",
        Missed::Relay => "relay_told = relay_due_at",
        Missed::Demand => "items_told = items_due",
        Missed::Judgement => "judge_told = judge_due_at",
    }
}

/// Those of a group have one time in common: it began for all of them at once.
fn is_shared(missed: Missed) -> bool {
    match missed {
        Missed::Signature | Missed::Demand => true,
        Missed::Relay | Missed::Judgement => false,
    }
}

/// What is before, in the numbers of the column.
fn before(missed: Missed, (now, today): (DateTime<Utc>, NaiveDate)) -> Value {
    match missed {
        Missed::Signature | Missed::Relay | Missed::Judgement => now.timestamp_millis().into(),
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
            let mut values = vec![before(kind, time)];
            let mut others = String::new();
            if kind == Missed::Judgement {
                others = format!("AND {NOBODY_TOLD}");
                values.push((time.0 - QUIET).timestamp_millis().into());
            }
            let (due, shared) = if is_shared(kind) {
                (column.to_owned(), format!(", {column}"))
            } else {
                (format!("MIN({column})"), String::new())
            };
            let sql = format!(
                "SELECT directive, orderer, upper_organization, CAST({due} AS BIGINT) \
                 FROM directive_recipients WHERE {condition} {others} \
                 GROUP BY directive, orderer, upper_organization{shared} \
                 ORDER BY {due}, directive, upper_organization LIMIT {limit}"
            );
            for row in db.query_all_raw(statement(db, &sql, values)).await? {
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
        let (noted, column, condition) = (noted(kind), column(kind), missed(kind));
        let mut values = vec![
            before(kind, time),
            overdue.directive.into(),
            overdue.upper.clone().into(),
        ];
        let mut shared = String::new();
        if is_shared(kind) {
            shared = format!("AND {column} = $4");
            values.push(overdue.due.into());
        }
        let sql = format!(
            "UPDATE directive_recipients SET {noted} WHERE {condition} AND directive = $2 \
             AND upper_organization = $3 {shared} RETURNING organization"
        );
        let rows = tx.query_all_raw(statement(tx, &sql, values)).await?;
        rows.iter().map(|row| row.try_get_by_index(0)).collect()
    }

    /// How many reports of those right below a recipient, or the orderer where `upper` is empty, were not
    /// judged in time and wait.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unjudged(
        tx: &Tx,
        (directive, upper): (Uuid, &str),
        now: DateTime<Utc>,
    ) -> Result<usize, DbErr> {
        let sql = "SELECT COUNT(*) FROM directive_recipients WHERE directive = $1 \
             AND upper_organization = $2 AND open = TRUE AND state = 7 AND judge_due_at < $3";
        let values = [
            directive.into(),
            upper.into(),
            now.timestamp_millis().into(),
        ];
        let row = tx.query_one_raw(statement(tx, sql, values)).await?;
        let row = row.ok_or_else(|| unreadable("count"))?;
        let count: i64 = row.try_get_by_index(0)?;
        usize::try_from(count).map_err(|_| unreadable("count"))
    }
}

impl Overdue {
    /// The instant that passed; none for a demand, which is due on a day.
    pub fn instant(&self) -> Option<DateTime<Utc>> {
        match self.missed {
            Missed::Signature | Missed::Relay | Missed::Judgement => {
                DateTime::from_timestamp_millis(self.due)
            }
            Missed::Demand => None,
        }
    }

    /// The day that passed; none for what is due at an instant.
    pub fn day(&self) -> Option<NaiveDate> {
        match self.missed {
            Missed::Signature | Missed::Relay | Missed::Judgement => None,
            Missed::Demand => {
                let number = |part: i64| u32::try_from(part).ok();
                let year = i32::try_from(self.due / 10_000).ok()?;
                let (month, day) = (number(self.due / 100 % 100)?, number(self.due % 100)?);
                NaiveDate::from_ymd_opt(year, month, day)
            }
        }
    }

    /// The day or the instant that passed, in the form of a value of a template.
    pub fn due(&self) -> String {
        match self.missed {
            Missed::Signature | Missed::Relay | Missed::Judgement => {
                DateTime::from_timestamp_millis(self.due)
                    .unwrap_or_default()
                    .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
            }
            Missed::Demand => {
                let (year, month, day) = (self.due / 10_000, self.due / 100 % 100, self.due % 100);
                format!("{year:04}-{month:02}-{day:02}")
            }
        }
    }
}
