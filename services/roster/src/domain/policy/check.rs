//! Whether a profile may be proposed: every key there, in its range, consistent, above the floors.

use std::collections::BTreeSet;

use super::field::{self, Field, Kind};
use super::floor::FLOORS;
use super::structure;
use super::value::{Profile, Record, Value, span_text};
use super::word::UNSPECIFIED;

/// Why a profile cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The field, such as `incident.slas[3].written`.
    pub path: String,
    /// Why, in Chinese.
    pub zh: String,
    /// Why, in English.
    pub en: String,
    /// A legal floor is loosened.
    pub floor: bool,
}

/// Everything that is wrong with `profile`, by path; empty when it may be proposed.
pub fn violations(profile: &Profile) -> Vec<Violation> {
    let mut found = Violations::default();
    for field in field::keys() {
        found.value(field, field.path.to_owned(), profile.get(field.path));
    }
    let known: BTreeSet<&str> = field::keys().map(|field| field.path).collect();
    for (key, _) in profile.iter() {
        if !known.contains(&**key) {
            found.add(key.clone(), "没有这个参数", "there is no such key");
        }
    }
    // Relations are only meaningful between values that are what they should be.
    if found.0.is_empty() {
        structure::check(profile, &mut found);
    }
    found.floors(profile);
    found.0.sort();
    found.0
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Violations(Vec<Violation>);

impl Violations {
    pub(super) fn add(
        &mut self,
        path: impl Into<String>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) {
        self.0.push(Violation {
            path: path.into(),
            zh: zh.into(),
            en: en.into(),
            floor: false,
        });
    }

    fn floors(&mut self, profile: &Profile) {
        for floor in FLOORS {
            for (path, value) in floor.values(profile) {
                if floor.bound.holds(value) {
                    continue;
                }
                let (rule, source, source_en) = (floor.rule, floor.source, floor.source_en);
                let (zh, en) = (floor.bound.zh(), floor.bound.en());
                self.0.push(Violation {
                    path,
                    zh: format!("法定底线：{zh}（规则 {rule}，{source}），现为 {value}"),
                    en: format!("legal floor: {en} (rule {rule}, {source_en}), not {value}"),
                    floor: true,
                });
            }
        }
    }

    fn value(&mut self, field: &Field, path: String, value: Option<&Value>) {
        let Some(value) = value else {
            if !field.optional {
                self.add(path, "必须填写", "must be given");
            }
            return;
        };
        let unused = match value {
            Value::Number(0) => true,
            Value::List(items) => items.is_empty(),
            Value::Word(word) => word.is_empty() || word == UNSPECIFIED,
            _ => false,
        };
        if unused && field.optional {
            return;
        }
        match (field.kind, value) {
            (Kind::Flag, Value::Flag(_)) | (Kind::Day, Value::Day(_)) => {}
            (Kind::Number(least, most), Value::Number(number)) => {
                self.range(field, path, *number, least, most);
            }
            (Kind::Span(least, most), Value::Span(span)) => {
                let whole = span.subsec_nanos() == 0;
                if !whole || !(least..=most).contains(&span.num_seconds()) {
                    let text = |seconds| span_text(chrono::TimeDelta::seconds(seconds));
                    let (least, most, is) = (text(least), text(most), span_text(*span));
                    self.between(field, path, &least, &most, &is);
                }
            }
            (Kind::Text(most), Value::Word(text)) => self.text(path, text, most),
            (Kind::Word(words), Value::Word(word)) => self.word(path, word, words),
            (Kind::Words(words), Value::List(items)) => {
                self.set(&path, items);
                for (place, item) in items.iter().enumerate() {
                    match item.as_word() {
                        Some(word) => self.word(format!("{path}[{place}]"), word, words),
                        None => self.kind(format!("{path}[{place}]"), Kind::Word(words)),
                    }
                }
            }
            (Kind::Numbers(least, most), Value::List(items)) => {
                self.set(&path, items);
                for (place, item) in items.iter().enumerate() {
                    let path = format!("{path}[{place}]");
                    match item.as_number() {
                        Some(number) => self.range(field, path, number, least, most),
                        None => self.kind(path, Kind::Number(least, most)),
                    }
                }
            }
            (Kind::Records(key), Value::List(items)) => self.records(field, &path, key, items),
            (kind, _) => self.kind(path, kind),
        }
    }

    fn range(&mut self, field: &Field, path: String, is: i64, least: i64, most: i64) {
        if !(least..=most).contains(&is) {
            let (least, most) = (least.to_string(), most.to_string());
            self.between(field, path, &least, &most, &is.to_string());
        }
    }

    fn between(&mut self, field: &Field, path: String, least: &str, most: &str, is: &str) {
        let rule = field.rule;
        self.add(
            path,
            format!("应在 {least} 与 {most} 之间（规则 {rule}），现为 {is}"),
            format!("must lie between {least} and {most} (rule {rule}), not {is}"),
        );
    }

    fn word(&mut self, path: String, word: &str, words: &[&str]) {
        if !words.contains(&word) {
            let words = words.join(", ");
            self.add(
                path,
                format!("不能为 {word}，可用：{words}"),
                format!("must be one of {words}, not {word}"),
            );
        }
    }

    fn text(&mut self, path: String, text: &str, most: usize) {
        let length = text.chars().count();
        if text.trim().is_empty() {
            self.add(path, "必须填写", "must be given");
        } else if length > most || text.chars().any(char::is_control) {
            self.add(
                path,
                format!("不能超过 {most} 个字，也不能含控制字符，现为 {length} 个字"),
                format!(
                    "must have at most {most} characters and no control characters, not {length}"
                ),
            );
        }
    }

    fn set(&mut self, path: &str, items: &[Value]) {
        if items.is_empty() {
            self.add(path, "不能为空", "must not be empty");
        }
        for (place, item) in items.iter().enumerate() {
            if items[..place].contains(item) {
                let (zh, en) = (format!("{item} 重复"), format!("repeats {item}"));
                self.add(format!("{path}[{place}]"), zh, en);
            }
        }
    }

    fn records(&mut self, field: &Field, path: &str, key: &[&str], items: &[Value]) {
        if items.is_empty() {
            self.add(path, "不能为空", "must not be empty");
        }
        let fields: Vec<_> = field::of_records(field.path).collect();
        let mut seen = BTreeSet::new();
        for (place, item) in items.iter().enumerate() {
            let path = format!("{path}[{place}]");
            let Some(record) = item.as_record() else {
                self.kind(path, field.kind);
                continue;
            };
            self.record(&fields, &path, record);
            let same = |name| record.get(name).map(Value::to_string).unwrap_or_default();
            let entry: Vec<String> = key.iter().copied().map(same).collect();
            if !key.is_empty() && !seen.insert(entry.clone()) {
                let entry = entry.join(" ");
                let (zh, en) = (format!("{entry} 重复"), format!("repeats {entry}"));
                self.add(path, zh, en);
            }
        }
    }

    fn record(&mut self, fields: &[(&str, &Field)], path: &str, record: &Record) {
        for (name, field) in fields {
            self.value(field, format!("{path}.{name}"), record.get(*name));
        }
        for name in record.keys() {
            if !fields.iter().any(|(known, _)| known == name) {
                self.add(
                    format!("{path}.{name}"),
                    "没有这个参数",
                    "there is no such key",
                );
            }
        }
    }

    fn kind(&mut self, path: String, kind: Kind) {
        let (zh, en) = match kind {
            Kind::Flag => ("应为 true 或 false", "must be true or false"),
            Kind::Number(..) => ("应为整数", "must be a whole number"),
            Kind::Span(..) => (
                "应为时长，如 15m 或 24h",
                "must be a span such as 15m or 24h",
            ),
            Kind::Day => ("应为日期", "must be a civil day"),
            Kind::Text(_) => ("应为文字", "must be a text"),
            Kind::Word(_) => ("应为一个选项", "must be a word"),
            Kind::Words(_) => ("应为选项列表", "must be a list of words"),
            Kind::Numbers(..) => ("应为整数列表", "must be a list of whole numbers"),
            Kind::Records(_) => ("应为条目列表", "must be a list of records"),
        };
        self.add(path, zh, en);
    }
}
