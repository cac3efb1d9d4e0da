//! `campus results`: a laboratory's file of results.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use chrono::{DateTime, NaiveDateTime, Utc};
use clap::Args;
use encoding_rs::GB18030;
use futures_util::stream;
use kit::clock::shanghai;
use kit::field::to_timestamp;
use proto::sampling::result_service_client::ResultServiceClient;
use proto::sampling::submit_results_response::Verdict;
use proto::sampling::{Result as TubeResult, ResultValue, SubmitResultsRequest};

use crate::house::{AuthorityArgs, Door, door_of};
use crate::screen::{self, Align, Table, count};

/// How many results one message carries at most.
const MESSAGE: usize = 1000;
/// How many refusals are shown.
const SHOWN: usize = 50;

/// Submits a CSV file with a header: tube code, result, and, where there are, the number of the
/// report and the time of the test. UTF-8 and GB18030 are read, Chinese and English headers.
#[derive(Args, Clone, Debug)]
pub struct ResultsArgs {
    /// The file.
    pub file: PathBuf,
    /// The gateway.
    #[arg(long, default_value = "http://127.0.0.1:7400")]
    pub gateway: String,
    /// Whose certificate it has.
    #[command(flatten)]
    pub authority: AuthorityArgs,
    /// The laboratory's token.
    #[arg(long, env = "CAMPUS_TOKEN", hide_env_values = true)]
    pub token: String,
}

/// Runs the command; 1 when a line was refused.
///
/// # Errors
/// When the file cannot be read or the connection breaks. Submitting again is harmless.
pub async fn run(args: ResultsArgs) -> anyhow::Result<ExitCode> {
    let bytes = std::fs::read(&args.file).with_context(|| args.file.display().to_string())?;
    let read = read(&bytes, &stem(&args.file));
    let Sheet { lines, mut refused } = read.with_context(|| args.file.display().to_string())?;
    let results = lines.iter().map(|line| line.result.clone()).collect();
    let door = door_of(&args.gateway, &args.token, &args.authority)?;
    let verdicts = submit(door, results).await?;
    let (mut taken, mut repeated) = (0_u64, 0_u64);
    for (line, verdict) in lines.iter().zip(verdicts) {
        match (verdict.accepted, verdict.repeated_result) {
            (true, false) => taken += 1,
            (true, true) => repeated += 1,
            (false, _) => refused.push(Refusal {
                line: line.number,
                tube: line.result.tube.clone(),
                why: format!("{} {}", verdict.error_message, verdict.error_reason),
            }),
        }
    }
    screen::done(format_args!(
        "{} taken 已收, {} known before 已有, {} refused 拒绝",
        count(taken),
        count(repeated),
        count(refused.len() as u64)
    ));
    if refused.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new([
        ("行 line", Align::Right),
        ("管 tube", Align::Left),
        ("原因 why", Align::Left),
    ]);
    refused.sort_by_key(|refusal| refusal.line);
    for Refusal { line, tube, why } in refused.into_iter().take(SHOWN) {
        table.row([line.to_string(), tube, why]);
    }
    table.print();
    Ok(ExitCode::FAILURE)
}

async fn submit(door: Door, results: Vec<TubeResult>) -> anyhow::Result<Vec<Verdict>> {
    let total = results.len();
    let messages: Vec<SubmitResultsRequest> = results
        .chunks(MESSAGE)
        .map(|some| SubmitResultsRequest {
            results: some.to_vec(),
        })
        .collect();
    let mut client = ResultServiceClient::new(door);
    let mut answers = client
        .submit_results(stream::iter(messages))
        .await?
        .into_inner();
    let bar = screen::bar(total as u64, "结果 results");
    let mut verdicts = Vec::with_capacity(total);
    while let Some(answer) = answers.message().await? {
        verdicts.extend(answer.verdicts);
        bar.set_position(verdicts.len() as u64);
    }
    bar.finish_and_clear();
    if verdicts.len() != total {
        bail!(
            "{} of {total} verdicts came: submit the file again",
            verdicts.len()
        );
    }
    Ok(verdicts)
}

#[derive(Clone, Debug, PartialEq)]
struct Line {
    number: u64,
    result: TubeResult,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Refusal {
    line: u64,
    tube: String,
    why: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Sheet {
    lines: Vec<Line>,
    refused: Vec<Refusal>,
}

/// Reads the lines that can be read and says of the others why not. Reports without a number of
/// their own are numbered by file and tube, so that the same file again is known.
fn read(bytes: &[u8], file: &str) -> anyhow::Result<Sheet> {
    let text = decode(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .terminator(csv::Terminator::Any(b'\n'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers()?.clone();
    let column = |names: &[&str]| {
        header
            .iter()
            .position(|name| names.contains(&name.to_lowercase().as_str()))
    };
    let tube = column(&[
        "tube",
        "tube_code",
        "管码",
        "采样管编号",
        "试管编号",
        "样本编号",
    ])
    .context("缺少“采样管编号”一列 (there is no column for the tube code)")?;
    let value = column(&["result", "结果", "检测结果"])
        .context("缺少“检测结果”一列 (there is no column for the result)")?;
    let report = column(&["report", "report_no", "报告编号"]);
    let time = column(&["test_time", "tested_at", "检测时间"]);
    let mut sheet = Sheet::default();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record)? {
        if record.iter().all(str::is_empty) {
            continue;
        }
        // Blank lines before a record belong to nothing, so it is found from its end.
        let end = reader.position();
        let within = record.as_slice().bytes().filter(|byte| *byte == b'\n');
        let open = end.byte() == text.len() as u64 && !text.ends_with('\n');
        let number = end
            .line()
            .saturating_sub(within.count() as u64 + u64::from(!open));
        let cell = |index: Option<usize>| index.and_then(|index| record.get(index)).unwrap_or("");
        let code = cell(Some(tube)).to_owned();
        let test_time = instant(cell(time));
        let read = match (code.is_empty(), value_of(cell(Some(value))), test_time) {
            (true, _, _) => Err("没有采样管编号 no tube code"),
            (_, None, _) => Err("结果无法识别 no result that can be read"),
            (_, _, None) => Err("检测时间无法识别 no time that can be read"),
            (false, Some(value), Some(test_time)) => Ok((value, test_time)),
        };
        match read {
            Ok((value, test_time)) => {
                let own = cell(report);
                let report = if own.is_empty() {
                    format!("{file}/{code}")
                } else {
                    own.to_owned()
                };
                let result = TubeResult {
                    tube: format!("tubes/{code}"),
                    report,
                    version: 1,
                    value: value.into(),
                    test_time: test_time.map(to_timestamp),
                    ..TubeResult::default()
                };
                sheet.lines.push(Line { number, result });
            }
            Err(why) => sheet.refused.push(Refusal {
                line: number,
                tube: code,
                why: why.to_owned(),
            }),
        }
    }
    Ok(sheet)
}

fn decode(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => GB18030.decode(bytes).0.into_owned(),
    }
}

/// What a word says; nothing is read into an empty cell: no result never reads as negative.
fn value_of(word: &str) -> Option<ResultValue> {
    match word.to_uppercase().as_str() {
        "NEGATIVE" | "阴性" | "阴" => Some(ResultValue::Negative),
        "POSITIVE" | "阳性" | "阳" => Some(ResultValue::Positive),
        "SUSPECT" | "可疑" | "灰区" => Some(ResultValue::Suspect),
        "INVALID" | "无效" => Some(ResultValue::Invalid),
        _ => None,
    }
}

/// An instant; times without an offset are of the city. `Some(None)` where there is none.
#[expect(clippy::option_option, reason = "absent and malformed are two things")]
fn instant(text: &str) -> Option<Option<DateTime<Utc>>> {
    if text.is_empty() {
        return Some(None);
    }
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(Some(instant.to_utc()));
    }
    let formats = [
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%d %H:%M",
        "%Y/%m/%d %H:%M:%S",
        "%Y/%m/%d %H:%M",
    ];
    let local = formats
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    Some(
        local
            .and_local_timezone(shanghai())
            .single()
            .map(|instant| instant.to_utc()),
    )
}

fn stem(file: &Path) -> String {
    let stem = file
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    stem.unwrap_or_default().chars().take(24).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(sheet: &Sheet) -> Vec<(u64, &str, ResultValue)> {
        let line = |line: &'_ Line| (line.number, line.result.value());
        let values = sheet.lines.iter().map(line);
        let tubes = sheet.lines.iter().map(|line| line.result.tube.as_str());
        values
            .zip(tubes)
            .map(|((number, value), tube)| (number, tube, value))
            .collect()
    }

    #[test]
    fn a_chinese_sheet_in_gb18030_is_read() {
        let text =
            "采样管编号,检测结果,检测时间\nT1,阴性,2022-04-07 12:30\nT2,阳性,2022/04/07 12:31:05\n";
        let (bytes, ..) = GB18030.encode(text);
        let sheet = read(&bytes, "f").unwrap();
        assert_eq!(
            values(&sheet),
            [
                (2, "tubes/T1", ResultValue::Negative),
                (3, "tubes/T2", ResultValue::Positive)
            ]
        );
        let time = sheet.lines[0].result.test_time.unwrap();
        let expected: DateTime<Utc> = "2022-04-07T04:30:00Z".parse().unwrap();
        assert_eq!(time.seconds, expected.timestamp());
    }

    #[test]
    fn an_empty_result_is_refused_and_the_rest_is_read() {
        let sheet = read(
            "\u{feff}tube,result\nT1,\nT2,negative\n,阴性\n".as_bytes(),
            "f",
        )
        .unwrap();
        assert_eq!(values(&sheet), [(3, "tubes/T2", ResultValue::Negative)]);
        let lines: Vec<u64> = sheet.refused.iter().map(|refusal| refusal.line).collect();
        assert_eq!(lines, [2, 4]);
    }

    #[test]
    fn lines_have_the_numbers_that_an_editor_shows() {
        for text in [
            "tube,result\r\nT1,negative\r\n\r\nT2,\r\n",
            "tube,result\nT1,negative\n\nT2,",
        ] {
            let sheet = read(text.as_bytes(), "f").unwrap();
            assert_eq!(values(&sheet), [(2, "tubes/T1", ResultValue::Negative)]);
            assert_eq!(sheet.refused[0].line, 4, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_stop_the_reader_by_anything_but_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300), headed in any::<bool>()) {
            let head: &[u8] = if headed { "采样管编号,检测结果,检测时间\n".as_bytes() } else { b"" };
            let _ = read(&[head, &bytes].concat(), "f");
        }
    }

    #[test]
    fn a_file_without_the_columns_says_which() {
        let err = read(b"a,b\n1,2\n", "f").unwrap_err().to_string();
        assert!(err.contains("采样管编号"), "{err}");
    }
}
