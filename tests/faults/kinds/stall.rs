//! Nothing passes over a wire in either direction, and no connection breaks.

use std::time::Duration;

use tests::wire::{Flow, Wire};

pub(super) async fn strike(wire: &Wire, moment: Duration) {
    wire.set(Flow::Stalled);
    tokio::time::sleep(moment).await;
    wire.set(Flow::Free);
}
