//! One method as operations on paths.

use http::Method;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use proto::google::api::HttpRule;
use serde_json::{Map, Value as Json, json};

use super::schema::{self, Schemas};
use super::texts::Texts;
use crate::contract;
use crate::json::pattern;
use crate::json::template::{Segment, Template};

/// Parameters of a query name fields at most this far down.
const DEPTH: usize = 3;

/// An operation with where it stands.
pub(crate) struct Operation {
    pub(crate) path: String,
    /// As the document writes it: `get`.
    pub(crate) method: String,
    pub(crate) body: Json,
}

/// What is said of a method in all of its operations.
pub(crate) struct Told<'a> {
    pub(crate) id: String,
    pub(crate) tag: &'a str,
    /// The Chinese name.
    pub(crate) summary: String,
    /// The English comment.
    pub(crate) description: &'a str,
}

/// The operation that `rule` makes of `method`.
pub(crate) fn operation(
    method: &MethodDescriptor,
    rule: &HttpRule,
    told: &Told<'_>,
    schemas: &mut Schemas<'_>,
) -> Option<Operation> {
    let (http, text) = pattern(rule)?;
    let template = Template::parse(text)?;
    let input = method.input();
    let (path, mut parameters) = path(&template, schemas.texts);
    let named: Vec<&str> = template.variables.iter().map(|v| &*v.field).collect();
    if &*rule.body != "*" {
        let mut query = Query {
            named: &named,
            body: &rule.body,
            schemas,
            parameters: Vec::new(),
        };
        query.fields(&input, "", 0, true);
        parameters.extend(query.parameters);
    }
    let mut body = json!({
        "operationId": told.id,
        "tags": [told.tag],
        "summary": told.summary,
        "responses": responses(method, rule, schemas),
        "x-grpc-method": format!("{}/{}", method.parent_service().full_name(), method.name()),
    });
    if !told.description.is_empty() {
        body["description"] = told.description.into();
    }
    if !parameters.is_empty() {
        body["parameters"] = parameters.into();
    }
    if let Some(request) = request(&input, rule, &named, schemas) {
        body["requestBody"] = request;
        let largest = proto::max_request_bytes(&contract::path(method));
        body["x-max-request-bytes"] = largest.into();
    }
    let method = http.as_str().to_ascii_lowercase();
    // A method of HTTP that the document has no word for is left out.
    let known = [
        Method::GET,
        Method::PUT,
        Method::POST,
        Method::DELETE,
        Method::PATCH,
    ];
    known
        .contains(&http)
        .then_some(Operation { path, method, body })
}

/// The path with a parameter for each wildcard, named after what stands before it.
fn path(template: &Template, texts: &Texts) -> (String, Vec<Json>) {
    let mut path = String::new();
    let mut parameters = Vec::new();
    let mut before = "name";
    for segment in &template.segments {
        path.push('/');
        match segment {
            Segment::Literal(text) => {
                path.push_str(text);
                before = text;
            }
            Segment::One | Segment::Rest => {
                let mut name = singular(before);
                let text = texts.segment(&name);
                if *segment == Segment::Rest {
                    name.push_str("Path");
                }
                path.push_str(&format!("{{{name}}}"));
                parameters.push(json!({
                    "name": name,
                    "in": "path",
                    "required": true,
                    "schema": {"type": "string"},
                    "description": text,
                }));
            }
        }
    }
    if let Some(verb) = &template.verb {
        path.push_str(&format!(":{verb}"));
    }
    (path, parameters)
}

/// One of a collection: `classGroups` is a `classGroup`.
fn singular(collection: &str) -> String {
    if let Some(stem) = collection.strip_suffix("ies") {
        return format!("{stem}y");
    }
    for (plural, one) in [("sses", "ss"), ("ches", "ch"), ("xes", "x"), ("s", "")] {
        if let Some(stem) = collection.strip_suffix(plural) {
            return format!("{stem}{one}");
        }
    }
    collection.to_owned()
}

struct Query<'q, 's> {
    /// Fields that the path names.
    named: &'q [&'q str],
    /// The field that the body is.
    body: &'q str,
    schemas: &'q mut Schemas<'s>,
    parameters: Vec<Json>,
}

impl Query<'_, '_> {
    /// Adds a parameter for each field that the query may name.
    fn fields(&mut self, message: &MessageDescriptor, prefix: &str, depth: usize, required: bool) {
        for field in message.fields() {
            let path = format!("{prefix}{}", field.name());
            if self.named.contains(&&*path) || path == self.body || field.is_map() {
                continue;
            }
            let required = required && schema::is_required(&field);
            match field.kind() {
                Kind::Message(inner) if schema::well_known(&inner).is_none() => {
                    if !field.is_list() && depth < DEPTH {
                        self.fields(&inner, &format!("{path}."), depth + 1, required);
                    }
                }
                _ => self.parameter(&field, prefix, required),
            }
        }
    }

    fn parameter(&mut self, field: &FieldDescriptor, prefix: &str, required: bool) {
        let kind = self.schemas.kind(&field.kind());
        let schema = if field.is_list() {
            json!({"type": "array", "items": kind})
        } else {
            kind
        };
        let mut parameter = json!({
            "name": camel(prefix, field),
            "in": "query",
            "schema": schema,
        });
        if required {
            parameter["required"] = true.into();
        }
        let text = self.schemas.texts.field(field);
        if !text.is_empty() {
            parameter["description"] = text.into();
        }
        self.parameters.push(parameter);
    }
}

/// The name of a field below others, each as JSON writes it.
fn camel(prefix: &str, field: &FieldDescriptor) -> String {
    let mut name = String::new();
    let mut raise = false;
    for letter in prefix.chars() {
        match letter {
            '_' => raise = true,
            letter if std::mem::take(&mut raise) => name.extend(letter.to_uppercase()),
            letter => name.push(letter),
        }
    }
    name.push_str(field.json_name());
    name
}

fn request(
    input: &MessageDescriptor,
    rule: &HttpRule,
    named: &[&str],
    schemas: &mut Schemas<'_>,
) -> Option<Json> {
    let own = |name: &&str| !name.contains('.');
    let schema = match &*rule.body {
        "" => return None,
        "*" => {
            let left_out: Vec<_> = named
                .iter()
                .copied()
                .filter(own)
                .map(str::to_owned)
                .collect();
            schemas.object(input, &left_out, true)
        }
        name => {
            let field = input.get_field_by_name(name)?;
            match field.kind() {
                Kind::Message(inner)
                    if !field.is_list()
                        && !field.is_map()
                        && schema::well_known(&inner).is_none() =>
                {
                    let below = format!("{name}.");
                    let left_out: Vec<_> = named
                        .iter()
                        .filter_map(|path| path.strip_prefix(&*below))
                        .map(str::to_owned)
                        .collect();
                    schemas.object(&inner, &left_out, true)
                }
                _ => schemas.field(&field),
            }
        }
    };
    let empty = schema.get("properties").is_none();
    Some(json!({
        "required": !empty,
        "content": {"application/json": {"schema": schema}},
    }))
}

fn responses(method: &MethodDescriptor, rule: &HttpRule, schemas: &mut Schemas<'_>) -> Json {
    let output = method.output();
    let part = output.get_field_by_name(&rule.response_body);
    let schema = match part {
        Some(field) => schemas.field(&field),
        None => schemas.message(&output),
    };
    let content = if method.is_server_streaming() {
        let error = json!({"$ref": "#/components/schemas/google.rpc.Status"});
        let line = json!({
            "type": "object",
            "description": "One line. An empty object is a sign of life; an error is the last line.",
            "properties": {"result": schema.clone(), "error": error},
        });
        let events = "Events whose data is a message; one named `error` holds a \
                      `google.rpc.Status` and is the last.";
        json!({
            "application/x-ndjson": {"schema": line},
            "text/event-stream": {"schema": {"type": "string", "description": events}},
        })
    } else {
        json!({"application/json": {"schema": schema}})
    };
    let mut responses = Map::new();
    let ok = json!({"description": "成功", "content": content});
    responses.insert("200".to_owned(), ok);
    let error = json!({"$ref": "#/components/responses/Error"});
    responses.insert("default".to_owned(), error);
    Json::Object(responses)
}
