//! `rewrap` on a command line: what the former master key wrapped is wrapped by the present one.

use std::time::Duration;

use sea_orm::{DatabaseTransaction, DbErr};

use super::{Vault, data_keys};
use crate::db::{Database, DatabaseConfig};
use crate::migration::{Ending, Limits, MigrateError, alone};

/// How long it may take, with waiting for whoever migrates.
const WITHIN: Duration = Duration::from_secs(60);

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrapped {
    /// Everything is wrapped by the present master key.
    Done {
        /// How many keys the former one had wrapped.
        changed: usize,
        /// How many the present one had wrapped before.
        kept: usize,
    },
    /// Neither master key opens the key of this number, and nothing was changed.
    Shut(u32),
}

/// Wraps every data key by the present master key of `vault`, all of them or none. It waits until
/// nobody migrates the database, and may be repeated.
///
/// # Errors
/// When the database fails, or somebody migrates it for longer than `limits` allow.
pub async fn run(vault: &Vault, db: &Database, limits: Limits) -> Result<Rewrapped, MigrateError> {
    alone(db, "rewrap", limits, async |tx: &DatabaseTransaction| {
        let stored = data_keys::all(tx).await?;
        let mut fresh = Vec::new();
        for key in &stored {
            match vault.wrapping.rewrap(key) {
                Ok(rewrapped) => fresh.extend(rewrapped),
                Err(_) => return Ok(Rewrapped::Shut(key.id)),
            }
        }
        for key in &fresh {
            data_keys::replace(tx, key).await?;
        }
        Ok(Rewrapped::Done {
            changed: fresh.len(),
            kept: stored.len() - fresh.len(),
        })
    })
    .await
}

/// Wraps the data keys of `service` by the present master key of `vault`; `say` hears each line.
pub async fn carry_out(
    service: &str,
    vault: &Vault,
    database: &DatabaseConfig,
    say: &mut (dyn FnMut(&str) + Send),
) -> Ending {
    match attempt(vault, database).await {
        Ok(Rewrapped::Done { changed, kept }) => {
            say(&format!(
                "{service}: {changed} data keys rewrapped, {kept} were wrapped by this master key before"
            ));
            Ending::UpToDate
        }
        Ok(Rewrapped::Shut(id)) => {
            say(&format!(
                "{service}: neither crypto.master_key_file nor crypto.former_master_key_file opens data \
                 key {id}; nothing was changed"
            ));
            Ending::Failed
        }
        Err(err) => {
            say(&format!("{service}: {}", err.told()));
            Ending::from(&err)
        }
    }
}

async fn attempt(vault: &Vault, database: &DatabaseConfig) -> Result<Rewrapped, MigrateError> {
    let connecting = tokio::time::timeout(WITHIN, Database::connect(database));
    let db = match connecting.await {
        Ok(db) => db.map_err(MigrateError::Unavailable)?,
        Err(_) => {
            let text = format!("no answer within {} s", WITHIN.as_secs());
            return Err(MigrateError::Unavailable(DbErr::Custom(text)));
        }
    };
    let limits = Limits {
        within: WITHIN,
        ..Limits::default()
    };
    let done = run(vault, &db, limits).await;
    db.close().await;
    done
}
