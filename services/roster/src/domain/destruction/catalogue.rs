//! What services hold of people because of an emergency.

/// Every service that holds such data, with its categories. A service reports each of them.
pub const SERVICES: &[(&str, &[&str])] = &[
    ("safety-inspection", &["visits", "gate-decisions"]),
    (
        "sampling",
        &[
            "tube-results",
            "holds",
            "health-checks",
            "medical-cases",
            "contacts",
        ],
    ),
    (
        "notification",
        &[
            "messages",
            "alerts",
            "concerns",
            "support-cases",
            "care-tasks",
        ],
    ),
];

/// The names of the services that report.
pub(super) fn services() -> impl Iterator<Item = &'static str> {
    SERVICES.iter().map(|(service, _)| *service)
}

/// Whether `service` has `category`.
pub(super) fn knows(service: &str, category: &str) -> bool {
    SERVICES
        .iter()
        .any(|(known, categories)| *known == service && categories.contains(&category))
}
