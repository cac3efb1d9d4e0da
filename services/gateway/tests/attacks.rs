//! What the door meets: floods of streams, resets and frames, bombs, and silence.

mod door;
#[path = "../../kit/tests/wire/mod.rs"]
mod wire;

use std::time::Duration;

use kit::auth::{Issuer, Role};
use kit::org::OrgPath;
use kit::server::{Running, ServerConfig};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::transport::Channel;

use door::{Behaviour, call, clock, door_with, signed, upstream};
use wire::Target;
use wire::attacks::{Good, attacks};

/// The setting that bounds the streams of a connection.
const MAX_CONCURRENT_STREAMS: u16 = 3;
/// The setting that bounds the headers of a call.
const MAX_HEADER_LIST_SIZE: u16 = 6;

struct Stand {
    _service: Running,
    _door: Running,
    channel: Channel,
    target: Target,
}

/// A door before a service, and somebody who may call but means ill.
async fn exposed() -> Stand {
    let service = upstream(ServerConfig::loopback(), Behaviour::Real).await;
    let config = ServerConfig {
        request_within: Duration::from_millis(500),
        ..ServerConfig::loopback()
    };
    let (door, channel) = door_with(service.addr, config).await;
    let (minutes, now) = (Duration::from_secs(600), clock().now());
    let root = OrgPath::root();
    let token = Issuer::development().token("ill", &[Role::Guard], &root, None, now, minutes);
    Stand {
        target: Target {
            addr: door.addr,
            path: door::UNARY,
            bearer: format!("Bearer {token}"),
        },
        channel,
        _service: service,
        _door: door,
    }
}

impl Good for Stand {
    fn target(&self) -> &Target {
        &self.target
    }

    async fn call(&self) {
        let answer = call(&self.channel, signed("still".to_owned())).await;
        assert_eq!(answer.expect("answered"), "still");
    }
}

attacks!(exposed);

#[tokio::test]
async fn what_a_connection_may_ask_for_is_told_at_once() {
    let stand = exposed().await;
    let settings = stand.target.settings().await;
    let told = |wanted: u16| settings.iter().find(|(id, _)| *id == wanted);
    assert_eq!(told(MAX_CONCURRENT_STREAMS), Some(&(3, 1024)));
    assert_eq!(told(MAX_HEADER_LIST_SIZE), Some(&(6, 16 << 10)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_connection_is_closed() {
    let stand = exposed().await;
    let connected = TcpStream::connect(stand.target.addr).await;
    let mut rest = Vec::new();
    let mut stream = connected.expect("connects");
    let closed = timeout(Duration::from_secs(8), stream.read_to_end(&mut rest)).await;
    closed.expect("the door does not wait for ever").ok();
    stand.call().await;
}
