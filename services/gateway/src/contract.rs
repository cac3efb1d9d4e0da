//! The contracts as the dialects need them: descriptors, and how HTTP reaches each method.

use prost_reflect::{DescriptorPool, ExtensionDescriptor, MethodDescriptor, ServiceDescriptor};
use prost_types::method_options::IdempotencyLevel;
use proto::google::api::HttpRule;

/// The contracts cannot be read or cannot be used as they are. The text names what is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UnknownContract(pub(crate) String);

impl UnknownContract {
    pub(crate) fn unreadable() -> Self {
        Self("the contracts cannot be read".to_owned())
    }
}

/// The contracts of everything that the gateway passes calls on to.
#[derive(Clone, Debug)]
pub(crate) struct Contracts {
    pool: DescriptorPool,
    http: ExtensionDescriptor,
}

impl Contracts {
    /// Reads an encoded `google.protobuf.FileDescriptorSet`.
    pub(crate) fn read(encoded: &[u8]) -> Result<Self, UnknownContract> {
        let pool = DescriptorPool::decode(encoded).map_err(|_| UnknownContract::unreadable())?;
        let http = pool
            .get_extension_by_name("google.api.http")
            .ok_or_else(UnknownContract::unreadable)?;
        Ok(Self { pool, http })
    }

    pub(crate) fn pool(&self) -> &DescriptorPool {
        &self.pool
    }

    /// Every service of `packages`, which are prefixes such as `campus.roster.`.
    pub(crate) fn services<'a>(
        &'a self,
        packages: &'a [&str],
    ) -> impl Iterator<Item = ServiceDescriptor> + 'a {
        self.pool.services().filter(move |service| {
            let name = service.full_name();
            packages.iter().any(|prefix| name.starts_with(prefix))
        })
    }

    /// The rules by which HTTP reaches a method, additional ones included; none when it has none.
    pub(crate) fn rules(&self, method: &MethodDescriptor) -> Vec<HttpRule> {
        let options = method.options();
        if !options.has_extension(&self.http) {
            return Vec::new();
        }
        let found = options.get_extension(&self.http);
        let rule = found
            .as_message()
            .and_then(|rule| rule.transcode_to::<HttpRule>().ok());
        let Some(mut first) = rule else {
            return Vec::new();
        };
        let more = std::mem::take(&mut first.additional_bindings);
        std::iter::once(first).chain(more).collect()
    }
}

/// The path by which gRPC calls a method.
pub(crate) fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// Whether a method says of itself that it has no effect.
pub(crate) fn changes_nothing(method: &MethodDescriptor) -> bool {
    let options = method.options();
    let level = options.get_field_by_name("idempotency_level");
    level.and_then(|level| level.as_enum_number()) == Some(IdempotencyLevel::NoSideEffects.into())
}
