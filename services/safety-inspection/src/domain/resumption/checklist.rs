//! The thirteen categories that a school checks itself by (rules 4.3, 4.4), and how ready it is.

use std::collections::BTreeMap;

/// How many categories there are.
pub const CATEGORIES: u8 = 13;

/// One item of the checklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Unique within the checklist.
    pub code: String,
    /// 1 to 13.
    pub category: u8,
    /// What is asked.
    pub text: String,
    /// Without it nothing is resumed.
    pub mandatory: bool,
    /// A picture must show it.
    pub photo: bool,
    /// The number that must be reached, in the unit of the item.
    pub at_least: Option<i32>,
}

/// What is said about an item; the numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Met.
    Yes = 1,
    /// Not met.
    No = 2,
    /// Does not apply.
    NotApplicable = 3,
}

/// The answer to an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What is said.
    pub said: Said,
    /// The number, for an item with a threshold.
    pub value: Option<i32>,
    /// How many pictures show it.
    pub photos: usize,
}

/// Why an answer is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A mandatory item always applies.
    #[error("a mandatory item always applies")]
    Mandatory,
    /// A picture must show it.
    #[error("a picture must show it")]
    Photo,
    /// The number is missing, or below the threshold of an item that is said to be met.
    #[error("the number must be given and reach {0}")]
    Below(i32),
}

/// What an item lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Nobody answered: never taken for met.
    Missing,
    /// Not met.
    Unmet,
}

impl Item {
    /// Whether an answer can be taken.
    ///
    /// # Errors
    /// When it claims what it does not show.
    pub fn check(&self, answer: &Answer) -> Result<(), Unfit> {
        match answer.said {
            Said::NotApplicable if self.mandatory => Err(Unfit::Mandatory),
            Said::Yes if self.photo && answer.photos == 0 => Err(Unfit::Photo),
            Said::Yes => match self.at_least {
                Some(least) if answer.value.is_none_or(|value| value < least) => {
                    Err(Unfit::Below(least))
                }
                _ => Ok(()),
            },
            Said::No | Said::NotApplicable => Ok(()),
        }
    }
}

/// How ready a school is in one category.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many items apply.
    pub items: u32,
    /// How many of them are met.
    pub met: u32,
    /// What is missing or not met, mandatory items first.
    pub lacks: Vec<(String, Lack, bool)>,
}

/// How ready a school is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// By category.
    pub categories: BTreeMap<u8, Standing>,
}

impl Readiness {
    /// 0 to 100: the share of the items that apply and are met, rounded down; 0 without any.
    pub fn score(&self) -> u8 {
        let (items, met) = self
            .categories
            .values()
            .fold((0, 0), |(items, met), one| (items + one.items, met + one.met));
        let percent = (met * 100).checked_div(items).unwrap_or_default();
        u8::try_from(percent).unwrap_or(100)
    }

    /// The mandatory items that are missing or not met, each of which blocks by itself.
    pub fn blocks(&self) -> impl Iterator<Item = (&str, Lack)> {
        let lacks = self.categories.values().flat_map(|one| &one.lacks);
        lacks
            .filter(|(_, _, mandatory)| *mandatory)
            .map(|(code, lack, _)| (code.as_str(), *lack))
    }
}

/// How ready a school is by its answers.
pub fn readiness(items: &[Item], answers: &BTreeMap<String, Answer>) -> Readiness {
    let mut readiness = Readiness::default();
    for category in 1..=CATEGORIES {
        readiness.categories.insert(category, Standing::default());
    }
    for item in items {
        let standing = readiness.categories.entry(item.category).or_default();
        let lack = match answers.get(&item.code) {
            None => Some(Lack::Missing),
            Some(answer) if item.check(answer).is_err() => Some(Lack::Unmet),
            Some(answer) => match answer.said {
                Said::NotApplicable => continue,
                Said::Yes => None,
                Said::No => Some(Lack::Unmet),
            },
        };
        standing.items += 1;
        match lack {
            None => standing.met += 1,
            Some(lack) => standing
                .lacks
                .push((item.code.clone(), lack, item.mandatory)),
        }
    }
    for standing in readiness.categories.values_mut() {
        standing.lacks.sort_by_key(|(_, _, mandatory)| !mandatory);
    }
    readiness
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item(code: &str, category: u8, mandatory: bool) -> Item {
        Item {
            code: code.to_owned(),
            category,
            text: String::new(),
            mandatory,
            photo: false,
            at_least: None,
        }
    }

    fn said(said: Said) -> Answer {
        Answer {
            said,
            value: None,
            photos: 0,
        }
    }

    #[test]
    fn what_nobody_answered_is_missing_and_never_met() {
        let items = [item("1.1", 1, true), item("2.1", 2, false)];
        let none = readiness(&items, &BTreeMap::new());
        assert_eq!(none.score(), 0);
        assert_eq!(none.blocks().collect::<Vec<_>>(), [("1.1", Lack::Missing)]);
        assert_eq!(none.categories.len(), 13);
        assert_eq!(readiness(&[], &BTreeMap::new()).score(), 0);
    }

    #[test]
    fn one_red_mandatory_item_blocks_whatever_the_score() {
        let items: Vec<Item> = (1..=50)
            .map(|number| item(&format!("1.{number}"), 1, number == 7))
            .collect();
        let mut answers: BTreeMap<String, Answer> = items
            .iter()
            .map(|item| (item.code.clone(), said(Said::Yes)))
            .collect();
        answers.insert("1.7".to_owned(), said(Said::No));
        let ready = readiness(&items, &answers);
        assert_eq!(ready.score(), 98);
        assert_eq!(ready.blocks().collect::<Vec<_>>(), [("1.7", Lack::Unmet)]);
    }

    #[test]
    fn a_claim_must_show_its_evidence() {
        let shown = Item {
            photo: true,
            at_least: Some(14),
            ..item("7.1", 7, true)
        };
        let answer = |value, photos| Answer {
            said: Said::Yes,
            value,
            photos,
        };
        assert_eq!(shown.check(&answer(Some(14), 0)), Err(Unfit::Photo));
        assert_eq!(shown.check(&answer(Some(13), 1)), Err(Unfit::Below(14)));
        assert_eq!(shown.check(&answer(None, 1)), Err(Unfit::Below(14)));
        assert_eq!(shown.check(&answer(Some(14), 1)), Ok(()));
        assert_eq!(shown.check(&said(Said::NotApplicable)), Err(Unfit::Mandatory));
        assert_eq!(shown.check(&said(Said::No)), Ok(()));
    }

    proptest! {
        #[test]
        fn a_better_answer_never_makes_a_school_less_ready(
            answers in proptest::collection::vec(0u8..3, 20),
            which in 0usize..20,
        ) {
            let items: Vec<Item> = (0..20u8)
                .map(|number| item(&number.to_string(), number % 13 + 1, number % 3 == 0))
                .collect();
            let of = |answers: &[u8]| {
                let given = answers.iter().enumerate().filter_map(|(place, answer)| {
                    let answer = match answer { 0 => return None, 1 => Said::No, _ => Said::Yes };
                    Some((place.to_string(), said(answer)))
                });
                readiness(&items, &given.collect())
            };
            let before = of(&answers);
            let mut better = answers.clone();
            better[which] = 2;
            let after = of(&better);
            prop_assert!(after.score() >= before.score());
            prop_assert!(after.blocks().count() <= before.blocks().count());
            let all = of(&[2; 20]);
            prop_assert_eq!((all.score(), all.blocks().count()), (100, 0));
        }
    }
}
