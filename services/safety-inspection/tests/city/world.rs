//! The service over its own database, and gates before it. Roster and sampling are away all the
//! time: a gate decides from what was told before.

use std::sync::Arc;
use std::time::Duration;

use kit::auth::{AuthConfig, Caller, Issuer, Role};
use kit::clock::{Clock, ManualClock, SystemClock};
use kit::db::{Database, DatabaseConfig};
use kit::drain::Drain;
use kit::scratch::Scratch;
use kit::server::{Running, ServerConfig};
use kit::telemetry::TelemetryConfig;
use kit::vault::{CryptoConfig, EmergencyConfig};
use proto::safety as pb;
use proto::safety::check_entry_request::Identity;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_reason::Code;
use proto::safety::gate_service_client::GateServiceClient;
use safety_inspection::{Config, GateConfig, Migrator, ProvidersConfig};
use tonic::transport::Channel;
use tonic::{Code as Grpc, Request, Status};
use tonic_types::{ErrorDetail, StatusExt};

use super::{SCHOOL, SCHOOL_PATH, roster};

pub(crate) struct World {
    pub(crate) client: GateServiceClient<Channel>,
    /// To any service of the door.
    pub(crate) channel: Channel,
    pub(crate) clock: ManualClock,
    pub(crate) db: Database,
    pub(crate) running: Option<Running>,
    pub(crate) scratch: Scratch,
}

impl World {
    pub(crate) async fn new(scratch: Scratch) -> Self {
        Self::with(scratch, |_| {}).await
    }

    /// With the roster at an address.
    pub(crate) async fn beside(scratch: Scratch, roster_address: &str) -> Self {
        let address = roster_address.to_owned();
        Self::with(scratch, |config| config.roster = address).await
    }

    /// With other settings.
    pub(crate) async fn with(scratch: Scratch, change: impl FnOnce(&mut Config)) -> Self {
        let clock = ManualClock::at("2022-04-06T00:00:00Z".parse().expect("an instant"));
        let db = scratch.open::<Migrator>().await;
        roster(&db, &super::city(), 1).await;
        heard(&db, &clock).await;
        let (channel, running) = serve_with(&scratch, &clock, change).await;
        Self {
            client: GateServiceClient::new(channel.clone()),
            channel,
            clock,
            db,
            running: Some(running),
            scratch,
        }
    }

    pub(crate) fn as_role<T>(&self, role: Role, scope: &str, message: T) -> Request<T> {
        let start = "2022-04-05T00:00:00Z".parse().expect("an instant");
        signed(&bearer("someone-1", role, scope, start), message)
    }

    /// A call of `subject`, such as the `staff/…` of a member of staff.
    pub(crate) fn by<T>(&self, subject: &str, role: Role, scope: &str, message: T) -> Request<T> {
        let start = "2022-04-05T00:00:00Z".parse().expect("an instant");
        signed(&bearer(subject, role, scope, start), message)
    }

    /// A call of a caller of whom more is said than a role.
    pub(crate) fn of<T>(&self, caller: Caller, message: T) -> Request<T> {
        let start = "2022-04-05T00:00:00Z".parse().expect("an instant");
        let caller = Caller {
            second_factor: true,
            ..caller
        };
        let days = Duration::from_secs(86_400 * 60);
        let token = Issuer::development().issue(caller, start, days);
        signed(&format!("Bearer {token}"), message)
    }

    pub(crate) async fn check(
        &mut self,
        request: pb::CheckEntryRequest,
    ) -> Result<pb::GateDecision, Status> {
        let request = self.as_role(Role::Guard, SCHOOL_PATH, request);
        Ok(self.client.check_entry(request).await?.into_inner())
    }

    /// Waits until the gate knows, at most five seconds.
    pub(crate) async fn until(
        &mut self,
        request: pb::CheckEntryRequest,
        outcome: Outcome,
    ) -> pb::GateDecision {
        for _ in 0..100 {
            let decision = self.check(request.clone()).await.expect("decided");
            if decision.result() == outcome {
                return decision;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the gate never said {outcome:?}");
    }
}

fn bearer(subject: &str, role: Role, scope: &str, start: chrono::DateTime<chrono::Utc>) -> String {
    let scope = scope.parse().expect("a scope");
    let days = Duration::from_secs(86_400 * 60);
    let token = Issuer::development().token(subject, &[role], &scope, None, start, days);
    format!("Bearer {token}")
}

/// The header of `role` at `scope` by the machine's clock.
pub(crate) fn bearer_now(role: Role, scope: &str) -> String {
    bearer("someone-1", role, scope, SystemClock.now())
}

pub(crate) fn signed<T>(bearer: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let bearer = bearer.parse().expect("a header");
    request.metadata_mut().insert("authorization", bearer);
    request
}

/// The facts were confirmed just now.
pub(crate) async fn heard(db: &Database, clock: &ManualClock) {
    let store = safety_inspection::store::Store::new(db.clone());
    for feed in ["roster", "clearance"] {
        store.note_heard(feed, clock.now()).await.expect("noted");
    }
}

pub(crate) async fn serve(database: &DatabaseConfig, clock: &ManualClock) -> (Channel, Running) {
    serve_with(database, clock, |_| {}).await
}

pub(crate) async fn serve_with(
    database: &DatabaseConfig,
    clock: &ManualClock,
    change: impl FnOnce(&mut Config),
) -> (Channel, Running) {
    let mut config = Config {
        server: ServerConfig::loopback(),
        auth: AuthConfig::development(),
        telemetry: TelemetryConfig::default(),
        audit: kit::audit::AuditConfig::default(),
        database: database.clone(),
        roster: "http://127.0.0.1:9".to_owned(),
        sampling: "http://127.0.0.1:9".to_owned(),
        gate: GateConfig {
            refresh: Duration::from_millis(20),
            ..GateConfig::default()
        },
        crypto: CryptoConfig::default(),
        emergencies: EmergencyConfig::default(),
        providers: ProvidersConfig::default(),
    };
    change(&mut config);
    let running = safety_inspection::start(config, Arc::new(clock.clone()), Drain::new())
        .await
        .expect("started");
    let address = format!("http://{}", running.addr);
    let channel = kit::channel::connect_lazy(&address).expect("an address");
    (channel, running)
}

pub(crate) fn well(person: &str) -> pb::CheckEntryRequest {
    pb::CheckEntryRequest {
        parent: SCHOOL.to_owned(),
        identity: Some(Identity::Person(person.to_owned())),
        observation: Some(pb::GateObservation {
            temperature_decidegrees: Some(365),
            colour: pb::gate_observation::Colour::Green.into(),
            travel_card: Some(pb::TravelCard {
                show_date: Some(proto::Date {
                    year: 2022,
                    month: 4,
                    day: 6,
                }),
                starred: false,
                ..Default::default()
            }),
            ..Default::default()
        }),
        device: "东门-1".to_owned(),
        ..Default::default()
    }
}

pub(crate) fn with_temperature(person: &str, tenths: i32) -> pb::CheckEntryRequest {
    let mut request = well(person);
    if let Some(observation) = &mut request.observation {
        observation.temperature_decidegrees = Some(tenths);
    }
    request
}

pub(crate) fn codes(decision: &pb::GateDecision) -> Vec<Code> {
    decision.reasons.iter().map(pb::GateReason::code).collect()
}

/// Code, reason and the Chinese sentence of an error.
pub(crate) fn told(status: &Status) -> (Grpc, String, String) {
    let reason = status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default();
    let zh = status
        .get_error_details_vec()
        .into_iter()
        .find_map(|detail| match detail {
            ErrorDetail::LocalizedMessage(words) if words.locale == "zh-CN" => Some(words.message),
            _ => None,
        });
    (status.code(), reason, zh.unwrap_or_default())
}

/// Makes each test run on both databases, with a world of its own.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let world = $crate::city::world::World::new(kit::scratch::sqlite()).await;
                super::$test(world).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let Some(scratch) = kit::scratch::postgres().await else { return };
                super::$test($crate::city::world::World::new(scratch).await).await;
            })+
        }
    };
}
pub(crate) use on_both;
