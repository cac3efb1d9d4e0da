//! Requests about cases, read field by field.

use kit::auth::{Caller, Permission};
use kit::field::{Fields, from_timestamp, holds_number};
use kit::status::Problem;
use proto::error::ErrorReason;
use proto::roster::Disease as Named;
use proto::sampling::{
    AddContactsRequest, CloseCaseRequest, ConfirmCaseRequest, ContactKind, ExportCaseRequest,
    ExportFormat, OpenCaseRequest, case, case_contact,
};

use crate::app::App;
use crate::app::health::case_exports::Format;
use crate::app::health::cases::{About, CaseChange, NewCase};
use crate::app::health::contacts::NewContact;
use crate::domain::day::Day;
use crate::domain::health::case::Outcome;
use crate::domain::health::contact::Degree;
use crate::domain::health::disease::{Disease, Severity};
use crate::domain::roll::{GroupKind, PersonId};
use crate::error::Error;
use crate::grpc::convert;

/// Contacts of one request.
const MOST: usize = 1000;

/// Every field that is wrong, or the value that was read of them.
pub(super) fn finish<T>(fields: Fields, value: Option<T>) -> Result<T, Problem> {
    fields.finish()?;
    value.ok_or_else(|| Problem::new(ErrorReason::InvalidField))
}

/// The identifier in `cases/{case}`.
pub(super) fn case_id(fields: &mut Fields, field: &str, name: &str) -> String {
    let id = name.strip_prefix("cases/");
    let id = id.filter(|id| uuid::Uuid::parse_str(id).is_ok_and(|uuid| uuid.to_string() == **id));
    if id.is_none() {
        fields.violation(field, "应为 cases/{病例编号}", "must be cases/{case}");
    }
    id.unwrap_or_default().to_owned()
}

/// The identifier of a request that has no other field to check.
pub(super) fn only_case(field: &str, name: &str) -> Result<String, Problem> {
    let mut fields = Fields::new();
    let id = case_id(&mut fields, field, name);
    fields.finish()?;
    Ok(id)
}

/// Whether the caller may do `permission` to the case of this name. That it is none is found wrong with the
/// request.
pub(super) async fn may(
    app: &App,
    caller: &Caller,
    permission: Permission,
    name: &str,
) -> Result<(), Error> {
    match only_case("name", name) {
        Ok(id) => app.readable_case(caller, permission, &id).await.map(drop),
        Err(_) => Ok(()),
    }
}

/// A disease that may be left out.
pub(in crate::grpc) fn disease(fields: &mut Fields, value: i32) -> Option<Disease> {
    if value == 0 {
        return None;
    }
    let known: Option<Named> = fields.enumeration("disease", value);
    known.map(|disease| Disease(small(disease.into())))
}

/// A person with their kind.
pub(super) fn person(
    fields: &mut Fields,
    field: &str,
    name: &str,
) -> Option<(PersonId, GroupKind)> {
    let kind = if name.starts_with("staff/") {
        GroupKind::Staff
    } else {
        GroupKind::Students
    };
    Some((convert::person(fields, field, name)?, kind))
}

/// A text without phone or identity numbers.
pub(super) fn text(fields: &mut Fields, field: &str, value: &str, most: usize) {
    fields.text(field, value, most);
    if holds_number(value) {
        let (chinese, english) = (
            "不得含证件号或电话",
            "must not hold phone or identity numbers",
        );
        fields.violation(field, chinese, english);
    }
}

/// A number of the contract as it is stored.
pub(super) fn small(number: i32) -> i16 {
    i16::try_from(number).unwrap_or_default()
}

pub(super) fn opening(request: &OpenCaseRequest) -> Result<NewCase, Problem> {
    let mut fields = Fields::new();
    let about = about(&mut fields, request);
    let disease = disease(&mut fields, request.disease);
    let is_event = !request.organization.is_empty();
    if disease.is_none() && !is_event {
        fields.violation("disease", "必填", "required");
    }
    let certainty = optional(&mut fields, "certainty", request.certainty);
    let certainty = certainty.unwrap_or(case::Certainty::Suspected);
    if certainty == case::Certainty::Excluded {
        fields.violation(
            "certainty",
            "应为疑似或确诊",
            "must be suspected or confirmed",
        );
    }
    let severity = optional(&mut fields, "severity", request.severity);
    let severity = severity.unwrap_or(case::Severity::Mild);
    if is_event && request.severity != 0 {
        fields.violation("severity", "事件不填", "not for an event");
    }
    let onset = convert::optional_date(&mut fields, "onset_date", request.onset_date);
    let detection: Option<case::Detection> = fields.enumeration("detection", request.detection);
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_~.-".contains(&byte);
    if request.basis.len() > 120 || !request.basis.bytes().all(fits) {
        let (chinese, english) = ("应为资源名", "must be a resource name");
        fields.violation("basis", chinese, english);
    }
    let grave = [
        ("hospitalised_count", request.hospitalised_count),
        ("dead_count", request.dead_count),
    ];
    for (field, count) in grave {
        fields.within(field, count, 0..=request.person_count.max(0));
        if !is_event && count != 0 {
            fields.violation(field, "仅用于事件", "only for an event");
        }
    }
    let detected = request.detect_time.and_then(from_timestamp);
    if request.detect_time.is_some() && detected.is_none() {
        fields.violation("detect_time", "不是有效的时间", "not an instant");
    }
    let new = about.zip(detection).map(|(about, detection)| NewCase {
        about,
        disease: disease.map_or(0, |disease| disease.0),
        certainty: small(certainty.into()),
        severity: Severity::from_code(small(severity.into())).unwrap_or_default(),
        onset: onset.map_or(Day::NEVER, Day::from),
        detection: small(detection.into()),
        basis: request.basis.clone(),
        detected,
        grave: (request.hospitalised_count, request.dead_count),
    });
    finish(fields, new)
}

/// Exactly one of person and organisation; only an event has a kind and a count.
fn about(fields: &mut Fields, request: &OpenCaseRequest) -> Option<About> {
    match (request.person.as_str(), request.organization.as_str()) {
        (name, "") => {
            if request.event_kind != 0 || request.person_count > 1 {
                fields.violation("event_kind", "仅用于事件", "only for an event");
            }
            person(fields, "person", name).map(|(person, kind)| About::Person(person, kind))
        }
        ("", name) => {
            let id = convert::organization(fields, "organization", name).to_owned();
            let kind: Option<case::EventKind> =
                fields.enumeration("event_kind", request.event_kind);
            let count = fields.within("person_count", request.person_count, 1..=100_000);
            kind.map(|kind| About::Event(id, small(kind.into()), count))
        }
        _ => {
            let (chinese, english) = (
                "人员与机构只能填写一项",
                "must be the only one of person and organization",
            );
            fields.violation("person", chinese, english);
            None
        }
    }
}

/// An enum value that may be left out.
fn optional<E: TryFrom<i32>>(fields: &mut Fields, field: &str, value: i32) -> Option<E> {
    if value == 0 {
        return None;
    }
    fields.enumeration(field, value)
}

/// A case and why something happens to it.
pub(super) fn reasoned(name: &str, reason: &str) -> Result<(String, String), Problem> {
    let mut fields = Fields::new();
    let id = case_id(&mut fields, "name", name);
    fields.required("reason", reason);
    text(&mut fields, "reason", reason, 200);
    fields.finish()?;
    Ok((id, reason.to_owned()))
}

pub(super) fn confirmation(request: &ConfirmCaseRequest) -> Result<(String, CaseChange), Problem> {
    let mut fields = Fields::new();
    let disease = disease(&mut fields, request.disease);
    fields.finish()?;
    let (id, reason) = reasoned(&request.name, &request.reason)?;
    Ok((id, CaseChange::Confirm(reason, disease)))
}

pub(super) fn closing(request: &CloseCaseRequest) -> Result<(String, CaseChange), Problem> {
    let mut fields = Fields::new();
    let id = case_id(&mut fields, "name", &request.name);
    let outcome: Option<case::Outcome> = fields.enumeration("outcome", request.outcome);
    let outcome = outcome.and_then(|outcome| Outcome::from_code(small(outcome.into())));
    if outcome.is_some_and(Outcome::excludes) {
        let (chinese, english) = ("应为痊愈、死亡或离开", "must be recovered, died or left");
        fields.violation("outcome", chinese, english);
    }
    text(&mut fields, "reason", &request.reason, 200);
    let change = outcome.map(|outcome| CaseChange::Close {
        outcome,
        reason: request.reason.clone(),
        release_contacts: request.release_contacts,
    });
    Ok((id, finish(fields, change)?))
}

pub(super) fn contacts(request: &AddContactsRequest) -> Result<(String, Vec<NewContact>), Problem> {
    let mut fields = Fields::new();
    let id = case_id(&mut fields, "case", &request.case);
    fields.within("contacts", request.contacts.len(), 1..=MOST);
    let mut new: Vec<NewContact> = Vec::new();
    for (place, one) in request.contacts.iter().take(MOST).enumerate() {
        let field = |name: &str| format!("contacts[{place}].{name}");
        let who = person(&mut fields, &field("person"), &one.person);
        let kind: Option<ContactKind> = fields.enumeration(&field("kind"), one.kind);
        let degree = optional(&mut fields, &field("degree"), one.degree);
        let last = fields.date(&field("last_contact_date"), one.last_contact_date);
        let degree = match degree {
            Some(case_contact::Degree::Secondary) => Degree::Secondary,
            _ => Degree::Close,
        };
        if !one.via.is_empty() {
            person(&mut fields, &field("via"), &one.via);
        }
        if degree == Degree::Close && !one.via.is_empty() {
            let (chinese, english) = ("仅用于次密接", "only for a secondary contact");
            fields.violation(field("via"), chinese, english);
        }
        let (Some(who), Some(kind), Some(last)) = (who, kind, last) else {
            continue;
        };
        if new.iter().any(|known| known.person.0 == who.0) {
            fields.violation(field("person"), "重复", "named twice");
        }
        new.push(NewContact {
            person: who,
            relation: small(kind.into()),
            degree,
            last: last.into(),
            via: one.via.clone(),
        });
    }
    fields.finish()?;
    Ok((id, new))
}

pub(super) fn export(request: &ExportCaseRequest) -> Result<(String, Format), Problem> {
    let mut fields = Fields::new();
    let id = case_id(&mut fields, "name", &request.name);
    let format: Option<ExportFormat> = fields.enumeration("format", request.format);
    fields.required("purpose", &request.purpose);
    text(&mut fields, "purpose", &request.purpose, 200);
    let format = match finish(fields, format)? {
        ExportFormat::Json => Format::Json,
        ExportFormat::CsvReports => Format::CsvReports,
        ExportFormat::CsvContacts => Format::CsvContacts,
        ExportFormat::Csv | ExportFormat::Unspecified => Format::Csv,
    };
    Ok((id, format))
}
