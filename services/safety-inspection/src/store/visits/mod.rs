//! Visits, their history, and who saw whom in full.

mod lists;
mod rows;
mod sealed;

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

pub use lists::VisitFilter;
pub use rows::{VisitEventRow, VisitRow};
pub use sealed::{card_bytes, card_of, checked_bytes, checked_of};

use crate::domain::visitor::state::{State, Verb};
use crate::domain::visitor::visit::Visit;
use crate::grpc::announced;
use crate::store::Store;
use rows::VisitorDisclosureRow;

/// A visit with what is sealed of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptVisit {
    /// The visit.
    pub visit: Visit,
    /// Who comes, sealed.
    pub card: Vec<u8>,
    /// The last check, sealed; empty before the first one.
    pub checked: Vec<u8>,
}

/// One move of a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitEvent {
    /// What was done.
    pub verb: Verb,
    /// The state before; none for the first one.
    pub from: Option<State>,
    /// The state after.
    pub to: State,
    /// The subject of the token, or `system`.
    pub actor: String,
    /// The reason given.
    pub note: String,
    /// When.
    pub time: DateTime<Utc>,
}

/// How many moves of one visit are read: a visit has a dozen, and some more when it is checked again
/// and again.
const MOST_EVENTS: u64 = 200;

impl Store {
    /// Keeps a visit as it is now, with the move that brought it there. The only place that does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_visit(tx: &Tx, kept: &KeptVisit, event: &VisitEvent) -> Result<(), DbErr> {
        VisitRow::save(tx, &[VisitRow::of(kept)]).await?;
        Self::tell(tx, vec![announced::visit(&kept.visit)]).await?;
        let sql = "SELECT COALESCE(MAX(number), 0) FROM visit_events WHERE visit = $1";
        let last = tx
            .query_one_raw(statement(tx, sql, [kept.visit.id.into()]))
            .await?;
        let last: i32 = last.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        VisitEventRow::add(tx, &[VisitEventRow::of(kept.visit.id, last + 1, event)]).await
    }

    /// One visit.
    ///
    /// # Errors
    /// When the database fails or the row cannot be read.
    pub async fn visit(
        db: &impl ConnectionTrait,
        id: Uuid,
        lock: Lock,
    ) -> Result<Option<KeptVisit>, DbErr> {
        let mut rows = VisitRow::find(db, "id", vec![id.into()], lock).await?;
        rows.pop().map(VisitRow::kept).transpose()
    }

    /// What happened to a visit, oldest first.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn visit_events(
        db: &impl ConnectionTrait,
        id: Uuid,
    ) -> Result<Vec<VisitEvent>, DbErr> {
        let rows = VisitEventRow::page(db, "visit = $1", vec![id.into()], MOST_EVENTS).await?;
        rows.into_iter().map(VisitEventRow::event).collect()
    }

    /// Visits that the clock moves on at `now`, the longest waiting first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn visits_due(
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
        limit: u64,
    ) -> Result<Vec<Uuid>, DbErr> {
        let sql = "SELECT id FROM visits WHERE due_at <= $1 ORDER BY due_at LIMIT $2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values = [now.timestamp_millis().into(), limit.into()];
        let rows = db.query_all_raw(statement(db, sql, values)).await?;
        rows.iter().map(|row| row.try_get_by_index(0)).collect()
    }

    /// Destroys a visit and its history (rule 6.13).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_visit(tx: &Tx, id: Uuid) -> Result<(), DbErr> {
        if let Some(kept) = Self::visit(tx, id, Lock::Yes).await? {
            Self::forget_told(tx, &announced::visit(&kept.visit).entity).await?;
        }
        for sql in [
            "DELETE FROM visit_events WHERE visit = $1",
            "DELETE FROM visit_red_codes WHERE visit = $1",
            "DELETE FROM visits WHERE id = $1",
        ] {
            tx.execute_raw(statement(tx, sql, [id.into()])).await?;
        }
        Ok(())
    }

    /// Keeps who saw a visitor in full, and why.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn disclose_visitor(
        tx: &Tx,
        id: Uuid,
        visit: &Visit,
        (principal, reason): (&str, &str),
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let row = VisitorDisclosureRow {
            id,
            visit: visit.id,
            org_path: visit.org_path.clone(),
            principal: principal.to_owned(),
            reason: reason.to_owned(),
            at: now.timestamp_millis(),
        };
        VisitorDisclosureRow::add(tx, &[row]).await
    }

    /// How often a visitor was seen in full.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn disclosures_of_visitor(
        db: &impl ConnectionTrait,
        visit: Uuid,
    ) -> Result<Vec<(String, String)>, DbErr> {
        let rows = VisitorDisclosureRow::find(db, "visit", vec![visit.into()], Lock::No).await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.principal, row.reason))
            .collect())
    }
}
