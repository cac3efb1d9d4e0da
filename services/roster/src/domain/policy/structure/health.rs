//! What must hold between the values of epidemic control: gate, checks, outbreaks, sampling.

use super::{Profile, Value, Violations, number, rank, text};
use crate::domain::policy::word;

pub(super) fn check(profile: &Profile, found: &mut Violations) {
    gate(profile, found);
    slots(profile, found);
    outbreak(profile, found);
    returns(profile, found);
    sampling(profile, found);
}

fn gate(profile: &Profile, found: &mut Violations) {
    let colours = profile
        .get("gate.deny_colours")
        .map_or(&[][..], Value::items);
    if colours
        .iter()
        .any(|colour| colour.as_word() == Some("GREEN"))
    {
        found.add("gate.deny_colours", "绿码不应被拒绝", "must not deny GREEN");
    }
    if profile.flag("gate.health_code_check") == Some(true) && colours.is_empty() {
        let (zh, en) = (
            "查验健康码时必须列出拒绝的颜色",
            "must name colours when codes are checked",
        );
        found.add("gate.deny_colours", zh, en);
    }
    let window = profile.number("gate.travel_window_days").unwrap_or(0);
    if profile.flag("gate.travel_card_check") == Some(true) && window == 0 {
        let (zh, en) = (
            "查验行程卡时必须填写天数",
            "must be given when travel cards are checked",
        );
        found.add("gate.travel_window_days", zh, en);
    }
    for (place, record) in profile.records("gate.arrival_windows") {
        if number(record, "start_minute") >= number(record, "end_minute") {
            let (zh, en) = ("应晚于开始时间", "must be after the start");
            found.add(format!("gate.arrival_windows[{place}].end_minute"), zh, en);
        }
    }
}

fn slots(profile: &Profile, found: &mut Violations) {
    let mut before = None;
    for (place, record) in profile.records("check.slots") {
        let slot = rank(record, "slot", word::SLOTS);
        let now = (slot, number(record, "deadline_minute"));
        if before.is_some_and(|(slot, minute)| slot >= now.0 || minute >= now.1) {
            let (zh, en) = ("时段应按先后排列", "must be later than the check before it");
            found.add(format!("check.slots[{place}]"), zh, en);
        }
        before = Some(now);
    }
}

fn outbreak(profile: &Profile, found: &mut Violations) {
    for (place, record) in profile.records("outbreak.rules") {
        let counts = ["cases", "group_cases", "hospitalised", "deaths"];
        if counts.iter().all(|name| number(record, name) == 0) {
            let (zh, en) = ("至少要有一个人数", "must have at least one count");
            found.add(format!("outbreak.rules[{place}]"), zh, en);
        }
    }
}

fn returns(profile: &Profile, found: &mut Violations) {
    for (place, record) in profile.records("return_to_school.rules") {
        let path = |field: &str| format!("return_to_school.rules[{place}].{field}");
        let by_evidence = text(record, "basis") == "EVIDENCE";
        let evidence = record.get("evidence").map_or(&[][..], Value::items);
        let suffices = record.get("evidence_suffices") == Some(&Value::Flag(true));
        let period = record.get("period").and_then(Value::as_span);
        if by_evidence == period.is_some() {
            let (zh, en) = if by_evidence {
                (
                    "只凭证明时不应有天数",
                    "must be absent when only the evidence decides",
                )
            } else {
                (
                    "按天数计算时必须填写",
                    "must be given unless only the evidence decides",
                )
            };
            found.add(path("period"), zh, en);
        }
        if (by_evidence || suffices) && evidence.is_empty() {
            let (zh, en) = (
                "凭证明返校时必须列出证明",
                "must be given when evidence decides",
            );
            found.add(path("evidence"), zh, en);
        }
        let longer = record.get("complicated_period").and_then(Value::as_span);
        if longer.is_some_and(|longer| period.is_none_or(|period| longer < period)) {
            let (zh, en) = ("并发肺炎时不应更短", "must not be shorter than the period");
            found.add(path("complicated_period"), zh, en);
        }
    }
}

fn sampling(profile: &Profile, found: &mut Violations) {
    let cycle = profile.number("sampling.cycle_days").unwrap_or(0);
    if profile.number("sampling.gap_alert_days").unwrap_or(0) < cycle {
        let (zh, en) = ("不应短于一轮的天数", "must not be shorter than a cycle");
        found.add("sampling.gap_alert_days", zh, en);
    }
    let ratio = profile
        .number("sampling.student_ratio_basis_points")
        .unwrap_or(0);
    let rotates = profile.flag("sampling.enabled") == Some(true)
        && profile.word("sampling.strategy") == Some("LEAST_RECENT");
    if rotates && ratio * cycle < 10_000 {
        found.add(
            "sampling.student_ratio_basis_points",
            format!("每天 {ratio} 个基点不能在 {cycle} 天内覆盖全部学生"),
            format!("{ratio} a day does not reach everybody in a cycle of {cycle} days"),
        );
    }
}
