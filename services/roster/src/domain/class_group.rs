//! Class groups: what they are called, which grade they are in, and when they finish (rule 7.9).

use chrono::NaiveDate;
use uuid::Uuid;

use super::import::{ClassGroupId, school_year};
use super::organization::{Stage, coded};

coded! {
    /// The place of a class group in its life cycle.
    State {
        /// Taught.
        Active = 1 "ACTIVE",
        /// Finished its stage.
        Graduated = 2 "GRADUATED",
    }
}

coded! {
    /// How a class group is taught.
    TeachingMode {
        /// Students are present at school.
        InPerson = 1 "IN_PERSON",
        /// Students are taught at home.
        Online = 2 "ONLINE",
        /// Teaching is suspended.
        Suspended = 3 "SUSPENDED",
    }
}

coded! {
    /// On what ground pupils are kept away. Each stands for itself, and the strictest mode of all holds.
    Ground {
        /// The closing of schools until they may resume, and whatever is none of the others.
        General = 1 "GENERAL",
        /// An outbreak.
        Epidemic = 2 "EPIDEMIC",
        /// The weather.
        Weather = 3 "WEATHER",
    }
}

impl TeachingMode {
    /// How a class group is taught that is kept away in these modes, one a ground.
    pub fn strictest(grounds: impl IntoIterator<Item = Self>) -> Self {
        let strictest = grounds.into_iter().max_by_key(|mode| mode.code());
        strictest.unwrap_or(Self::InPerson)
    }
}

/// Students who are taught together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassGroup {
    /// The place in the tree; its last part is the id.
    pub org_path: String,
    /// The code of its organisation.
    pub organization: String,
    /// Stage, cohort and number.
    pub id: ClassGroupId,
    /// Shown to people; empty for the name that follows from grade and number.
    pub display_name: String,
    /// How it is taught.
    pub teaching_mode: TeachingMode,
    /// Who leads it.
    pub head_teacher: Option<Uuid>,
    /// The place in the life cycle.
    pub state: State,
    /// The latest school year that began for it; see [`reckoned`].
    pub school_year: i32,
    /// Grows with each change of the class group.
    pub version: i64,
    /// Grows with each change of the class group or of anybody on its roll.
    pub roll_version: i64,
    /// How many students are on its roll.
    pub student_count: i32,
    /// The instant of the last change, in milliseconds since 1970.
    pub update_time: i64,
}

/// What the beginning of a school year does to a class group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promotion {
    /// It finishes, its last day being this one.
    Finishes(NaiveDate),
    /// It goes on in a new grade.
    GoesOn,
    /// That school year began for it before, or its cohort has not entered yet.
    Stays,
}

/// The class group has finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished;

impl ClassGroup {
    /// The resource name.
    pub fn name(&self) -> String {
        name(&self.organization, self.id.as_str())
    }

    /// Itself while it is taught: only then it changes and takes students.
    ///
    /// # Errors
    /// When it has finished.
    pub fn taught(self) -> Result<Self, Finished> {
        match self.state {
            State::Active => Ok(self),
            State::Graduated => Err(Finished),
        }
    }

    /// The grade on a day; none before the cohort entered and once it finished.
    pub fn grade(&self, today: NaiveDate) -> Option<i32> {
        let taught = self.state == State::Active;
        let day = reckoned(self.school_year, today);
        self.id.grade(day).filter(|_| taught)
    }

    /// What the school year of `date` does to it.
    ///
    /// # Errors
    /// When it has finished.
    pub fn promotion(&self, date: NaiveDate) -> Result<Promotion, Finished> {
        if self.state == State::Graduated {
            return Err(Finished);
        }
        if self.id.has_finished(date) {
            return Ok(Promotion::Finishes(last_day(&self.id)));
        }
        let begins = self.school_year < school_year(date) && self.id.grade(date).is_some();
        Ok(if begins {
            Promotion::GoesOn
        } else {
            Promotion::Stays
        })
    }
}

/// The name of the class group `id` of an organisation.
pub fn name(organization: &str, id: &str) -> String {
    format!("organizations/{organization}/classGroups/{id}")
}

/// The name of the class group at a place in the tree.
pub fn name_at(org_path: &str) -> String {
    let (above, id) = org_path.rsplit_once('/').unwrap_or(("", org_path));
    let organization = above.rsplit('/').next().unwrap_or_default();
    name(organization, id)
}

/// The day that decides a grade: today, or the first day of `begun`, the latest school year that
/// began for the class group. A school may begin a school year before its 1 September.
pub fn reckoned(begun: i32, today: NaiveDate) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(begun, 9, 1).unwrap_or(today);
    first.max(today)
}

/// The last civil day of a cohort in its stage: 31 August of its last school year.
pub fn last_day(id: &ClassGroupId) -> NaiveDate {
    let (_, years) = id.stage().grades();
    NaiveDate::from_ymd_opt(id.entry_year() + years, 8, 31).unwrap_or(NaiveDate::MAX)
}

/// Whether the cohort of `id` may get a class group on `today`: it has not finished, and enters
/// next year at the latest.
pub fn may_open(id: &ClassGroupId, today: NaiveDate) -> bool {
    !id.has_finished(today) && id.entry_year() <= school_year(today) + 1
}

/// Whether the school year of `date` may begin on `today`: it is the present one or the next one.
pub fn may_begin(date: NaiveDate, today: NaiveDate) -> bool {
    let present = school_year(today);
    (present..=present + 1).contains(&school_year(date))
}

/// The grade as rolls carry it: 1 to 12 from primary to senior, 0 for other stages and outside of
/// the stage's years.
pub fn roll_grade(id: &ClassGroupId, begun: i32, today: NaiveDate) -> i32 {
    if id.stage().counts_grades() {
        id.grade(reckoned(begun, today)).unwrap_or_default()
    } else {
        0
    }
}

/// What people call a class group: its own name, or the one from grade and number, such as
/// 三年（2）班; outside of the years of its stage the cohort stands for the grade.
pub fn shown_name(own: &str, id: &ClassGroupId, begun: i32, today: NaiveDate) -> String {
    if !own.is_empty() {
        return own.to_owned();
    }
    let number = id.number();
    match id.grade(reckoned(begun, today)) {
        Some(grade) => format!("{}（{number}）班", grade_name(id.stage(), grade)),
        None => format!("{}级（{number}）班", id.entry_year()),
    }
}

fn grade_name(stage: Stage, grade: i32) -> String {
    let (before, _) = stage.grades();
    let year = numeral(grade - before);
    match stage {
        Stage::Kindergarten => match grade {
            1 => "小班".to_owned(),
            2 => "中班".to_owned(),
            _ => "大班".to_owned(),
        },
        Stage::Primary => format!("{year}年"),
        Stage::Junior => format!("初{year}"),
        Stage::Senior => format!("高{year}"),
        Stage::Vocational => format!("职{year}"),
        Stage::Special => format!("特{year}年"),
        Stage::University => format!("大{year}"),
    }
}

/// A number from 1 to 12 in Chinese.
fn numeral(number: i32) -> &'static str {
    const NUMERALS: [&str; 12] = [
        "一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二",
    ];
    let place = usize::try_from(number - 1).unwrap_or_default();
    NUMERALS.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn group(id: &str) -> ClassGroup {
        ClassGroup {
            org_path: format!("fz/a/{id}"),
            organization: "a".to_owned(),
            id: id.parse().unwrap(),
            display_name: String::new(),
            teaching_mode: TeachingMode::InPerson,
            head_teacher: None,
            state: State::Active,
            school_year: 2021,
            version: 1,
            roll_version: 1,
            student_count: 0,
            update_time: 0,
        }
    }

    #[test]
    fn names_follow_from_grade_and_number_in_every_stage() {
        let today = day("2022-04-07");
        for (id, expected) in [
            ("k2021-01", "小班（1）班"),
            ("k2020-02", "中班（2）班"),
            ("k2019-03", "大班（3）班"),
            ("p2019-02", "三年（2）班"),
            ("p2016-10", "六年（10）班"),
            ("j2021-01", "初一（1）班"),
            ("s2021-02", "高一（2）班"),
            ("s2019-02", "高三（2）班"),
            ("v2020-01", "职二（1）班"),
            ("x2010-01", "特十二年（1）班"),
            ("u2021-01", "大一（1）班"),
            ("p2022-01", "2022级（1）班"),
            ("j2018-04", "2018级（4）班"),
        ] {
            let id: ClassGroupId = id.parse().unwrap();
            assert_eq!(shown_name("", &id, 2021, today), expected);
            assert_eq!(shown_name("火箭班", &id, 2021, today), "火箭班");
        }
    }

    #[test]
    fn grades_turn_on_1_september_or_when_the_school_begins_its_year() {
        let mut group = group("p2019-01");
        assert_eq!(group.grade(day("2022-08-31")), Some(3));
        assert_eq!(group.grade(day("2022-09-01")), Some(4));
        group.school_year = 2022;
        assert_eq!(group.grade(day("2022-07-01")), Some(4));
        assert_eq!(roll_grade(&group.id, 2022, day("2022-07-01")), 4);
        group.state = State::Graduated;
        assert_eq!(group.grade(day("2022-08-31")), None);
    }

    #[test]
    fn rolls_carry_grades_of_primary_to_senior_only() {
        let today = day("2022-04-07");
        let grade = |id: &str| roll_grade(&id.parse().unwrap(), 0, today);
        assert_eq!(
            (grade("s2019-01"), grade("k2020-01"), grade("p2022-01")),
            (12, 0, 0)
        );
    }

    #[test]
    fn the_name_of_a_place_is_that_of_its_last_two_parts() {
        assert_eq!(
            name_at("fz/350102/2135010001/p2019-01"),
            "organizations/2135010001/classGroups/p2019-01"
        );
    }

    #[test]
    fn a_school_year_finishes_some_and_moves_the_others_once() {
        let autumn = day("2022-09-05");
        let last = Promotion::Finishes(day("2022-08-31"));
        assert_eq!(group("p2016-01").promotion(autumn), Ok(last));
        assert_eq!(
            group("p2016-01").promotion(day("2022-08-31")),
            Ok(Promotion::Stays)
        );
        assert_eq!(group("p2019-01").promotion(autumn), Ok(Promotion::GoesOn));
        let mut begun = group("p2019-01");
        begun.school_year = 2022;
        assert_eq!(begun.promotion(autumn), Ok(Promotion::Stays));
        assert_eq!(group("p2023-01").promotion(autumn), Ok(Promotion::Stays));
        // Whoever was forgotten for years left when the cohort did.
        let late = Promotion::Finishes(day("2020-08-31"));
        assert_eq!(group("p2014-01").promotion(autumn), Ok(late));
    }

    #[test]
    fn a_finished_class_group_neither_changes_nor_finishes_again() {
        let finished = ClassGroup {
            state: State::Graduated,
            ..group("p2016-01")
        };
        assert_eq!(finished.promotion(day("2022-09-05")), Err(Finished));
        assert_eq!(finished.taught(), Err(Finished));
        let taught = group("p2016-01");
        assert_eq!(taught.clone().taught(), Ok(taught));
    }

    #[test]
    fn cohorts_open_from_the_year_before_until_they_finish() {
        let today = day("2022-04-07");
        let may = |id: &str| may_open(&id.parse().unwrap(), today);
        assert!(may("p2022-01") && may("p2016-01"));
        assert!(!may("p2023-01") && !may("p2015-01"));
    }

    #[test]
    fn only_the_present_and_the_next_school_year_begin() {
        let today = day("2022-04-07");
        let may = |date: &str| may_begin(day(date), today);
        assert!(may("2021-09-01") && may("2022-09-01") && may("2023-08-31"));
        assert!(!may("2021-08-31") && !may("2023-09-01"));
    }

    proptest! {
        #[test]
        fn a_second_promotion_in_a_school_year_finds_nothing_to_do(
            entry in 2005..2025_i32, begun in 2015..2023_i32, days in 0..364_i64,
        ) {
            let first = NaiveDate::from_ymd_opt(2022, 9, 1).unwrap();
            let date = first + chrono::Duration::days(days);
            let mut group = ClassGroup { school_year: begun, ..group("p2019-01") };
            group.id = ClassGroupId::new(Stage::Primary, entry, 1).unwrap();
            match group.promotion(first).unwrap() {
                Promotion::Finishes(_) => group.state = State::Graduated,
                Promotion::GoesOn => group.school_year = school_year(first),
                Promotion::Stays => {}
            }
            let again = group.promotion(date);
            prop_assert!(matches!(again, Ok(Promotion::Stays) | Err(Finished)), "{again:?}");
        }
    }
}
