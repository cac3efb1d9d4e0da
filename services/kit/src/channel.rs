//! Channels to other services.

use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

/// A channel to `address` (`http://host:port`) that connects when it is first used, and again
/// after each failure.
///
/// # Errors
/// When `address` is not a URI.
pub fn connect_lazy(address: &str) -> Result<Channel, tonic::transport::Error> {
    Ok(endpoint(address)?.connect_lazy())
}

/// The settings that every channel between services has.
///
/// # Errors
/// When `address` is not a URI.
pub fn endpoint(address: &str) -> Result<Endpoint, tonic::transport::Error> {
    Ok(Endpoint::from_shared(address.to_owned())?
        .connect_timeout(Duration::from_secs(3))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .keep_alive_while_idle(true)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20))
}
