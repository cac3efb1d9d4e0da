//! The whole house in one process: five services on SQLite, talking over loopback ports.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use gateway::LimitsConfig;
use kit::auth::{Caller, Issuer, Role};
use kit::channel::Channel;
use kit::clock::Clock;
use kit::config::{Settings, load, trial};
use kit::db::DatabaseConfig;
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::server::Running;
use kit::tls::ClientTlsConfig;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Uri;

use crate::token::Bearer;

/// Where each service keeps its data.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Databases {
    pub roster: DatabaseConfig,
    pub sampling: DatabaseConfig,
    pub safety_inspection: DatabaseConfig,
    pub notification: DatabaseConfig,
}

impl Databases {
    /// SQLite files in `folder`.
    pub fn sqlite(folder: &Path) -> Self {
        let file = |name: &str| {
            let path = folder.join(format!("{name}.sqlite"));
            DatabaseConfig::new(format!("sqlite:{}", path.display()))
        };
        Self {
            roster: file("roster"),
            sampling: file("sampling"),
            safety_inspection: file("safety-inspection"),
            notification: file("notification"),
        }
    }
}

/// How the house is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the data is.
    pub databases: Databases,
    /// Where to listen.
    pub address: IpAddr,
    /// The port of the gateway; the services take those that follow. 0 takes free ones.
    pub port: u16,
    /// How long calls under way may take when the house closes.
    pub drain: Duration,
    /// Where a register answers in place of roster, for measurements of what stands below it.
    pub register: Option<String>,
    /// Where the secrets of emergencies stand; without it nothing has a key of its own.
    pub emergency_secrets: Option<PathBuf>,
    /// How much callers may ask for.
    pub limits: LimitsConfig,
}

impl Options {
    /// Free ports of this machine, and callers who stand for many: for the demonstration, measurements and tests.
    pub fn trial(databases: Databases) -> Self {
        Self {
            databases,
            address: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            drain: Duration::from_secs(5),
            register: None,
            emergency_secrets: None,
            limits: LimitsConfig::wide(),
        }
    }

    /// The settings of `service`, read and checked as those of its own process would be.
    fn settings<T: Settings>(
        &self,
        service: &str,
        place: u16,
        database: Option<&DatabaseConfig>,
        upstreams: &[(&str, &str)],
    ) -> anyhow::Result<T> {
        let port = if self.port == 0 { 0 } else { self.port + place };
        let mut keys = vec![
            (
                "SERVER__LISTEN",
                SocketAddr::new(self.address, port).to_string(),
            ),
            ("SERVER__DRAIN", format!("{}s", self.drain.as_secs())),
        ];
        if let Some(database) = database {
            keys.push(("DATABASE__URL", database.url.clone()));
            keys.push((
                "DATABASE__MAX_CONNECTIONS",
                database.max_connections.to_string(),
            ));
        }
        keys.extend(
            upstreams
                .iter()
                .map(|(key, address)| (*key, (*address).to_owned())),
        );
        let prefix = format!("CAMPUS_{}", service.to_uppercase().replace('-', "_"));
        let keys = keys
            .into_iter()
            .map(|(key, value)| (format!("{prefix}__{key}"), value))
            .chain(trial(service));
        load(service, None, keys).context(service.to_owned())
    }
}

/// Five services that answer.
#[derive(Debug)]
pub struct House {
    gateway: Running,
    services: Vec<(&'static str, Running)>,
    clock: Arc<dyn Clock>,
    drain: Drain,
}

impl House {
    /// Starts the five services.
    ///
    /// # Errors
    /// When a database cannot be opened or a port cannot be listened at.
    pub async fn open(
        options: &Options,
        clock: Arc<dyn Clock>,
        drain: Drain,
    ) -> anyhow::Result<Self> {
        let Databases {
            roster,
            sampling,
            safety_inspection,
            notification,
        } = &options.databases;
        let mut services = Vec::new();
        let register = match &options.register {
            Some(register) => register.clone(),
            None => {
                let config = options.settings("roster", 1, Some(roster), &[])?;
                let roster = roster::start(config, clock.clone(), drain.clone()).await;
                let roster = roster.context("roster")?;
                let register = address(&roster);
                services.push(("roster", roster));
                register
            }
        };

        let upstream = [("ROSTER", register.as_str())];
        let config = options.settings("sampling", 2, Some(sampling), &upstream)?;
        let sampling = sampling::start(config, clock.clone(), drain.clone()).await;
        let sampling = sampling.context("sampling")?;
        let sampling_address = address(&sampling);

        let secrets = options
            .emergency_secrets
            .as_deref()
            .map(Path::to_string_lossy);
        let mut upstream = vec![
            ("ROSTER", register.as_str()),
            ("SAMPLING", &sampling_address),
        ];
        if let Some(folder) = &secrets {
            upstream.push(("EMERGENCIES__SECRET_FOLDER", folder));
        }
        let config =
            options.settings("safety-inspection", 3, Some(safety_inspection), &upstream)?;
        let safety = safety_inspection::start(config, clock.clone(), drain.clone()).await;
        let safety = safety.context("safety-inspection")?;

        let safety_address = address(&safety);

        let mut upstream = vec![
            ("ROSTER", register.as_str()),
            ("SAMPLING", &sampling_address),
            ("SAFETY_INSPECTION", &safety_address),
        ];
        if let Some(folder) = &secrets {
            upstream.push(("EMERGENCIES__SECRET_FOLDER", folder));
        }
        let config = options.settings("notification", 4, Some(notification), &upstream)?;
        let notification = notification::start(config, clock.clone(), drain.clone()).await;
        let notification = notification.context("notification")?;

        let notification_address = address(&notification);
        let upstreams = [
            ("UPSTREAMS__ROSTER", register.as_str()),
            ("UPSTREAMS__SAMPLING", &sampling_address),
            ("UPSTREAMS__SAFETY_INSPECTION", &safety_address),
            ("UPSTREAMS__NOTIFICATION", &notification_address),
        ];
        services.extend([
            ("sampling", sampling),
            ("safety-inspection", safety),
            ("notification", notification),
        ]);
        let config = gateway::Config {
            limits: options.limits.clone(),
            ..options.settings("gateway", 0, None, &upstreams)?
        };
        let gateway = gateway::start(config, clock.clone(), drain.clone()).await;
        Ok(Self {
            gateway: gateway.context("gateway")?,
            services,
            clock,
            drain,
        })
    }

    /// Where each service answers, the gateway first.
    pub fn addresses(&self) -> Vec<(&'static str, String)> {
        let services = self
            .services
            .iter()
            .map(|(name, running)| (*name, address(running)));
        std::iter::once(("gateway", address(&self.gateway)))
            .chain(services)
            .collect()
    }

    /// Where the gateway answers.
    pub fn gateway(&self) -> String {
        address(&self.gateway)
    }

    /// The clock that the services go by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// A connection to the gateway for somebody with `role` in `scope`.
    ///
    /// # Errors
    /// When the address of the gateway cannot be used.
    pub fn caller(&self, role: Role, scope: &OrgPath) -> anyhow::Result<Door> {
        self.caller_at(&self.gateway(), role, scope, None)
    }

    /// The same for a laboratory.
    ///
    /// # Errors
    /// When the address of the gateway cannot be used.
    pub fn laboratory(&self, code: &str) -> anyhow::Result<Door> {
        self.caller_at(
            &self.gateway(),
            Role::Laboratory,
            &OrgPath::root(),
            Some(code),
        )
    }

    /// A connection to the gateway for somebody of whom everything is said.
    ///
    /// # Errors
    /// When the address of the gateway cannot be used.
    pub fn caller_of(&self, caller: Caller) -> anyhow::Result<Door> {
        let day = Duration::from_secs(24 * 3600);
        let token = Issuer::development().issue(caller, self.clock.now(), day);
        door(&self.gateway(), &token)
    }

    fn caller_at(
        &self,
        address: &str,
        role: Role,
        scope: &OrgPath,
        laboratory: Option<&str>,
    ) -> anyhow::Result<Door> {
        let day = Duration::from_secs(24 * 3600);
        let token = self.signed(&format!("demo-{role}"), role, scope, laboratory, day);
        door(address, &token)
    }

    /// A token for `subject` with `role` in `scope`, valid from now for `term`.
    pub fn token(&self, subject: &str, role: Role, scope: &OrgPath, term: Duration) -> String {
        self.signed(subject, role, scope, None, term)
    }

    fn signed(
        &self,
        subject: &str,
        role: Role,
        scope: &OrgPath,
        laboratory: Option<&str>,
        term: Duration,
    ) -> String {
        let now = self.clock.now();
        Issuer::development().token(subject, &[role], scope, laboratory, now, term)
    }

    /// Lets calls under way finish and stops.
    ///
    /// # Errors
    /// When a service failed.
    pub async fn close(self) -> anyhow::Result<()> {
        self.drain.signal();
        self.finished().await
    }

    /// Waits until every service has stopped.
    ///
    /// # Errors
    /// When a service failed.
    pub async fn finished(self) -> anyhow::Result<()> {
        self.gateway.finished().await.context("gateway")?;
        for (name, running) in self.services.into_iter().rev() {
            running.finished().await.context(name)?;
        }
        Ok(())
    }
}

/// A connection that shows a token with every call.
pub type Door = InterceptedService<Channel, Bearer>;

/// Whose certificate the gateway has.
#[derive(Args, Clone, Debug, Default)]
pub struct AuthorityArgs {
    /// The authorities that the gateway's certificate is from, PEM; the public ones when left out.
    #[arg(long, env = "CAMPUS_CA")]
    pub ca: Option<PathBuf>,
}

/// Connects to `address` and shows `token` with every call.
///
/// # Errors
/// When the address or the token cannot be used.
pub fn door(address: &str, token: &str) -> anyhow::Result<Door> {
    door_of(address, token, &AuthorityArgs::default())
}

/// The same, where the certificate may be from an authority of one's own.
///
/// # Errors
/// When the address, the token or the authorities cannot be used.
pub fn door_of(address: &str, token: &str, authority: &AuthorityArgs) -> anyhow::Result<Door> {
    let uri: Option<Uri> = address.parse().ok();
    let web = uri.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    anyhow::ensure!(
        web.is_some_and(|uri| uri.host().is_some()),
        "{address}：地址应写成 http://主机:端口 (write an address as http://host:port)"
    );
    let tls = ClientTlsConfig {
        ca: authority.ca.clone(),
        ..ClientTlsConfig::default()
    };
    let refused = |err: String| anyhow::anyhow!("--{}", err.trim_start_matches('.'));
    tls.check("").map_err(refused)?;
    let channel = Channel::to(address, Some(&tls)).context("address")?;
    Ok(InterceptedService::new(channel, Bearer::new(token)?))
}

fn address(running: &Running) -> String {
    format!("http://{}", running.addr)
}
