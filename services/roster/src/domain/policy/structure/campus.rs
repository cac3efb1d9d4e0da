//! What must hold between the values of campus safety: resumption, guards, weather, deadlines.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::{Profile, Value, Violations, complete, ordered, rising, text};
use crate::domain::policy::word;

pub(super) fn check(profile: &Profile, found: &mut Violations) {
    resume(profile, found);
    guards(profile, found);
    weather(profile, found);
    complete(profile, found, "incident.slas", "level", word::LEVELS);
    complete(profile, found, "directive.acks", "urgency", word::URGENCIES);
    rising(
        profile,
        found,
        "incident.slas",
        "level",
        word::LEVELS,
        "phone",
    );
    rising(
        profile,
        found,
        "incident.slas",
        "level",
        word::LEVELS,
        "written",
    );
    for span in ["sla", "relay", "judge"] {
        rising(
            profile,
            found,
            "directive.acks",
            "urgency",
            word::URGENCIES,
            span,
        );
    }
    let deadlines = [
        "hazard.same_day_days",
        "hazard.general_days",
        "hazard.major_days",
    ];
    ordered(profile, found, &deadlines);
}

fn resume(profile: &Profile, found: &mut Violations) {
    let (mut grades, mut others, mut kindergartens) = (BTreeSet::new(), 0, 0);
    for (place, record) in profile.records("resume.order") {
        let path = format!("resume.order[{place}]");
        let named = record.get("grades").map_or(&[][..], Value::items);
        let has = |field: &str| record.get(field) == Some(&Value::Flag(true));
        if named.is_empty() && !has("other_grades") && !has("kindergarten") {
            found.add(&*path, "批次不能为空", "must name somebody");
        }
        if kindergartens > 0 && (!named.is_empty() || has("other_grades")) {
            found.add(
                &*path,
                "幼儿园应最后返园",
                "must not come after kindergartens",
            );
        }
        for grade in named.iter().filter_map(Value::as_number) {
            if !grades.insert(grade) {
                let (zh, en) = (
                    format!("{grade} 年级重复"),
                    format!("repeats grade {grade}"),
                );
                found.add(&*path, zh, en);
            }
        }
        others += usize::from(has("other_grades"));
        kindergartens += usize::from(has("kindergarten"));
    }
    if others > 1 || (others == 0 && grades.len() < 12) {
        let (zh, en) = (
            "每个年级应恰好在一个批次中",
            "must name every grade in one batch",
        );
        found.add("resume.order", zh, en);
    }
    if kindergartens != 1 {
        let (zh, en) = (
            "幼儿园应恰好在一个批次中",
            "must name kindergartens in one batch",
        );
        found.add("resume.order", zh, en);
    }
}

fn guards(profile: &Profile, found: &mut Violations) {
    let mut before: Option<Option<NaiveDate>> = None;
    for (place, record) in profile.records("guard.rules") {
        let from = record.get("effective_date").and_then(Value::as_day);
        let path = format!("guard.rules[{place}].effective_date");
        match before {
            None if from.is_some() => {
                found.add(path, "第一条应从头适用", "must be absent in the first rule");
            }
            Some(before) if from <= before => {
                found.add(
                    path,
                    "应按日期先后排列",
                    "must be later than the rule before it",
                );
            }
            None | Some(_) => {}
        }
        before = Some(from);
    }
}

fn weather(profile: &Profile, found: &mut Violations) {
    complete(profile, found, "weather.rules", "level", word::LEVELS);
    let actions = |level: &str| -> &[Value] {
        profile
            .records("weather.rules")
            .find(|(_, record)| text(record, "level") == level)
            .and_then(|(_, record)| record.get("actions"))
            .map_or(&[], Value::items)
    };
    for pair in word::LEVELS.windows(2) {
        let (graver, lower) = (actions(pair[0]), actions(pair[1]));
        if let Some(missing) = lower.iter().find(|action| !graver.contains(action)) {
            found.add(
                "weather.rules",
                format!("{} 级应包括 {} 级的 {missing}", pair[0], pair[1]),
                format!(
                    "level {} must include {missing} of level {}",
                    pair[0], pair[1]
                ),
            );
        }
    }
    ordered(
        profile,
        found,
        &["weather.mutual_aid_min", "weather.mutual_aid_max"],
    );
    ordered(
        profile,
        found,
        &["weather.flood_season_start", "weather.flood_season_end"],
    );
    for key in ["weather.flood_season_start", "weather.flood_season_end"] {
        let day = profile
            .number(key)
            .and_then(|day| u32::try_from(day).ok())
            .unwrap_or(0);
        // 2023 has no 29 February: the season is the same every year.
        if NaiveDate::from_ymd_opt(2023, day / 100, day % 100).is_none() {
            found.add(
                key,
                "应为月日，如 415",
                "must be a month and day such as 415",
            );
        }
    }
}
