//! Which service answers a path.

use std::collections::HashMap;
use std::sync::Arc;

use prost::Message;
use prost_types::FileDescriptorSet;

use crate::Config;
use crate::pool::{Pool, authority};

/// The contracts cannot be read, or an address cannot be used. The text names the key.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UnknownContract(String);

/// Where one method is answered.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) pool: Arc<Pool>,
    /// Neither side streams, so a deadline makes sense when the caller set none.
    pub(crate) unary: bool,
}

/// Every method of the contracts that a service behind the gateway answers, by its path.
#[derive(Debug)]
pub(crate) struct Table(HashMap<String, Route>);

impl Table {
    pub(crate) fn new(config: &Config) -> Result<Self, UnknownContract> {
        let set = FileDescriptorSet::decode(proto::DESCRIPTORS)
            .map_err(|_| UnknownContract("the contracts cannot be read".to_owned()))?;
        let mut routes = HashMap::new();
        for (prefix, key, address) in config.upstreams.routes() {
            let authority = authority(address)
                .ok_or_else(|| UnknownContract(format!("{key}: not an address")))?;
            let pool = Arc::new(Pool::new(
                authority,
                config.connections_per_upstream,
                config.connect_timeout,
            ));
            for file in set
                .file
                .iter()
                .filter(|file| file.package().starts_with(prefix))
            {
                for service in &file.service {
                    for method in &service.method {
                        let path =
                            format!("/{}.{}/{}", file.package(), service.name(), method.name());
                        let unary = !method.client_streaming() && !method.server_streaming();
                        routes.insert(
                            path,
                            Route {
                                pool: pool.clone(),
                                unary,
                            },
                        );
                    }
                }
            }
        }
        Ok(Self(routes))
    }

    pub(crate) fn find(&self, path: &str) -> Option<&Route> {
        self.0.get(path)
    }
}
