//! One fact of each kind that rechecks at the gate, supplies, room and protection raise.

use chrono::Duration;
use kit::field::to_date;
use notification::domain::fact::{Kind, Severity};
use proto::safety as pb;
use proto::safety::protection_finding::Code;
use proto::safety::safety_event::State;

use super::safe::{Danger, at};
use super::{BUREAU, SCHOOL, morning};

/// So many were kept out at the gate of the school.
pub(crate) fn kept_out(count: i32) -> pb::GateRecheckStanding {
    pb::GateRecheckStanding {
        name: format!("{SCHOOL}/gateRecheckStanding"),
        kept_out_count: count,
        first_time: at(morning()),
        last_time: at(morning()),
        ..Default::default()
    }
}

/// So many decisions of gates without a network are contradicted, of which so many let somebody in.
pub(crate) fn conflicts(count: i32, admitted: i32) -> pb::GateConflictStanding {
    pb::GateConflictStanding {
        name: format!("{SCHOOL}/gateConflictStanding"),
        conflict_count: count,
        admitted_count: admitted,
        first_time: at(morning()),
        last_time: at(morning()),
        ..Default::default()
    }
}

/// These items of the school are below their minimum, and these have expired.
pub(crate) fn supplies(below: &[&str], expired: &[&str]) -> pb::SupplyStanding {
    let codes = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
    pb::SupplyStanding {
        name: format!("{SCHOOL}/supplyStanding"),
        item_count: 12,
        items_below_minimum: codes(below),
        items_expired: codes(expired),
        items_expiring: codes(expired),
        cover_days: Some(9),
        required_days: 14,
    }
}

fn room(suitable: i32, unplaced: i32) -> pb::ShelterStanding {
    pb::ShelterStanding {
        name: format!("{SCHOOL}/shelterStanding"),
        required_isolation_room_count: 2,
        suitable_isolation_room_count: suitable,
        open_shelter_count: 3,
        overfull_shelter_count: unplaced.min(1),
        unplaced_count: unplaced,
    }
}

/// The school has so many of three guards, and these findings.
pub(crate) fn protection(guards: i32, codes: &[Code]) -> pb::ProtectionStanding {
    let few = guards < 3;
    let mut codes: Vec<i32> = codes.iter().map(|code| *code as i32).collect();
    codes.extend(few.then_some(Code::TooFewGuards as i32));
    pb::ProtectionStanding {
        name: format!("{SCHOOL}/protectionStanding"),
        finding_count: i32::try_from(codes.len()).expect("a count"),
        finding_codes: codes,
        required_guard_count: if few { 3 } else { 0 },
        guard_count: if few { guards } else { 0 },
        ..Default::default()
    }
}

/// The school resumes teaching tomorrow, unless something blocks it.
fn resumption(blocks: &[pb::resumption_block::Kind]) -> State {
    let tomorrow = kit::clock::civil_date(morning() + Duration::days(1));
    State::Resumption(pb::Resumption {
        state: pb::resumption::State::Scheduled.into(),
        scheduled_date: Some(to_date(tomorrow)),
        blocks: blocks.iter().map(|kind| *kind as i32).collect(),
        update_time: at(morning()),
        ..Default::default()
    })
}

/// Of an entity of its own for each kind, so that each alert stands by itself.
fn entity(standing: &str, kind: Kind) -> String {
    format!("{SCHOOL}/{standing}/{}", kind as i32)
}

/// A gate without a network let somebody in who must not be, and kept somebody out.
pub(crate) fn of_gates() -> Vec<Danger> {
    let conflict = |count, admitted| State::GateConflictStanding(conflicts(count, admitted));
    let standing = "gateConflictStanding";
    vec![Danger {
        severity: Severity::Critical,
        due: Duration::minutes(30),
        title: "今日校门断网期间的放行或拒绝有 2 次与应有判定不一致，其中误放行 1 次，请立即核实并落实处置",
        rule: "3.9",
        ..danger(Kind::GateConflict, standing, conflict(2, 1), conflict(0, 0))
    }]
}

fn danger(kind: Kind, standing: &str, stands: State, over: State) -> Danger {
    Danger {
        kind,
        stands: (entity(standing, kind), stands),
        over: Some(over),
        severity: Severity::Notice,
        due: Duration::hours(24),
        people: 0,
        title: "",
        upper: "",
        rule: "",
    }
}

pub(crate) fn of_provision() -> Vec<Danger> {
    let recheck = |count| State::GateRecheckStanding(kept_out(count));
    let supplied =
        |below: &[&str], expired: &[&str]| State::SupplyStanding(supplies(below, expired));
    let refuge = |suitable, unplaced| State::ShelterStanding(room(suitable, unplaced));
    let protected = |guards, codes: &[Code]| State::ProtectionStanding(protection(guards, codes));
    let (gate, supply) = ("gateRecheckStanding", "supplyStanding");
    let (shelter, guarded) = ("shelterStanding", "protectionStanding");
    let video = [Code::VideoNotLinked, Code::RetentionTooShort];
    vec![
        Danger {
            severity: Severity::Warning,
            due: Duration::minutes(30),
            people: 2,
            title: "今日有 2 人经校门复测仍不能入校，已在隔离室等候，请立即通知监护人并落实转诊",
            upper: BUREAU,
            rule: "3.3",
            ..danger(Kind::GateRecheckFailed, gate, recheck(2), recheck(0))
        },
        Danger {
            title: "2 种防疫物资低于 14 天用量，请尽快补充",
            rule: "4.5",
            ..danger(
                Kind::SuppliesBelow,
                supply,
                supplied(&["mask", "soap"], &[]),
                supplied(&[], &[]),
            )
        },
        Danger {
            severity: Severity::Warning,
            title: "1 种防疫物资已过期或 30 天内到期，其中已过期 1 种，请调剂使用，过期的立即清除",
            rule: "4.5",
            ..danger(
                Kind::SuppliesExpiring,
                supply,
                supplied(&[], &["mask"]),
                supplied(&[], &[]),
            )
        },
        Danger {
            title: "符合要求的隔离室应有 2 间，现有 1 间，请尽快整改",
            rule: "4.6",
            ..danger(
                Kind::IsolationRoomsShort,
                shelter,
                refuge(1, 0),
                refuge(2, 0),
            )
        },
        Danger {
            severity: Severity::Critical,
            due: Duration::minutes(30),
            people: 7,
            title: "3 处已启用避护场所中有 1 处超员，7 人无处安置，请立即分流安置",
            upper: BUREAU,
            rule: "5.28",
            ..danger(Kind::ShelterOverfull, shelter, refuge(2, 7), refuge(2, 0))
        },
        Danger {
            severity: Severity::Warning,
            title: "合格专职保安应有 3 人，实有 1 人，请尽快配齐",
            rule: "5.12",
            ..danger(
                Kind::GuardsShort,
                guarded,
                protected(1, &[]),
                protected(3, &[]),
            )
        },
        Danger {
            title: "校园防范有 2 类问题未达标或已失效，请尽快整改",
            rule: "5.10",
            ..danger(
                Kind::ProtectionLacking,
                guarded,
                protected(3, &video),
                protected(3, &[Code::NotDeclared]),
            )
        },
        Danger {
            severity: Severity::Warning,
            title: "已排定日期的复课有 1 项条件不满足，到期不能复课，请立即补齐",
            upper: BUREAU,
            rule: "4.10",
            ..danger(
                Kind::ResumptionBlocked,
                "resumptions",
                resumption(&[pb::resumption_block::Kind::Drill]),
                resumption(&[]),
            )
        },
    ]
}
