//! Swaps: rows in and out.

use kit::db::Tx;
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use crate::domain::duty::{Swap, SwapState};
use crate::store::Store;
use crate::store::records::{self, Record};

row! {
    /// A swap.
    SwapRow in "duty_swaps" by ["id"] {
        /// Sorts by when it was asked for.
        id: Uuid,
        /// The id of the organisation.
        organization: String,
        /// Its place in the tree.
        org_path: String,
        /// The number of the state.
        state: i16,
        /// The swap.
        body: String,
    }
}

records::kept!(SwapRow: Swap);

impl Store {
    /// Keeps a swap as it is now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_swap(tx: &Tx, record: &Record<Swap>) -> Result<(), DbErr> {
        let row = SwapRow {
            id: record.id,
            organization: record.organization.clone(),
            org_path: record.org_path.clone(),
            state: record.value.state as i16,
            body: records::text(&record.value)?,
        };
        SwapRow::save(tx, &[row]).await
    }

    /// A swap of an organisation; `lock` keeps others from changing it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn swap(
        db: &impl ConnectionTrait,
        organization: &str,
        id: Uuid,
        lock: Lock,
    ) -> Result<Option<Record<Swap>>, DbErr> {
        records::one::<SwapRow>(db, organization, id, lock).await
    }

    /// Swaps at and below `place`, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn swaps(
        db: &impl ConnectionTrait,
        place: &str,
        state: Option<SwapState>,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Record<Swap>>, DbErr> {
        let only: Vec<_> = state
            .map(|state| ("state", state as i16))
            .into_iter()
            .collect();
        records::page::<SwapRow>(db, place, &only, (before, limit)).await
    }
}
