//! The service over its own database, and callers of it.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kit::auth::{AuthConfig, Caller, Issuer, Role};
use kit::clock::ManualClock;
use kit::db::{Database, DatabaseConfig};
use kit::drain::Drain;
use kit::scratch::Scratch;
use kit::server::{Running, ServerConfig};
use kit::telemetry::TelemetryConfig;
use kit::vault::{CryptoConfig, EmergencyConfig};
use notification::{
    AlertConfig, ChannelConfig, Config, DeliveryConfig, Migrator, RetentionConfig, SendingConfig,
    WarningConfig,
};
use proto::notification::alert_service_client::AlertServiceClient;
use proto::notification::channel_service_client::ChannelServiceClient;
use proto::notification::delivery_service_client::DeliveryServiceClient;
use proto::notification::directive_service_client::DirectiveServiceClient;
use proto::notification::meeting_service_client::MeetingServiceClient;
use proto::notification::template_service_client::TemplateServiceClient;
use proto::notification::warning_service_client::WarningServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::{ErrorDetail, StatusExt};

/// Nobody listens here: the neighbours are away.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:9";

/// What the services of this process tell operators; nothing unless a test has said so.
pub(crate) static TOLD: OnceLock<TelemetryConfig> = OnceLock::new();

/// The sender of the documents of the town.
pub(crate) const SENDER: &str = "warnings@campus.example";

pub(crate) struct World {
    pub(crate) alerts: AlertServiceClient<Channel>,
    pub(crate) directives: DirectiveServiceClient<Channel>,
    pub(crate) deliveries: DeliveryServiceClient<Channel>,
    pub(crate) templates: TemplateServiceClient<Channel>,
    pub(crate) warnings: WarningServiceClient<Channel>,
    pub(crate) channels: ChannelServiceClient<Channel>,
    pub(crate) meetings: MeetingServiceClient<Channel>,
    pub(crate) clock: ManualClock,
    pub(crate) db: Database,
    neighbours: String,
    ways: Vec<ChannelConfig>,
    secrets: Option<PathBuf>,
    running: Option<Running>,
    pub(crate) scratch: Scratch,
}

impl World {
    /// The service with the register of the town; roster and sampling are away.
    pub(crate) async fn new(scratch: Scratch) -> Self {
        Self::with(scratch, Vec::new()).await
    }

    /// The same with ways out besides the inbox.
    pub(crate) async fn with(scratch: Scratch, ways: Vec<ChannelConfig>) -> Self {
        let world = Self::open(scratch, NOWHERE.to_owned(), ways, None).await;
        super::roster(&world.db, &super::town(), 1).await;
        world
    }

    /// The same with a folder for the secrets of emergencies.
    pub(crate) async fn keeping_secrets(scratch: Scratch, folder: PathBuf) -> Self {
        let world = Self::open(scratch, NOWHERE.to_owned(), Vec::new(), Some(folder)).await;
        super::roster(&world.db, &super::town(), 1).await;
        world
    }

    /// The service beside neighbours that answer at `neighbours`.
    pub(crate) async fn beside(scratch: Scratch, neighbours: String) -> Self {
        Self::open(scratch, neighbours, Vec::new(), None).await
    }

    async fn open(
        scratch: Scratch,
        neighbours: String,
        ways: Vec<ChannelConfig>,
        secrets: Option<PathBuf>,
    ) -> Self {
        let clock = ManualClock::at(super::morning());
        let db = scratch.open::<Migrator>().await;
        let config = settings(&scratch, &neighbours, &ways);
        let running = serve(keeping(config, secrets.clone()), &clock).await;
        let channel = channel(&running);
        Self {
            alerts: AlertServiceClient::new(channel.clone()),
            directives: DirectiveServiceClient::new(channel.clone()),
            deliveries: DeliveryServiceClient::new(channel.clone()),
            templates: TemplateServiceClient::new(channel.clone()),
            warnings: WarningServiceClient::new(channel.clone()),
            channels: ChannelServiceClient::new(channel.clone()),
            meetings: MeetingServiceClient::new(channel),
            clock,
            db,
            neighbours,
            ways,
            secrets,
            running: Some(running),
            scratch,
        }
    }

    pub(crate) async fn stop(&mut self) {
        let running = self.running.take().expect("running");
        running.stop().await.expect("stopped");
    }

    pub(crate) async fn start(&mut self) {
        let running = self.replica().await;
        let channel = channel(&running);
        self.alerts = AlertServiceClient::new(channel.clone());
        self.directives = DirectiveServiceClient::new(channel.clone());
        self.deliveries = DeliveryServiceClient::new(channel.clone());
        self.templates = TemplateServiceClient::new(channel.clone());
        self.warnings = WarningServiceClient::new(channel.clone());
        self.channels = ChannelServiceClient::new(channel.clone());
        self.meetings = MeetingServiceClient::new(channel);
        self.running = Some(running);
    }

    /// The page of the service for operators.
    pub(crate) fn operators_page(&self) -> std::net::SocketAddr {
        let running = self.running.as_ref().expect("running");
        running.page.expect("a page")
    }

    /// Where the service answers.
    pub(crate) fn channel(&self) -> Channel {
        channel(self.running.as_ref().expect("running"))
    }

    /// One more of the service over the same database.
    pub(crate) async fn replica(&self) -> Running {
        self.replica_on(&self.scratch).await
    }

    /// One more of the service, over another database with the same secrets.
    pub(crate) async fn replica_on(&self, database: &DatabaseConfig) -> Running {
        let config = settings(database, &self.neighbours, &self.ways);
        serve(keeping(config, self.secrets.clone()), &self.clock).await
    }
}

fn keeping(config: Config, secret_folder: Option<PathBuf>) -> Config {
    let emergencies = EmergencyConfig { secret_folder };
    Config {
        emergencies,
        ..config
    }
}

async fn serve(config: Config, clock: &ManualClock) -> Running {
    notification::start(config, Arc::new(clock.clone()), Drain::new())
        .await
        .expect("started")
}

/// The settings of the service in the town.
pub(crate) fn settings(
    database: &DatabaseConfig,
    neighbours: &str,
    ways: &[ChannelConfig],
) -> Config {
    Config {
        server: ServerConfig {
            drain: Duration::from_millis(200),
            ..ServerConfig::loopback()
        },
        auth: AuthConfig::development(),
        telemetry: TOLD.get().cloned().unwrap_or_default(),
        audit: kit::audit::AuditConfig::default(),
        database: database.clone(),
        roster: neighbours.to_owned(),
        sampling: neighbours.to_owned(),
        safety_inspection: neighbours.to_owned(),
        alerts: AlertConfig {
            poll: Duration::from_millis(20),
            ..AlertConfig::default()
        },
        deliveries: DeliveryConfig {
            poll: Duration::from_millis(20),
            heartbeat: Duration::from_millis(200),
            chunk: 4,
        },
        warnings: WarningConfig {
            sender: SENDER.to_owned(),
        },
        retention: RetentionConfig {
            interval: Duration::from_millis(20),
            batch: 4,
            ..RetentionConfig::default()
        },
        crypto: CryptoConfig::default(),
        emergencies: EmergencyConfig::default(),
        channels: ways.to_vec(),
        sending: SendingConfig {
            poll: Duration::from_millis(20),
            ..SendingConfig::default()
        },
    }
}

pub(crate) fn channel(running: &Running) -> Channel {
    kit::channel::connect_lazy(&format!("http://{}", running.addr)).expect("an address")
}

/// A request of `subject`, who is `role` at `scope`.
pub(crate) fn by<T>(subject: &str, role: Role, scope: &str, message: T) -> Request<T> {
    signed(subject, role, scope, None, message)
}

/// A request of a person of the register, who is `role` at `scope`.
pub(crate) fn of<T>(person: &str, role: Role, scope: &str, message: T) -> Request<T> {
    let pupil = person.split("/guardians/").next().unwrap_or_default();
    signed("somebody", role, scope, Some(pupil.to_owned()), message)
}

fn signed<T>(
    subject: &str,
    role: Role,
    scope: &str,
    person: Option<String>,
    message: T,
) -> Request<T> {
    let caller = Caller {
        person,
        second_factor: true,
        ..Caller::new(subject, vec![role], scope.parse().expect("a scope"))
    };
    let days = Duration::from_secs(86_400 * 60);
    let start = "2022-04-05T00:00:00Z".parse().expect("an instant");
    let token = Issuer::development().issue(caller, start, days);
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", bearer);
    request
}

/// Code, reason and the Chinese sentence of an error.
pub(crate) fn told(status: &Status) -> (Code, String, String) {
    let reason = status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default();
    let details = status.get_error_details_vec();
    let zh = details.into_iter().find_map(|detail| match detail {
        ErrorDetail::LocalizedMessage(words) if words.locale == "zh-CN" => Some(words.message),
        _ => None,
    });
    (status.code(), reason, zh.unwrap_or_default())
}

/// The reason of an error.
pub(crate) fn reason(status: &Status) -> String {
    told(status).1
}

/// Makes each test run on both databases, with a world of its own.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(kit::scratch::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let Some(scratch) = kit::scratch::postgres().await else { return };
                super::$test(scratch).await;
            })+
        }
    };
}
pub(crate) use on_both;
