//! Recipients of directives on the wire, and how far directives have come.

use chrono::{DateTime, Utc};
use kit::field::{Fields, to_date, to_timestamp};
use kit::status::Problem;
use proto::notification as pb;

use super::{child, long_text, malformed, unknown_value};
use crate::app::directives::directive_name as named;
use crate::app::items::{Carried, CarriedItem};
use crate::app::progress::{DistrictProgress, LevelProgress, Progress};
use crate::app::recipients::{Act, RecipientName};
use crate::domain::chain::parts;
use crate::domain::content::TextHash;
use crate::domain::recipient::{Recipient, Verb};

const NOTE: usize = 5_000;
const REPORT: usize = 5_000;

/// The parts of a recipient's name.
pub(in crate::grpc) fn recipient_name(name: &str) -> Result<RecipientName, Problem> {
    let (directive, recipient) = name
        .split_once("/recipients/")
        .ok_or_else(|| malformed("name"))?;
    let (orderer, directive) = child("name", "directives", directive)?;
    let (organization, class_group) = parts(recipient);
    let of_organization = !recipient.contains('~');
    if !kit::org::is_id(organization) || !(of_organization || kit::org::is_id(class_group)) {
        return Err(malformed("name"));
    }
    Ok(RecipientName {
        orderer,
        directive,
        recipient: recipient.to_owned(),
    })
}

pub(in crate::grpc) fn receipt(request: &pb::ConfirmReceiptRequest) -> Result<Act, Problem> {
    use pb::confirm_receipt_request::Receipt;
    match Receipt::try_from(request.receipt) {
        Ok(Receipt::Delivered) => Ok(Act::Handle(Verb::Deliver)),
        Ok(Receipt::Read) => Ok(Act::Handle(Verb::Read)),
        Ok(Receipt::Unspecified) | Err(_) => Err(unknown_value("receipt")),
    }
}

pub(in crate::grpc) fn relay(request: &pb::RelayDirectiveRequest) -> Result<Act, Problem> {
    let mut fields = Fields::new();
    let hash: Option<[u8; 32]> = request.text_sha256[..].try_into().ok();
    if hash.is_none() {
        fields.violation(
            "text_sha256",
            "应为 32 字节的 SHA-256",
            "32 bytes of SHA-256",
        );
    }
    long_text(&mut fields, "note", &request.note, NOTE);
    fields.finish()?;
    let hash = hash.ok_or_else(|| malformed("text_sha256"))?;
    Ok(Act::Handle(Verb::Relay(
        TextHash(hash),
        request.note.clone(),
    )))
}

pub(in crate::grpc) fn report(request: &pb::ReportProgressRequest) -> Result<Act, Problem> {
    let mut fields = Fields::new();
    let progress = said(&mut fields, &request.report, request.progress_percent);
    if request.finished && progress != 100 {
        fields.violation("progress_percent", "办结时应为 100", "100 when finished");
    }
    fields.finish()?;
    let report = request.report.clone();
    Ok(if request.finished {
        Act::Finish(report)
    } else {
        Act::Handle(Verb::Report(report, progress))
    })
}

pub(in crate::grpc) fn item_report(request: &pb::ReportItemRequest) -> Result<Act, Problem> {
    let mut fields = Fields::new();
    fields.required("item_id", &request.item_id);
    let progress = said(&mut fields, &request.report, request.progress_percent);
    fields.finish()?;
    Ok(Act::ReportItem(
        request.item_id.clone(),
        request.report.clone(),
        progress,
    ))
}

fn said(fields: &mut Fields, report: &str, progress: i32) -> i32 {
    fields.required("report", report.trim());
    long_text(fields, "report", report, REPORT);
    fields.within("progress_percent", progress, 0..=100)
}

/// A recipient as callers see it.
pub(in crate::grpc) fn recipient(carried: Carried, now: DateTime<Utc>) -> pb::DirectiveRecipient {
    let Carried {
        recipient,
        orderer,
        items,
        upper_notes,
    } = carried;
    let overdue = recipient.is_overdue(now);
    let relay_overdue = recipient.is_relay_overdue(now);
    let judge_overdue = recipient.is_judgement_overdue(now);
    let organization = format!("organizations/{}", recipient.organization());
    let class_group = match recipient.class_group() {
        "" => String::new(),
        class_group => format!("{organization}/classGroups/{class_group}"),
    };
    let Recipient {
        directive,
        id,
        org_path: _,
        level: _,
        district: _,
        upper,
        below: _,
        state,
        due,
        items_due: _,
        acknowledged,
        relayed,
        relay_due,
        judge_due,
        relay_note,
        report,
        progress,
        return_reason,
        updated,
        text_hash,
        version: _,
    } = recipient;
    let at = |recipient: &str| format!("{}/recipients/{recipient}", named(&orderer, directive));
    pb::DirectiveRecipient {
        name: at(&id),
        organization,
        upper: if upper.is_empty() { upper } else { at(&upper) },
        state: state as i32,
        overdue,
        due_time: due.map(to_timestamp),
        acknowledge_time: acknowledged.map(to_timestamp),
        relay_time: relayed.map(to_timestamp),
        relay_note,
        report,
        progress_percent: progress,
        return_reason,
        update_time: Some(to_timestamp(updated)),
        text_sha256: text_hash.0.to_vec().into(),
        class_group,
        items: items.into_iter().map(item).collect(),
        upper_notes,
        relay_due_time: relay_due.map(to_timestamp),
        judge_due_time: judge_due.map(to_timestamp),
        relay_overdue,
        judge_overdue,
    }
}

fn item(carried: CarriedItem) -> pb::RecipientItem {
    let CarriedItem {
        id,
        owner,
        due,
        progress,
        report,
        finished,
        late,
    } = carried;
    pb::RecipientItem {
        item_id: id,
        owner,
        due_date: Some(to_date(due)),
        progress_percent: progress,
        report,
        finish_time: finished.map(to_timestamp),
        late,
    }
}

/// How far a directive has come, as callers see it.
pub(in crate::grpc) fn progress(name: &str, progress: Progress) -> pb::DirectiveProgress {
    let Progress {
        levels,
        districts,
        done,
        done_percent,
    } = progress;
    pb::DirectiveProgress {
        name: name.to_owned(),
        levels: levels.into_iter().map(level).collect(),
        districts: districts.into_iter().map(district).collect(),
        done,
        done_percent,
    }
}

fn level(progress: LevelProgress) -> pb::LevelProgress {
    let LevelProgress { count, minutes } = progress;
    let [first, median, p90, last] = minutes.map(|minutes| {
        let minutes = minutes.unwrap_or(-1);
        i32::try_from(minutes).unwrap_or(i32::MAX)
    });
    pb::LevelProgress {
        level: count.level as i32,
        recipient_count: count.recipients,
        reached_count: count.reached,
        acknowledged_count: count.acknowledged,
        accepted_count: count.accepted,
        overdue_count: count.overdue,
        late_count: count.late,
        first_minutes: first,
        median_minutes: median,
        p90_minutes: p90,
        last_minutes: last,
        relay_overdue_count: count.relay_overdue,
        judge_overdue_count: count.judge_overdue,
    }
}

fn district(progress: DistrictProgress) -> pb::DistrictProgress {
    let done = progress.is_done();
    let DistrictProgress {
        organization,
        schools,
        required,
    } = progress;
    pb::DistrictProgress {
        organization: format!("organizations/{organization}"),
        school_count: schools.recipients,
        acknowledged_count: schools.acknowledged,
        accepted_count: schools.accepted,
        required_count: required,
        done,
        overdue_count: schools.overdue,
        relay_overdue_count: schools.relay_overdue,
        judge_overdue_count: schools.judge_overdue,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::chain::Level;
    use crate::domain::recipient::State;

    #[test]
    fn states_and_levels_have_the_numbers_and_names_of_the_contract() {
        for state in State::ALL {
            let pb = pb::directive_recipient::State::try_from(state as i32).unwrap();
            assert_eq!(pb.as_str_name(), format!("STATE_{}", state.as_str()));
        }
        for level in Level::ALL {
            assert!(pb::level_progress::Level::try_from(level as i32).is_ok());
        }
    }

    #[test]
    fn a_recipient_is_an_organisation_or_a_class_group() {
        let name = |recipient: &str| {
            let directive = named("fz", uuid::Uuid::from_u128(1));
            recipient_name(&format!("{directive}/recipients/{recipient}"))
        };
        for good in ["2135010001", "2135010001~p2019-01"] {
            assert_eq!(name(good).unwrap().recipient, good);
        }
        for bad in ["", "~p2019-01", "2135010001~", "a~b~c", "学校"] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
