//! Whatever is held of people stands in the inventory of personal information, `deploy/privacy/inventory.md`:
//! what it is for, by which law, for how long, and who sees it (rules 6.2 and 6.3).

use std::collections::{BTreeMap, BTreeSet};

use kit::auth::Permission;
use kit::scratch;
use kit::subject::{self, ACCESSES, Field, Section};
use prost_reflect::DescriptorPool;

use crate::personal::{IN_OFFICE, shown};

const INVENTORY: &str = include_str!("../../deploy/privacy/inventory.md");
/// The kinds of people of whom something is held, as headings.
const PEOPLE: [&str; 4] = ["学生", "教职工", "监护人", "访客"];
/// The service of tables that every service has.
const EACH: &str = "各服务";
/// What stands where a person is told no section.
const NONE: &str = "—";

/// One line of the tables about people.
#[derive(Debug)]
struct Row {
    data: &'static str,
    service: &'static str,
    section: &'static str,
    tables: BTreeSet<&'static str>,
    fields: BTreeSet<&'static str>,
    purpose: &'static str,
    basis: &'static str,
    period: &'static str,
    class: &'static str,
    seen_by: &'static str,
}

/// The lines of the table below a heading, cell by cell.
fn lines(heading: &str) -> Vec<Vec<&'static str>> {
    let mut parts = INVENTORY.split("\n## ");
    let part = parts.find(|part| part.lines().next() == Some(heading));
    let lines = part.expect("a heading").lines();
    let lines = lines.filter(|line| line.starts_with('|'));
    let cells = |line: &'static str| -> Vec<&'static str> {
        let cells = line.trim_matches('|').split('|');
        cells.map(str::trim).collect()
    };
    // The head and the line below it.
    lines.skip(2).map(cells).collect()
}

/// What stands in backticks.
fn quoted(cell: &'static str) -> BTreeSet<&'static str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn row(cells: &[&'static str]) -> Row {
    let [
        data,
        service,
        section,
        tables,
        fields,
        purpose,
        basis,
        period,
        class,
        seen_by,
    ] = *cells
    else {
        panic!("ten cells: {cells:?}");
    };
    Row {
        data,
        service: service.trim_matches('`'),
        section: section.trim_matches('`'),
        tables: quoted(tables),
        fields: quoted(fields),
        purpose,
        basis,
        period,
        class,
        seen_by,
    }
}

fn rows() -> Vec<Row> {
    let cells = PEOPLE.into_iter().flat_map(lines);
    cells.map(|cells| row(&cells)).collect()
}

/// The fields of a section of a service; none where the inventory has no such section.
pub(crate) fn fields(service: &str, section: &str) -> Option<BTreeSet<&'static str>> {
    let told = |row: &Row| [service, EACH].contains(&row.service) && row.section == section;
    rows().into_iter().find(told).map(|row| row.fields)
}

/// The tables of each service.
async fn present() -> Vec<(&'static str, BTreeSet<String>)> {
    let files = [(); 4].map(|()| scratch::sqlite());
    let [first, second, third, fourth] = &files;
    let databases = [
        ("roster", first.open::<roster::Migrator>().await),
        ("sampling", second.open::<sampling::Migrator>().await),
        (
            "safety-inspection",
            third.open::<safety_inspection::Migrator>().await,
        ),
        (
            "notification",
            fourth.open::<notification::Migrator>().await,
        ),
    ];
    let mut present = Vec::new();
    for (service, database) in &databases {
        let tables = subject::tables(database).await;
        present.push((*service, tables.expect("its tables")));
    }
    present
}

#[test]
fn every_line_of_the_inventory_is_whole() {
    for row in rows() {
        let words = [row.data, row.purpose, row.basis];
        assert!(words.iter().all(|words| !words.is_ascii()), "{row:?}");
        let others = [row.period, row.seen_by];
        assert!(others.iter().all(|words| !words.is_empty()), "{row:?}");
        assert!(["敏感", "一般"].contains(&row.class), "{row:?}");
        let unknown = |name: &&str| name.parse::<Permission>().is_err();
        let unknown: Vec<&str> = quoted(row.seen_by).into_iter().filter(unknown).collect();
        assert!(unknown.is_empty(), "no permissions: {unknown:?}");
    }
    // All data of those under 14 are sensitive (rule 6.1).
    for cells in lines("学生") {
        assert_eq!(row(&cells).class, "敏感", "{cells:?}");
    }
}

#[tokio::test]
async fn every_table_is_in_the_inventory() {
    let mut listed: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in rows() {
        listed.entry(row.service).or_default().extend(row.tables);
    }
    for cells in lines("不含个人信息的表") {
        let [service, tables, what] = cells[..] else {
            panic!("three cells: {cells:?}");
        };
        assert!(!what.is_empty(), "{cells:?}");
        let listed = listed.entry(service.trim_matches('`')).or_default();
        for table in quoted(tables) {
            assert!(listed.insert(table), "{service}: {table} is about people");
        }
    }
    let common = listed.remove(EACH).expect("what each service has");
    for (service, present) in present().await {
        let own = present.iter().map(String::as_str);
        let own: BTreeSet<&str> = own.filter(|table| !common.contains(table)).collect();
        let known = listed.remove(service).unwrap_or_default();
        let absent: Vec<_> = own.difference(&known).collect();
        assert!(absent.is_empty(), "{service}: not listed: {absent:?}");
        let gone: Vec<_> = known.difference(&own).collect();
        assert!(gone.is_empty(), "{service}: no such tables: {gone:?}");
    }
    assert!(listed.is_empty(), "no such services: {listed:?}");
}

#[test]
fn every_section_that_people_are_told_is_in_the_inventory() {
    let services: [(&str, &[Section]); 4] = [
        ("sampling", &sampling::store::held::SECTIONS),
        (
            "safety-inspection",
            &safety_inspection::store::held::SECTIONS,
        ),
        ("notification", &notification::store::held::SECTIONS),
        (EACH, std::slice::from_ref(&ACCESSES)),
    ];
    let rows = rows();
    let mut told = BTreeSet::new();
    for (service, sections) in services {
        for section in sections {
            let its = |row: &&Row| row.service == service && row.section == section.name;
            let Some(row) = rows.iter().find(its) else {
                panic!("{service}: {} is not listed", section.name);
            };
            agrees(row, section);
            told.insert((service, section.name));
        }
    }
    let listed = rows.iter().filter(|row| row.section != NONE);
    let listed = listed.map(|row| (row.service, row.section));
    // The register tells categories that it puts together for each request.
    let listed: BTreeSet<_> = listed.filter(|(service, _)| *service != "roster").collect();
    assert_eq!(listed, told);
}

/// Checks that a line says what the section says of itself.
fn agrees(row: &Row, section: &Section) {
    let said = (row.data, row.purpose, row.basis);
    let expected = (section.title, section.purpose, section.basis);
    assert_eq!(said, expected, "{}", section.name);
    let tables: BTreeSet<&str> = section.tables.iter().copied().collect();
    assert_eq!(row.tables, tables, "{}", section.name);
    assert!(!row.fields.is_empty(), "{}", section.name);
    if let Some(rows) = &section.rows {
        let fields = rows.fields.iter().map(|Field(name, ..)| *name);
        let fields: BTreeSet<&str> = fields.collect();
        assert_eq!(row.fields, fields, "{}", section.name);
    }
    let guard = section.guard.map(Permission::as_str);
    let seen_by = quoted(row.seen_by);
    assert!(guard.is_none_or(|guard| seen_by.contains(guard)), "{row:?}");
}

#[test]
fn every_message_that_names_somebody_is_in_the_inventory() {
    let owned = |names: BTreeSet<&str>| -> BTreeSet<String> {
        names.into_iter().map(str::to_owned).collect()
    };
    let mut listed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for cells in lines("接口中的个人信息") {
        let [message, fields, whose] = cells[..] else {
            panic!("three cells: {cells:?}");
        };
        let known = whose.split('、').all(|one| PEOPLE.contains(&one));
        assert!(known, "{message}: {whose}");
        let message = message.trim_matches('`').to_owned();
        listed.insert(message, owned(quoted(fields)));
    }
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts can be read");
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for service in pool.services() {
        for field in service.methods().flat_map(|method| shown(&method)) {
            if IN_OFFICE.contains(&&*field) {
                continue;
            }
            let (message, _) = field.rsplit_once('.').expect("a field of a message");
            let message = pool.get_message_by_name(message).expect("a message");
            let fields = message.fields().map(|field| field.name().to_owned());
            named.insert(message.full_name().to_owned(), fields.collect());
        }
    }
    assert_eq!(listed, named);
}

#[test]
fn every_period_of_the_policy_is_for_something() {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts can be read");
    let mut expected = BTreeSet::new();
    for (part, message) in [("audit", "AuditPolicy"), ("retention", "RetentionPolicy")] {
        let message = pool.get_message_by_name(&format!("campus.roster.v1.{message}"));
        let message = message.expect("a part of the policy");
        let fields = message.fields();
        expected.extend(fields.map(|field| format!("{part}.{}", field.name())));
    }
    let (introduction, _) = INVENTORY.split_once("\n## ").expect("headings");
    let periods = rows().into_iter().map(|row| row.period);
    let named = periods.chain([introduction]).flat_map(quoted);
    let key = |name: &&str| name.starts_with("audit.") || name.starts_with("retention.");
    let named: BTreeSet<String> = named.filter(key).map(str::to_owned).collect();
    assert_eq!(named, expected);
}
