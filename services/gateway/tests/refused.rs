//! The door keeps no audit log: what it refuses is made known to the service that would have answered, which never
//! sees what was asked.

mod door;
mod spy;

use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::future::join_all;
use gateway::Limit;
use http::Request;
use kit::auth::{AuthConfig, Issuer, Role};
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::server::{REFUSED, Running, Server, ServerConfig};
use tokio::sync::mpsc;
use tonic::Status;

use door::http::{Canned, Reply, Seen, framed, send, send_http2};
use door::{Behaviour, behave, clock, door_set};
use spy::{Ear, Spy};

/// What a laboratory may not call: a method of each service, in the order of [`Services`].
const PROBED: [&str; 4] = [
    "/campus.roster.v1.StudentService/GetStudent",
    "/campus.sampling.v1.HoldService/ReleaseHold",
    "/campus.safety.v1.HazardService/GetHazard",
    "/campus.notification.v1.SupportService/GetSupportCase",
];
/// What it may call.
const PERMITTED: &str = "/campus.sampling.v1.TubeService/GetTube";

/// Roster, sampling, safety-inspection and notification behind one gateway.
struct Services {
    addr: SocketAddr,
    /// What each of them is told.
    ears: Vec<Ear>,
    /// What any of them is asked.
    seen: mpsc::UnboundedReceiver<Seen>,
    _running: Vec<Running>,
}

impl Services {
    async fn open(set: impl FnOnce(&mut gateway::Config)) -> Self {
        let (sender, seen) = mpsc::unbounded_channel();
        let canned = Canned {
            seen: sender,
            messages: vec![Vec::new()],
            status: Status::ok(""),
        };
        let services = join_all([(); 4].map(|()| service(canned.clone()))).await;
        let (mut running, ears): (Vec<_>, Vec<_>) = services.into_iter().unzip();
        let at: Vec<_> = running
            .iter()
            .map(|service| format!("http://{}", service.addr))
            .collect();
        let (door, _) = door_set(running[0].addr, |config| {
            config.upstreams.roster.clone_from(&at[0]);
            config.upstreams.sampling.clone_from(&at[1]);
            config.upstreams.safety_inspection.clone_from(&at[2]);
            config.upstreams.notification.clone_from(&at[3]);
            set(config);
        })
        .await;
        let addr = door.addr;
        running.push(door);
        Self {
            addr,
            ears,
            seen,
            _running: running,
        }
    }

    /// Calls a method by gRPC with one message.
    async fn call(&self, path: &str, bearer: &str, more: Option<&'static str>) -> Reply {
        let mut call = Request::post(path)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", bearer);
        if let Some(name) = more {
            call = call.header(name, "true");
        }
        let call = call.body(Bytes::from(framed(b"asked"))).expect("a request");
        send_http2(self.addr, call).await
    }

    /// What was asked and reached a service.
    fn came(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.seen.try_recv().ok())
            .map(|seen| seen.path)
            .collect()
    }
}

/// A service that answers everything alike, and what it is told.
async fn service(canned: Canned) -> (Running, Ear) {
    let (auth, listen) = (AuthConfig::development(), ServerConfig::loopback());
    let server = Server::bind(&listen, &auth, clock(), Drain::new()).await;
    let (spy, ear) = Spy::new();
    let server = server.expect("binds").behind(spy);
    let answer = move |request: Request<axum::body::Body>| {
        let canned = canned.clone();
        async move { behave(Behaviour::Canned(canned), request).await }
    };
    let router = axum::Router::new().fallback(answer);
    (server.serve(tonic::service::Routes::from(router)), ear)
}

/// What a laboratory shows.
fn laboratory() -> String {
    let (now, life) = (clock().now(), std::time::Duration::from_secs(600));
    let roles = [Role::Laboratory];
    let token =
        Issuer::development().token("l", &roles, &OrgPath::root(), Some("lab-1"), now, life);
    format!("Bearer {token}")
}

#[tokio::test]
async fn each_service_hears_who_was_refused_its_methods_and_not_what_was_asked() {
    let mut services = Services::open(|_| {}).await;
    let bearer = laboratory();
    for (owner, path) in PROBED.into_iter().enumerate() {
        let refused = services.call(path, &bearer, None).await;
        assert_eq!(refused.header("grpc-status"), "7", "{path}");
        let told = services.ears[owner].next().await;
        assert_eq!(told.path, path);
        let shown = told.headers.get("authorization");
        assert_eq!(shown.expect("a token"), bearer.as_str(), "{path}");
        assert!(told.is_empty, "{path}");
    }
    assert!(services.ears.iter_mut().all(Ear::is_quiet), "once each");
    assert_eq!(services.came(), Vec::<String>::new());
}

#[tokio::test]
async fn who_asks_in_another_dialect_is_told_of_as_well() {
    let mut services = Services::open(|_| {}).await;
    let bearer = laboratory();
    let web = Request::post(PROBED[0])
        .header("host", "campus")
        .header("content-type", "application/grpc-web")
        .header("authorization", &bearer);
    let web = web.body(Bytes::from(framed(b""))).expect("a request");
    let refused = send(services.addr, web).await;
    assert_eq!(refused.header("grpc-status"), "7");
    assert_eq!(services.ears[0].next().await.path, PROBED[0]);

    let json = Request::get("/v1/students/7")
        .header("host", "campus")
        .header("authorization", &bearer);
    let json = json.body(Bytes::new()).expect("a request");
    let refused = send(services.addr, json).await;
    assert_eq!(refused.status.as_u16(), 403);
    let told = services.ears[0].next().await;
    assert_eq!((&*told.path, told.is_empty), (PROBED[0], true));
    assert_eq!(services.came(), Vec::<String>::new());
}

#[tokio::test]
async fn of_what_the_gateway_answers_itself_roster_hears() {
    let mut services = Services::open(|_| {}).await;
    let bearer = laboratory();
    for path in [
        "/campus.gateway.v1.OverviewService/GetOverview",
        "/campus.gateway.v1.AuditService/SearchAudit",
        "/campus.gateway.v1.SubjectDataService/ExportSubjectData",
    ] {
        let call = Request::post(path)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", &bearer);
        let call = call.body(Bytes::from(framed(b""))).expect("a request");
        let refused = send_http2(services.addr, call).await;
        assert_eq!(refused.header("grpc-status"), "7", "{path}");
        assert_eq!(services.ears[0].next().await.path, path);
    }
    assert!(services.ears.iter_mut().all(Ear::is_quiet));
}

#[tokio::test]
async fn who_goes_on_asking_for_what_they_may_not_is_slowed() {
    let mut services = Services::open(|config| {
        config.limits.all = Limit { rate: 1, burst: 3 };
    })
    .await;
    let bearer = laboratory();
    let (mut refused, mut slowed) = (0, 0);
    for _ in 0..20 {
        match services
            .call(PROBED[0], &bearer, None)
            .await
            .header("grpc-status")
        {
            "7" => refused += 1,
            "8" => slowed += 1,
            other => panic!("{other}"),
        }
    }
    assert!(refused >= 3 && slowed > 0, "{refused} and {slowed}");
    for _ in 0..refused {
        services.ears[0].next().await;
    }
    assert!(services.ears[0].is_quiet(), "what is slowed is not told of");
}

#[tokio::test]
async fn nobody_outside_speaks_for_the_door() {
    let mut services = Services::open(|_| {}).await;
    let answered = services.call(PERMITTED, &laboratory(), Some(REFUSED)).await;
    assert_eq!(answered.trailers.get("grpc-status").expect("an end"), "0");
    assert_eq!(services.came(), [PERMITTED]);
    assert!(services.ears.iter_mut().all(Ear::is_quiet));
}
