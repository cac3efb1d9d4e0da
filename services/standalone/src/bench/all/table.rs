//! The table of targets in Markdown: made of what was measured and of what stood there before.

use super::super::Engine;
use super::super::harness::number;
use super::parts::{PARTS, Part, Row};
use super::{Measured, Outcome, Told};

/// What stands before and after the table in a file.
pub(super) const BEGIN: &str = "<!-- by campus bench all -->\n";
pub(super) const END: &str = "<!-- until here -->\n";
/// What was not measured.
const DASH: &str = "—";
/// The columns of databases, in their order.
const ENGINES: [Engine; 2] = [Engine::Postgres, Engine::Sqlite];
const HEAD: &str = "| scenario | figure | target | PostgreSQL | SQLite |\n|---|---|---|---|---|\n";

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    scenario: String,
    what: String,
    target: String,
    cells: [String; 2],
}

/// The lines that stand between the markers of a text.
pub(super) fn read(text: &str) -> Vec<Line> {
    let between = text
        .split_once(BEGIN)
        .and_then(|(_, rest)| rest.split_once(END));
    let (table, _) = between.unwrap_or_default();
    let (mut lines, mut of) = (Vec::new(), String::new());
    for line in table.lines().skip(HEAD.lines().count()) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, scenario, what, target, postgres, sqlite, _] = cells[..] else {
            continue;
        };
        if !scenario.is_empty() {
            scenario.clone_into(&mut of);
        }
        lines.push(Line {
            scenario: of.clone(),
            what: what.to_owned(),
            target: target.to_owned(),
            cells: [postgres, sqlite].map(str::to_owned),
        });
    }
    lines
}

/// The text with this table between its markers; none where it has none.
pub(super) fn replaced(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{table}{END}{after}"))
}

/// The table with what was measured, what stood `before` where nothing was, and notes below it.
pub(super) fn render(outcomes: &[Outcome], before: &[Line]) -> String {
    let mut table = HEAD.to_owned();
    for part in PARTS {
        let of = ENGINES.map(|engine| {
            let mut outcomes = outcomes.iter();
            outcomes.find(|one| one.engine == engine && one.part.name() == part.name())
        });
        let label = label(part, of);
        for (place, row) in part.rows.iter().enumerate() {
            let Line {
                scenario,
                what,
                target,
                cells: [postgres, sqlite],
            } = line((part, row), &label, of, before);
            let scenario = if place == 0 {
                scenario + " "
            } else {
                String::new()
            };
            table.push_str(&format!(
                "| {scenario}| {what} | {target} | {postgres} | {sqlite} |\n"
            ));
        }
    }
    let notes: Vec<String> = outcomes.iter().flat_map(notes).collect();
    if !notes.is_empty() {
        table.push('\n');
    }
    for note in notes {
        table.push_str(&format!("- {note}\n"));
    }
    table
}

/// A scenario with its size, as it was measured where it was.
fn label(part: &Part, of: [Option<&Outcome>; 2]) -> String {
    let name = named(part);
    let measured = of.into_iter().flatten().find_map(|one| one.told.as_ref());
    let students = part
        .students
        .map(|students| measured.map_or(students, |told| told.students));
    match students {
        Some(students) => format!("{name}, {} students", crate::screen::count(students)),
        None => name,
    }
}

fn named(part: &Part) -> String {
    format!("`{}`", part.name())
}

fn line(
    (part, row): (&Part, &Row),
    label: &str,
    of: [Option<&Outcome>; 2],
    before: &[Line],
) -> Line {
    let name = named(part);
    let old = before.iter().find(|line| {
        let scenario = line.scenario.split(", ").next();
        scenario == Some(&*name) && line.what == row.what
    });
    // A figure of another size says nothing beside one of this.
    let comparable = old.filter(|old| old.scenario == label);
    let cells = [0, 1].map(|column: usize| match of[column] {
        Some(Outcome {
            told: Some(told), ..
        }) => cell(told, row),
        Some(_) => DASH.to_owned(),
        None => comparable.map_or_else(|| DASH.to_owned(), |old| old.cells[column].clone()),
    });
    Line {
        scenario: label.to_owned(),
        what: row.what.to_owned(),
        target: target(row, of, old),
        cells,
    }
}

/// What was measured, and whether it keeps the target.
fn cell(told: &Told, row: &Row) -> String {
    let figures: Vec<Option<&Measured>> = figures(told, row).collect();
    let texts = figures.iter().map(|figure| match figure {
        Some(figure) => value(figure),
        None => DASH.to_owned(),
    });
    let text = texts.collect::<Vec<_>>().join(" · ");
    let judged = figures.iter().flatten();
    let mut judged = judged.filter(|figure| figure.target().is_some()).peekable();
    if judged.peek().is_none() {
        return text;
    }
    let kept = judged.all(|figure| figure.met);
    format!("{text}: {}", if kept { "kept" } else { "**missed**" })
}

fn figures<'a>(told: &'a Told, row: &'a Row) -> impl Iterator<Item = Option<&'a Measured>> {
    let named = move |name: &&str| told.figures.iter().find(|figure| figure.name == *name);
    row.figures.iter().map(named)
}

/// A figure beside its floor, or alone.
pub(super) fn value(figure: &Measured) -> String {
    let amount = |value| with_unit(value, &figure.unit);
    match (figure.floor, figure.compared, figure.product) {
        (Some(_), Some(ratio), Some(product)) => {
            format!("{} × ({})", short(ratio), amount(product))
        }
        (None, Some(_), Some(product)) => amount(product),
        _ => DASH.to_owned(),
    }
}

/// What is promised: as it stood where only one of the databases was measured.
fn target(row: &Row, of: [Option<&Outcome>; 2], old: Option<&Line>) -> String {
    let [postgres, sqlite] = of.map(|one| {
        let told = one.and_then(|one| one.told.as_ref());
        told.map(|told| promised(told, row))
    });
    match (postgres, sqlite, old) {
        (Some(postgres), Some(sqlite), _) if postgres == sqlite => postgres,
        (Some(postgres), Some(sqlite), _) => format!("{postgres}; SQLite: {sqlite}"),
        (_, _, Some(old)) => old.target.clone(),
        (one, None, None) | (None, one, None) => one.unwrap_or_else(|| DASH.to_owned()),
    }
}

fn promised(told: &Told, row: &Row) -> String {
    let texts = figures(told, row).flatten().map(|figure| {
        let sign = figure.bound.sign();
        match figure.target() {
            Some(target) if figure.is_ratio() => format!("{sign} {} ×", short(target)),
            Some(target) => format!("{sign} {}", with_unit(target, &figure.unit)),
            None => "told".to_owned(),
        }
    });
    texts.collect::<Vec<_>>().join(" · ")
}

/// What the cells cannot say: why something was not measured, and what missed a target outside of the table.
fn notes(outcome: &Outcome) -> Vec<String> {
    let place = format!("`{}` on {}", outcome.scenario, database(outcome.engine));
    let Some(told) = &outcome.told else {
        return vec![format!("{place} was not measured: {}.", outcome.failure)];
    };
    let rows = outcome.part.rows;
    let listed: Vec<&str> = rows.iter().flat_map(|row| row.figures).copied().collect();
    let lacks = listed
        .iter()
        .filter(|name| told.figures.iter().all(|figure| figure.name != **name));
    let lacks = lacks.map(|name| format!("{place} did not tell: {name}."));
    let missed = told
        .figures
        .iter()
        .filter(|figure| !figure.met && !listed.contains(&&*figure.name));
    let missed = missed.map(|figure| {
        let (name, value) = (&figure.name, value(figure));
        format!("{place} missed a target that is not in the table: {name}, {value}.")
    });
    lacks.chain(missed).collect()
}

fn database(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => "PostgreSQL",
        Engine::Sqlite => "SQLite",
    }
}

fn with_unit(value: f64, unit: &str) -> String {
    format!("{} {unit}", short(value)).trim_end().to_owned()
}

/// A number without digits that say nothing.
fn short(value: f64) -> String {
    let text = number(value);
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}
