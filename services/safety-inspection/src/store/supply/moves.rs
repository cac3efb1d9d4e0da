//! What became of transfers, shelters and isolation rooms: only ever added to.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::{Store, unreadable};

row! {
    /// A change of a state.
    MoveRow in "supply_moves" by ["subject", "sequence"] {
        /// Whose.
        subject: Uuid,
        /// From 1 for each of them.
        sequence: i64,
        /// The number of the state before; 0 at the beginning.
        former_state: i16,
        /// The number of the state after.
        state: i16,
        /// The number of the reason; 0 for none.
        cause: i16,
        /// Who did it.
        actor: String,
        /// Milliseconds since 1970.
        moved_at: i64,
    }
}

/// How many changes of one are told at most.
const TOLD: usize = 100;

/// A change of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The number of the state before; 0 at the beginning.
    pub former: i16,
    /// The number of the state after.
    pub state: i16,
    /// The number of the reason; 0 for none.
    pub cause: i16,
    /// Who did it.
    pub actor: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Store {
    /// Adds a change to the history of `subject`, whose row was locked before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_supply_move(tx: &Tx, subject: Uuid, moved: &Moved) -> Result<(), DbErr> {
        let sql = "SELECT COALESCE(MAX(sequence), 0) FROM supply_moves WHERE subject = $1";
        let row = tx
            .query_one_raw(statement(tx, sql, [subject.into()]))
            .await?;
        let last: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        let row = MoveRow {
            subject,
            sequence: last + 1,
            former_state: moved.former,
            state: moved.state,
            cause: moved.cause,
            actor: moved.actor.clone(),
            moved_at: moved.at.timestamp_millis(),
        };
        MoveRow::add(tx, &[row]).await
    }

    /// The last hundred changes of `subject`, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn supply_moves(
        db: &impl ConnectionTrait,
        subject: Uuid,
    ) -> Result<Vec<Moved>, DbErr> {
        let sql = format!(
            "SELECT {} FROM supply_moves WHERE subject = $1 ORDER BY sequence DESC LIMIT {TOLD}",
            MoveRow::COLUMNS.join(", ")
        );
        let values: [Value; 1] = [subject.into()];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        let moves = rows.iter().rev().map(|row| {
            let row = MoveRow::read(row)?;
            Ok(Moved {
                former: row.former_state,
                state: row.state,
                cause: row.cause,
                actor: row.actor,
                at: DateTime::from_timestamp_millis(row.moved_at)
                    .ok_or_else(|| unreadable("instant"))?,
            })
        });
        moves.collect()
    }
}
