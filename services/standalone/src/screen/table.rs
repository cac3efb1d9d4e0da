//! Tables that stay aligned when Chinese stands beside English.

use comfy_table::{CellAlignment, ContentArrangement, presets};

/// On which side a column is flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Align {
    Left,
    Right,
}

/// A table with a heading.
#[derive(Debug)]
pub struct Table(comfy_table::Table);

impl Table {
    /// Begins a table with these columns.
    pub fn new<const N: usize>(columns: [(&str, Align); N]) -> Self {
        let mut table = comfy_table::Table::new();
        table
            .load_style(presets::UTF8_BORDERS_ONLY)
            .set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(columns.map(|(name, _)| name));
        for (column, (_, align)) in table.column_iter_mut().zip(columns) {
            column.set_cell_alignment(match align {
                Align::Left => CellAlignment::Left,
                Align::Right => CellAlignment::Right,
            });
        }
        Self(table)
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.0.add_row(cells);
    }

    /// Prints it.
    pub fn print(&self) {
        for line in self.to_string().lines() {
            super::line(format_args!("   {line}"));
        }
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The columns that a terminal gives to `text`: two to a Chinese character.
    fn width(text: &str) -> usize {
        text.chars()
            .map(|c| {
                if ('\u{2e80}'..='\u{ffef}').contains(&c) {
                    2
                } else {
                    1
                }
            })
            .sum()
    }

    #[test]
    fn every_line_is_as_wide_as_the_others() {
        let mut table = Table::new([("区县 district", Align::Left), ("学生", Align::Right)]);
        table.row(["鼓楼区".to_owned(), "96,548".to_owned()]);
        table.row(["Mawei".to_owned(), "7".to_owned()]);
        let text = table.to_string();
        let widths: Vec<usize> = text.lines().map(width).collect();
        assert!(
            widths.iter().all(|each| *each == widths[0]),
            "{widths:?}\n{text}"
        );
        let flush = text.lines().find(|line| line.contains("Mawei")).unwrap();
        assert!(flush.trim_end_matches(['│', ' ']).ends_with('7'), "{text}");
        assert!(flush.ends_with("7 │"), "{text}");
    }
}
