//! What was gathered of people while an emergency was open: found, counted and deleted.
//!
//! What still decides about somebody (a tube under way, a hold in force, an open case, an absence
//! that has not ended) is counted and not deleted: it goes once it is over.

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};

use crate::domain::day::Day;

/// The time of an emergency, without its last instant, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When it began.
    pub start: i64,
    /// When it ended.
    pub end: i64,
    /// The civil day on which it began.
    pub first_day: Day,
    /// The civil day on which it ended; what is kept by the day only, of this day, is not of it.
    pub last_day: Day,
}

/// Rows of one table with what hangs on them.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The table.
    pub(super) table: &'static str,
    /// The columns of its primary key.
    pub(super) key: &'static str,
    /// Whether a row is of the emergency. `{start}`, `{end}`, `{first_day}` and `{last_day}` stand for
    /// its time.
    pub(super) of: &'static str,
    /// Whether it decides about nobody any more.
    pub(super) over: &'static str,
    /// Tables whose rows go with it, by the column that names it.
    pub(super) with: &'static [(&'static str, &'static str)],
    /// How the feed shows rows; none where it shows none that is over.
    pub(super) shown: Option<Shown>,
}

/// Which rows of a table stand in the snapshot of the feed of this service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    /// The kind of the entity.
    kind: &'static str,
    /// The collection of its name.
    collection: &'static str,
    /// The column with its place.
    place: &'static str,
    /// Whether a row stands in it, though it decides about nobody any more.
    rows: &'static str,
}

/// An entity that leaves the snapshot of the feed with its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// The kind of the entity.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its place.
    pub org_path: String,
    /// Its last version.
    pub version: i64,
}

/// Tubes with whom was swabbed into them and what came of it; under way are those that are at a
/// laboratory or hold somebody.
pub const TUBES: Part = Part {
    table: "tubes",
    key: "code",
    of: "((seal_time >= {start} AND seal_time < {end}) \
         OR (seal_time = 0 AND day >= {first_day} AND day < {last_day}))",
    over: "state NOT IN (3, 4, 5, 6, 8, 9, 15, 16, 17)",
    with: &[
        ("swabs", "tube"),
        ("results", "tube"),
        ("custody", "tube"),
        ("make_ups", "tube"),
    ],
    shown: Some(Shown {
        kind: "tube",
        collection: "tubes",
        place: "org_path",
        rows: "state NOT IN (11, 12)",
    }),
};

/// Holds with whom they held.
pub const HOLDS: Part = Part {
    table: "holds",
    key: "tube",
    of: "start_time >= {start} AND start_time < {end}",
    over: "end_time > 0",
    with: &[("rechecks", "hold"), ("hold_events", "hold")],
    shown: Some(Shown {
        kind: "hold",
        collection: "holds",
        place: "org_path",
        rows: "state = 3",
    }),
};

/// Checks with who had which symptoms, and what they and tubes were counted into.
pub const CHECKS: [Part; 6] = [
    SUBMISSIONS,
    STANDING,
    Part {
        table: "health_days",
        key: "day, school",
        of: "day >= {first_day} AND day < {last_day}",
        over: "TRUE",
        with: &[],
        shown: None,
    },
    Part {
        table: "health_windows",
        key: "day, school",
        of: "day >= {first_day} AND day < {last_day}",
        over: "TRUE",
        with: &[],
        shown: None,
    },
    Part {
        table: "check_corrections",
        key: "day, school, slot",
        of: "day >= {first_day} AND day < {last_day}",
        over: "TRUE",
        with: &[],
        shown: None,
    },
    Part {
        table: "tube_days",
        key: "day, school",
        of: "day >= {first_day} AND day < {last_day}",
        over: "TRUE",
        with: &[],
        shown: None,
    },
];

/// Cases, illnesses, absences and states of people.
pub const CASES: [Part; 7] = [FILES, ABSENCES, SIGNS, ILLNESSES, PATIENTS, EVENTS, STATES];

/// Who met whom, and who was controlled from outside.
pub const CONTACTS: [Part; 2] = [MET, MEASURES];

/// Submissions that another one stands in place of.
pub(super) const SUBMISSIONS: Part = Part {
    table: "check_submissions",
    key: "day, slot, place, client",
    of: "day >= {first_day} AND day <= {last_day} \
         AND capture_time >= {start} AND capture_time < {end}",
    over: "TRUE",
    with: &[],
    shown: None,
};

/// What stands of checks.
pub(super) const STANDING: Part = Part {
    table: "checks",
    key: "day, slot, place",
    of: "day >= {first_day} AND day <= {last_day} \
         AND capture_time >= {start} AND capture_time < {end}",
    over: "TRUE",
    with: &[],
    shown: None,
};

/// Cases.
pub(super) const FILES: Part = Part {
    table: "cases",
    key: "id",
    of: "open_time >= {start} AND open_time < {end}",
    over: "close_time > 0",
    with: &[
        ("case_events", "case_id"),
        ("case_findings", "case_id"),
        ("case_hops", "case_id"),
        ("case_reports", "case_id"),
        ("report_steps", "case_id"),
        ("case_exports", "case_id"),
    ],
    shown: Some(Shown {
        kind: "case",
        collection: "cases",
        place: "school",
        rows: "certainty <> 3 AND last_report <> 3",
    }),
};

/// Absences with the attempts to reach somebody, and what was reported of them.
pub(super) const ABSENCES: Part = Part {
    table: "absences",
    key: "id",
    of: "create_time >= {start} AND create_time < {end}",
    over: "state = 5",
    with: &[
        ("absence_traces", "absence"),
        ("absence_reports", "absence"),
    ],
    shown: Some(Shown {
        kind: "absence",
        collection: "absences",
        place: "org_path",
        rows: "reason = 1 AND upload_due <> 0 AND upload_time = 0",
    }),
};

/// What is said of people's health.
pub(super) const SIGNS: Part = Part {
    table: "signs",
    key: "source, person",
    of: "time >= {start} AND time < {end}",
    over: "TRUE",
    with: &[],
    shown: None,
};

/// What illnesses count as.
pub(super) const ILLNESSES: Part = Part {
    table: "illness_cases",
    key: "person, school, criterion, day",
    of: "day >= {first_day} AND day < {last_day}",
    over: "TRUE",
    with: &[],
    shown: None,
};

/// The people of clusters.
pub(super) const PATIENTS: Part = Part {
    table: "cluster_people",
    key: "cluster, person",
    of: "cluster IN (SELECT id FROM clusters WHERE fire_time >= {start} AND fire_time < {end})",
    over: "cluster NOT IN (SELECT id FROM clusters WHERE state IN (1, 2))",
    with: &[],
    shown: None,
};

/// The history of the medical axis.
pub(super) const EVENTS: Part = Part {
    table: "health_events",
    key: "person, sequence",
    of: "time >= {start} AND time < {end}",
    over: "person NOT IN (SELECT person FROM medical_states WHERE state <> 1)",
    with: &[],
    shown: None,
};

/// The medical axis.
pub(super) const STATES: Part = Part {
    table: "medical_states",
    key: "person",
    of: "since >= {start} AND since < {end}",
    over: "state = 1",
    with: &[],
    shown: None,
};

/// Contacts of cases.
pub(super) const MET: Part = Part {
    table: "case_contacts",
    key: "case_id, person",
    of: "add_time >= {start} AND add_time < {end}",
    over: "case_id NOT IN (SELECT id FROM cases WHERE close_time = 0)",
    with: &[],
    shown: None,
};

/// Controls from outside.
pub(super) const MEASURES: Part = Part {
    table: "control_measures",
    key: "id",
    of: "place_time >= {start} AND place_time < {end}",
    over: "state <> 1",
    with: &[],
    shown: None,
};

impl Shown {
    /// What [`Shown::leaving`] reads of a row.
    pub(super) fn columns(&self, key: &str) -> String {
        let Self { place, rows, .. } = self;
        format!("{key}, {place}, version, CASE WHEN {rows} THEN 1 ELSE 0 END")
    }

    /// The entities of these rows that stand in the snapshot of the feed.
    pub(super) fn leaving(&self, rows: &[QueryResult]) -> Result<Vec<Leaving>, DbErr> {
        let mut leaving = Vec::new();
        for row in rows {
            let shown: i32 = row.try_get_by_index(3)?;
            if shown == 1 {
                let id: String = row.try_get_by_index(0)?;
                leaving.push(Leaving {
                    kind: self.kind,
                    name: format!("{}/{id}", self.collection),
                    org_path: row.try_get_by_index(1)?,
                    version: row.try_get_by_index(2)?,
                });
            }
        }
        Ok(leaving)
    }
}

impl Part {
    /// Whether a row is of an emergency with this time, as a condition.
    pub(super) fn of(&self, span: &Span) -> String {
        self.of
            .replace("{start}", &span.start.to_string())
            .replace("{end}", &span.end.to_string())
            .replace("{first_day}", &span.first_day.number().to_string())
            .replace("{last_day}", &span.last_day.number().to_string())
    }

    /// Deletes at most `limit` rows that are over, with what hangs on them; how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&self, tx: &Tx, span: &Span, limit: u64) -> Result<u64, DbErr> {
        let Self {
            table,
            key,
            of: _,
            over,
            with,
            shown: _,
        } = self;
        let rows = format!(
            "SELECT {key} FROM {table} WHERE {} AND {over} ORDER BY {key} LIMIT {limit}",
            self.of(span)
        );
        for (child, column) in *with {
            let sql = format!("DELETE FROM {child} WHERE {column} IN ({rows})");
            tx.execute_raw(statement(tx, &sql, [])).await?;
        }
        let sql = format!("DELETE FROM {table} WHERE ({key}) IN ({rows})");
        let done = tx.execute_raw(statement(tx, &sql, [])).await?;
        Ok(done.rows_affected())
    }

    /// The entities that leave the snapshot of the feed with the rows that the next [`Part::delete`]
    /// deletes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn leaving(&self, tx: &Tx, span: &Span, limit: u64) -> Result<Vec<Leaving>, DbErr> {
        let Some(shown) = &self.shown else {
            return Ok(Vec::new());
        };
        let sql = format!(
            "SELECT {} FROM {} WHERE {} AND {} ORDER BY {} LIMIT {limit}",
            shown.columns(self.key),
            self.table,
            self.of(span),
            self.over,
            self.key,
        );
        let rows = tx.query_all_raw(statement(tx, &sql, [])).await?;
        shown.leaving(&rows)
    }

    /// How many rows there are, over or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&self, db: &impl ConnectionTrait, span: &Span) -> Result<i64, DbErr> {
        let sql = format!(
            "SELECT COUNT(*) FROM {} WHERE {}",
            self.table,
            self.of(span)
        );
        let row = db.query_one_raw(statement(db, &sql, [])).await?;
        row.map_or(Ok(0), |row| row.try_get_by_index(0))
    }
}
