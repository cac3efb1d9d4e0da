//! Taking stored data keys up when a service starts.

use chrono::{DateTime, Utc};
use sea_orm::DbErr;

use super::wrapping::By;
use super::{ROOT, Suite, Vault, WrappedKey, data_keys};
use crate::db::Database;

/// The data keys cannot be taken up. The text names the setting.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// The database cannot be used.
    #[error("database.url: the database cannot be used")]
    Database(#[from] DbErr),
    /// Neither the master key nor the former one opens a key.
    #[error(
        "crypto.master_key_file: another master key wrapped data key {0}, and \
         crypto.former_master_key_file does not open it either"
    )]
    Shut(u32),
    /// There are data keys, and not the root: a fresh one would find nothing of what is stored.
    #[error("database.url: data_keys lacks its row 0, by which people are looked up")]
    Rootless,
}

impl Vault {
    /// Takes every stored data key up, and makes the root where none is stored yet, and a data key
    /// where there is none for `suite` to write with. Replicas that start together agree on one.
    ///
    /// # Errors
    /// When the database fails, or another master key wrapped a key.
    pub async fn unlock(
        &mut self,
        db: &Database,
        suite: Suite,
        now: DateTime<Utc>,
    ) -> Result<(), UnlockError> {
        let stored = data_keys::all(db.read()).await?;
        self.take_all(&stored)?;
        let mut missing = Vec::new();
        if stored.is_empty() {
            missing.push(self.make_key(ROOT, suite));
        } else if self.root.is_none() {
            return Err(UnlockError::Rootless);
        }
        let last = stored.last().filter(|key| key.id != ROOT);
        if last.is_none_or(|key| key.suite != suite) {
            let id = last.map_or(ROOT, |key| key.id) + 1;
            missing.push(self.make_key(id, suite));
        }
        if !missing.is_empty() {
            data_keys::add(db, &missing, now).await?;
            self.take_all(&data_keys::all(db.read()).await?)?;
        }
        Ok(())
    }

    fn take_all(&mut self, keys: &[WrappedKey]) -> Result<(), UnlockError> {
        let mut former = 0_usize;
        for key in keys {
            match self.take(key) {
                Ok(By::Present) => {}
                Ok(By::Former) => former += 1,
                Err(_) => return Err(UnlockError::Shut(key.id)),
            }
        }
        if former > 0 {
            tracing::warn!(
                keys = former,
                "the former master key wraps data keys: `rewrap` ends that"
            );
        }
        Ok(())
    }
}
