//! A case as a document for disease control: a card like that for infectious diseases (传染病报告卡),
//! as tables or as a whole. People are references, never names.

use chrono::{DateTime, SecondsFormat, Utc};
use kit::clock::shanghai;
use proto::roster::Disease as Named;
use proto::sampling::{ContactKind, case, case_report};

use super::case_convert::disease_name;
use super::contact_convert;
use crate::domain::day::Day;
use crate::domain::health::case::Happening;
use crate::domain::health::disease::{Certainty, Disease};
use crate::domain::health::legal_class::LegalClass;
use crate::domain::roll::GroupKind;
use crate::grpc::tube_convert::member;
use crate::store::health::cases::CaseEventRow;
use crate::store::health::contacts::ContactRow;
use crate::store::health::reports::{CaseFile, ReportRow};

/// Everything that a document tells of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contents {
    pub(crate) file: CaseFile,
    pub(crate) events: Vec<CaseEventRow>,
    pub(crate) reports: Vec<ReportRow>,
    pub(crate) contacts: Vec<ContactRow>,
    /// Who takes it: an account.
    pub(crate) actor: String,
    /// The name of the school.
    pub(crate) school: String,
    /// The name of the class group.
    pub(crate) class_group: String,
}

/// One value of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Text(String),
    Number(i32),
    Flag(bool),
}

/// Named values in the order of the contract.
type Line = Vec<(&'static str, Cell)>;

/// A document before it takes its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    card: Line,
    reports: Vec<Line>,
    contacts: Vec<Line>,
}

/// Puts a document together.
pub(crate) fn document(contents: &Contents, now: DateTime<Utc>) -> Document {
    let followed = contents.contacts.iter().filter(|row| row.remove_time == 0);
    Document {
        card: card(contents, now),
        reports: contents.reports.iter().map(report).collect(),
        contacts: followed.map(contact).collect(),
    }
}

fn card(contents: &Contents, now: DateTime<Utc>) -> Line {
    let row = &contents.file.row;
    let revises = [
        Happening::Confirmed,
        Happening::Disease,
        Happening::RuledOut,
        Happening::Severity,
        Happening::Reopened,
    ];
    let is_revised = contents
        .events
        .iter()
        .any(|event| revises.iter().any(|kind| *kind as i16 == event.kind));
    let is_person = !row.person.is_empty();
    let school = row.school.rsplit('/').next().unwrap_or_default();
    let group = row.org_path.rsplit('/').next().unwrap_or_default();
    let followed = contents.contacts.iter().filter(|row| row.remove_time == 0);
    let disease = Disease(row.disease);
    let class = LegalClass::of(disease);
    let only_person = |text: String| if is_person { text } else { String::new() };
    vec![
        ("card_number", text(row.name())),
        (
            "card_kind",
            text(if is_revised { "REVISED" } else { "INITIAL" }),
        ),
        ("subject", text(if is_person { "PERSON" } else { "EVENT" })),
        ("patient", text(only_person(member(row.kind, &row.person)))),
        ("school", text(school)),
        ("class_group", text(only_person(group.to_owned()))),
        ("disease", text(disease_name(Some(disease)))),
        ("disease_display_name", text(chinese(disease))),
        ("certainty", text(named::<case::Certainty>(row.certainty))),
        ("severity", text(named::<case::Severity>(row.severity))),
        ("onset_date", text(day(row.onset))),
        ("detect_time", text(time(row.detect_time))),
        ("detection", text(named::<case::Detection>(row.detection))),
        ("confirm_time", text(time(row.confirm_time))),
        ("death_time", text(time(row.death_time))),
        ("person_count", Cell::Number(row.people)),
        ("state", text(if row.is_open() { "OPEN" } else { "CLOSED" })),
        ("outcome", text(named::<case::Outcome>(row.outcome))),
        ("first_report_due_time", text(time(row.first_due))),
        ("first_report_time", text(time(row.first_time))),
        (
            "late",
            Cell::Flag(contents.file.is_late(now.timestamp_millis())),
        ),
        ("contact_count", Cell::Number(count(followed.count()))),
        ("filled_by", text(contents.actor.as_str())),
        ("fill_time", text(time(now.timestamp_millis()))),
        ("policy_version", text(row.policy_version.as_str())),
        ("school_display_name", text(contents.school.as_str())),
        (
            "class_group_display_name",
            text(only_person(contents.class_group.clone())),
        ),
        (
            "disease_class",
            text(class.map_or("", |class| class.chinese(row.urgent && is_person))),
        ),
        ("occupation", text(occupation(row.kind))),
        ("case_classification", text(classification(row.certainty))),
    ]
}

/// What the patient is at the school; empty for an event.
fn occupation(kind: i16) -> &'static str {
    match GroupKind::from_code(kind) {
        Some(GroupKind::Students) => "学生",
        Some(GroupKind::Staff) => "教职工",
        None => "",
    }
}

/// How sure the case is, as a card says it.
fn classification(certainty: i16) -> &'static str {
    match Certainty::from_code(certainty) {
        Some(Certainty::Suspected) => "疑似病例",
        Some(Certainty::Confirmed) => "确诊病例",
        None => "已排除",
    }
}

fn report(row: &ReportRow) -> Line {
    vec![
        ("sequence", Cell::Number(row.sequence)),
        ("kind", text(named::<case_report::Kind>(row.kind))),
        ("report_time", text(time(row.time))),
        ("late", Cell::Flag(row.late)),
        ("author", text(row.author.as_str())),
        ("place", text(row.place.as_str())),
        ("suspected_count", Cell::Number(row.suspected)),
        ("confirmed_count", Cell::Number(row.confirmed)),
        ("hospitalised_count", Cell::Number(row.hospitalised)),
        ("dead_count", Cell::Number(row.dead)),
        ("measures", text(row.measures.as_str())),
        ("cause", text(row.cause.as_str())),
        ("contact_post", text(row.contact_post.as_str())),
    ]
}

fn contact(row: &ContactRow) -> Line {
    let control = contact_convert::control(row).as_str_name();
    let degree = if row.degree == 2 {
        "SECONDARY"
    } else {
        "CLOSE"
    };
    vec![
        ("person", text(member(row.kind, &row.person))),
        ("kind", text(named::<ContactKind>(row.relation))),
        ("degree", text(degree)),
        ("last_contact_date", text(day(row.last_day))),
        ("control", text(control.trim_start_matches("CONTROL_"))),
        ("end_time", text(time(row.until))),
    ]
}

/// What of a document is told as a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// One line: the card.
    Card,
    /// A line for each report.
    Reports,
    /// A line for each contact who was not removed.
    Contacts,
}

/// A table as RFC 4180 has them: a line of names, and the lines of values, if there are any.
pub(crate) fn csv(document: &Document, table: Table) -> Vec<u8> {
    let (names, lines) = match table {
        Table::Card => (names(&document.card), std::slice::from_ref(&document.card)),
        Table::Reports => (
            names(&report(&ReportRow::default())),
            document.reports.as_slice(),
        ),
        Table::Contacts => (
            names(&contact(&ContactRow {
                person: vec![0; 16],
                ..ContactRow::default()
            })),
            document.contacts.as_slice(),
        ),
    };
    let mut text = format!("\u{feff}{}\r\n", names.join(","));
    for line in lines {
        let values = line.iter().map(|(_, cell)| match cell {
            Cell::Text(text) => quoted(text),
            Cell::Number(number) => number.to_string(),
            Cell::Flag(flag) => flag.to_string(),
        });
        text.push_str(&values.collect::<Vec<_>>().join(","));
        text.push_str("\r\n");
    }
    text.into_bytes()
}

fn names(line: &Line) -> Vec<&'static str> {
    line.iter().map(|(name, _)| *name).collect()
}

/// A text that no spreadsheet takes for a formula, in quotes where RFC 4180 asks for them.
fn quoted(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
        "'"
    } else {
        ""
    };
    let guarded = format!("{guard}{text}");
    if guarded.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

/// The whole document, its values in the order of the contract.
pub(crate) fn json(document: &Document) -> Vec<u8> {
    let lines = |lines: &[Line]| {
        let objects: Vec<String> = lines.iter().map(object).collect();
        objects.join(",")
    };
    let text = format!(
        "{{\"card\":{},\"reports\":[{}],\"contacts\":[{}]}}\n",
        object(&document.card),
        lines(&document.reports),
        lines(&document.contacts)
    );
    text.into_bytes()
}

fn object(line: &Line) -> String {
    let pairs = line.iter().map(|(name, cell)| {
        let value = match cell {
            Cell::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
            Cell::Number(number) => number.to_string(),
            Cell::Flag(flag) => flag.to_string(),
        };
        format!("\"{name}\":{value}")
    });
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
}

fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn day(number: i32) -> String {
    let day = Day::from_number(u16::try_from(number).unwrap_or_default());
    day.date().map(|date| date.to_string()).unwrap_or_default()
}

fn time(millis: i64) -> String {
    let time = DateTime::from_timestamp_millis(millis).filter(|_| millis != 0);
    let told = time.map(|time| {
        let here = time.with_timezone(&shanghai());
        here.to_rfc3339_opts(SecondsFormat::Secs, false)
    });
    told.unwrap_or_default()
}

/// A value of an enum of the contract without its prefix; empty for none.
trait Value: TryFrom<i32> {
    const PREFIX: &'static str;
    fn name(&self) -> &'static str;
}

macro_rules! values {
    ($($type:ty => $prefix:literal),+ $(,)?) => {
        $(impl Value for $type {
            const PREFIX: &'static str = $prefix;
            fn name(&self) -> &'static str {
                self.as_str_name()
            }
        })+
    };
}

values!(
    case::Certainty => "CERTAINTY_",
    case::Severity => "SEVERITY_",
    case::Detection => "DETECTION_",
    case::Outcome => "OUTCOME_",
    case_report::Kind => "KIND_",
    ContactKind => "CONTACT_KIND_",
);

fn named<V: Value>(number: i16) -> String {
    let known = V::try_from(i32::from(number)).ok().filter(|_| number != 0);
    known.map_or_else(String::new, |value| {
        value.name().trim_start_matches(V::PREFIX).to_owned()
    })
}

/// The disease in Chinese.
fn chinese(disease: Disease) -> &'static str {
    match Named::try_from(i32::from(disease.0)) {
        Ok(Named::Influenza) => "流行性感冒",
        Ok(Named::Varicella) => "水痘",
        Ok(Named::Mumps) => "流行性腮腺炎",
        Ok(Named::Hfmd) => "手足口病",
        Ok(Named::Norovirus) => "诺如病毒及其他感染性腹泻",
        Ok(Named::Rubella) => "风疹",
        Ok(Named::Measles) => "麻疹",
        Ok(Named::ScarletFever) => "猩红热",
        Ok(Named::BacillaryDysentery) => "细菌性痢疾",
        Ok(Named::HaemorrhagicConjunctivitis) => "急性出血性结膜炎",
        Ok(Named::HepatitisAE) => "甲型或戊型肝炎",
        Ok(Named::Typhoid) => "伤寒和副伤寒",
        Ok(Named::Dengue) => "登革热",
        Ok(Named::FoodPoisoning) => "食物中毒",
        Ok(Named::Tuberculosis) => "肺结核",
        Ok(Named::Covid19) => "新型冠状病毒感染",
        Ok(Named::Plague) => "鼠疫",
        Ok(Named::Cholera) => "霍乱",
        Ok(Named::Sars) => "传染性非典型肺炎",
        Ok(Named::PulmonaryAnthrax) => "肺炭疽",
        Ok(Named::Pertussis) => "百日咳",
        Ok(Named::MeningococcalMeningitis) => "流行性脑脊髓膜炎",
        Ok(Named::Mpox) => "猴痘",
        Ok(Named::OtherInfectious) => "其他传染病",
        Ok(Named::Unspecified) | Err(_) => "",
    }
}

#[cfg(test)]
#[path = "case_document_tests.rs"]
mod tests;
