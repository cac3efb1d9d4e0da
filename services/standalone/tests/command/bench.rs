//! Measurements that take processes of their own, of a small city.

use std::path::Path;
use std::process::{Command, Output};

use kit::scratch;
use serde_json::Value;

fn bench(arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_campus"));
    command.arg("bench").args(arguments.split_whitespace());
    command.output().expect("it runs")
}

/// What a scenario measured by the names of figures; a busy machine may miss its targets.
fn measured(arguments: &str) -> impl Fn(&str) -> f64 + use<> {
    let output = bench(&format!("{arguments} --rounds 1 --json"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report: Value = serde_json::from_slice(&output.stdout).expect(&said);
    let figures = report["figures"].as_array().cloned().expect("figures");
    move |name| {
        let figure = figures.iter().find(|figure| figure["name"] == name);
        let figure = figure.unwrap_or_else(|| panic!("{name}: {figures:?}"));
        figure["product"].as_f64().expect("a number")
    }
}

#[test]
fn what_is_written_is_seen_by_a_watcher_in_another_process() {
    seen("sqlite");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_seen_by_a_watcher_in_another_process_on_postgres() {
    if scratch::postgres().await.is_some() {
        seen("postgres");
    }
}

fn seen(database: &str) {
    let of = measured(&format!("feed --database {database} --students 1000"));
    assert!(of("1,000 events/s begun on time, written") > 0.0);
    assert!(of("begun → seen in another process, p50") > 0.0);
    let (half, most) = (
        of("begun → seen in another process, p50"),
        of("begun → seen in another process, p99"),
    );
    assert!(half <= most, "{half} {most}");
}

#[test]
fn each_service_starts_and_says_what_it_holds() {
    let program = Path::new(env!("CARGO_BIN_EXE_campus"));
    let services = [
        "roster",
        "sampling",
        "safety-inspection",
        "notification",
        "gateway",
    ];
    let built = |name: &&str| program.with_file_name(name).is_file();
    if !services.iter().all(built) {
        eprintln!("skipped: the services are not built: cargo build --workspace");
        return;
    }
    let of = measured("start");
    for service in services {
        assert!(of(&format!("{service}, from its start until it is ready")) > 0.0);
        assert!(of(&format!("{service}, idle")) > 1.0);
    }
}

#[test]
fn all_that_is_asked_for_is_measured_and_written_into_the_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("page.md");
    let text = "a\n<!-- by campus bench all -->\n<!-- until here -->\nb\n";
    std::fs::write(&page, text).expect("it is written");
    let all = format!(
        "all --only floor --databases sqlite --rounds 1 --markdown {}",
        page.display()
    );
    let output = bench(&all);
    assert!(output.status.success(), "{output:?}");
    let page = std::fs::read_to_string(&page).expect("a page");
    let row = page.lines().find(|line| line.starts_with("| `floor` |"));
    let row = row.expect("a row");
    assert!(
        row.contains("| told | — | ") && row.ends_with(" /s |"),
        "{row}"
    );
    assert!(page.starts_with("a\n") && page.ends_with("b\n"), "{page}");

    let nowhere = bench("all --only floor --markdown nowhere.md");
    assert_eq!(nowhere.status.code(), Some(1), "{nowhere:?}");
}
