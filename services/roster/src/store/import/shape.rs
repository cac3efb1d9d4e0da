//! How each kind of row compares with the register, and how it gets in: statements over whole
//! tables, the same for every kind.

use kit::db::{Backend, Tx, statement};
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, Value};
use serde::{Deserialize, Serialize};

use super::jobs::Job;
use crate::domain::import::{Kind, Reason};
use crate::store::within;

/// A kind of row: the table it is staged in and the one it goes to. Both share the key, the
/// `copied` columns, which every import writes, and the `fixed` ones, which only creation writes.
#[derive(Debug)]
pub struct Shape {
    /// What its rows are about.
    pub kind: Kind,
    /// The table of the register.
    pub table: &'static str,
    /// Where rows are staged.
    pub staged: &'static str,
    /// Where rows are kept that a commit replaced.
    pub replaced: &'static str,
    /// The column that tells one from another.
    pub key: &'static str,
    /// Rows belong to the source that made them; otherwise whoever may write there may change them.
    pub owned: bool,
    /// While this holds of a row it is in use.
    active: &'static str,
    copied: &'static [&'static str],
    fixed: &'static [&'static str],
    /// Further columns with what they are on creation; `s` is the staged row, `$4` the day.
    on_create: &'static [(&'static str, &'static str)],
    /// Further columns with what they are on a change; `t` is the row in the register.
    on_change: &'static [(&'static str, &'static str)],
    /// What becomes of a row that vanished; it is removed when there is nothing.
    on_vanish: &'static [(&'static str, &'static str)],
    /// Indexes that a first import builds after its rows.
    indexes: &'static [(&'static str, &'static str)],
}

const ORGANIZATIONS: Shape = Shape {
    kind: Kind::Organization,
    table: "organizations",
    staged: "import_organizations",
    replaced: "replaced_organizations",
    key: "id",
    owned: false,
    active: "t.state = 1",
    copied: &[
        "display_name",
        "division_code",
        "school_code",
        "external_id",
    ],
    fixed: &["org_path", "kind", "parent"],
    on_create: &[("state", "1")],
    on_change: &[("state", "1"), ("valid_to", "NULL")],
    on_vanish: &[("state", "2"), ("valid_to", "$4")],
    indexes: &[],
};

const CLASS_GROUPS: Shape = Shape {
    kind: Kind::ClassGroup,
    table: "class_groups",
    staged: "import_class_groups",
    replaced: "replaced_class_groups",
    key: "org_path",
    owned: false,
    active: "t.state = 1",
    copied: &["display_name", "external_id"],
    fixed: &["organization", "id", "stage", "entry_year", "number"],
    on_create: &[("roll_version", "0")],
    on_change: &[("state", "1")],
    on_vanish: &[("state", "2")],
    indexes: &[],
};

const STAFF: Shape = Shape {
    kind: Kind::StaffMember,
    table: "staff",
    staged: "import_staff",
    replaced: "replaced_staff",
    key: "id",
    owned: true,
    active: "t.state <> 3",
    copied: &[
        "org_path",
        "display_name",
        "source_posts",
        "id_type",
        "id_hash",
        "sealed",
    ],
    fixed: &[],
    on_create: &[
        ("posts", "s.source_posts"),
        ("state", "1"),
        ("start_day", "$4"),
    ],
    // Posts that were given by hand stay.
    on_change: &[
        ("posts", "(t.posts & ~t.source_posts) | s.source_posts"),
        ("state", "CASE WHEN t.state = 3 THEN 1 ELSE t.state END"),
        (
            "start_day",
            "CASE WHEN t.state = 3 OR t.org_path <> s.org_path THEN $4 ELSE t.start_day END",
        ),
    ],
    on_vanish: &[("state", "3"), ("posts", "0"), ("source_posts", "0")],
    indexes: &[
        ("staff_id", "CREATE UNIQUE INDEX staff_id ON staff (id)"),
        (
            "staff_org_path",
            "CREATE INDEX staff_org_path ON staff (org_path, id)",
        ),
        (
            "staff_id_hash",
            "CREATE UNIQUE INDEX staff_id_hash ON staff (id_hash) WHERE state <> 3",
        ),
    ],
};

const STUDENTS: Shape = Shape {
    kind: Kind::Student,
    table: "students",
    staged: "import_students",
    replaced: "replaced_students",
    key: "id",
    owned: true,
    active: "t.state = 1",
    copied: &[
        "org_path",
        "display_name",
        "sex",
        "birth_month",
        "id_type",
        "id_hash",
        "sealed",
        "boarder",
    ],
    fixed: &[],
    on_create: &[("state", "1"), ("start_day", "$4")],
    on_change: &[
        (
            "start_day",
            "CASE WHEN t.state <> 1 OR t.org_path <> s.org_path THEN $4 ELSE t.start_day END",
        ),
        ("end_day", "NULL"),
        ("state", "1"),
    ],
    on_vanish: &[("state", "2"), ("end_day", "$4")],
    indexes: &[
        (
            "students_id",
            "CREATE UNIQUE INDEX students_id ON students (id)",
        ),
        (
            "students_org_path",
            "CREATE INDEX students_org_path ON students (org_path, id)",
        ),
        (
            "students_id_hash",
            "CREATE UNIQUE INDEX students_id_hash ON students (id_hash) WHERE state = 1",
        ),
    ],
};

const GUARDIANS: Shape = Shape {
    kind: Kind::Guardian,
    table: "guardians",
    staged: "import_guardians",
    replaced: "replaced_guardians",
    key: "id",
    owned: true,
    active: "TRUE",
    copied: &["student", "display_name", "relation", "sealed", "priority"],
    fixed: &[],
    on_create: &[],
    on_change: &[],
    on_vanish: &[],
    indexes: &[
        (
            "guardians_id",
            "CREATE UNIQUE INDEX guardians_id ON guardians (id)",
        ),
        (
            "guardians_student",
            "CREATE INDEX guardians_student ON guardians (student)",
        ),
    ],
};

/// Every kind, in the order in which they get in: parents first.
pub const SHAPES: [&Shape; 5] = [&ORGANIZATIONS, &CLASS_GROUPS, &STAFF, &STUDENTS, &GUARDIANS];

/// Where rows of a job are staged until its end.
pub const STAGING_TABLES: [&str; 6] = [
    "import_organizations",
    "import_class_groups",
    "import_staff",
    "import_students",
    "import_guardians",
    "import_seen",
];

/// What a job compares with, in numbers that any change raises: rows and the sum of their versions,
/// for each kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(Vec<(i64, i64)>);

/// What a kind's rows are compared with the register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Staged and not refused.
    pub staged: i64,
    /// Of these, in the register, in use or not: whoever comes back is the same person.
    pub present: i64,
    /// Of those, in use.
    pub active: i64,
    /// Of the ones in use, with other contents.
    pub changed: i64,
}

/// Makes the fingerprint of what `job` compares with.
///
/// # Errors
/// When the database fails.
pub async fn fingerprint(db: &impl ConnectionTrait, job: &Job) -> Result<Fingerprint, DbErr> {
    let mut numbers = Vec::with_capacity(SHAPES.len());
    for shape in SHAPES {
        let (condition, values) = shape.concern(job);
        let sql = format!(
            "SELECT count(*), CAST(coalesce(sum(t.version), 0) AS BIGINT) FROM {} t \
             WHERE {condition}",
            shape.table
        );
        let row = db.query_one_raw(statement(db, &sql, values)).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound("a count".to_owned()))?;
        numbers.push((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
    }
    Ok(Fingerprint(numbers))
}

impl Shape {
    /// Which rows of the register a job is about: those of its source, or those in its place.
    fn concern(&self, job: &Job) -> (String, Vec<Value>) {
        if self.owned {
            return ("t.source = $1".to_owned(), vec![job.source.as_str().into()]);
        }
        let scope: OrgPath = job.org_path.parse().unwrap_or_default();
        let (inside, values) = within("t.org_path", 1, &scope);
        (inside, values.to_vec())
    }

    /// The condition, with its values from `$first` on, that a row is of the job's source, in its
    /// place, and in use: if it is not among the rows of a whole delivery, it has vanished.
    pub fn known(&self, job: &Job, first: usize) -> (String, Vec<Value>) {
        let scope: OrgPath = job.org_path.parse().unwrap_or_default();
        let source = format!("t.source = ${first} AND {}", self.active);
        let mut values = vec![job.source.as_str().into()];
        if scope.parent().is_none_or(|above| above.is_root()) {
            return (source, values);
        }
        let place = if self.kind == Kind::Guardian {
            "org_path"
        } else {
            "t.org_path"
        };
        let (inside, bounds) = within(place, first + 1, &scope);
        values.extend(bounds);
        if self.kind == Kind::Guardian {
            let students = format!("t.student IN (SELECT id FROM students WHERE {inside})");
            (format!("{source} AND {students}"), values)
        } else {
            (format!("{source} AND {inside}"), values)
        }
    }

    /// Leaves out what the plan of job `$1` refused.
    fn taken(refused: bool) -> &'static str {
        if refused {
            "s.job = $1 AND NOT s.removal AND NOT EXISTS (SELECT 1 FROM import_verdicts v \
             WHERE v.job = s.job AND v.row = s.row AND v.planned AND v.rejected)"
        } else {
            "s.job = $1 AND NOT s.removal"
        }
    }

    /// Compares the staged rows with the register.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn compare(&self, tx: &Tx, job: i64, refused: bool) -> Result<Comparison, DbErr> {
        let Self {
            table,
            staged,
            key,
            active,
            ..
        } = self;
        let taken = Self::taken(refused);
        let active = format!("t.{key} IS NOT NULL AND {active}");
        let sql = format!(
            "SELECT count(*), count(t.{key}), count(CASE WHEN {active} THEN 1 END), \
             count(CASE WHEN {active} AND (t.content_hash IS NULL \
             OR t.content_hash <> s.content_hash) THEN 1 END) \
             FROM {staged} s LEFT JOIN {table} t ON t.{key} = s.{key} WHERE {taken}"
        );
        let row = tx.query_one_raw(statement(tx, &sql, [job.into()])).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound("a comparison".to_owned()))?;
        Ok(Comparison {
            staged: row.try_get_by_index(0)?,
            present: row.try_get_by_index(1)?,
            active: row.try_get_by_index(2)?,
            changed: row.try_get_by_index(3)?,
        })
    }

    /// Refuses, by the plan, the staged rows that `select` finds: it gives `row` for job `$1`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refuse(
        &self,
        tx: &Tx,
        job: i64,
        field: &'static str,
        reason: Reason,
        (select, values): (&str, Vec<Value>),
    ) -> Result<u64, DbErr> {
        let kind = self.kind.code();
        let next = values.len() + 2;
        let sql = format!(
            "INSERT INTO import_verdicts (job, row, place, kind, field, reason, rejected, planned) \
             SELECT $1, f.row, 100, ${next}, ${}, ${}, TRUE, TRUE FROM ({select}) f \
             WHERE TRUE ON CONFLICT DO NOTHING",
            next + 1,
            next + 2
        );
        let all: Vec<Value> = std::iter::once(job.into())
            .chain(values)
            .chain([kind.into(), field.into(), reason.code().into()])
            .collect();
        Ok(tx
            .execute_raw(statement(tx, &sql, all))
            .await?
            .rows_affected())
    }

    /// Keeps the rows that are about to change, then changes them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change(&self, tx: &Tx, job: &Job, refused: bool, day: i32) -> Result<(), DbErr> {
        let Self {
            table,
            staged,
            replaced,
            key,
            copied,
            on_change,
            ..
        } = self;
        let taken = Self::taken(refused);
        let differs = "(t.content_hash IS NULL OR t.content_hash <> s.content_hash)";
        let keep = format!(
            "INSERT INTO {replaced} SELECT $1, t.* FROM {table} t \
             JOIN {staged} s ON s.{key} = t.{key} WHERE {taken} AND {differs}"
        );
        tx.execute_raw(statement(tx, &keep, [job.number.into()]))
            .await?;
        let mut sets: Vec<String> = copied
            .iter()
            .map(|column| format!("{column} = s.{column}"))
            .collect();
        sets.extend(
            on_change
                .iter()
                .map(|(column, value)| format!("{column} = {value}")),
        );
        if self.owned {
            sets.push("raw_hash = s.raw_hash".to_owned());
        }
        let update = format!(
            "UPDATE {table} AS t SET {}, source = $2, batch = $1, version = t.version + 1, \
             update_time = $3, content_hash = s.content_hash FROM {staged} AS s \
             WHERE s.{key} = t.{key} AND {taken} AND {differs} AND $4 > 0",
            sets.join(", ")
        );
        let values = [
            job.number.into(),
            job.source.as_str().into(),
            job.update_time.into(),
            day.into(),
        ];
        tx.execute_raw(statement(tx, &update, values)).await?;
        Ok(())
    }

    /// Adds the rows that are not in the register. A first import builds the indexes afterwards.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create(
        &self,
        tx: &Tx,
        job: &Job,
        refused: bool,
        comparison: Comparison,
        day: i32,
    ) -> Result<(), DbErr> {
        let Self {
            table,
            staged,
            key,
            copied,
            fixed,
            on_create,
            ..
        } = self;
        let created = comparison.staged - comparison.present;
        let rebuild = !self.indexes.is_empty() && created > 20_000 && {
            let count = statement(tx, &format!("SELECT count(*) FROM {table}"), []);
            let row = tx.query_one_raw(count).await?;
            let stored: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
            stored < created / 4
        };
        if rebuild {
            for (index, _) in self.indexes {
                tx.execute_unprepared(&format!("DROP INDEX {index}"))
                    .await?;
            }
        }
        let shared: Vec<&str> = std::iter::once(*key)
            .chain(copied.iter().copied())
            .chain(fixed.iter().copied())
            .collect();
        let raw = if self.owned { ", raw_hash" } else { "" };
        let raw_value = if self.owned { ", s.raw_hash" } else { "" };
        let more: String = on_create
            .iter()
            .map(|(column, _)| format!(", {column}"))
            .collect();
        let values: String = on_create
            .iter()
            .map(|(_, value)| format!(", {value}"))
            .collect();
        let absent = if comparison.present == 0 {
            String::new()
        } else {
            format!("AND NOT EXISTS (SELECT 1 FROM {table} t WHERE t.{key} = s.{key})")
        };
        let insert = format!(
            "INSERT INTO {table} ({}, source, batch, version, update_time, content_hash{raw}{more}) \
             SELECT {}, $2, $1, 1, $3, s.content_hash{raw_value}{values} FROM {staged} s \
             WHERE {} {absent} AND $4 > 0",
            shared.join(", "),
            shared
                .iter()
                .map(|column| format!("s.{column}"))
                .collect::<Vec<_>>()
                .join(", "),
            Self::taken(refused),
        );
        let bound = [
            job.number.into(),
            job.source.as_str().into(),
            job.update_time.into(),
            day.into(),
        ];
        tx.execute_raw(statement(tx, &insert, bound)).await?;
        if rebuild {
            if tx.backend() == Backend::Postgres {
                tx.execute_unprepared("SET LOCAL maintenance_work_mem = '256MB'")
                    .await?;
            }
            for (_, create) in self.indexes {
                tx.execute_unprepared(create).await?;
            }
        }
        Ok(())
    }

    /// Keeps the rows whose keys `select` finds for job `$1`, then lets them go.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn vanish(&self, tx: &Tx, job: &Job, select: &str, day: i32) -> Result<u64, DbErr> {
        let Self {
            table,
            replaced,
            key,
            on_vanish,
            ..
        } = self;
        // A row that this very job keeps already is kept once.
        let keep = format!(
            "INSERT INTO {replaced} SELECT $1, t.* FROM {table} t WHERE t.{key} IN ({select}) \
             AND (t.batch IS NULL OR t.batch <> $1)"
        );
        tx.execute_raw(statement(tx, &keep, [job.number.into()]))
            .await?;
        if on_vanish.is_empty() {
            let delete = format!("DELETE FROM {table} WHERE {key} IN ({select})");
            let gone = tx
                .execute_raw(statement(tx, &delete, [job.number.into()]))
                .await?;
            return Ok(gone.rows_affected());
        }
        let sets: String = on_vanish
            .iter()
            .map(|(column, value)| format!("{column} = {value}, "))
            .collect();
        let raw = if self.owned { "raw_hash = NULL, " } else { "" };
        let update = format!(
            "UPDATE {table} SET {sets}{raw}content_hash = NULL, batch = $1, \
             version = version + 1, update_time = $3 \
             WHERE {key} IN ({select}) AND $4 > 0 AND $2 >= 0"
        );
        let values = [
            job.number.into(),
            0_i64.into(),
            job.update_time.into(),
            day.into(),
        ];
        Ok(tx
            .execute_raw(statement(tx, &update, values))
            .await?
            .rows_affected())
    }

    /// How many rows still stand as the job wrote them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn written(&self, db: &impl ConnectionTrait, job: i64) -> Result<i64, DbErr> {
        let sql = format!("SELECT count(*) FROM {} WHERE batch = $1", self.table);
        let row = db.query_one_raw(statement(db, &sql, [job.into()])).await?;
        row.map_or(Ok(0), |row| row.try_get_by_index(0))
    }

    /// Removes what the job created and puts back what it replaced.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_back(&self, tx: &Tx, job: i64, now: i64) -> Result<(), DbErr> {
        let Self {
            table,
            replaced,
            key,
            ..
        } = self;
        let delete = format!(
            "DELETE FROM {table} AS t WHERE t.batch = $1 AND NOT EXISTS \
             (SELECT 1 FROM {replaced} r WHERE r.job = $1 AND r.{key} = t.{key})"
        );
        tx.execute_raw(statement(tx, &delete, [job.into()])).await?;
        let changed = self.changed_columns();
        let sets: String = changed
            .iter()
            .map(|column| format!("{column} = r.{column}, "))
            .collect();
        let restore = format!(
            "UPDATE {table} AS t SET {sets} version = t.version + 1, update_time = $2 \
             FROM {replaced} AS r WHERE r.job = $1 AND r.{key} = t.{key} AND t.batch = $1"
        );
        tx.execute_raw(statement(tx, &restore, [job.into(), now.into()]))
            .await?;
        if self.on_vanish.is_empty() {
            let columns = [&[*key, "version", "update_time"], changed.as_slice()].concat();
            let insert = format!(
                "INSERT INTO {table} ({}) SELECT {} FROM {replaced} r WHERE r.job = $1 \
                 AND NOT EXISTS (SELECT 1 FROM {table} t WHERE t.{key} = r.{key})",
                columns.join(", "),
                columns
                    .iter()
                    .map(|column| format!("r.{column}"))
                    .collect::<Vec<_>>()
                    .join(", "),
            );
            tx.execute_raw(statement(tx, &insert, [job.into()])).await?;
        }
        let forget = format!("DELETE FROM {replaced} WHERE job = $1");
        tx.execute_raw(statement(tx, &forget, [job.into()])).await?;
        Ok(())
    }

    /// Every column that an import may have changed.
    fn changed_columns(&self) -> Vec<&'static str> {
        let mut columns = self.copied.to_vec();
        let more = self
            .on_change
            .iter()
            .chain(self.on_vanish)
            .map(|(column, _)| *column);
        columns.extend(more);
        columns.extend(["source", "batch", "content_hash"]);
        columns.extend(self.owned.then_some("raw_hash"));
        columns.extend((self.kind == Kind::ClassGroup).then_some("head_teacher"));
        columns.sort_unstable();
        columns.dedup();
        columns
    }
}
