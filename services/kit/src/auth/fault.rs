//! Why policies are refused: the file, the line, and what is wrong there.

use std::fmt;
use std::path::Path;

use miette::Diagnostic;

/// Policies cannot be used. Nothing of them takes effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct PolicyError {
    file: String,
    /// Counted from 1; none where it is about the whole file.
    line: Option<usize>,
    what: String,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.what)
    }
}

impl PolicyError {
    /// A file or folder cannot be used as a whole.
    pub(super) fn of_file(file: &Path, what: impl fmt::Display) -> Self {
        Self {
            file: file.display().to_string(),
            line: None,
            what: what.to_string(),
        }
    }

    /// What stands at the byte `offset` of `text` is wrong.
    pub(super) fn at(file: &str, text: &str, offset: usize, what: impl fmt::Display) -> Self {
        Self {
            file: file.to_owned(),
            line: Some(line_of(text, offset)),
            what: what.to_string(),
        }
    }

    /// What Cedar says of `text`, at the place that it points to, else at the byte `otherwise`.
    pub(super) fn said(file: &str, text: &str, otherwise: usize, said: &impl Diagnostic) -> Self {
        let pointed = said.labels().and_then(|mut labels| labels.next());
        let offset = pointed.map_or(otherwise, |label| label.offset());
        let mut what = said.to_string();
        if let Some(help) = said.help() {
            what.push_str(&format!(" ({help})"));
        }
        Self::at(file, text, offset, what)
    }
}

/// The line of the byte `offset` of `text`, counted from 1.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    let before = text.bytes().take(offset);
    before.filter(|byte| *byte == b'\n').count() + 1
}
