//! Judged rows laid out for the tables that they are staged in.

use std::collections::BTreeMap;

use kit::db::Backend;
use uuid::Uuid;

use super::placing::{Person, Placed, Role};
use crate::domain::import::Kind;
use crate::store::import::sheet::Sheet;
use crate::store::import::verdicts::{self, Verdict};

/// What tells whether a row differs from the register, and whether it asks for removal.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) removal: bool,
    pub(super) content_hash: [u8; 16],
    pub(super) raw_hash: Option<i64>,
}

/// The sheets of one stretch.
#[derive(Debug)]
pub(super) struct Sheets {
    backend: Backend,
    job: i64,
    organizations: Sheet,
    class_groups: Sheet,
    staff: Sheet,
    students: Sheet,
    guardians: Sheet,
    gone: Sheet,
    seen: BTreeMap<Kind, Vec<u8>>,
}

const ORGANIZATIONS: &[&str] = &[
    "job",
    "row",
    "removal",
    "id",
    "org_path",
    "kind",
    "display_name",
    "parent",
    "division_code",
    "school_code",
    "external_id",
    "content_hash",
    "raw_hash",
];
const CLASS_GROUPS: &[&str] = &[
    "job",
    "row",
    "removal",
    "org_path",
    "organization",
    "id",
    "display_name",
    "stage",
    "entry_year",
    "number",
    "external_id",
    "content_hash",
    "raw_hash",
];
const STAFF: &[&str] = &[
    "job",
    "row",
    "removal",
    "id",
    "org_path",
    "display_name",
    "source_posts",
    "id_type",
    "id_hash",
    "sealed",
    "head_of",
    "content_hash",
    "raw_hash",
];
const STUDENTS: &[&str] = &[
    "job",
    "row",
    "removal",
    "id",
    "org_path",
    "display_name",
    "sex",
    "birth_month",
    "id_type",
    "id_hash",
    "sealed",
    "boarder",
    "content_hash",
    "raw_hash",
];
const GUARDIANS: &[&str] = &[
    "job",
    "row",
    "removal",
    "id",
    "student",
    "display_name",
    "relation",
    "sealed",
    "priority",
    "content_hash",
    "raw_hash",
];

impl Sheets {
    pub(super) fn new(backend: Backend, job: i64) -> Self {
        let sheet = |table, columns| Sheet::new(backend, table, columns);
        Self {
            backend,
            job,
            organizations: sheet("import_organizations", ORGANIZATIONS),
            class_groups: sheet("import_class_groups", CLASS_GROUPS),
            staff: sheet("import_staff", STAFF),
            students: sheet("import_students", STUDENTS),
            guardians: sheet("import_guardians", GUARDIANS),
            gone: sheet("import_vanished", &["job", "kind", "id", "planned"]),
            seen: BTreeMap::new(),
        }
    }

    /// Notes that a row named somebody.
    pub(super) fn saw(&mut self, kind: Kind, id: Uuid) {
        self.seen.entry(kind).or_default().extend(id.as_bytes());
    }

    /// Notes that a row asks for somebody's removal.
    pub(super) fn gone(&mut self, kind: Kind, id: Uuid) {
        self.gone.row();
        self.gone.big(self.job);
        self.gone.small(kind.code());
        self.gone.uuid(id);
        self.gone.flag(false);
    }

    /// Lays a row out.
    pub(super) fn stage(&mut self, row: i64, placed: &Placed, raw: &Raw) {
        let head = |sheet: &mut Sheet| {
            sheet.row();
            sheet.big(self.job);
            sheet.big(row);
            sheet.flag(raw.removal);
        };
        let sheet = match placed {
            Placed::Organization {
                place,
                name,
                parent,
                division,
                external_id,
            } => {
                let sheet = &mut self.organizations;
                head(sheet);
                sheet.text(&place.id);
                sheet.text(&place.org_path);
                sheet.small(place.kind.code());
                sheet.text(name);
                sheet.text(parent);
                sheet.text(division);
                sheet.text_or_null(place.school_code.as_deref());
                sheet.text(external_id);
                sheet
            }
            Placed::ClassGroup {
                org_path,
                organization,
                id,
                name,
                external_id,
            } => {
                let sheet = &mut self.class_groups;
                head(sheet);
                sheet.text(org_path);
                sheet.text(organization);
                sheet.text(id.as_str());
                sheet.text(name);
                sheet.small(id.stage().code());
                sheet.int(id.entry_year());
                sheet.int(id.number());
                sheet.text(external_id);
                sheet
            }
            Placed::Person(Person {
                id,
                name,
                sealed,
                role,
            }) => match role {
                Role::StaffMember {
                    org_path,
                    posts,
                    identity,
                    head_of,
                } => {
                    let sheet = &mut self.staff;
                    head(sheet);
                    sheet.uuid(*id);
                    sheet.text(org_path);
                    sheet.text(name);
                    sheet.int(*posts);
                    sheet.small(identity.kind);
                    sheet.bytes_or_null(identity.hash.as_ref().map(<[u8; 16]>::as_slice));
                    sheet.bytes_or_null(sealed.as_deref());
                    sheet.text(head_of);
                    sheet
                }
                Role::Student {
                    org_path,
                    sex,
                    birth_month,
                    identity,
                    boarder,
                } => {
                    let sheet = &mut self.students;
                    head(sheet);
                    sheet.uuid(*id);
                    sheet.text(org_path);
                    sheet.text(name);
                    sheet.small(*sex);
                    sheet.int(*birth_month);
                    sheet.small(identity.kind);
                    sheet.bytes_or_null(identity.hash.as_ref().map(<[u8; 16]>::as_slice));
                    sheet.bytes_or_null(sealed.as_deref());
                    sheet.flag(*boarder);
                    sheet
                }
                Role::Guardian {
                    student,
                    relation,
                    priority,
                } => {
                    let sheet = &mut self.guardians;
                    head(sheet);
                    sheet.uuid(*id);
                    sheet.uuid(*student);
                    sheet.text(name);
                    sheet.small(*relation);
                    sheet.bytes_or_null(sealed.as_deref());
                    sheet.small(*priority);
                    sheet
                }
            },
        };
        sheet.bytes_or_null(Some(&raw.content_hash));
        sheet.big_or_null(raw.raw_hash);
    }

    /// Everything to be written for a stretch that ends at the row `last`.
    pub(super) fn finish(self, last: i64, verdicts: &[Verdict]) -> Vec<Sheet> {
        let Self {
            backend,
            job,
            organizations,
            class_groups,
            staff,
            students,
            guardians,
            gone,
            seen,
        } = self;
        let mut noted = Sheet::new(backend, "import_seen", &["job", "kind", "row", "ids"]);
        for (kind, ids) in seen {
            noted.row();
            noted.big(job);
            noted.small(kind.code());
            noted.big(last);
            noted.bytes_or_null(Some(&ids));
        }
        let verdicts = verdicts::sheet(backend, job, verdicts);
        let mut sheets = vec![
            organizations,
            class_groups,
            staff,
            students,
            guardians,
            gone,
            noted,
            verdicts,
        ];
        sheets.retain(|sheet| !sheet.is_empty());
        sheets
    }
}
