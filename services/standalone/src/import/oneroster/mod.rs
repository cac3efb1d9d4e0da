//! OneRoster 1.1 and 1.2 in CSV: organisations, classes, users and enrolments as rows of the register.

mod classes;
mod enrolments;
mod guardians;
mod organizations;
mod people;
mod users;
mod words;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};
use proto::roster::ImportRow;
use proto::roster::import_row::Record;

use super::note::Note;
use super::options::ReadOptions;
use super::piece::{Origin, Sink};
use super::sheet;
use super::table::{Heading, narrow};

use classes::Class;
use people::People;

/// How many lines above the heading may be titles.
const TITLES: usize = 20;

/// The files of one OneRoster delivery, by name in lower case.
#[derive(Debug)]
pub(super) struct Delivery(HashMap<String, PathBuf>);

/// What reading learns on its way.
#[derive(Default)]
struct Known {
    /// Ids of the register by id in the files.
    organizations: HashMap<String, String>,
    /// Places in `list` by id in the files.
    classes: HashMap<String, usize>,
    list: Vec<Class>,
    /// The class groups that were sent.
    taken: HashSet<(String, String)>,
    people: People,
}

/// An id in few bytes: a city has millions of them.
fn key(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Whether a pass over a file speaks of lines that are out of shape; one of them does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Speaks,
    Silent,
}

impl Delivery {
    /// The delivery in a folder; none when it is something else.
    ///
    /// # Errors
    /// When a part without which nothing can be read is missing.
    pub(super) fn find(folder: &Path) -> anyhow::Result<Option<Self>> {
        let mut files = HashMap::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            files.insert(sheet::file_name(&path).to_lowercase(), path);
        }
        let has = |name: &str| files.contains_key(name);
        match (has("users.csv"), has("orgs.csv")) {
            (true, true) => Ok(Some(Self(files))),
            (false, false) => Ok(None),
            (users, _) => {
                let missing = if users { "orgs.csv" } else { "users.csv" };
                bail!("OneRoster 缺少 {missing} (there is no {missing})")
            }
        }
    }

    /// Reads everything, in the order in which the register needs it.
    pub(super) fn read(&self, options: &ReadOptions, sink: &mut Sink<'_>) -> anyhow::Result<()> {
        let mut known = Known::default();
        self.organizations(&mut known, sink)?;
        self.classes(options, &mut known, sink)?;
        self.demographics(&mut known, sink)?;
        self.roles(&mut known, sink)?;
        self.survey(&mut known, sink)?;
        self.enrolments(options, &mut known, sink)?;
        self.users(options, &mut known, sink)?;
        self.guardians(&mut known, sink)
    }

    /// Whether the manifest says that some file holds changes only.
    pub(super) fn is_delta(&self) -> anyhow::Result<bool> {
        let Some(path) = self.0.get("manifest.csv") else {
            return Ok(false);
        };
        let mut delta = false;
        sheet::rows(path, None, |line| {
            let mut cells = line.cells.iter().map(|cell| narrow(cell).to_lowercase());
            let name = cells.next().unwrap_or_default();
            let read = matches!(
                name.as_str(),
                "file.orgs" | "file.classes" | "file.users" | "file.enrollments"
            );
            delta |= read && cells.next().as_deref() == Some("delta");
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(delta)
    }

    /// Gives each line of the file `name` to `each`; a file that is not there has none.
    fn each(
        &self,
        name: &str,
        needed: &[&str],
        pass: Pass,
        sink: &mut Sink<'_>,
        mut each: impl FnMut(&Cells<'_>, &mut Sink<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let Some(path) = self.0.get(name) else {
            return Ok(());
        };
        let file = sheet::file_name(path);
        let mut heading: Option<Heading> = None;
        let mut titles = 0;
        sheet::rows(path, None, |line| {
            if line.is_blank() {
                return Ok(ControlFlow::Continue(()));
            }
            let Some(heading) = &heading else {
                let read = Heading::new(&file, &line, |cell| narrow(cell).to_lowercase());
                titles += 1;
                if read.has("sourcedid") {
                    let missing = needed.iter().find(|column| !read.has(column));
                    if let Some(missing) = missing {
                        bail!("缺少列 {missing} (there is no column {missing})");
                    }
                    heading = Some(read);
                }
                let without = heading.is_none() && titles >= TITLES;
                return Ok(if without {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                });
            };
            let origin = Origin {
                table: heading.table().clone(),
                line,
            };
            if heading.misfits(&origin.line) {
                if pass == Pass::Speaks {
                    sink.note(Note::columns(""), &origin)?;
                }
            } else {
                each(&Cells { heading, origin }, sink)?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        ensure!(
            heading.is_some() || titles == 0,
            "{file}：找不到含 sourcedId 的表头 (no heading with sourcedId)"
        );
        Ok(())
    }
}

/// A line whose cells are asked for by heading.
struct Cells<'a> {
    heading: &'a Heading,
    origin: Origin,
}

impl Cells<'_> {
    fn get(&self, name: &str) -> &str {
        self.heading.cell(&self.origin.line, name)
    }

    fn owned(&self, name: &str) -> String {
        self.get(name).to_owned()
    }

    fn id(&self) -> &str {
        self.get("sourcedid")
    }

    /// Whether the line asks for removal.
    fn is_removal(&self) -> bool {
        let status = self.get("status");
        status.eq_ignore_ascii_case("tobedeleted") || status.eq_ignore_ascii_case("inactive")
    }

    /// Remarks a date of modification that cannot be read.
    fn remark_modified(&self, sink: &mut Sink<'_>) -> anyhow::Result<()> {
        if words::is_date(self.get("datelastmodified")) {
            return Ok(());
        }
        sink.note(Note::modified("dateLastModified"), &self.origin)
    }
}

fn imported(id: &str, removal: bool, record: Record) -> ImportRow {
    ImportRow {
        row: 0,
        removal,
        external_id: id.to_owned(),
        record: Some(record),
    }
}
