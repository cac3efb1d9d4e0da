//! Services that tell figures, each at an address of its own: they answer, refuse, stall or are away, and
//! remember who asked them.
#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod answers;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use gateway::{Config, LimitsConfig, UpstreamsConfig};
use http::{Request as HttpRequest, Response as HttpResponse};
use kit::auth::{AuthConfig, Issuer, Role};
use kit::clock::{Clock, ManualClock};
use kit::drain::Drain;
use kit::server::{Running, Server, ServerConfig};
use proto::gateway::overview_service_client::OverviewServiceClient;
use proto::gateway::section::Kind;
use proto::gateway::{Figure, Measure, Overview, Section};
use tokio::sync::watch;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt;

pub(crate) const CITY: &str = "fz";
pub(crate) const DISTRICT: &str = "350102";

/// The methods that are asked.
pub(crate) const ORGANIZATION: &str = "OrganizationService/GetOrganization";
pub(crate) const COVERAGE: &str = "CoverageService/GetCoverage";
pub(crate) const HEALTH: &str = "CoverageService/GetHealthCoverage";
pub(crate) const SAFETY: &str = "SafetyFiguresService/GetSafetyFigures";
pub(crate) const RESUMPTION: &str = "ResumptionService/GetResumptionFigures";
pub(crate) const ALERTS: &str = "AlertService/ListAlertGroups";
pub(crate) const CONCERNS: &str = "ConcernService/GetConcernFigures";
pub(crate) const TEACHING: &str = "ClassGroupService/GetTeachingSummary";

/// What methods do instead of answering; they are named by a part of their path.
#[derive(Clone, Debug)]
pub(crate) enum Whim {
    /// Refuses everybody.
    Refuse(Status),
    /// Refuses one subject.
    RefuseOne(&'static str, Status),
    /// Never answers.
    Stall,
}

/// The services, as a test sees them.
#[derive(Clone, Debug)]
pub(crate) struct Services(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    whims: Mutex<HashMap<&'static str, Whim>>,
    asked: Mutex<Vec<(String, String)>>,
    /// How many campuses there are; a change rings.
    campuses: watch::Sender<i32>,
    /// How many class groups are taught at home.
    online: Mutex<i32>,
}

impl Services {
    fn new() -> Self {
        Self(Arc::new(Shared {
            whims: Mutex::default(),
            asked: Mutex::default(),
            campuses: watch::Sender::new(4),
            online: Mutex::new(1),
        }))
    }

    /// From now on a method does this.
    pub(crate) fn let_it(&self, method: &'static str, whim: Whim) {
        self.0.whims.lock().expect("whole").insert(method, whim);
    }

    /// From now on a method answers again.
    pub(crate) fn heal(&self, method: &'static str) {
        self.0.whims.lock().expect("whole").remove(method);
    }

    /// The safety of campuses changes.
    pub(crate) fn set_campuses(&self, count: i32) {
        self.0.campuses.send_replace(count);
    }

    /// From now on so many class groups are taught at home; nobody announces it.
    pub(crate) fn set_online(&self, count: i32) {
        *self.0.online.lock().expect("whole") = count;
    }

    /// How many watch the safety of campuses.
    pub(crate) fn listeners(&self) -> usize {
        self.0.campuses.receiver_count()
    }

    /// Who asked a method, in order.
    pub(crate) fn asked(&self, method: &str) -> Vec<String> {
        let asked = self.0.asked.lock().expect("whole");
        let of = asked.iter().filter(|(path, _)| path.ends_with(method));
        of.map(|(_, subject)| subject.clone()).collect()
    }

    fn whim(&self, path: &str) -> Option<Whim> {
        let whims = self.0.whims.lock().expect("whole");
        let found = whims.iter().find(|(method, _)| path.contains(**method));
        found.map(|(_, whim)| whim.clone())
    }
}

/// A gateway before its services.
#[derive(Debug)]
pub(crate) struct Stand {
    pub(crate) services: Services,
    pub(crate) gateway: Running,
    pub(crate) channel: Channel,
    pub(crate) clock: ManualClock,
    pub(crate) drain: Drain,
    _running: Vec<Running>,
}

/// Nobody listens there.
pub(crate) fn nowhere() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

impl Stand {
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    /// A gateway with settings of its own.
    pub(crate) async fn with(set: impl FnOnce(&mut Config)) -> Self {
        let services = Services::new();
        let clock = ManualClock::at("2022-04-07T02:00:00Z".parse().expect("an instant"));
        let mut running = Vec::new();
        let mut addresses = Vec::new();
        for _ in 0..4 {
            let service = listen(&services, &clock).await;
            addresses.push(format!("http://{}", service.addr));
            running.push(service);
        }
        let mut addresses = addresses.into_iter();
        let mut address = || addresses.next().expect("four services");
        let upstreams = UpstreamsConfig {
            roster: address(),
            sampling: address(),
            safety_inspection: address(),
            notification: address(),
        };
        let auth = AuthConfig::development();
        let mut config = Config::new(ServerConfig::loopback(), auth, upstreams);
        config.limits = LimitsConfig::wide();
        config.overview.poll = Duration::from_secs(60);
        config.overview.heartbeat = Duration::from_secs(300);
        set(&mut config);
        let drain = Drain::new();
        let gateway = gateway::start(config, Arc::new(clock.clone()), drain.clone())
            .await
            .expect("starts");
        let address = format!("http://{}", gateway.addr);
        Self {
            services,
            channel: kit::channel::connect_lazy(&address).expect("a URI"),
            gateway,
            clock,
            drain,
            _running: running,
        }
    }

    pub(crate) fn client(&self) -> OverviewServiceClient<Channel> {
        OverviewServiceClient::new(self.channel.clone())
    }

    pub(crate) fn signed<T>(&self, subject: &str, role: Role, at: &str, message: T) -> Request<T> {
        let scope = at.parse().expect("a place");
        let ttl = Duration::from_secs(3600);
        let token =
            Issuer::development().token(subject, &[role], &scope, None, self.clock.now(), ttl);
        let mut request = Request::new(message);
        let bearer = format!("Bearer {token}").parse().expect("a header");
        request.metadata_mut().insert("authorization", bearer);
        request
    }

    /// The overview of the city for an officer of the city.
    pub(crate) async fn overview(&self, subject: &str) -> Overview {
        let request = proto::gateway::GetOverviewRequest {
            name: format!("organizations/{CITY}/overview"),
            date: None,
        };
        let request = self.signed(subject, Role::CityOfficer, CITY, request);
        let answered = self.client().get_overview(request).await;
        answered.expect("there is an overview").into_inner()
    }
}

async fn listen(services: &Services, clock: &ManualClock) -> Running {
    let auth = AuthConfig::development();
    let listen = ServerConfig::loopback();
    let server = Server::bind(&listen, &auth, Arc::new(clock.clone()), Drain::new())
        .await
        .expect("binds");
    let services = services.clone();
    let answer = move |request: HttpRequest<Body>| {
        let services = services.clone();
        async move { behave(services, request).await }
    };
    let router = axum::Router::new().fallback(answer);
    server.serve(tonic::service::Routes::from(router))
}

async fn behave(services: Services, request: HttpRequest<Body>) -> HttpResponse<Body> {
    let path = request.uri().path().to_owned();
    let caller = request.extensions().get::<Arc<kit::auth::Caller>>();
    let caller = caller.cloned().expect("the server authenticates");
    let asked = (path.clone(), caller.subject.clone());
    services.0.asked.lock().expect("whole").push(asked);
    match services.whim(&path) {
        Some(Whim::Refuse(status)) => return status.into_http(),
        Some(Whim::RefuseOne(subject, status)) if subject == caller.subject => {
            return status.into_http();
        }
        Some(Whim::Stall) => return std::future::pending().await,
        _ => {}
    }
    answers::answer(&services, &caller, &path, request).await
}

pub(crate) fn section(overview: &Overview, kind: Kind) -> &Section {
    let mut sections = overview.sections.iter();
    let found = sections.find(|section| section.kind() == kind);
    found.unwrap_or_else(|| panic!("{kind:?} is among the sections"))
}

/// The value of a figure that is no part of another.
pub(crate) fn value(section: &Section, measure: Measure) -> Option<i64> {
    let whole = |figure: &&Figure| figure.measure() == measure && figure.breakdown.is_none();
    section
        .figures
        .iter()
        .find(whole)
        .and_then(|figure| figure.value)
}

pub(crate) fn reason(status: &Status) -> String {
    let info = status.get_details_error_info();
    info.map(|info| info.reason).unwrap_or_default()
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), wait).await;
    waited.unwrap_or_else(|_| panic!("{what}"));
}
