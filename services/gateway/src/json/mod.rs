//! HTTP with JSON, by the `google.api.http` rules of the contracts.

mod binding;
mod body;
mod field;
mod paths;
mod query;
pub(crate) mod status;
mod stream;
pub(crate) mod template;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use kit::status::Problem;
use prost_reflect::{DescriptorPool, DynamicMessage};
use proto::error::ErrorReason;
use proto::google::api::HttpRule;
use proto::google::api::http_rule::Pattern;
use tonic::body::Body;

use crate::buffers::Buffers;
use crate::contract::{self, Contracts, UnknownContract};
use crate::draft::{Dialect, Draft};
use crate::frames::Frames;
pub(crate) use binding::Binding;
use paths::{Found, Paths};
use stream::Form;
use template::Template;

/// Path and query together have at most this many bytes.
const MAX_URI: usize = 8 << 10;
/// A request has at most this many headers.
const MAX_HEADERS: usize = 64;

/// Every method of the contracts that HTTP reaches.
#[derive(Debug)]
pub(crate) struct Transcoder {
    pool: DescriptorPool,
    paths: Paths<Arc<Binding>>,
    /// Where bodies are read.
    buffers: Buffers,
}

/// A request as gRPC, and how its answer is written.
pub(crate) struct Call {
    pub(crate) request: Request<Body>,
    binding: Arc<Binding>,
    form: Form,
}

/// The method of HTTP and the template of a rule.
pub(crate) fn pattern(rule: &HttpRule) -> Option<(Method, &str)> {
    match rule.pattern.as_ref()? {
        Pattern::Get(path) => Some((Method::GET, path)),
        Pattern::Put(path) => Some((Method::PUT, path)),
        Pattern::Post(path) => Some((Method::POST, path)),
        Pattern::Delete(path) => Some((Method::DELETE, path)),
        Pattern::Patch(path) => Some((Method::PATCH, path)),
        Pattern::Custom(custom) => {
            let method = Method::from_bytes(custom.kind.as_bytes()).ok()?;
            Some((method, &custom.path))
        }
    }
}

impl Transcoder {
    /// Every annotated method of `packages` whose callers send one message.
    ///
    /// # Errors
    /// When a rule cannot be read, names fields that the method does not have, or stands twice.
    pub(crate) fn new(
        contracts: &Contracts,
        packages: &[&str],
        buffers: Buffers,
    ) -> Result<Self, UnknownContract> {
        let mut paths = Paths::new();
        for service in contracts.services(packages) {
            for method in service.methods().filter(|m| !m.is_client_streaming()) {
                for rule in contracts.rules(&method) {
                    let wrong = |what: &str| {
                        UnknownContract(format!("{}: {what}", contract::path(&method)))
                    };
                    let (http, text) = pattern(&rule).ok_or_else(|| wrong("no pattern"))?;
                    let template = Template::parse(text).ok_or_else(|| wrong(text))?;
                    let binding =
                        Binding::new(&method, &template, &rule).ok_or_else(|| wrong(text))?;
                    paths
                        .add(&template, http, Arc::new(binding))
                        .map_err(|_| wrong("stands twice"))?;
                }
            }
        }
        Ok(Self {
            pool: contracts.pool().clone(),
            paths,
            buffers,
        })
    }

    /// The call that a request stands for; otherwise the answer that says why there is none.
    pub(crate) fn call(&self, request: Request<Body>) -> Result<Call, Box<Response<Body>>> {
        let uri = request.uri();
        let length = uri.path().len() + uri.query().map_or(0, str::len);
        if length > MAX_URI {
            return Err(self.too_large(StatusCode::URI_TOO_LONG));
        }
        if request.headers().len() > MAX_HEADERS {
            return Err(self.too_large(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
        }
        let (binding, segments) = match self.paths.find(request.method(), uri.path()) {
            Found::This(binding, segments) => (binding.clone(), segments),
            Found::Only(methods) => return Err(self.only(&methods)),
            Found::Nothing => return Err(self.refusal(unknown())),
        };
        let message = binding.begin(&segments, uri.query());
        let message = message.map_err(|problem| self.refusal(problem))?;
        if !speaks_json(request.headers()) {
            let problem = Problem::new(ErrorReason::MessageMalformed).field(
                "content-type",
                "只接受 application/json",
                "only application/json is understood",
            );
            let http = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Box::new(status::answer_as(
                &self.pool,
                &problem.into(),
                http,
            )));
        }
        let form = Form::asked(request.headers());
        let draft = Draft {
            dialect: Dialect::Json(Box::new(message), binding.clone()),
            buffers: self.buffers.clone(),
        };
        let request = crate::front::as_grpc(request, &binding.path, draft);
        Ok(Call {
            request,
            binding,
            form,
        })
    }

    /// The answer of gRPC as JSON.
    pub(crate) async fn answer(
        &self,
        binding: &Binding,
        form: Form,
        response: Response<Body>,
    ) -> Response<Body> {
        let answered = match Frames::of(response) {
            Ok(frames) if binding.method.is_server_streaming() => {
                let output = binding.method.output();
                return stream::answer(frames, form, self.pool.clone(), output);
            }
            Ok(frames) => binding.single(frames).await,
            Err(status) => Err(status),
        };
        match answered {
            Ok(text) => json(StatusCode::OK, text),
            Err(status) => status::answer(&self.pool, &status),
        }
    }

    fn refusal(&self, problem: Problem) -> Box<Response<Body>> {
        Box::new(status::answer(&self.pool, &problem.into()))
    }

    fn too_large(&self, http: StatusCode) -> Box<Response<Body>> {
        let problem = Problem::new(ErrorReason::MessageTooLarge);
        Box::new(status::answer_as(&self.pool, &problem.into(), http))
    }

    fn only(&self, methods: &[Method]) -> Box<Response<Body>> {
        let http = StatusCode::METHOD_NOT_ALLOWED;
        let mut response = status::answer_as(&self.pool, &unknown().into(), http);
        let names: Vec<_> = methods.iter().map(Method::as_str).collect();
        if let Ok(names) = HeaderValue::try_from(names.join(", ")) {
            response.headers_mut().insert(ALLOW, names);
        }
        Box::new(response)
    }
}

impl Call {
    /// Takes it apart: the request of gRPC, and what writes its answer.
    pub(crate) fn into_parts(self) -> (Request<Body>, Arc<Binding>, Form) {
        (self.request, self.binding, self.form)
    }
}

/// A message of an answer.
fn decoded(
    message: &prost_reflect::MessageDescriptor,
    bytes: Bytes,
) -> Result<DynamicMessage, Problem> {
    DynamicMessage::decode(message.clone(), bytes)
        .map_err(|err| Problem::new(ErrorReason::Internal).source(err))
}

/// A message as JSON, its fields in the order of the contract.
fn text(message: &DynamicMessage) -> Result<String, Problem> {
    serde_json::to_string(message).map_err(|err| Problem::new(ErrorReason::Internal).source(err))
}

/// An answer of JSON. Answers are about people: nobody keeps them.
pub(crate) fn json(http: StatusCode, text: String) -> Response<Body> {
    let body = http_body_util::Full::new(Bytes::from(text));
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = http;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Whether the body is JSON, or the caller does not say what it is.
fn speaks_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_none_or(|kind| {
        let kind = kind.to_str().unwrap_or("?").split(';').next();
        let kind = kind.unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json")
    })
}

/// No method answers to this path. The path is not told back: it may be about people.
fn unknown() -> Problem {
    Problem::new(ErrorReason::UnknownMethod).meta("path", "HTTP/JSON")
}

#[cfg(test)]
mod tests;
