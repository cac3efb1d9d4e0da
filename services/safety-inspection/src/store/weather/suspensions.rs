//! Decisions to suspend.

use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::Turn;
use super::query::Where;
use crate::domain::weather::suspension::{Cover, SuspensionState};
use crate::grpc::announced;
use crate::store::{Store, unreadable};

row! {
    /// A decision to suspend.
    SuspensionRow in "weather_suspensions" by ["id"] {
        /// Its id.
        id: Uuid,
        /// The id of the organisation that decided.
        organization: String,
        /// Its place.
        org_path: String,
        /// The number of its authority.
        authority: i16,
        /// The number of the state.
        state: i16,
        /// The parts of division codes that are not zero, joined by commas; empty for all.
        divisions: String,
        /// The numbers of who or what stops, joined by commas.
        covers: String,
        /// The number of how pupils are taught.
        teaching: i16,
        /// The beginning of the first day.
        starts_at: i64,
        /// The end of the last day.
        ends_at: i64,
        /// When it begins or ends by itself next.
        acts_at: i64,
        /// Why.
        reason: String,
        /// When guardians were told; 0 when it is not said.
        told_at: i64,
        /// Who decided.
        decider: String,
        /// When.
        decided_at: i64,
        /// The response level that it came with; nil when it was decided by itself.
        response: Uuid,
        /// When it was lifted; 0 before.
        ended_at: i64,
        /// How many entries its history has.
        changes: i32,
    }
}

impl SuspensionRow {
    /// The resource.
    pub fn name(&self) -> String {
        let id = self.id.hyphenated();
        format!(
            "organizations/{}/weatherSuspensions/{id}",
            self.organization
        )
    }

    /// The state.
    ///
    /// # Errors
    /// When the number is of no state.
    pub fn state(&self) -> Result<SuspensionState, DbErr> {
        SuspensionState::from_number(self.state.into()).ok_or_else(|| unreadable("state"))
    }

    /// Who or what stops.
    pub fn covers(&self) -> Vec<Cover> {
        let numbers = self.covers.split(',').filter_map(|text| text.parse().ok());
        numbers.filter_map(Cover::from_number).collect()
    }
}

/// Who or what stops, as it is stored.
pub fn covers_text(covers: &[Cover]) -> String {
    let numbers = covers.iter().map(|cover| (*cover as i32).to_string());
    numbers.collect::<Vec<_>>().join(",")
}

/// Which suspensions are listed.
#[derive(Clone, Debug, Default)]
pub struct Suspensions {
    /// Decided at or below this place.
    pub place: String,
    /// In this state.
    pub state: Option<SuspensionState>,
}

impl Store {
    /// Saves a suspension that was in the state `from` before (0 for a new one), with an entry in its
    /// history.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_weather_suspension(
        tx: &Tx,
        row: &mut SuspensionRow,
        from: i16,
        turn: &Turn,
    ) -> Result<(), DbErr> {
        row.changes += 1;
        let (name, moved) = (row.name(), (from, row.state));
        Self::weather_changed(tx, (&name, row.changes), moved, 0, turn).await?;
        SuspensionRow::save(tx, std::slice::from_ref(row)).await?;
        Self::tell(tx, vec![announced::suspension(row)]).await
    }

    /// A suspension.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_suspension(
        db: &impl ConnectionTrait,
        id: Uuid,
        lock: Lock,
    ) -> Result<Option<SuspensionRow>, DbErr> {
        Ok(SuspensionRow::find(db, "id", vec![id.into()], lock)
            .await?
            .pop())
    }

    /// The suspension that came with a response level and stands, the latest.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_suspension_of(
        tx: &Tx,
        response: Uuid,
    ) -> Result<Option<SuspensionRow>, DbErr> {
        let lifted = SuspensionState::Lifted as i32;
        let mut wheres = Where::default();
        let response = wheres.value(response);
        wheres.and(format!("response = {response} AND state <> {lifted}"));
        let found = suspensions(tx, wheres, "ORDER BY id DESC LIMIT 1").await?;
        Ok(found.into_iter().next())
    }

    /// The latest suspensions that came with response levels, with the ids of these.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_suspensions_of(
        db: &impl ConnectionTrait,
        responses: &[Uuid],
    ) -> Result<Vec<SuspensionRow>, DbErr> {
        let keys = responses.iter().map(|id| (*id).into()).collect();
        SuspensionRow::find(db, "response", keys, Lock::No).await
    }

    /// Suspensions, the latest first, before the suspension `before`, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_suspensions(
        db: &impl ConnectionTrait,
        wanted: &Suspensions,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<SuspensionRow>, DbErr> {
        let mut wheres = Where::default();
        wheres.below("org_path", &wanted.place);
        if let Some(state) = wanted.state {
            wheres.and(format!("state = {}", state as i32));
        }
        if let Some(before) = before {
            let before = wheres.value(before);
            wheres.and(format!("id < {before}"));
        }
        suspensions(db, wheres, &format!("ORDER BY id DESC LIMIT {limit}")).await
    }

    /// The suspensions in force, in the order of their making.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_suspensions_in_force(tx: &Tx) -> Result<Vec<SuspensionRow>, DbErr> {
        let mut wheres = Where::default();
        wheres.and(format!("state = {}", SuspensionState::InForce as i32));
        suspensions(tx, wheres, "ORDER BY id").await
    }

    /// Suspensions that begin or end by themselves at `now` or before, the first first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_suspensions_due(
        db: &impl ConnectionTrait,
        now: i64,
        limit: u64,
    ) -> Result<Vec<SuspensionRow>, DbErr> {
        let mut wheres = Where::default();
        let now = wheres.value(now);
        wheres.and(format!("acts_at <= {now}"));
        suspensions(db, wheres, &format!("ORDER BY acts_at, id LIMIT {limit}")).await
    }
}

async fn suspensions(
    db: &impl ConnectionTrait,
    wheres: Where,
    rest: &str,
) -> Result<Vec<SuspensionRow>, DbErr> {
    let sql = format!(
        "SELECT {} FROM weather_suspensions WHERE {} {rest}",
        SuspensionRow::COLUMNS.join(", "),
        wheres.sql(),
    );
    let rows = db.query_all_raw(statement(db, &sql, wheres.values)).await?;
    rows.iter().map(SuspensionRow::read).collect()
}
