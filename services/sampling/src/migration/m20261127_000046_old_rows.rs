//! By which it is found what was kept for long enough.

use kit::migration::{Index, OnlineIndexes};

pub(super) const MIGRATION: OnlineIndexes = OnlineIndexes {
    name: "m20261127_000046_old_rows",
    indexes: &[
        Index {
            name: "tubes_day",
            unique: false,
            on: "tubes (day) WHERE day > 0",
        },
        Index {
            name: "holds_over",
            unique: false,
            on: "holds (end_time) WHERE end_time > 0",
        },
        Index {
            name: "illness_cases_last",
            unique: false,
            on: "illness_cases (last)",
        },
        Index {
            name: "cluster_people_day",
            unique: false,
            on: "cluster_people (day)",
        },
        Index {
            name: "absences_over",
            unique: false,
            on: "absences (start_day) WHERE state IN (5, 6)",
        },
        Index {
            name: "health_events_time",
            unique: false,
            on: "health_events (time)",
        },
        Index {
            name: "medical_states_normal",
            unique: false,
            on: "medical_states (since) WHERE state = 1",
        },
        Index {
            name: "case_contacts_added",
            unique: false,
            on: "case_contacts (add_time)",
        },
        Index {
            name: "control_measures_over",
            unique: false,
            on: "control_measures (end_time) WHERE state <> 1",
        },
        Index {
            name: "cases_closed",
            unique: false,
            on: "cases (close_time) WHERE close_time > 0",
        },
    ],
};
