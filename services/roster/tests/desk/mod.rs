//! A roster on a database for a moment, and callers with tokens before it.
#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod duties;
pub(crate) mod follow;
pub(crate) mod people;
pub(crate) mod policy;

use std::sync::Arc;
use std::time::Duration;

use kit::auth::{AuthConfig, Issuer, Role};
use kit::clock::{Clock, ManualClock};
use kit::drain::Drain;
use kit::scratch::{self, Scratch};
use kit::server::{Running, ServerConfig};
use kit::vault::CryptoConfig;
use proto::roster::organization::Kind;
use proto::roster::organization_service_client::OrganizationServiceClient;
use proto::roster::{CreateOrganizationRequest, Organization};
use roster::Config;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt;

/// The day on which everything happens: a Thursday in the school year 2021.
pub(crate) const TODAY: &str = "2022-04-07";
/// Two districts of a small city, with two schools each.
pub(crate) const CITY: &str = "fz";
pub(crate) const GULOU: &str = "350102";
pub(crate) const FUQING: &str = "350181";
pub(crate) const GULOU_PRIMARY: &str = "2135010001";
pub(crate) const GULOU_SENIOR: &str = "3435010002";
pub(crate) const FUQING_PRIMARY: &str = "2135010003";

/// A service that answers.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) clock: ManualClock,
    pub(crate) running: Running,
    scratch: Scratch,
    drain: Drain,
}

/// A connection that shows a token with every call.
pub(crate) type Door = InterceptedService<Channel, Bearer>;

#[derive(Clone, Debug)]
pub(crate) struct Bearer(String);

impl tonic::service::Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let value = format!("Bearer {}", self.0)
            .parse()
            .expect("a token is ASCII");
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}

impl Desk {
    /// Opens an empty register on SQLite.
    pub(crate) async fn sqlite() -> Self {
        Self::open(scratch::sqlite()).await
    }

    /// Opens an empty register on PostgreSQL; none where there is no server, said loudly.
    pub(crate) async fn postgres() -> Option<Self> {
        Some(Self::open(scratch::postgres().await?).await)
    }

    async fn open(scratch: Scratch) -> Self {
        let clock = ManualClock::morning_of(TODAY.parse().expect("a day"));
        let drain = Drain::new();
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let running = roster::start(settings(&scratch), shared, drain.clone())
            .await
            .expect("it starts");
        Self {
            clock,
            running,
            scratch,
            drain,
        }
    }

    /// Starts another replica on the same register; the register stays when it is refused.
    pub(crate) async fn another(&self) -> Result<Running, roster::StartError> {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        roster::start(settings(&self.scratch), clock, self.drain.clone()).await
    }

    /// Starts another replica with master keys of its own, on this register or on a copy of it.
    pub(crate) async fn keyed(
        &self,
        crypto: CryptoConfig,
        copy: Option<&Scratch>,
    ) -> Result<Running, roster::StartError> {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let database = copy.unwrap_or(&self.scratch);
        let config = Config {
            crypto,
            ..settings(database)
        };
        roster::start(config, clock, self.drain.clone()).await
    }

    /// The settings with other master keys, for commands.
    pub(crate) fn settings(&self, crypto: CryptoConfig) -> Config {
        Config {
            crypto,
            ..settings(&self.scratch)
        }
    }

    /// A copy of the register, as a backup holds it.
    pub(crate) async fn backup(&self) -> Scratch {
        self.scratch.backup().await
    }

    /// The database beneath, for what no call shows.
    pub(crate) async fn database(&self) -> kit::db::Database {
        kit::db::Database::connect(&self.scratch)
            .await
            .expect("the database opens")
    }

    /// Where the database beneath is.
    pub(crate) fn url(&self) -> &str {
        &self.scratch.url
    }

    /// Somebody with `role` for the part of the tree at `scope`, such as `fz/350102`.
    pub(crate) fn caller(&self, role: Role, scope: &str) -> Door {
        self.door(&self.token(role, scope))
    }

    /// The same before another replica.
    pub(crate) fn caller_at(&self, replica: &Running, role: Role, scope: &str) -> Door {
        door_of(replica, &self.token(role, scope))
    }

    fn token(&self, role: Role, scope: &str) -> String {
        let scope = scope.parse().expect("a place in the tree");
        let (now, ttl) = (self.clock.now(), Duration::from_secs(48 * 3600));
        let subject = format!("test-{role}");
        Issuer::development().token(&subject, &[role], &scope, None, now, ttl)
    }

    /// A connection that shows `token`.
    pub(crate) fn door(&self, token: &str) -> Door {
        door_of(&self.running, token)
    }

    /// An officer of the whole city.
    pub(crate) fn officer(&self) -> Door {
        self.caller(Role::CityOfficer, CITY)
    }

    /// Plants the small city: the bureau, two districts, three schools.
    pub(crate) async fn plant(&self) {
        let mut client = OrganizationServiceClient::new(self.officer());
        let organizations = [
            (CITY, "", Kind::CityBureau, "350100"),
            (GULOU, CITY, Kind::CountyBureau, "350102"),
            (FUQING, CITY, Kind::CountyBureau, "350181"),
            (GULOU_PRIMARY, GULOU, Kind::School, "350102"),
            (GULOU_SENIOR, GULOU, Kind::School, "350102"),
            (FUQING_PRIMARY, FUQING, Kind::School, "350181"),
        ];
        for (id, parent, kind, division) in organizations {
            let parent = match parent {
                "" => String::new(),
                parent => format!("organizations/{parent}"),
            };
            let organization = Organization {
                kind: kind.into(),
                display_name: format!("机构{id}"),
                parent,
                division_code: division.to_owned(),
                ..Organization::default()
            };
            let request = CreateOrganizationRequest {
                organization: Some(organization),
                organization_id: id.to_owned(),
                request_id: String::new(),
            };
            client
                .create_organization(request)
                .await
                .expect("it is added");
        }
    }

    /// Stops the service.
    pub(crate) async fn close(self) {
        self.drain.signal();
        self.running.finished().await.expect("it stops");
    }
}

/// A connection to a replica that shows `token`.
fn door_of(replica: &Running, token: &str) -> Door {
    let address = format!("http://{}", replica.addr);
    let channel = kit::channel::connect_lazy(&address).expect("an address");
    InterceptedService::new(channel, Bearer(token.to_owned()))
}

/// The settings of a trial on this database.
fn settings(database: &Scratch) -> Config {
    Config {
        server: ServerConfig::loopback(),
        auth: AuthConfig::development(),
        telemetry: kit::telemetry::TelemetryConfig::default(),
        database: kit::db::DatabaseConfig::clone(database),
        crypto: CryptoConfig::default(),
        audit: kit::audit::AuditConfig::default(),
    }
}

/// A civil day such as `2022-04-07`, for the wire.
pub(crate) fn date(day: &str) -> proto::Date {
    kit::field::to_date(day.parse().expect("a day"))
}

/// The reason in an error.
pub(crate) fn reason(status: &Status) -> String {
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}

/// The fields that an error names.
pub(crate) fn fields(status: &Status) -> Vec<String> {
    let wrong = status
        .get_details_bad_request()
        .map(|bad| bad.field_violations);
    wrong
        .unwrap_or_default()
        .into_iter()
        .map(|violation| violation.field)
        .collect()
}

/// Runs each `async fn(Desk)` on SQLite and on PostgreSQL, in an empty register.
macro_rules! desk_suite {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::desk::Desk::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                let Some(desk) = $crate::desk::Desk::postgres().await else { return };
                super::$test(desk).await;
            })+
        }
    };
}
pub(crate) use desk_suite;
