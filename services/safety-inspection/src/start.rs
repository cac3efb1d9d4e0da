//! Puts the service together.

use std::sync::Arc;

use kit::approvals::Approvals;
use kit::auth::Credentials;
use kit::channel::Channel;
use kit::clock::Clock;
use kit::db::Database;
use kit::destruction::{Reporter, Runner};
use kit::drain::Drain;
use kit::projection::follow;
use kit::server::{Running, ServeError, Server};
use kit::subject::Requests;
use kit::teaching::Teaching;
use kit::upstream::{ClearanceUpstream, RosterUpstream};
use kit::vault::{EmergencyVault, UnlockError, Vault};
use proto::safety::gate_service_server::GateServiceServer;
use sea_orm::DbErr;
use tokio::sync::Notify;

use crate::app::Base;
use crate::app::destruction::{self, Gathered};
use crate::app::duty::Templates;
use crate::app::gate::Gatehouse;
use crate::app::visitors::Visitors;
use crate::domain::gate::snapshot::SnapshotKey;
use crate::domain::visitor::pass::PassKeys;
use crate::feeds::{ClearanceProjection, RosterProjection};
use crate::heard::{Heard, Listening};
use crate::providers::{HealthCodes, Identities, TravelCards};
use crate::seal::{SERVICE, Seal};
use crate::store::Store;
use crate::store::register::AuditFloors;
use crate::{Config, Migrator, grpc, wings};

/// The service cannot start or stopped with an error.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be used. The text names the key.
    #[error("{0}")]
    Config(String),
    /// The database cannot be used.
    #[error("database.url: the database cannot be used")]
    Database(#[from] DbErr),
    /// The data keys cannot be taken up.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// The server failed.
    #[error(transparent)]
    Server(#[from] ServeError),
    /// A neighbour's address is malformed.
    #[error("a neighbour's address cannot be used")]
    Address(#[from] tonic::transport::Error),
}

/// Opens the database, brings it up to date, follows the neighbours and answers calls.
///
/// # Errors
/// When the database cannot be used, the address cannot be listened at, or a setting is malformed.
pub async fn start(
    config: Config,
    clock: Arc<dyn Clock>,
    drain: Drain,
) -> Result<Running, StartError> {
    let db = Database::connect(&config.database).await?;
    db.migrate::<Migrator>().await?;
    db.observe("safety-inspection");
    db.keep_time(clock.clone(), drain.clone()).await?;
    let masters = config.master_keys().map_err(StartError::Config)?;
    let mut vault = Vault::new(&masters, SERVICE);
    vault.unlock(&db, config.crypto.suite, clock.now()).await?;
    let folder = config.emergencies.secret_folder.as_deref();
    let suite = config.crypto.suite;
    let vault = EmergencyVault::new(Arc::new(vault), suite, folder);
    vault.refresh(&db).await?;
    vault.keep_fresh(db.clone(), drain.clone());
    let seal = Seal::new(vault.clone());
    let server = Server::bind(&config.server, &config.auth, clock.clone(), drain.clone()).await?;
    let server = server
        .observed("safety-inspection", &config.telemetry)
        .await?;
    let server = server.resting_on(&db);
    let server = server.audited(&db, "safety-inspection", &config.audit)?;
    let server = server.keeping(AuditFloors);
    let changed = Arc::new(Notify::new());
    let (roster_heard, clearance_heard) = (Heard::default(), Heard::default());
    let heard = [
        ("roster", roster_heard.clone()),
        ("clearance", clearance_heard.clone()),
    ];
    let health_codes = HealthCodes::new(
        &config.providers,
        &config.reference_key().map_err(StartError::Config)?,
        clock.clone(),
    )?;
    let travel_cards = TravelCards::new(&config.providers, clock.clone())?;
    let snapshot_key = SnapshotKey::new(&config.signing_key().map_err(StartError::Config)?);
    let gatehouse = Gatehouse::open(
        db.clone(),
        clock.clone(),
        (&config.gate, snapshot_key),
        (health_codes, travel_cards),
        heard,
        changed.clone(),
        drain.clone(),
    )
    .await?;

    let base = Base {
        store: Store::new(db.clone()),
        clock: clock.clone(),
        people: gatehouse.people(),
    };
    let passes = PassKeys::new(&kit::secret::load(&db, "visit-pass").await?);
    let identities = Identities::new(&config.providers, clock.clone())?;
    let gathered = Gathered::new(seal.clone());
    let visitors = Visitors::new(base.clone(), gatehouse.clone(), seal, passes, identities);
    let credentials = Credentials::new(&config.auth, "safety-inspection", clock.clone());
    let channel = Channel::to(&config.roster, config.auth.client_tls.as_ref())?;
    let server = server.approving(Approvals::new(channel.clone()));
    let requests = Requests::new(channel.clone());
    let teaching = Teaching::new(channel.clone(), credentials.clone());
    let runner = Runner {
        db: db.clone(),
        clock: clock.clone(),
        destroyer: gathered,
        vault: Some(vault),
        reporter: Reporter::new(destruction::SERVICE, channel.clone(), credentials.clone()),
    };
    runner.start(drain.clone());
    let upstream = RosterUpstream::new(channel, credentials.clone());
    let roster = Listening::new(upstream, roster_heard, clock.clone());
    let channel = Channel::to(&config.sampling, config.auth.client_tls.as_ref())?;
    let upstream = ClearanceUpstream::new(channel, credentials);
    let clearance = Listening::new(upstream, clearance_heard, clock.clone());
    let projection = Arc::new(RosterProjection::new(changed.clone()));
    follow(
        db.clone(),
        roster,
        projection,
        Some(server.latch("roster-feed")),
        drain.clone(),
    );
    let projection = Arc::new(ClearanceProjection::new(changed, clock.clone()));
    follow(
        db.clone(),
        clearance,
        projection,
        Some(server.latch("clearance-feed")),
        drain.clone(),
    );

    let gate = GateServiceServer::new(grpc::Gate::new(gatehouse, visitors.clone()));
    let mut routes = tonic::service::Routes::new(gate);
    routes = wings::visitors(routes, visitors, &drain);
    routes = wings::hazards(routes, &base, &drain)?;
    routes = wings::inspections(routes, &base).await?;
    routes = wings::protection(routes, &base)?;
    routes = wings::drills(routes, &base);
    let templates = Templates::shipped().map_err(StartError::Config)?;
    routes = wings::duty(routes, &base, templates.clone(), &drain);
    routes = wings::incidents(routes, &base)?;
    routes = wings::weather(routes, &base, teaching.clone(), &drain)?;
    routes = wings::resumption(routes, &base, teaching, &drain);
    routes = wings::held(routes, &base, requests);
    routes = wings::feed(routes, &base, templates, server.latch("feed"), &drain);
    Ok(server.serve(routes))
}
