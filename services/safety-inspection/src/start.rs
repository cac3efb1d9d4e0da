//! Puts the service together.

use std::sync::Arc;

use kit::auth::Credentials;
use kit::clock::Clock;
use kit::db::Database;
use kit::drain::Drain;
use kit::projection::follow;
use kit::server::{Running, ServeError, Server};
use kit::upstream::{ClearanceUpstream, RosterUpstream};
use proto::safety::gate_service_server::GateServiceServer;
use proto::safety::incident_service_server::IncidentServiceServer;
use sea_orm::DbErr;
use tokio::sync::Notify;

use crate::app::Base;
use crate::app::gate::Gatehouse;
use crate::app::incidents::Incidents;
use crate::domain::gate::snapshot::SnapshotKey;
use crate::domain::incident::harm::Tables;
use crate::feeds::{ClearanceProjection, RosterProjection};
use crate::heard::{Heard, Listening};
use crate::store::Store;
use crate::{Config, Migrator, grpc};

/// A batch of a thousand offline decisions and some air.
const MAX_REQUEST: usize = 1 << 20;

/// A review of twenty causes with its words.
const MAX_INCIDENT: usize = 1 << 17;

/// The service cannot start or stopped with an error.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be used. The text names the key.
    #[error("{0}")]
    Config(String),
    /// The database cannot be used.
    #[error("database.url: the database cannot be used")]
    Database(#[from] DbErr),
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
    let server = Server::bind(&config.server, &config.auth, clock.clone(), drain.clone()).await?;
    let changed = Arc::new(Notify::new());
    let (roster_heard, clearance_heard) = (Heard::default(), Heard::default());
    let heard = [
        ("roster", roster_heard.clone()),
        ("clearance", clearance_heard.clone()),
    ];
    let snapshot_key = SnapshotKey::new(&config.signing_key().map_err(StartError::Config)?);
    let gatehouse = Gatehouse::open(
        db.clone(),
        clock.clone(),
        (&config.gate, snapshot_key),
        heard,
        changed.clone(),
        drain.clone(),
    )
    .await?;

    let base = Base {
        store: Store::new(db.clone()),
        clock: clock.clone(),
    };
    let levels = Tables::shipped()
        .map_err(|err| StartError::Config(format!("data/incident_levels.toml: {err}")))?;
    let incidents = Incidents::new(base, levels);

    let credentials = Credentials::new(&config.auth, "safety-inspection", clock.clone());
    let channel = kit::channel::connect_lazy(&config.roster)?;
    let upstream = RosterUpstream::new(channel, credentials.clone());
    let roster = Listening::new(upstream, roster_heard, clock.clone());
    let channel = kit::channel::connect_lazy(&config.sampling)?;
    let upstream = ClearanceUpstream::new(channel, credentials);
    let clearance = Listening::new(upstream, clearance_heard, clock);
    let projection = Arc::new(RosterProjection::new(changed.clone()));
    follow(
        db.clone(),
        roster,
        projection,
        Some(server.latch("roster-feed")),
        drain.clone(),
    );
    let projection = Arc::new(ClearanceProjection::new(changed));
    follow(
        db,
        clearance,
        projection,
        Some(server.latch("clearance-feed")),
        drain,
    );

    let gate =
        GateServiceServer::new(grpc::Gate::new(gatehouse)).max_decoding_message_size(MAX_REQUEST);
    let incidents = IncidentServiceServer::new(grpc::Incident::new(incidents))
        .max_decoding_message_size(MAX_INCIDENT);
    Ok(server.serve(tonic::service::Routes::new(gate).add_service(incidents)))
}
