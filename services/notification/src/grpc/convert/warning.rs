//! Warnings on the wire.

use cap::{Area, Category, Certainty, Colour, Info, MessageType, Severity, State, Status, Urgency};
use chrono::{DateTime, FixedOffset};
use kit::field::{Fields, to_timestamp};
use kit::status::Problem;
use proto::notification as pb;
use uuid::Uuid;

use super::{malformed, unknown_value};
use crate::app::warning_exports::Asked;
use crate::app::warnings::{View, warning_name};
use crate::domain::warning::OF_ALL_AREAS;
use crate::store::warnings::{Wanted, Warning};

/// The id in `warnings/{warning}`.
pub(in crate::grpc) fn warning_id(name: &str) -> Result<Uuid, Problem> {
    let id = name.strip_prefix("warnings/").unwrap_or_default();
    Uuid::try_parse(id).map_err(|_| malformed("name"))
}

/// A document that is to be read: there is one, and it is not too long.
pub(in crate::grpc) fn document(document: &[u8]) -> Result<&[u8], Problem> {
    match document.len() {
        0 => Err(Problem::invalid("document", "必填", "required")),
        1..=cap::MAX_BYTES => Ok(document),
        _ => Err(Problem::invalid(
            "document",
            "超过 1 MiB",
            "larger than 1 MiB",
        )),
    }
}

/// Which warnings are listed.
pub(in crate::grpc) fn warnings_wanted(
    request: &pb::ListWarningsRequest,
) -> Result<Wanted, Problem> {
    use pb::warning::State as Asked;
    let mut fields = Fields::new();
    let state = match Asked::try_from(request.state) {
        Ok(Asked::Unspecified) => None,
        Ok(Asked::Active) => Some(State::Active),
        Ok(Asked::Expired) => Some(State::Expired),
        Ok(Asked::Cancelled) => Some(State::Cancelled),
        Err(_) => {
            fields.violation("state", "请选择有效的选项", "not a known value");
            None
        }
    };
    let division = &request.division;
    let digits = division.bytes().all(|byte| byte.is_ascii_digit());
    let is_code = digits && (6..=12).contains(&division.len());
    if !(division.is_empty() || is_code) {
        fields.violation("division", "应为 6 至 12 位数字", "6 to 12 digits");
    }
    fields.finish()?;
    Ok(Wanted {
        state,
        division: Some(division.clone()).filter(|division| !division.is_empty()),
    })
}

/// A warning as callers see it.
pub(in crate::grpc) fn warning(warning: Warning, view: &View) -> pb::Warning {
    let Warning {
        id,
        standing,
        status,
        identifier,
        sender,
        sent,
        came,
        cap_version,
        chain,
        said,
        note,
    } = warning;
    let state = match standing.at(view.now) {
        State::Active => pb::warning::State::Active,
        State::Expired => pb::warning::State::Expired,
        State::Cancelled => pb::warning::State::Cancelled,
    };
    let entries = chain.entries().into_iter();
    let references = entries.map(|(reference, document)| pb::WarningReference {
        identifier: reference.identifier.clone(),
        sent_time: time(Some(reference.sent)),
        r#type: document.map_or(0, |document| reference_type(document.message_type).into()),
        missing: document.is_none(),
        status: document.map_or(0, |document| status_of(document.status).into()),
    });
    let mut left = OF_ALL_AREAS;
    pb::Warning {
        name: warning_name(id),
        state: state.into(),
        status: status.into(),
        identifier,
        sender,
        sent_time: Some(to_timestamp(sent)),
        ingest_time: Some(to_timestamp(came)),
        chain: references.collect(),
        scope: said.scope.as_str().to_owned(),
        restriction: said.restriction.unwrap_or_default(),
        note: note.unwrap_or_default(),
        infos: said
            .infos
            .into_iter()
            .map(|said| info(said, view, &mut left))
            .collect(),
        cap_version,
    }
}

fn info(info: Info, view: &View, left: &mut usize) -> pb::WarningInfo {
    let (colour, event_code) = (info.colour(), info.event_code().map(ToOwned::to_owned));
    let areas = info.areas.iter();
    let areas = areas.map(|place| area(&info, place, view, left));
    let areas = areas.collect();
    pb::WarningInfo {
        areas,
        language: info.language,
        event: info.event,
        event_code: event_code.unwrap_or_default(),
        severity: severity(info.severity).into(),
        colour: colour.map_or(0, |colour| colour_of(colour).into()),
        urgency: info.urgency.as_str().to_owned(),
        certainty: info.certainty.as_str().to_owned(),
        effective_time: time(info.effective),
        onset_time: time(info.onset),
        expire_time: time(info.expires),
        sender_name: info.sender_name.unwrap_or_default(),
        headline: info.headline.unwrap_or_default(),
        description: info.description.unwrap_or_default(),
        instruction: info.instruction.unwrap_or_default(),
    }
}

fn area(info: &Info, area: &Area, view: &View, left: &mut usize) -> pb::WarningArea {
    let divisions = info.divisions(area);
    let mut organizations = match *left {
        0 => Vec::new(),
        _ => view.places.within(&divisions),
    };
    organizations.truncate(*left);
    *left -= organizations.len();
    let shapes = area.polygons.iter().map(ToString::to_string);
    pb::WarningArea {
        description: area.description.clone(),
        organizations: organizations
            .into_iter()
            .map(|id| format!("organizations/{id}"))
            .collect(),
        shapes: shapes
            .chain(area.circles.iter().map(ToString::to_string))
            .collect(),
        divisions: divisions.into_iter().map(ToOwned::to_owned).collect(),
    }
}

fn time(instant: Option<DateTime<FixedOffset>>) -> Option<prost_types::Timestamp> {
    instant.map(|instant| to_timestamp(instant.to_utc()))
}

fn reference_type(message_type: MessageType) -> pb::warning_reference::Type {
    use pb::warning_reference::Type;
    match message_type {
        MessageType::Alert => Type::Alert,
        MessageType::Update => Type::Update,
        MessageType::Cancel => Type::Cancel,
        MessageType::Ack => Type::Ack,
        MessageType::Error => Type::Error,
    }
}

fn status_of(status: Status) -> pb::warning::Status {
    use pb::warning::Status as Told;
    match status {
        Status::Actual => Told::Actual,
        Status::Exercise => Told::Exercise,
        Status::System => Told::System,
        Status::Test => Told::Test,
        Status::Draft => Told::Draft,
    }
}

fn severity(severity: Severity) -> pb::warning_info::Severity {
    use pb::warning_info::Severity as Told;
    match severity {
        Severity::Extreme => Told::Extreme,
        Severity::Severe => Told::Severe,
        Severity::Moderate => Told::Moderate,
        Severity::Minor => Told::Minor,
        Severity::Unknown => Told::Unknown,
    }
}

fn colour_of(colour: Colour) -> pb::warning_info::Colour {
    use pb::warning_info::Colour as Told;
    match colour {
        Colour::Blue => Told::Blue,
        Colour::Yellow => Told::Yellow,
        Colour::Orange => Told::Orange,
        Colour::Red => Told::Red,
    }
}

/// A word of a list of the standard; none when none is given.
fn word<T: Copy>(
    fields: &mut Fields,
    (field, given): (&str, &str),
    all: &[T],
    name: fn(T) -> &'static str,
) -> Option<T> {
    if given.is_empty() {
        return None;
    }
    let found = all.iter().copied().find(|one| name(*one) == given);
    if found.is_none() {
        fields.violation(field, "请选择标准中的选项", "not a word of the standard");
    }
    found
}

/// What is asked of the document of a message.
pub(in crate::grpc) fn export(request: &pb::ExportWarningRequest) -> Result<Asked, Problem> {
    use pb::warning_reference::Type;
    let mut fields = Fields::new();
    let message_type = match fields.enumeration("type", request.r#type) {
        Some(Type::Alert) => Some(MessageType::Alert),
        Some(Type::Update) => Some(MessageType::Update),
        Some(Type::Cancel) => Some(MessageType::Cancel),
        Some(Type::Ack | Type::Error | Type::Unspecified) => {
            fields.violation("type", "应为首发、更新或取消", "ALERT, UPDATE or CANCEL");
            None
        }
        None => None,
    };
    fields.required("event", request.event.trim());
    fields.text("event", &request.event, 100);
    let grave: Option<pb::warning_info::Severity> =
        fields.enumeration("severity", request.severity);
    let given = ("category", &*request.category);
    let category = word(&mut fields, given, Category::ALL, Category::as_str);
    let given = ("urgency", &*request.urgency);
    let urgency = word(&mut fields, given, Urgency::ALL, Urgency::as_str);
    let given = ("certainty", &*request.certainty);
    let certainty = word(&mut fields, given, Certainty::ALL, Certainty::as_str);
    fields.text("restriction", &request.restriction, 200);
    fields.text("note", &request.note, 500);
    fields.finish()?;
    let grave = Severity::ALL
        .iter()
        .copied()
        .find(|one| Some(severity(*one)) == grave);
    match (message_type, grave) {
        (Some(message_type), Some(severity)) => Ok(Asked {
            message_type,
            event: request.event.trim().to_owned(),
            severity,
            category: category.unwrap_or(Category::Safety),
            urgency,
            certainty: certainty.unwrap_or(Certainty::Unknown),
            restriction: request.restriction.trim().to_owned(),
            note: request.note.trim().to_owned(),
        }),
        _ => Err(unknown_value("type")),
    }
}
