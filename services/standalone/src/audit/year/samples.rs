//! Invented records for tests.

use kit::field::to_timestamp;
use proto::audit::AuditRecord;
use proto::audit::audit_record::Kind;

/// A record of an instant.
pub(super) fn record(time: &str, kind: Kind, partner: &str) -> AuditRecord {
    AuditRecord {
        service: "roster".to_owned(),
        time: Some(to_timestamp(time.parse().expect("an instant"))),
        subject: "someone".to_owned(),
        roles: vec!["principal".to_owned()],
        partner: partner.to_owned(),
        purpose: "care".to_owned(),
        method: "/campus.roster.v1.StudentService/GetStudent".to_owned(),
        kind: kind.into(),
        place: "fz/350102/a".to_owned(),
        call_count: 1,
        ..AuditRecord::default()
    }
}
