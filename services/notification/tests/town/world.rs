//! The service over its own database, and callers of it.

use std::sync::Arc;
use std::time::Duration;

use kit::auth::{AuthConfig, Issuer, Role};
use kit::clock::ManualClock;
use kit::db::{Database, DatabaseConfig};
use kit::drain::Drain;
use kit::scratch::Scratch;
use kit::server::{Running, ServerConfig};
use kit::telemetry::TelemetryConfig;
use notification::{AlertConfig, Config, DirectiveConfig, Migrator};
use proto::notification::alert_service_client::AlertServiceClient;
use proto::notification::directive_service_client::DirectiveServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::{ErrorDetail, StatusExt};

/// Nobody listens here: the neighbours are away.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:9";

pub(crate) struct World {
    pub(crate) alerts: AlertServiceClient<Channel>,
    pub(crate) directives: DirectiveServiceClient<Channel>,
    pub(crate) clock: ManualClock,
    pub(crate) db: Database,
    neighbours: String,
    running: Option<Running>,
    scratch: Scratch,
}

impl World {
    /// The service with the register of the town; roster and sampling are away.
    pub(crate) async fn new(scratch: Scratch) -> Self {
        let world = Self::beside(scratch, NOWHERE.to_owned()).await;
        super::roster(&world.db, &super::town(), 1).await;
        world
    }

    /// The service beside neighbours that answer at `neighbours`.
    pub(crate) async fn beside(scratch: Scratch, neighbours: String) -> Self {
        let clock = ManualClock::at(super::morning());
        let db = scratch.open::<Migrator>().await;
        let running = serve(&scratch, &neighbours, &clock).await;
        let channel = channel(&running);
        Self {
            alerts: AlertServiceClient::new(channel.clone()),
            directives: DirectiveServiceClient::new(channel),
            clock,
            db,
            neighbours,
            running: Some(running),
            scratch,
        }
    }

    pub(crate) async fn stop(&mut self) {
        let running = self.running.take().expect("running");
        running.stop().await.expect("stopped");
    }

    pub(crate) async fn start(&mut self) {
        let running = serve(&self.scratch, &self.neighbours, &self.clock).await;
        let channel = channel(&running);
        self.alerts = AlertServiceClient::new(channel.clone());
        self.directives = DirectiveServiceClient::new(channel);
        self.running = Some(running);
    }
}

async fn serve(database: &DatabaseConfig, neighbours: &str, clock: &ManualClock) -> Running {
    let config = Config {
        server: ServerConfig {
            drain: Duration::from_millis(200),
            ..ServerConfig::loopback()
        },
        auth: AuthConfig::development(),
        telemetry: TelemetryConfig::default(),
        database: database.clone(),
        roster: neighbours.to_owned(),
        sampling: neighbours.to_owned(),
        alerts: AlertConfig {
            poll: Duration::from_millis(20),
            ..AlertConfig::default()
        },
        directives: DirectiveConfig::default(),
    };
    notification::start(config, Arc::new(clock.clone()), Drain::new())
        .await
        .expect("started")
}

fn channel(running: &Running) -> Channel {
    kit::channel::connect_lazy(&format!("http://{}", running.addr)).expect("an address")
}

/// A request of `subject`, who is `role` at `scope`.
pub(crate) fn by<T>(subject: &str, role: Role, scope: &str, message: T) -> Request<T> {
    let scope = scope.parse().expect("a scope");
    let days = Duration::from_secs(86_400 * 60);
    let start = "2022-04-05T00:00:00Z".parse().expect("an instant");
    let token = Issuer::development().token(subject, &[role], &scope, None, start, days);
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
#[macro_export]
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
