//! Which service answers a path.

use std::collections::HashMap;
use std::sync::Arc;

use kit::tls::Dialer;
use prost_reflect::MethodDescriptor;
use proto::options::Access;
use proto::options::access::Priority;

use crate::authority::Rule;
use crate::config::{Config, UpstreamsConfig};
use crate::contract::{self, Contracts, UnknownContract};
use crate::draft::Bound;
use crate::limits::{Rooms, Stay};
use crate::upstream::{Settings, Upstream, addresses};

/// Where one method is answered.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) upstream: Arc<Upstream>,
    /// How much its service has to do.
    pub(crate) rooms: Arc<Rooms>,
    /// Who is served first.
    pub(crate) priority: Priority,
    /// How long a call stays.
    pub(crate) stay: Stay,
    /// A unary call that changes nothing: it may be made again.
    pub(crate) repeatable: bool,
    /// How much a call in another dialect may say.
    pub(crate) bound: Bound,
    /// Who may call it.
    pub(crate) rule: Rule,
}

/// A service behind the gateway.
#[derive(Debug)]
pub(crate) struct Neighbour {
    /// Such as `safety-inspection`.
    pub(crate) name: &'static str,
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) rooms: Arc<Rooms>,
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
            let rooms = Rooms::new(config.shedding);
            upstream.observe(&rooms);
            let mut answered = Vec::new();
            for service in contracts.services(&[prefix]) {
                answered.push(service.full_name().to_owned());
                answered.push(service.package_name().to_owned());
                for method in service.methods() {
                    let path = contract::path(&method);
                    let stay = stay(&method);
                    let route = Route {
                        upstream: upstream.clone(),
                        rooms: rooms.clone(),
                        priority: proto::access(&path)
                            .map(Access::priority)
                            .unwrap_or_default(),
                        rule: Rule::of(&path),
                        stay,
                        repeatable: stay == Stay::Answer && contract::changes_nothing(&method),
                        bound: Bound::of(&path, method.is_client_streaming()),
                    };
                    routes.insert(path, route);
                }
            }
            services.push(Neighbour {
                name,
                upstream,
                rooms,
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

/// How long a call of a method stays. What waits for what happens is called Watch, alone or with a noun.
fn stay(method: &MethodDescriptor) -> Stay {
    match (method.is_client_streaming(), method.is_server_streaming()) {
        (false, false) => Stay::Answer,
        (true, false) => Stay::Upload,
        (false, true) if method.name().starts_with("Watch") => Stay::Watch,
        (_, true) => Stay::Stream,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_at_work_are_told_from_those_that_watch() {
        let contracts = Contracts::read(proto::DESCRIPTORS).unwrap();
        let ours = [
            "campus.roster.",
            "campus.sampling.",
            "campus.safety.",
            "campus.notification.",
        ];
        let services = contracts.services(&ours);
        let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
        let (mut streams, mut uploads, mut watches) = (Vec::new(), Vec::new(), Vec::new());
        for method in methods {
            let service = method.parent_service();
            let name = format!("{}.{}", service.name(), method.name());
            match stay(&method) {
                Stay::Answer => {}
                Stay::Stream => streams.push(name),
                Stay::Upload => uploads.push(name),
                Stay::Watch => {
                    assert!(contract::changes_nothing(&method), "{name}");
                    watches.push(name);
                }
            }
        }
        for names in [&mut streams, &mut watches] {
            names.sort_unstable();
        }
        let at_work = [
            "CaseService.ExportCase",
            "ClearanceFeed.Snapshot",
            "DrawService.DrawDay",
            "DrawService.ExportDraw",
            "HazardService.ExportHazardLedger",
            "NotificationFeed.Snapshot",
            "ResultService.SubmitResults",
            "RosterFeed.Snapshot",
            "SafetyFeed.Snapshot",
            "SamplingFeed.Snapshot",
            "TubeService.AddSwabs",
        ];
        assert_eq!(streams, at_work);
        assert_eq!(uploads, ["ImportService.Import"]);
        let watching = [
            "AlertService.WatchAlerts",
            "ClearanceFeed.Watch",
            "DeliveryService.WatchInbox",
            "NotificationFeed.Watch",
            "RosterFeed.Watch",
            "SafetyFeed.Watch",
            "SafetyFiguresService.WatchSafetyFigures",
            "SamplingFeed.Watch",
        ];
        assert_eq!(watches, watching);
    }
}
