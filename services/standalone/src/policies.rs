//! `campus policies`: what the policies of a folder answer, tried without any service.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use kit::auth::{PolicyCases, PolicyDifference, PolicyError};
use kit::clock::{Clock, SystemClock};

use crate::screen::{self, Align, Table};

/// What the folder's cases are called where nobody says otherwise.
const CASES: &str = "cases.csv";

/// What to do with policies.
#[derive(Debug, Subcommand)]
pub enum PoliciesCommand {
    /// Asks the policies of a folder for what stands in its cases, and shows where they answer something
    /// else. Ends with 1 where they do, and with 64 where policies or cases cannot be used.
    Test(TestArgs),
}

/// What to try.
#[derive(Args, Clone, Debug)]
pub struct TestArgs {
    /// The folder of policies, as `auth.policies` of a service names it.
    pub folder: PathBuf,
    /// The cases; `cases.csv` of the folder when left out.
    #[arg(long)]
    pub cases: Option<PathBuf>,
}

/// Runs the command.
pub fn run(command: PoliciesCommand) -> ExitCode {
    let PoliciesCommand::Test(args) = command;
    match test(&args) {
        Ok((count, differences)) if differences.is_empty() => {
            let count = screen::count(count);
            screen::done(format_args!(
                "{count} cases 个用例: answered as they must be"
            ));
            ExitCode::SUCCESS
        }
        Ok((count, differences)) => {
            show(&differences);
            let wrong = screen::count(differences.len() as u64);
            let count = screen::count(count);
            screen::failed(format_args!(
                "{wrong} of {count} cases 个用例: answered otherwise"
            ));
            ExitCode::FAILURE
        }
        Err(err) => {
            screen::failed(err);
            ExitCode::from(64)
        }
    }
}

/// How many cases there are, and which are answered otherwise.
fn test(args: &TestArgs) -> Result<(u64, Vec<PolicyDifference>), PolicyError> {
    let TestArgs { folder, cases } = args;
    let cases = cases.clone().unwrap_or_else(|| folder.join(CASES));
    let cases = PolicyCases::read(&cases)?;
    let differences = cases.against(folder, SystemClock.now())?;
    Ok((cases.count() as u64, differences))
}

fn show(differences: &[PolicyDifference]) {
    let mut table = Table::new([
        ("行 line", Align::Right),
        ("角色 roles", Align::Left),
        ("范围 scope", Align::Left),
        ("权限 permission", Align::Left),
        ("地点 place", Align::Left),
        ("应为 expected", Align::Left),
        ("实为 answered", Align::Left),
        ("理由 why", Align::Left),
    ]);
    for PolicyDifference { case, answer } in differences {
        let roles: Vec<&str> = case.caller.roles.iter().map(|role| role.as_str()).collect();
        table.row([
            case.line.to_string(),
            roles.join(" "),
            case.caller.scope.to_string(),
            case.permission.to_string(),
            case.place.to_string(),
            case.expected().to_string(),
            answer.to_string(),
            case.why.clone(),
        ]);
    }
    table.print();
}
