//! What all services hold about a person, through the gateway: whole where they answer, and partly where not.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use gateway::{Config, UpstreamsConfig};
use kit::auth::{AuthConfig, Issuer, Role};
use kit::clock::{Clock, SystemClock};
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::server::{Running, Server, ServerConfig};
use kit::subject::StandIn;
use proto::gateway::ExportSubjectDataRequest;
use proto::gateway::export_subject_data_response::{Part, ServiceEnd};
use proto::gateway::subject_data_service_client::SubjectDataServiceClient;
use proto::subject::held_data_service_server::{HeldDataService, HeldDataServiceServer};
use proto::subject::{ExportHeldDataRequest, ExportHeldDataResponse, HeldSection};
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt;

const REQUEST: &str =
    "organizations/2135010001/subjectRequests/0b9c3f5e-a111-4222-8333-44445555abcd";
const CLASS: &str = "fz/350102/2135010001/p2019-01";
const PERSON: &str = "students/0b9c3f5e-a111-4222-8333-44445555abce";

/// What a service that holds something does when it is asked.
#[derive(Clone, Copy, Debug)]
enum Mood {
    /// Tells two sections.
    Whole,
    /// Tells one, and fails.
    Broken,
    /// Tells one, and nothing more.
    Slow,
}

#[tonic::async_trait]
impl HeldDataService for Mood {
    type ExportHeldDataStream = BoxStream<'static, Result<ExportHeldDataResponse, Status>>;

    async fn export_held_data(
        &self,
        request: Request<ExportHeldDataRequest>,
    ) -> Result<Response<Self::ExportHeldDataStream>, Status> {
        let caller = kit::auth::caller(&request)?;
        assert_eq!(caller.subject, "clerk", "the caller's own token travels");
        assert_eq!(request.get_ref().name, REQUEST);
        let first = stream::iter([Ok(section("swabs"))]);
        Ok(Response::new(match self {
            Self::Whole => first.chain(stream::iter([Ok(section("holds"))])).boxed(),
            Self::Broken => {
                let broken = Err(Status::internal("row 7 of a table"));
                first.chain(stream::iter([broken])).boxed()
            }
            Self::Slow => first.chain(stream::pending()).boxed(),
        }))
    }
}

fn section(name: &str) -> ExportHeldDataResponse {
    ExportHeldDataResponse {
        section: Some(HeldSection {
            section: name.to_owned(),
            record_count: 3,
            ..HeldSection::default()
        }),
    }
}

fn settings() -> ServerConfig {
    ServerConfig {
        drain: Duration::from_millis(200),
        ..ServerConfig::loopback()
    }
}

async fn serve(routes: Routes) -> Running {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let auth = AuthConfig::development();
    let server = Server::bind(&settings(), &auth, clock, Drain::new()).await;
    server.expect("binds").serve(routes)
}

async fn held(mood: Mood) -> Running {
    serve(Routes::new(HeldDataServiceServer::new(mood))).await
}

/// An address at which nobody answers.
async fn nobody() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    listener.expect("a port").local_addr().expect("an address")
}

struct Door {
    roster: StandIn,
    client: SubjectDataServiceClient<Channel>,
    _running: Vec<Running>,
}

/// A gateway before a roster, sampling and notification in this mood, and a safety-inspection that is down.
async fn door(notification: Mood) -> Door {
    let stand_in = StandIn::default();
    let roster = serve(Routes::new(stand_in.service())).await;
    let sampling = held(Mood::Whole).await;
    let notification = held(notification).await;
    let upstreams = UpstreamsConfig {
        roster: format!("http://{}", roster.addr),
        sampling: format!("http://{}", sampling.addr),
        safety_inspection: format!("http://{}", nobody().await),
        notification: format!("http://{}", notification.addr),
    };
    let config = Config::new(settings(), AuthConfig::development(), upstreams);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let gateway = gateway::start(config, clock, Drain::new()).await;
    let gateway = gateway.expect("starts");
    let address = format!("http://{}", gateway.addr);
    let channel = kit::channel::connect_lazy(&address).expect("an address");
    Door {
        roster: stand_in,
        client: SubjectDataServiceClient::new(channel),
        _running: vec![gateway, roster, sampling, notification],
    }
}

fn asked(role: Role) -> Request<ExportSubjectDataRequest> {
    let (ttl, now) = (Duration::from_secs(60), SystemClock.now());
    let place: OrgPath = "fz/350102/2135010001".parse().expect("a place");
    let token = Issuer::development().token("clerk", &[role], &place, None, now, ttl);
    let mut request = Request::new(ExportSubjectDataRequest {
        name: format!("{REQUEST}/heldData"),
    });
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", bearer);
    request
}

impl Door {
    /// The sections that each service told, and how it ended, in the order of the answer.
    async fn told(
        &mut self,
        request: Request<ExportSubjectDataRequest>,
    ) -> Result<Vec<(String, Vec<String>, ServiceEnd)>, Status> {
        let mut parts = self.client.export_subject_data(request).await?.into_inner();
        let (mut told, mut sections) = (Vec::new(), Vec::new());
        while let Some(part) = parts.message().await? {
            match part.part.expect("a part") {
                Part::Section(section) => sections.push(section.section),
                Part::End(end) => {
                    let sections = std::mem::take(&mut sections);
                    told.push((part.service, sections, end));
                }
            }
        }
        assert_eq!(sections, Vec::<String>::new(), "every service ends");
        Ok(told)
    }
}

fn end(complete: bool, reason: &str, section_count: i32, record_count: i64) -> ServiceEnd {
    ServiceEnd {
        complete,
        reason: reason.to_owned(),
        section_count,
        record_count,
    }
}

fn of(service: &str, sections: &[&str], end: ServiceEnd) -> (String, Vec<String>, ServiceEnd) {
    let sections = sections.iter().map(|one| (*one).to_owned()).collect();
    (service.to_owned(), sections, end)
}

#[tokio::test]
async fn one_that_is_down_and_one_that_breaks_off_take_nothing_of_the_others_away() {
    let mut door = door(Mood::Broken).await;
    door.roster.say(REQUEST, PERSON, CLASS);
    let told = door.told(asked(Role::SchoolClerk)).await;
    let expected = [
        of("roster", &["register"], end(true, "", 1, 1)),
        of("sampling", &["swabs", "holds"], end(true, "", 2, 6)),
        of("safety-inspection", &[], end(false, "UNAVAILABLE", 0, 0)),
        of("notification", &["swabs"], end(false, "INTERNAL", 1, 3)),
    ];
    assert_eq!(told.expect("it is told"), expected);
}

#[tokio::test]
async fn one_that_is_slow_is_cut_off_in_time_and_told_so() {
    let mut door = door(Mood::Slow).await;
    door.roster.say(REQUEST, PERSON, CLASS);
    let mut request = asked(Role::SchoolClerk);
    request.set_timeout(Duration::from_secs(3));
    let told = door.told(request).await.expect("it is told");
    let slow = of(
        "notification",
        &["swabs"],
        end(false, "DEADLINE_EXCEEDED", 1, 3),
    );
    assert_eq!(told.last(), Some(&slow));
    assert!(
        told.iter()
            .any(|(service, _, end)| service == "sampling" && end.complete)
    );
}

#[tokio::test]
async fn without_the_register_the_others_are_told() {
    let mut door = door(Mood::Whole).await;
    door.roster.say(REQUEST, PERSON, CLASS);
    door.roster.down.store(true, Ordering::SeqCst);
    let told = door
        .told(asked(Role::SchoolClerk))
        .await
        .expect("it is told");
    assert_eq!(told[0], of("roster", &[], end(false, "UNAVAILABLE", 0, 0)));
    assert!(told[1].2.complete, "{told:?}");
}

#[tokio::test]
async fn what_the_register_refuses_is_refused_as_a_whole() {
    let mut door = door(Mood::Whole).await;
    let unknown = door
        .told(asked(Role::SchoolClerk))
        .await
        .expect_err("refused");
    assert_eq!(unknown.code(), Code::NotFound);
    door.roster.say(REQUEST, PERSON, CLASS);
    door.roster.close(REQUEST);
    let closed = door
        .told(asked(Role::SchoolClerk))
        .await
        .expect_err("refused");
    let info = closed.get_details_error_info().expect("a reason");
    assert_eq!(info.reason, "SUBJECT_REQUEST_STATE");
}

#[tokio::test]
async fn who_may_not_be_told_comes_no_further_than_the_door() {
    let mut door = door(Mood::Whole).await;
    door.roster.say(REQUEST, PERSON, CLASS);
    let laboratory = door.told(asked(Role::Laboratory)).await;
    let laboratory = laboratory.expect_err("refused");
    assert_eq!(laboratory.code(), Code::PermissionDenied);
    assert_eq!(door.roster.heard(), []);
    let mut malformed = asked(Role::SchoolClerk);
    malformed.get_mut().name = REQUEST.to_owned();
    let malformed = door.told(malformed).await.expect_err("refused");
    assert_eq!(malformed.code(), Code::InvalidArgument);
}
