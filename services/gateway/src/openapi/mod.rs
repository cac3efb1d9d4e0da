//! The document of HTTP/JSON: OpenAPI 3.1, made of the contracts and their comments.

mod comments;
mod operation;
mod schema;
mod texts;
mod words;

use std::sync::OnceLock;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use http_body_util::Full;
use prost_reflect::{MethodDescriptor, ServiceDescriptor};
use serde_json::{Map, Value as Json, json};
use tonic::body::Body;

use crate::contract::Contracts;
use operation::Told;
use schema::Schemas;
use texts::Texts;

/// The document; made when somebody asks for the first time.
#[derive(Debug)]
pub(crate) struct Document {
    packages: Vec<&'static str>,
    made: OnceLock<Bytes>,
}

impl Document {
    /// Tells of the contracts of `packages`.
    pub(crate) fn new(packages: Vec<&'static str>) -> Self {
        Self {
            packages,
            made: OnceLock::new(),
        }
    }

    /// The document as an answer.
    pub(crate) fn answer(&self) -> Response<Body> {
        let made = self.made.get_or_init(|| {
            let contracts = Contracts::read(proto::DOCUMENTED);
            let document = contracts.map(|contracts| document(&contracts, &self.packages));
            document.unwrap_or_default().to_string().into()
        });
        let mut response = Response::new(Body::new(Full::new(made.clone())));
        let kind = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }
}

fn document(contracts: &Contracts, packages: &[&str]) -> Json {
    let texts = Texts::of(contracts, packages);
    let mut writer = Writer {
        contracts,
        texts: &texts,
        schemas: Schemas::new(&texts),
        paths: Map::new(),
        tags: Vec::new(),
    };
    for service in contracts.services(packages) {
        writer.service(&service);
    }
    writer.door();
    writer.finish()
}

struct Writer<'a> {
    contracts: &'a Contracts,
    texts: &'a Texts,
    schemas: Schemas<'a>,
    paths: Map<String, Json>,
    tags: Vec<Json>,
}

impl Writer<'_> {
    fn service(&mut self, service: &ServiceDescriptor) {
        let comments = self.texts.comments();
        let comment = comments.at(&service.parent_file(), service.path());
        let mut tag = json!({
            "name": service.name(),
            "description": comment,
            "x-package": service.package_name(),
        });
        if let Some(name) = self.texts.words.service(service.name()) {
            tag["x-zh"] = name.into();
        }
        self.tags.push(tag);
        for method in service.methods() {
            self.method(service, &method);
        }
    }

    fn method(&mut self, service: &ServiceDescriptor, method: &MethodDescriptor) {
        let name = self.texts.words.method(service.name(), method.name());
        let summary = name.unwrap_or_else(|| method.name().to_owned());
        let comments = self.texts.comments();
        let description = comments.at(&method.parent_file(), method.path());
        for (count, rule) in self.contracts.rules(method).iter().enumerate() {
            let mut id = format!("{}_{}", service.name(), method.name());
            if count > 0 {
                id.push_str(&format!("_{}", count + 1));
            }
            let told = Told {
                id,
                tag: service.name(),
                summary: summary.clone(),
                description,
            };
            let made = operation::operation(method, rule, &told, &mut self.schemas);
            if let Some(made) = made {
                self.add(&made.path, &made.method, made.body);
            }
        }
    }

    fn add(&mut self, path: &str, method: &str, body: Json) {
        let item = self.paths.entry(path).or_insert_with(|| json!({}));
        item[method] = body;
    }

    /// What the gateway answers itself.
    fn door(&mut self) {
        self.tags.push(json!({
            "name": "Gateway",
            "description": "What the gateway answers itself.",
            "x-zh": "网关",
        }));
        let state = json!({
            "type": "object",
            "properties": {"status": {"type": "string", "enum": ["SERVING", "NOT_SERVING"]}},
        });
        let is = |text: &str| {
            json!({
                "description": text,
                "content": {"application/json": {"schema": state.clone()}},
            })
        };
        for (path, summary, description) in [
            ("/healthz", "存活检查", "Whether the process answers."),
            ("/readyz", "就绪检查", "Whether the gateway takes calls."),
        ] {
            let probe = json!({
                "operationId": format!("Gateway_{}", &path[1..]),
                "tags": ["Gateway"],
                "summary": summary,
                "description": description,
                "security": [],
                "responses": {"200": is("是"), "503": is("否")},
            });
            self.add(path, "get", probe);
        }
        let document = json!({
            "operationId": "Gateway_openapi",
            "tags": ["Gateway"],
            "summary": "本文档",
            "description": "This document.",
            "security": [],
            "responses": {"200": {
                "description": "成功",
                "content": {"application/json": {"schema": {"type": "object"}}},
            }},
        });
        self.add("/openapi.json", "get", document);
    }

    fn finish(mut self) -> Json {
        let details = [
            "ErrorInfo",
            "BadRequest",
            "LocalizedMessage",
            "RetryInfo",
            "Status",
        ];
        for name in details {
            let name = format!("google.rpc.{name}");
            if let Some(message) = self.contracts.pool().get_message_by_name(&name) {
                self.schemas.message(&message);
            }
        }
        let error = "A `google.rpc.Status`. `details` holds `google.rpc.ErrorInfo` with the \
                     reason, `google.rpc.BadRequest` with the fields that are wrong, \
                     `google.rpc.LocalizedMessage` in zh-CN and en, and `google.rpc.RetryInfo` \
                     when it is worth trying again, then also told by `Retry-After`.";
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Campus 校安",
                "version": env!("CARGO_PKG_VERSION"),
                "summary": "学校疫情防控与校园安全",
                "description": "Every method of the contracts whose caller sends one message, as \
                    HTTP/JSON. Fields are written as proto3 JSON: what is zero or empty is left out, \
                    numbers of 64 bits are strings. Unknown fields are refused.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "security": [{"bearer": []}, {"mutualTLS": []}],
            "tags": self.tags,
            "paths": self.paths,
            "components": {
                "schemas": self.schemas.into_components(),
                "responses": {"Error": {
                    "description": error,
                    "headers": {"Retry-After": {
                        "description": "Seconds.",
                        "schema": {"type": "integer", "minimum": 0},
                    }},
                    "content": {"application/json": {
                        "schema": {"$ref": "#/components/schemas/google.rpc.Status"},
                    }},
                }},
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                    "mutualTLS": {"type": "mutualTLS"},
                },
            },
        })
    }
}

#[cfg(test)]
mod tests;
