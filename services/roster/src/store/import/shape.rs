//! What the kinds of rows have in common: where each is staged, where it goes, and what is written.

use kit::org::OrgPath;
use sea_orm::Value;

use super::jobs::Job;
use crate::domain::import::Kind;
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
    pub(super) active: &'static str,
    pub(super) copied: &'static [&'static str],
    pub(super) fixed: &'static [&'static str],
    /// Further columns with what they are on creation; `s` is the staged row, `$4` the day.
    pub(super) on_create: &'static [(&'static str, &'static str)],
    /// Further columns with what they are on a change; `t` is the row in the register.
    pub(super) on_change: &'static [(&'static str, &'static str)],
    /// What becomes of a row that vanished; it is removed when there is nothing.
    pub(super) on_vanish: &'static [(&'static str, &'static str)],
    /// Indexes that a first import builds after its rows.
    pub(super) indexes: &'static [(&'static str, &'static str)],
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

/// Where rows of a job are staged until its end, by their numbers.
pub const ROW_TABLES: [&str; 6] = [
    "import_organizations",
    "import_class_groups",
    "import_staff",
    "import_students",
    "import_guardians",
    "import_seen",
];

/// Everything that is kept of a job until its end only.
pub const STAGING_TABLES: [&str; 7] = [
    "import_organizations",
    "import_class_groups",
    "import_staff",
    "import_students",
    "import_guardians",
    "import_seen",
    "import_vanished",
];

impl Shape {
    /// Which rows of the register a job is about: those of its source, or those in its place.
    pub(super) fn concern(&self, job: &Job) -> (String, Vec<Value>) {
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
    pub(super) fn taken(refused: bool) -> &'static str {
        if refused {
            "s.job = $1 AND NOT s.removal AND NOT EXISTS (SELECT 1 FROM import_verdicts v \
             WHERE v.job = s.job AND v.row = s.row AND v.planned AND v.rejected)"
        } else {
            "s.job = $1 AND NOT s.removal"
        }
    }

    /// Every column that an import may have changed.
    pub(super) fn changed_columns(&self) -> Vec<&'static str> {
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
