//! What clients and services say of destruction jobs, checked field by field.

use chrono::{DateTime, Utc};
use kit::field::{Fields, holds_number};
use kit::status::Problem;
use proto::roster as pb;
use proto::roster::destruction_report::CategoryReport as CategoryMessage;

use crate::domain::destruction::{
    BackupCheck, Capacity, CategoryReport, Finding, Keep, Report, SERVICES,
};

/// The longest reason, in characters.
pub(super) const REASON: usize = 1000;
/// The longest name of a backup, in characters.
const BACKUP: usize = 200;
/// How many of anything one request names.
const MOST: usize = 100;
/// How many records a report counts of a kind.
const RECORDS: i64 = 1_000_000_000_000;

/// The capacity that somebody approves in.
pub(super) fn capacity(sent: i32) -> Result<Capacity, Problem> {
    match pb::ApprovalCapacity::try_from(sent) {
        Ok(pb::ApprovalCapacity::Bureau) => Ok(Capacity::Bureau),
        Ok(pb::ApprovalCapacity::Security) => Ok(Capacity::Security),
        Ok(pb::ApprovalCapacity::Unspecified) | Err(_) => {
            Err(Problem::invalid("capacity", "必填", "required"))
        }
    }
}

/// A reason or statement that must be given.
pub(super) fn reason(field: &str, sent: &str) -> Result<String, Problem> {
    let mut fields = Fields::new();
    let text = words(&mut fields, field, sent, REASON);
    fields.finish()?;
    Ok(text.to_owned())
}

/// Words that must be given. They stand in a certificate that goes out of the house, so they name
/// nobody by a number.
pub(super) fn words<'a>(fields: &mut Fields, field: &str, sent: &'a str, most: usize) -> &'a str {
    let text = sent.trim();
    fields.required(field, text);
    if holds_number(text) {
        let (zh, en) = (
            "不得含证件号或电话",
            "must not hold phone or identity numbers",
        );
        fields.violation(field, zh, en);
    }
    fields.text(field, text, most)
}

/// What is to be kept, as sent.
pub(super) fn keeps(sent: &[pb::KeptCategory]) -> Result<Vec<Keep>, Problem> {
    let mut fields = Fields::new();
    at_most(&mut fields, "keeps", sent.len());
    let mut keeps: Vec<Keep> = Vec::new();
    for (index, keep) in sent.iter().enumerate().take(MOST) {
        let field = format!("keeps[{index}].legal_reason");
        let legal_reason = words(&mut fields, &field, &keep.legal_reason, REASON);
        let same = |kept: &Keep| kept.service == keep.service && kept.category == keep.category;
        if keeps.iter().any(same) {
            fields.violation(format!("keeps[{index}]"), "重复", "is there twice");
        }
        keeps.push(Keep {
            service: keep.service.clone(),
            category: keep.category.clone(),
            legal_reason: legal_reason.to_owned(),
        });
    }
    fields.finish()?;
    Ok(keeps)
}

/// What was found about backups, as sent.
pub(super) fn backup_checks(sent: &[pb::BackupCheck]) -> Result<Vec<BackupCheck>, Problem> {
    let mut fields = Fields::new();
    at_most(&mut fields, "backup_checks", sent.len());
    if sent.is_empty() {
        fields.violation("backup_checks", "必填", "required");
    }
    let mut checks = Vec::new();
    for (index, check) in sent.iter().enumerate().take(MOST) {
        let field = format!("backup_checks[{index}].backup");
        let backup = words(&mut fields, &field, &check.backup, BACKUP);
        let finding = match check.finding() {
            pb::backup_check::Finding::KeyAbsent => Finding::KeyAbsent,
            pb::backup_check::Finding::Deleted => Finding::Deleted,
            pb::backup_check::Finding::Unspecified => {
                let field = format!("backup_checks[{index}].finding");
                fields.violation(field, "必填", "required");
                continue;
            }
        };
        checks.push(BackupCheck {
            backup: backup.to_owned(),
            finding,
        });
    }
    fields.finish()?;
    Ok(checks)
}

/// What a service reports, as sent.
pub(super) fn received(sent: Option<pb::DestructionReport>) -> Result<Report, Problem> {
    let sent = sent.ok_or_else(|| Problem::invalid("report", "必填", "required"))?;
    let mut fields = Fields::new();
    at_most(&mut fields, "report.categories", sent.categories.len());
    fields.text("report.key_fingerprint", &sent.key_fingerprint, 64);
    if !SERVICES.iter().any(|(service, _)| *service == sent.service) {
        fields.violation(
            "report.service",
            "不是参与销毁的服务",
            "no service that destroys",
        );
    }
    let finished = fields.instant("report.finish_time", sent.finish_time);
    let key_destroyed = sent.key_destroy_time;
    let key_destroyed =
        key_destroyed.and_then(|at| fields.instant("report.key_destroy_time", Some(at)));
    let of_categories = sent.categories.iter().flat_map(|told| {
        [
            told.destroyed_count,
            told.resealed_count,
            told.exposed_count,
            told.remaining_count,
        ]
    });
    let mut counts = of_categories.chain([sent.sampled_count, sent.opened_count]);
    if !counts.all(|count| (0..=RECORDS).contains(&count)) {
        let (zh, en) = ("数量应在 0 到一万亿之间", "counts are between 0 and 10^12");
        fields.violation("report", zh, en);
    }
    fields.finish()?;
    let millis = |at: DateTime<Utc>| at.timestamp_millis();
    let categories = sent.categories.into_iter().map(|told| {
        let CategoryMessage {
            category,
            kept,
            destroyed_count,
            resealed_count,
            exposed_count,
            remaining_count,
        } = told;
        CategoryReport {
            category,
            kept,
            destroyed: destroyed_count,
            resealed: resealed_count,
            exposed: exposed_count,
            remaining: remaining_count,
        }
    });
    Ok(Report {
        service: sent.service,
        categories: categories.collect(),
        key_fingerprint: sent.key_fingerprint,
        key_destroyed: key_destroyed.map(millis),
        sampled: sent.sampled_count,
        opened: sent.opened_count,
        finished: finished.map(millis).unwrap_or_default(),
    })
}

fn at_most(fields: &mut Fields, field: &str, count: usize) {
    if count > MOST {
        fields.violation(field, format!("最多 {MOST} 项"), format!("at most {MOST}"));
    }
}
