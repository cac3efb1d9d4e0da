//! One thing to look at, and what an answer to it means.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::domain::hazard::report::Category;
use crate::domain::numbered::numbered;
use crate::domain::organization::Kind as OrganizationKind;

numbered! {
    /// What is inspected.
    PlaceKind {
        /// A school as a whole.
        School = 1 "SCHOOL",
        /// A kindergarten as a whole.
        Kindergarten = 2 "KINDERGARTEN",
        /// A training institution as a whole.
        TrainingInstitution = 3 "TRAINING_INSTITUTION",
        /// An off-campus base as a whole.
        OffCampusBase = 4 "OFF_CAMPUS_BASE",
        /// A canteen.
        Canteen = 5 "CANTEEN",
        /// A dormitory building.
        Dormitory = 6 "DORMITORY",
        /// A laboratory or a workshop.
        Laboratory = 7 "LABORATORY",
        /// A school bus.
        Bus = 8 "BUS",
        /// A gate with its gatehouse.
        Gate = 9 "GATE",
        /// The surroundings of the campus.
        Surroundings = 10 "SURROUNDINGS",
    }
}

impl PlaceKind {
    /// What an organisation is as a whole; none for those without a campus.
    pub fn whole(kind: OrganizationKind) -> Option<Self> {
        match kind {
            OrganizationKind::MunicipalSchool
            | OrganizationKind::School
            | OrganizationKind::University => Some(Self::School),
            OrganizationKind::Kindergarten => Some(Self::Kindergarten),
            OrganizationKind::TrainingInstitution => Some(Self::TrainingInstitution),
            OrganizationKind::OffCampusBase => Some(Self::OffCampusBase),
            _ => None,
        }
    }

    /// Whether it is an organisation as a whole.
    pub fn is_whole(self) -> bool {
        self < Self::Canteen
    }

    /// The place that stands for one of this kind at a campus that has one and entered none.
    pub fn implied(self) -> Option<&'static str> {
        match self {
            Self::Canteen => Some("canteen"),
            Self::Dormitory => Some("dormitory"),
            Self::Laboratory => Some("laboratory"),
            Self::Bus => Some("bus"),
            Self::Gate => Some("gate"),
            Self::Surroundings => Some("surroundings"),
            _ => None,
        }
    }
}

numbered! {
    /// How an item is answered.
    Kind {
        /// Yes or no; yes is good.
        YesNo = 1 "YES_NO",
        /// A number that is held against limits.
        Number = 2 "NUMBER",
        /// A number of days that is held against limits.
        Days = 3 "DAYS",
        /// Yes or no, and at least one photo.
        Photo = 4 "PHOTO",
        /// Words that are kept; any are good.
        Text = 5 "TEXT",
    }
}

numbered! {
    /// Where the inspector finds the answer.
    Evidence {
        /// By looking at it.
        Observation = 1 "OBSERVATION",
        /// In a document.
        Document = 2 "DOCUMENT",
        /// In records.
        Record = 3 "RECORD",
        /// By asking people.
        Interview = 4 "INTERVIEW",
        /// By trying or measuring.
        Trial = 5 "TRIAL",
    }
}

/// The law behind an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clause {
    /// The law, norm or plan.
    pub law: String,
    /// The article; empty for all of it.
    pub article: String,
    /// Its first day in force.
    pub effective: NaiveDate,
}

/// One thing to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Unique in its template.
    pub code: String,
    /// The heading that it stands under; may be empty.
    pub section: String,
    /// What should be so.
    pub text: String,
    /// How it is answered.
    pub kind: Kind,
    /// Where the answer is found.
    pub evidence: Evidence,
    /// It is never answered with "not applicable".
    pub mandatory: bool,
    /// The unit of a number; may be empty.
    pub unit: String,
    /// The least good number, in thousandths of the unit.
    pub minimum: Option<i64>,
    /// The greatest good number, in thousandths of the unit.
    pub maximum: Option<i64>,
    /// The law behind it.
    pub clause: Clause,
    /// The field of the hazard that a failure opens.
    pub category: Category,
    /// What the rules are about by which a failure is major (rule 5.4); empty when it is general.
    pub major_rule: String,
    /// What it counts in the score.
    pub weight: u32,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// It is so, or not.
    Good(bool),
    /// In thousandths of the unit.
    Number(i64),
    /// Words.
    Text(String),
    /// There is nothing of this kind.
    NotApplicable,
}

numbered! {
    /// What became of an item; the numbers are those of the contract.
    Outcome {
        /// Nobody has looked.
        Unanswered = 1 "UNANSWERED",
        /// Good.
        Passed = 2 "PASSED",
        /// Not good.
        Failed = 3 "FAILED",
        /// There is nothing of this kind.
        NotApplicable = 4 "NOT_APPLICABLE",
    }
}

/// Why an answer does not fit its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The value is of another kind.
    #[error("the item wants a {}", .0.as_str())]
    Kind(Kind),
    /// The item applies everywhere.
    #[error("the item applies everywhere")]
    Mandatory,
    /// The item wants a photo.
    #[error("the item wants a photo")]
    NoPhoto,
}

impl Item {
    /// What an answer with so many photos means.
    ///
    /// # Errors
    /// [`Unfit`] when it is none to this item.
    pub fn judge(&self, value: &Value, photos: usize) -> Result<Outcome, Unfit> {
        let good = match (value, self.kind) {
            (Value::NotApplicable, _) if self.mandatory => return Err(Unfit::Mandatory),
            (Value::NotApplicable, _) => return Ok(Outcome::NotApplicable),
            (Value::Good(_), Kind::Photo) if photos == 0 => return Err(Unfit::NoPhoto),
            (Value::Good(good), Kind::YesNo | Kind::Photo) => *good,
            (Value::Number(number), Kind::Number | Kind::Days) => {
                self.minimum.is_none_or(|least| *number >= least)
                    && self.maximum.is_none_or(|most| *number <= most)
            }
            (Value::Text(_), Kind::Text) => true,
            (_, kind) => return Err(Unfit::Kind(kind)),
        };
        Ok(if good {
            Outcome::Passed
        } else {
            Outcome::Failed
        })
    }

    /// What is wrong when it fails, with the law behind it (rule 5.7).
    pub fn finding(&self, note: &str) -> String {
        let Clause { law, article, .. } = &self.clause;
        let note = if note.is_empty() {
            String::new()
        } else {
            format!("。{note}")
        };
        format!("不符合要求：{}（依据：{law}{article}）{note}", self.text)
    }
}

/// The weights of good items in thousandths of those of all that apply; none when nothing does. An
/// item that nobody looked at counts like one that failed.
pub fn score(results: impl Iterator<Item = (u32, Outcome)>) -> Option<u32> {
    let (mut good, mut all) = (0u64, 0u64);
    for (weight, outcome) in results {
        match outcome {
            Outcome::NotApplicable => {}
            Outcome::Passed => {
                good += u64::from(weight);
                all += u64::from(weight);
            }
            Outcome::Failed | Outcome::Unanswered => all += u64::from(weight),
        }
    }
    let share = (good * 1000).checked_div(all)?;
    u32::try_from(share).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn item(code: &str, kind: Kind) -> Item {
        Item {
            code: code.to_owned(),
            section: String::new(),
            text: "灭火器在有效期内".to_owned(),
            kind,
            evidence: Evidence::Observation,
            mandatory: false,
            unit: String::new(),
            minimum: Some(5000),
            maximum: Some(7000),
            clause: Clause {
                law: "消防法".to_owned(),
                article: "第十六条".to_owned(),
                effective: NaiveDate::from_ymd_opt(2021, 4, 29).unwrap(),
            },
            category: Category::Fire,
            major_rule: String::new(),
            weight: 2,
        }
    }

    #[test]
    fn an_answer_means_what_its_kind_says() {
        let said = |kind, value, photos| item("a", kind).judge(&value, photos);
        assert_eq!(said(Kind::YesNo, Value::Good(true), 0), Ok(Outcome::Passed));
        assert_eq!(
            said(Kind::YesNo, Value::Good(false), 0),
            Ok(Outcome::Failed)
        );
        assert_eq!(said(Kind::Photo, Value::Good(true), 0), Err(Unfit::NoPhoto));
        assert_eq!(said(Kind::Photo, Value::Good(true), 1), Ok(Outcome::Passed));
        for (number, outcome) in [
            (4999, Outcome::Failed),
            (5000, Outcome::Passed),
            (7000, Outcome::Passed),
            (7001, Outcome::Failed),
        ] {
            assert_eq!(said(Kind::Number, Value::Number(number), 0), Ok(outcome));
            assert_eq!(said(Kind::Days, Value::Number(number), 0), Ok(outcome));
        }
        let words = Value::Text("已整改".to_owned());
        assert_eq!(said(Kind::Text, words.clone(), 0), Ok(Outcome::Passed));
        assert_eq!(said(Kind::YesNo, words, 0), Err(Unfit::Kind(Kind::YesNo)));
        let none = Value::NotApplicable;
        assert_eq!(
            said(Kind::Photo, none.clone(), 0),
            Ok(Outcome::NotApplicable)
        );
        let mandatory = Item {
            mandatory: true,
            ..item("a", Kind::YesNo)
        };
        assert_eq!(mandatory.judge(&none, 0), Err(Unfit::Mandatory));
    }

    #[test]
    fn a_finding_names_the_law() {
        let item = item("a", Kind::YesNo);
        let plain = "不符合要求：灭火器在有效期内（依据：消防法第十六条）";
        assert_eq!(item.finding(""), plain);
        assert_eq!(item.finding("三楼东侧"), format!("{plain}。三楼东侧"));
    }

    proptest! {
        #[test]
        fn nothing_but_good_items_raises_a_score(
            results in proptest::collection::vec((1u32..=100, 1i32..=4), 0..40),
            weight in 1u32..=100,
        ) {
            let results: Vec<(u32, Outcome)> = results
                .into_iter()
                .filter_map(|(weight, number)| Some((weight, Outcome::from_number(number)?)))
                .collect();
            let with = |outcome| score(results.iter().copied().chain([(weight, outcome)]));
            let before = score(results.iter().copied());
            prop_assert_eq!(with(Outcome::NotApplicable), before);
            prop_assert_eq!(with(Outcome::Unanswered), with(Outcome::Failed));
            prop_assert!(with(Outcome::Failed) <= before.or(Some(0)));
            prop_assert!(with(Outcome::Passed) >= before);
            let applies = results.iter().any(|(_, outcome)| *outcome != Outcome::NotApplicable);
            prop_assert_eq!(before.is_some(), applies, "nothing to look at is no score");
        }
    }
}
