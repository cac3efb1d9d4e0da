//! What a port of a service meets: floods of streams, resets and frames, bombs, silence, and many at once.

mod wire;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request as HttpRequest, Response as HttpResponse};
use kit::auth::AuthConfig;
use kit::clock::SystemClock;
use kit::drain::Drain;
use kit::server::Server;
use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{ListValue, Value};
use proto::safety::{RecordBatchRequest, RecordBatchResponse};
use tonic::body::Body;
use tonic::server::{NamedService, UnaryService};
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use wire::Target;
use wire::stand::{How, LISTS, PLAIN, Stand};
use wire::{apart, attacks, stand};

/// A method that takes a value, which may be a list of values.
const NESTS: &str = "/campus.safety.v1.GateService/BindCard";
/// A message of these methods is at most this large.
const MOST: usize = 256 << 10;
/// How long a service keeps what it was sent while it thinks.
const THINKS: Duration = Duration::from_millis(20);

/// A service that sends texts back, thinks about lists, and takes values.
#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "campus.safety.v1.GateService";
}

impl UnaryService<String> for Echo {
    type Response = String;
    type Future = BoxFuture<'static, Result<Response<String>, Status>>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        Box::pin(async move { Ok(Response::new(request.into_inner())) })
    }
}

impl UnaryService<RecordBatchRequest> for Echo {
    type Response = RecordBatchResponse;
    type Future = BoxFuture<'static, Result<Response<RecordBatchResponse>, Status>>;

    fn call(&mut self, request: Request<RecordBatchRequest>) -> Self::Future {
        Box::pin(async move {
            tokio::time::sleep(THINKS).await;
            drop(request);
            Ok(Response::new(RecordBatchResponse::default()))
        })
    }
}

impl UnaryService<Value> for Echo {
    type Response = String;
    type Future = BoxFuture<'static, Result<Response<String>, Status>>;

    fn call(&mut self, _: Request<Value>) -> Self::Future {
        Box::pin(async { Ok(Response::new(String::new())) })
    }
}

impl tower::Service<HttpRequest<Body>> for Echo {
    type Response = HttpResponse<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<HttpResponse<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Self::Future {
        Box::pin(async move {
            Ok(match request.uri().path() {
                LISTS => {
                    let codec = ProstCodec::<RecordBatchResponse, RecordBatchRequest>::default();
                    let grpc = tonic::server::Grpc::new(codec);
                    let mut grpc = grpc.max_decoding_message_size(MOST);
                    grpc.unary(Self, request).await
                }
                NESTS => {
                    let codec = ProstCodec::<String, Value>::default();
                    let grpc = tonic::server::Grpc::new(codec);
                    let mut grpc = grpc.max_decoding_message_size(MOST);
                    grpc.unary(Self, request).await
                }
                _ => {
                    let codec = ProstCodec::<String, String>::default();
                    let grpc = tonic::server::Grpc::new(codec);
                    let mut grpc = grpc.max_decoding_message_size(MOST);
                    grpc.unary(Self, request).await
                }
            })
        })
    }
}

async fn exposed(how: How) -> Stand {
    Stand::start(how, None).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the server that the others attack, in a process of its own"]
async fn a_server_apart() {
    let Some(how) = apart::how().await else {
        return;
    };
    let (config, auth) = (stand::listens(&how), AuthConfig::development());
    let server = Server::bind(&config, &auth, Arc::new(SystemClock), Drain::new()).await;
    let service = server.expect("binds").serve(Routes::new(Echo));
    apart::serve(service.addr).await;
}

attacks::attacks!(exposed);

/// A list in a list, so many times.
fn nested(depth: usize) -> Vec<u8> {
    let innermost = Value {
        kind: Some(Kind::ListValue(ListValue::default())),
    };
    let mut bytes = innermost.encode_to_vec();
    for _ in 0..depth {
        for tag in [0x0a, 0x32] {
            let mut outer = vec![tag];
            prost::encode_length_delimiter(bytes.len(), &mut outer).expect("memory");
            outer.extend(&bytes);
            bytes = outer;
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_in_lists_are_read_as_deep_as_a_message_nests_and_no_deeper() {
    let _alone = attacks::alone().await;
    let stand = exposed(PLAIN).await;
    let target = Target {
        path: NESTS,
        ..stand.target.clone()
    };
    for (depth, code) in [(10, "0"), (1_000, "3"), (5_000, "3")] {
        let message = nested(depth);
        let length = u32::try_from(message.len()).expect("short").to_be_bytes();
        let body = [&[0][..], &length, &message].concat();
        let send = async || target.ask(&[], body.clone()).await;
        for told in attacks::beside(&stand, attacks::FLAT, send).await {
            let told = told.expect("an answer");
            assert_eq!(told.code.as_deref(), Some(code), "{depth}");
            assert!(told.words.len() < 200, "{}", told.words);
        }
    }
}
