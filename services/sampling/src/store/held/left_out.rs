//! The tables that are not told of, and why.

use kit::subject::LeftOut;

/// Every table that no section tells of.
pub const LEFT_OUT: &[LeftOut] = &[
    LeftOut {
        reason: "no person: organisations, plans, policies, days, sampling points, what is expected of schools, how far \
                 temperatures are removed",
        tables: &[
            "calendar_years",
            "cycles",
            "deadlines",
            "drawn_days",
            "health_expectations",
            "health_schools",
            "organizations",
            "plans",
            "points",
            "policies",
            "reading_marks",
        ],
    },
    LeftOut {
        reason: "counts of many people, from which nobody is found",
        tables: &[
            "absence_tallies",
            "check_corrections",
            "clusters",
            "coverage",
            "health_days",
            "health_windows",
            "reporting_signals",
            "tube_days",
        ],
    },
    LeftOut {
        reason: "about those who work: who handled a tube, who decided about a cluster or a teaching mode, who \
                 passed an examination; what they did about somebody is told with the tube, the illness or the case",
        tables: &[
            "cluster_events",
            "custody",
            "reporter_exams",
            "suspension_amendments",
            "suspension_classes",
            "suspensions",
        ],
    },
    LeftOut {
        reason: "the statutory reports of a case, which name nobody and count: how many there are is told with the case",
        tables: &["case_hops", "case_reports", "report_steps"],
    },
];
