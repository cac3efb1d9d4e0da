//! Who broke the glass, why, and what they then read.

use std::process::ExitCode;

use chrono::TimeDelta;
use kit::field::{from_timestamp, to_timestamp};
use proto::audit::audit_record::Kind;
use proto::audit::{AuditFilter, AuditRecord};

use super::BreakGlassArgs;
use super::online::{all_answered, client, find, kind, method, resources, time};
use crate::screen::{self, Align, Table, count};

/// How many records of one caller, method and millisecond are looked at.
const AT_ONCE: usize = 1000;
const MILLISECOND: TimeDelta = TimeDelta::milliseconds(1);

pub(super) async fn report(args: BreakGlassArgs) -> anyhow::Result<ExitCode> {
    let mut client = client(&args.gateway)?;
    let filter = AuditFilter {
        start_time: args.since.map(to_timestamp),
        end_time: args.until.map(to_timestamp),
        place: args.place,
        kind: Kind::BreakGlass.into(),
        ..AuditFilter::default()
    };
    let mut uses = find(&mut client, filter, args.limit as usize).await?;
    let mut table = Table::new([
        ("时间 time", Align::Left),
        ("服务 service", Align::Left),
        ("序号 sequence", Align::Right),
        ("谁 subject", Align::Left),
        ("角色 roles", Align::Left),
        ("地点 place", Align::Left),
        ("理由 reason", Align::Left),
        ("方法 method", Align::Left),
        ("查阅 what was read", Align::Left),
    ]);
    uses.records.reverse();
    for used in &uses.records {
        let around = find(&mut client, around(used), AT_ONCE).await?;
        uses.missing.extend(around.missing);
        let came = around.records.iter().filter(|record| follows(record, used));
        let came: Vec<String> = came.map(outcome).collect();
        table.row([
            time(used),
            used.service.clone(),
            used.sequence.to_string(),
            used.subject.clone(),
            used.roles.join(" "),
            used.scope.clone(),
            used.reason.clone(),
            method(used).to_owned(),
            came.join("; "),
        ]);
    }
    table.print();
    let number = count(uses.records.len() as u64);
    screen::done(format_args!("{number} uses 次紧急调阅"));
    Ok(all_answered(&uses.missing))
}

/// Records of the same caller, method and instant: a call has one instant in all its records.
fn around(used: &AuditRecord) -> AuditFilter {
    let begin = used.time.and_then(from_timestamp);
    AuditFilter {
        start_time: used.time,
        end_time: begin.map(|begin| to_timestamp(begin + MILLISECOND)),
        subject: used.subject.clone(),
        method: used.method.clone(),
        ..AuditFilter::default()
    }
}

/// Whether a record says what came of the call for which the glass was broken.
fn follows(record: &AuditRecord, used: &AuditRecord) -> bool {
    record.service == used.service
        && record.trace_id == used.trace_id
        && record.kind() != Kind::BreakGlass
}

fn outcome(record: &AuditRecord) -> String {
    format!("{} {}", kind(record), resources(record))
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    fn record(kind: Kind, trace_id: &str) -> AuditRecord {
        AuditRecord {
            service: "sampling".to_owned(),
            kind: kind.into(),
            trace_id: trace_id.to_owned(),
            time: Some(Timestamp {
                seconds: 7,
                nanos: 999_000_000,
            }),
            resources: vec!["holds/a".to_owned()],
            resource_count: 3,
            ..AuditRecord::default()
        }
    }

    #[test]
    fn what_was_read_is_found_by_the_trace_of_the_call() {
        let used = record(Kind::BreakGlass, "a");
        assert!(follows(&record(Kind::Read, "a"), &used));
        assert!(!follows(&used, &used), "the use itself");
        assert!(!follows(&record(Kind::Read, "b"), &used), "another call");
        let elsewhere = AuditRecord {
            service: "roster".to_owned(),
            ..record(Kind::Read, "a")
        };
        assert!(!follows(&elsewhere, &used), "another service");
        assert_eq!(outcome(&record(Kind::Read, "a")), "查阅 read holds/a +2");
    }

    #[test]
    fn a_call_is_looked_for_within_its_millisecond() {
        let filter = around(&record(Kind::BreakGlass, "a"));
        let end = filter.end_time.expect("an end");
        assert_eq!((end.seconds, end.nanos), (8, 0));
    }
}
