//! What the door meets: floods of streams, resets and frames, bombs, silence, and many at once.

mod door;
#[path = "../../kit/tests/wire/mod.rs"]
mod wire;

use std::net::SocketAddr;
use std::sync::LazyLock;

use kit::server::ServerConfig;
use tokio::runtime::Runtime;

use door::{Behaviour, door_set, upstream};
use wire::stand::{How, Stand};
use wire::{apart, attacks, stand};

/// The service behind the doors has threads of its own: attackers of this process do not hold it up.
static BEHIND: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// A door before a service.
async fn exposed(how: How) -> Stand {
    let service = upstream(ServerConfig::loopback(), Behaviour::Real);
    let service = BEHIND.spawn(service).await.expect("it starts");
    Stand::start(how, Some(service.addr)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the door that the others attack, in a process of its own"]
async fn a_server_apart() {
    let Some(how) = apart::how().await else {
        return;
    };
    let behind = how["behind"].as_str().and_then(|addr| addr.parse().ok());
    let behind: SocketAddr = behind.expect("where the service answers");
    let (door, _) = door_set(behind, |config| {
        config.server = stand::listens(&how);
        if how["poor"] == true {
            // All of them are there before callers come.
            config.connections_per_upstream = 1;
        }
    })
    .await;
    apart::serve(door.addr).await;
}

attacks::attacks!(exposed);
