//! Puts the gateway together.

use std::sync::Arc;

use kit::auth::Exchange;
use kit::clock::Clock;
use kit::drain::Drain;
use kit::server::{Running, ServeError, Server};
use proto::gateway::audit_service_server::AuditServiceServer;
use proto::gateway::overview_service_server::{OverviewServiceServer, SERVICE_NAME as OVERVIEW};
use proto::gateway::subject_data_service_server::SubjectDataServiceServer;
use tonic::service::Routes;

use crate::Config;
use crate::buffers::Buffers;
use crate::callers::Callers;
use crate::contract::{Contracts, UnknownContract};
use crate::front::Dialects;
use crate::grpc::{AuditGrpc, OverviewGrpc, Own, SubjectDataGrpc};
use crate::health::Health;
use crate::json::Transcoder;
use crate::limits::Limits;
use crate::openapi::Document;
use crate::overview;
use crate::proxy::{Deadlines, Proxy};
use crate::reception::Reception;
use crate::refusals::Reports;
use crate::route::Table;

/// Its name in what it tells about itself.
pub(crate) const SERVICE: &str = "gateway";

/// The package that the gateway answers itself.
const OWN: &str = "campus.gateway.";

/// The gateway cannot start or stopped with an error.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be used; the text names the key.
    #[error("configuration: {0}")]
    Config(String),
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
/// When the address cannot be listened at, an upstream's address is malformed, or a certificate or
/// key cannot be used.
pub async fn start(
    config: Config,
    clock: Arc<dyn Clock>,
    drain: Drain,
) -> Result<Running, StartError> {
    let contracts = Contracts::read(proto::DESCRIPTORS)?;
    let table = Arc::new(Table::new(&config, &contracts)?);
    let behind = config.upstreams.routes().map(|(prefix, ..)| prefix);
    let packages: Vec<&'static str> = behind.into_iter().chain([OWN]).collect();
    let buffers = Buffers::new(config.max_body_bytes, config.max_bodies_bytes);
    let transcoder = Transcoder::new(&contracts, &packages, buffers.clone())?;
    let exchange = match &config.internal_token_key_file {
        None => None,
        Some(file) => {
            let exchange = Exchange::new(file, clock.clone())
                .map_err(|err| StartError::Config(format!("internal_token_key_file: {err}")))?;
            tokio::spawn(exchange.clone().keep(drain.clone()));
            Some(exchange)
        }
    };
    let server = Server::bind(&config.server, &config.auth, clock.clone(), drain.clone()).await?;
    let server = server.observed(SERVICE, &config.telemetry).await?;
    let opening = server.latch(OVERVIEW);
    let watched = table.services().iter().map(|neighbour| {
        let watching = neighbour.upstream.clone().watch(drain.clone());
        tokio::spawn(watching)
    });
    let mut work: Vec<_> = watched.collect();
    let reports = Reports::new(table.clone(), exchange.clone());
    work.push(tokio::spawn(reports.clone().finish(drain.clone())));
    let health = Health::new(&table, drain.clone());
    let document = config.server.reflection.then(|| Document::new(packages));
    let dialects = Dialects::new(transcoder, health, document, buffers, &config.cors_origins);
    let deadlines = Deadlines {
        default: config.default_deadline,
        most: config.max_deadline,
    };
    let (desk, watches) = overview::open(&config.overview, table.clone(), clock, drain);
    let reception = Reception {
        limits: Limits::new(&config.limits),
        callers: Callers::new(config.max_in_flight_per_caller),
        watchers: Callers::new(config.max_watches_per_caller),
        exchange,
        reports,
    };
    let refusals = Arc::new(reception.clone());
    let audit = AuditGrpc {
        table: table.clone(),
        deadlines,
        reception: reception.clone(),
    };
    let subjects = SubjectDataGrpc {
        table: table.clone(),
        deadlines,
        reception: reception.clone(),
    };
    let overview = OverviewServiceServer::new(OverviewGrpc {
        desk,
        watches,
        reception: reception.clone(),
    });
    let overview = Own::new(overview, config.default_deadline);
    let audit = AuditServiceServer::new(audit);
    let audit = Own::new(audit, config.default_deadline);
    let subjects = SubjectDataServiceServer::new(subjects);
    let subjects = Own::new(subjects, config.default_deadline);
    let proxy = Proxy::new(table, deadlines, reception);
    let router = axum::Router::new().fallback_service(proxy);
    let routes = Routes::from(router)
        .add_service(overview)
        .add_service(audit)
        .add_service(subjects);
    opening.release();
    let server = server.behind(Arc::new(dialects)).outermost();
    let server = server.on_refusal(refusals);
    Ok(server.serve(routes).with(work))
}
