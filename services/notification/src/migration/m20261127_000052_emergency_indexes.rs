//! By which it is found which alerts were raised during an emergency. Messages, concerns, cases and care have
//! ids that sort by time.

use kit::migration::{Index, OnlineIndexes};

pub(super) const MIGRATION: OnlineIndexes = OnlineIndexes {
    name: "m20261127_000052_emergency_indexes",
    indexes: &[Index {
        name: "alerts_raised",
        unique: false,
        on: "alerts (raise_at)",
    }],
};
