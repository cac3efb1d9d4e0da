//! How a service listens, and how much it lets itself be asked for.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;

use super::TlsConfig;
use crate::auth::AuthConfig;

/// Nothing that is bounded lasts longer.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// How a service listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// How long calls under way may take after SIGTERM.
    #[serde(default = "default_drain", with = "humantime_serde")]
    pub drain: Duration,
    /// How many calls may be under way at once before new ones are answered with OVERLOADED.
    #[serde(default = "default_in_flight")]
    pub max_in_flight: usize,
    /// How many connections may be open.
    #[serde(default = "default_connections")]
    pub max_connections: usize,
    /// How many of them may come from one address, or from one network of 64 bits of IPv6. What stands
    /// before a service and hides where its callers are needs as many as all of them.
    #[serde(default = "default_connections_per_address")]
    pub max_connections_per_address: usize,
    /// After how long a connection is closed in order, a tenth more or less, drawn for each, so that callers
    /// spread over replicas that came later and those that came together do not come back together. A caller
    /// whose client does not understand a farewell may see one call fail.
    #[serde(default = "default_connection_age", with = "humantime_serde")]
    pub max_connection_age: Duration,
    /// A connection on which no call was open for so long is closed in order, whatever signs of life its caller
    /// gives. A stream is open as long as nobody ends it, also where nothing comes on it.
    #[serde(default = "default_idle", with = "humantime_serde")]
    pub idle_within: Duration,
    /// How many streams one connection may have open.
    #[serde(default = "default_streams")]
    pub max_streams_per_connection: u32,
    /// After how long a stream ends, a tenth more or less, whoever of the two sends it: UNAVAILABLE tells the
    /// caller to go on from its cursor, or from what was taken last.
    #[serde(default = "default_stream_age", with = "humantime_serde")]
    pub max_stream_age: Duration,
    /// How long a call of which neither side streams may take, whatever its caller allows.
    #[serde(default = "default_call", with = "humantime_serde")]
    pub max_call: Duration,
    /// A request of one message is whole within this time after its head.
    #[serde(default = "default_request", with = "humantime_serde")]
    pub request_within: Duration,
    /// How long an answer may wait for its reader before it is given up.
    #[serde(default = "default_reader", with = "humantime_serde")]
    pub reader_patience: Duration,
    /// A caller that says nothing for so long is asked for a sign of life,
    #[serde(default = "default_ping_interval", with = "humantime_serde")]
    pub ping_interval: Duration,
    /// and its connection is closed, with the calls on it, when there is none within this.
    #[serde(default = "default_ping_timeout", with = "humantime_serde")]
    pub ping_timeout: Duration,
    /// Whether contracts can be asked for by reflection.
    #[serde(default = "default_reflection")]
    pub reflection: bool,
    /// How it encrypts; not at all when unset.
    #[serde(default)]
    pub tls: Option<TlsConfig>,
}

/// Who reaches a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// Everybody: it is the door.
    Outside,
    /// Neighbours only: it stands behind the door.
    Inside,
}

fn default_drain() -> Duration {
    Duration::from_secs(20)
}

fn default_in_flight() -> usize {
    4096
}

fn default_connections() -> usize {
    10_000
}

fn default_connections_per_address() -> usize {
    1_000
}

fn default_connection_age() -> Duration {
    Duration::from_secs(3_600)
}

fn default_idle() -> Duration {
    Duration::from_secs(300)
}

fn default_streams() -> u32 {
    1024
}

fn default_stream_age() -> Duration {
    Duration::from_secs(3_600)
}

fn default_call() -> Duration {
    Duration::from_secs(600)
}

fn default_request() -> Duration {
    Duration::from_secs(15)
}

fn default_reader() -> Duration {
    Duration::from_secs(30)
}

fn default_ping_interval() -> Duration {
    Duration::from_secs(20)
}

fn default_ping_timeout() -> Duration {
    Duration::from_secs(10)
}

fn default_reflection() -> bool {
    true
}

impl ServerConfig {
    /// The defaults, listening at `listen`.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            drain: default_drain(),
            max_in_flight: default_in_flight(),
            max_connections: default_connections(),
            max_connections_per_address: default_connections_per_address(),
            max_connection_age: default_connection_age(),
            idle_within: default_idle(),
            max_streams_per_connection: default_streams(),
            max_stream_age: default_stream_age(),
            max_call: default_call(),
            request_within: default_request(),
            reader_patience: default_reader(),
            ping_interval: default_ping_interval(),
            ping_timeout: default_ping_timeout(),
            reflection: default_reflection(),
            tls: None,
        }
    }

    /// Any free port of this machine, for trials and tests.
    pub fn loopback() -> Self {
        Self::new(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// Checks how it listens; the error names the key.
    ///
    /// # Errors
    /// When a bound bounds nothing, a certificate cannot be used, nobody encrypts in production, or others reach a
    /// service that takes the development issuer and is no trial.
    pub fn check(&self, auth: &AuthConfig, exposure: Exposure) -> Result<(), String> {
        self.check_bounds()?;
        auth.check_reach(self.listen)?;
        let hidden = self.listen.ip().is_loopback() || auth.plaintext_inside;
        match &self.tls {
            Some(tls) => tls.check(),
            None if !auth.production => Ok(()),
            None if exposure == Exposure::Inside && hidden => Ok(()),
            None => Err(match exposure {
                Exposure::Outside => "server.tls: needed where auth.production is set",
                Exposure::Inside => {
                    "server.tls: needed where auth.production is set, or auth.plaintext_inside \
                     where a mesh encrypts"
                }
            }
            .to_owned()),
        }
    }

    fn check_bounds(&self) -> Result<(), String> {
        let spans = [
            ("max_connection_age", self.max_connection_age),
            ("idle_within", self.idle_within),
            ("max_stream_age", self.max_stream_age),
            ("max_call", self.max_call),
            ("request_within", self.request_within),
            ("reader_patience", self.reader_patience),
            ("ping_interval", self.ping_interval),
            ("ping_timeout", self.ping_timeout),
        ];
        let unbounded = |span: Duration| span.is_zero() || span > LONGEST;
        if let Some((key, _)) = spans.into_iter().find(|(_, span)| unbounded(*span)) {
            return Err(format!("server.{key}: above zero, at most 24h"));
        }
        if self.max_connections_per_address == 0 {
            return Err("server.max_connections_per_address: at least 1".to_owned());
        }
        if self.max_streams_per_connection == 0 {
            return Err("server.max_streams_per_connection: at least 1".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut ServerConfig);

    #[test]
    fn a_bound_that_bounds_nothing_is_named() {
        let refused = |change: Change| {
            let mut config = ServerConfig::loopback();
            change(&mut config);
            let checked = config.check(&AuthConfig::default(), Exposure::Inside);
            checked.expect_err("refused")
        };
        let wrong: [(&str, Change); 10] = [
            ("max_connection_age", |it| {
                it.max_connection_age = Duration::ZERO
            }),
            ("idle_within", |it| it.idle_within = Duration::ZERO),
            ("max_stream_age", |it| it.max_stream_age = LONGEST * 2),
            ("max_call", |it| it.max_call = Duration::ZERO),
            ("request_within", |it| it.request_within = Duration::ZERO),
            ("reader_patience", |it| it.reader_patience = Duration::MAX),
            ("ping_interval", |it| it.ping_interval = Duration::ZERO),
            ("ping_timeout", |it| it.ping_timeout = Duration::ZERO),
            ("max_connections_per_address", |it| {
                it.max_connections_per_address = 0
            }),
            ("max_streams_per_connection", |it| {
                it.max_streams_per_connection = 0
            }),
        ];
        for (key, change) in wrong {
            let refused = refused(change);
            assert!(refused.starts_with(&format!("server.{key}: ")), "{refused}");
        }
        let config = ServerConfig::loopback();
        assert_eq!(
            config.check(&AuthConfig::default(), Exposure::Inside),
            Ok(())
        );
    }

    #[test]
    fn a_peer_that_is_gone_is_known_for_gone_within_half_a_minute() {
        let shipped = ServerConfig::loopback();
        let gone = shipped.ping_interval + shipped.ping_timeout;
        assert!(gone <= Duration::from_secs(31), "{gone:?}");
    }
}
