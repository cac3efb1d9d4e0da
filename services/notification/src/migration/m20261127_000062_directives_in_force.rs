//! By which directives in force are found, and what is counted of bureaus and schools among their recipients.

use kit::migration::{Index, OnlineIndexes};

pub(super) const MIGRATION: OnlineIndexes = OnlineIndexes {
    name: "m20261127_000062_directives_in_force",
    indexes: &[
        Index {
            name: "directives_in_force",
            unique: false,
            on: "directives (org_path, id) WHERE state = 3",
        },
        Index {
            name: "directive_counts_level",
            unique: false,
            on: "directive_counts (directive, level)",
        },
    ],
};
