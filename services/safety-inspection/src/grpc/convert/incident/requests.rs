//! What is asked of incidents.

use kit::field::{Fields, from_timestamp};
use kit::status::Problem;
use proto::safety as pb;

use super::super::{malformed, plain};
use super::{known, maybe, words};
use crate::app::incidents::{Blame, Cause, Change, Draft};
use crate::domain::hazard::report;
use crate::domain::incident::category::{Category, Confidential, Measure};
use crate::domain::incident::detection::Noticed;
use crate::domain::incident::harm::{Casualties, Level};
use crate::domain::incident::state::{State, Verb};
use crate::domain::incident::step::{Medium, Receiver};
use crate::store::incidents::{Filter, ReportRow};

/// Ends the reading of what must be there.
fn finish<T>(fields: Fields, read: Option<T>) -> Result<T, Problem> {
    fields.finish()?;
    read.ok_or_else(|| malformed("request"))
}

fn harm(fields: &mut Fields, field: &str, told: Option<&pb::Casualties>) -> Casualties {
    let told = told.copied().unwrap_or_default();
    let mut count = |part: &str, value: i32| {
        fields.within(&format!("{field}.{part}"), value, 0..=100_000);
        value.unsigned_abs()
    };
    let harm = Casualties {
        deaths: count("deaths", told.deaths),
        missing: count("missing", told.missing),
        serious: count("serious_injuries", told.serious_injuries),
        minor: count("minor_injuries", told.minor_injuries),
        loss_yuan: told.loss_yuan.unsigned_abs(),
    };
    let field = format!("{field}.loss_yuan");
    fields.within(&field, told.loss_yuan, 0..=1_000_000_000_000);
    harm
}

/// An incident that was noticed; `now` is in milliseconds since 1970.
pub(in crate::grpc) fn noticed(
    request: &pb::CreateIncidentRequest,
    now: i64,
) -> Result<Noticed, Problem> {
    let mut fields = Fields::new();
    let told = request.incident.clone().unwrap_or_default();
    let category = known(
        &mut fields,
        "incident.category",
        told.category,
        Category::from_number,
    );
    let field = "incident.hazard_category";
    let of = report::Category::from_number;
    let hazard_category = if category == Some(Category::Accident) {
        known(&mut fields, field, told.hazard_category, of)
    } else {
        maybe(&mut fields, field, told.hazard_category, of)
    };
    let confidential = maybe(
        &mut fields,
        "incident.confidential",
        told.confidential,
        Confidential::from_number,
    );
    let occurred = fields
        .instant("incident.occur_time", told.occur_time)
        .map_or(0, |time| time.timestamp_millis());
    if occurred > now {
        let (zh, en) = ("不能晚于当前时间", "must not be in the future");
        fields.violation("incident.occur_time", zh, en);
    }
    let reason = &told.over_level_reason;
    let over_level_reason =
        plain(&mut fields, "incident.over_level_reason", reason, 200).to_owned();
    let harm = harm(&mut fields, "incident.casualties", told.casualties.as_ref());
    let place = words(&mut fields, "incident.place", &told.place, 100).to_owned();
    let summary = words(&mut fields, "incident.summary", &told.summary, 500).to_owned();
    let category = finish(fields, category)?;
    Ok(Noticed {
        category,
        hazard_category,
        confidential,
        place,
        summary,
        occurred,
        harm,
        over_level_reason,
    })
}

/// Which incidents a list holds; `now` is in milliseconds since 1970.
pub(in crate::grpc) fn filter(
    request: &pb::ListIncidentsRequest,
    now: i64,
) -> Result<Filter, Problem> {
    let mut fields = Fields::new();
    let mut all = |field: &str, numbers: &[i32], known_number: &dyn Fn(i32) -> bool| {
        if !numbers.iter().all(|number| known_number(*number)) {
            fields.violation(field, "请选择有效的选项", "not a known value");
        }
    };
    all("states", &request.states, &|number| {
        State::from_number(number).is_some()
    });
    all("levels", &request.levels, &|number| {
        Level::from_number(number).is_some()
    });
    all("categories", &request.categories, &|number| {
        Category::from_number(number).is_some()
    });
    fields.finish()?;
    let (states, levels) = (request.states.iter(), request.levels.iter());
    let categories = request.categories.iter();
    Ok(Filter {
        states: states.filter_map(|of| State::from_number(*of)).collect(),
        levels: levels.filter_map(|of| Level::from_number(*of)).collect(),
        categories: categories
            .filter_map(|of| Category::from_number(*of))
            .collect(),
        overdue_at: request.overdue.then_some(now),
        confidential: false,
    })
}

/// The organisation and the span of counts, in milliseconds since 1970.
pub(in crate::grpc) fn counts(
    request: &pb::GetIncidentCountsRequest,
) -> Result<std::ops::Range<i64>, Problem> {
    let mut fields = Fields::new();
    let mut end = |field: &str, told: Option<prost_types::Timestamp>, none: i64| match told {
        None => none,
        Some(time) => match from_timestamp(time) {
            Some(time) => time.timestamp_millis(),
            None => {
                fields.violation(field, "不是有效的时间", "not an instant");
                none
            }
        },
    };
    let start = end("start_time", request.start_time, i64::MIN);
    let stop = end("end_time", request.end_time, i64::MAX);
    fields.finish()?;
    Ok(start..stop)
}

/// A report to be written.
pub(in crate::grpc) fn report(request: &pb::WriteIncidentReportRequest) -> Result<Draft, Problem> {
    use pb::incident_report::Kind;
    let mut fields = Fields::new();
    let told = request.report.clone().unwrap_or_default();
    let kind: Option<Kind> = fields.enumeration("report.kind", told.kind);
    let is_final = kind == Some(Kind::Final);
    let texts = [
        ("report.situation", &told.situation, 1000, true),
        ("report.measures", &told.measures, 1000, true),
        ("report.cause", &told.cause, 500, is_final),
        ("report.lessons", &told.lessons, 1000, is_final),
        ("report.contact_post", &told.contact_post, 64, true),
    ];
    for (field, value, most, must) in texts {
        if must {
            words(&mut fields, field, value, most);
        } else {
            plain(&mut fields, field, value, most);
        }
    }
    let reason = &request.over_level_reason;
    plain(&mut fields, "over_level_reason", reason, 200);
    if !reason.is_empty() && kind != Some(Kind::First) {
        let (zh, en) = ("仅初报可越级", "only a first report goes over a level");
        fields.violation("over_level_reason", zh, en);
    }
    let harm = harm(&mut fields, "report.casualties", told.casualties.as_ref());
    let verb = match kind {
        Some(Kind::First) => Some(Verb::FirstReport),
        Some(Kind::FollowUp) => Some(Verb::FollowUp),
        Some(Kind::Final) => Some(Verb::FinalReport),
        Some(Kind::Unspecified) | None => None,
    };
    let verb = finish(fields, verb)?;
    Ok(Draft {
        verb,
        harm,
        over_level_reason: request.over_level_reason.clone(),
        words: ReportRow {
            kind: i16::try_from(told.kind).unwrap_or_default(),
            situation: told.situation,
            measures: told.measures,
            cause: told.cause,
            lessons: told.lessons,
            contact_post: told.contact_post,
            ..ReportRow::default()
        },
    })
}

/// A change with its words.
pub(in crate::grpc) type Said = (Change, String);

/// A change that has nothing but its words.
fn said(change: Change, (field, value, most): (&str, &str, usize)) -> Result<Said, Problem> {
    let mut fields = Fields::new();
    let reason = words(&mut fields, field, value, most).to_owned();
    fields.finish()?;
    Ok((change, reason))
}

pub(in crate::grpc) fn confirm(request: &pb::ConfirmIncidentRequest) -> Result<Said, Problem> {
    let mut fields = Fields::new();
    let level = maybe(&mut fields, "level", request.level, Level::from_number);
    let of = Confidential::from_number;
    let confidential = maybe(&mut fields, "confidential", request.confidential, of);
    let reason = words(&mut fields, "reason", &request.reason, 200).to_owned();
    fields.finish()?;
    Ok((Change::Confirm(level, confidential), reason))
}

pub(in crate::grpc) fn make_confidential(
    request: &pb::MakeIncidentConfidentialRequest,
) -> Result<Said, Problem> {
    let mut fields = Fields::new();
    let (field, of) = ("confidential", Confidential::from_number);
    let why = known(&mut fields, field, request.confidential, of);
    let reason = words(&mut fields, "reason", &request.reason, 200).to_owned();
    Ok((Change::MakeConfidential(finish(fields, why)?), reason))
}

pub(in crate::grpc) fn respond(request: &pb::RespondIncidentRequest) -> Result<Said, Problem> {
    said(Change::Respond, ("measures", &request.measures, 1000))
}

pub(in crate::grpc) fn control(request: &pb::ControlIncidentRequest) -> Result<Said, Problem> {
    said(Change::Control, ("measures", &request.measures, 1000))
}

pub(in crate::grpc) fn dismiss(request: &pb::DismissIncidentRequest) -> Result<Said, Problem> {
    said(Change::Dismiss, ("reason", &request.reason, 200))
}

pub(in crate::grpc) fn close(request: &pb::CloseIncidentRequest) -> Result<Said, Problem> {
    said(Change::Close, ("reason", &request.reason, 200))
}

pub(in crate::grpc) fn relevel(request: &pb::RelevelIncidentRequest) -> Result<Said, Problem> {
    let mut fields = Fields::new();
    let level = known(&mut fields, "level", request.level, Level::from_number);
    let reason = words(&mut fields, "reason", &request.reason, 200).to_owned();
    Ok((Change::Relevel(finish(fields, level)?), reason))
}

pub(in crate::grpc) fn supplement(
    request: &pb::SupplementCasualtiesRequest,
) -> Result<Said, Problem> {
    let mut fields = Fields::new();
    if request.casualties.is_none() {
        fields.violation("casualties", "必填", "required");
    }
    let harm = harm(&mut fields, "casualties", request.casualties.as_ref());
    let reason = words(&mut fields, "reason", &request.reason, 200).to_owned();
    fields.finish()?;
    Ok((Change::Supplement(harm), reason))
}

fn reached(fields: &mut Fields, receiver: i32, medium: i32) -> Option<(Receiver, Medium)> {
    let receiver = known(fields, "receiver", receiver, Receiver::from_number);
    let medium = known(fields, "medium", medium, Medium::from_number);
    receiver.zip(medium)
}

/// A receipt.
pub(in crate::grpc) fn receipt(
    request: &pb::AcknowledgeIncidentRequest,
) -> Result<(Receiver, Medium), Problem> {
    let mut fields = Fields::new();
    let reached = reached(&mut fields, request.receiver, request.medium);
    finish(fields, reached)
}

/// A notice and the receiver's own number of the matter.
pub(in crate::grpc) fn notice(
    request: &pb::RecordIncidentNoticeRequest,
) -> Result<((Receiver, Medium), String), Problem> {
    let mut fields = Fields::new();
    let reached = reached(&mut fields, request.receiver, request.medium);
    let reference = &request.reference;
    let plain = |one: char| one.is_ascii_alphanumeric() || one == '-';
    if reference.len() > 32 || !reference.chars().all(plain) {
        let (zh, en) = (
            "最多 32 个字母、数字或连字符",
            "at most 32 letters, digits and hyphens",
        );
        fields.violation("reference", zh, en);
    }
    Ok((finish(fields, reached)?, reference.clone()))
}

/// The most causes, and the most people held to account, of one review.
const FINDINGS: usize = 20;

/// What a review found.
pub(in crate::grpc) fn review(
    request: &pb::ReviewIncidentRequest,
) -> Result<(Vec<Cause>, Vec<Blame>), Problem> {
    let mut fields = Fields::new();
    if request.causes.is_empty() || request.causes.len() > FINDINGS {
        fields.violation("causes", "应有 1 到 20 条", "must be 1 to 20");
    }
    if request.accountability.len() > FINDINGS {
        fields.violation("accountability", "最多 20 条", "at most 20");
    }
    let causes = (0..).zip(request.causes.iter().take(FINDINGS));
    let causes: Vec<Option<Cause>> = causes
        .map(|(place, told)| {
            let field = |part: &str| format!("causes[{place}].{part}");
            let of = report::Category::from_number;
            let number = told.hazard_category;
            let category = known(&mut fields, &field("hazard_category"), number, of);
            words(&mut fields, &field("description"), &told.description, 500);
            plain(&mut fields, &field("place"), &told.place, 100);
            Some(Cause {
                description: told.description.clone(),
                category: category?,
                place: told.place.clone(),
            })
        })
        .collect();
    let blamed = (0..).zip(request.accountability.iter().take(FINDINGS));
    let blamed: Vec<Option<Blame>> = blamed
        .map(|(place, told)| {
            let field = |part: &str| format!("accountability[{place}].{part}");
            let of = Measure::from_number;
            let measure = known(&mut fields, &field("measure"), told.measure, of);
            words(&mut fields, &field("post"), &told.post, 64);
            words(&mut fields, &field("basis"), &told.basis, 200);
            let member = &told.staff_member;
            let named = member.is_empty()
                || (member.starts_with("staff/")
                    && super::super::person("accountability", member).is_ok());
            if !named {
                fields.violation(field("staff_member"), "格式不正确", "malformed");
            }
            Some(Blame {
                post: told.post.clone(),
                staff_member: member.clone(),
                measure: measure?,
                basis: told.basis.clone(),
            })
        })
        .collect();
    fields.finish()?;
    let (causes, blamed) = (causes.into_iter(), blamed.into_iter());
    Ok((causes.flatten().collect(), blamed.flatten().collect()))
}
