//! What reading a file gives: rows to send, and what was found already here.

use std::sync::Arc;

use proto::roster::ImportRow;

use super::note::Note;
use super::sheet::Line;
use super::table::Table;

/// Where something stands in the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The table.
    pub table: Arc<Table>,
    /// The line and its cells.
    pub line: Line,
}

/// One outcome of reading.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// A row to send, its number set, and where it comes from.
    Row(Box<ImportRow>, Origin),
    /// A row that cannot be taken, and why. It is sent all the same, because whoever it names has
    /// not vanished; what the service says of it means less to people than the note.
    Refused(Box<ImportRow>, Note, Origin),
    /// Something that was found while reading and concerns no row.
    Note(Note, Origin),
}

/// Takes the pieces and numbers the rows.
pub(super) struct Sink<'a> {
    sent: i64,
    each: &'a mut dyn FnMut(Piece) -> anyhow::Result<()>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(each: &'a mut dyn FnMut(Piece) -> anyhow::Result<()>) -> Self {
        Self { sent: 0, each }
    }

    pub(super) fn row(&mut self, row: ImportRow, origin: &Origin) -> anyhow::Result<()> {
        let row = self.numbered(row);
        (self.each)(Piece::Row(row, origin.clone()))
    }

    pub(super) fn refused(
        &mut self,
        row: ImportRow,
        note: Note,
        origin: &Origin,
    ) -> anyhow::Result<()> {
        let row = self.numbered(row);
        (self.each)(Piece::Refused(row, note, origin.clone()))
    }

    pub(super) fn note(&mut self, note: Note, origin: &Origin) -> anyhow::Result<()> {
        (self.each)(Piece::Note(note, origin.clone()))
    }

    fn numbered(&mut self, mut row: ImportRow) -> Box<ImportRow> {
        self.sent += 1;
        row.row = self.sent;
        Box::new(row)
    }
}
