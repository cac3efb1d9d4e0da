//! Rules by which a hazard is major without further judgement (rule 5.4), as data: conditions over
//! facts that whoever finds or verifies it states.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::report::Category;
use crate::domain::organization::Kind;

/// What a fact says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// It is so or not.
    Flag(bool),
    /// So many.
    Number(i64),
}

/// Something that is known of a hazard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Which.
    pub key: String,
    /// What it says.
    pub value: Value,
}

/// A fact that rules ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub key: String,
    /// What it says, in words, with the unit of a number.
    pub text: String,
    /// It is a number, not a flag.
    pub numeric: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Is(bool),
    AtLeast(i64),
    Below(i64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    fact: String,
    test: Test,
}

impl Condition {
    /// A fact that nobody stated meets no condition.
    fn holds(&self, facts: &[Fact]) -> bool {
        let stated = facts.iter().find(|fact| fact.key == self.fact);
        match (stated.map(|fact| fact.value), self.test) {
            (Some(Value::Flag(flag)), Test::Is(wanted)) => flag == wanted,
            (Some(Value::Number(number)), Test::AtLeast(least)) => number >= least,
            (Some(Value::Number(number)), Test::Below(bound)) => number < bound,
            _ => false,
        }
    }
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its code, unique for ever.
    pub code: String,
    /// What it is about, by which checklists name it whatever the day.
    pub topics: Vec<String>,
    /// Its field.
    pub category: Category,
    /// What it says.
    pub text: String,
    /// Where it stands.
    pub source: String,
    /// Its first civil day.
    pub effective: NaiveDate,
    /// Its last civil day.
    pub end: Option<NaiveDate>,
    kinds: Vec<Kind>,
    when: Vec<Vec<Condition>>,
}

impl Rule {
    /// Whether it is in force on `day`.
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.effective <= day && self.end.is_none_or(|end| day <= end)
    }

    /// The keys of the facts that it asks for, each once.
    pub fn keys(&self) -> BTreeSet<&str> {
        let conditions = self.when.iter().flatten();
        conditions.map(|condition| &*condition.fact).collect()
    }

    fn is_about(&self, topic: &str) -> bool {
        self.topics.iter().any(|own| own == topic)
    }

    fn binds(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    fn hits(&self, kind: Kind, facts: &[Fact]) -> bool {
        let met = |all: &Vec<Condition>| all.iter().all(|condition| condition.holds(facts));
        self.binds(kind) && self.when.iter().any(met)
    }
}

/// Every rule and the facts that they ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleBook {
    facts: BTreeMap<String, Known>,
    rules: Vec<Rule>,
}

impl RuleBook {
    /// Reads a table of rules.
    ///
    /// # Errors
    /// When it is malformed: the text names the rule and what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let told: text::Book = toml::from_str(text).map_err(|err| err.to_string())?;
        let mut facts = BTreeMap::new();
        for fact in told.facts {
            let known = Known {
                key: fact.key.clone(),
                text: fact.text,
                numeric: fact.numeric,
            };
            if facts.insert(fact.key.clone(), known).is_some() {
                return Err(format!("fact {} stands twice", fact.key));
            }
        }
        let mut rules: Vec<Rule> = Vec::with_capacity(told.rules.len());
        for rule in told.rules {
            let code = rule.code.clone();
            let rule = rule
                .rule(&facts)
                .map_err(|wrong| format!("rule {code}: {wrong}"))?;
            rules.push(rule);
        }
        rules.sort_by(|one, other| one.code.cmp(&other.code));
        let twice = rules.windows(2).find(|pair| pair[0].code == pair[1].code);
        match twice {
            Some(pair) => Err(format!("rule {} stands twice", pair[0].code)),
            None => Ok(Self { facts, rules }),
        }
    }

    /// The rules by code.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// A fact that rules ask for.
    pub fn fact(&self, key: &str) -> Option<&Known> {
        self.facts.get(key)
    }

    /// Whether a rule is about `topic`, on whatever day.
    pub fn knows(&self, topic: &str) -> bool {
        self.rules.iter().any(|rule| rule.is_about(topic))
    }

    /// The codes of the rules about `topic` in force on `day` for organisations of `kind`. A topic that
    /// no rule is about is the code of a rule of somebody's own.
    pub fn about(&self, topic: &str, kind: Kind, day: NaiveDate) -> Vec<String> {
        if !self.knows(topic) {
            return vec![topic.to_owned()];
        }
        self.rules
            .iter()
            .filter(|rule| rule.is_about(topic) && rule.holds_on(day) && rule.binds(kind))
            .map(|rule| rule.code.clone())
            .collect()
    }

    /// The codes of the rules in force on `day` that `facts` hit at an organisation of `kind`.
    pub fn hits(&self, kind: Kind, facts: &[Fact], day: NaiveDate) -> Vec<String> {
        self.rules
            .iter()
            .filter(|rule| rule.holds_on(day) && rule.hits(kind, facts))
            .map(|rule| rule.code.clone())
            .collect()
    }
}

/// `newer` in the place of those of `older` with the same key.
pub fn together(older: &[Fact], newer: Vec<Fact>) -> Vec<Fact> {
    let kept = older
        .iter()
        .filter(|old| newer.iter().all(|new| new.key != old.key));
    let kept: Vec<Fact> = kept.cloned().collect();
    kept.into_iter().chain(newer).collect()
}

/// The table as it is written.
mod text {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::{Category, Condition, Kind, Known, Test};

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Book {
        pub(super) facts: Vec<Fact>,
        pub(super) rules: Vec<Rule>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Fact {
        pub(super) key: String,
        pub(super) text: String,
        #[serde(default)]
        pub(super) numeric: bool,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Rule {
        pub(super) code: String,
        #[serde(default)]
        topics: Vec<String>,
        category: i32,
        text: String,
        source: String,
        effective: String,
        end: Option<String>,
        #[serde(default)]
        kinds: Vec<i16>,
        when: Vec<Vec<Told>>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Told {
        fact: String,
        is: Option<bool>,
        at_least: Option<i64>,
        below: Option<i64>,
    }

    impl Rule {
        pub(super) fn rule(self, facts: &BTreeMap<String, Known>) -> Result<super::Rule, String> {
            let day = |text: &str| text.parse().map_err(|_| format!("{text} is no day"));
            let kinds = self.kinds.into_iter().map(|number| {
                Kind::from_number(number).ok_or_else(|| format!("{number} is no kind"))
            });
            let all = |all: Vec<Told>| all.into_iter().map(|told| told.condition(facts)).collect();
            let when: Vec<Vec<Condition>> =
                self.when.into_iter().map(all).collect::<Result<_, _>>()?;
            if when.is_empty() || when.iter().any(Vec::is_empty) {
                return Err("asks for nothing".to_owned());
            }
            if self.text.is_empty() || self.source.is_empty() {
                return Err("has no text or no source".to_owned());
            }
            Ok(super::Rule {
                category: Category::from_number(self.category)
                    .ok_or_else(|| format!("{} is no category", self.category))?,
                effective: day(&self.effective)?,
                end: self.end.as_deref().map(day).transpose()?,
                kinds: kinds.collect::<Result<_, _>>()?,
                code: self.code,
                topics: self.topics,
                text: self.text,
                source: self.source,
                when,
            })
        }
    }

    impl Told {
        fn condition(self, facts: &BTreeMap<String, Known>) -> Result<Condition, String> {
            let (numeric, test) = match (self.is, self.at_least, self.below) {
                (Some(is), None, None) => (false, Test::Is(is)),
                (None, Some(least), None) => (true, Test::AtLeast(least)),
                (None, None, Some(bound)) => (true, Test::Below(bound)),
                _ => return Err(format!("{} needs exactly one test", self.fact)),
            };
            let known = facts.get(&self.fact);
            if known.is_none_or(|known| known.numeric != numeric) {
                return Err(format!("{} is no such fact", self.fact));
            }
            Ok(Condition {
                fact: self.fact,
                test,
            })
        }
    }
}
