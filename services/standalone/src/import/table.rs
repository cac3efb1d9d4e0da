//! The heading of a table: which column means what, and what of it may be shown to others.

use std::collections::HashMap;
use std::sync::Arc;

use super::sheet::Line;

/// A table with the words of its heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The file, without folders.
    pub file: String,
    /// The heading as written.
    pub heading: Vec<String>,
    /// What each column means: the words by which readers ask for it.
    names: Vec<String>,
}

impl Table {
    /// The column that holds the field of a row, such as `id_number`.
    pub(super) fn column_of(&self, field: &str) -> Option<usize> {
        let names: &[&str] = match field {
            "external_id" => &["sourcedid", "staff_code"],
            "organization" => &[
                "school_code",
                "schoolsourcedid",
                "orgsourcedids",
                "primaryorgsourcedid",
                "organization",
                "identifier",
            ],
            "class_group" => &[
                "class_code",
                "class",
                "classcode",
                "class_group",
                "sourcedid",
            ],
            "display_name" => &["name", "familyname", "title", "guardian1"],
            "grade" => &["grade", "grades"],
            "kind" => &["type", "kind"],
            "parent" => &["parentsourcedid", "parent"],
            "division_code" => &["metadata.division", "division", "identifier"],
            "school_code" => &["identifier", "school_code"],
            "boarder" => &["boarder", "metadata.boarder"],
            "relation" => &["relation1", "metadata.relation"],
            "birth_date" => &["birth"],
            "id_number" => &["id_number", "userids"],
            "student_number" => &["student_number", "identifier"],
            "phone" => &["phone", "sms"],
            "modified_date" => &["datelastmodified"],
            "student" => &["agentsourcedids"],
            "post" => &["post", "metadata.post", "role"],
            other => &[other],
        };
        let place = |name: &&str| self.names.iter().position(|own| own == name);
        names.iter().find_map(place)
    }

    /// The column with this meaning or heading.
    pub(super) fn column_named(&self, name: &str) -> Option<usize> {
        let same = |own: &String| own.eq_ignore_ascii_case(name);
        self.heading
            .iter()
            .position(|own| own.trim() == name)
            .or_else(|| self.names.iter().position(same))
    }

    /// What the column at this place means.
    pub(super) fn meaning(&self, place: usize) -> &str {
        self.names.get(place).map_or("", String::as_str)
    }
}

/// The columns of a table by what they mean.
#[derive(Clone, Debug)]
pub(super) struct Heading {
    table: Arc<Table>,
    places: HashMap<String, usize>,
}

impl Heading {
    /// The heading of `file`; `means` gives each column its name.
    pub(super) fn new(file: &str, line: &Line, means: impl Fn(&str) -> String) -> Self {
        let names: Vec<String> = line.cells.iter().map(|cell| means(cell)).collect();
        // Of two columns with one name the first counts.
        let places = (0..names.len())
            .rev()
            .filter_map(|place| Some((names.get(place)?.clone(), place)))
            .collect();
        let table = Table {
            file: file.to_owned(),
            heading: line.cells.clone(),
            names,
        };
        Self {
            table: Arc::new(table),
            places,
        }
    }

    pub(super) fn table(&self) -> &Arc<Table> {
        &self.table
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// The cell below a heading; empty when there is no such column.
    pub(super) fn cell<'l>(&self, line: &'l Line, name: &str) -> &'l str {
        let place = self.places.get(name);
        place
            .and_then(|place| line.cells.get(*place))
            .map_or("", |cell| cell.trim())
    }

    /// Whether a line has cells beyond the heading, or lacks more than empty ones at its end.
    pub(super) fn misfits(&self, line: &Line) -> bool {
        let width = self.table.heading.len();
        let surplus = line
            .cells
            .iter()
            .skip(width)
            .any(|cell| !cell.trim().is_empty());
        surplus || line.cells.len() * 2 < width
    }
}

/// Full-width signs as ASCII, without outer blanks. The service does the rest.
pub(super) fn narrow(cell: &str) -> String {
    let one = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3000}' | '\u{a0}' => ' ',
        _ => c,
    };
    cell.chars()
        .filter(|c| *c != '\u{feff}')
        .map(one)
        .collect::<String>()
        .trim()
        .to_owned()
}
