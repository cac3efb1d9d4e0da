//! What was gathered of people while an emergency was open: found, counted and deleted.
//!
//! What still decides about somebody (a tube under way, a hold in force, an open case, an absence
//! that has not ended) is counted and not deleted: it goes once it is over.

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr};

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
    table: &'static str,
    /// The columns of its primary key.
    key: &'static str,
    /// Whether a row is of the emergency. `{start}`, `{end}`, `{first_day}` and `{last_day}` stand for
    /// its time.
    of: &'static str,
    /// Whether it decides about nobody any more.
    over: &'static str,
    /// Tables whose rows go with it, by the column that names it.
    with: &'static [(&'static str, &'static str)],
}

/// A tube that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoneTube {
    /// Its code.
    pub code: String,
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
};

/// Holds with whom they held.
pub const HOLDS: Part = Part {
    table: "holds",
    key: "tube",
    of: "start_time >= {start} AND start_time < {end}",
    over: "end_time > 0",
    with: &[("rechecks", "hold"), ("hold_events", "hold")],
};

/// Checks with who had which symptoms, and what they were counted into.
pub const CHECKS: [Part; 4] = [
    Part {
        table: "check_submissions",
        key: "day, slot, place, client",
        of: "day >= {first_day} AND day <= {last_day} \
             AND capture_time >= {start} AND capture_time < {end}",
        over: "TRUE",
        with: &[],
    },
    Part {
        table: "checks",
        key: "day, slot, place",
        of: "day >= {first_day} AND day <= {last_day} \
             AND capture_time >= {start} AND capture_time < {end}",
        over: "TRUE",
        with: &[],
    },
    Part {
        table: "health_days",
        key: "day, school",
        of: "day >= {first_day} AND day < {last_day}",
        over: "TRUE",
        with: &[],
    },
    Part {
        table: "health_windows",
        key: "day, school",
        of: "day >= {first_day} AND day < {last_day}",
        over: "TRUE",
        with: &[],
    },
];

/// Cases, illnesses, absences and states of people.
pub const CASES: [Part; 7] = [
    Part {
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
    },
    Part {
        table: "absences",
        key: "id",
        of: "create_time >= {start} AND create_time < {end}",
        over: "state = 5",
        with: &[("absence_traces", "absence")],
    },
    Part {
        table: "signs",
        key: "source, person",
        of: "time >= {start} AND time < {end}",
        over: "TRUE",
        with: &[],
    },
    Part {
        table: "illness_cases",
        key: "person, school, criterion, day",
        of: "day >= {first_day} AND day < {last_day}",
        over: "TRUE",
        with: &[],
    },
    Part {
        table: "cluster_people",
        key: "cluster, person",
        of: "cluster IN (SELECT id FROM clusters WHERE fire_time >= {start} AND fire_time < {end})",
        over: "cluster NOT IN (SELECT id FROM clusters WHERE state IN (1, 2))",
        with: &[],
    },
    Part {
        table: "health_events",
        key: "person, sequence",
        of: "time >= {start} AND time < {end}",
        over: "person NOT IN (SELECT person FROM medical_states WHERE state <> 1)",
        with: &[],
    },
    Part {
        table: "medical_states",
        key: "person",
        of: "since >= {start} AND since < {end}",
        over: "state = 1",
        with: &[],
    },
];

/// Who met whom, and who was controlled from outside.
pub const CONTACTS: [Part; 2] = [
    Part {
        table: "case_contacts",
        key: "case_id, person",
        of: "add_time >= {start} AND add_time < {end}",
        over: "case_id NOT IN (SELECT id FROM cases WHERE close_time = 0)",
        with: &[],
    },
    Part {
        table: "control_measures",
        key: "id",
        of: "place_time >= {start} AND place_time < {end}",
        over: "state <> 1",
        with: &[],
    },
];

impl Part {
    fn of(&self, span: &Span) -> String {
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

/// The tubes that the next [`Part::delete`] of [`TUBES`] deletes and that stand in the feed's snapshot.
///
/// # Errors
/// When the database fails.
pub async fn tubes_to_go(tx: &Tx, span: &Span, limit: u64) -> Result<Vec<GoneTube>, DbErr> {
    let sql = format!(
        "SELECT code, org_path, version, state FROM tubes WHERE {} AND {} ORDER BY code \
         LIMIT {limit}",
        TUBES.of(span),
        TUBES.over
    );
    let mut gone = Vec::new();
    for row in tx.query_all_raw(statement(tx, &sql, [])).await? {
        let state: i16 = row.try_get_by_index(3)?;
        // Closed and voided tubes have left the snapshot.
        if ![11, 12].contains(&state) {
            gone.push(GoneTube {
                code: row.try_get_by_index(0)?,
                org_path: row.try_get_by_index(1)?,
                version: row.try_get_by_index(2)?,
            });
        }
    }
    Ok(gone)
}
