//! A service that keeps a log, and callers who sign what they ask.

use std::sync::Arc;
use std::time::Duration;

use kit::audit::{AuditConfig, chain_all};
use kit::auth::{AuthConfig, Caller, Issuer, Permission, Role, caller};
use kit::clock::{Clock, SystemClock};
use kit::db::{Database, statement};
use kit::drain::Drain;
use kit::request;
use kit::server::{Running, Server, ServerConfig};
use kit::status::Problem;
use kit::telemetry::TelemetryConfig;
use opentelemetry::global;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use proto::audit::audit_log_service_client::AuditLogServiceClient;
use proto::audit::{AuditRecord, SearchRecordsRequest};
use proto::error::ErrorReason;
use proto::sampling::hold_service_client::HoldServiceClient;
use proto::sampling::hold_service_server::{HoldService, HoldServiceServer};
use proto::sampling::{
    GetHoldRequest, Hold, ListHoldEventsRequest, ListHoldEventsResponse, ListHoldsRequest,
    ListHoldsResponse, ListRecheckOrdersRequest, ListRecheckOrdersResponse, ReleaseHoldRequest,
};
use sea_orm::ConnectionTrait;
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

pub(crate) const SERVICE: &str = "sampling";
pub(crate) const PLACE: &str = "fz/350102/2135010001";
pub(crate) const HOLD: &str = "holds/5f0c3a52-6f4e-4d1c-9a67-3f1d2f0f7a11";
pub(crate) const ID: &str = "8d1f6a3e-2b7c-4d5e-8f90-a1b2c3d4e5f6";

pub(crate) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        kit::migration::tables()
    }
}

/// Holds at one school. The reason of a release says what becomes of it.
#[derive(Debug)]
struct Holds(Database);

#[tonic::async_trait]
impl HoldService for Holds {
    async fn get_hold(&self, request: Request<GetHoldRequest>) -> Result<Response<Hold>, Status> {
        caller(&request)?.require(Permission::HoldRead, &place())?;
        let name = request.into_inner().name;
        Ok(Response::new(Hold {
            name,
            ..Hold::default()
        }))
    }

    async fn release_hold(
        &self,
        request: Request<ReleaseHoldRequest>,
    ) -> Result<Response<Hold>, Status> {
        let caller = caller(&request)?;
        caller.require(Permission::HoldRelease, &place())?;
        let message = request.into_inner();
        let hold = Hold {
            name: message.name.clone(),
            ..Hold::default()
        };
        if message.reason == "forget" {
            return Ok(Response::new(hold));
        }
        let once = (message.request_id.as_str(), &message);
        let now = SystemClock.now();
        let done = request::act(
            &self.0,
            &caller,
            "ReleaseHold",
            once,
            now,
            async |_| match message.reason.as_str() {
                "fail" => Err(Problem::new(ErrorReason::Conflict)),
                _ => Ok(hold),
            },
        );
        Ok(Response::new(done.await?))
    }

    async fn list_holds(
        &self,
        _: Request<ListHoldsRequest>,
    ) -> Result<Response<ListHoldsResponse>, Status> {
        Err(Problem::new(ErrorReason::NotFound).into())
    }

    async fn list_recheck_orders(
        &self,
        _: Request<ListRecheckOrdersRequest>,
    ) -> Result<Response<ListRecheckOrdersResponse>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn list_hold_events(
        &self,
        _: Request<ListHoldEventsRequest>,
    ) -> Result<Response<ListHoldEventsResponse>, Status> {
        Ok(Response::new(Default::default()))
    }
}

fn place() -> kit::org::OrgPath {
    PLACE.parse().expect("a place")
}

/// A service that keeps a log in `db`.
pub(crate) struct Town {
    pub(crate) db: Database,
    pub(crate) running: Running,
    channel: Channel,
}

impl Town {
    pub(crate) async fn open(db: Database) -> Self {
        Self::told(db, SERVICE, &TelemetryConfig::default()).await
    }

    /// The same, as `service` to operators and to the log.
    pub(crate) async fn told(db: Database, service: &'static str, told: &TelemetryConfig) -> Self {
        // As a process does that begins to tell its telemetry.
        global::set_text_map_propagator(TraceContextPropagator::new());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let auth = AuthConfig::development();
        let config = ServerConfig {
            drain: Duration::from_millis(200),
            ..ServerConfig::loopback()
        };
        let server = Server::bind(&config, &auth, clock, Drain::new()).await;
        let server = server.expect("binds").observed(service, told).await;
        let server = server.expect("a page");
        let server = server.audited(&db, service, &AuditConfig::default());
        let holds = HoldServiceServer::new(Holds(db.clone()));
        let running = server
            .expect("a log")
            .serve(tonic::service::Routes::new(holds));
        let address = format!("http://{}", running.addr);
        Self {
            db,
            running,
            channel: kit::channel::connect_lazy(&address).expect("an address"),
        }
    }

    pub(crate) fn holds(&self) -> HoldServiceClient<Channel> {
        HoldServiceClient::new(self.channel.clone())
    }

    pub(crate) fn log(&self) -> AuditLogServiceClient<Channel> {
        AuditLogServiceClient::new(self.channel.clone())
    }

    /// Every record, those that are not chained yet included, the oldest first.
    pub(crate) async fn records(&self) -> Vec<AuditRecord> {
        chained(&self.db).await;
        let asked = signed(Role::AuditAdmin, "", SearchRecordsRequest::default());
        let found = self.log().search_records(asked).await.expect("records");
        let mut records = found.into_inner().records;
        records.retain(|record| !record.method.starts_with("/campus.audit."));
        records.reverse();
        records
    }

    /// The records once there are so many.
    pub(crate) async fn settled(&self, count: usize) -> Vec<AuditRecord> {
        let waiting = async {
            loop {
                let records = self.records().await;
                if records.len() >= count {
                    return records;
                }
                tokio::task::yield_now().await;
            }
        };
        let settled = tokio::time::timeout(Duration::from_secs(30), waiting).await;
        settled.expect("the records come")
    }
}

pub(crate) fn signed<T>(role: Role, scope: &str, message: T) -> Request<T> {
    signed_by(&format!("test-{role}"), role, scope, message)
}

pub(crate) fn signed_by<T>(subject: &str, role: Role, scope: &str, message: T) -> Request<T> {
    let caller = Caller {
        subject: subject.to_owned(),
        roles: vec![role],
        scope: scope.parse().expect("a place"),
        second_factor: true,
        ..Caller::default()
    };
    let ttl = Duration::from_secs(60);
    let token = Issuer::development().issue(caller, SystemClock.now(), ttl);
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", bearer);
    request
}

pub(crate) fn get(name: &str) -> GetHoldRequest {
    GetHoldRequest {
        name: name.to_owned(),
    }
}

pub(crate) fn release(reason: &str, request_id: &str) -> ReleaseHoldRequest {
    ReleaseHoldRequest {
        name: HOLD.to_owned(),
        reason: reason.to_owned(),
        decided_by: String::new(),
        request_id: request_id.to_owned(),
    }
}

/// How many rows both tables of the log have.
pub(crate) async fn rows(db: &Database) -> i64 {
    let sql = "SELECT (SELECT count(*) FROM audit_pending) + (SELECT count(*) FROM audit_records)";
    number(db, sql).await
}

pub(crate) async fn number(db: &Database, sql: &str) -> i64 {
    let row = db.read().query_one_raw(statement(db.read(), sql, [])).await;
    let row = row.expect("a count").expect("a row");
    row.try_get_by_index(0).expect("a number")
}

/// Waits until every record that was written is chained, by whomever.
pub(crate) async fn chained(db: &Database) {
    while number(db, "SELECT count(*) FROM audit_pending").await > 0 {
        chain_all(db, SERVICE).await.expect("chains");
        tokio::task::yield_now().await;
    }
}
