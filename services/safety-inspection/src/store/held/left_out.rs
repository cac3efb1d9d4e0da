//! The tables that are not told of, and why.

use kit::subject::LeftOut;

/// Every table that no section tells of.
pub const LEFT_OUT: &[LeftOut] = &[
    LeftOut {
        reason: "no person: organisations, policies, calendars, places, checklists, supplies, shelters, devices, \
                 counters of the feed and of figures",
        tables: &[
            "calendar_years",
            "campaign_targets",
            "checklist_templates",
            "facts_revision",
            "feeds_heard",
            "figure_changes",
            "figure_revision",
            "figures",
            "hazard_ledgers",
            "inspection_campaigns",
            "inspection_findings",
            "inspection_hits",
            "inspection_places",
            "inspection_schedules",
            "mutual_aid_groups",
            "mutual_aid_members",
            "organizations",
            "policies",
            "protection_devices",
            "readiness_causes",
            "refuges",
            "resumption_batches",
            "resumption_calls",
            "resumption_numbers",
            "retellings",
            "supply_lots",
            "supply_stocks",
            "supply_transfers",
            "told",
        ],
    },
    LeftOut {
        reason: "weather: areas, levels, tasks and teaching of organisations; at most whose duty it was",
        tables: &[
            "weather_alarms",
            "weather_areas",
            "weather_changes",
            "weather_disinfections",
            "weather_documents",
            "weather_findings",
            "weather_plan",
            "weather_states",
            "weather_suspended",
            "weather_suspensions",
            "weather_tasks",
            "weather_teaching",
            "weather_turns",
        ],
    },
    LeftOut {
        reason: "what those who work did and decided: rosters and swaps whose shifts are told, posts that are \
                 counted, duties that the register tells, who inspected or entered, by account",
        tables: &[
            "duty_rosters",
            "duty_swaps",
            "hazard_changes",
            "hazard_ledger_exports",
            "hazard_progress_reports",
            "inspection_answers",
            "inspection_changes",
            "inspections",
            "protection_versions",
            "protections",
            "responsibility_rolls",
            "resumption_answers",
            "resumptions",
            "spot_checks",
            "staff_rolls",
            "state_moves",
            "supply_movements",
        ],
    },
    LeftOut {
        reason: "about an event or a place: harm is counted and nobody is named; a reporter may stay unknown, and \
                 pictures are of places",
        tables: &[
            "hazards",
            "incident_accountability",
            "incident_causes",
            "incident_events",
            "incident_reports",
            "incident_steps",
            "incidents",
            "photos",
        ],
    },
    LeftOut {
        reason: "visitors, who are nobody of the register: sealed, found by their visit only, destroyed thirty days \
                 after it",
        tables: &[
            "visit_events",
            "visit_red_codes",
            "visitor_disclosures",
            "visits",
        ],
    },
    LeftOut {
        reason: "counts of many people and of hazards, from which nobody is found",
        tables: &["gate_day_changes", "gate_days", "hazard_moves"],
    },
];
