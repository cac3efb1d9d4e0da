//! By which it is found how much was not done in time and is still to be done.

use kit::migration::{Index, OnlineIndexes};

pub(super) const MIGRATION: OnlineIndexes = OnlineIndexes {
    name: "m20261127_000061_late_indexes",
    indexes: &[
        Index {
            name: "directive_recipients_not_signed",
            unique: false,
            on: "directive_recipients (due_at) \
                 WHERE open = TRUE AND acknowledged_at IS NULL AND due_at IS NOT NULL",
        },
        Index {
            name: "directive_recipients_not_relayed",
            unique: false,
            on: "directive_recipients (relay_due_at) WHERE open = TRUE AND state = 4",
        },
        Index {
            name: "directive_recipients_not_judged",
            unique: false,
            on: "directive_recipients (judge_due_at) WHERE open = TRUE AND state = 7",
        },
        Index {
            name: "directive_recipients_not_done",
            unique: false,
            on: "directive_recipients (items_due) WHERE open = TRUE AND items_due > 0",
        },
        Index {
            name: "concerns_late",
            unique: false,
            on: "concerns (state) WHERE late = TRUE AND state IN (1, 2, 3, 6)",
        },
    ],
};
