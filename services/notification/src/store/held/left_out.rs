//! The tables that are not told of, and why.

use kit::subject::LeftOut;

/// Every table that no section tells of.
pub const LEFT_OUT: &[LeftOut] = &[
    LeftOut {
        reason: "no person: organisations, policies, calendars, class groups, templates, channels, counters, versions \
                 of facts, how far feeds and logs were read",
        tables: &[
            "alert_rules",
            "alerts_revision",
            "break_glass_read",
            "calendar_years",
            "channels",
            "duty_rolls",
            "facts",
            "message_counts",
            "message_parts",
            "messages_revision",
            "organizations",
            "policies",
            "rolls",
            "silences",
            "templates",
        ],
    },
    LeftOut {
        reason: "warnings of other systems and the documents of our own, which are public",
        tables: &[
            "warning_carriers",
            "warning_divisions",
            "warning_documents",
            "warning_exports",
            "warning_senders",
            "warning_texts",
            "warnings",
        ],
    },
    LeftOut {
        reason: "about those who work: duties, alerts and their owners, directives, meetings and who attended; an \
                 alert counts pupils and names none",
        tables: &[
            "alert_entries",
            "alerts",
            "attendances",
            "directive_counts",
            "directive_recipients",
            "directives",
            "duties",
            "item_reports",
            "meeting_calls",
            "meetings",
            "told",
        ],
    },
    LeftOut {
        reason: "whom a message is written to, for the minutes until it is: then the ledger tells",
        tables: &["message_targets"],
    },
];
