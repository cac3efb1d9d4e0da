//! The clocks of cases of support: what reminds of them, without whom they are about.

use chrono::{DateTime, Utc};
use kit::db::{Backend, Tx, statement};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::concern_rows::{NEVER, instant};
use super::{Store, unreadable};
use crate::domain::support::{Clock, Grade};

impl Store {
    /// The cases of which somebody is to be reminded, `limit` at most, those that wait longest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cases_waited(
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
        limit: u64,
    ) -> Result<Vec<Uuid>, DbErr> {
        let sql = format!(
            "SELECT id FROM support_cases WHERE state <> 2 AND remind_at < $1 \
             ORDER BY remind_at, id LIMIT {limit}"
        );
        let select = statement(db, &sql, [now.timestamp_millis().into()]);
        let rows = db.query_all_raw(select).await?;
        rows.iter().map(|row| row.try_get_by_index(0)).collect()
    }

    /// The clock of an open case, held until the end of the transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn case_clock(tx: &Tx, id: Uuid) -> Result<Option<Clock>, DbErr> {
        let lock = match tx.backend() {
            Backend::Postgres => " FOR UPDATE",
            Backend::Sqlite => "",
        };
        let sql = format!(
            "SELECT organization, counsellor_person, contact_due_at, remind_at, late, \
             org_path, grade FROM support_cases WHERE id = $1 AND state <> 2{lock}"
        );
        let row = tx.query_one_raw(statement(tx, &sql, [id.into()])).await?;
        row.map(|row| {
            let remind: i64 = row.try_get_by_index(3)?;
            let code: i16 = row.try_get_by_index(6)?;
            let grade = Grade::ALL.into_iter().find(|it| *it as i16 == code);
            Ok(Clock {
                id,
                organization: row.try_get_by_index(0)?,
                org_path: row.try_get_by_index(5)?,
                grade: grade.ok_or_else(|| unreadable("grade"))?,
                counsellor_person: row.try_get_by_index(1)?,
                due: instant(row.try_get_by_index(2)?)?,
                remind: (remind != NEVER).then(|| instant(remind)).transpose()?,
                late: row.try_get_by_index(4)?,
            })
        })
        .transpose()
    }

    /// Stores the clock of a case after it went on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_case_clock(tx: &Tx, clock: &Clock) -> Result<(), DbErr> {
        let sql = "UPDATE support_cases SET remind_at = $1, late = $2 WHERE id = $3";
        let remind = clock.remind.map_or(NEVER, |at| at.timestamp_millis());
        let values = [remind.into(), clock.late.into(), clock.id.into()];
        tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(())
    }
}
