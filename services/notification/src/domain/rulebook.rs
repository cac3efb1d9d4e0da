//! The rules as they are shipped, and sets of rules that are in use together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chrono::Duration;
use serde::Deserialize;

use super::directive::Urgency;
use super::fact::{Figures, Kind, Severity};
use super::hearer::Hearer;
use super::policy::Policy;
use super::rule::{Reaction, Rule, Within};

/// The rules as written.
const SHIPPED: &str = include_str!("../../rules/alerts.toml");

static BOOK: LazyLock<Result<BTreeMap<Kind, Shipped>, Unreadable>> =
    LazyLock::new(|| read(SHIPPED));

/// One sentence for people. `{people}`, `{amount}`, `{total}` and `{word}` stand for the figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Sentence {
    /// Filled in, in Chinese and in English.
    pub fn tell(&self, figures: &Figures) -> (String, String) {
        let (zh, en) = figures.word.words();
        let fill = |text: &str, word| {
            text.replace("{people}", &figures.people.to_string())
                .replace("{amount}", &figures.amount.to_string())
                .replace("{total}", &figures.total.to_string())
                .replace("{word}", word)
        };
        (fill(&self.zh, zh), fill(&self.en, en))
    }
}

/// A shipped rule with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// The rule.
    pub rule: Rule,
    /// What people are told.
    pub sentence: Sentence,
    /// What they are told once the fact stands no more; the same when there is none.
    pub left: Option<Sentence>,
}

/// Why the shipped rules cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// They are not TOML, or not of the form of rules.
    #[error("the rules cannot be read")]
    Form(#[from] toml::de::Error),
    /// A kind, or a kind that inhibits, is unknown.
    #[error("`{0}` is not a kind of fact")]
    UnknownKind(String),
    /// A kind has two rules.
    #[error("`{}` has two rules", .0.as_str())]
    Twice(Kind),
    /// A kind has no rule.
    #[error("`{}` has no rule", .0.as_str())]
    Missing(Kind),
    /// A reaction has neither or both of `within` and `policy_span`.
    #[error("a reaction of `{}` needs one of `within` and `policy_span`", .0.as_str())]
    Span(Kind),
    /// A value is out of bounds.
    #[error("`{kind}`: {1}: {2}", kind = .0.as_str())]
    Fault(Kind, String, &'static str),
    /// Kinds inhibit each other in a circle.
    #[error("`{}` would inhibit itself", .0.as_str())]
    Circle(Kind),
}

/// Checks the shipped rules.
///
/// # Errors
/// [`Unreadable`] when they cannot be used.
pub fn check() -> Result<(), Unreadable> {
    match &*BOOK {
        Ok(_) => Ok(()),
        Err(err) => Err(err.clone()),
    }
}

/// The shipped rule of a kind.
///
/// # Panics
/// When [`check`] fails, with which the service does not start.
pub fn shipped(kind: Kind) -> &'static Shipped {
    let book = BOOK.as_ref().expect("checked when the service starts");
    &book[&kind]
}

/// The rules in use: those in force, and older ones by which alerts were raised.
#[derive(Clone, Debug, Default)]
pub struct Rulebook {
    changes: BTreeMap<(Kind, i64), Rule>,
    in_force: BTreeMap<Kind, i64>,
}

impl Rulebook {
    /// Takes a change up; the highest version of a kind is in force.
    pub fn add(&mut self, rule: Rule) {
        let latest = self.in_force.entry(rule.kind).or_default();
        *latest = rule.version.max(*latest);
        self.changes.insert((rule.kind, rule.version), rule);
    }

    /// The rule of a kind that is in force.
    pub fn in_force(&self, kind: Kind) -> &Rule {
        let version = self.in_force.get(&kind).copied().unwrap_or_default();
        self.version(kind, version)
    }

    /// A version of the rule of a kind; the shipped one where it is not known.
    pub fn version(&self, kind: Kind, version: i64) -> &Rule {
        let change = self.changes.get(&(kind, version));
        change.unwrap_or(&shipped(kind).rule)
    }

    /// Whether a version was taken up, or needs not be.
    pub fn knows(&self, kind: Kind, version: i64) -> bool {
        version == 0 || self.changes.contains_key(&(kind, version))
    }

    /// Whether `rule`, once in force, lets a kind inhibit itself by way of others.
    pub fn closes_circle(&self, rule: &Rule) -> bool {
        let rules = Kind::ALL.iter().map(|kind| self.in_force(*kind));
        let others = rules.filter(|other| other.kind != rule.kind);
        circle(others.chain([rule])).is_some()
    }
}

/// A kind that inhibits itself by way of others.
fn circle<'a>(rules: impl Iterator<Item = &'a Rule>) -> Option<Kind> {
    let by: BTreeMap<Kind, &[Kind]> = rules.map(|rule| (rule.kind, &*rule.inhibited_by)).collect();
    by.keys().copied().find(|kind| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![*kind]);
        while let Some(current) = next.pop() {
            for inhibitor in by.get(&current).copied().unwrap_or_default() {
                if inhibitor == kind {
                    return true;
                }
                if seen.insert(*inhibitor) {
                    next.push(*inhibitor);
                }
            }
        }
        false
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    rule: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    kind: String,
    basis: String,
    duty: String,
    #[serde(default)]
    above: bool,
    #[serde(default)]
    also: Vec<Hearer>,
    ordinary: WrittenReaction,
    grave: Option<WrittenReaction>,
    #[serde(default)]
    inhibited_by: Vec<String>,
    #[serde(default)]
    group_wait: Span,
    zh: String,
    en: String,
    left_zh: Option<String>,
    left_en: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenReaction {
    severity: WrittenSeverity,
    within: Option<Span>,
    policy_span: Option<PolicySpan>,
    #[serde(default)]
    escalate_after: Vec<Span>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WrittenSeverity {
    Notice,
    Warning,
    Critical,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum PolicySpan {
    HoldNotice,
    Routine,
    Urgent,
    ExtraUrgent,
}

/// A span as people write it, such as `30m`.
#[derive(Clone, Copy, Default, Deserialize)]
struct Span(#[serde(with = "humantime_serde")] std::time::Duration);

impl Span {
    /// Longer than any bound when it cannot be told.
    fn read(self) -> Duration {
        Duration::from_std(self.0).unwrap_or(Duration::MAX)
    }
}

fn read(text: &str) -> Result<BTreeMap<Kind, Shipped>, Unreadable> {
    let document: Document = toml::from_str(text)?;
    let mut book = BTreeMap::new();
    for written in document.rule {
        let shipped = written.read()?;
        let kind = shipped.rule.kind;
        if let Some(fault) = shipped.rule.faults(&[Policy::default()]).pop() {
            return Err(Unreadable::Fault(kind, fault.field, fault.en));
        }
        if book.insert(kind, shipped).is_some() {
            return Err(Unreadable::Twice(kind));
        }
    }
    if let Some(missing) = Kind::ALL.iter().find(|kind| !book.contains_key(kind)) {
        return Err(Unreadable::Missing(*missing));
    }
    match circle(book.values().map(|shipped| &shipped.rule)) {
        Some(kind) => Err(Unreadable::Circle(kind)),
        None => Ok(book),
    }
}

fn kind(word: String) -> Result<Kind, Unreadable> {
    Kind::parse(&word).ok_or(Unreadable::UnknownKind(word))
}

impl Written {
    fn read(self) -> Result<Shipped, Unreadable> {
        let of = kind(self.kind)?;
        let inhibited_by = self.inhibited_by.into_iter().map(kind);
        let rule = Rule {
            kind: of,
            basis: self.basis,
            ordinary: self.ordinary.read(of)?,
            grave: self.grave.map(|grave| grave.read(of)).transpose()?,
            duty: self.duty,
            above: self.above,
            also: self.also,
            inhibited_by: inhibited_by.collect::<Result<_, _>>()?,
            group_wait: self.group_wait.read(),
            template: String::new(),
            version: 0,
        };
        let left = self.left_zh.zip(self.left_en);
        Ok(Shipped {
            rule,
            sentence: Sentence {
                zh: self.zh,
                en: self.en,
            },
            left: left.map(|(zh, en)| Sentence { zh, en }),
        })
    }
}

impl WrittenReaction {
    fn read(self, kind: Kind) -> Result<Reaction, Unreadable> {
        let within = match (self.within, self.policy_span) {
            (Some(span), None) => Within::Span(span.read()),
            (None, Some(PolicySpan::HoldNotice)) => Within::HoldNotice,
            (None, Some(PolicySpan::Routine)) => Within::As(Urgency::Routine),
            (None, Some(PolicySpan::Urgent)) => Within::As(Urgency::Urgent),
            (None, Some(PolicySpan::ExtraUrgent)) => Within::As(Urgency::ExtraUrgent),
            (None, None) | (Some(_), Some(_)) => return Err(Unreadable::Span(kind)),
        };
        Ok(Reaction {
            severity: match self.severity {
                WrittenSeverity::Notice => Severity::Notice,
                WrittenSeverity::Warning => Severity::Warning,
                WrittenSeverity::Critical => Severity::Critical,
            },
            within,
            escalate_after: self.escalate_after.into_iter().map(Span::read).collect(),
        })
    }
}

#[cfg(test)]
#[path = "rulebook_tests.rs"]
mod tests;
