//! Every connection of a wire breaks at once, with whatever is under way on it.

use tests::wire::Wire;

pub(super) fn strike(wire: &Wire) {
    wire.cut();
}
