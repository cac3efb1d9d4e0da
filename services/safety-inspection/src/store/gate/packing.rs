//! Facts as bytes: a roll is one row, whatever its size.

use chrono::Duration;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::gate::clearance::{Clearance, Control, Medical};
use crate::domain::gate::index::{Member, Roll};
use crate::domain::gate::observation::Colour;
use crate::domain::gate::policy::{ArrivalWindow, GatePolicy, VisitPolicy};
use crate::domain::person::{PersonKind, PersonName};

const STAFF: u8 = 1;
const LEAVE: u8 = 2;
const MEMBER: usize = 17;

/// One byte for the teaching mode, then seventeen for each member, then one for the grade, which a
/// reader that does not know of it passes over.
pub(super) fn pack_roll(in_person: bool, grade: u8, members: &[Member]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(2 + members.len() * MEMBER);
    bytes.push(u8::from(in_person));
    for Member { person, on_leave } in members {
        let kind = if person.kind == PersonKind::Staff {
            STAFF
        } else {
            0
        };
        bytes.extend(person.id.as_bytes());
        bytes.push(kind | if *on_leave { LEAVE } else { 0 });
    }
    bytes.push(grade);
    bytes
}

pub(super) fn unpack_roll(org_path: String, bytes: &[u8]) -> Option<Roll> {
    let (mode, members) = bytes.split_first()?;
    let member = |bytes: &[u8]| {
        let (id, flags) = (Uuid::from_slice(&bytes[..16]).ok()?, bytes[16]);
        let kind = if flags & STAFF != 0 {
            PersonKind::Staff
        } else {
            PersonKind::Student
        };
        Some(Member {
            person: PersonName { kind, id },
            on_leave: flags & LEAVE != 0,
        })
    };
    let members = members.chunks_exact(MEMBER);
    let grade = members.remainder().first().copied().unwrap_or_default();
    let members = members.map(member).collect::<Option<_>>()?;
    Some(Roll {
        org_path,
        in_person: *mode != 0,
        grade,
        members,
    })
}

pub(super) fn pack_clearance(clearance: Clearance) -> Vec<u8> {
    let control = Control::ALL
        .iter()
        .position(|c| *c == clearance.control)
        .unwrap_or_default();
    let medical = u8::from(clearance.medical == Medical::NotAdmitted);
    vec![u8::try_from(control).unwrap_or_default(), medical]
}

fn unpack_clearance(bytes: &[u8]) -> Option<Clearance> {
    let [control, medical] = bytes else {
        return None;
    };
    let medical = if *medical == 0 {
        Medical::Normal
    } else {
        Medical::NotAdmitted
    };
    Some(Clearance {
        control: *Control::ALL.get(usize::from(*control))?,
        medical,
    })
}

/// The clearance in these bytes. What cannot be read is taken for the worse: nobody is admitted by a
/// fault of ours.
pub(super) fn read_clearance(bytes: &[u8]) -> Clearance {
    unpack_clearance(bytes).unwrap_or(Clearance {
        control: Control::Isolated,
        ..Clearance::default()
    })
}

#[derive(Serialize, Deserialize)]
struct PolicyBody {
    effective: chrono::NaiveDate,
    version: String,
    temperature_max: i16,
    recheck_wait_seconds: i64,
    deny_colours: Vec<i16>,
    travel_window_days: i32,
    snapshot_max_age_seconds: i64,
    admit_health_monitoring: bool,
    person_code_ttl_days: i32,
    #[serde(default)]
    temperature_plausible: Option<(i16, i16)>,
    #[serde(default)]
    admit_travel_unknown: bool,
    #[serde(default = "recheck_readings")]
    recheck_readings: usize,
    #[serde(default = "self_monitoring_days")]
    self_monitoring_days: i32,
    #[serde(default)]
    arrival: Vec<(u8, i32, i32)>,
    #[serde(default)]
    retention: Option<RetentionBody>,
}

/// The readings of a policy that was packed without them.
fn recheck_readings() -> usize {
    GatePolicy::default().recheck_readings
}

/// The days of a policy that was packed without them.
fn self_monitoring_days() -> i32 {
    GatePolicy::default().self_monitoring_days
}

/// What a version before did not write.
#[derive(Serialize, Deserialize)]
struct RetentionBody {
    decision_days: i32,
    visit_days: i32,
    overstay_grace_seconds: i64,
    after_entry_seconds: i64,
    lead_days: i32,
    #[serde(default)]
    mask_required: bool,
}

pub(super) fn pack_policy(effective: chrono::NaiveDate, policy: &GatePolicy) -> Vec<u8> {
    let body = PolicyBody {
        effective,
        version: policy.version.clone(),
        temperature_max: policy.temperature_max,
        temperature_plausible: Some(policy.temperature_plausible),
        admit_travel_unknown: policy.admit_travel_unknown,
        recheck_wait_seconds: policy.recheck_wait.num_seconds(),
        recheck_readings: policy.recheck_readings,
        self_monitoring_days: policy.self_monitoring_days,
        deny_colours: policy
            .deny_colours
            .iter()
            .map(|colour| colour.number())
            .collect(),
        travel_window_days: policy.travel_window_days,
        snapshot_max_age_seconds: policy.snapshot_max_age.num_seconds(),
        admit_health_monitoring: policy.admit_health_monitoring,
        person_code_ttl_days: policy.person_code_ttl_days,
        arrival: policy
            .arrival
            .iter()
            .map(|window| (window.grade, window.start, window.end))
            .collect(),
        retention: Some(RetentionBody {
            decision_days: policy.retention_days,
            visit_days: policy.visits.retention_days,
            overstay_grace_seconds: policy.visits.overstay_grace.num_seconds(),
            after_entry_seconds: policy.visits.after_entry.num_seconds(),
            lead_days: policy.visits.lead_days,
            mask_required: policy.visits.mask_required,
        }),
    };
    serde_json::to_vec(&body).unwrap_or_default()
}

pub(super) fn unpack_policy(bytes: &[u8]) -> Option<(chrono::NaiveDate, GatePolicy)> {
    let body: PolicyBody = serde_json::from_slice(bytes).ok()?;
    let colour = |number: &i16| {
        Colour::ALL
            .into_iter()
            .find(|colour| colour.number() == *number)
    };
    let shipped = GatePolicy::default();
    let (retention_days, visits) = match body.retention {
        None => (shipped.retention_days, shipped.visits),
        Some(kept) => {
            let visits = VisitPolicy {
                overstay_grace: Duration::seconds(kept.overstay_grace_seconds),
                after_entry: Duration::seconds(kept.after_entry_seconds),
                lead_days: kept.lead_days,
                mask_required: kept.mask_required,
                retention_days: kept.visit_days,
            };
            (kept.decision_days, visits)
        }
    };
    let window = |(grade, start, end)| ArrivalWindow { grade, start, end };
    let policy = GatePolicy {
        version: body.version,
        temperature_max: body.temperature_max,
        temperature_plausible: body
            .temperature_plausible
            .unwrap_or(shipped.temperature_plausible),
        admit_travel_unknown: body.admit_travel_unknown,
        recheck_wait: Duration::seconds(body.recheck_wait_seconds),
        recheck_readings: body.recheck_readings,
        self_monitoring_days: body.self_monitoring_days,
        deny_colours: body
            .deny_colours
            .iter()
            .map(colour)
            .collect::<Option<_>>()?,
        travel_window_days: body.travel_window_days,
        snapshot_max_age: Duration::seconds(body.snapshot_max_age_seconds),
        admit_health_monitoring: body.admit_health_monitoring,
        person_code_ttl_days: body.person_code_ttl_days,
        arrival: body.arrival.into_iter().map(window).collect(),
        retention_days,
        visits,
    };
    Some((body.effective, policy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_survive_packing() {
        let member = |number, kind, on_leave| Member {
            person: PersonName {
                kind,
                id: Uuid::from_u128(number),
            },
            on_leave,
        };
        let members = vec![
            member(1, PersonKind::Student, false),
            member(2, PersonKind::Staff, true),
        ];
        let roll = Roll {
            org_path: "fz/a".to_owned(),
            in_person: true,
            grade: 9,
            members,
        };
        let bytes = pack_roll(true, 9, &roll.members);
        assert_eq!(unpack_roll("fz/a".to_owned(), &bytes), Some(roll));
        for control in Control::ALL {
            let clearance = Clearance {
                control,
                medical: Medical::NotAdmitted,
            };
            assert_eq!(
                unpack_clearance(&pack_clearance(clearance)),
                Some(clearance)
            );
        }
        let day = chrono::NaiveDate::from_ymd_opt(2022, 4, 6).unwrap();
        let policy = GatePolicy {
            arrival: vec![ArrivalWindow {
                grade: 9,
                start: 465,
                end: 495,
            }],
            temperature_plausible: (345, 420),
            admit_travel_unknown: true,
            recheck_readings: 2,
            self_monitoring_days: 5,
            retention_days: 31,
            visits: VisitPolicy {
                lead_days: 2,
                ..VisitPolicy::default()
            },
            ..GatePolicy::default()
        };
        assert_eq!(
            unpack_policy(&pack_policy(day, &policy)),
            Some((day, policy))
        );
    }
}
