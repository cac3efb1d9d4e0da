//! `campus migrate` as an operator runs it.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const SERVICES: [&str; 4] = ["roster", "sampling", "safety-inspection", "notification"];

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_campus"));
    command.arg("migrate").args(arguments);
    command
}

fn migrate(arguments: &[&str]) -> (Option<i32>, String) {
    ended(command(arguments).output().expect("it runs"))
}

fn ended(output: Output) -> (Option<i32>, String) {
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said += &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said)
}

fn text(folder: &Path) -> &str {
    folder.to_str().expect("a path in UTF-8")
}

#[test]
fn a_plan_applies_nothing_and_what_is_applied_is_planned_no_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = text(folder.path());
    for _ in 0..2 {
        let (code, said) = migrate(&["--data", data, "--plan"]);
        assert_eq!(code, Some(2), "{said}");
        for service in SERVICES {
            assert!(
                said.contains(&format!("\n{service}: ")) || said.starts_with(service),
                "{said}"
            );
        }
    }
    let (code, said) = migrate(&["sampling", "--data", data]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("applied in") && said.contains("sampling: up to date"),
        "{said}"
    );
    let (code, said) = migrate(&["--data", data, "--within", "5m"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = migrate(&["--data", data, "--plan"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        said.matches(": up to date").count(),
        SERVICES.len(),
        "{said}"
    );
}

#[test]
fn of_two_at_once_one_applies_and_both_end_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = text(folder.path());
    let both: Vec<Child> = (0..2)
        .map(|_| {
            let mut command = command(&["--data", data]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().expect("it runs")
        })
        .collect();
    let said = both.into_iter().map(|one| {
        let (code, said) = ended(one.wait_with_output().expect("it ends"));
        assert_eq!(code, Some(0), "{said}");
        said
    });
    let said: String = said.collect();
    let name = "m20260101_000001_register  ";
    let applied = said
        .lines()
        .filter(|line| line.contains(name) && line.contains("applied in"));
    assert_eq!(
        applied.count(),
        2,
        "once of roster, once of notification: {said}"
    );
}

#[test]
fn settings_are_those_of_the_service_and_the_environment_wins() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/config");
    let file = folder.path().join("roster.sqlite");
    let mut there = command(&["roster", "--config", text(&config)]);
    let tries = "CAMPUS_ROSTER__AUTH__DEVELOPMENT";
    there.env(tries, "true").env(
        "CAMPUS_ROSTER__DATABASE__URL",
        format!("sqlite:{}", file.display()),
    );
    let (code, said) = ended(there.output().expect("it runs"));
    assert_eq!(code, Some(0), "{said}");
    assert!(file.is_file());

    let mut wrong = command(&["roster", "--config", text(&config), "--plan"]);
    wrong.env(tries, "true");
    wrong.env("CAMPUS_ROSTER__DATABASE__MIGRATE", "sometimes");
    let (code, said) = ended(wrong.output().expect("it runs"));
    assert_eq!(code, Some(64), "{said}");
    assert!(said.contains("roster"), "{said}");
}

#[test]
fn what_has_no_database_or_is_nowhere_is_wrong_usage() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = text(folder.path());
    let nowhere = text(folder.path()).to_owned() + "/nowhere";
    for arguments in [
        &["gateway", "--data", data][..],
        &["--data", &nowhere],
        &["--config", &nowhere],
        &["roster"],
        &["--data", data, "--within", "soon"],
    ] {
        let (code, said) = migrate(arguments);
        assert_eq!(code, Some(64), "{arguments:?}: {said}");
    }
}
