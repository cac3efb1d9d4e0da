//! `campus import`: rosters as schools have them, into the register, with every refused row explained.

mod client;
mod cohort;
mod national;
mod oneroster;
mod piece;
mod sealed;
mod sheet;
#[cfg(test)]
mod tests;
mod text;
mod unpack;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use chrono::{Datelike, NaiveDate};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use proto::roster::{ImportJob, ImportKind, ImportVerdict, import_job};

pub use client::{Client, Outcome, Settings};
pub use cohort::Grade;
pub use piece::{Note, Origin, Piece};
pub use sealed::{Fault, Seal};
pub use sheet::Line;

use piece::Sink;
use unpack::Unpacked;

/// Takes a roster into the register.
#[derive(Args, Clone, Debug)]
pub struct ImportArgs {
    /// OneRoster 1.1 or 1.2 as zip or folder, the national 学籍 sheet as .xlsx or CSV, in UTF-8 or GB18030.
    pub path: PathBuf,
    /// The code of the organisation that the rows are about, such as `fz` or `350102`.
    #[arg(long)]
    pub organization: String,
    /// The system that the rows come from: ids are unique within it.
    #[arg(long, default_value = "file")]
    pub source: String,
    /// The rows are changes only: whoever is missing stays.
    #[arg(long)]
    pub delta: bool,
    /// Stops after the plan.
    #[arg(long)]
    pub dry_run: bool,
    /// The share of people that may vanish.
    #[arg(long, default_value_t = 0.05)]
    pub vanish_threshold: f64,
    /// Lets more people vanish than the threshold.
    #[arg(long)]
    pub allow_vanishing: bool,
    /// The grade, 1 to 12, of classes that have none in the files.
    #[arg(long, value_parser = clap::value_parser!(i32).range(1..=12))]
    pub assume_grade: Option<i32>,
    /// A day of the school year that the rows are about; today when left out.
    #[arg(long)]
    pub date: Option<NaiveDate>,
    /// Goes on with a job whose connection was cut.
    #[arg(long)]
    pub resume: Option<String>,
    /// Where refused rows go; beside the input when left out.
    #[arg(long)]
    pub errors: Option<PathBuf>,
}

/// How to understand files that leave something open.
#[derive(Clone, Copy, Debug)]
pub struct ReadOptions {
    /// The calendar year in which the school year began.
    pub school_year: i32,
    /// The grade of classes that have none.
    pub assume_grade: Option<Grade>,
}

impl ReadOptions {
    /// The options for the school year of a day.
    pub fn on(day: NaiveDate, assume_grade: Option<i32>) -> Self {
        let school_year = if day.month() >= 9 {
            day.year()
        } else {
            day.year() - 1
        };
        Self {
            school_year,
            assume_grade: assume_grade.and_then(Grade::from_number),
        }
    }
}

/// A roster as files, unpacked where that was needed.
#[derive(Debug)]
pub struct Roster {
    unpacked: Unpacked,
    options: ReadOptions,
}

impl Roster {
    /// Opens a zip, a folder or a sheet.
    ///
    /// # Errors
    /// When there is nothing that can be read.
    pub fn open(path: &Path, options: ReadOptions) -> anyhow::Result<Self> {
        Ok(Self {
            unpacked: Unpacked::open(path)?,
            options,
        })
    }

    /// Reads everything from the first row on: twice gives the same twice.
    ///
    /// # Errors
    /// When a file cannot be read, or `each` fails.
    pub fn read(&self, each: &mut dyn FnMut(Piece) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let mut sink = Sink::new(each);
        match &self.unpacked {
            Unpacked::Sheet(path) => national::read(path, &self.options, &mut sink),
            Unpacked::Folder { path, .. } => match oneroster::Delivery::find(path)? {
                Some(delivery) => delivery.read(&self.options, &mut sink),
                None => bail!("文件夹中没有 users.csv 和 orgs.csv: not a OneRoster delivery"),
            },
        }
    }
}

/// Runs the command against the service behind `client`. Gives the job as it stands at the end.
///
/// # Errors
/// When the files cannot be read, a call fails for good, or the plan is blocked.
pub async fn run<T>(
    args: ImportArgs,
    today: NaiveDate,
    client: Client<T>,
) -> anyhow::Result<ImportJob>
where
    T: client::Service,
{
    let options = ReadOptions::on(args.date.unwrap_or(today), args.assume_grade);
    let path = args.path.clone();
    let roster = tokio::task::spawn_blocking(move || Roster::open(&path, options)).await??;
    let roster = std::sync::Arc::new(roster);
    let settings = Settings {
        organization: args.organization.clone(),
        source: args.source.clone(),
        mode: if args.delta {
            import_job::Mode::Delta
        } else {
            import_job::Mode::Bulk
        },
        vanish_threshold: args.vanish_threshold,
        resume: args.resume.clone(),
    };
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template(
        "{spinner} 已送 {human_pos} 行 {per_sec}",
    )?);
    let reading = roster.clone();
    let outcome = client
        .send(
            &settings,
            move |each| reading.read(each),
            |row| bar.set_position(row),
        )
        .await?;
    bar.finish_and_clear();
    let planned = client.plan(&outcome.job.name).await?;
    summary(&planned, &outcome);
    let verdicts = client.verdicts(&planned.name).await?;
    let errors = args.errors.clone().unwrap_or_else(|| beside(&args.path));
    let faults = faults(&roster, &verdicts)?;
    if !faults.is_empty() {
        let seal = sealed::write(&errors, &faults)?;
        crate::screen::line(format_args!(
            "问题清单 {}（{} 条）SHA-256 {}",
            errors.display(),
            faults.len(),
            seal.0
        ));
    }
    if args.dry_run {
        return Ok(planned);
    }
    if planned.blocked && !args.allow_vanishing {
        bail!(
            "将离册的人数超过阈值，未提交；核对后用 --allow-vanishing: too many people would vanish"
        );
    }
    client.commit(&planned.name, args.allow_vanishing).await
}

/// What is wrong with which lines: what reading found, then what the service said. Only lines with
/// something to say are held, however large the files are.
///
/// # Errors
/// When a file cannot be read again.
pub fn faults(roster: &Roster, verdicts: &[ImportVerdict]) -> anyhow::Result<Vec<Fault>> {
    let mut by_row: HashMap<i64, Vec<&ImportVerdict>> = HashMap::new();
    for verdict in verdicts {
        by_row.entry(verdict.row).or_default().push(verdict);
    }
    let mut faults = Vec::new();
    roster.read(&mut |piece| {
        match piece {
            Piece::Note(note, origin) => faults.push(Fault::noted(note, origin)),
            Piece::Row(row, origin) => {
                for verdict in by_row.get(&row.row).into_iter().flatten() {
                    faults.push(Fault::judged(verdict, origin.clone()));
                }
            }
        }
        Ok(())
    })?;
    Ok(faults)
}

fn beside(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-问题清单.xlsx"))
}

fn summary(job: &ImportJob, outcome: &Outcome) {
    use crate::screen::{Align, Table, count};
    let right = |name| (name, Align::Right);
    let mut table = Table::new([
        ("种类", Align::Left),
        right("收到"),
        right("新增"),
        right("变更"),
        right("未变"),
        right("离册"),
        right("退回"),
    ]);
    for one in &job.counts {
        let kind = match one.kind() {
            ImportKind::Unspecified => continue,
            ImportKind::Organization => "机构",
            ImportKind::ClassGroup => "班级",
            ImportKind::StaffMember => "教职工",
            ImportKind::Student => "学生",
            ImportKind::Guardian => "监护人",
        };
        let number = |value: i64| count(value.unsigned_abs());
        table.row([
            kind.to_owned(),
            number(one.received),
            number(one.created),
            number(one.changed),
            number(one.unchanged),
            number(one.vanished),
            number(one.rejected),
        ]);
    }
    table.print();
    if outcome.rejected_lines > 0 {
        crate::screen::line(format_args!(
            "另有 {} 行在读取时退回",
            outcome.rejected_lines
        ));
    }
}
