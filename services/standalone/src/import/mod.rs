//! `campus import`: rosters as schools have them, into the register, with every refused row explained.

mod client;
mod cohort;
mod faults;
mod headings;
mod mask;
mod national;
mod note;
mod oneroster;
mod options;
mod own;
mod piece;
mod roster;
mod sealed;
mod sending;
mod sheet;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod unpack;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use chrono::NaiveDate;
use clap::Args;
use indicatif::ProgressBar;
use proto::roster::{ImportJob, import_job};

use crate::screen;

pub use client::{Client, Service, Settings};
pub use cohort::Grade;
pub use faults::Fault;
pub use note::Note;
pub use options::ReadOptions;
pub use piece::{Origin, Piece};
pub use roster::Roster;
pub use sealed::Seal;
pub use sending::Sending;
pub use sheet::Line;

/// Takes a roster into the register.
#[derive(Args, Clone, Debug)]
pub struct ImportArgs {
    /// OneRoster 1.1 or 1.2 as a zip or folder; the national 学籍 sheet as .xlsx or CSV; the folder
    /// `campus` of a generated city. UTF-8 and GB18030 are told apart.
    pub path: PathBuf,
    /// The code of the organisation that the rows are about, such as `fz` or `350102`.
    #[arg(long, value_name = "CODE")]
    pub organization: String,
    /// The system that the rows come from: ids are unique within it, and whoever it no longer names
    /// has left. Left out: `oneroster`, `xueji` or `campus`, by the kind of files.
    #[arg(long, value_name = "ID")]
    pub source: Option<String>,
    /// The rows are changes only: whoever is missing stays.
    #[arg(long)]
    pub delta: bool,
    /// Stops after the plan; the job can be committed later with --resume.
    #[arg(long)]
    pub dry_run: bool,
    /// The share of people, 0 to 1, that may leave the register unasked.
    #[arg(long, default_value_t = 0.05, value_name = "SHARE", value_parser = share)]
    pub vanish_threshold: f64,
    /// Lets more people leave than the threshold.
    #[arg(long)]
    pub allow_vanishing: bool,
    /// The grade, 1 to 12, of classes and students that have none in the files.
    #[arg(long, value_name = "GRADE", value_parser = grade)]
    pub assume_grade: Option<Grade>,
    /// Students of OneRoster without a home class go to a class group 未分班 of their grade.
    #[arg(long)]
    pub unassigned: bool,
    /// Schools of a 学籍 sheet that the register does not have are added.
    #[arg(long)]
    pub new_schools: bool,
    /// A day of the school year that the rows are about; today when left out.
    #[arg(long)]
    pub date: Option<NaiveDate>,
    /// Goes on with a job, such as importJobs/…, that was cut off or only planned: with the same
    /// files and options.
    #[arg(long, value_name = "JOB")]
    pub resume: Option<String>,
    /// Where the list of refused rows goes; beside the input when left out.
    #[arg(long, value_name = "FILE")]
    pub errors: Option<PathBuf>,
}

fn share(text: &str) -> Result<f64, String> {
    let share: Option<f64> = text.parse().ok();
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "a number from 0 to 1, such as 0.05".to_owned())
}

fn grade(text: &str) -> Result<Grade, String> {
    let number = text.parse().ok();
    number
        .and_then(Grade::from_number)
        .ok_or_else(|| "a grade from 1 to 12".to_owned())
}

/// What reading finds before anything is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Rows to be sent.
    pub rows: i64,
    /// Lines that nothing is sent of.
    pub refused_lines: u64,
    /// Notes of every kind.
    pub notes: u64,
}

/// Runs the command against the service behind `client`. Gives the job as it stands at the end.
///
/// # Errors
/// When the files cannot be read, a call fails for good, or the plan is blocked.
pub async fn run<T: Service>(
    args: ImportArgs,
    today: NaiveDate,
    client: Client<T>,
) -> anyhow::Result<ImportJob> {
    let mut roster = open(&args, today).await?;
    let mut found = look_through(&roster).await?;
    ask(&args, &mut roster, &client).await?;
    if args.new_schools {
        found = look_through(&roster).await?;
    } else {
        found.rows += i64::from(roster.adds_root()?);
    }
    let job = take_up(&args, &roster, &client).await?;
    screen::line(format_args!("   任务 {}", job.name));
    let job = match job.state() {
        import_job::State::Receiving => {
            let bar = screen::bar(found.rows.unsigned_abs(), "发送 sending");
            let sent = sending::send(&client, job, &roster, found.rows, |sent| show(&bar, sent));
            let job = sent.await;
            bar.finish_and_clear();
            job?
        }
        import_job::State::Planned => job,
        state => bail!("{} {}", job.name, words::state(state)),
    };
    let planned = client.plan(&job.name).await?;
    words::plan(&planned, found);
    let said = planned
        .counts
        .iter()
        .any(|one| one.rejected + one.remarked > 0);
    if said || found.notes > 0 {
        let path = args.errors.clone().unwrap_or_else(|| beside(&args.path));
        let may_add_schools = roster.is_sheet() && !args.new_schools;
        let listed = faults::list(roster, &client, &planned.name, &path).await?;
        if let Some(listed) = listed {
            words::faults(&listed, &path, may_add_schools);
        }
    }
    finish(&args, planned, &client).await
}

async fn open(args: &ImportArgs, today: NaiveDate) -> anyhow::Result<Arc<Roster>> {
    let mut options = ReadOptions::on(args.date.unwrap_or(today));
    if options.school_year != ReadOptions::on(today).school_year {
        screen::line(format_args!(
            "   注意：文件按 {} 学年读取，名册按今天的学年核对年级 (the files are read as of another school year)",
            options.school_year
        ));
    }
    options.assume_grade = args.assume_grade;
    options.unassigned = args.unassigned;
    let path = args.path.clone();
    let opened = tokio::task::spawn_blocking(move || Roster::open(&path, options));
    Ok(Arc::new(opened.await??))
}

/// Asks the register what reading the files needs to know.
async fn ask<T: Service>(
    args: &ImportArgs,
    roster: &mut Arc<Roster>,
    client: &Client<T>,
) -> anyhow::Result<()> {
    let organization = &args.organization;
    let empty = client.is_empty().await?;
    let known_schools = match (args.new_schools, empty) {
        (false, _) => None,
        (true, true) => Some(Arc::default()),
        (true, false) => Some(Arc::new(client.schools(organization).await?)),
    };
    if empty {
        screen::line(format_args!(
            "   名册是空的：{organization} 将作为顶层机构登记 (the register is empty)"
        ));
    }
    let options = Arc::get_mut(roster)
        .context("the files are still being read")?
        .options_mut();
    options.root = empty.then(|| organization.clone());
    options.known_schools = known_schools;
    Ok(())
}

/// Reads everything once: files that cannot be read are found before a job is opened.
async fn look_through(roster: &Arc<Roster>) -> anyhow::Result<Found> {
    let reading = roster.clone();
    let bar = ProgressBar::new_spinner().with_message("读取 reading");
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    let found = tokio::task::spawn_blocking(move || look(&reading)).await?;
    bar.finish_and_clear();
    found
}

/// Counts what a roster holds.
///
/// # Errors
/// When a file cannot be read.
pub fn look(roster: &Roster) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let mut refused: Option<(String, u64)> = None;
    roster.read(&mut |piece| {
        match piece {
            Piece::Row(row, _) => found.rows = row.row,
            Piece::Refused(row, ..) => {
                found.rows = row.row;
                found.notes += 1;
            }
            // Several notes on one line are one refused line.
            Piece::Note(note, origin) => {
                found.notes += 1;
                let place = (origin.table.file.clone(), origin.line.number);
                if note.rejected && refused.as_ref() != Some(&place) {
                    found.refused_lines += 1;
                    refused = Some(place);
                }
            }
        }
        Ok(())
    })?;
    Ok(found)
}

async fn take_up<T: Service>(
    args: &ImportArgs,
    roster: &Roster,
    client: &Client<T>,
) -> anyhow::Result<ImportJob> {
    if let Some(name) = &args.resume {
        return Ok(client.get(name).await?);
    }
    let delta = args.delta || roster.is_delta()?;
    if delta && !args.delta {
        screen::line("   manifest.csv 说明文件只含变动：按增量导入 (delta)");
    }
    let settings = Settings {
        organization: args.organization.clone(),
        source: args.source.clone().unwrap_or_else(|| roster.kind().into()),
        mode: if delta {
            import_job::Mode::Delta
        } else {
            import_job::Mode::Bulk
        },
        vanish_threshold: args.vanish_threshold,
    };
    Ok(client.create(&settings).await?)
}

fn show(bar: &ProgressBar, sent: Sending) {
    match sent {
        Sending::Row(row) => {
            bar.set_message("发送 sending");
            bar.set_position(row);
        }
        Sending::Cut(time) => bar.set_message(format!("连接中断，第 {time} 次重连 reconnecting")),
    }
}

async fn finish<T: Service>(
    args: &ImportArgs,
    planned: ImportJob,
    client: &Client<T>,
) -> anyhow::Result<ImportJob> {
    let name = &planned.name;
    if args.dry_run {
        screen::done(format_args!(
            "试算完成，名册未改动；提交：同样的命令去掉 --dry-run，加 --resume {name} (dry run)"
        ));
        return Ok(planned);
    }
    if planned.blocked && !args.allow_vanishing {
        bail!(
            "将离册的人数超过 {:.0} %，未提交；请核对文件是否完整，确认后加 --resume {name} --allow-vanishing \
             (too many people would leave the register)",
            planned.vanish_threshold * 100.0
        );
    }
    let committed = client.commit(name, args.allow_vanishing).await?;
    screen::done(format_args!("已入册 committed: {name}"));
    Ok(committed)
}

fn beside(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-问题清单.xlsx"))
}
