//! By which it is found of what those above hear.

use kit::migration::{Index, OnlineIndexes};

pub(super) const MIGRATION: OnlineIndexes = OnlineIndexes {
    name: "m20261127_000045_those_above_indexes",
    indexes: &[
        Index {
            name: "concerns_above",
            unique: false,
            on: "concerns (above_at)",
        },
        Index {
            name: "care_tasks_above",
            unique: false,
            on: "care_tasks (above_at) WHERE state = 3",
        },
    ],
};
