//! What can befall a city, one kind in each file.

mod crash;
mod cut;
mod delay;
mod freeze;
mod kill;
mod sessions;
mod stall;

use std::ops::Range;
use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tests::city::City;
use tests::cluster::Cluster;
use tests::wire::{DATABASE, Wire};

use super::report::Label;

/// How long what lasts a moment lasts, in milliseconds.
const MOMENT: Range<u64> = 50..800;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A process is killed with SIGKILL and started again.
    Kill,
    /// A process stands still for a moment.
    Freeze,
    /// Every connection of a wire breaks.
    Cut,
    /// Nothing passes over a wire for a moment.
    Stall,
    /// Everything passes over a wire later for a moment.
    Delay,
    /// PostgreSQL ends every connection to the database of a service.
    Sessions,
    /// The server of PostgreSQL crashes and starts again.
    Crash,
}

/// Where a fault strikes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    Service(&'static str),
    Wire(&'a Wire),
    /// The server with all databases.
    Server(&'a Cluster),
}

impl Kind {
    /// Those that befall processes and the wires between them.
    pub(super) const EVERYWHERE: [Self; 7] = [
        Self::Kill,
        Self::Kill,
        Self::Kill,
        Self::Freeze,
        Self::Cut,
        Self::Stall,
        Self::Delay,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill -9",
            Self::Freeze => "stopped process",
            Self::Cut => "cut connections",
            Self::Stall => "stalled connections",
            Self::Delay => "late connections",
            Self::Sessions => "ended sessions",
            Self::Crash => "database restart",
        }
    }

    /// A place by chance where this can strike one of these services.
    pub(super) fn place<'a>(
        self,
        city: &'a City,
        cluster: Option<&'a Cluster>,
        services: &[&'static str],
        chance: &mut ChaCha8Rng,
    ) -> Place<'a> {
        match self {
            Self::Kill | Self::Freeze => {
                Place::Service(services[chance.random_range(0..services.len())])
            }
            Self::Sessions => {
                let keeping = keeping(services);
                Place::Service(keeping[chance.random_range(0..keeping.len())])
            }
            Self::Cut | Self::Stall | Self::Delay => {
                let wires = city.wires().iter();
                let wires: Vec<_> = wires
                    .filter(|wire| services.contains(&held_up(wire)))
                    .collect();
                Place::Wire(wires[chance.random_range(0..wires.len())])
            }
            Self::Crash => Place::Server(cluster.expect("a server of one's own")),
        }
    }

    /// Strikes there, and goes when it has ended.
    pub(super) async fn strike(self, place: Place<'_>, city: &City, moment: Duration) {
        match (self, place) {
            (Self::Kill, Place::Service(service)) => kill::strike(city, service).await,
            (Self::Freeze, Place::Service(service)) => freeze::strike(city, service, moment).await,
            (Self::Sessions, Place::Service(service)) => sessions::strike(city, service).await,
            (Self::Cut, Place::Wire(wire)) => cut::strike(wire),
            (Self::Stall, Place::Wire(wire)) => stall::strike(wire, moment).await,
            (Self::Delay, Place::Wire(wire)) => delay::strike(wire, moment).await,
            (Self::Crash, Place::Server(cluster)) => crash::strike(cluster).await,
            (kind, place) => panic!("{kind:?} cannot strike {place:?}"),
        }
    }
}

/// Those of these services that have a database.
fn keeping(services: &[&'static str]) -> Vec<&'static str> {
    let keeping = services.iter().copied();
    keeping.filter(|service| *service != "gateway").collect()
}

/// The service whose writes are held up where a wire breaks.
fn held_up(wire: &Wire) -> &'static str {
    match (wire.from(), wire.to()) {
        ("client", gateway) => gateway,
        ("gateway", service) => service,
        (service, _) => service,
    }
}

/// How long what lasts a moment lasts this time.
pub(super) fn moment(chance: &mut ChaCha8Rng) -> Duration {
    Duration::from_millis(chance.random_range(MOMENT))
}

impl Place<'_> {
    /// Those of these services whose writes it may hold up.
    pub(super) fn hit(&self, services: &[&'static str]) -> Vec<&'static str> {
        match self {
            Self::Service(service) => vec![*service],
            Self::Wire(wire) => vec![held_up(wire)],
            Self::Server(_) => keeping(services),
        }
    }

    /// How a report calls a fault of this kind here.
    pub(super) fn label(&self, kind: Kind) -> Label {
        let place = match self {
            Self::Service(service) => (*service).to_owned(),
            Self::Wire(wire) if wire.to() == DATABASE => format!("{} to its database", wire.from()),
            Self::Wire(wire) => format!("{} to {}", wire.from(), wire.to()),
            Self::Server(_) => "all databases".to_owned(),
        };
        (kind.name(), place)
    }
}
