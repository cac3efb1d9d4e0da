//! Every method of a package, asked by what its contract says of it: the resource that its place in HTTP
//! names, and the fields of its request.

use std::sync::LazyLock;

use futures_util::stream;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, MessageDescriptor, MethodDescriptor,
    ReflectMessage, Value,
};
use tests::city::Door;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstEncoder;

/// The contracts.
static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts can be read")
});

/// A method with the field that names its resource.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    descriptor: MethodDescriptor,
    /// Such as `name` or `duty_roster.name`; empty where it has no place in HTTP, or one without a variable.
    field: String,
    /// Such as `organizations/*/hazards/*`.
    pattern: String,
}

/// Every method of the services of a package that has a place in HTTP.
pub(crate) fn methods(package: &str) -> Vec<Method> {
    let mut all = every_method(package);
    all.retain(|method| place_in_http(&method.descriptor).is_some());
    all
}

/// Every method of the services of a package.
pub(crate) fn every_method(package: &str) -> Vec<Method> {
    let services = POOL.services();
    let own = services.filter(|service| service.parent_file().package_name() == package);
    own.flat_map(|service| service.methods().map(Method::of).collect::<Vec<_>>())
        .collect()
}

/// The path in HTTP of a method, if it has one.
fn place_in_http(method: &MethodDescriptor) -> Option<String> {
    let http = POOL.get_extension_by_name("google.api.http")?;
    let options = method.options();
    if !options.has_extension(&http) {
        return None;
    }
    let rule = options.get_extension(&http).into_owned();
    let rule = rule.as_message()?;
    let verbs = ["get", "put", "post", "delete", "patch"];
    verbs.iter().find_map(|verb| {
        let value = rule.get_field_by_name(verb)?;
        let path = value.as_str()?.to_owned();
        (!path.is_empty()).then_some(path)
    })
}

impl Method {
    fn of(descriptor: MethodDescriptor) -> Self {
        let path = place_in_http(&descriptor).unwrap_or_default();
        let variable = path
            .split_once('{')
            .and_then(|(_, rest)| rest.split_once('}'));
        let variable = variable.and_then(|(variable, _)| variable.split_once('='));
        let (field, pattern) = variable.unwrap_or_default();
        Self {
            field: field.to_owned(),
            pattern: pattern.to_owned(),
            descriptor,
        }
    }

    /// The name of the method with that of its service, such as `HazardService.CloseHazard`.
    pub(crate) fn name(&self) -> String {
        let service = self.descriptor.parent_service();
        format!("{}.{}", service.name(), self.descriptor.name())
    }

    /// Where it is called, such as `/campus.safety.v1.HazardService/CloseHazard`.
    pub(crate) fn path(&self) -> String {
        let service = self.descriptor.parent_service();
        format!("/{}/{}", service.full_name(), self.descriptor.name())
    }

    /// What the resource of the method is called, such as `organizations/*/hazards/*`; empty where its
    /// place in HTTP names none.
    pub(crate) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Whether it is a stream on both sides, or takes one.
    pub(crate) fn takes_many(&self) -> bool {
        self.descriptor.is_client_streaming()
    }

    /// Whether it answers with a stream, which may never end.
    pub(crate) fn answers_many(&self) -> bool {
        self.descriptor.is_server_streaming()
    }

    /// Whether it changes nothing.
    pub(crate) fn has_no_side_effects(&self) -> bool {
        let options = self.descriptor.options();
        let level = options.get_field_by_name("idempotency_level");
        level.as_deref() == Some(&Value::EnumNumber(1))
    }

    /// What it takes.
    pub(crate) fn input(&self) -> MessageDescriptor {
        self.descriptor.input()
    }

    /// Whether it reads one resource or a list, and answers once.
    pub(crate) fn reads(&self) -> bool {
        let name = self.descriptor.name();
        let reads = name.starts_with("Get") || name.starts_with("List");
        reads && !self.descriptor.is_server_streaming()
    }

    /// Whether it answers page by page.
    pub(crate) fn pages(&self) -> bool {
        let request = self.descriptor.input();
        self.reads() && request.get_field_by_name("page_token").is_some()
    }

    /// Whether this is a list that begins at an organisation.
    pub(crate) fn lists_below(&self) -> bool {
        let request = self.descriptor.input();
        let pages = request.get_field_by_name("page_token").is_some();
        pages && self.pattern == "organizations/*"
    }

    /// Whether this reads one resource of an organisation that somebody made.
    pub(crate) fn gets_one(&self) -> bool {
        let made = self.pattern.starts_with("organizations/*/") && self.pattern.ends_with("/*");
        made && self.descriptor.name().starts_with("Get")
    }

    /// A request about this resource: of an organisation, and beyond that with this id.
    pub(crate) fn about(&self, organization: &str, id: &str) -> DynamicMessage {
        let mut ids = std::iter::once(organization).chain(std::iter::repeat(id));
        let mut collection = "";
        let parts = self.pattern.split('/').map(|part| {
            let named = match (part, collection) {
                // Batches are counted, and resumptions with them.
                ("*", "resumptionBatches" | "resumptions") => "2",
                ("*", _) => ids.next().unwrap_or_default(),
                (other, _) => other,
            };
            collection = part;
            named
        });
        self.named(&parts.collect::<Vec<_>>().join("/"))
    }

    /// The field that names its resource; none where its place in HTTP has no variable.
    pub(crate) fn variable(&self) -> Option<FieldDescriptor> {
        let mut message = self.descriptor.input();
        let (outer, field) = self
            .field
            .rsplit_once('.')
            .unwrap_or(("", self.field.as_str()));
        if let Some(within) = message.get_field_by_name(outer) {
            message = within.kind().as_message()?.clone();
        }
        message.get_field_by_name(field)
    }

    /// Has a request be about the resource of this name.
    pub(crate) fn name_in(&self, request: &mut DynamicMessage, name: &str) {
        if !self.field.is_empty() {
            set(request, &self.field, name);
        }
    }

    /// A request about the resource of this name.
    pub(crate) fn named(&self, name: &str) -> DynamicMessage {
        let mut request = DynamicMessage::new(self.descriptor.input());
        self.name_in(&mut request, name);
        request
    }

    /// Sends a request.
    ///
    /// # Errors
    /// As the service says.
    pub(crate) async fn call(&self, door: Door, request: DynamicMessage) -> Result<(), Status> {
        self.ask(door, request).await.map(drop)
    }

    /// Sends a request and reads the answer; of a stream the first one, empty where there is none.
    ///
    /// # Errors
    /// As the service says.
    pub(crate) async fn ask(
        &self,
        door: Door,
        request: DynamicMessage,
    ) -> Result<DynamicMessage, Status> {
        let mut answers = self.open(door, Request::new(vec![request])).await?;
        let first = answers.message().await?;
        if !self.descriptor.is_server_streaming() {
            while answers.message().await?.is_some() {}
        }
        Ok(first.unwrap_or_else(|| DynamicMessage::new(self.descriptor.output())))
    }

    /// Sends requests, more than one only where the method takes a stream of them, and gives the answers as
    /// they come.
    ///
    /// # Errors
    /// As the service says before its first answer.
    pub(crate) async fn open(
        &self,
        door: Door,
        requests: Request<Vec<DynamicMessage>>,
    ) -> Result<Streaming<DynamicMessage>, Status> {
        let mut client = Grpc::new(door);
        let ready = client.ready().await;
        ready.map_err(|_| Status::unavailable("the gateway is closed"))?;
        let path: PathAndQuery = self.path().parse().expect("a path");
        let requests = requests.map(stream::iter);
        let reading = Reading(self.descriptor.output());
        let answers = client.streaming(requests, path, reading).await?;
        Ok(answers.into_inner())
    }
}

/// Writes requests and reads answers of this form.
#[derive(Clone, Debug)]
struct Reading(MessageDescriptor);

impl Codec for Reading {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = ProstEncoder<DynamicMessage>;
    type Decoder = Self;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self::Decoder {
        self.clone()
    }
}

impl Decoder for Reading {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let read = DynamicMessage::decode(self.0.clone(), buffer);
        read.map(Some)
            .map_err(|_| Status::internal("an answer of another form"))
    }
}

/// Every text of a message, each with the name of its field.
pub(crate) fn texts(message: &DynamicMessage) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (field, value) in message.fields() {
        gather(field.name(), value, &mut found);
    }
    found
}

fn gather(field: &str, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((field.to_owned(), text.clone())),
        Value::Message(message) => found.extend(texts(message)),
        Value::List(values) => values.iter().for_each(|value| gather(field, value, found)),
        Value::Map(values) => values
            .values()
            .for_each(|value| gather(field, value, found)),
        _ => {}
    }
}

/// Sets a text, or the one within another message, whose other fields stay.
pub(crate) fn set(message: &mut DynamicMessage, field: &str, text: &str) {
    match field.split_once('.') {
        None => message.set_field_by_name(field, Value::String(text.to_owned())),
        Some((outer, inner)) => {
            let field = message.descriptor().get_field_by_name(outer);
            let field = field.expect("a field");
            let Value::Message(mut value) = message.get_field(&field).into_owned() else {
                panic!("a message");
            };
            set(&mut value, inner, text);
            message.set_field(&field, Value::Message(value));
        }
    }
}
