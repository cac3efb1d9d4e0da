//! Puts the service together.

use std::sync::Arc;

use kit::auth::Credentials;
use kit::clock::Clock;
use kit::db::Database;
use kit::drain::Drain;
use kit::projection::follow;
use kit::server::{Running, ServeError, Server};
use kit::upstream::{RosterUpstream, SamplingUpstream};
use proto::notification::alert_service_server::AlertServiceServer;
use proto::notification::directive_service_server::DirectiveServiceServer;
use sea_orm::DbErr;
use tokio::sync::Notify;

use crate::app::Base;
use crate::app::alerts::Alerts;
use crate::app::directives::Directives;
use crate::feeds::{RosterProjection, SamplingProjection};
use crate::store::Store;
use crate::{Config, Migrator, grpc};

/// A directive of fifty thousand characters and its audience.
const MAX_REQUEST: usize = 1 << 20;

/// The service cannot start or stopped with an error.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
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
    let store = Store::new(db.clone());
    let base = Base {
        store: store.clone(),
        clock: clock.clone(),
    };
    let alerts = Alerts::start(base.clone(), &config.alerts, changed.clone(), drain.clone());
    let directives = Directives::new(base, config.directives.done_percent);

    let credentials = Credentials::new(&config.auth, "notification", clock.clone());
    let channel = kit::channel::connect_lazy(&config.roster)?;
    let roster = RosterUpstream::new(channel, credentials.clone());
    let projection = Arc::new(RosterProjection::new(store, changed.clone()));
    follow(
        db.clone(),
        roster,
        projection,
        Some(server.latch("roster-feed")),
        drain.clone(),
    );
    let channel = kit::channel::connect_lazy(&config.sampling)?;
    let sampling = SamplingUpstream::new(channel, credentials);
    let projection = Arc::new(SamplingProjection::new(clock, changed));
    follow(
        db,
        sampling,
        projection,
        Some(server.latch("sampling-feed")),
        drain,
    );

    let alerts = AlertServiceServer::new(grpc::AlertGrpc::new(alerts))
        .max_decoding_message_size(MAX_REQUEST);
    let directives = DirectiveServiceServer::new(grpc::DirectiveGrpc::new(directives))
        .max_decoding_message_size(MAX_REQUEST);
    Ok(server.serve(tonic::service::Routes::new(alerts).add_service(directives)))
}
