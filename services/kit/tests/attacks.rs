//! What a port of a service meets: floods of streams, resets and frames, bombs, and silence.

mod wire;

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request as HttpRequest, Response as HttpResponse};
use kit::auth::{AuthConfig, Issuer, Role};
use kit::clock::{Clock, SystemClock};
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::server::{Running, Server, ServerConfig};
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::server::{NamedService, UnaryService};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use wire::Target;
use wire::attacks::{Good, attacks};

/// A method that sends one text back.
const ECHO: &str = "/campus.safety.v1.GateService/CheckEntry";

type Codec = tonic_prost::ProstCodec<String, String>;

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

impl tower::Service<HttpRequest<Body>> for Echo {
    type Response = HttpResponse<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<HttpResponse<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Self::Future {
        Box::pin(async move {
            let codec = Codec::default();
            let mut grpc = tonic::server::Grpc::new(codec).max_decoding_message_size(64 << 10);
            Ok(grpc.unary(Self, request).await)
        })
    }
}

struct Stand {
    _service: Running,
    channel: Channel,
    target: Target,
}

async fn exposed() -> Stand {
    let config = ServerConfig {
        request_within: Duration::from_millis(500),
        ..ServerConfig::loopback()
    };
    let clock = std::sync::Arc::new(SystemClock);
    let auth = AuthConfig::development();
    let server = Server::bind(&config, &auth, clock, Drain::new()).await;
    let service = server
        .expect("binds")
        .serve(tonic::service::Routes::new(Echo));
    let (minutes, now) = (Duration::from_secs(600), SystemClock.now());
    let root = OrgPath::root();
    let token = Issuer::development().token("guard", &[Role::Guard], &root, None, now, minutes);
    let channel = kit::channel::connect_lazy(&format!("http://{}", service.addr));
    Stand {
        target: Target {
            addr: service.addr,
            path: ECHO,
            bearer: format!("Bearer {token}"),
        },
        channel: channel.expect("a URI"),
        _service: service,
    }
}

impl Good for Stand {
    fn target(&self) -> &Target {
        &self.target
    }

    async fn call(&self) {
        let mut client = Grpc::new(self.channel.clone());
        client.ready().await.expect("connects");
        let mut request = Request::new("still".to_owned());
        let bearer = self.target.bearer.parse().expect("a header");
        request.metadata_mut().insert("authorization", bearer);
        let path = PathAndQuery::from_static(ECHO);
        let answer = client.unary(request, path, Codec::default()).await;
        let answer: Response<String> = answer.expect("answered");
        assert_eq!(answer.into_inner(), "still");
    }
}

attacks!(exposed);
