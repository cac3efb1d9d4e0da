//! Brings the service up.

use std::sync::Arc;

use kit::clock::Clock;
use kit::db::Database;
use kit::drain::Drain;
use kit::feed::{Feed, spawn_sequencer};
use kit::server::{Running, ServeError, Server};
use kit::vault::UnlockError;
use uuid::Uuid;

use crate::app::App;
use crate::app::announce::FEED;
use crate::app::duties;
use crate::app::seed::{Refused, Shipped, seed};
use crate::store::policies::AuditFloors;
use crate::vault::Vault;
use crate::{Config, Migrator, grpc};

/// The service cannot start or stopped with an error.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be used; the text names the key.
    #[error("configuration: {0}")]
    Config(String),
    /// The database cannot be opened or brought up to date.
    #[error("database.url: the database cannot be used")]
    Database(#[from] sea_orm::DbErr),
    /// The data keys cannot be taken up.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// A policy profile that is shipped or in force breaks a rule; the text names profile and key.
    #[error("{0}")]
    Policy(String),
    /// It cannot listen, or stopped with an error.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

impl From<Refused> for StartError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Database(err) => Self::Database(err),
            Refused::Document(_) | Refused::Policy { .. } => Self::Policy(refused.to_string()),
        }
    }
}

/// Opens the database, unlocks the vault, adds what is shipped, and serves until the drain.
///
/// # Errors
/// When a setting, the database or the address cannot be used, or a policy profile that is shipped
/// or in force loosens a legal floor.
pub async fn start(
    config: Config,
    clock: Arc<dyn Clock>,
    drain: Drain,
) -> Result<Running, StartError> {
    let masters = config.master_keys().map_err(StartError::Config)?;
    let db = Database::connect(&config.database).await?;
    db.migrate::<Migrator>().await?;
    db.observe("roster");
    db.keep_time(clock.clone(), drain.clone()).await?;
    let vault = Vault::unlock(&masters, &db, config.crypto.suite, clock.now()).await?;
    seed(&db, Shipped::ALL, clock.now()).await?;
    spawn_sequencer(db.clone(), drain.clone());

    let server = Server::bind(&config.server, &config.auth, clock.clone(), drain.clone()).await?;
    let server = server.observed("roster", &config.telemetry).await?;
    let server = server.resting_on(&db);
    let server = server.audited(&db, "roster", &config.audit)?;
    let server = server.keeping(AuditFloors);
    let feed = Feed::new(db.clone(), FEED, drain.clone());
    let app = App {
        db,
        clock,
        vault: Arc::new(vault),
        new_id: Uuid::now_v7,
    };
    tokio::spawn(duties::keep_announcing(app.clone(), drain));
    Ok(server.serve(grpc::routes(&app, feed)))
}
