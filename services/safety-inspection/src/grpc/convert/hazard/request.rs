//! Hazards on the wire: what is asked.

use chrono::{DateTime, NaiveDate, Utc};
use kit::field::{Fields, from_date};
use kit::status::Problem;
use proto::safety as pb;
use uuid::Uuid;

use super::super::{malformed, person, photo};
use crate::app::hazards::{Named, Stated};
use crate::domain::hazard::course::Measure;
use crate::domain::hazard::major::{Fact, RuleBook, Value};
use crate::domain::hazard::report::{Category, Report, Source};
use crate::domain::hazard::state::{Grade, State};
use crate::domain::hazard::verb::{Plan, Verb};
use crate::domain::person::PersonKind;
use crate::store::hazards::Listed;

/// Descriptions, measures, plans, demands.
const LONG: usize = 1000;
/// Reasons and remarks.
const SHORT: usize = 500;
const PHOTOS: usize = 9;
const FACTS: usize = 30;
const BUDGET: i64 = 1_000_000_000_000;

/// The hazard of a request.
pub(in crate::grpc) fn hazard_name<'a>(
    field: &'static str,
    name: &'a str,
) -> Result<Named<'a>, Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", organization, "hazards", id] if kit::org::is_id(organization) => {
            let id = Uuid::try_parse(id).map_err(|_| malformed(field))?;
            Ok(Named { organization, id })
        }
        _ => Err(malformed(field)),
    }
}

/// A text that must not be empty, of lines.
fn text(fields: &mut Fields, field: &str, value: &str, most: usize) -> String {
    fields.required(field, value.trim());
    remark(fields, field, value, most)
}

/// The same, but it may be left out.
fn remark(fields: &mut Fields, field: &str, value: &str, most: usize) -> String {
    // Lines are cut where people press the key for it; nothing else of the kind is let through.
    let joined = value.replace("\r\n", "\n").replace('\n', " ");
    fields.text(field, &joined, most);
    value.to_owned()
}

/// A verb that says why, or what is demanded or seen: 1 to `most` characters.
pub(in crate::grpc) fn words(
    field: &str,
    value: &str,
    long: bool,
    verb: impl FnOnce(String) -> Verb,
) -> Result<Verb, Problem> {
    let mut fields = Fields::new();
    let words = text(&mut fields, field, value, if long { LONG } else { SHORT });
    fields.finish()?;
    Ok(verb(words))
}

/// A verb that may carry a remark.
pub(in crate::grpc) fn said(
    value: &str,
    verb: impl FnOnce(String) -> Verb,
) -> Result<Verb, Problem> {
    let mut fields = Fields::new();
    let words = remark(&mut fields, "note", value, SHORT);
    fields.finish()?;
    Ok(verb(words))
}

/// A report of a hazard.
pub(in crate::grpc) fn report(
    told: Option<&pb::Hazard>,
    book: &RuleBook,
    now: DateTime<Utc>,
) -> Result<Stated, Problem> {
    let told = told.ok_or_else(|| Problem::invalid("hazard", "必填", "required"))?;
    let mut fields = Fields::new();
    let category: Option<pb::HazardCategory> = fields.enumeration("hazard.category", told.category);
    let category = category.and_then(|category| Category::from_number(category.into()));
    let source = match told.source {
        0 => None,
        number => {
            let known: Option<pb::hazard::Source> = fields.enumeration("hazard.source", number);
            known.and_then(|source| Source::from_number(source.into()))
        }
    };
    if !is_place(&told.place) {
        let (zh, en) = ("应为以 / 分隔的小写字母、数字或连字符", "malformed");
        fields.violation("hazard.place", zh, en);
    }
    let description = text(&mut fields, "hazard.description", &told.description, LONG);
    let taken = (PHOTOS, now);
    let photos = photo::photos(&mut fields, "hazard.photos", &told.photos, taken);
    let facts = facts(&mut fields, "hazard.facts", &told.facts, book);
    fields.finish()?;
    let report = Report {
        place: told.place.clone(),
        category: category.ok_or_else(|| malformed("hazard.category"))?,
        description,
        photos,
        source: source.unwrap_or(Source::Own),
        origin: String::new(),
        major_rules: Vec::new(),
        proposed: None,
        clause: None,
    };
    Ok(Stated {
        report,
        source,
        facts,
    })
}

/// At most 8 parts joined by `/`, or nothing.
fn is_place(place: &str) -> bool {
    place.is_empty() || (place.split('/').count() <= 8 && place.split('/').all(kit::org::is_id))
}

fn facts(fields: &mut Fields, field: &str, told: &[pb::HazardFact], book: &RuleBook) -> Vec<Fact> {
    use pb::hazard_fact::Value as Pb;
    if told.len() > FACTS {
        fields.violation(field, "最多 30 项", "at most 30");
        return Vec::new();
    }
    let mut facts: Vec<Fact> = Vec::with_capacity(told.len());
    for (place, fact) in told.iter().enumerate() {
        let numeric = book.fact(&fact.key).map(|known| known.numeric);
        let value = match (numeric, fact.value) {
            (Some(false), Some(Pb::Flag(flag))) => Some(Value::Flag(flag)),
            (Some(true), Some(Pb::Number(number))) => Some(Value::Number(number)),
            _ => None,
        };
        let once = facts.iter().all(|other| other.key != fact.key);
        match value.filter(|_| once) {
            Some(value) => facts.push(Fact {
                key: fact.key.clone(),
                value,
            }),
            None => fields.violation(
                format!("{field}[{place}]"),
                "没有这一项，或取值类型不符，或重复",
                "no such fact, a value of the wrong kind, or stated twice",
            ),
        }
    }
    facts
}

pub(in crate::grpc) fn verify(
    request: &pb::VerifyHazardRequest,
    book: &RuleBook,
) -> Result<Verb, Problem> {
    let mut fields = Fields::new();
    let grade: Option<pb::hazard::Grade> = fields.enumeration("grade", request.grade);
    let facts = facts(&mut fields, "facts", &request.facts, book);
    let note = remark(&mut fields, "note", &request.note, SHORT);
    fields.finish()?;
    let grade = grade.and_then(|grade| Grade::from_number(grade.into()));
    Ok(Verb::Verify {
        grade: grade.ok_or_else(|| malformed("grade"))?,
        at_once: request.removable_at_once,
        facts,
        major_rules: Vec::new(),
        note,
    })
}

pub(in crate::grpc) fn control(told: Option<&pb::HazardControl>) -> Result<Verb, Problem> {
    let told = told.ok_or_else(|| Problem::invalid("control", "必填", "required"))?;
    let mut fields = Fields::new();
    let mut measures: Vec<Measure> = Vec::new();
    for number in &told.measures {
        let mut all = Measure::ALL.into_iter();
        match all.find(|measure| *measure as i32 == *number) {
            Some(measure) if !measures.contains(&measure) => measures.push(measure),
            _ => {
                let (zh, en) = (
                    "请选择有效的选项，且不要重复",
                    "not a known value, or twice",
                );
                fields.violation("control.measures", zh, en);
                break;
            }
        }
    }
    if told.measures.is_empty() {
        fields.violation("control.measures", "必填", "required");
    }
    let description = text(&mut fields, "control.description", &told.description, LONG);
    fields.finish()?;
    Ok(Verb::Control(measures, description))
}

fn staff(field: &'static str, name: &str) -> Result<String, Problem> {
    match person(field, name) {
        Ok(person) if person.kind == PersonKind::Staff => Ok(person.to_string()),
        _ => Err(malformed(field)),
    }
}

pub(in crate::grpc) fn assign(told: Option<&pb::HazardFixes>) -> Result<Verb, Problem> {
    let told = told.ok_or_else(|| Problem::invalid("fixes", "必填", "required"))?;
    let mut fields = Fields::new();
    let owner = match &*told.owner {
        "" => String::new(),
        owner => staff("fixes.owner", owner).unwrap_or_else(|_| {
            fields.violation("fixes.owner", "格式不正确", "malformed");
            String::new()
        }),
    };
    let measures = text(&mut fields, "fixes.measures", &told.measures, LONG);
    match told.budget_fen {
        Some(budget) => {
            fields.within("fixes.budget_fen", budget, 0..=BUDGET);
        }
        None => fields.violation("fixes.budget_fen", "必填", "required"),
    }
    let due = fields.date("fixes.due_date", told.due_date);
    let plan = text(
        &mut fields,
        "fixes.contingency_plan",
        &told.contingency_plan,
        LONG,
    );
    fields.finish()?;
    Ok(Verb::Assign(Plan {
        owner,
        measures,
        budget_fen: told.budget_fen.unwrap_or_default(),
        due: due.ok_or_else(|| malformed("fixes.due_date"))?,
        contingency_plan: plan,
    }))
}

pub(in crate::grpc) fn hand_over(request: &pb::HandOverHazardRequest) -> Result<Verb, Problem> {
    let owner = staff("owner", &request.owner)?;
    words("reason", &request.reason, false, |reason| Verb::HandOver {
        owner,
        reason,
    })
}

pub(in crate::grpc) fn submit(
    told: Option<&pb::HazardSubmission>,
    now: DateTime<Utc>,
) -> Result<Verb, Problem> {
    let told = told.ok_or_else(|| Problem::invalid("submission", "必填", "required"))?;
    let mut fields = Fields::new();
    let statement = text(&mut fields, "submission.statement", &told.statement, LONG);
    let photos = photo::photos(
        &mut fields,
        "submission.photos",
        &told.photos,
        (PHOTOS, now),
    );
    fields.finish()?;
    Ok(Verb::Submit {
        statement,
        before: Vec::new(),
        photos,
    })
}

pub(in crate::grpc) fn progress(told: Option<&pb::HazardProgressReport>) -> Result<Verb, Problem> {
    let told = told.ok_or_else(|| Problem::invalid("progress_report", "必填", "required"))?;
    let mut fields = Fields::new();
    let field = "progress_report.description";
    let description = text(&mut fields, field, &told.description, LONG);
    let percent = fields.within("progress_report.percent", told.percent, 0..=100);
    fields.finish()?;
    Ok(Verb::Progress(percent, description))
}

pub(in crate::grpc) fn request_extension(
    request: &pb::RequestHazardExtensionRequest,
) -> Result<Verb, Problem> {
    let mut fields = Fields::new();
    let due = fields.date("due_date", request.due_date);
    let reason = text(&mut fields, "reason", &request.reason, SHORT);
    fields.finish()?;
    let due = due.ok_or_else(|| malformed("due_date"))?;
    Ok(Verb::RequestExtension(due, reason))
}

pub(in crate::grpc) fn decide_extension(
    request: &pb::DecideHazardExtensionRequest,
) -> Result<Verb, Problem> {
    words("reason", &request.reason, false, |reason| {
        Verb::DecideExtension(request.granted, reason)
    })
}

/// Which hazards are listed, after `before`.
pub(in crate::grpc) fn listed(
    request: &pb::ListHazardsRequest,
    today: NaiveDate,
    before: Option<Uuid>,
) -> Result<Listed, Problem> {
    let mut fields = Fields::new();
    let mut known = |field: &str, number: i32, known: bool| {
        if number != 0 && !known {
            fields.violation(field, "请选择有效的选项", "not a known value");
        }
    };
    let state = State::from_number(request.state);
    let grade = Grade::from_number(request.grade);
    let category = Category::from_number(request.category);
    known("state", request.state, state.is_some());
    known("grade", request.grade, grade.is_some());
    known("category", request.category, category.is_some());
    fields.finish()?;
    Ok(Listed {
        state,
        grade,
        category,
        open: request.open,
        overdue: request.overdue.then_some(today),
        supervised: request.supervised,
        before,
    })
}

/// A civil day that may be left out.
pub(in crate::grpc) fn date_filter(
    field: &'static str,
    date: Option<proto::Date>,
) -> Result<Option<NaiveDate>, Problem> {
    let Some(date) = date else {
        return Ok(None);
    };
    let wrong = || Problem::invalid(field, "不是有效的日期", "not a day of the calendar");
    from_date(date).map(Some).ok_or_else(wrong)
}

/// The civil year of a ledger.
pub(in crate::grpc) fn year(year: i32) -> Result<i32, Problem> {
    let mut fields = Fields::new();
    fields.within("year", year, 2000..=9999);
    fields.finish()?;
    Ok(year)
}
