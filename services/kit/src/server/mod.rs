//! Listens, checks who calls, bounds what a connection may ask for, and drains.

mod connection;
mod health;
mod layer;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::service::Routes;

pub use health::Latch;

use crate::auth::{AuthConfig, Verifier};
use crate::clock::Clock;
use crate::drain::Drain;
use health::Readiness;
use layer::GuardLayer;

/// How a service listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// How long calls under way may take after SIGTERM.
    #[serde(default = "default_drain", with = "humantime_serde")]
    pub drain: Duration,
    /// How many calls may be under way at once before new ones are answered with OVERLOADED.
    #[serde(default = "default_in_flight")]
    pub max_in_flight: usize,
    /// How many connections may be open.
    #[serde(default = "default_connections")]
    pub max_connections: usize,
    /// How many streams one connection may have open.
    #[serde(default = "default_streams")]
    pub max_streams_per_connection: u32,
    /// Whether contracts can be asked for by reflection.
    #[serde(default = "default_reflection")]
    pub reflection: bool,
}

fn default_drain() -> Duration {
    Duration::from_secs(20)
}

fn default_in_flight() -> usize {
    4096
}

fn default_connections() -> usize {
    10_000
}

fn default_streams() -> u32 {
    1024
}

fn default_reflection() -> bool {
    true
}

impl ServerConfig {
    /// The defaults, listening at `listen`.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            drain: default_drain(),
            max_in_flight: default_in_flight(),
            max_connections: default_connections(),
            max_streams_per_connection: default_streams(),
            reflection: default_reflection(),
        }
    }

    /// Any free port of this machine, for trials and tests.
    pub fn loopback() -> Self {
        Self::new(SocketAddr::from(([127, 0, 0, 1], 0)))
    }
}

/// A service cannot listen or stopped with an error.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened at.
    #[error("server.listen: cannot listen at {0}")]
    Bind(SocketAddr, #[source] std::io::Error),
    /// The transport failed.
    #[error("the server failed")]
    Transport(#[from] tonic::transport::Error),
    /// The contracts cannot be served by reflection.
    #[error("the contracts cannot be read")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The server ended in a way that it never should.
    #[error("the server task ended")]
    Task(#[from] tokio::task::JoinError),
}

/// A server that listens but does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    config: ServerConfig,
    verifier: Verifier,
    readiness: Readiness,
    drain: Drain,
}

/// A server that answers.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    drain: Drain,
    patience: Duration,
    task: JoinHandle<Result<(), ServeError>>,
    work: Vec<JoinHandle<()>>,
}

impl Server {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the address cannot be listened at.
    pub async fn bind(
        config: &ServerConfig,
        auth: &AuthConfig,
        clock: Arc<dyn Clock>,
        drain: Drain,
    ) -> Result<Self, ServeError> {
        let fail = |err| ServeError::Bind(config.listen, err);
        let listener = TcpListener::bind(config.listen).await.map_err(fail)?;
        let addr = listener.local_addr().map_err(fail)?;
        Ok(Self {
            listener,
            addr,
            config: config.clone(),
            verifier: Verifier::new(auth, clock),
            readiness: Readiness::new(),
            drain,
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A condition of readiness: the service is not ready until it is let go.
    pub fn latch(&self, name: &'static str) -> Latch {
        self.readiness.latch(name)
    }

    /// Answers calls until the drain, then lets those under way finish for the configured time.
    pub fn serve(self, routes: Routes) -> Running {
        let (addr, drain, patience) = (self.addr, self.drain.clone(), self.config.drain);
        Running {
            addr,
            drain,
            patience,
            task: tokio::spawn(self.run(routes)),
            work: Vec::new(),
        }
    }

    async fn run(self, routes: Routes) -> Result<(), ServeError> {
        let Self {
            listener,
            addr,
            config,
            verifier,
            readiness,
            drain,
        } = self;
        let (reporter, health) = tonic_health::server::health_reporter();
        tokio::spawn(readiness.report(reporter, drain.clone()));
        let mut routes = routes.add_service(health);
        if config.reflection {
            let reflection = tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                .build_v1()?;
            routes = routes.add_service(reflection);
        }
        tracing::info!(%addr, "listening");
        let cut = Drain::new();
        // The defaults of the transport leave several of these open without a bound.
        let server = tonic::transport::Server::builder()
            .max_concurrent_streams(config.max_streams_per_connection)
            .http2_max_pending_accept_reset_streams(Some(20))
            .http2_max_local_error_reset_streams(Some(256))
            .http2_max_header_list_size(16 << 10)
            .http2_keepalive_interval(Some(Duration::from_secs(20)))
            .http2_keepalive_timeout(Some(Duration::from_secs(10)))
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(4 << 20)
            .layer(GuardLayer::new(verifier, config.max_in_flight))
            .add_routes(routes)
            .serve_with_incoming_shutdown(
                connection::incoming(listener, config.max_connections, cut.clone()),
                {
                    let drain = drain.clone();
                    async move { drain.draining().await }
                },
            );
        tokio::pin!(server);
        // Graceful shutdown waits for open streams; one that does not end by itself is cut off.
        let late = async {
            drain.draining().await;
            tokio::time::sleep(config.drain).await;
        };
        tokio::select! {
            ended = &mut server => ended?,
            () = late => {
                tracing::warn!("calls were cut off at the end of the drain");
                cut.signal();
                server.await?;
            }
        }
        Ok(())
    }
}

impl Running {
    /// Has stopped only when `work`, which ends by itself at the drain, has as well, or has had the
    /// configured time for it.
    #[must_use]
    pub fn with(mut self, work: Vec<JoinHandle<()>>) -> Self {
        self.work.extend(work);
        self
    }

    /// Waits until it has stopped.
    ///
    /// # Errors
    /// When it failed.
    pub async fn finished(self) -> Result<(), ServeError> {
        let ended = self.task.await?;
        let patience = tokio::time::sleep(self.patience);
        tokio::pin!(patience);
        for work in self.work {
            tokio::select! {
                // Work that panicked has ended.
                _ = work => {}
                () = &mut patience => {
                    tracing::warn!("work was cut off at the end of the drain");
                    break;
                }
            }
        }
        ended
    }

    /// Drains it and waits until it has stopped.
    ///
    /// # Errors
    /// When it failed.
    pub async fn stop(self) -> Result<(), ServeError> {
        self.drain.signal();
        self.finished().await
    }
}
