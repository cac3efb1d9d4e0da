//! What is wrong with which lines: what reading found beside what the service said, in the order of
//! the rows, however many there are.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use proto::roster::import_row::Record;
use proto::roster::{ImportRow, ImportVerdict};
use tokio::sync::mpsc;

use super::client::{Client, Service};
use super::note::Note;
use super::piece::{Origin, Piece};
use super::roster::Roster;
use super::sealed::{List, Listed};

/// One thing to put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands.
    pub origin: Origin,
    /// The column, as the file calls it.
    pub column: String,
    /// The place of that column.
    pub place: Option<usize>,
    /// A stable word.
    pub reason: String,
    /// Nothing of the line was taken.
    pub rejected: bool,
    /// What to do, Chinese.
    pub hint: String,
    /// What to do, English.
    pub hint_en: String,
}

impl Fault {
    pub(super) fn noted(note: Note, origin: Origin) -> Self {
        let Note {
            column,
            reason,
            hint,
            hint_en,
            rejected,
        } = note;
        let place = origin.table.column_named(&column);
        let (reason, hint, hint_en) = (reason.to_owned(), hint.to_owned(), hint_en.to_owned());
        Self {
            origin,
            column,
            place,
            reason,
            rejected,
            hint,
            hint_en,
        }
    }

    pub(super) fn judged(verdict: ImportVerdict, row: &ImportRow, origin: Origin) -> Self {
        let ImportVerdict {
            row: _,
            kind: _,
            column,
            reason,
            rejected,
            hint,
            hint_en,
        } = verdict;
        let place = match &row.record {
            Some(Record::Guardian(guardian)) => {
                let own = match column.as_str() {
                    "display_name" => "guardian",
                    "relation" => "relation",
                    "phone" => "phone",
                    _ => "",
                };
                let own = format!("{own}{}", guardian.priority);
                let place = origin.table.column_of(&own);
                place.or_else(|| origin.table.column_of(&column))
            }
            _ => origin.table.column_of(&column),
        };
        let heading = place.and_then(|place| origin.table.heading.get(place));
        let column = heading.map_or_else(|| label(&column).to_owned(), Clone::clone);
        Self {
            origin,
            column,
            place,
            reason,
            rejected,
            hint,
            hint_en,
        }
    }
}

/// What a field is called where the file has no column for it.
fn label(field: &str) -> &str {
    match field {
        "external_id" => "编号",
        "organization" => "机构",
        "class_group" => "班级",
        "display_name" => "姓名",
        "birth_date" => "出生日期",
        "sex" => "性别",
        "id_number" => "身份证件号",
        "id_type" => "身份证件类型",
        "phone" => "电话",
        "grade" => "年级",
        "post" => "岗位",
        "student" => "学生",
        "relation" => "与学生关系",
        "removal" => "状态",
        other => other,
    }
}

/// Reads the roster again and lists what there is to say; gives nothing when that
/// is nothing.
///
/// # Errors
/// When a file cannot be read again, a call fails, or the list cannot be written.
pub(super) async fn list<T: Service>(
    roster: Arc<Roster>,
    client: &Client<T>,
    job: &str,
    path: &Path,
) -> anyhow::Result<Option<Listed>> {
    let (pages, waiting) = mpsc::channel(4);
    let path = path.to_owned();
    let writing = tokio::task::spawn_blocking(move || {
        let mut list = List::new(&path);
        each(&roster, Verdicts::from(waiting), &mut |fault| {
            list.add(&fault)
        })?;
        list.finish()
    });
    let asked = client.verdicts(job, pages).await;
    // Whoever writes says best why nobody reads.
    let written = writing.await??;
    asked?;
    Ok(written)
}

/// Gives everything that there is to say to `each`; of one line the same only once, even where it
/// became several rows.
pub(super) fn each(
    roster: &Roster,
    mut verdicts: Verdicts,
    each: &mut dyn FnMut(Fault) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut line = None;
    let mut said: Vec<(String, String)> = Vec::new();
    let mut once = |fault: Fault| {
        let here = Some((fault.origin.table.file.clone(), fault.origin.line.number));
        if line != here {
            line = here;
            said.clear();
        }
        let what = (fault.column.clone(), fault.reason.clone());
        if said.contains(&what) {
            return Ok(());
        }
        said.push(what);
        each(fault)
    };
    roster.read(&mut |piece| match piece {
        Piece::Note(note, origin) => once(Fault::noted(note, origin)),
        Piece::Refused(row, note, origin) => {
            verdicts.of(row.row, |_| Ok(()))?;
            once(Fault::noted(note, origin))
        }
        Piece::Row(row, origin) => verdicts.of(row.row, |verdict| {
            once(Fault::judged(verdict, &row, origin.clone()))
        }),
    })
}

/// Verdicts as they come, in the order of the rows.
pub(super) struct Verdicts {
    here: VecDeque<ImportVerdict>,
    coming: mpsc::Receiver<Vec<ImportVerdict>>,
}

impl From<mpsc::Receiver<Vec<ImportVerdict>>> for Verdicts {
    fn from(coming: mpsc::Receiver<Vec<ImportVerdict>>) -> Self {
        Self {
            here: VecDeque::new(),
            coming,
        }
    }
}

impl Verdicts {
    /// Gives those of one row to `each`; earlier ones are passed over.
    fn of(
        &mut self,
        row: i64,
        mut each: impl FnMut(ImportVerdict) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        loop {
            if self.here.is_empty()
                && let Some(page) = self.coming.blocking_recv()
            {
                self.here.extend(page);
            }
            match self.here.front() {
                Some(verdict) if verdict.row <= row => {
                    let verdict = self.here.pop_front();
                    if let Some(verdict) = verdict.filter(|verdict| verdict.row == row) {
                        each(verdict)?;
                    }
                }
                _ => return Ok(()),
            }
        }
    }
}
