//! Puts the gateway together.

use std::sync::Arc;

use kit::clock::Clock;
use kit::drain::Drain;
use kit::server::{Running, ServeError, Server};
use tonic::service::Routes;

use crate::Config;
use crate::callers::Callers;
use crate::proxy::{Deadlines, Proxy};
use crate::route::{Table, UnknownContract};

/// The gateway cannot start or stopped with an error.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The server failed.
    #[error(transparent)]
    Server(#[from] ServeError),
    /// The contracts or an address cannot be used.
    #[error(transparent)]
    Contract(#[from] UnknownContract),
}

/// Answers calls until the drain.
///
/// # Errors
/// When the address cannot be listened at or an upstream's address is malformed.
pub async fn start(
    config: Config,
    clock: Arc<dyn Clock>,
    drain: Drain,
) -> Result<Running, StartError> {
    let table = Table::new(&config)?;
    let server = Server::bind(&config.server, &config.auth, clock, drain).await?;
    let deadlines = Deadlines {
        default: config.default_deadline,
        most: config.max_deadline,
    };
    let callers = Callers::new(config.max_in_flight_per_caller);
    let proxy = Proxy::new(table, deadlines, callers);
    let router = axum::Router::new().fallback_service(proxy);
    Ok(server.serve(Routes::from(router)))
}
