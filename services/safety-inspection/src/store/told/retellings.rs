//! What must be told anew, because something that it follows from changed: rows that are only added in
//! the transaction of the change, so that nobody waits, and taken by one replica soon after.

use kit::bulk::placeholders;
use kit::db::{Backend, Tx, statement};
use kit::rows::{Row, execute_in, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::STANDINGS;
use crate::domain::organization::Kind;
use crate::store::{Store, below_end};

row! {
    /// An entity that must be told anew.
    RetellingRow in "retellings" by ["id"] {
        /// The id.
        id: Uuid,
        /// The resource name.
        entity: String,
        /// Not before, in milliseconds since 1970.
        due_at: i64,
    }
}

/// How many organisations one statement names.
const PART: usize = 1000;

/// A new id in SQL.
pub(crate) fn new_id(tx: &Tx) -> &'static str {
    match tx.backend() {
        Backend::Postgres => "gen_random_uuid()",
        Backend::Sqlite => "randomblob(16)",
    }
}

impl RetellingRow {
    /// Of an entity that must be told anew at once.
    pub(crate) fn now(entity: String) -> Self {
        Self {
            id: Uuid::new_v4(),
            entity,
            due_at: 0,
        }
    }
}

impl Store {
    /// What there is of an organisation once must be told anew.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn retell(
        tx: &Tx,
        organization: &str,
        standing: &'static str,
    ) -> Result<(), DbErr> {
        let row = RetellingRow::now(format!("organizations/{organization}/{standing}"));
        RetellingRow::add(tx, &[row]).await
    }

    /// The same of every campus at and below a place; empty for all.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn retell_below(
        tx: &Tx,
        place: &str,
        standing: &'static str,
    ) -> Result<(), DbErr> {
        let campuses = Kind::ALL.into_iter().filter(|kind| kind.has_campus());
        let campuses: Vec<String> = campuses.map(|kind| (kind as i16).to_string()).collect();
        let sql = format!(
            "INSERT INTO retellings (id, entity, due_at) \
             SELECT {}, 'organizations/' || id || '/{standing}', 0 FROM organizations \
             WHERE kind IN ({}) \
             AND (org_path = $1 OR (org_path > $2 AND org_path < $3) OR $1 = '')",
            new_id(tx),
            campuses.join(", "),
        );
        let values: [Value; 3] = [
            place.into(),
            format!("{place}/").into(),
            below_end(place).into(),
        ];
        tx.execute_raw(statement(tx, &sql, values)).await?;
        Ok(())
    }

    /// The weather of every organisation that a turn moved must be told anew.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn retell_turn(tx: &Tx, turn: i64) -> Result<(), DbErr> {
        let sql = format!(
            "INSERT INTO retellings (id, entity, due_at) \
             SELECT {}, 'organizations/' || organization || '/weatherState', 0 \
             FROM weather_states WHERE turn = $1",
            new_id(tx)
        );
        tx.execute_raw(statement(tx, &sql, [turn.into()])).await?;
        Self::judge_turn_anew(tx, turn).await
    }

    /// After the register told of people: what was told of how their organisations stand must be told
    /// anew.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn retell_known(tx: &Tx, ids: &[String]) -> Result<(), DbErr> {
        let new = new_id(tx);
        for part in ids.chunks(PART) {
            let among = placeholders(1, part.len());
            let sql = format!(
                "INSERT INTO retellings (id, entity, due_at) SELECT {new}, entity, 0 FROM told \
                 WHERE organization IN ({among}) AND collection IN ({STANDINGS})"
            );
            let values = part.iter().map(|id| Value::from(id.as_str()));
            tx.execute_raw(statement(tx, &sql, values)).await?;
        }
        Ok(())
    }

    /// After the register told of organisations: the same, and what is owed of each of them.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn retell_organizations(tx: &Tx, ids: &[String]) -> Result<(), DbErr> {
        Self::retell_known(tx, ids).await?;
        let new = new_id(tx);
        for part in ids.chunks(PART) {
            let among = placeholders(1, part.len());
            let values = || part.iter().map(|id| Value::from(id.as_str()));
            for standing in ["drillStanding", "inspectionStanding"] {
                let sql = format!(
                    "INSERT INTO retellings (id, entity, due_at) \
                     SELECT {new}, 'organizations/' || id || '/{standing}', 0 \
                     FROM organizations o WHERE id IN ({among}) AND NOT EXISTS \
                     (SELECT 1 FROM told t WHERE t.organization = o.id \
                     AND t.collection = '{standing}')"
                );
                tx.execute_raw(statement(tx, &sql, values())).await?;
            }
        }
        Ok(())
    }

    /// After policies or the calendar changed: whatever follows from them must be told anew.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn retell_all(tx: &Tx) -> Result<(), DbErr> {
        let sql = format!(
            "INSERT INTO retellings (id, entity, due_at) SELECT {}, entity, 0 FROM told \
             WHERE collection IN ({STANDINGS})",
            new_id(tx)
        );
        tx.execute_raw(statement(tx, &sql, [])).await?;
        Ok(())
    }

    /// What must be told anew at `now`, the longest waiting first: ids and entities.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn retellings(
        db: &impl ConnectionTrait,
        now: i64,
        limit: u32,
    ) -> Result<Vec<(Uuid, String)>, DbErr> {
        let sql = format!(
            "SELECT id, entity FROM retellings WHERE due_at <= $1 ORDER BY due_at, id LIMIT {limit}"
        );
        let rows = db.query_all_raw(statement(db, &sql, [now.into()])).await?;
        rows.iter()
            .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
            .collect()
    }

    /// These were told anew.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn retold(tx: &Tx, ids: Vec<Uuid>) -> Result<(), DbErr> {
        let ids = ids.into_iter().map(Into::into).collect();
        execute_in(tx, "DELETE FROM retellings WHERE id", &[], ids).await
    }

    /// These are tried again at `at`.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn delay_retellings(tx: &Tx, ids: Vec<Uuid>, at: i64) -> Result<(), DbErr> {
        let ids = ids.into_iter().map(Into::into).collect();
        let sql = "UPDATE retellings SET due_at = $1 WHERE id";
        execute_in(tx, sql, &[at.into()], ids).await
    }
}
