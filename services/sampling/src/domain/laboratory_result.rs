//! What laboratories report: versions of which one is in force, and the file they send.

use std::io::Read;

use chrono::{DateTime, Utc};

/// What was found. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
#[expect(missing_docs, reason = "the contract says what each value means")]
pub enum Value {
    Negative = 1,
    Suspect = 2,
    Positive = 3,
    Invalid = 4,
}

impl Value {
    /// The number of this value.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The value with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::Negative, Self::Suspect, Self::Positive, Self::Invalid]
            .into_iter()
            .find(|value| value.code() == code)
    }

    /// Whether it begins a hold.
    pub fn holds(self) -> bool {
        matches!(self, Self::Suspect | Self::Positive)
    }
}

/// One version of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaboratoryResult {
    /// The tube's code.
    pub tube: String,
    /// The laboratory's number of the report.
    pub report: String,
    /// 1 for the first.
    pub version: i32,
    /// What was found.
    pub value: Value,
    /// When it was tested.
    pub tested: DateTime<Utc>,
    /// Why it was corrected.
    pub reason: String,
}

impl LaboratoryResult {
    /// The order in which results of one tube take the place of each other: whatever order they
    /// arrive in, the same one is in force.
    pub fn rank(&self) -> (i32, DateTime<Utc>, &str) {
        (self.version, self.tested, &self.report)
    }
}

/// The result in force among all that were reported.
pub fn in_force<'a>(
    results: impl IntoIterator<Item = &'a LaboratoryResult>,
) -> Option<&'a LaboratoryResult> {
    results
        .into_iter()
        .max_by(|one, other| one.rank().cmp(&other.rank()))
}

/// A line of a laboratory's file that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, {column}: {why}")]
pub struct BadLine {
    /// The line, from 1 with the title line.
    pub line: u64,
    /// The column.
    pub column: &'static str,
    /// What is wrong, Chinese.
    pub why: &'static str,
}

/// Reads a laboratory's file: UTF-8 CSV with the columns `tube_code,result,tested_at` and, where
/// given, `report_id`, `version` and `reason`. Each line has its own verdict.
pub fn read_csv(file: impl Read) -> Vec<Result<LaboratoryResult, BadLine>> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(file);
    let bad = |line, column, why| BadLine { line, column, why };
    let Ok(titles) = reader.headers().cloned() else {
        return vec![Err(bad(1, "tube_code", "不是 UTF-8 编码的 CSV 文件"))];
    };
    let place = |name: &str| {
        titles
            .iter()
            .position(|title| title.trim_start_matches('\u{feff}') == name)
    };
    let (Some(tube), Some(result), Some(tested)) =
        (place("tube_code"), place("result"), place("tested_at"))
    else {
        return vec![Err(bad(
            1,
            "tube_code",
            "标题行应含 tube_code,result,tested_at",
        ))];
    };
    let (report, version, reason) = (place("report_id"), place("version"), place("reason"));
    reader
        .records()
        .enumerate()
        .map(|(index, record)| {
            let line = u64::try_from(index).unwrap_or(u64::MAX) + 2;
            let record = record.map_err(|_| bad(line, "tube_code", "该行无法读取"))?;
            let cell =
                |place: Option<usize>| place.and_then(|place| record.get(place)).unwrap_or("");
            let code = cell(Some(tube));
            if !super::tube::is_code(code) {
                return Err(bad(line, "tube_code", "采样管编码格式不正确"));
            }
            let value = to_value(cell(Some(result)))
                .ok_or_else(|| bad(line, "result", "应为 阴性、可疑、阳性 或 无效"))?;
            let tested = DateTime::parse_from_rfc3339(cell(Some(tested)))
                .map_err(|_| bad(line, "tested_at", "时间应如 2022-04-06T08:00:00+08:00"))?;
            let version = match cell(version) {
                "" => 1,
                text => text
                    .parse()
                    .ok()
                    .filter(|version| *version >= 1)
                    .ok_or_else(|| bad(line, "version", "应为从 1 起的整数"))?,
            };
            let reason = cell(reason);
            if version > 1 && reason.is_empty() {
                return Err(bad(line, "reason", "更正结果必须说明原因"));
            }
            let report = match cell(report) {
                "" => code,
                report => report,
            };
            Ok(LaboratoryResult {
                tube: code.to_owned(),
                report: report.to_owned(),
                version,
                value,
                tested: tested.to_utc(),
                reason: reason.to_owned(),
            })
        })
        .collect()
}

fn to_value(text: &str) -> Option<Value> {
    match text.to_ascii_uppercase().as_str() {
        "NEGATIVE" | "阴性" | "-" => Some(Value::Negative),
        "SUSPECT" | "可疑" => Some(Value::Suspect),
        "POSITIVE" | "阳性" | "+" => Some(Value::Positive),
        "INVALID" | "无效" => Some(Value::Invalid),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_a_file_has_its_verdict() {
        let file = "\u{feff}tube_code,result,tested_at,version,reason\n\
            FZ-0001,阴性,2022-04-06T08:00:00+08:00,,\n\
            FZ-0002,maybe,2022-04-06T08:00:00+08:00,,\n\
            FZ-0003,POSITIVE,2022-04-06T08:00:00+08:00,2,\n";
        let read = read_csv(file.as_bytes());
        assert_eq!(read.len(), 3);
        assert_eq!(read[0].as_ref().map(|one| one.value), Ok(Value::Negative));
        assert_eq!(
            read[1].as_ref().map_err(|err| (err.line, err.column)),
            Err((3, "result"))
        );
        assert_eq!(
            read[2].as_ref().map_err(|err| (err.line, err.column)),
            Err((4, "reason"))
        );
    }
}
