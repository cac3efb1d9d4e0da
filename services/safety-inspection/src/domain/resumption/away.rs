//! Who of a batch is away from school, and why (rule 4.10).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::numbered::numbered;

numbered! {
    /// For whom teaching is suspended again; the numbers are those of the contract.
    Scope {
        /// Class groups.
        Class = 1 "CLASS",
        /// Grades.
        Grade = 2 "GRADE",
        /// The school.
        School = 3 "SCHOOL",
        /// All schools of a bureau.
        District = 4 "DISTRICT",
    }
}

numbered! {
    /// Why; the numbers are those of the contract.
    Reason {
        /// An epidemic.
        Epidemic = 1 "EPIDEMIC",
        /// Weather.
        Weather = 2 "WEATHER",
        /// Safety.
        Safety = 3 "SAFETY",
    }
}

/// Who of a batch is away from school.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Away {
    /// Nobody.
    Nobody,
    /// All of the batch.
    Everybody,
    /// Some of it.
    Some {
        /// Whole grades.
        grades: BTreeSet<i32>,
        /// Class groups of other grades, with their grade.
        class_groups: BTreeMap<String, i32>,
    },
}

/// Who is to stay away from a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Everybody,
    /// Those of its grades.
    Grades(BTreeSet<i32>),
    /// One class group, of a grade.
    ClassGroup(String, i32),
}

impl Away {
    /// After `part` of a batch of these grades stays away too.
    #[must_use]
    pub fn with(self, part: Part, batch: &[i32]) -> Self {
        let (mut grades, mut class_groups) = match self {
            Self::Everybody => return Self::Everybody,
            Self::Nobody => (BTreeSet::new(), BTreeMap::new()),
            Self::Some {
                grades,
                class_groups,
            } => (grades, class_groups),
        };
        match part {
            Part::Everybody => return Self::Everybody,
            Part::Grades(more) => {
                grades.extend(more.into_iter().filter(|grade| batch.contains(grade)));
            }
            Part::ClassGroup(name, grade) => {
                class_groups.insert(name, grade);
            }
        }
        class_groups.retain(|_, grade| !grades.contains(grade));
        let all = !batch.is_empty() && batch.iter().all(|grade| grades.contains(grade));
        match (all, grades.is_empty() && class_groups.is_empty()) {
            (true, _) => Self::Everybody,
            (false, true) => Self::Nobody,
            (false, false) => Self::Some {
                grades,
                class_groups,
            },
        }
    }
}

/// Teaching is suspended again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// For whom, by this decision.
    pub scope: Scope,
    /// Why.
    pub reason: Reason,
    /// In words.
    pub explanation: String,
    /// The last day for now.
    pub until: Option<NaiveDate>,
    /// The account that decided.
    pub actor: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Suspension {
    /// Whether its last day is today or tomorrow.
    pub fn is_ending(&self, today: NaiveDate) -> bool {
        let left = self.until.map(|until| (until - today).num_days());
        left.is_some_and(|left| (0..=1).contains(&left))
    }

    /// Whether its last day has passed. Nobody returns by that alone.
    pub fn has_passed(&self, today: NaiveDate) -> bool {
        self.until.is_some_and(|until| until < today)
    }

    /// The first day after today on which it begins to end or has passed.
    pub fn turns(&self, today: NaiveDate) -> Option<NaiveDate> {
        let until = self.until?;
        let days = [until.pred_opt(), until.succ_opt()].into_iter().flatten();
        days.filter(|day| *day > today).min()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_suspension_ends_on_its_last_days_and_has_passed_afterwards() {
        let day = |day| NaiveDate::from_ymd_opt(2022, 4, day).unwrap();
        let suspension = |until| Suspension {
            scope: Scope::School,
            reason: Reason::Epidemic,
            explanation: "聚集性疫情".to_owned(),
            until,
            actor: "district-1".to_owned(),
            at: DateTime::UNIX_EPOCH,
        };
        let until = suspension(Some(day(13)));
        let seen = |today| {
            let (ending, passed) = (until.is_ending(today), until.has_passed(today));
            (ending, passed, until.turns(today))
        };
        assert_eq!(seen(day(11)), (false, false, Some(day(12))));
        assert_eq!(seen(day(12)), (true, false, Some(day(14))));
        assert_eq!(seen(day(13)), (true, false, Some(day(14))));
        assert_eq!(seen(day(14)), (false, true, None));
        let open = suspension(None);
        assert!(!open.is_ending(day(13)) && !open.has_passed(day(13)));
        assert_eq!(open.turns(day(13)), None);
    }

    const BATCH: [i32; 3] = [7, 8, 10];

    fn class(number: i32, grade: i32) -> Part {
        Part::ClassGroup(format!("c{number}"), grade)
    }

    #[test]
    fn a_grade_takes_its_class_groups_with_it_and_all_grades_are_everybody() {
        let away = Away::Nobody.with(class(1, 7), &BATCH);
        let away = away.with(class(2, 8), &BATCH);
        let away = away.with(Part::Grades([7].into()), &BATCH);
        let expected = Away::Some {
            grades: [7].into(),
            class_groups: [("c2".to_owned(), 8)].into(),
        };
        assert_eq!(away, expected);
        let away = away.with(Part::Grades([8, 10, 11].into()), &BATCH);
        assert_eq!(away, Away::Everybody);
    }

    #[test]
    fn a_kindergarten_has_no_grades_that_could_be_everybody() {
        let away = Away::Nobody.with(class(1, 0), &[]);
        assert!(matches!(away, Away::Some { .. }));
        assert_eq!(away.with(Part::Everybody, &[]), Away::Everybody);
        let none = Away::Nobody.with(Part::Grades([9].into()), &BATCH);
        assert_eq!(none, Away::Nobody);
    }

    fn part() -> impl Strategy<Value = Part> {
        prop_oneof![
            1 => Just(Part::Everybody),
            4 => proptest::collection::btree_set(6i32..12, 1..3).prop_map(Part::Grades),
            6 => (0i32..9).prop_map(|number| class(number, BATCH[(number % 3) as usize])),
        ]
    }

    proptest! {
        #[test]
        fn whoever_is_away_stays_away_whatever_follows(
            parts in proptest::collection::vec(part(), 1..12),
        ) {
            let is_away = |away: &Away, part: &Part| match (away, part) {
                (Away::Everybody, _) => true,
                (Away::Nobody, Part::Grades(grades)) => {
                    grades.iter().all(|grade| !BATCH.contains(grade))
                }
                (Away::Nobody, _) | (_, Part::Everybody) => false,
                (Away::Some { grades, .. }, Part::Grades(part)) => {
                    part.iter().all(|grade| !BATCH.contains(grade) || grades.contains(grade))
                }
                (Away::Some { grades, class_groups }, Part::ClassGroup(name, grade)) => {
                    grades.contains(grade) || class_groups.contains_key(name)
                }
            };
            let mut away = Away::Nobody;
            for (place, part) in parts.iter().enumerate() {
                away = away.with(part.clone(), &BATCH);
                for before in &parts[..=place] {
                    prop_assert!(is_away(&away, before), "{away:?} lacks {before:?}");
                }
            }
        }
    }
}
