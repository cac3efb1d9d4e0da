//! Requests of people about what is held of them, field by field, both ways.

use chrono::NaiveDate;
use kit::field::Fields;
use kit::status::Problem;
use proto::roster as pb;
use proto::roster::subject_request as message;

use super::convert;
use super::destruction_parse::words;
use crate::app::subjects::{Asked, Named};
use crate::domain::subject::{
    Asker, Category, Closed, Filed, Holding, Kind, OTHERS, Other, Person, State,
};
use crate::store::subjects::Stored;

/// The longest account of how somebody's identity was checked, and of what a service holds.
const CHECK: usize = 200;
const STATEMENT: usize = 500;
/// How many fields and services one request names at most.
const FIELDS: usize = 20;
const SERVICES: usize = 10;

/// The organisation and the id in the name of a request.
///
/// # Errors
/// INVALID_FIELD when the name is of another form.
pub(super) fn named<'a>(field: &str, name: &'a str) -> Result<Named<'a>, Problem> {
    let parts = name
        .strip_prefix("organizations/")
        .and_then(|rest| rest.split_once("/subjectRequests/"));
    let parts = parts.filter(|(organization, id)| {
        let spelt = |parsed: uuid::Uuid| parsed.to_string() == *id;
        kit::org::is_id(organization) && uuid::Uuid::try_parse(id).is_ok_and(spelt)
    });
    let (organization, id) =
        parts.ok_or_else(|| convert::malformed(field, name, "organizations/…/subjectRequests"))?;
    Ok(Named { organization, id })
}

/// The request whose data a name means.
pub(super) fn data_of(name: &str) -> Result<Named<'_>, Problem> {
    let of = name.strip_suffix("/data");
    let malformed = || convert::malformed("name", name, "organizations/…/subjectRequests/…/data");
    named("name", of.ok_or_else(malformed)?)
}

/// The service that shows what it holds, as sent.
pub(super) fn other(field: &str, name: &str) -> Result<Other, Problem> {
    let unknown = || {
        let names = OTHERS.join(", ");
        let (zh, en) = (format!("应为其中之一：{names}"), format!("one of {names}"));
        Problem::invalid(field, zh, en)
    };
    Other::named(name).ok_or_else(unknown)
}

/// What is wanted, as sent.
pub(super) fn asked(organization: &str, sent: &pb::SubjectRequest) -> Result<Asked, Problem> {
    let mut fields = Fields::new();
    let person = Person::parse(&sent.person);
    if person.is_none() {
        let (zh, en) = (
            "格式应为 students/… 或 staff/…",
            "must be of the form students/… or staff/…",
        );
        fields.violation("subject_request.person", zh, en);
    }
    let kind: Option<message::Kind> = fields.enumeration("subject_request.kind", sent.kind);
    let kind = kind.map(|kind| match kind {
        message::Kind::Unspecified | message::Kind::Access => Kind::Access,
        message::Kind::Copy => Kind::Copy,
        message::Kind::Correction => Kind::Correction,
        message::Kind::Deletion => Kind::Deletion,
    });
    let asker: Option<message::Asker> = fields.enumeration("subject_request.asker", sent.asker);
    let asker = asker.map(|asker| match asker {
        message::Asker::Unspecified | message::Asker::Person => Asker::Own,
        message::Asker::Guardian => Asker::Guardian,
    });
    let check = match sent.identity_check.trim() {
        "" => "",
        check => words(&mut fields, "subject_request.identity_check", check, CHECK),
    };
    let changes = matches!(kind, Some(Kind::Correction | Kind::Deletion));
    let plain = |name: &String| {
        let letter = |one: char| one.is_ascii_lowercase() || one == '_';
        !name.is_empty() && name.len() <= 64 && name.chars().all(letter)
    };
    if sent.fields.len() > FIELDS || !sent.fields.iter().all(plain) {
        fields.violation(
            "subject_request.fields",
            format!("应为字段名，最多 {FIELDS} 个"),
            format!("names of fields, at most {FIELDS}"),
        );
    }
    if changes == sent.fields.is_empty() {
        fields.violation(
            "subject_request.fields",
            "更正或删除时须写明字段，其他情形不填",
            "required for corrections and deletions, and only there",
        );
    }
    fields.finish()?;
    let (Some(person), Some(kind), Some(asker)) = (person, kind, asker) else {
        return Err(Problem::invalid("subject_request", "必填", "required"));
    };
    Ok(Asked {
        organization: organization.to_owned(),
        person,
        kind,
        asker,
        identity_check: check.to_owned(),
        fields: sent.fields.clone(),
    })
}

/// What other services hold, as sent.
pub(super) fn holdings(sent: &[pb::ServiceHolding]) -> Result<Vec<Holding>, Problem> {
    let mut fields = Fields::new();
    if sent.len() > SERVICES {
        let (zh, en) = (format!("最多 {SERVICES} 项"), format!("at most {SERVICES}"));
        fields.violation("holdings", zh, en);
    }
    let mut holdings = Vec::new();
    for (index, one) in sent.iter().take(SERVICES).enumerate() {
        let field = format!("holdings[{index}].statement");
        let statement = words(&mut fields, &field, &one.statement, STATEMENT);
        fields.text(&format!("holdings[{index}].service"), &one.service, 64);
        holdings.push(Holding {
            service: one.service.clone(),
            holds: one.holds,
            statement: statement.to_owned(),
        });
    }
    fields.finish()?;
    Ok(holdings)
}

/// A request for the wire, as it stands on `today`.
pub(crate) fn request(stored: Stored, today: NaiveDate) -> pb::SubjectRequest {
    let (name, state) = (stored.name(), state(stored.request.state()));
    let (due, overdue) = (stored.request.due(), stored.request.overdue(today));
    let Filed {
        person,
        kind,
        asker,
        identity_check,
        fields,
        by,
        time,
        day: _,
    } = stored.request.filed;
    let request = pb::SubjectRequest {
        name,
        person: person.name(),
        kind: kind.code().into(),
        asker: asker.code().into(),
        identity_check,
        fields,
        state: state.into(),
        filed_by: by,
        file_time: convert::instant(time),
        due_date: convert::day(Some(due)),
        overdue,
        ..pb::SubjectRequest::default()
    };
    match stored.request.closed {
        None => request,
        Some(closed) => with_end(request, closed),
    }
}

fn with_end(request: pb::SubjectRequest, closed: Closed) -> pb::SubjectRequest {
    let Closed {
        state: _,
        text,
        holdings,
        by,
        time,
        day: _,
    } = closed;
    let holdings = holdings.into_iter().map(|holding| {
        let Holding {
            service,
            holds,
            statement,
        } = holding;
        pb::ServiceHolding {
            service,
            holds,
            statement,
        }
    });
    pb::SubjectRequest {
        closed_by: by,
        close_time: convert::instant(time),
        answer: text,
        holdings: holdings.collect(),
        ..request
    }
}

fn state(state: State) -> message::State {
    match state {
        State::Received => message::State::Received,
        State::Answered => message::State::Answered,
        State::Refused => message::State::Refused,
        State::Withdrawn => message::State::Withdrawn,
    }
}

/// What is held, for the wire.
pub(crate) fn data(stored: &Stored, categories: Vec<Category>, now: i64) -> pb::SubjectData {
    let categories = categories.into_iter().map(|category| {
        let Category {
            name,
            purpose,
            basis,
            retention,
            items,
        } = category;
        let items = items.into_iter().map(|item| pb::HeldItem {
            field: item.field.to_owned(),
            value: item.value,
        });
        pb::HeldCategory {
            category: name.to_owned(),
            purpose: purpose.to_owned(),
            basis: basis.to_owned(),
            retention: retention.to_owned(),
            sensitive: true,
            items: items.collect(),
        }
    });
    pb::SubjectData {
        name: format!("{}/data", stored.name()),
        categories: categories.collect(),
        create_time: convert::instant(now),
    }
}
