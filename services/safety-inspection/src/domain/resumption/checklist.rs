//! The thirteen categories that a school checks itself by (rules 4.3, 4.4), and how ready it is.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::checklist::item::{Evidence, Item, Outcome, Unfit, Value, score};
use crate::domain::checklist::template::Entry;

/// How many categories there are.
pub const CATEGORIES: u8 = 13;

/// The answer to an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What is said.
    pub value: Value,
    /// How many pictures show it.
    pub photos: usize,
}

/// The category of an item, 1 to 13: its section begins with the number. 0 for an item that was
/// added under another heading.
pub fn category(item: &Item) -> u8 {
    let number = item.section.split_whitespace().next();
    let number = number.and_then(|number| number.parse().ok());
    number
        .filter(|number| (1..=CATEGORIES).contains(number))
        .unwrap_or_default()
}

/// What an answer means: that an item is met has to be shown where a document or a record says it.
///
/// # Errors
/// When it is none to this item, or claims what it does not show.
pub fn judge(item: &Item, answer: &Answer) -> Result<Outcome, Unfit> {
    let outcome = item.judge(&answer.value, answer.photos)?;
    let written = matches!(item.evidence, Evidence::Document | Evidence::Record);
    if outcome == Outcome::Passed && written && answer.photos == 0 {
        return Err(Unfit::NoPhoto);
    }
    Ok(outcome)
}

/// What an item lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// The id of the entry.
    pub item: String,
    /// What it says.
    pub text: String,
    /// Nobody answered: never taken for met.
    pub missing: bool,
    /// Without it nothing is resumed.
    pub mandatory: bool,
}

/// How ready a school is in one category.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Shown to people: the section.
    pub heading: String,
    /// How many items apply.
    pub items: u32,
    /// How many of them are met.
    pub met: u32,
    /// What is missing or not met, mandatory items first.
    pub lacks: Vec<Lack>,
}

/// How ready a school is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// By category.
    pub categories: BTreeMap<u8, Standing>,
    /// How many items are answered.
    pub answered: u32,
    /// The weights of the items that are met in thousandths of those of all that apply; none when
    /// nothing applies.
    pub thousandths: Option<u32>,
}

/// What is kept of it for whoever looks at many schools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// 0 to 100; none for a silent school.
    pub score: Option<u8>,
    /// How many items apply.
    pub items: u32,
    /// How many of them are met.
    pub met: u32,
    /// How many mandatory items are missing or not met.
    pub open: u32,
    /// The categories of these.
    pub categories: BTreeSet<u8>,
}

impl Readiness {
    /// Nobody has answered an item yet.
    pub fn is_silent(&self) -> bool {
        self.answered == 0
    }

    /// 0 to 100, rounded down; 0 for a silent school.
    pub fn score(&self) -> u8 {
        let percent = self.thousandths.unwrap_or_default() / 10;
        if self.is_silent() {
            0
        } else {
            u8::try_from(percent).unwrap_or(100).min(100)
        }
    }

    /// The mandatory items that are missing or not met, each of which blocks by itself.
    pub fn blocks(&self) -> impl Iterator<Item = &Lack> {
        let lacks = self.categories.values().flat_map(|one| &one.lacks);
        lacks.filter(|lack| lack.mandatory)
    }

    /// What is kept of it.
    pub fn summary(&self) -> Summary {
        let count = |of: fn(&Standing) -> u32| self.categories.values().map(of).sum::<u32>();
        let open = self
            .categories
            .iter()
            .filter(|(_, one)| one.lacks.iter().any(|lack| lack.mandatory));
        Summary {
            score: (!self.is_silent()).then(|| self.score()),
            items: count(|one| one.items),
            met: count(|one| one.met),
            open: u32::try_from(self.blocks().count()).unwrap_or(u32::MAX),
            categories: open.map(|(category, _)| *category).collect(),
        }
    }
}

/// How ready a school is by its answers.
pub fn readiness(entries: &[Entry], answers: &BTreeMap<String, Answer>) -> Readiness {
    let mut readiness = Readiness::default();
    for category in 1..=CATEGORIES {
        readiness.categories.insert(category, Standing::default());
    }
    let mut results = Vec::with_capacity(entries.len());
    for Entry { id, item, .. } in entries {
        let answer = answers.get(id);
        let outcome = answer.map_or(Outcome::Unanswered, |answer| {
            judge(item, answer).unwrap_or(Outcome::Failed)
        });
        results.push((item.weight, outcome));
        readiness.answered += u32::from(answer.is_some());
        let standing = readiness.categories.entry(category(item)).or_default();
        if standing.heading.is_empty() {
            standing.heading.clone_from(&item.section);
        }
        match outcome {
            Outcome::NotApplicable => continue,
            Outcome::Passed => standing.met += 1,
            Outcome::Failed | Outcome::Unanswered => standing.lacks.push(Lack {
                item: id.clone(),
                text: item.text.clone(),
                missing: outcome == Outcome::Unanswered,
                mandatory: item.mandatory,
            }),
        }
        standing.items += 1;
    }
    for standing in readiness.categories.values_mut() {
        standing.lacks.sort_by_key(|lack| !lack.mandatory);
    }
    readiness.thousandths = score(results.into_iter());
    readiness
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::checklist::item::Kind;
    use crate::domain::checklist::shipped::checklists;

    /// The list that ships.
    fn shipped() -> Vec<Entry> {
        let lists = checklists().unwrap();
        let list = lists.iter().find(|list| list.id.code == "resumption");
        let items = list.unwrap().content.items.clone().into_iter();
        let entries = items.map(|item| Entry {
            id: item.code.clone(),
            key: item.code.clone(),
            item,
        });
        entries.collect()
    }

    fn good(item: &Item) -> Answer {
        let value = match item.kind {
            Kind::YesNo | Kind::Photo => Value::Good(true),
            Kind::Number | Kind::Days => {
                Value::Number(item.minimum.or(item.maximum).unwrap_or_default())
            }
            Kind::Text => Value::Text("已落实".to_owned()),
        };
        Answer { value, photos: 1 }
    }

    fn all_good(entries: &[Entry]) -> BTreeMap<String, Answer> {
        let answers = entries.iter();
        answers
            .map(|entry| (entry.id.clone(), good(&entry.item)))
            .collect()
    }

    #[test]
    fn the_list_that_ships_has_thirteen_categories_and_nine_rules_and_enough_items() {
        let entries = shipped();
        assert!((46..=60).contains(&entries.len()), "{}", entries.len());
        let ready = readiness(&entries, &BTreeMap::new());
        assert_eq!(ready.categories.len(), 13);
        assert!(ready.categories.values().all(|one| one.items > 0));
        // Rule 4.4.
        assert_eq!(ready.categories[&3].items, 9);
        let mandatory = ready.categories[&3].lacks.iter();
        assert_eq!(mandatory.filter(|lack| lack.mandatory).count(), 9);
    }

    #[test]
    fn silence_is_missing_and_never_met() {
        let entries = shipped();
        let none = readiness(&entries, &BTreeMap::new());
        let summary = none.summary();
        assert_eq!((none.score(), summary.score), (0, None));
        assert!(none.is_silent() && none.blocks().all(|lack| lack.missing));
        let mandatory = entries.iter().filter(|entry| entry.item.mandatory).count();
        assert_eq!(none.blocks().count(), mandatory);
        assert_eq!(readiness(&[], &BTreeMap::new()).score(), 0);
    }

    #[test]
    fn one_red_mandatory_item_blocks_whatever_the_score() {
        let entries = shipped();
        let mut answers = all_good(&entries);
        let all = readiness(&entries, &answers);
        assert_eq!((all.score(), all.blocks().count()), (100, 0));
        let thirteen = Answer {
            value: Value::Number(13_000),
            photos: 1,
        };
        answers.insert("r07-mask-days".to_owned(), thirteen);
        let red = readiness(&entries, &answers);
        assert!(red.score() >= 95, "{}", red.score());
        let blocks: Vec<_> = red
            .blocks()
            .map(|lack| (&*lack.item, lack.missing))
            .collect();
        assert_eq!(blocks, [("r07-mask-days", false)]);
        assert_eq!(red.summary().categories, BTreeSet::from([7]));
    }

    #[test]
    fn a_claim_must_show_its_evidence() {
        let entries = shipped();
        let item = |code: &str| {
            let mut found = entries.iter().filter(|entry| entry.id == code);
            found.next().unwrap().item.clone()
        };
        let answer = |value, photos| Answer { value, photos };
        let document = item("r02-emergency-plan");
        let claim = |photos| judge(&document, &answer(Value::Good(true), photos));
        assert_eq!(claim(0), Err(Unfit::NoPhoto));
        assert_eq!(claim(1), Ok(Outcome::Passed));
        let admitted = judge(&document, &answer(Value::Good(false), 0));
        assert_eq!(admitted, Ok(Outcome::Failed));
        let not_applicable = judge(&document, &answer(Value::NotApplicable, 0));
        assert_eq!(not_applicable, Err(Unfit::Mandatory));
        let drill = item("r05-drill-days");
        let days = |days| judge(&drill, &answer(Value::Number(days), 1));
        assert_eq!(days(30_000), Ok(Outcome::Passed));
        assert_eq!(days(31_000), Ok(Outcome::Failed));
        let seen = judge(&item("r05-route"), &answer(Value::Good(true), 0));
        assert_eq!(seen, Ok(Outcome::Passed));
    }

    proptest! {
        #[test]
        fn a_better_answer_never_makes_a_school_less_ready(
            given in proptest::collection::vec(0u8..3, 60),
            which in 0usize..46,
        ) {
            let entries = shipped();
            let of = |given: &[u8]| {
                let answers = entries.iter().zip(given).filter_map(|(entry, said)| {
                    let worse = Answer { value: Value::Good(false), photos: 0 };
                    let answer = match said { 0 => return None, 1 => worse, _ => good(&entry.item) };
                    Some((entry.id.clone(), answer))
                });
                readiness(&entries, &answers.collect())
            };
            let before = of(&given);
            let mut better = given.clone();
            better[which] = 2;
            let after = of(&better);
            prop_assert!(after.score() >= before.score());
            prop_assert!(after.summary().score >= before.summary().score);
            prop_assert!(after.blocks().count() <= before.blocks().count());
        }
    }
}
