//! Approvals of access, field by field, both ways.

use chrono::{DateTime, Duration, Utc};
use kit::auth::Purpose;
use kit::field::Fields;
use kit::status::Problem;
use proto::roster as pb;
use proto::roster::access_approval::State as Message;

use super::convert;
use super::destruction_parse::{REASON, words};
use crate::app::access::Named;
use crate::domain::access::{Event, LONGEST_DAYS, MinorData, State, Step, Terms};
use crate::store::access::{Stored, Use};

/// How many persons one approval names at most.
const PERSONS: usize = 100;
/// The longest name of a method, in characters.
const METHOD: usize = 100;

/// The organisation and the id in the name of an approval.
///
/// # Errors
/// INVALID_FIELD when the name is of another form.
pub(super) fn named<'a>(field: &str, name: &'a str) -> Result<Named<'a>, Problem> {
    let parts = name
        .strip_prefix("organizations/")
        .and_then(|rest| rest.split_once("/accessApprovals/"));
    let parts = parts.filter(|(organization, id)| {
        let spelt = |parsed: uuid::Uuid| parsed.to_string() == *id;
        kit::org::is_id(organization) && uuid::Uuid::try_parse(id).is_ok_and(spelt)
    });
    let (organization, id) =
        parts.ok_or_else(|| convert::malformed(field, name, "organizations/…/accessApprovals"))?;
    Ok(Named { organization, id })
}

/// Which data is meant.
pub(super) fn data(fields: &mut Fields, field: &str, sent: i32) -> Option<MinorData> {
    let known = i16::try_from(sent).ok().and_then(MinorData::from_code);
    if known.is_none() {
        fields.violation(field, "请选择有效的选项", "not a known value");
    }
    known
}

/// The name of a method that shows data.
pub(super) fn method(fields: &mut Fields, sent: &str) -> String {
    let method = fields.required("method", sent.trim());
    let plain = |one: char| one.is_ascii_alphanumeric() || matches!(one, '.' | '/' | '_');
    if !method.chars().all(plain) {
        fields.violation("method", "应为方法名", "not the name of a method");
    }
    fields.text("method", method, METHOD).to_owned()
}

/// What is asked for, as sent, at `now`.
pub(super) fn terms(sent: pb::AccessApproval, now: DateTime<Utc>) -> Result<Terms, Problem> {
    let mut fields = Fields::new();
    let reason = words(&mut fields, "access_approval.reason", &sent.reason, REASON);
    if sent.purpose.parse::<Purpose>().is_err() {
        let known: Vec<&str> = Purpose::ALL.iter().map(|one| one.as_str()).collect();
        let known = known.join(", ");
        fields.violation(
            "access_approval.purpose",
            format!("不是已知的用途，应为其中之一：{known}"),
            format!("not a purpose, one of {known}"),
        );
    }
    let mut wanted = Vec::new();
    for (index, code) in sent.data.iter().take(MinorData::ALL.len() + 1).enumerate() {
        let field = format!("access_approval.data[{index}]");
        let Some(known) = data(&mut fields, &field, *code) else {
            continue;
        };
        let word = known.as_str().to_owned();
        if wanted.contains(&word) {
            fields.violation(field, "重复", "is there twice");
        } else {
            wanted.push(word);
        }
    }
    if sent.data.is_empty() {
        fields.violation("access_approval.data", "必填", "required");
    }
    let persons = persons(&mut fields, &sent.persons);
    let start = match sent.start_time {
        None => Some(now),
        some => fields.instant("access_approval.start_time", some),
    };
    let end = fields.instant("access_approval.expire_time", sent.expire_time);
    if let (Some(start), Some(end)) = (start, end) {
        let latest = start + Duration::days(LONGEST_DAYS);
        if end <= start.max(now) || end > latest {
            fields.violation(
                "access_approval.expire_time",
                format!("应晚于现在和开始时间，且不超过 {LONGEST_DAYS} 天"),
                format!("after now and the start, within {LONGEST_DAYS} days"),
            );
        }
    }
    fields.finish()?;
    let millis = |at: Option<DateTime<Utc>>| at.map_or(0, |at| at.timestamp_millis());
    Ok(Terms {
        data: wanted,
        persons,
        purpose: sent.purpose.clone(),
        reason: reason.to_owned(),
        start: millis(start),
        end: millis(end),
    })
}

fn persons(fields: &mut Fields, sent: &[String]) -> Vec<uuid::Uuid> {
    if sent.len() > PERSONS {
        let (zh, en) = (format!("最多 {PERSONS} 人"), format!("at most {PERSONS}"));
        fields.violation("access_approval.persons", zh, en);
        return Vec::new();
    }
    let mut persons = Vec::new();
    for (index, name) in sent.iter().enumerate() {
        let field = format!("access_approval.persons[{index}]");
        match convert::uuid(&field, "students", name) {
            Ok(person) => persons.push(person),
            Err(_) => fields.violation(
                field,
                "格式应为 students/…",
                "must be of the form students/…",
            ),
        }
    }
    persons
}

/// Of whom something is about to be shown.
pub(super) fn person(fields: &mut Fields, sent: &str) -> Option<uuid::Uuid> {
    if sent.is_empty() {
        return None;
    }
    let person = convert::uuid("person", "students", sent).ok();
    if person.is_none() {
        fields.violation(
            "person",
            "格式应为 students/…",
            "must be of the form students/…",
        );
    }
    person
}

/// An approval for the wire, at `now` in milliseconds since 1970.
pub(crate) fn approval(stored: Stored, now: i64) -> pb::AccessApproval {
    let name = stored.name();
    let Stored {
        id: _,
        organization: _,
        org_path: _,
        use_count,
        approval,
    } = stored;
    let Terms {
        data,
        persons,
        purpose,
        reason,
        start,
        end,
    } = approval.terms().clone();
    let data = data.iter().filter_map(|word| MinorData::from_word(word));
    let events = approval.events().iter().cloned().zip(1..);
    pb::AccessApproval {
        name,
        requester: approval.requester().to_owned(),
        data: data.map(|data| data.code().into()).collect(),
        persons: persons.iter().map(|id| format!("students/{id}")).collect(),
        purpose,
        reason,
        start_time: convert::instant(start),
        expire_time: convert::instant(end),
        state: state(approval.state(now)).into(),
        approver: approval.approver().unwrap_or_default().to_owned(),
        use_count,
        events: events.map(|(event, number)| step(event, number)).collect(),
    }
}

fn state(state: State) -> Message {
    match state {
        State::Requested => Message::Requested,
        State::Approved => Message::Approved,
        State::Rejected => Message::Rejected,
        State::Withdrawn => Message::Withdrawn,
        State::Revoked => Message::Revoked,
        State::Expired => Message::Expired,
    }
}

fn step(event: Event, number: i32) -> pb::AccessEvent {
    let verb = event.step.verb().to_owned();
    let Event { actor, time, step } = event;
    let note = match step {
        Step::Requested { terms } => terms.reason,
        Step::Rejected { reason } | Step::Revoked { reason } => reason,
        Step::Approved { .. } | Step::Withdrawn => String::new(),
    };
    pb::AccessEvent {
        number,
        verb,
        actor,
        event_time: convert::instant(time),
        note,
    }
}

/// What covers a use, for the wire.
pub(crate) fn used(stored: &Stored) -> pb::UseAccessResponse {
    pb::UseAccessResponse {
        access_approval: stored.name(),
        expire_time: convert::instant(stored.approval.terms().end),
    }
}

/// A use for the wire.
pub(super) fn one_use(used: Use) -> pb::AccessUse {
    let Use {
        number,
        time,
        method,
        organization,
        person,
        data,
    } = used;
    pb::AccessUse {
        number,
        use_time: convert::instant(time),
        method,
        organization: format!("organizations/{organization}"),
        person: person.map_or_else(String::new, |id| format!("students/{id}")),
        data: data.code().into(),
    }
}
