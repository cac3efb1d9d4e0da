//! Why schools must be looked at anew: whatever a guard or a score follows from adds a row in its own
//! transaction, so that nobody waits, and one replica looks soon after.

use kit::bulk::placeholders;
use kit::db::{Tx, statement};
use kit::rows::{Row, execute_in, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use crate::store::Store;
use crate::store::told::new_id;

row! {
    /// Something changed by which a school is judged.
    CauseRow in "readiness_causes" by ["id"] {
        /// The id.
        id: Uuid,
        /// The id of the school.
        organization: String,
    }
}

/// How many schools one statement names.
const PART: usize = 1000;

impl Store {
    /// Something changed by which these schools are judged.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn judge_anew<'a>(
        tx: &Tx,
        schools: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), DbErr> {
        let rows = schools.into_iter().map(|organization| CauseRow {
            id: Uuid::new_v4(),
            organization: organization.to_owned(),
        });
        CauseRow::add(tx, &rows.collect::<Vec<_>>()).await
    }

    /// The same of every school whose weather a turn moved.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn judge_turn_anew(tx: &Tx, turn: i64) -> Result<(), DbErr> {
        let sql = format!(
            "INSERT INTO readiness_causes (id, organization) \
             SELECT {}, organization FROM weather_states WHERE turn = $1",
            new_id(tx)
        );
        tx.execute_raw(statement(tx, &sql, [turn.into()])).await?;
        Ok(())
    }

    /// The same of every school that is on its way back, after the policy, the calendar or the
    /// checklist changed.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn judge_all_anew(tx: &Tx) -> Result<(), DbErr> {
        let sql = format!(
            "INSERT INTO readiness_causes (id, organization) \
             SELECT {}, organization FROM resumptions WHERE check_at < {}",
            new_id(tx),
            super::NEVER
        );
        tx.execute_raw(statement(tx, &sql, [])).await?;
        Ok(())
    }

    /// The same of these schools, where they are on their way back: there may be many that are not.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn judge_known_anew(tx: &Tx, schools: &[String]) -> Result<(), DbErr> {
        let new = new_id(tx);
        for part in schools.chunks(PART) {
            let sql = format!(
                "INSERT INTO readiness_causes (id, organization) SELECT {new}, organization \
                 FROM resumptions WHERE check_at < {} AND organization IN ({})",
                super::NEVER,
                placeholders(1, part.len())
            );
            let values = part.iter().map(|id| Value::from(id.as_str()));
            tx.execute_raw(statement(tx, &sql, values)).await?;
        }
        Ok(())
    }

    /// Some of what waits: ids and schools.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn readiness_causes(
        db: &impl ConnectionTrait,
        limit: u64,
    ) -> Result<Vec<(Uuid, String)>, DbErr> {
        let sql = format!("SELECT id, organization FROM readiness_causes LIMIT {limit}");
        let rows = db.query_all_raw(statement(db, &sql, [])).await?;
        rows.iter()
            .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
            .collect()
    }

    /// These were looked at.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn judged_anew(tx: &Tx, ids: Vec<Uuid>) -> Result<(), DbErr> {
        let ids = ids.into_iter().map(Into::into).collect();
        execute_in(tx, "DELETE FROM readiness_causes WHERE id", &[], ids).await
    }
}
