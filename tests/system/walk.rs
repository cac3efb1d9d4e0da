//! Every method of a package, asked by what its contract says of it: the resource that its place in HTTP
//! names, and the fields of its request.

use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, ReflectMessage, Value};
use tests::city::Door;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Request, Status};

/// A method with the field that names its resource.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    descriptor: MethodDescriptor,
    /// Such as `name` or `duty_roster.name`; empty where the place in HTTP has no variable.
    field: String,
    /// Such as `organizations/*/hazards/*`.
    pattern: String,
}

/// Every method of the services of a package that has a place in HTTP.
pub(crate) fn methods(package: &str) -> Vec<Method> {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts can be read");
    let services = pool.services();
    let own = services.filter(|service| service.parent_file().package_name() == package);
    let methods = own.flat_map(|service| service.methods().collect::<Vec<_>>());
    methods
        .filter_map(|method| Method::of(&pool, method))
        .collect()
}

impl Method {
    fn of(pool: &DescriptorPool, descriptor: MethodDescriptor) -> Option<Self> {
        let http = pool.get_extension_by_name("google.api.http")?;
        let options = descriptor.options();
        if !options.has_extension(&http) {
            return None;
        }
        let rule = options.get_extension(&http).into_owned();
        let rule = rule.as_message()?;
        let verbs = ["get", "put", "post", "delete", "patch"];
        let path = verbs.iter().find_map(|verb| {
            let value = rule.get_field_by_name(verb)?;
            let path = value.as_str()?.to_owned();
            (!path.is_empty()).then_some(path)
        })?;
        let variable = path
            .split_once('{')
            .and_then(|(_, rest)| rest.split_once('}'));
        let variable = variable.and_then(|(variable, _)| variable.split_once('='));
        let (field, pattern) = variable.unwrap_or_default();
        Some(Self {
            field: field.to_owned(),
            pattern: pattern.to_owned(),
            descriptor,
        })
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

    /// A request about the resource of this name.
    pub(crate) fn named(&self, name: &str) -> DynamicMessage {
        let mut request = DynamicMessage::new(self.descriptor.input());
        if !self.field.is_empty() {
            set(&mut request, &self.field, name);
        }
        request
    }

    /// Sends a request.
    ///
    /// # Errors
    /// As the service says.
    pub(crate) async fn call(&self, door: Door, request: DynamicMessage) -> Result<(), Status> {
        let mut client = Grpc::new(door);
        let ready = client.ready().await;
        ready.map_err(|_| Status::unavailable("the gateway is closed"))?;
        let codec = tonic_prost::ProstCodec::<DynamicMessage, ()>::default();
        let path: PathAndQuery = self.path().parse().expect("a path");
        let answer = client.server_streaming(Request::new(request), path, codec);
        let mut answers = answer.await?.into_inner();
        while answers.message().await?.is_some() {}
        Ok(())
    }
}

/// Sets a text, or the one within another message.
fn set(message: &mut DynamicMessage, field: &str, text: &str) {
    match field.split_once('.') {
        None => message.set_field_by_name(field, Value::String(text.to_owned())),
        Some((outer, inner)) => {
            let descriptor = message.descriptor();
            let kind = descriptor.get_field_by_name(outer).expect("a field").kind();
            let kind = kind.as_message().expect("a message").clone();
            let mut value = DynamicMessage::new(kind);
            set(&mut value, inner, text);
            message.set_field_by_name(outer, Value::Message(value));
        }
    }
}
