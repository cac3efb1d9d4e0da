//! Brings the service up.

use std::sync::Arc;

use kit::approvals::Approvals;
use kit::auth::Credentials;
use kit::channel::Channel;
use kit::clock::Clock;
use kit::db::Database;
use kit::destruction::{Reporter, Runner};
use kit::drain::Drain;
use kit::feed::{Feed, spawn_sequencer};
use kit::server::{Running, ServeError, Server};
use kit::subject::Requests;
use kit::teaching::Teaching;
use kit::upstream::RosterUpstream;

use crate::Migrator;
use crate::app::App;
use crate::app::destruction::{self, Gathered};
use crate::app::retention::Retention;
use crate::config::Config;
use crate::domain::commitment::Signer;
use crate::grpc::{self, Feeds};
use crate::projection::RosterProjection;
use crate::store::policy::{AuditFloors, FactsCache};

/// The service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be used; the text names the key.
    #[error("configuration: {0}")]
    Config(String),
    /// The database cannot be opened or brought up to date.
    #[error("database.url: the database cannot be used")]
    Database(#[from] sea_orm::DbErr),
    /// The roster's address cannot be used.
    #[error("roster: not an address")]
    Roster(#[from] tonic::transport::Error),
    /// It cannot listen, or stopped with an error.
    #[error("cannot serve")]
    Serve(#[from] ServeError),
}

/// Opens the database, follows the roster, and serves until the drain.
///
/// # Errors
/// When a setting, the database or the address cannot be used.
pub async fn start(
    config: Config,
    clock: Arc<dyn Clock>,
    drain: Drain,
) -> Result<Running, StartError> {
    let signer = Arc::new(Signer::new(
        &config.signing_key().map_err(StartError::Config)?,
    ));
    let db = Database::connect(&config.database).await?;
    db.migrate::<Migrator>().await?;
    db.observe("sampling");
    db.keep_time(clock.clone(), drain.clone()).await?;
    spawn_sequencer(db.clone(), drain.clone());

    let server = Server::bind(&config.server, &config.auth, clock.clone(), drain.clone()).await?;
    let server = server.observed("sampling", &config.telemetry).await?;
    let server = server.resting_on(&db);
    let server = server.audited(&db, "sampling", &config.audit)?;
    let server = server.keeping(AuditFloors);
    let credentials = Credentials::new(&config.auth, "sampling", clock.clone());
    let channel = Channel::to(&config.roster, config.auth.client_tls.as_ref())?;
    let server = server.approving(Approvals::new(channel.clone()));
    kit::projection::follow(
        db.clone(),
        RosterUpstream::new(channel.clone(), credentials.clone()),
        Arc::new(RosterProjection::new(clock.clone())),
        Some(server.latch("roster-feed")),
        drain.clone(),
    );

    let runner = Runner {
        db: db.clone(),
        clock: clock.clone(),
        destroyer: Gathered,
        vault: None,
        reporter: Reporter::new(destruction::SERVICE, channel.clone(), credentials.clone()),
    };
    runner.start(drain.clone());

    let requests = Requests::new(channel.clone());
    let app = App {
        db: db.clone(),
        clock,
        signer,
        facts: FactsCache::default(),
        teaching: Teaching::new(channel, credentials),
        entropy: rand::random,
    };
    let scans = crate::app::swabs::spawn(app.clone(), drain.clone());
    let checks = crate::app::health::screening::spawn(app.clone(), drain.clone());
    tokio::spawn(crate::app::health::deadlines::watch(
        app.clone(),
        drain.clone(),
    ));
    tokio::spawn(crate::app::health::figures::tell(
        app.clone(),
        drain.clone(),
    ));
    tokio::spawn(crate::app::late::tell(app.clone(), drain.clone()));
    Retention::start(app.clone(), drain.clone());
    let feeds = Feeds {
        clearance: Feed::new(db.clone(), "clearance", drain.clone()),
        sampling: Feed::new(db, "sampling", drain),
    };
    let routes = grpc::routes(&app, feeds, (scans, checks), requests);
    Ok(server.serve(routes))
}
