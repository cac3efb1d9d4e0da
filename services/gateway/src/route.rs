//! Which service answers a path.

use std::collections::HashMap;
use std::sync::Arc;

use kit::tls::Dialer;
use proto::options::Access;
use proto::options::access::Priority;

use crate::authority::Rule;
use crate::config::{Config, UpstreamsConfig};
use crate::contract::{self, Contracts, UnknownContract};
use crate::limits::Room;
use crate::upstream::{Settings, Upstream, addresses};

/// Where one method is answered.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) upstream: Arc<Upstream>,
    /// How much its service has to do.
    pub(crate) room: Arc<Room>,
    /// Who is served first.
    pub(crate) priority: Priority,
    /// Neither side streams, so a deadline makes sense when the caller set none.
    pub(crate) unary: bool,
    /// A unary call that changes nothing: it may be made again.
    pub(crate) repeatable: bool,
    /// Who may call it.
    pub(crate) rule: Rule,
}

/// A service behind the gateway.
#[derive(Debug)]
pub(crate) struct Neighbour {
    /// Such as `safety-inspection`.
    pub(crate) name: &'static str,
    pub(crate) upstream: Arc<Upstream>,
    /// The names of the packages and contracts that only it answers.
    pub(crate) contracts: Vec<String>,
}

/// Every method of the contracts that one service behind the gateway answers, by its path.
#[derive(Debug)]
pub(crate) struct Table {
    routes: HashMap<String, Route>,
    services: Vec<Neighbour>,
}

impl Table {
    pub(crate) fn new(config: &Config, contracts: &Contracts) -> Result<Self, UnknownContract> {
        let mut routes = HashMap::new();
        let mut services = Vec::new();
        for (prefix, name, address) in config.upstreams.routes() {
            let unknown =
                || UnknownContract(format!("{}: not an address", UpstreamsConfig::key(name)));
            let addresses = addresses(address).ok_or_else(unknown)?;
            let tls = config.auth.client_tls.clone().unwrap_or_default();
            let settings = Settings {
                dialer: addresses.encrypted.then(|| Dialer::new(tls)),
                connections: config.connections_per_upstream,
                connect_timeout: config.connect_timeout,
                ping_interval: config.ping_interval,
                ping_timeout: config.ping_timeout,
                check_interval: config.check_interval,
            };
            let upstream = Arc::new(Upstream::new(name, addresses, settings));
            let room = Room::new(config.shedding);
            upstream.observe(&room);
            let mut answered = Vec::new();
            for service in contracts.services(&[prefix]) {
                answered.push(service.full_name().to_owned());
                answered.push(service.package_name().to_owned());
                for method in service.methods() {
                    let path = contract::path(&method);
                    let unary = !method.is_client_streaming() && !method.is_server_streaming();
                    let route = Route {
                        upstream: upstream.clone(),
                        room: room.clone(),
                        priority: proto::access(&path)
                            .map(Access::priority)
                            .unwrap_or_default(),
                        rule: Rule::of(&path),
                        unary,
                        repeatable: unary && contract::changes_nothing(&method),
                    };
                    routes.insert(path, route);
                }
            }
            services.push(Neighbour {
                name,
                upstream,
                contracts: answered,
            });
        }
        Ok(Self { routes, services })
    }

    pub(crate) fn find(&self, path: &str) -> Option<&Route> {
        self.routes.get(path)
    }

    /// The services behind the gateway.
    pub(crate) fn services(&self) -> &[Neighbour] {
        &self.services
    }
}
