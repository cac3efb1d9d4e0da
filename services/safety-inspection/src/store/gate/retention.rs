//! Decisions are destroyed when their time is over (rule 6.13).

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use crate::store::Store;

/// The oldest decision of a school.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oldest {
    /// The id of the school.
    pub school: String,
    /// Its place in the tree.
    pub org_path: String,
    /// The id of the decision, which grows with time.
    pub id: Uuid,
}

/// The least id of a decision at or after an instant.
pub fn first_id_at(instant: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(instant.timestamp_millis()).unwrap_or_default();
    // The fields of a version 7 UUID that come after the time, all at their least.
    Uuid::from_u128(u128::from(millis) << 80)
}

impl Store {
    /// The oldest decision of the first school after `school` that has any: one look into the index,
    /// however many decisions there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn oldest_decision_after(
        db: &impl ConnectionTrait,
        school: &str,
    ) -> Result<Option<Oldest>, DbErr> {
        let sql = "SELECT school, org_path, id FROM gate_decisions WHERE school > $1 \
                   ORDER BY school, id LIMIT 1";
        let row = db
            .query_one_raw(statement(db, sql, [school.into()]))
            .await?;
        row.map(|row| {
            Ok(Oldest {
                school: row.try_get_by_index(0)?,
                org_path: row.try_get_by_index(1)?,
                id: row.try_get_by_index(2)?,
            })
        })
        .transpose()
    }

    /// Destroys a school's decisions before `end` with their overrides, the oldest first, at most
    /// `limit`; how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_decisions(
        tx: &Tx,
        school: &str,
        end: Uuid,
        limit: u64,
    ) -> Result<u64, DbErr> {
        let mut gone = 0;
        // Overrides first: what stands alone afterwards is never an override.
        for table in ["gate_overrides", "gate_decisions"] {
            let sql = format!(
                "DELETE FROM {table} WHERE school = $1 AND id IN (SELECT id FROM gate_decisions \
                 WHERE school = $1 AND id < $2 ORDER BY id LIMIT $3)"
            );
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let values = [school.into(), end.into(), limit.into()];
            gone = tx
                .execute_raw(statement(tx, &sql, values))
                .await?
                .rows_affected();
        }
        Ok(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_before_an_instant_are_below_its_first_id() {
        let instant: DateTime<Utc> = "2022-04-06T00:00:00Z".parse().unwrap();
        let of = |seconds: i64| {
            let seconds = u64::try_from(instant.timestamp() + seconds).unwrap();
            Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, 0))
        };
        assert!(of(-1) < first_id_at(instant) && first_id_at(instant) <= of(0));
    }
}
