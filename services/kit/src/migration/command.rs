//! `migrate` on a command line: what is to be applied, what was, and how it ended.

use std::fmt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::{Limits, MigrateError, Plan, Schema, apply, plan};
use crate::db::{Database, DatabaseConfig};

/// What is asked of the schema of a service.
#[derive(Clone, Copy, Debug, Default)]
pub struct Order {
    /// Only tell what would be applied.
    pub plan: bool,
    /// How long it may take.
    pub limits: Limits,
}

/// How it ended; the last of several is what a script must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// The schema is up to date.
    UpToDate,
    /// A plan was asked for, and something is to be applied.
    Pending,
    /// Somebody else migrates, or the time was over: what was applied stays, and another run goes on.
    TryAgain,
    /// The database cannot be reached.
    Unavailable,
    /// A migration failed: another run fails as well until something else changes.
    Failed,
}

impl Ending {
    /// The exit code; 64 is for wrong usage and wrong settings, as everywhere.
    pub fn code(self) -> u8 {
        match self {
            Self::UpToDate => 0,
            Self::Failed => 1,
            Self::Pending => 2,
            Self::Unavailable => 69,
            Self::TryAgain => 75,
        }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(ending.code())
    }
}

impl From<&MigrateError> for Ending {
    fn from(err: &MigrateError) -> Self {
        match err {
            MigrateError::Unavailable(_) => Self::Unavailable,
            MigrateError::Busy { .. } | MigrateError::Late { .. } => Self::TryAgain,
            MigrateError::Failed { .. } => Self::Failed,
        }
    }
}

/// The time that a person allows, such as `90s` or `10m`: a second to a day.
///
/// # Errors
/// When it is none.
pub fn time(text: &str) -> Result<Duration, String> {
    let wanted = "a time such as 90s or 10m, from 1s to 24h";
    let time = humantime_serde::re::humantime::parse_duration(text);
    let time = time.map_err(|_| format!("{text}: {wanted}"))?;
    if (Duration::from_secs(1)..=Duration::from_secs(24 * 3600)).contains(&time) {
        Ok(time)
    } else {
        Err(format!("{text}: {wanted}"))
    }
}

/// Plans or migrates the database of `service`; `say` hears each line.
pub async fn carry_out(
    service: &str,
    schema: &Schema,
    database: &DatabaseConfig,
    order: Order,
    say: &mut (dyn FnMut(&str) + Send),
) -> Ending {
    match attempt(service, schema, database, order, say).await {
        Ok(ending) => ending,
        Err(err) => {
            let ending = Ending::from(&err);
            say(&format!("{service}: {}", err.told()));
            if ending == Ending::TryAgain {
                say(&format!(
                    "{service}: what was applied stays applied; run it again"
                ));
            }
            ending
        }
    }
}

async fn attempt(
    service: &str,
    schema: &Schema,
    database: &DatabaseConfig,
    order: Order,
    say: &mut (dyn FnMut(&str) + Send),
) -> Result<Ending, MigrateError> {
    let began = Instant::now();
    let mut limits = order.limits;
    let opening = async {
        let db = Database::connect(database).await?;
        let found = plan(&db, schema).await?;
        Ok((db, found))
    };
    let opened = match tokio::time::timeout(limits.within, opening).await {
        Ok(opened) => opened.map_err(MigrateError::Unavailable)?,
        Err(_) => {
            let text = format!("no answer within {} s", limits.within.as_secs_f32());
            return Err(MigrateError::Unavailable(sea_orm::DbErr::Custom(text)));
        }
    };
    let (db, found) = opened;
    for line in lines(service, &found) {
        say(&line);
    }
    let ending = match (found.pending.is_empty(), order.plan) {
        (true, _) => Ending::UpToDate,
        (false, true) => Ending::Pending,
        (false, false) => {
            let width = width(&found);
            let mut applied = |name: &str, took: Duration| {
                say(&format!("  {name:width$}  applied in {:>8}", Span(took)));
            };
            limits.within = limits.within.saturating_sub(began.elapsed());
            apply(&db, schema, limits, &mut applied).await?;
            say(&format!(
                "{service}: up to date after {}",
                Span(began.elapsed())
            ));
            Ending::UpToDate
        }
    };
    db.close().await;
    Ok(ending)
}

/// What a plan says to a person.
fn lines(service: &str, plan: &Plan) -> Vec<String> {
    let Plan {
        pending,
        applied,
        newer,
    } = plan;
    let mut lines = Vec::new();
    if pending.is_empty() {
        lines.push(format!(
            "{service}: up to date, {applied} migrations applied"
        ));
    } else {
        let all = applied + pending.len();
        let open = pending.len();
        lines.push(format!("{service}: {open} of {all} migrations to apply"));
    }
    let width = width(plan);
    lines.extend(
        pending
            .iter()
            .map(|step| format!("  {:width$}  {step}", step.name)),
    );
    lines.extend(newer.iter().map(|name| {
        format!("  {name:width$}  applied by a newer version, on which this one runs")
    }));
    lines
}

fn width(plan: &Plan) -> usize {
    let pending = plan.pending.iter().map(|step| step.name.len());
    let newer = plan.newer.iter().map(String::len);
    pending.chain(newer).max().unwrap_or_default()
}

/// A duration as people read it, so that columns align.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0.as_secs_f64() {
            seconds if seconds >= 1.0 => format!("{seconds:.1} s"),
            seconds => format!("{:.0} ms", seconds * 1e3),
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Contract, Step};
    use super::*;

    fn step(name: &str, online: bool, contract: Option<Contract>) -> Step {
        Step {
            name: name.to_owned(),
            online,
            contract,
        }
    }

    #[test]
    fn a_plan_is_aligned_and_says_what_goes() {
        let contract = Contract {
            migration: "m3_contract",
            takes: &["column hazards.owner"],
            unused_since: "0.2.0",
        };
        let plan = Plan {
            pending: vec![
                step("m2_index", true, None),
                step("m3_contract", false, Some(contract)),
            ],
            applied: 7,
            newer: vec!["m9".to_owned()],
        };
        assert_eq!(
            lines("roster", &plan).join("\n"),
            "roster: 2 of 9 migrations to apply\n  \
               m2_index     online, writers go on\n  \
               m3_contract  in a transaction; takes away column hazards.owner, unused since 0.2.0\n  \
               m9           applied by a newer version, on which this one runs"
        );
        let done = Plan {
            applied: 9,
            ..Plan::default()
        };
        assert_eq!(
            lines("roster", &done),
            ["roster: up to date, 9 migrations applied"]
        );
    }

    #[test]
    fn durations_fill_their_column() {
        let spans = [9, 1_500, 75_000].map(|ms| format!("{:>8}", Span(Duration::from_millis(ms))));
        assert_eq!(spans, ["    9 ms", "   1.5 s", "  75.0 s"]);
    }

    #[test]
    fn the_worst_of_several_endings_is_the_last() {
        let endings = [
            Ending::Pending,
            Ending::Failed,
            Ending::UpToDate,
            Ending::TryAgain,
        ];
        assert_eq!(endings.into_iter().max(), Some(Ending::Failed));
    }
}
