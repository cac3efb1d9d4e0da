//! What the gateway answers besides plain gRPC: gRPC-Web, HTTP with JSON, the document of both,
//! and how it and the services behind it are.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, TE};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
};
use http_body_util::Full;
use kit::server::{Behind, Front, Unframed};
use kit::status::Problem;
use proto::error::ErrorReason;
use serde_json::json;
use tokio::time::timeout;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, ServiceExt, service_fn};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::buffers::Buffers;
use crate::deadline;
use crate::draft::{Bound, Dialect, Draft};
use crate::health::{self, Health};
use crate::json::{self, Transcoder};
use crate::openapi::Document;
use crate::remainder::Remainder;
use crate::web::{self, Coding};

/// Where health is asked for by gRPC.
const HEALTH: &str = "/grpc.health.v1.Health/";
/// Headers of a caller that count, besides those that begin with [`OURS`]. The trace that they show is taken
/// away with the call itself.
const CARRIED: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("grpc-timeout"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
];
const OURS: &str = "x-campus-";
/// The body of a call that everybody may make has this long to arrive.
const OPEN_WITHIN: Duration = Duration::from_secs(10);
/// How long browsers remember what an origin may do.
const REMEMBER: Duration = Duration::from_secs(3600);

/// Every dialect of the gateway.
#[derive(Debug)]
pub(crate) struct Dialects {
    shared: Arc<Shared>,
    cors: Option<CorsLayer>,
}

#[derive(Debug)]
struct Shared {
    transcoder: Transcoder,
    health: Health,
    /// None when contracts are not told.
    document: Option<Document>,
    /// Where bodies are read.
    buffers: Buffers,
}

impl Dialects {
    /// Scripts of `origins` may call; nobody else's.
    pub(crate) fn new(
        transcoder: Transcoder,
        health: Health,
        document: Option<Document>,
        buffers: Buffers,
        origins: &[String],
    ) -> Self {
        let origins: Vec<_> = origins
            .iter()
            .filter_map(|origin| origin.parse().ok())
            .collect();
        Self {
            shared: Arc::new(Shared {
                transcoder,
                health,
                document,
                buffers,
            }),
            cors: (!origins.is_empty()).then(|| cors(origins)),
        }
    }
}

fn cors(origins: Vec<HeaderValue>) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            HeaderName::from_static("grpc-status"),
            HeaderName::from_static("grpc-message"),
            HeaderName::from_static("grpc-status-details-bin"),
            RETRY_AFTER,
        ])
        .max_age(REMEMBER)
}

/// Whether a request is plain gRPC.
fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.as_bytes().strip_prefix(b"application/grpc"))
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

impl Front for Dialects {
    fn takes(&self, request: &Request<Body>) -> bool {
        !is_grpc(request.headers()) || request.uri().path().starts_with(HEALTH)
    }

    fn answer(&self, request: Request<Body>, behind: Behind) -> BoxFuture<'static, Response<Body>> {
        let shared = self.shared.clone();
        let cors = self.cors.clone();
        let (request, remainder) = Remainder::of(request);
        Box::pin(async move {
            let answer = service_fn(move |request: Request<Body>| {
                let (shared, behind) = (shared.clone(), behind.clone());
                async move { Ok::<_, Infallible>(shared.answer(request, behind).await) }
            });
            let answered = match cors {
                Some(cors) => cors.layer(answer).oneshot(request).await,
                None => answer.oneshot(request).await,
            };
            let mut response = infallible(answered);
            if let Some(remainder) = remainder {
                remainder.settle(&mut response).await;
            }
            response
        })
    }
}

fn infallible(answered: Result<Response<Body>, Infallible>) -> Response<Body> {
    match answered {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

impl Shared {
    async fn answer(&self, request: Request<Body>, behind: Behind) -> Response<Body> {
        let headers = request.headers();
        if is_grpc(headers) {
            return self.grpc(request, behind).await;
        }
        let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        if let Some(coding) = kind.and_then(Coding::of) {
            return self.web(coding, request, behind).await;
        }
        match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, "/healthz") => {
                lives(health::local(behind, "liveness").await)
            }
            (&Method::GET | &Method::HEAD, "/readyz") => lives(health::local(behind, "").await),
            (&Method::GET, "/openapi.json") if self.document.is_some() => self
                .document
                .as_ref()
                .map(Document::answer)
                .unwrap_or_default(),
            _ => self.json(request, behind).await,
        }
    }

    async fn grpc(&self, request: Request<Body>, behind: Behind) -> Response<Body> {
        if request.uri().path().starts_with(HEALTH) {
            return self.health.call(request, behind).await;
        }
        infallible(behind.oneshot(request).await)
    }

    async fn web(&self, coding: Coding, request: Request<Body>, behind: Behind) -> Response<Body> {
        if request.method() != Method::POST {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            return response;
        }
        let draft = Draft {
            dialect: Dialect::Web(coding),
            buffers: self.buffers.clone(),
        };
        let path = request.uri().path().to_owned();
        let mut request = as_grpc(request, &path, draft);
        if path.starts_with(HEALTH) || path.starts_with("/grpc.reflection.") {
            // Who asks these is let in anyway, and nobody makes the body later.
            request = match framed(request).await {
                Ok(request) => request,
                Err(problem) => return web::answer(coding, Status::from(problem).into_http()),
            };
        }
        web::answer(coding, self.grpc(request, behind).await)
    }

    async fn json(&self, request: Request<Body>, behind: Behind) -> Response<Body> {
        let call = match self.transcoder.call(request) {
            Ok(call) => call,
            Err(refusal) => return *refusal,
        };
        let (request, binding, form) = call.into_parts();
        let answered = infallible(behind.oneshot(request).await);
        self.transcoder.answer(&binding, form, answered).await
    }
}

/// Makes the body of a call at once.
async fn framed(mut request: Request<Body>) -> Result<Request<Body>, Problem> {
    let Some(draft) = request.extensions_mut().remove::<Draft>() else {
        return Ok(request);
    };
    let (head, body) = request.into_parts();
    // Reflection answers many questions of one call.
    let bound = Bound::of(head.uri.path(), true);
    let framed = timeout(OPEN_WITHIN, draft.frame(body, bound)).await;
    let framed = framed.map_err(|_| Problem::new(ErrorReason::DeadlineExceeded))??;
    Ok(Request::from_parts(head, Body::new(Full::new(framed))))
}

fn lives(serves: bool) -> Response<Body> {
    let (http, state) = match serves {
        true => (StatusCode::OK, "SERVING"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "NOT_SERVING"),
    };
    json::json(http, json!({ "status": state }).to_string())
}

/// A request in another dialect as a call of gRPC at `path`, whose body is made later.
pub(crate) fn as_grpc(request: Request<Body>, path: &str, draft: Draft) -> Request<Body> {
    let (mut head, body) = request.into_parts();
    let mut headers = HeaderMap::new();
    for (name, value) in &head.headers {
        if CARRIED.contains(name) || name.as_str().starts_with(OURS) {
            headers.append(name, value.clone());
        }
    }
    if !headers.contains_key(deadline::HEADER)
        && let Some(limit) = deadline::read_seconds(&head.headers)
    {
        deadline::write(&mut headers, limit);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.remove(CONTENT_LENGTH);
    head.headers = headers;
    head.method = Method::POST;
    head.version = Version::HTTP_2;
    // A path of the contracts is a URI; so is one that came in one.
    head.uri = Uri::try_from(path).unwrap_or_default();
    head.extensions.insert(draft);
    head.extensions.insert(Unframed);
    Request::from_parts(head, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_grpc_is_told_from_everything_else() {
        let grpc = |kind: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, kind.parse().unwrap());
            is_grpc(&headers)
        };
        assert!(grpc("application/grpc"));
        assert!(grpc("application/grpc+proto"));
        for other in [
            "application/grpc-web",
            "application/grpc-web-text",
            "application/json",
            "",
        ] {
            assert!(!grpc(other), "{other}");
        }
        assert!(!is_grpc(&HeaderMap::new()));
    }
}
