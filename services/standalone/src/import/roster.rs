//! A roster as files: which kind it is, and its rows from the first on.

use std::path::{Path, PathBuf};

use anyhow::bail;
use proto::roster::import_row::Record;
use proto::roster::{ImportRow, OrganizationRow};

use super::national;
use super::oneroster::Delivery;
use super::options::ReadOptions;
use super::own;
use super::piece::{Origin, Piece, Sink};
use super::sheet::{self, Line};
use super::unpack::Unpacked;

/// A roster as files, unpacked where that was needed.
#[derive(Debug)]
pub struct Roster {
    parts: Parts,
    options: ReadOptions,
    /// Keeps what was unpacked.
    _unpacked: Unpacked,
}

#[derive(Debug)]
enum Parts {
    OneRoster(Delivery),
    Own(own::Sheets),
    Sheets(Vec<PathBuf>),
}

impl Roster {
    /// Opens a zip, a folder or a sheet.
    ///
    /// # Errors
    /// When there is nothing that can be read.
    pub fn open(path: &Path, options: ReadOptions) -> anyhow::Result<Self> {
        let unpacked = Unpacked::open(path)?;
        let parts = match &unpacked {
            Unpacked::Sheet(path) => Parts::Sheets(vec![path.clone()]),
            Unpacked::Folder { path: folder, .. } => {
                if let Some(delivery) = Delivery::find(folder)? {
                    Parts::OneRoster(delivery)
                } else if let Some(sheets) = own::Sheets::find(folder) {
                    Parts::Own(sheets)
                } else {
                    Parts::Sheets(tables(folder, path)?)
                }
            }
        };
        Ok(Self {
            parts,
            options,
            _unpacked: unpacked,
        })
    }

    /// The word for the kind of files; rows of one kind are one source unless said otherwise.
    pub fn kind(&self) -> &'static str {
        match self.parts {
            Parts::OneRoster(_) => "oneroster",
            Parts::Own(_) => "campus",
            Parts::Sheets(_) => "xueji",
        }
    }

    /// Whether it is a sheet of people, which says nothing of the tree beside codes and names.
    pub fn is_sheet(&self) -> bool {
        matches!(self.parts, Parts::Sheets(_))
    }

    /// Whether the files say that they hold changes only.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn is_delta(&self) -> anyhow::Result<bool> {
        match &self.parts {
            Parts::OneRoster(delivery) => delivery.is_delta(),
            Parts::Own(_) | Parts::Sheets(_) => Ok(false),
        }
    }

    /// What the files leave open may be told later than they are opened.
    pub fn options_mut(&mut self) -> &mut ReadOptions {
        &mut self.options
    }

    /// Reads everything from the first row on: twice gives the same twice.
    ///
    /// # Errors
    /// When a file cannot be read, or `each` fails.
    pub fn read(&self, each: &mut dyn FnMut(Piece) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let mut sink = Sink::new(each);
        self.root(&mut sink)?;
        match &self.parts {
            Parts::OneRoster(delivery) => delivery.read(&self.options, &mut sink),
            Parts::Own(sheets) => sheets.read(&self.options, &mut sink),
            Parts::Sheets(paths) => paths
                .iter()
                .try_for_each(|path| national::read(path, &self.options, &mut sink)),
        }
    }

    /// Whether the organisation on top is added, because neither register nor files have it.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn adds_root(&self) -> anyhow::Result<bool> {
        let Some(id) = &self.options.root else {
            return Ok(false);
        };
        let brought = match &self.parts {
            Parts::OneRoster(delivery) => delivery.has_organization(id)?,
            Parts::Own(sheets) => sheets.has(id)?,
            Parts::Sheets(_) => false,
        };
        Ok(!brought)
    }

    fn root(&self, sink: &mut Sink<'_>) -> anyhow::Result<()> {
        let added = self.adds_root()?;
        let Some(id) = self.options.root.as_ref().filter(|_| added) else {
            return Ok(());
        };
        let row = OrganizationRow {
            organization: id.clone(),
            kind: "CITY_BUREAU".to_owned(),
            display_name: id.clone(),
            ..OrganizationRow::default()
        };
        let row = ImportRow {
            row: 0,
            removal: false,
            external_id: id.clone(),
            record: Some(Record::Organization(row)),
        };
        let line = Line {
            number: 0,
            cells: Vec::new(),
        };
        let origin = Origin {
            table: std::sync::Arc::default(),
            line,
        };
        sink.row(row, &origin)
    }
}

fn tables(folder: &Path, given: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut tables = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file()
            && sheet::is_table(&path)
            && !sheet::file_name(&path).starts_with(['.', '~'])
        {
            tables.push(path);
        }
    }
    tables.sort();
    if tables.is_empty() {
        bail!(
            "{}：里面没有可导入的文件；OneRoster 需要 users.csv 和 orgs.csv，学籍表需要 .csv 或 .xlsx \
             (nothing to import in there)",
            given.display()
        );
    }
    Ok(tables)
}
