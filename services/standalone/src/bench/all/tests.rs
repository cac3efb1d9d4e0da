//! What is asked for, what a process tells, and the table that is made of it.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use anyhow::anyhow;
use clap::Parser;

use super::*;

#[derive(Parser)]
struct Words {
    #[command(flatten)]
    bench: BenchArgs,
}

fn parse(line: &str) -> Result<BenchArgs, clap::Error> {
    let words = format!("bench {line}");
    Words::try_parse_from(words.split_whitespace()).map(|words| words.bench)
}

fn part(name: &str) -> &'static Part {
    let part = PARTS.iter().find(|part| part.name() == name);
    part.unwrap_or_else(|| panic!("{name} is measured"))
}

fn figure(name: &str, product: f64, target: f64, met: bool) -> Measured {
    Measured {
        name: name.to_owned(),
        unit: "ms".to_owned(),
        floor: None,
        product: Some(product),
        compared: Some(product),
        target: Some(target),
        bound: Bound::AtMost,
        met,
    }
}

/// The writes of the feed seen after so many milliseconds.
fn feed(engine: Engine, half: f64, most: f64) -> Outcome {
    let figures = vec![
        figure(
            "begun → seen in another process, p50",
            half,
            20.0,
            half <= 20.0,
        ),
        figure(
            "begun → seen in another process, p99",
            most,
            100.0,
            most <= 100.0,
        ),
        Measured {
            target: None,
            ..figure("acknowledged → seen, p50", 4.0, 0.0, true)
        },
        Measured {
            target: None,
            ..figure("acknowledged → seen, p99", 30.5, 0.0, true)
        },
    ];
    let students = 100_000;
    Outcome::new(part("feed"), engine, Ok(Told { students, figures }))
}

fn rows(outcomes: &[Outcome], before: &[table::Line], scenario: &str) -> Vec<String> {
    let table = table::render(outcomes, before);
    let lines = table.lines().map(str::to_owned);
    let from = lines.skip_while(|line| !line.starts_with(&format!("| `{scenario}`")));
    let rows = part(scenario).rows.len();
    from.take(rows).collect()
}

#[test]
fn everything_on_both_databases_is_the_default() {
    let args = parse("all").unwrap();
    assert_eq!(args.students, 1_500_000);
    assert_eq!(args.all.databases, [Engine::Postgres, Engine::Sqlite]);
    assert_eq!(args.all.within, Duration::from_secs(4 * 3600));
    assert_eq!(args.all.markdown, None);
    assert_eq!(chosen(&args.all.only).unwrap().len(), PARTS.len());
}

#[test]
fn a_part_of_it_is_chosen() {
    let args = parse(
        "all --only city,gate --databases sqlite --students 2000 --rounds 3 --within 90s \
         --markdown x.md",
    )
    .unwrap();
    let names = chosen(&args.all.only).unwrap();
    let names: Vec<_> = names.iter().map(|part| part.name()).collect();
    assert_eq!(names, ["gate", "city", "city --collapse"]);
    assert_eq!(args.all.databases, [Engine::Sqlite]);
    let line = words(part("city --collapse"), Engine::Sqlite, &args).join(" ");
    let expected = "bench city --json --collapse --database sqlite --students 2000 --rounds 3";
    assert_eq!(line, expected);
    for wrong in [
        "all --only nothing",
        "all --databases mysql",
        "all --within soon",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
    assert!(chosen(&[Scenario::All]).is_err());
}

#[test]
fn every_process_gets_a_command_line_that_is_understood() {
    let args = parse("all").unwrap();
    for part in PARTS {
        let line = words(part, Engine::Postgres, &args);
        let parsed = Words::try_parse_from(&line).map(|words| words.bench);
        let parsed = parsed.unwrap_or_else(|err| panic!("{line:?}: {err}"));
        assert_eq!(parsed.scenario, part.scenario);
        assert!(parsed.json);
        assert_eq!(parsed.students, part.students.unwrap_or(1_500_000));
    }
}

fn output(stdout: &str, stderr: &str) -> Output {
    Output {
        status: ExitStatus::from_raw(0),
        stdout: stdout.into(),
        stderr: stderr.into(),
    }
}

#[test]
fn what_a_process_tells_is_read_and_why_it_failed_is_its_last_line() {
    let report = super::super::harness::Report {
        scenario: "floor",
        database: "sqlite",
        students: 100_000,
        figures: vec![super::super::harness::Figure::told("a", "/s", 3.0)],
        peak_memory_mib: 7,
        city: None,
    };
    let json = serde_json::to_string_pretty(&report).unwrap();
    let read = told(&output(&format!("haproxy is not installed\n{json}\n"), "")).unwrap();
    assert_eq!(read.students, 100_000);
    let figure = &read.figures[0];
    assert_eq!(
        (&*figure.name, figure.product, figure.target()),
        ("a", Some(3.0), None)
    );
    let failed = told(&output("", "a\ncampus: no server\n\n")).unwrap_err();
    assert_eq!(failed.to_string(), "campus: no server");
    assert!(told(&output("{\n", "")).is_err());
}

#[test]
fn a_row_says_target_measure_and_whether_it_is_kept() {
    let outcomes = [
        feed(Engine::Postgres, 8.0, 59.5),
        feed(Engine::Sqlite, 21.0, 60.0),
    ];
    let what = "a write until a watcher in another process sees it, 1,000 events/s, p50 · p99";
    let expected = [
        format!(
            "| `feed`, 100,000 students | {what} | ≤ 20 ms · ≤ 100 ms | 8 ms · 59.5 ms: kept | \
             21 ms · 60 ms: **missed** |"
        ),
        "| | of it, after the acknowledgement, p50 · p99 | told · told | 4 ms · 30.5 ms | \
         4 ms · 30.5 ms |"
            .to_owned(),
    ];
    assert_eq!(rows(&outcomes, &[], "feed"), expected);
    let ratio = Measured {
        floor: Some(2.0),
        product: Some(3.0),
        compared: Some(1.5),
        unit: "s".to_owned(),
        ..figure("city draw ÷ bare rows", 0.0, 1.5, true)
    };
    let alone = Measured {
        floor: None,
        compared: None,
        product: Some(9_000.0),
        met: false,
        ..ratio.clone()
    };
    assert_eq!(table::value(&alone), "—");
    let students = 1_500_000;
    let figures = vec![ratio];
    let drawn = Outcome::new(part("draw"), Engine::Sqlite, Ok(Told { students, figures }));
    let row = &rows(&[drawn], &[], "draw")[0];
    assert!(
        row.ends_with("| ≤ 1.5 × | — | 1.5 × (3 s) · —: kept |"),
        "{row}"
    );
}

#[test]
fn what_was_not_measured_stays_and_what_failed_is_a_dash_with_a_note() {
    let page = |table: &str| format!("a\n{}{table}{}b\n", table::BEGIN, table::END);
    let first = [
        feed(Engine::Postgres, 8.0, 59.0),
        feed(Engine::Sqlite, 9.0, 60.0),
    ];
    let before = table::read(&page(&table::render(&first, &[])));
    let again = Outcome::new(
        part("feed"),
        Engine::Sqlite,
        Err(anyhow!("it took too long")),
    );
    let outcomes = [again];
    let row = &rows(&outcomes, &before, "feed")[0];
    assert!(
        row.ends_with("| ≤ 20 ms · ≤ 100 ms | 8 ms · 59 ms: kept | — |"),
        "{row}"
    );
    let table = table::render(&outcomes, &before);
    let note = "- `feed` on SQLite was not measured: it took too long.\n";
    assert!(table.ends_with(note), "{table}");
    assert!(!outcomes[0].kept() && first[0].kept());
    // A figure of a smaller city does not stand beside those of the whole one.
    let mut small = feed(Engine::Sqlite, 9.0, 60.0);
    small.told.as_mut().unwrap().students = 1_000;
    let row = &rows(&[small], &before, "feed")[0];
    assert!(row.starts_with("| `feed`, 1,000 students |"), "{row}");
    assert!(row.ends_with("| — | 9 ms · 60 ms: kept |"), "{row}");
}

#[test]
fn a_target_that_is_missed_outside_of_the_table_is_a_note() {
    let mut outcome = feed(Engine::Sqlite, 8.0, 59.0);
    let told = outcome.told.as_mut().unwrap();
    told.figures.push(figure("turned away", 3.0, 0.0, false));
    told.figures
        .retain(|figure| figure.name != "acknowledged → seen, p50");
    assert!(!outcome.kept());
    let table = table::render(&[outcome], &[]);
    let place = "- `feed` on SQLite";
    let lacks = format!("{place} did not tell: acknowledged → seen, p50.\n");
    let missed = format!("{place} missed a target that is not in the table: turned away, 3 ms.\n");
    assert!(table.ends_with(&(lacks + &missed)), "{table}");
}

#[test]
fn a_file_gets_the_table_between_its_markers_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.md");
    std::fs::write(&file, "no place").unwrap();
    assert!(Page::open(&file).is_err());
    let text = |table: &str| format!("a\n{}{table}{}b\n", table::BEGIN, table::END);
    std::fs::write(&file, text("old\n")).unwrap();
    let page = Page::open(&file).unwrap();
    for table in ["new\n", "newer\n"] {
        page.write(table).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text(table));
    }
}

#[test]
fn the_readme_has_the_table_as_it_is_written() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let before = table::read(&readme);
    let unchanged = table::replaced(&readme, &table::render(&[], &before));
    assert_eq!(unchanged.as_ref(), Some(&readme));
    let rows: usize = PARTS.iter().map(|part| part.rows.len()).sum();
    assert_eq!(before.len(), rows);
}
