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
use proto::safety::protection_service_server::ProtectionServiceServer;
use proto::safety::shelter_service_server::ShelterServiceServer;
use proto::safety::supply_service_server::SupplyServiceServer;
use sea_orm::DbErr;
use tokio::sync::Notify;

use crate::app::Base;
use crate::app::gate::Gatehouse;
use crate::domain::gate::snapshot::SnapshotKey;
use crate::domain::supply::item::Catalogue;
use crate::feeds::{ClearanceProjection, RosterProjection};
use crate::heard::{Heard, Listening};
use crate::store::Store;
use crate::{Config, Migrator, grpc};

/// A batch of a thousand offline decisions and some air.
const MAX_REQUEST: usize = 1 << 20;
/// The longest declaration or a thousand devices.
const MAX_FORM: usize = 256 << 10;

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
    Catalogue::check().map_err(StartError::Config)?;
    let base = Base {
        store: Store::new(db.clone()),
        clock: clock.clone(),
    };
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
    let protection = ProtectionServiceServer::new(grpc::Protection(base.clone()));
    let supply = SupplyServiceServer::new(grpc::Supply(base.clone()));
    let shelter = ShelterServiceServer::new(grpc::Shelters(base));
    let routes = tonic::service::Routes::new(gate)
        .add_service(protection.max_decoding_message_size(MAX_FORM))
        .add_service(supply.max_decoding_message_size(MAX_FORM))
        .add_service(shelter.max_decoding_message_size(MAX_FORM));
    Ok(server.serve(routes))
}
