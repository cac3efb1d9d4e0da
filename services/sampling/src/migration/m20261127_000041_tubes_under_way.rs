//! By which it is found what tubes wait for.

use kit::migration::{Index, OnlineIndexes};

pub(super) const MIGRATION: OnlineIndexes = OnlineIndexes {
    name: "m20261127_000041_tubes_under_way",
    indexes: &[
        // Sealed, on the way, at the laboratory or being tested: few of all that there ever were.
        Index {
            name: "tubes_under_way",
            unique: false,
            on: "tubes (state, due_time) WHERE state IN (3, 4, 5, 6)",
        },
    ],
};
