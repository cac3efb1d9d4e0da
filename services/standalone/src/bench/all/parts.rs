//! What is measured at which size, and which of its figures stand together in a row of the table.

use super::super::Scenario;

/// A scenario at its size.
pub(super) struct Part {
    pub(super) scenario: Scenario,
    /// How many students its city has; none where there is no city.
    pub(super) students: Option<u64>,
    /// What else its command line has.
    pub(super) more: &'static [&'static str],
    pub(super) rows: &'static [Row],
}

impl Part {
    /// What is asked for, such as `city --collapse`.
    pub(super) fn name(&self) -> String {
        let words = [self.scenario.name()];
        let words = words.iter().chain(self.more).copied();
        words.collect::<Vec<_>>().join(" ")
    }
}

/// Figures that stand together, by their names.
pub(super) struct Row {
    pub(super) what: &'static str,
    pub(super) figures: &'static [&'static str],
}

const fn of(scenario: Scenario, students: u64, rows: &'static [Row]) -> Part {
    Part {
        scenario,
        students: Some(students),
        more: &[],
        rows,
    }
}

const fn alone(scenario: Scenario, rows: &'static [Row]) -> Part {
    Part {
        scenario,
        students: None,
        more: &[],
        rows,
    }
}

/// The size of a large district.
const DISTRICT: u64 = 100_000;
/// The size of the city.
const CITY: u64 = 1_500_000;

/// All of them, in the order of the table.
pub(super) const PARTS: &[Part] = &[
    alone(
        Scenario::Floor,
        &[Row {
            what: "single-row commits by 16 clients, of the database alone",
            figures: &["single-row commits, 16 clients"],
        }],
    ),
    of(
        Scenario::Import,
        400_000,
        &[
            Row {
                what: "people imported ÷ the best bulk insert",
                figures: &["people imported ÷ best bulk insert"],
            },
            Row {
                what: "people imported · the same again, unchanged, times faster · memory of services and client",
                figures: &[
                    "people imported",
                    "unchanged again, times faster",
                    "memory of services and client",
                ],
            },
        ],
    ),
    of(
        Scenario::Draw,
        CITY,
        &[
            Row {
                what: "the whole city drawn, durable and signed ÷ its bare rows · ÷ a statement of SQL by `random()`",
                figures: &["city draw ÷ bare rows", "city draw ÷ SQL by random()"],
            },
            Row {
                what: "one school · a city verified offline",
                figures: &["one school, median", "verify a city offline"],
            },
        ],
    ),
    of(
        Scenario::Swabs,
        DISTRICT,
        &[
            Row {
                what: "swabs registered by 1,000 samplers · p99",
                figures: &["1,000 samplers, swabs registered", "1,000 samplers, p99"],
            },
            Row {
                what: "2,000 a second begun on time, p99",
                figures: &["2,000/s begun on time, p99"],
            },
        ],
    ),
    of(
        Scenario::Results,
        DISTRICT,
        &[Row {
            what: "the results of 40,000 tubes by one stream",
            figures: &["at this pace, 40,000"],
        }],
    ),
    of(
        Scenario::Hold,
        DISTRICT,
        &[Row {
            what: "from a positive result to the denial at the gate · to the alert stored, p99",
            figures: &[
                "positive → gate denies, p99",
                "positive → alert stored, p99",
            ],
        }],
    ),
    of(
        Scenario::Gate,
        DISTRICT,
        &[
            Row {
                what: "decisions of 64 gates, each durable, through the gateway · p99",
                figures: &["decisions of 64 gates", "64 gates, p99"],
            },
            Row {
                what: "the same at the service itself · p99",
                figures: &[
                    "the same at the service itself",
                    "at the service itself, p99",
                ],
            },
            Row {
                what: "the ledger alone, decisions that share commits ÷ one commit each, 64 clients",
                figures: &["ledger alone, together ÷ one by one"],
            },
            Row {
                what: "one decision in memory",
                figures: &["one decision in memory"],
            },
        ],
    ),
    alone(
        Scenario::Gateway,
        &[
            Row {
                what: "calls of 64 clients passed on ÷ by nginx · ÷ by haproxy",
                figures: &[
                    "64 clients, gateway ÷ nginx",
                    "64 clients, gateway ÷ haproxy",
                ],
            },
            Row {
                what: "added to the call of one client, p50 · memory of 10,000 idle streams",
                figures: &[
                    "one client, added by the gateway, p50",
                    "10,000 open streams, the gateway more",
                ],
            },
        ],
    ),
    of(
        Scenario::Checks,
        CITY,
        &[
            Row {
                what: "checks stored by 64 clients, while the rules run · p99",
                figures: &["64 clients", "64 clients, p99"],
            },
            Row {
                what: "by 1,000 clients · p99",
                figures: &["1,000 clients", "1,000 clients, p99"],
            },
            Row {
                what: "2,000 a second begun on time (the peak of a city is 22), p99",
                figures: &["2,000/s begun on time, p99"],
            },
        ],
    ),
    of(
        Scenario::Clusters,
        DISTRICT,
        &[
            Row {
                what: "checks that each find somebody ill ÷ zero reports · p99",
                figures: &[
                    "one ill in each class group ÷ zero reports",
                    "one ill in each class group, p99",
                ],
            },
            Row {
                what: "30 days of the city replayed under other rules",
                figures: &["30 days of the city replayed"],
            },
        ],
    ),
    of(
        Scenario::Coverage,
        CITY,
        &[Row {
            what: "the whole city while checks arrive, p99",
            figures: &["the city, p99"],
        }],
    ),
    of(
        Scenario::Fanout,
        CITY,
        &[Row {
            what: "a durable row for every family · ÷ one INSERT … SELECT of the same rows",
            figures: &[
                "a row for every family",
                "a row for every family ÷ one INSERT … SELECT",
            ],
        }],
    ),
    of(
        Scenario::Receipts,
        DISTRICT,
        &[
            Row {
                what: "receipts by 64 clients, one a call · p99",
                figures: &["receipts of a message, one a call", "one a call, p99"],
            },
            Row {
                what: "directives read · signed, each with its history and its counts · p99",
                figures: &[
                    "directives read",
                    "directives signed",
                    "directives signed, p99",
                ],
            },
        ],
    ),
    of(
        Scenario::Hazards,
        DISTRICT,
        &[Row {
            what: "hazards reported by 64 clients · acts on them until they are closed · p99",
            figures: &[
                "reports of 64 clients",
                "moves until closed, 64 clients",
                "moves, p99",
            ],
        }],
    ),
    alone(
        Scenario::Audit,
        &[
            Row {
                what: "reads on record ÷ reads that are not, 16 clients",
                figures: &["reads on record ÷ reads that are not, 16 clients"],
            },
            Row {
                what: "a log of 1,000,000 records verified",
                figures: &["a log of 1,000,000 records verified"],
            },
        ],
    ),
    of(
        Scenario::Feed,
        DISTRICT,
        &[
            Row {
                what: "a write until a watcher in another process sees it, 1,000 events/s, p50 · p99",
                figures: &[
                    "begun → seen in another process, p50",
                    "begun → seen in another process, p99",
                ],
            },
            Row {
                what: "of it, after the acknowledgement, p50 · p99",
                figures: &["acknowledged → seen, p50", "acknowledged → seen, p99"],
            },
        ],
    ),
    of(
        Scenario::Copy,
        DISTRICT,
        &[Row {
            what: "the first copy of a school of 2,000 pupils by feeds · by lists",
            figures: &[
                "first copy of a school by feeds, watched from there",
                "first copy of a school by lists, with names",
            ],
        }],
    ),
    alone(
        Scenario::Start,
        &[
            Row {
                what: "from the start until ready: roster · sampling · safety-inspection · notification · gateway",
                figures: &[
                    "roster, from its start until it is ready",
                    "sampling, from its start until it is ready",
                    "safety-inspection, from its start until it is ready",
                    "notification, from its start until it is ready",
                    "gateway, from its start until it is ready",
                ],
            },
            Row {
                what: "memory when idle, in this order",
                figures: &[
                    "roster, idle",
                    "sampling, idle",
                    "safety-inspection, idle",
                    "notification, idle",
                    "gateway, idle",
                ],
            },
        ],
    ),
    of(
        Scenario::City,
        CITY,
        &[Row {
            what: "times the real time that is borne · decisions at gates, p99",
            figures: &["times the real time", "gate decisions, p99"],
        }],
    ),
    Part {
        more: &["--collapse"],
        ..of(
            Scenario::City,
            CITY,
            &[Row {
                what: "times the real time that the densest ten minutes bear · at which they collapse",
                figures: &[
                    "times the real time that is borne in the densest minutes",
                    "times the real time at which it collapses",
                ],
            }],
        )
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_scenario_has_rows_that_differ() {
        for scenario in Scenario::value_variants() {
            let parts = PARTS.iter().filter(|part| part.scenario == *scenario);
            assert_eq!(
                parts.count() > 0,
                *scenario != Scenario::All,
                "{scenario:?}"
            );
        }
        let rows = PARTS
            .iter()
            .flat_map(|part| part.rows.iter().map(|row| (part.name(), row.what)));
        let all: Vec<_> = rows.collect();
        let different: BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert!(
            PARTS
                .iter()
                .flat_map(|part| part.rows)
                .all(|row| !row.figures.is_empty())
        );
    }
}
