//! What is wrong with a template before it is stored: afterwards any values of the right types fill it.

use std::collections::{BTreeMap, BTreeSet};

use super::fluent::{self, Wrong};
use super::template::{Language, Template, Text, Type, Values};

/// Variables of one template.
pub const VARIABLES: usize = 20;
/// Characters of a heading.
pub const TITLE: usize = 100;
/// Characters of a text.
pub const BODY: usize = 5000;

/// One thing that is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field, such as `texts[0].title`.
    pub field: String,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

impl Fault {
    fn new(field: impl Into<String>, Wrong(zh, en): Wrong) -> Self {
        Self {
            field: field.into(),
            zh: zh.to_owned(),
            en: en.to_owned(),
        }
    }
}

impl Template {
    /// Every fault; empty when the template may be stored.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = self.variable_faults();
        let examples = self.values(&self.examples(), |_| None).ok();
        let mut seen = BTreeSet::new();
        for (index, text) in self.texts.iter().enumerate() {
            let field = format!("texts[{index}]");
            if !seen.insert((text.language, text.variant)) {
                let wrong = Wrong(
                    "同一语言和读者只能有一份",
                    "one for each language and variant",
                );
                faults.push(Fault::new(format!("{field}.variant"), wrong));
            }
            self.text_faults(&field, text, examples.as_ref(), &mut faults);
        }
        if !self
            .texts
            .iter()
            .any(|text| text.language == Language::Chinese)
        {
            let wrong = Wrong("缺少中文（zh-CN）文本", "a text in zh-CN is required");
            faults.push(Fault::new("texts", wrong));
        }
        faults
    }

    fn variable_faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.variables.len() > VARIABLES {
            faults.push(Fault::new("variables", Wrong("最多 20 个", "at most 20")));
        }
        let mut seen = BTreeSet::new();
        for (index, variable) in self.variables.iter().enumerate() {
            let field = |part: &str| format!("variables[{index}].{part}");
            if !is_name(&variable.name) {
                let wrong = Wrong(
                    "应为 1 至 40 个小写字母、数字或下划线，以字母开头",
                    "1 to 40 of `a-z`, `0-9` and `_`, beginning with a letter",
                );
                faults.push(Fault::new(field("name"), wrong));
            } else if !seen.insert(&*variable.name) {
                faults.push(Fault::new(field("name"), Wrong("重复", "comes twice")));
            }
            if !variable.holds.takes(&variable.example) {
                let wrong = Wrong("示例与类型不符", "not of the type");
                faults.push(Fault::new(field("example"), wrong));
            }
        }
        faults
    }

    fn text_faults(
        &self,
        field: &str,
        text: &Text,
        examples: Option<&Values>,
        faults: &mut Vec<Fault>,
    ) {
        let before = faults.len();
        let declared: BTreeMap<&str, Type> = self
            .variables
            .iter()
            .map(|one| (&*one.name, one.holds))
            .collect();
        let counts = declared.iter().filter(|(_, holds)| **holds == Type::Count);
        let counts: BTreeSet<&str> = counts.map(|(name, _)| *name).collect();
        let mut used = BTreeSet::new();
        for (part, pattern, form) in [
            ("title", &text.title, title_form(&text.title)),
            ("body", &text.body, body_form(&text.body)),
        ] {
            let field = format!("{field}.{part}");
            match form.map_or_else(|| fluent::variables(pattern, &counts), Err) {
                Ok(variables) => used.extend(variables),
                Err(wrong) => faults.push(Fault::new(field, wrong)),
            }
        }
        if faults.len() > before {
            return;
        }
        for name in used.iter().filter(|name| !declared.contains_key(&***name)) {
            faults.push(Fault {
                field: field.to_owned(),
                zh: format!("变量 {name} 未声明"),
                en: format!("variable {name} is not declared"),
            });
        }
        for name in declared.keys().filter(|name| !used.contains(**name)) {
            faults.push(Fault {
                field: field.to_owned(),
                zh: format!("未使用变量 {name}"),
                en: format!("variable {name} is not used"),
            });
        }
        if faults.len() > before {
            return;
        }
        let filled = examples.map(|values| text.fill(values));
        let reads = filled.is_none_or(|(read, whole)| {
            let one_line = !read.title.trim().is_empty() && !read.title.contains('\n');
            whole && one_line && !read.body.trim().is_empty()
        });
        if !reads {
            let wrong = Wrong("不能用示例填写", "cannot be filled with the examples");
            faults.push(Fault::new(field, wrong));
        }
    }
}

fn title_form(title: &str) -> Option<Wrong> {
    let fits = (1..=TITLE).contains(&title.chars().count());
    (!fits || title.chars().any(char::is_control)).then_some(Wrong(
        "应为一行，1 至 100 个字",
        "one line of 1 to 100 characters",
    ))
}

fn body_form(body: &str) -> Option<Wrong> {
    let fits = (1..=BODY).contains(&body.chars().count());
    let odd = |c: char| c.is_control() && c != '\n';
    (!fits || body.chars().any(odd)).then_some(Wrong(
        "应为 1 至 5000 个字，除换行外不能含控制字符",
        "1 to 5000 characters, no control characters but ends of lines",
    ))
}

fn is_name(name: &str) -> bool {
    let goes_on = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=40).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(goes_on)
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
