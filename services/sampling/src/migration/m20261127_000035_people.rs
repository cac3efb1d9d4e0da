//! By which it is found what is held about one person, who asks for it.

use kit::migration::{Index, OnlineIndexes};

pub(super) const MIGRATION: OnlineIndexes = OnlineIndexes {
    name: "m20261127_000035_people",
    indexes: &[
        // Those that count are found by the index that keeps anybody out of two tubes.
        Index {
            name: "swabs_uncounted",
            unique: false,
            on: "swabs (person) WHERE NOT counted",
        },
        Index {
            name: "absences_person",
            unique: false,
            on: "absences (person)",
        },
        Index {
            name: "case_contacts_person",
            unique: false,
            on: "case_contacts (person)",
        },
        Index {
            name: "case_findings_person",
            unique: false,
            on: "case_findings (person)",
        },
        Index {
            name: "cluster_people_person",
            unique: false,
            on: "cluster_people (person)",
        },
        Index {
            name: "rechecks_person",
            unique: false,
            on: "rechecks (person)",
        },
    ],
};
