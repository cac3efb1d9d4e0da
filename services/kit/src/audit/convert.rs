//! Records and checkpoints as the contract tells them.

use chrono::DateTime;
use prost_types::Timestamp;
use proto::audit::audit_record::Kind;
use proto::audit::{AuditCheckpoint, AuditFault, AuditRecord, audit_checkpoint, audit_fault};

use super::checkpoint::Checkpoint;
use super::record::{Record, lines};
use super::verify::Fault;

/// A record of the log of `service`.
pub fn to_pb(service: &str, record: Record) -> AuditRecord {
    let list = |text: &str| lines(text).map(ToOwned::to_owned).collect();
    AuditRecord {
        service: service.to_owned(),
        sequence: record.sequence,
        time: Some(instant(record.time)),
        roles: list(&record.roles),
        resources: list(&record.resources),
        subject: record.subject,
        scope: record.scope,
        partner: record.partner,
        purpose: record.purpose,
        method: record.method,
        kind: Kind::try_from(record.kind).unwrap_or_default().into(),
        resource_count: i32::try_from(record.resource_count).unwrap_or(i32::MAX),
        place: record.place,
        code: record.code,
        error_reason: record.error_reason,
        request_id: record.request_id,
        trace_id: record.trace_id,
        reason: record.reason,
        call_count: i32::try_from(record.call_count).unwrap_or(i32::MAX),
        beside: record.beside,
        previous_hash: record.previous_hash.into(),
        hash: record.hash.into(),
    }
}

/// The record that was told; none where it says what no record can.
pub fn from_pb(record: AuditRecord) -> Option<Record> {
    Some(Record {
        sequence: record.sequence,
        time: millis(record.time?)?,
        subject: record.subject,
        roles: joined(&record.roles)?,
        scope: record.scope,
        partner: record.partner,
        purpose: record.purpose,
        method: record.method,
        kind: record.kind,
        resources: joined(&record.resources)?,
        resource_count: record.resource_count.into(),
        place: record.place,
        code: record.code,
        error_reason: record.error_reason,
        request_id: record.request_id,
        trace_id: record.trace_id,
        reason: record.reason,
        call_count: record.call_count.into(),
        beside: record.beside,
        previous_hash: record.previous_hash.into(),
        hash: record.hash.into(),
    })
}

/// Elements one a line; none where one of them could not stand so.
fn joined(list: &[String]) -> Option<String> {
    let fits = |element: &String| !element.is_empty() && !element.contains('\n');
    list.iter().all(fits).then(|| list.join("\n"))
}

pub(super) fn checkpoint(service: &str, checkpoint: Checkpoint) -> AuditCheckpoint {
    let kind = audit_checkpoint::Kind::try_from(checkpoint.kind);
    AuditCheckpoint {
        service: service.to_owned(),
        kind: kind.unwrap_or_default().into(),
        sequence: checkpoint.sequence,
        hash: checkpoint.hash.into(),
        time: Some(instant(checkpoint.time)),
        kept_count: checkpoint.kept_count,
        kept_digest: checkpoint.kept_digest.into(),
        public_key: checkpoint.public_key.into(),
        signature: checkpoint.signature.into(),
    }
}

impl Checkpoint {
    /// The checkpoint that was told; none where its time is none.
    pub fn from_pb(checkpoint: AuditCheckpoint) -> Option<Self> {
        Some(Self {
            sequence: checkpoint.sequence,
            kind: checkpoint.kind,
            hash: checkpoint.hash.into(),
            time: millis(checkpoint.time?)?,
            kept_count: checkpoint.kept_count,
            kept_digest: checkpoint.kept_digest.into(),
            public_key: checkpoint.public_key.into(),
            signature: checkpoint.signature.into(),
        })
    }
}

pub(super) fn fault(fault: Fault) -> AuditFault {
    let kind = audit_fault::Kind::try_from(fault.kind as i32);
    AuditFault {
        kind: kind.unwrap_or_default().into(),
        sequence: fault.sequence,
    }
}

fn instant(millis: i64) -> Timestamp {
    let instant = DateTime::from_timestamp_millis(millis).unwrap_or_default();
    crate::field::to_timestamp(instant)
}

/// The milliseconds of an instant that has nothing finer.
pub(super) fn millis(instant: Timestamp) -> Option<i64> {
    let nanos = i64::from(instant.nanos);
    if !(0..1_000_000_000).contains(&nanos) || nanos % 1_000_000 != 0 {
        return None;
    }
    let millis = instant.seconds.checked_mul(1000)?;
    millis.checked_add(nanos / 1_000_000)
}
