//! The weather: rows in and out. What concerns many organisations is done by few statements, in
//! turns.

pub mod alarms;
pub mod changes;
pub mod checks;
pub mod documents;
pub mod groups;
mod levels;
mod machine;
mod query;
pub mod states;
pub mod suspending;
pub mod suspensions;
mod tasking;
pub mod tasks;
pub mod teaching;

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr};

use super::{Store, below_end, unreadable};

pub use levels::PlanRow;

/// The time of what never comes.
pub const NEVER: i64 = i64::MAX;

/// One change of many organisations.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Its number.
    pub number: i64,
    /// When, in milliseconds since 1970.
    pub now: i64,
    /// Who: the subject of a token, or `service`.
    pub actor: String,
    /// The resource that leads to it.
    pub cause: String,
}

impl Turn {
    /// A change of one organisation by somebody, which takes no turn.
    pub fn of_one(actor: &str, now: i64) -> Self {
        Self {
            number: 0,
            now,
            actor: actor.to_owned(),
            cause: String::new(),
        }
    }
}

impl Store {
    /// Keeps others who change many organisations back until the end of the transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_turn(
        tx: &Tx,
        now: i64,
        actor: &str,
        cause: String,
    ) -> Result<Turn, DbErr> {
        let sql = "UPDATE weather_turns SET turn = turn + 1 WHERE id = 1 RETURNING turn";
        let row = tx.query_one_raw(statement(tx, sql, [])).await?;
        let row = row.ok_or_else(|| unreadable("turn"))?;
        Ok(Turn {
            number: row.try_get_by_index(0)?,
            now,
            actor: actor.to_owned(),
            cause,
        })
    }

    /// Whether at `now` a warning is over, a suspension begins or ends, the register is to be told, or
    /// somebody is to be warned who was not there before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_is_due(db: &impl ConnectionTrait, now: i64) -> Result<bool, DbErr> {
        let sql = format!(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM weather_teaching WHERE due_at <= $1) \
             OR EXISTS (SELECT 1 FROM weather_suspensions WHERE acts_at <= $1) \
             OR EXISTS (SELECT 1 FROM weather_alarms WHERE state = 1 AND expires_at <= $1) \
             OR {}",
            levels::newcomers()
        );
        let found = db.query_one_raw(statement(db, &sql, [now.into()])).await?;
        Ok(found.is_some())
    }
}
