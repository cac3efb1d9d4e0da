//! Personal data of minors beyond daily work, as callers of a service see it that asks for approvals.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use kit::approvals::{Answer, Approvals, StandIn};
use kit::audit::AuditConfig;
use kit::auth::{AuthConfig, Caller, Issuer, PURPOSE, Permission, Role, caller};
use kit::clock::{Clock, SystemClock};
use kit::db::Database;
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::server::{Running, Server, ServerConfig};
use proto::audit::SearchRecordsRequest;
use proto::audit::audit_log_service_client::AuditLogServiceClient;
use proto::roster::{MinorData, UseAccessRequest};
use proto::sampling::clearance_feed_client::ClearanceFeedClient;
use proto::sampling::clearance_feed_server::{ClearanceFeed, ClearanceFeedServer};
use proto::sampling::hold_service_client::HoldServiceClient;
use proto::sampling::hold_service_server::{HoldService, HoldServiceServer};
use proto::sampling::{
    ClearanceSnapshotRequest, ClearanceSnapshotResponse, ClearanceWatchRequest,
    ClearanceWatchResponse, GetHoldRequest, Hold, ListHoldEventsRequest, ListHoldEventsResponse,
    ListHoldsRequest, ListHoldsResponse, ListRecheckOrdersRequest, ListRecheckOrdersResponse,
    ReleaseHoldRequest,
};
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetail, StatusExt};

const DISTRICT: &str = "organizations/350102";
const SCHOOL: &str = "organizations/2135010001";
const CLASS_PATH: &str = "fz/350102/2135010001/p2019-01";
const OTHER_PATH: &str = "fz/350102/2135010002";

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        kit::migration::tables()
    }
}

kit::store_suite!(Migrator;
    daily_work_asks_nobody,
    what_nobody_approved_is_refused_as_the_roster_refuses,
    what_is_approved_is_shown_and_each_use_is_told,
    what_lies_at_two_schools_takes_an_approval_of_both,
    who_may_not_ask_sees_nothing,
    without_the_roster_nothing_is_shown,
    what_shows_no_minors_asks_nobody,
    a_stream_is_refused_before_its_first_message,
    a_failure_is_told_without_asking,
    the_roster_is_told_what_is_left_of_the_callers_deadline,
);

/// Holds of a class group. A name that ends with `both` is held at two schools, and `none` is none.
#[derive(Debug)]
struct Holds;

#[tonic::async_trait]
impl HoldService for Holds {
    async fn get_hold(&self, request: Request<GetHoldRequest>) -> Result<Response<Hold>, Status> {
        let caller = caller(&request)?;
        caller.require(Permission::HoldRead, &place(CLASS_PATH))?;
        let name = request.into_inner().name;
        if name.ends_with("both") {
            caller.require(Permission::HoldRead, &place(OTHER_PATH))?;
        }
        if name.ends_with("none") {
            return Err(kit::status::Problem::not_found(name).into());
        }
        Ok(Response::new(Hold {
            name,
            ..Hold::default()
        }))
    }

    async fn release_hold(
        &self,
        request: Request<ReleaseHoldRequest>,
    ) -> Result<Response<Hold>, Status> {
        caller(&request)?.require(Permission::HoldRelease, &place(CLASS_PATH))?;
        Ok(Response::new(Default::default()))
    }

    async fn list_holds(
        &self,
        _: Request<ListHoldsRequest>,
    ) -> Result<Response<ListHoldsResponse>, Status> {
        Ok(Response::new(Default::default()))
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

#[tonic::async_trait]
impl ClearanceFeed for Holds {
    type SnapshotStream = BoxStream<'static, Result<ClearanceSnapshotResponse, Status>>;
    type WatchStream = BoxStream<'static, Result<ClearanceWatchResponse, Status>>;

    async fn snapshot(
        &self,
        _: Request<ClearanceSnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let page = ClearanceSnapshotResponse::default();
        Ok(Response::new(stream::iter([Ok(page)]).boxed()))
    }

    async fn watch(
        &self,
        _: Request<ClearanceWatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(stream::pending().boxed()))
    }
}

fn place(text: &str) -> OrgPath {
    text.parse().expect("a place")
}

/// A service that asks a roster.
struct Town {
    roster: StandIn,
    running: Running,
    channel: Channel,
}

impl Town {
    async fn open(db: Database) -> Self {
        let roster = StandIn::default();
        let address = roster.serve().await.expect("a port");
        let roster_channel = kit::channel::connect_lazy(&address).expect("an address");
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let config = ServerConfig {
            drain: Duration::from_millis(200),
            ..ServerConfig::loopback()
        };
        let server = Server::bind(&config, &AuthConfig::development(), clock, Drain::new()).await;
        let server = server.expect("binds");
        let server = server.audited(&db, "sampling", &AuditConfig::default());
        let server = server
            .expect("a log")
            .approving(Approvals::new(roster_channel));
        let routes = tonic::service::Routes::new(HoldServiceServer::new(Holds))
            .add_service(ClearanceFeedServer::new(Holds));
        let running = server.serve(routes);
        let address = format!("http://{}", running.addr);
        Self {
            roster,
            running,
            channel: kit::channel::connect_lazy(&address).expect("an address"),
        }
    }

    async fn get(&self, purpose: &str, name: &str) -> Result<Hold, Status> {
        let name = name.to_owned();
        let asked = signed(Role::CityOfficer, purpose, GetHoldRequest { name });
        let mut holds = HoldServiceClient::new(self.channel.clone());
        holds.get_hold(asked).await.map(Response::into_inner)
    }

    /// The organisations that the roster was asked about.
    fn asked(&self) -> Vec<String> {
        let heard = self.roster.heard().into_iter();
        heard.map(|(request, _)| request.parent).collect()
    }

    async fn stop(self) {
        self.running.stop().await.expect("it stops");
    }
}

/// A call of the city for a purpose; for none when it is empty.
fn signed<T>(role: Role, purpose: &str, message: T) -> Request<T> {
    let caller = Caller {
        second_factor: true,
        ..Caller::new("somebody", vec![role], place("fz"))
    };
    let ttl = Duration::from_secs(60);
    let token = Issuer::development().issue(caller, SystemClock.now(), ttl);
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", bearer);
    if !purpose.is_empty() {
        let purpose = purpose.parse().expect("a header");
        request.metadata_mut().insert(PURPOSE, purpose);
    }
    request
}

/// The code and the reason of a refusal.
fn told(status: &Status) -> (Code, String) {
    let info = status.get_details_error_info();
    (
        status.code(),
        info.map(|info| info.reason).unwrap_or_default(),
    )
}

fn not_approved() -> (Code, String) {
    (Code::PermissionDenied, "ACCESS_NOT_APPROVED".to_owned())
}

async fn daily_work_asks_nobody(db: Database) {
    let town = Town::open(db).await;
    for purpose in ["", "care", "administration"] {
        town.get(purpose, "holds/1").await.expect("it is answered");
    }
    assert_eq!(town.asked(), Vec::<String>::new());
    town.stop().await;
}

async fn what_nobody_approved_is_refused_as_the_roster_refuses(db: Database) {
    let town = Town::open(db).await;
    town.roster.say(SCHOOL, Answer::NotApproved);
    for purpose in ["audit", "exercise"] {
        let refused = town.get(purpose, "holds/1").await.expect_err("refused");
        assert_eq!(told(&refused), not_approved());
        let info = refused.get_details_error_info().expect("a reason");
        let said = ["organization", "data", "purpose"].map(|key| info.metadata[key].as_str());
        assert_eq!(said, [SCHOOL, "SAMPLING", purpose]);
        let words = refused.get_error_details_vec();
        let words = words.into_iter().find_map(|detail| match detail {
            ErrorDetail::LocalizedMessage(words) if words.locale == "zh-CN" => Some(words.message),
            _ => None,
        });
        assert!(words.expect("Chinese words").contains("须先由他人批准"));
    }
    town.stop().await;
}

async fn what_is_approved_is_shown_and_each_use_is_told(db: Database) {
    let town = Town::open(db).await;
    town.roster.say(SCHOOL, Answer::Approved);
    for _ in 0..2 {
        let hold = town.get("audit", "holds/1").await.expect("it is shown");
        assert_eq!(hold.name, "holds/1");
    }
    let use_at = |parent: &str| {
        let request = UseAccessRequest {
            parent: parent.to_owned(),
            data: MinorData::Sampling.into(),
            method: "HoldService.GetHold".to_owned(),
            ..UseAccessRequest::default()
        };
        (request, "audit".to_owned())
    };
    // The roster knows no organisation by the name of the class group.
    let once = [use_at("organizations/p2019-01"), use_at(SCHOOL)];
    assert_eq!(town.roster.heard(), [&once[..], &once[..]].concat());
    town.stop().await;
}

async fn what_lies_at_two_schools_takes_an_approval_of_both(db: Database) {
    let town = Town::open(db).await;
    town.roster.say(SCHOOL, Answer::Approved);
    town.roster.say(DISTRICT, Answer::NotApproved);
    let refused = town.get("audit", "holds/both").await.expect_err("refused");
    assert_eq!(told(&refused), not_approved());
    assert_eq!(town.asked(), [DISTRICT]);
    town.roster.say(DISTRICT, Answer::Approved);
    town.get("audit", "holds/both").await.expect("it is shown");
    town.stop().await;
}

async fn who_may_not_ask_sees_nothing(db: Database) {
    let town = Town::open(db).await;
    for organization in [SCHOOL, DISTRICT, "organizations/fz"] {
        town.roster.say(organization, Answer::BeyondScope);
    }
    let refused = town.get("audit", "holds/1").await.expect_err("refused");
    assert_eq!(told(&refused), not_approved());
    let asked = [
        "organizations/p2019-01",
        SCHOOL,
        DISTRICT,
        "organizations/fz",
    ];
    assert_eq!(town.asked(), asked);
    town.stop().await;
}

async fn without_the_roster_nothing_is_shown(db: Database) {
    let town = Town::open(db).await;
    town.roster.say(SCHOOL, Answer::Approved);
    town.roster.down.store(true, Ordering::SeqCst);
    let refused = town.get("audit", "holds/1").await.expect_err("refused");
    let unavailable = (Code::Unavailable, "UNAVAILABLE".to_owned());
    assert_eq!(told(&refused), unavailable);
    town.get("care", "holds/1")
        .await
        .expect("daily work goes on");
    town.roster.down.store(false, Ordering::SeqCst);
    town.get("audit", "holds/1").await.expect("it is back");
    town.stop().await;
}

async fn what_shows_no_minors_asks_nobody(db: Database) {
    let town = Town::open(db).await;
    let act = signed(Role::CityOfficer, "audit", ReleaseHoldRequest::default());
    let mut holds = HoldServiceClient::new(town.channel.clone());
    holds.release_hold(act).await.expect("an act reads nothing");
    let search = signed(Role::AuditAdmin, "audit", SearchRecordsRequest::default());
    let mut log = AuditLogServiceClient::new(town.channel.clone());
    log.search_records(search)
        .await
        .expect("the log is no data of minors");
    assert_eq!(town.asked(), Vec::<String>::new());
    town.stop().await;
}

async fn a_stream_is_refused_before_its_first_message(db: Database) {
    let town = Town::open(db).await;
    let mut feed = ClearanceFeedClient::new(town.channel.clone());
    let request = || {
        signed(
            Role::CityOfficer,
            "audit",
            ClearanceSnapshotRequest::default(),
        )
    };
    let refused = feed.snapshot(request()).await.expect_err("refused");
    assert_eq!(told(&refused), not_approved());
    assert_eq!(
        town.asked(),
        ["organizations/fz"],
        "the scope of the caller"
    );
    town.roster.say("organizations/fz", Answer::Approved);
    let mut pages = feed
        .snapshot(request())
        .await
        .expect("it begins")
        .into_inner();
    assert!(pages.message().await.expect("a page").is_some());
    town.stop().await;
}

async fn the_roster_is_told_what_is_left_of_the_callers_deadline(db: Database) {
    let town = Town::open(db).await;
    town.roster.say(SCHOOL, Answer::Approved);
    // Less than the roster has by itself.
    let deadline = Duration::from_secs(4);
    let name = "holds/1".to_owned();
    let mut asked = signed(Role::CityOfficer, "audit", GetHoldRequest { name });
    asked.set_timeout(deadline);
    let mut holds = HoldServiceClient::new(town.channel.clone());
    holds.get_hold(asked).await.expect("it is shown");
    let waits = town.roster.waits();
    assert_eq!(waits.len(), 2, "of the class group and of the school");
    assert!(waits.iter().all(|wait| *wait <= deadline), "{waits:?}");
    assert!(waits.is_sorted_by(|one, next| one >= next), "{waits:?}");
    town.stop().await;
}

async fn a_failure_is_told_without_asking(db: Database) {
    let town = Town::open(db).await;
    let missing = town.get("audit", "holds/none").await.expect_err("refused");
    assert_eq!(told(&missing), (Code::NotFound, "NOT_FOUND".to_owned()));
    assert_eq!(town.asked(), Vec::<String>::new());
    town.stop().await;
}
