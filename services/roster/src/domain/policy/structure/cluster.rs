//! What must hold between the fields of a cluster rule, and between the rows of one.

use std::collections::BTreeMap;

use super::{Profile, Record, Violations, number, text};
use crate::domain::policy::word::UNSPECIFIED;

/// Rows of cluster rules.
const MOST_ROWS: usize = 200;
/// How the codes of rules begin that follow from the other parts of a profile.
const TAKEN: [&str; 3] = ["similar-", "disease-", "suspend-"];
/// What every row of a rule says alike.
const SHARED: [&str; 10] = [
    "number",
    "scope",
    "symptom_group",
    "disease",
    "level",
    "report_sla",
    "recipients",
    "suspend_days",
    "alert_at_once",
    "source",
];

pub(super) fn check(profile: &Profile, found: &mut Violations) {
    let mut rules: BTreeMap<&str, &Record> = BTreeMap::new();
    let mut rows = 0;
    for (place, record) in profile.records("cluster.rules") {
        rows += 1;
        let path = |field: &str| format!("cluster.rules[{place}].{field}");
        let code = text(record, "code");
        named(code, path("code"), found);
        counted(record, &path, found);
        let group = text(record, "symptom_group");
        let mut similar = profile.records("alert.similar");
        if is_given(group) && !similar.any(|(_, record)| text(record, "group") == group) {
            let (zh, en) = (
                "alert.similar 没有该症状组",
                "must be a group of alert.similar",
            );
            found.add(path("symptom_group"), zh, en);
        }
        let first = rules.entry(code).or_insert(record);
        for field in SHARED {
            if first.get(field) != record.get(field) {
                let (zh, en) = (
                    "同一代码的各行应一致",
                    "must be the same in every row of the code",
                );
                found.add(path(field), zh, en);
            }
        }
    }
    if rows > MOST_ROWS {
        let (zh, en) = ("不能超过 200 行", "must have at most 200 rows");
        found.add("cluster.rules", zh, en);
    }
}

/// Whether a word was given.
fn is_given(word: &str) -> bool {
    !matches!(word, "" | UNSPECIFIED)
}

fn named(code: &str, path: String, found: &mut Violations) {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let whole = code.split('-').all(|part| !part.is_empty());
    if !whole || !code.bytes().all(fits) {
        found.add(path, "应为小写字母、数字和连字符", "must be of a-z 0-9 -");
    } else if TAKEN.iter().any(|taken| code.starts_with(taken)) {
        let (zh, en) = (
            "该前缀用于由其他参数得出的规则",
            "must not begin like a rule that follows from the other parts",
        );
        found.add(path, zh, en);
    }
}

/// Whether what is counted, where and of what fit together.
fn counted(record: &Record, path: &impl Fn(&str) -> String, found: &mut Violations) {
    let given = |field: &str| is_given(text(record, field));
    if given("symptom_group") == given("disease") {
        let (zh, en) = (
            "症状组与病种应填且只填一项",
            "must be exactly one of symptom_group and disease",
        );
        found.add(path("symptom_group"), zh, en);
    }
    let (scope, counted) = (text(record, "scope"), text(record, "counted"));
    let fits = match counted {
        "SHARE" => scope == "CLASS_GROUP",
        "CLASS_GROUPS" => scope == "SCHOOL",
        _ => true,
    };
    if !fits {
        let (zh, en) = (
            "占比只用于班级，班级数只用于全校",
            "must fit the scope: a share of a class group, class groups of a school",
        );
        found.add(path("counted"), zh, en);
    }
    if (counted == "CLASS_GROUPS") != (number(record, "group_cases") > 0) {
        let (zh, en) = (
            "只在计班级数时填写，且必须填写",
            "must be given where class groups are counted, and only there",
        );
        found.add(path("group_cases"), zh, en);
    }
    if number(record, "suspend_days") > 0 && !matches!(scope, "CLASS_GROUP" | "SCHOOL") {
        let (zh, en) = (
            "只有班级和全校可以建议停课",
            "must be 0 unless the scope is a class group or a school",
        );
        found.add(path("suspend_days"), zh, en);
    }
}
