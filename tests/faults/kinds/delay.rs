//! Everything passes over a wire later, piece by piece.

use std::time::Duration;

use tests::wire::{Flow, Wire};

/// By which part of the moment each piece is late.
const PART: u32 = 20;

pub(super) async fn strike(wire: &Wire, moment: Duration) {
    wire.set(Flow::Late(moment / PART));
    tokio::time::sleep(moment).await;
    wire.set(Flow::Free);
}
