//! By which it is found which tubes wait for their result too long, and which holds are in force: few at any time.

use kit::migration::{Index, OnlineIndexes};

pub(super) const MIGRATION: OnlineIndexes = OnlineIndexes {
    name: "m20261127_000044_waiting_indexes",
    indexes: &[
        Index {
            name: "tubes_awaited",
            unique: false,
            on: "tubes (due_time, org_path) WHERE state IN (3, 4, 5, 6) AND due_time > 0",
        },
        Index {
            name: "holds_active",
            unique: false,
            on: "holds (org_path, recheck_due) WHERE state = 1",
        },
    ],
};
