//! By which the class groups that are taught are counted.

use kit::migration::{Index, OnlineIndexes};

pub(super) const MIGRATION: OnlineIndexes = OnlineIndexes {
    name: "m20261127_000008_taught_class_groups",
    indexes: &[Index {
        name: "class_groups_taught",
        unique: false,
        on: "class_groups (org_path, organization, teaching_mode) WHERE state = 1",
    }],
};
