//! What the records of a year add up to. A pure function of the records: whoever has the exported logs comes to the
//! same lines.

use std::collections::BTreeMap;

use kit::field::from_timestamp;
use proto::audit::AuditRecord;
use proto::audit::audit_record::Kind;
use serde::Serialize;

use super::period::Period;
use crate::audit::access::shown;

/// The methods by which approvals are asked for, given, used and taken back begin so.
const APPROVALS: &str = "/campus.roster.v1.AccessApprovalService/";

/// How far down the tree a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    /// The whole city.
    City,
    /// A district.
    District,
    /// A school, or what else is below a district.
    School,
    /// A class group, or what else is below a school.
    ClassGroup,
}

impl Level {
    /// The level of a place such as `fz/350102`.
    fn of(place: &str) -> Self {
        match place.split('/').filter(|id| !id.is_empty()).count() {
            0 | 1 => Self::City,
            2 => Self::District,
            3 => Self::School,
            _ => Self::ClassGroup,
        }
    }

    /// Its name in the report.
    pub(super) fn chinese(self) -> &'static str {
        match self {
            Self::City => "全市",
            Self::District => "县（市）区",
            Self::School => "学校",
            Self::ClassGroup => "班级及以下",
        }
    }
}

/// Records, the calls that they stand for, and the resources that these spoke of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Sum {
    /// Records.
    pub(super) records: i64,
    /// Calls.
    pub(super) calls: i64,
    /// Names of resources in their requests.
    pub(super) resources: i64,
}

impl Sum {
    fn note(&mut self, record: &AuditRecord) {
        self.records += 1;
        self.calls += i64::from(record.call_count.max(1));
        self.resources += i64::from(record.resource_count);
    }

    /// Adds another sum.
    pub(super) fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.calls += other.calls;
        self.resources += other.resources;
    }
}

/// What was read by whom, for what and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Reading {
    /// The service.
    pub(super) service: String,
    /// The roles of the caller.
    pub(super) roles: Vec<String>,
    /// For what; empty when nothing was said.
    pub(super) purpose: String,
    /// The method.
    pub(super) method: String,
    /// How far down the tree.
    pub(super) level: Level,
}

/// What was refused to whom, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Refusal {
    /// The service.
    pub(super) service: String,
    /// The roles of the caller.
    pub(super) roles: Vec<String>,
    /// The method.
    pub(super) method: String,
    /// The reason of the catalogue.
    pub(super) reason: String,
}

/// What a partner or a laboratory was given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Disclosure {
    /// The partner.
    pub(super) partner: String,
    /// The service.
    pub(super) service: String,
    /// The method.
    pub(super) method: String,
    /// For what; empty when nothing was said.
    pub(super) purpose: String,
}

/// One record that is told by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Told {
    /// The service.
    pub(super) service: String,
    /// The record.
    pub(super) sequence: i64,
    /// When the call arrived.
    pub(super) time: String,
    /// Who called.
    pub(super) subject: String,
    /// The roles of the caller.
    pub(super) roles: Vec<String>,
    /// The place for which they are held.
    pub(super) scope: String,
    /// The method.
    pub(super) method: String,
    /// What the request spoke of.
    pub(super) resources: Vec<String>,
    /// Why, in the words of the caller.
    pub(super) reason: String,
}

/// What the records of a year add up to.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// What was read.
    pub(super) reads: BTreeMap<Reading, Sum>,
    /// What was refused.
    pub(super) refusals: BTreeMap<Refusal, Sum>,
    /// What partners were given.
    pub(super) disclosures: BTreeMap<Disclosure, Sum>,
    /// What was done, by service.
    pub(super) acts: BTreeMap<String, Sum>,
    /// Calls for which the glass was broken.
    pub(super) glass: Vec<Told>,
    /// What was done about approvals of data of minors.
    pub(super) approvals: Vec<Told>,
}

impl Tally {
    /// Adds a record, when it is of the period.
    pub(super) fn add(&mut self, record: &AuditRecord, period: Period) {
        let time = record.time.and_then(from_timestamp);
        if !time.is_some_and(|time| period.holds(time)) {
            return;
        }
        match record.kind() {
            Kind::Unspecified => {}
            Kind::Read => {
                let read = self.reads.entry(Reading {
                    service: record.service.clone(),
                    roles: record.roles.clone(),
                    purpose: record.purpose.clone(),
                    method: record.method.clone(),
                    level: Level::of(&record.place),
                });
                read.or_default().note(record);
                if !record.partner.is_empty() {
                    let given = self.disclosures.entry(Disclosure {
                        partner: record.partner.clone(),
                        service: record.service.clone(),
                        method: record.method.clone(),
                        purpose: record.purpose.clone(),
                    });
                    given.or_default().note(record);
                }
            }
            Kind::Act => {
                let acts = self.acts.entry(record.service.clone());
                acts.or_default().note(record);
                if record.method.starts_with(APPROVALS) {
                    self.approvals.push(told(record));
                }
            }
            Kind::Refused => {
                let refused = self.refusals.entry(Refusal {
                    service: record.service.clone(),
                    roles: record.roles.clone(),
                    method: record.method.clone(),
                    reason: record.error_reason.clone(),
                });
                refused.or_default().note(record);
            }
            Kind::BreakGlass => self.glass.push(told(record)),
        }
    }
}

fn told(record: &AuditRecord) -> Told {
    Told {
        service: record.service.clone(),
        sequence: record.sequence,
        time: shown(record.time),
        subject: record.subject.clone(),
        roles: record.roles.clone(),
        scope: record.scope.clone(),
        method: record.method.clone(),
        resources: record.resources.clone(),
        reason: record.reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::year::samples::record;

    #[test]
    fn records_are_added_up_by_what_they_say_and_only_those_of_the_year() {
        let period = Period::of(2026);
        let mut tally = Tally::default();
        let inside = "2026-06-01T08:00:00+08:00";
        for (time, kind, partner) in [
            (inside, Kind::Read, ""),
            (inside, Kind::Read, "health-commission"),
            ("2025-12-31T23:59:59+08:00", Kind::Read, ""),
            ("2027-01-01T00:00:00+08:00", Kind::Read, ""),
            (inside, Kind::Act, ""),
            (inside, Kind::Refused, ""),
            (inside, Kind::BreakGlass, ""),
        ] {
            tally.add(&record(time, kind, partner), period);
        }
        let reads: Vec<i64> = tally.reads.values().map(|sum| sum.records).collect();
        assert_eq!(reads, [2]);
        assert_eq!(tally.disclosures.len(), 1);
        assert_eq!((tally.refusals.len(), tally.acts.len()), (1, 1));
        assert_eq!((tally.glass.len(), tally.approvals.len()), (1, 0));
    }

    #[test]
    fn a_place_is_of_the_level_of_its_depth() {
        let levels = ["", "fz", "fz/350102", "fz/350102/a", "fz/350102/a/b"].map(Level::of);
        let expected = [
            Level::City,
            Level::City,
            Level::District,
            Level::School,
            Level::ClassGroup,
        ];
        assert_eq!(levels, expected);
    }
}
