//! The audit logs of several services through the gateway.

mod door;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use door::http::{framed, read_web, send};
use futures_util::stream::{self, BoxStream};
use gateway::{Config, UpstreamsConfig};
use kit::auth::{AuthConfig, Issuer, Role};
use kit::clock::{Clock, SystemClock};
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::server::{Running, Server, ServerConfig};
use proto::audit::audit_log_service_server::{AuditLogService, AuditLogServiceServer};
use proto::audit::{
    AuditFilter, AuditRecord, ExportRecordsRequest, ExportRecordsResponse,
    ListBreakGlassUsesRequest, ListBreakGlassUsesResponse, ListCheckpointsRequest,
    ListCheckpointsResponse, SearchRecordsRequest, SearchRecordsResponse, VerifyChainRequest,
    VerifyChainResponse,
};
use proto::gateway::audit_service_client::AuditServiceClient;
use proto::gateway::{ExportAuditRequest, SearchAuditRequest, VerifyAuditRequest};
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tonic_prost::prost::Message;

/// How many records each log has.
const LENGTH: i64 = 5;

/// A log whose records have the times 10, 20, 30 … and `offset` more.
#[derive(Clone, Copy, Debug)]
struct Log {
    service: &'static str,
    offset: i64,
}

impl Log {
    fn record(self, sequence: i64) -> AuditRecord {
        let seconds = sequence * 10 + self.offset;
        AuditRecord {
            service: self.service.to_owned(),
            sequence,
            time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
            ..AuditRecord::default()
        }
    }
}

#[tonic::async_trait]
impl AuditLogService for Log {
    type ExportRecordsStream = BoxStream<'static, Result<ExportRecordsResponse, Status>>;

    async fn search_records(
        &self,
        request: Request<SearchRecordsRequest>,
    ) -> Result<Response<SearchRecordsResponse>, Status> {
        let caller = kit::auth::caller(&request)?;
        assert_eq!(caller.subject, "auditor", "the caller's own token travels");
        let SearchRecordsRequest {
            filter, page_size, ..
        } = request.into_inner();
        let AuditFilter {
            before_sequence,
            subject,
            ..
        } = filter.unwrap_or_default();
        if subject == "hidden" {
            return Err(Status::permission_denied("not yours"));
        }
        let end = if before_sequence == 0 {
            LENGTH
        } else {
            before_sequence - 1
        };
        let first = (end - i64::from(page_size) + 1).max(1);
        let records = (first..=end).rev().map(|sequence| self.record(sequence));
        Ok(Response::new(SearchRecordsResponse {
            records: records.collect(),
            next_page_token: if first > 1 { "more" } else { "" }.to_owned(),
            own_record: String::new(),
        }))
    }

    async fn list_checkpoints(
        &self,
        _: Request<ListCheckpointsRequest>,
    ) -> Result<Response<ListCheckpointsResponse>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn list_break_glass_uses(
        &self,
        _: Request<ListBreakGlassUsesRequest>,
    ) -> Result<Response<ListBreakGlassUsesResponse>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn export_records(
        &self,
        _: Request<ExportRecordsRequest>,
    ) -> Result<Response<Self::ExportRecordsStream>, Status> {
        let piece = ExportRecordsResponse {
            records: vec![self.record(1)],
            ..ExportRecordsResponse::default()
        };
        Ok(Response::new(Box::pin(stream::iter([Ok(piece)]))))
    }

    async fn verify_chain(
        &self,
        request: Request<VerifyChainRequest>,
    ) -> Result<Response<VerifyChainResponse>, Status> {
        // Two parts: the first says where to go on.
        let second = request.into_inner().start_sequence == 3;
        Ok(Response::new(VerifyChainResponse {
            record_count: if second { 3 } else { 2 },
            last_sequence: if second { LENGTH } else { 2 },
            next_sequence: if second { 0 } else { 3 },
            ..VerifyChainResponse::default()
        }))
    }
}

fn config() -> ServerConfig {
    ServerConfig {
        drain: Duration::from_millis(200),
        ..ServerConfig::loopback()
    }
}

async fn service(log: Log) -> Running {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let auth = AuthConfig::development();
    let server = Server::bind(&config(), &auth, clock, Drain::new()).await;
    let log = AuditLogServiceServer::new(log);
    server.expect("binds").serve(Routes::new(log))
}

/// An address at which nobody answers.
async fn nobody() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    listener.expect("a port").local_addr().expect("an address")
}

/// A gateway before two services that answer and two that do not.
async fn door() -> (Vec<Running>, AuditServiceClient<Channel>) {
    let roster = service(Log {
        service: "roster",
        offset: 0,
    })
    .await;
    let sampling = service(Log {
        service: "sampling",
        offset: 5,
    })
    .await;
    let upstreams = UpstreamsConfig {
        roster: format!("http://{}", roster.addr),
        sampling: format!("http://{}", sampling.addr),
        safety_inspection: format!("http://{}", nobody().await),
        notification: format!("http://{}", nobody().await),
    };
    let config = Config::new(config(), AuthConfig::development(), upstreams);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let gateway = gateway::start(config, clock, Drain::new()).await;
    let gateway = gateway.expect("starts");
    let address = format!("http://{}", gateway.addr);
    let channel = kit::channel::connect_lazy(&address).expect("an address");
    (
        vec![gateway, roster, sampling],
        AuditServiceClient::new(channel),
    )
}

fn signed<T>(role: Role, message: T) -> Request<T> {
    let (ttl, now) = (Duration::from_secs(60), SystemClock.now());
    let token = Issuer::development().token("auditor", &[role], &OrgPath::root(), None, now, ttl);
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", bearer);
    request
}

#[tokio::test]
async fn the_records_of_all_logs_come_newest_first_page_by_page() {
    let (_running, mut client) = door().await;
    let mut request = SearchAuditRequest {
        page_size: 4,
        ..SearchAuditRequest::default()
    };
    let (mut times, mut missing) = (Vec::new(), Vec::new());
    loop {
        let asked = signed(Role::AuditAdmin, request.clone());
        let page = client.search_audit(asked).await.expect("a page");
        let page = page.into_inner();
        let seconds = page.records.iter().filter_map(|record| record.time);
        times.extend(seconds.map(|time| time.seconds));
        missing.push(page.unavailable_services);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(times, [55, 50, 45, 40, 35, 30, 25, 20, 15, 10]);
    assert_eq!(missing[0], ["safety-inspection", "notification"]);
    assert!(missing[1..].iter().all(Vec::is_empty), "said once");
}

#[tokio::test]
async fn what_a_service_refuses_is_refused() {
    let (_running, mut client) = door().await;
    let filter = AuditFilter {
        subject: "hidden".to_owned(),
        ..AuditFilter::default()
    };
    let request = SearchAuditRequest {
        filter: Some(filter),
        ..SearchAuditRequest::default()
    };
    let refused = client.search_audit(signed(Role::AuditAdmin, request)).await;
    assert_eq!(refused.expect_err("refused").code(), Code::PermissionDenied);
    let stranger = signed(Role::Guard, SearchAuditRequest::default());
    let refused = client.search_audit(stranger).await;
    assert_eq!(refused.expect_err("refused").code(), Code::PermissionDenied);
}

#[tokio::test]
async fn each_log_is_verified_part_by_part_and_who_does_not_answer_is_incomplete() {
    let (_running, mut client) = door().await;
    let asked = signed(Role::AuditAdmin, VerifyAuditRequest {});
    let verdicts = client.verify_audit(asked).await.expect("verdicts");
    let verdicts = verdicts.into_inner().verdicts;
    let told: Vec<_> = verdicts
        .iter()
        .map(|verdict| (&*verdict.service, verdict.complete, verdict.record_count))
        .collect();
    let expected = [
        ("roster", true, 5),
        ("sampling", true, 5),
        ("safety-inspection", false, 0),
        ("notification", false, 0),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn one_log_is_exported() {
    let (_running, mut client) = door().await;
    let request = |service: &str| ExportAuditRequest {
        service: service.to_owned(),
        ..ExportAuditRequest::default()
    };
    let asked = signed(Role::AuditAdmin, request("sampling"));
    let mut pieces = client.export_audit(asked).await.expect("a stream");
    let piece = pieces.get_mut().message().await.expect("a piece");
    assert_eq!(piece.expect("a piece").records[0].service, "sampling");
    let unknown = signed(Role::AuditAdmin, request("kitchen"));
    let refused = client.export_audit(unknown).await.expect_err("refused");
    assert_eq!(refused.code(), Code::InvalidArgument);
}

/// A request of an auditor over HTTP.
fn over_http(method: &str, path: &str, kind: &str, body: Vec<u8>) -> http::Request<Bytes> {
    let signed = signed(Role::AuditAdmin, ());
    let bearer = signed.metadata().get("authorization");
    let bearer = bearer.expect("signed").to_str().expect("text");
    http::Request::builder()
        .method(method)
        .uri(path)
        .header("host", "campus")
        .header("authorization", bearer)
        .header("content-type", kind)
        .body(Bytes::from(body))
        .expect("a request")
}

#[tokio::test]
async fn one_log_is_exported_as_lines_of_json() {
    let (running, _client) = door().await;
    let addr = running[0].addr;
    let asked = |service: &str| {
        let path = format!("/v1/audit:export?service={service}");
        over_http("GET", &path, "application/json", Vec::new())
    };
    let reply = send(addr, asked("sampling")).await;
    assert_eq!(reply.header("content-type"), "application/x-ndjson");
    assert_eq!(
        reply.text(),
        "{\"result\":{\"records\":[{\"service\":\"sampling\",\"sequence\":\"1\",\
         \"time\":\"1970-01-01T00:00:15Z\"}]}}\n"
    );
    let reply = send(addr, asked("kitchen")).await;
    assert_eq!(reply.status, http::StatusCode::BAD_REQUEST);
    assert_eq!(reply.json()["code"], 3);
}

#[tokio::test]
async fn one_log_is_exported_to_browsers() {
    let (running, _client) = door().await;
    let path = "/campus.gateway.v1.AuditService/ExportAudit";
    let request = ExportAuditRequest {
        service: "roster".to_owned(),
        ..ExportAuditRequest::default()
    };
    let body = framed(&request.encode_to_vec());
    let kind = "application/grpc-web";
    let reply = send(running[0].addr, over_http("POST", path, kind, body)).await;
    let (messages, trailers) = read_web(&reply);
    let pieces = messages
        .iter()
        .map(|piece| ExportRecordsResponse::decode(&piece[..]).expect("a piece"));
    let services = pieces.flat_map(|piece| piece.records.into_iter().map(|one| one.service));
    assert_eq!(services.collect::<Vec<_>>(), ["roster"]);
    assert!(trailers.contains("grpc-status: 0\r\n"), "{trailers}");
}
