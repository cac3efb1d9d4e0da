//! By which it is found who passes a directive on too late, and which reports wait for too long.

use kit::migration::{Index, OnlineIndexes};

pub(super) const MIGRATION: OnlineIndexes = OnlineIndexes {
    name: "m20261127_000043_directive_deadline_indexes",
    indexes: &[
        // The first two hold only what is not told yet.
        Index {
            name: "directive_recipients_unrelayed",
            unique: false,
            on: "directive_recipients (relay_due_at, directive, upper_organization) \
                 WHERE open = TRUE AND state = 4 AND relay_due_at > relay_told",
        },
        Index {
            name: "directive_recipients_unjudged",
            unique: false,
            on: "directive_recipients (judge_due_at, directive, upper_organization) \
                 WHERE open = TRUE AND state = 7 AND judge_due_at > judge_told",
        },
        // These hold all that waits, for the counts of a directive.
        Index {
            name: "directive_recipients_relay_due",
            unique: false,
            on: "directive_recipients (directive, relay_due_at) WHERE relay_due_at IS NOT NULL",
        },
        Index {
            name: "directive_recipients_judge_due",
            unique: false,
            on: "directive_recipients (directive, judge_due_at) WHERE judge_due_at IS NOT NULL",
        },
    ],
};
