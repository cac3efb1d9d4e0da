//! What OTLP says of spans, as far as tests look at it.

use prost::Message;

/// A span that a collector was sent. Ids are in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardSpan {
    /// The service whose work it is.
    pub service: String,
    /// What was done.
    pub name: String,
    /// The trace that it is a part of.
    pub trace: String,
    /// The span itself.
    pub id: String,
    /// The span that it is a part of; empty for the first of a trace.
    pub parent: String,
    /// Trace and span of what else caused it.
    pub links: Vec<(String, String)>,
}

/// The spans in an `ExportTraceServiceRequest`; none where it is no such message.
pub(super) fn spans(message: &[u8]) -> Vec<HeardSpan> {
    let request = Request::decode(message).unwrap_or_default();
    let mut heard = Vec::new();
    for resource in request.resources {
        let named = resource.resource.unwrap_or_default();
        let mut named = named.attributes.into_iter();
        let service = named.find(|one| one.key == "service.name");
        let service = service.and_then(|one| one.value).unwrap_or_default().text;
        let spans = resource.scopes.into_iter().flat_map(|scope| scope.spans);
        heard.extend(spans.map(|span| span.heard(&service)));
    }
    heard
}

#[derive(Clone, PartialEq, Message)]
struct Request {
    #[prost(message, repeated, tag = "1")]
    resources: Vec<ResourceSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scopes: Vec<ScopeSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
struct Attribute {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    text: String,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeSpans {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(message, repeated, tag = "13")]
    links: Vec<Link>,
}

#[derive(Clone, PartialEq, Message)]
struct Link {
    #[prost(bytes = "vec", tag = "1")]
    trace: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    id: Vec<u8>,
}

impl Span {
    fn heard(self, service: &str) -> HeardSpan {
        let links = self.links.into_iter();
        HeardSpan {
            service: service.to_owned(),
            name: self.name,
            trace: hex::encode(self.trace),
            id: hex::encode(self.id),
            parent: hex::encode(self.parent),
            links: links
                .map(|link| (hex::encode(link.trace), hex::encode(link.id)))
                .collect(),
        }
    }
}
