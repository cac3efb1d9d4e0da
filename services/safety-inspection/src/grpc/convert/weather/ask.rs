//! What callers ask of the weather, field by field.

use chrono::{DateTime, Utc};
use kit::field::Fields;
use kit::status::Problem;
use proto::safety as pb;

use super::evidence::photos;
use crate::app::weather::{Decision, Declaration, Disinfected, Found};
use crate::domain::photo::Photo;
use crate::domain::weather::catalogue::Catalogue;
use crate::domain::weather::level::{Kind, Level};
use crate::domain::weather::suspension::{Cover, Teaching};

/// Divisions of one request, at most.
const DIVISIONS: usize = 100;
/// The longest reason, in characters.
const REASON: usize = 500;
/// The longest basis, in characters.
const BASIS: usize = 200;

/// A document that is to be read: there is one, and it is not too long.
pub(in crate::grpc) fn document(document: &[u8]) -> Result<&[u8], Problem> {
    if document.is_empty() {
        return Err(Problem::invalid("document", "必填", "required"));
    }
    if document.len() > cap::MAX_BYTES {
        let (zh, en) = ("超过 1 MiB", "larger than 1 MiB");
        return Err(Problem::invalid("document", zh, en));
    }
    Ok(document)
}

/// A value of an enum that may be left out.
pub(in crate::grpc) fn optional<E>(
    field: &str,
    number: i32,
    known: fn(i32) -> Option<E>,
) -> Result<Option<E>, Problem> {
    if number == 0 {
        return Ok(None);
    }
    known(number).map(Some).ok_or_else(|| {
        let (zh, en) = ("请选择有效的选项", "not a known value");
        Problem::invalid(field, zh, en)
    })
}

fn chosen<E>(
    fields: &mut Fields,
    field: &str,
    number: i32,
    known: fn(i32) -> Option<E>,
) -> Option<E> {
    let found = known(number);
    if found.is_none() {
        fields.violation(field, "请选择有效的选项", "not a known value");
    }
    found
}

fn words(fields: &mut Fields, field: &str, text: &str, most: usize) -> String {
    fields.required(field, text.trim());
    fields.text(field, text, most);
    text.trim().to_owned()
}

/// The parts of division codes that are not zero, each once.
fn divisions(fields: &mut Fields, field: &str, codes: &[String]) -> Vec<String> {
    let is_code = |code: &String| {
        (6..=12).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit())
    };
    if codes.len() > DIVISIONS || !codes.iter().all(is_code) {
        let (zh, en) = (
            "应为 6 至 12 位数字的区划代码，最多 100 个",
            "codes of 6 to 12 digits, at most 100",
        );
        fields.violation(field, zh, en);
        return Vec::new();
    }
    let mut parts: Vec<String> = codes
        .iter()
        .map(|code| cap::prefix(code).to_owned())
        .collect();
    parts.sort_unstable();
    parts.dedup();
    parts
}

fn missing(field: &'static str) -> Problem {
    Problem::invalid(field, "必填", "required")
}

/// What is declared.
pub(in crate::grpc) fn declaration(
    request: &pb::DeclareResponseLevelRequest,
) -> Result<Declaration, Problem> {
    let told = request.response_level.as_ref();
    let told = told.ok_or_else(|| missing("response_level"))?;
    let mut fields = Fields::new();
    let kind = chosen(&mut fields, "response_level.kind", told.kind, |number| {
        Kind::from_number(number).filter(|kind| kind.has_rules())
    });
    let level = told.level;
    let level = chosen(
        &mut fields,
        "response_level.level",
        level,
        Level::from_number,
    );
    let divisions = divisions(&mut fields, "response_level.divisions", &told.divisions);
    let field = "response_level.headquarters";
    let headquarters = words(&mut fields, field, &told.headquarters, 63);
    let basis = words(&mut fields, "response_level.basis", &told.basis, BASIS);
    fields.finish()?;
    Ok(Declaration {
        kind: kind.ok_or_else(|| missing("response_level.kind"))?,
        level: level.ok_or_else(|| missing("response_level.level"))?,
        divisions,
        headquarters,
        basis,
    })
}

/// A new level and what it stands on.
pub(in crate::grpc) fn new_level(
    request: &pb::ChangeResponseLevelRequest,
) -> Result<(Level, String), Problem> {
    let mut fields = Fields::new();
    let level = chosen(&mut fields, "level", request.level, Level::from_number);
    let basis = words(&mut fields, "basis", &request.basis, BASIS);
    fields.finish()?;
    Ok((level.ok_or_else(|| missing("level"))?, basis))
}

/// What a lifting stands on.
pub(in crate::grpc) fn basis(basis: &str) -> Result<String, Problem> {
    let mut fields = Fields::new();
    let basis = words(&mut fields, "basis", basis, BASIS);
    fields.finish()?;
    Ok(basis)
}

/// Why somebody does something.
pub(in crate::grpc) fn reason(reason: &str) -> Result<String, Problem> {
    let mut fields = Fields::new();
    let reason = words(&mut fields, "reason", reason, REASON);
    fields.finish()?;
    Ok(reason)
}

/// What is decided.
pub(in crate::grpc) fn decision(
    request: &pb::DecideWeatherSuspensionRequest,
) -> Result<Decision, Problem> {
    let told = request.weather_suspension.as_ref();
    let told = told.ok_or_else(|| missing("weather_suspension"))?;
    let mut fields = Fields::new();
    let divisions = divisions(&mut fields, "weather_suspension.divisions", &told.divisions);
    let field = "weather_suspension.covers";
    let known = told
        .covers
        .iter()
        .filter_map(|one| Cover::from_number(*one));
    let mut covers: Vec<Cover> = known.collect();
    if covers.is_empty() || covers.len() != told.covers.len() {
        fields.violation(field, "请选择有效的选项", "known values, at least one");
    }
    covers.sort_unstable();
    covers.dedup();
    let field = "weather_suspension.teaching";
    let away = |teaching: &Teaching| *teaching != Teaching::InPerson;
    let teaching = Teaching::from_number(told.teaching).filter(away);
    if teaching.is_none() {
        fields.violation(field, "应为线上教学或停课", "ONLINE or SUSPENDED");
    }
    let first = fields.date("weather_suspension.start_date", told.start_date);
    let last = told.end_date.and_then(|day| {
        let day = Some(day);
        fields.date("weather_suspension.end_date", day)
    });
    let reason = words(
        &mut fields,
        "weather_suspension.reason",
        &told.reason,
        REASON,
    );
    let field = "weather_suspension.guardians_told_time";
    let guardians = told.guardians_told_time;
    let guardians = guardians.and_then(|at| fields.instant(field, Some(at)));
    fields.finish()?;
    Ok(Decision {
        divisions,
        covers,
        teaching: teaching.ok_or_else(|| missing("weather_suspension.teaching"))?,
        first: first.ok_or_else(|| missing("weather_suspension.start_date"))?,
        last,
        reason,
        told: guardians,
    })
}

/// What was done, with the evidence.
pub(in crate::grpc) fn completion(
    request: &pb::CompleteWeatherTaskRequest,
    now: DateTime<Utc>,
) -> Result<(String, Vec<Photo>), Problem> {
    let mut fields = Fields::new();
    let note = words(&mut fields, "note", &request.note, REASON);
    let photos = photos(&mut fields, "photos", &request.photos, now);
    fields.finish()?;
    Ok((note, photos))
}

/// What was found and disinfected.
pub(in crate::grpc) fn record(
    request: &pb::RecordPostCheckRequest,
    catalogue: &Catalogue,
    now: DateTime<Utc>,
) -> Result<(Vec<Found>, Option<Disinfected>), Problem> {
    let mut fields = Fields::new();
    if request.findings.is_empty() && request.disinfection.is_none() {
        let (zh, en) = ("应有检查结果或消毒记录", "findings or a disinfection");
        fields.violation("findings", zh, en);
    }
    if request.findings.len() > catalogue.checks.len() {
        fields.violation("findings", "每项只能填报一次", "each item once");
    }
    let mut found: Vec<Found> = Vec::new();
    for (one, place) in request
        .findings
        .iter()
        .take(catalogue.checks.len())
        .zip(0..)
    {
        let at = |part: &str| format!("findings[{place}].{part}");
        fields.text(&at("place"), &one.place, 200);
        fields.text(&at("description"), &one.description, REASON);
        if !one.passed {
            fields.required(&at("description"), one.description.trim());
        }
        let photos = photos(&mut fields, &at("photos"), &one.photos, now);
        let twice = found.iter().any(|other| other.item.code == one.item);
        match catalogue.item(&one.item) {
            Some(item) if !twice => found.push(Found {
                item: item.clone(),
                passed: one.passed,
                place: one.place.clone(),
                description: one.description.trim().to_owned(),
                photos,
            }),
            _ => {
                let (zh, en) = ("不是清单中的项目，或重复", "no item of the list, or twice");
                fields.violation(at("item"), zh, en);
            }
        }
    }
    let disinfected = request.disinfection.as_ref().map(|one| {
        let mg = one.concentration_mg_per_litre;
        fields.within("disinfection.concentration_mg_per_litre", mg, 1..=100_000);
        Disinfected {
            places: words(&mut fields, "disinfection.places", &one.places, REASON),
            agent: words(&mut fields, "disinfection.agent", &one.agent, 63),
            concentration: mg,
        }
    });
    fields.finish()?;
    Ok((found, disinfected))
}
