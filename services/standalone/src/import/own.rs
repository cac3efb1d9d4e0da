//! The sheets that neither OneRoster nor the national sheet has, as `campus city generate` writes
//! them: the tree, class groups and staff.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use proto::roster::import_row::Record;
use proto::roster::{ClassGroupRow, ImportRow, OrganizationRow};

use super::national;
use super::note::Note;
use super::options::ReadOptions;
use super::piece::{Origin, Sink};
use super::sheet;
use super::table::{Heading, narrow};

/// The sheets of one folder.
#[derive(Debug)]
pub(super) struct Sheets {
    organizations: PathBuf,
    class_groups: PathBuf,
    staff: PathBuf,
}

impl Sheets {
    /// The sheets in a folder; none where the tree is not among them.
    pub(super) fn find(folder: &Path) -> Option<Self> {
        let file = |name: &str| folder.join(name);
        let sheets = Self {
            organizations: file("organizations.csv"),
            class_groups: file("class_groups.csv"),
            staff: file("staff.csv"),
        };
        sheets.organizations.is_file().then_some(sheets)
    }

    /// Reads everything, parents first.
    pub(super) fn read(&self, options: &ReadOptions, sink: &mut Sink<'_>) -> anyhow::Result<()> {
        each(&self.organizations, "organization", sink, |cell| {
            let row = OrganizationRow {
                organization: cell("organization"),
                kind: cell("kind"),
                display_name: cell("name"),
                parent: cell("parent"),
                division_code: cell("division"),
                school_code: cell("school_code"),
            };
            (cell("organization"), Record::Organization(row))
        })?;
        if self.class_groups.is_file() {
            each(&self.class_groups, "class_group", sink, |cell| {
                let (organization, class_group) = (cell("organization"), cell("class_group"));
                let id = format!("{organization}-{class_group}");
                let row = ClassGroupRow {
                    organization,
                    class_group,
                    display_name: cell("name"),
                    grade: 0,
                };
                (id, Record::ClassGroup(row))
            })?;
        }
        if self.staff.is_file() {
            national::read(&self.staff, options, sink)?;
        }
        Ok(())
    }

    /// Whether the tree has an organisation with this id.
    pub(super) fn has(&self, id: &str) -> anyhow::Result<bool> {
        let mut found = false;
        let mut nothing = |_| Ok(());
        let mut sink = Sink::new(&mut nothing);
        each(&self.organizations, "organization", &mut sink, |cell| {
            let own = cell("organization");
            found |= own == id;
            (own, Record::Organization(OrganizationRow::default()))
        })?;
        Ok(found)
    }
}

fn each(
    path: &Path,
    needed: &str,
    sink: &mut Sink<'_>,
    mut row: impl FnMut(&dyn Fn(&str) -> String) -> (String, Record),
) -> anyhow::Result<()> {
    let file = sheet::file_name(path);
    let mut heading: Option<Heading> = None;
    sheet::rows(path, None, |line| {
        if line.is_blank() {
            return Ok(ControlFlow::Continue(()));
        }
        let Some(heading) = &heading else {
            let read = Heading::new(&file, &line, |cell| narrow(cell).to_lowercase());
            ensure!(
                read.has(needed),
                "缺少列 {needed} (there is no column {needed})"
            );
            heading = Some(read);
            return Ok(ControlFlow::Continue(()));
        };
        let origin = Origin {
            table: heading.table().clone(),
            line,
        };
        if heading.misfits(&origin.line) {
            sink.note(Note::columns(""), &origin)?;
            return Ok(ControlFlow::Continue(()));
        }
        let (external_id, record) = row(&|name| narrow(heading.cell(&origin.line, name)));
        let row = ImportRow {
            row: 0,
            removal: false,
            external_id,
            record: Some(record),
        };
        sink.row(row, &origin)?;
        Ok(ControlFlow::Continue(()))
    })
}
