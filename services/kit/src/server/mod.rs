//! Listens, checks who calls, bounds what a connection may ask for, and drains.

mod addresses;
mod approving;
mod arriving;
mod break_glass;
mod config;
mod connection;
mod framing;
mod front;
mod health;
mod layer;
mod measure;
mod methods;
mod readers;
mod share;
mod tls;
mod until;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::service::Routes;

pub use break_glass::{BreakGlass, LogBreakGlass};
pub use config::{Exposure, ServerConfig};
pub use front::{Behind, Front};
pub use health::Latch;
pub(crate) use methods::Method;
pub use tls::TlsConfig;

use crate::approvals::Approvals;
use crate::audit::{Audit, AuditConfig};
use crate::auth::{AuthConfig, Authority, PolicyError, Verifier};
use crate::clock::Clock;
use crate::db::Database;
use crate::drain::Drain;
use crate::telemetry::figures::Name;
use crate::telemetry::{Calls, Page, TelemetryConfig};
use connection::Most;
use front::FrontLayer;
use health::Readiness;
use layer::GuardLayer;
use measure::MeasureLayer;
use share::Share;
use tls::Tls;

/// What anybody may ask is smaller than this, in bytes.
const MAX_OPEN_REQUEST: usize = 4 << 10;
/// Whether it takes calls.
const READY: Name = Name::count("campus.ready", "Whether the service is ready for calls");
/// Connections that were opened at once are not closed at once.
const SPREAD: std::ops::Range<f64> = 0.9..1.1;

/// A service cannot listen or stopped with an error.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened at.
    #[error("server.listen: cannot listen at {0}")]
    Bind(SocketAddr, #[source] std::io::Error),
    /// The address for operators cannot be listened at.
    #[error("telemetry.listen: cannot listen at {0}")]
    Page(SocketAddr, #[source] std::io::Error),
    /// Whom it trusts or how it encrypts cannot be used; the text names the key.
    #[error("configuration: {0}")]
    Config(String),
    /// The policies cannot be used.
    #[error("auth.policies: {0}")]
    Policies(#[from] PolicyError),
    /// A setting of the audit log cannot be used; the text names the key.
    #[error("configuration: {0}")]
    Audit(String),
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
    tls: Option<Tls>,
    authority: Authority,
    break_glass: Arc<dyn BreakGlass>,
    audit: Option<Audit>,
    approvals: Option<Approvals>,
    production: bool,
    clock: Arc<dyn Clock>,
    readiness: Readiness,
    drain: Drain,
    front: Option<Arc<dyn Front>>,
    calls: Option<Calls>,
    page: Option<Page>,
}

/// A server that answers.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Where operators ask for its metrics and whether it is ready.
    pub page: Option<SocketAddr>,
    drain: Drain,
    patience: Duration,
    task: JoinHandle<Result<(), ServeError>>,
    work: Vec<JoinHandle<()>>,
}

impl Server {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the address cannot be listened at, or the policies, a certificate or a key set cannot be used.
    pub async fn bind(
        config: &ServerConfig,
        auth: &AuthConfig,
        clock: Arc<dyn Clock>,
        drain: Drain,
    ) -> Result<Self, ServeError> {
        let verifier = Verifier::new(auth, clock.clone()).map_err(ServeError::Config)?;
        let tls = config.tls.as_ref().map(Tls::new).transpose();
        let tls = tls.map_err(ServeError::Config)?;
        let fail = |err| ServeError::Bind(config.listen, err);
        let authority = Authority::load(auth, clock.clone())?;
        let listener = TcpListener::bind(config.listen).await.map_err(fail)?;
        let addr = listener.local_addr().map_err(fail)?;
        let readiness = Readiness::new();
        let latch = verifier.is_waiting().then(|| readiness.latch("identity"));
        tokio::spawn(verifier.clone().keep(latch, drain.clone()));
        if let Some(tls) = &tls {
            tokio::spawn(tls.clone().keep(drain.clone()));
        }
        Ok(Self {
            listener,
            addr,
            config: config.clone(),
            verifier,
            tls,
            authority,
            break_glass: Arc::new(LogBreakGlass),
            audit: None,
            approvals: None,
            production: auth.production,
            clock,
            readiness,
            drain,
            front: None,
            calls: None,
            page: None,
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

    /// Puts `front` before it. The server then also speaks HTTP/1.1: a connection has the same time
    /// to say what it speaks, and each request half a minute for its head.
    #[must_use]
    pub fn behind(mut self, front: Arc<dyn Front>) -> Self {
        self.front = Some(front);
        self.tls = self.tls.map(Tls::with_http1);
        self
    }

    /// Tells `hook` of each call for which the glass was broken, in place of a warning in the log.
    #[must_use]
    pub fn on_break_glass(mut self, hook: Arc<dyn BreakGlass>) -> Self {
        self.break_glass = hook;
        self
    }

    /// Keeps the audit log of `service` in `db`: what the contracts ask for, and each call for which the
    /// glass was broken. Answers for the log as well.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub fn audited(
        mut self,
        db: &Database,
        service: &'static str,
        config: &AuditConfig,
    ) -> Result<Self, ServeError> {
        let (clock, drain) = (self.clock.clone(), self.drain.clone());
        let config = (config, self.production);
        let audit = Audit::start(db.clone(), service, config, clock, drain);
        let audit = audit.map_err(ServeError::Audit)?;
        self.break_glass = Arc::new(audit.clone());
        self.audit = Some(audit);
        Ok(self)
    }

    /// Asks for an approval before personal data of minors is shown for a purpose beyond daily work (rule
    /// 6.8), at the place at which the service let the caller in; one that keeps no audit log knows it by the
    /// scope of the caller only.
    #[must_use]
    pub fn approving(mut self, approvals: Approvals) -> Self {
        self.approvals = Some(approvals);
        self
    }

    /// Counts the calls to `service`, and answers operators where the settings say.
    ///
    /// # Errors
    /// When their address cannot be listened at.
    pub async fn observed(
        mut self,
        service: &'static str,
        config: &TelemetryConfig,
    ) -> Result<Self, ServeError> {
        self.calls = Some(Calls::to(service));
        let (readiness, drain) = (self.readiness.clone(), self.drain.clone());
        let missing = Arc::new(move || readiness.missing(&drain));
        let told = missing.clone();
        READY.read([("service", service)], move || {
            Some(f64::from(u8::from(told().is_empty())))
        });
        if let Some(listen) = config.listen {
            let page = Page::open(listen, missing).await;
            let page = page.map_err(|err| ServeError::Page(listen, err))?;
            tracing::info!(addr = %page.addr(), "listening for operators");
            self.page = Some(page);
        }
        Ok(self)
    }

    /// Answers calls until the drain, then lets those under way finish for the configured time.
    pub fn serve(self, routes: Routes) -> Running {
        let (addr, drain, patience) = (self.addr, self.drain.clone(), self.config.drain);
        Running {
            addr,
            page: self.page.as_ref().map(Page::addr),
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
            tls,
            authority,
            break_glass,
            audit,
            approvals,
            production: _,
            clock: _,
            readiness,
            drain,
            front,
            calls,
            page,
        } = self;
        tokio::spawn(authority.clone().keep_current(drain.clone()));
        let (reporter, health) = tonic_health::server::health_reporter();
        tokio::spawn(readiness.report(reporter, drain.clone()));
        let mut routes = routes.add_service(health.max_decoding_message_size(MAX_OPEN_REQUEST));
        if let Some(audit) = &audit {
            routes = routes.add_service(audit.service());
        }
        if config.reflection {
            let reflection = tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                .build_v1()?;
            routes = routes.add_service(reflection.max_decoding_message_size(MAX_OPEN_REQUEST));
        }
        tracing::info!(%addr, encrypted = tls.is_some(), "listening");
        let cut = Drain::new();
        let share = match front {
            Some(_) => Share::own(),
            None => Share::of_everybody(config.max_streams_per_connection),
        };
        let most = Most {
            all: config.max_connections,
            of_one: config.max_connections_per_address,
        };
        // The defaults of the transport leave several of these open without a bound.
        let mut transport = tonic::transport::Server::builder()
            .accept_http1(front.is_some())
            .max_concurrent_streams(config.max_streams_per_connection)
            .http2_max_pending_accept_reset_streams(Some(share.resets))
            .http2_max_local_error_reset_streams(Some(256))
            .http2_max_header_list_size(16 << 10)
            .http2_keepalive_interval(Some(Duration::from_secs(20)))
            .http2_keepalive_timeout(Some(Duration::from_secs(10)))
            .initial_stream_window_size(share.stream_window)
            .initial_connection_window_size(share.connection_window);
        if let Some(age) = config.max_connection_age {
            transport = transport.max_connection_age(age.mul_f64(rand::random_range(SPREAD)));
        }
        let server = transport
            .layer(FrontLayer::new(front))
            .layer(MeasureLayer(calls))
            .layer(GuardLayer::new(
                verifier,
                authority,
                break_glass,
                (audit, approvals),
                &config,
            ))
            .add_routes(routes)
            .serve_with_incoming_shutdown(
                connection::incoming(listener, most, tls, cut.clone()),
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
        // It answers until the server has stopped.
        if let Some(page) = page {
            page.close().await;
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
