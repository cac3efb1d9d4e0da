//! Listens, checks who calls, bounds what a connection may ask for, and drains.

mod addresses;
mod approving;
mod arriving;
mod break_glass;
mod config;
mod connection;
mod database;
mod ending;
mod framing;
mod front;
mod health;
mod idle;
mod layer;
mod masked;
mod measure;
mod methods;
mod readers;
mod refused;
mod running;
mod serving;
mod share;
mod sizes;
mod tls;
mod traced;
mod until;
mod weight;
mod words;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use tokio::net::TcpListener;
use tonic::service::Routes;

pub use break_glass::{BreakGlass, LogBreakGlass};
pub use config::{Exposure, ServerConfig};
pub use front::{Behind, Front, Unframed};
pub use health::Latch;
pub(crate) use methods::Method;
pub use refused::{Head, REFUSED, Refusals};
pub use running::Running;
pub use tls::TlsConfig;

use crate::approvals::Approvals;
use crate::audit::{Audit, AuditConfig, Floors};
use crate::auth::{AuthConfig, Authority, PolicyError, Verifier};
use crate::clock::Clock;
use crate::db::Database;
use crate::drain::Drain;
use crate::telemetry::figures::Name;
use crate::telemetry::{Calls, Health, Page, TelemetryConfig};
use connection::{Connection, Most};
use ending::Ending;
use front::FrontLayer;
use health::Readiness;
use idle::OpenLayer;
use layer::GuardLayer;
use measure::MeasureLayer;
use serving::Kept;
use share::Share;
use tls::Tls;
use weight::Room;

/// What anybody may ask is smaller than this, in bytes.
const MAX_OPEN_REQUEST: usize = 4 << 10;
/// Whether it takes calls.
const READY: Name = Name::count("campus.ready", "Whether the service is ready for calls");

/// A service cannot listen or stopped with an error.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened at.
    #[error("server.listen: cannot listen at {0}")]
    Bind(SocketAddr, #[source] io::Error),
    /// The address for operators cannot be listened at.
    #[error("telemetry.listen: cannot listen at {0}")]
    Page(SocketAddr, #[source] io::Error),
    /// Whom it trusts or how it encrypts cannot be used; the text names the key.
    #[error("configuration: {0}")]
    Config(String),
    /// The policies cannot be used.
    #[error("auth.policies: {0}")]
    Policies(#[from] PolicyError),
    /// A setting of the audit log cannot be used; the text names the key.
    #[error("configuration: {0}")]
    Audit(String),
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
    health: Health,
    drain: Drain,
    front: Option<Arc<dyn Front>>,
    outermost: bool,
    refusals: Option<Arc<dyn Refusals>>,
    calls: Option<Calls>,
    page: Option<Page>,
    ending: Ending,
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
        auth.warn_of_development(addr);
        let readiness = Readiness::new();
        let latch = verifier.is_waiting().then(|| readiness.latch("identity"));
        let health = readiness.health(drain.clone()).await;
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
            health,
            drain,
            front: None,
            outermost: false,
            refusals: None,
            calls: None,
            page: None,
            ending: Ending::of(auth),
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

    /// Begins a trace of its own for each call, since whoever calls stands outside: they choose neither by which
    /// trace a call is found, in the audit as well, nor whether it is collected. A trace that they show is linked.
    #[must_use]
    pub fn outermost(mut self) -> Self {
        self.outermost = true;
        self
    }

    /// Tells `hook` of each call that is refused because its caller may not make it.
    #[must_use]
    pub fn on_refusal(mut self, hook: Arc<dyn Refusals>) -> Self {
        self.refusals = Some(hook);
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

    /// Has the audit log kept for as long as the policies in force ask for, where that is longer than the
    /// settings say.
    #[must_use]
    pub fn keeping(self, floors: impl Floors) -> Self {
        if let Some(audit) = &self.audit {
            audit.keep_by(floors);
        }
        self
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
        self.verifier.observe(service);
        let (clock, drain) = (self.clock.clone(), self.drain.clone());
        let ending = std::mem::take(&mut self.ending);
        ending.tell(service, self.tls.as_ref(), clock, drain);
        if let Some(listen) = config.listen {
            let page = Page::open(listen, missing, self.health.clone()).await;
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
            readiness: _,
            health,
            drain,
            front,
            outermost,
            refusals,
            calls,
            page,
            ending: _,
        } = self;
        tokio::spawn(authority.clone().keep_current(drain.clone()));
        let mut routes = routes.add_service(health);
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
        let kept = Kept {
            age: config.max_connection_age,
            idle: config.idle_within,
        };
        // The door passes bytes: who reads them weighs them.
        let room = front.is_none().then(Room::new);
        // The defaults of the transport leave several of these open without a bound.
        let server = tonic::transport::Server::builder()
            .accept_http1(front.is_some())
            .max_concurrent_streams(config.max_streams_per_connection)
            .http2_max_pending_accept_reset_streams(Some(share.resets))
            .http2_max_local_error_reset_streams(Some(256))
            .http2_max_header_list_size(16 << 10)
            .http2_keepalive_interval(Some(config.ping_interval))
            .http2_keepalive_timeout(Some(config.ping_timeout))
            .initial_stream_window_size(share.stream_window)
            .initial_connection_window_size(share.connection_window)
            .layer(OpenLayer)
            .layer(FrontLayer::new(front))
            .layer(MeasureLayer(calls))
            .layer(GuardLayer::new(
                verifier,
                authority,
                break_glass,
                (audit, approvals),
                room,
                &config,
                (outermost, refusals),
            ));
        let routes = routes.prepare();
        let serving = serving::serve(
            connection::incoming(listener, most, tls, cut.clone()),
            kept,
            drain.clone(),
            // A server of its own for each, since one closes all of its connections at the same age.
            move |connection: Connection, close: BoxFuture<'static, ()>| {
                let only = stream::iter([Ok::<_, io::Error>(connection)]).chain(stream::pending());
                let server = server.clone();
                server.serve_with_incoming_shutdown(routes.clone(), only, close)
            },
        );
        tokio::pin!(serving);
        // Graceful shutdown waits for open streams; one that does not end by itself is cut off.
        let late = async {
            drain.draining().await;
            tokio::time::sleep(config.drain).await;
        };
        tokio::select! {
            () = &mut serving => {}
            () = late => {
                tracing::warn!("calls were cut off at the end of the drain");
                cut.signal();
                serving.await;
            }
        }
        // It answers until the server has stopped.
        if let Some(page) = page {
            page.close().await;
        }
        Ok(())
    }
}
