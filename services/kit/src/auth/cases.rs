//! Cases that policies are held against: who asks for what and where, what must be answered, and why.

use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use csv::{ErrorKind, Position, ReaderBuilder, StringRecord, Trim};
use serde::Deserialize;

use super::fault::{PolicyError, line_of};
use super::policies::Policies;
use super::source;
use super::{Caller, Permission, Role};
use crate::org::OrgPath;

/// At most this much is read of a file of cases, in bytes.
const MOST_BYTES: u64 = 1 << 20;

/// The cases of a file, of which there is at least one.
#[derive(Clone, Debug)]
pub struct PolicyCases(Vec<PolicyCase>);

/// Somebody who asks for something, and what must be answered.
#[derive(Clone, Debug)]
pub struct PolicyCase {
    /// The line of the file, counted from 1.
    pub line: usize,
    /// Who asks, in which circumstances.
    pub caller: Caller,
    /// What for.
    pub permission: Permission,
    /// Where.
    pub place: OrgPath,
    /// When; the time of the trial where the case says nothing.
    pub time: Option<DateTime<Utc>>,
    /// Whether it must be permitted.
    pub permitted: bool,
    /// The policy that must be among those that decide. None where it is refused because nobody permits
    /// it, and where it is permitted by whichever policy.
    pub policy: Option<String>,
    /// Why that must be the answer.
    pub why: String,
}

/// What policies answer, and which of them decide: those that forbid where one does, else those that
/// permit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyAnswer {
    /// Whether it is permitted.
    pub permitted: bool,
    /// The ids of the policies that decide, in order; none where nobody permits it.
    pub policies: Vec<String>,
}

/// A case in which policies answer something else than they must.
#[derive(Clone, Debug)]
pub struct PolicyDifference {
    /// What must be answered.
    pub case: PolicyCase,
    /// What is answered.
    pub answer: PolicyAnswer,
}

/// A line of a file of cases. What stands in none of its columns is left out, or empty.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    roles: String,
    scope: String,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    person: Option<String>,
    #[serde(default)]
    laboratory: Option<String>,
    #[serde(default)]
    department: Option<String>,
    #[serde(default)]
    partner: Option<String>,
    #[serde(default)]
    second_factor: Option<String>,
    place: String,
    permission: String,
    #[serde(default)]
    purpose: Option<String>,
    #[serde(default)]
    time: Option<String>,
    #[serde(default)]
    break_glass: Option<String>,
    answer: String,
    #[serde(default)]
    policy: Option<String>,
    why: String,
}

impl PolicyCases {
    /// Reads a file of cases.
    ///
    /// # Errors
    /// When it cannot be read, is larger than 1 MiB, has no case, or a line that is none; the error names
    /// the file and the line.
    pub fn read(file: &Path) -> Result<Self, PolicyError> {
        let unreadable = |err| PolicyError::of_file(file, format!("cannot be read: {err}"));
        if fs::metadata(file).map_err(unreadable)?.len() > MOST_BYTES {
            let what = format!("more than {MOST_BYTES} bytes of cases");
            return Err(PolicyError::of_file(file, what));
        }
        let text = fs::read_to_string(file).map_err(unreadable)?;
        Self::parse(&file.display().to_string(), &text)
    }

    /// Reads cases from text that stands in `file`.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) fn parse(file: &str, text: &str) -> Result<Self, PolicyError> {
        let text = text.trim_start_matches('\u{feff}');
        let wrong =
            |err: csv::Error| PolicyError::at(file, text, begin(text, err.position()), said(&err));
        let mut reader = ReaderBuilder::new()
            .trim(Trim::All)
            .from_reader(text.as_bytes());
        let headings = reader.headers().map_err(wrong)?.clone();
        let mut cases = Vec::new();
        for record in reader.records() {
            let record = record.map_err(wrong)?;
            let offset = begin(text, record.position());
            let case = PolicyCase::of(&record, &headings, line_of(text, offset))
                .map_err(|what| PolicyError::at(file, text, offset, what))?;
            cases.push(case);
        }
        if cases.is_empty() {
            return Err(PolicyError::at(file, text, 0, "no case"));
        }
        Ok(Self(cases))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The cases, in the order of the file.
    #[cfg(test)]
    pub(super) fn all(&self) -> &[PolicyCase] {
        &self.0
    }

    /// In which cases the policies of `folder` answer something else than they must. A case that names
    /// no time is asked at `now`.
    ///
    /// # Errors
    /// When the policies cannot be read or are not valid; the error names the file and the line.
    pub fn against(
        &self,
        folder: &Path,
        now: DateTime<Utc>,
    ) -> Result<Vec<PolicyDifference>, PolicyError> {
        let policies = Policies::read(&source::folder(folder)?)?;
        Ok(self.differences(&policies, now))
    }

    /// As [`Self::against`], for policies that were read.
    pub(super) fn differences(
        &self,
        policies: &Policies,
        now: DateTime<Utc>,
    ) -> Vec<PolicyDifference> {
        let differs = |case: &PolicyCase| {
            let at = case.time.unwrap_or(now).timestamp();
            let answer = policies.answer(&case.caller, case.permission, &case.place, at);
            (!case.agrees(&answer)).then(|| PolicyDifference {
                case: case.clone(),
                answer,
            })
        };
        self.0.iter().filter_map(differs).collect()
    }
}

impl PolicyCase {
    fn of(record: &StringRecord, headings: &StringRecord, line: usize) -> Result<Self, String> {
        let row: Row = record
            .deserialize(Some(headings))
            .map_err(|err| said(&err))?;
        let roles = row.roles.split_whitespace();
        let roles = roles.map(|role| named::<Role>("roles", role));
        let permitted = match row.answer.as_str() {
            "allow" => true,
            "deny" => false,
            other => return Err(format!("answer: {other:?} is neither allow nor deny")),
        };
        if row.why.is_empty() {
            return Err("why: a case says why".to_owned());
        }
        let time = row.time.as_deref().map(|time| {
            let time = DateTime::parse_from_rfc3339(time);
            time.map_err(|_| "time: not as 2022-04-07T08:00:00+08:00".to_owned())
        });
        let broken = marked("break_glass", row.break_glass.as_deref())?;
        let caller = Caller {
            subject: row.subject.unwrap_or_else(|| "somebody".to_owned()),
            roles: roles.collect::<Result<Vec<_>, _>>()?,
            scope: path("scope", &row.scope)?,
            person: row.person,
            laboratory: row.laboratory,
            department: option("department", row.department.as_deref())?,
            partner: row.partner,
            second_factor: marked("second_factor", row.second_factor.as_deref())?,
            purpose: option("purpose", row.purpose.as_deref())?,
            break_glass: broken.then(|| "a case that is tried".to_owned()),
            ..Caller::default()
        };
        Ok(Self {
            line,
            caller,
            permission: named("permission", &row.permission)?,
            place: path("place", &row.place)?,
            time: time.transpose()?.map(|time| time.to_utc()),
            permitted,
            policy: row.policy,
            why: row.why,
        })
    }

    /// Whether `answer` is the one that must be given.
    fn agrees(&self, answer: &PolicyAnswer) -> bool {
        let decides = match &self.policy {
            Some(policy) => answer.policies.contains(policy),
            None => self.permitted || answer.policies.is_empty(),
        };
        answer.permitted == self.permitted && decides
    }

    /// What must be answered, as [`PolicyAnswer`] is shown.
    pub fn expected(&self) -> PolicyAnswer {
        PolicyAnswer {
            permitted: self.permitted,
            policies: self.policy.iter().cloned().collect(),
        }
    }
}

impl fmt::Display for PolicyAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.permitted { "allow" } else { "deny" })?;
        if !self.policies.is_empty() {
            write!(f, " {}", self.policies.join(" "))?;
        }
        Ok(())
    }
}

/// Where a line begins whose reading began at `position`, in bytes: after the end of the line before it.
fn begin(text: &str, position: Option<&Position>) -> usize {
    let read = position.and_then(|position| usize::try_from(position.byte()).ok());
    let read = read.unwrap_or_default();
    let ends = |byte: &u8| matches!(byte, b'\r' | b'\n');
    read + text.bytes().skip(read).take_while(ends).count()
}

/// What is wrong, without the place.
fn said(err: &csv::Error) -> String {
    match err.kind() {
        ErrorKind::Deserialize { err, .. } => err.to_string(),
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("{len} cells under {expected_len} headings"),
        _ => err.to_string(),
    }
}

/// The value of a closed list that `text` names.
fn named<T: FromStr>(column: &str, text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("{column}: {text:?} is not known"))
}

fn option<T: FromStr>(column: &str, text: Option<&str>) -> Result<Option<T>, String> {
    text.map(|text| named(column, text)).transpose()
}

/// Whether a column is marked, as in the matrix of roles.
fn marked(column: &str, text: Option<&str>) -> Result<bool, String> {
    match text {
        None | Some("") => Ok(false),
        Some("x") => Ok(true),
        Some(other) => Err(format!("{column}: {other:?} is neither x nor nothing")),
    }
}

fn path(column: &str, text: &str) -> Result<OrgPath, String> {
    let what = "is no place such as fz/350102/2135010001";
    text.parse()
        .map_err(|_| format!("{column}: {text:?} {what}"))
}
