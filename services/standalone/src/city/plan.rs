//! How students, classes and schools spread over the city.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::district::{DISTRICTS, District};
use super::names;

/// The share of kindergarten children among all: with it, class sizes of 28, 42, 46 and 48 give the
/// 38,900 classes that are planned for 1.5 million (the yearbook does not count kindergartens).
const KINDERGARTEN_SHARE: f64 = 0.234;

/// A stage of schooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Stage {
    Kindergarten,
    Primary,
    Junior,
    Senior,
}

impl Stage {
    /// Every stage, youngest first.
    pub const ALL: [Self; 4] = [
        Self::Kindergarten,
        Self::Primary,
        Self::Junior,
        Self::Senior,
    ];

    /// The letter that begins the id of a class group.
    pub fn letter(self) -> char {
        match self {
            Self::Kindergarten => 'k',
            Self::Primary => 'p',
            Self::Junior => 'j',
            Self::Senior => 's',
        }
    }

    /// How many grades it has.
    pub fn grades(self) -> u32 {
        match self {
            Self::Kindergarten | Self::Junior | Self::Senior => 3,
            Self::Primary => 6,
        }
    }

    /// The age that children reach before they enter the first grade.
    pub fn entry_age(self) -> i32 {
        match self {
            Self::Kindergarten => 3,
            Self::Primary => 6,
            Self::Junior => 12,
            Self::Senior => 15,
        }
    }

    /// How many students a class has on average.
    pub fn class_size(self) -> f64 {
        match self {
            Self::Kindergarten => 28.0,
            Self::Primary => 42.0,
            Self::Junior => 46.0,
            Self::Senior => 48.0,
        }
    }

    /// The Chinese name of a grade, counted from 1 within the stage.
    pub fn grade_word(self, grade: u32) -> &'static str {
        const WORDS: [[&str; 6]; 4] = [
            ["小班", "中班", "大班", "", "", ""],
            ["一年级", "二年级", "三年级", "四年级", "五年级", "六年级"],
            ["七年级", "八年级", "九年级", "", "", ""],
            ["高一年级", "高二年级", "高三年级", "", "", ""],
        ];
        WORDS[self as usize][(grade as usize - 1).min(5)]
    }

    fn schools_classes(self) -> f64 {
        match self {
            Self::Kindergarten => 8.0,
            Self::Primary => 20.0,
            Self::Junior => 15.0,
            Self::Senior => 30.0,
        }
    }

    fn category(self) -> u32 {
        match self {
            Self::Kindergarten => 11,
            Self::Primary => 21,
            Self::Junior => 31,
            Self::Senior => 34,
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Kindergarten => "幼儿园",
            Self::Primary => "小学",
            Self::Junior => "初级中学",
            Self::Senior => "高级中学",
        }
    }

    fn weight(self, district: &District) -> f64 {
        let kindergarten = |primary: f64| {
            let (all, primaries) = DISTRICTS.iter().fold((0, 0), |(all, primaries), each| {
                (
                    all + each.senior + each.junior + each.primary,
                    primaries + each.primary,
                )
            });
            let children = f64::from(all) * KINDERGARTEN_SHARE / (1.0 - KINDERGARTEN_SHARE);
            primary * children / f64::from(primaries)
        };
        match self {
            Self::Kindergarten => kindergarten(f64::from(district.primary)),
            Self::Primary => f64::from(district.primary),
            Self::Junior => f64::from(district.junior),
            Self::Senior => f64::from(district.senior),
        }
    }
}

/// A class that is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassPlan {
    /// The grade, counted from 1 within the stage.
    pub grade: u32,
    /// The number within the grade of the school, from 1.
    pub number: u32,
    /// How many students.
    pub students: u32,
    /// How many children of the same district, stage and grade come before.
    pub(super) first: u32,
}

/// A school that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchoolPlan {
    /// The place among all schools: its random stream.
    pub index: u32,
    /// The 10-digit school code; serials from 900001 are given to no real school.
    pub code: String,
    /// The invented name.
    pub name: String,
    /// The district.
    pub district: &'static District,
    /// The stage.
    pub stage: Stage,
    /// The classes, youngest grade first.
    pub classes: Vec<ClassPlan>,
    /// How many staff of the district come before.
    pub(super) first_staff: u32,
    /// How many people of the city come before: phone numbers are counted.
    pub(super) first_phone: u32,
}

impl SchoolPlan {
    /// How many students it has.
    pub fn students(&self) -> u32 {
        self.classes.iter().map(|class| class.students).sum()
    }

    /// How many staff it has.
    pub fn staff(&self) -> u32 {
        super::school::staff_count(self)
    }

    /// Where it stands in the organisation tree.
    pub fn org_path(&self) -> String {
        format!(
            "{}/{}/{}",
            super::CITY_ID,
            self.district.division,
            self.code
        )
    }
}

/// Every school of the city with its classes, but nobody in them yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    schools: Vec<SchoolPlan>,
}

impl Plan {
    /// Spreads `students` over the city.
    pub fn new(students: u64, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let cells: Vec<(&'static District, Stage)> = DISTRICTS
            .iter()
            .flat_map(|district| Stage::ALL.into_iter().map(move |stage| (district, stage)))
            .collect();
        let weights: Vec<f64> = cells
            .iter()
            .map(|(district, stage)| stage.weight(district))
            .collect();
        let mut schools = Vec::new();
        let mut serials = [0_u32; 4];
        for ((district, stage), students) in cells.into_iter().zip(apportion(students, &weights)) {
            fill(
                &mut schools,
                &mut serials,
                &mut rng,
                district,
                stage,
                students,
            );
        }
        number(&mut schools);
        Self { schools }
    }

    /// The schools, district by district.
    pub fn schools(&self) -> &[SchoolPlan] {
        &self.schools
    }

    /// How many classes the city has.
    pub fn classes(&self) -> usize {
        self.schools.iter().map(|school| school.classes.len()).sum()
    }

    /// How many students the city has.
    pub fn students(&self) -> u64 {
        self.schools
            .iter()
            .map(|school| u64::from(school.students()))
            .sum()
    }

    /// How many staff the city has.
    pub fn staff(&self) -> u64 {
        self.schools
            .iter()
            .map(|school| u64::from(school.staff()))
            .sum()
    }
}

/// Adds the schools of one stage in one district.
fn fill(
    schools: &mut Vec<SchoolPlan>,
    serials: &mut [u32; 4],
    rng: &mut ChaCha8Rng,
    district: &'static District,
    stage: Stage,
    students: u64,
) {
    if students == 0 {
        return;
    }
    let classes = ((students as f64 / stage.class_size()).round() as u64).max(1);
    let count = ((classes as f64 / stage.schools_classes()).round() as u64).clamp(1, classes);
    // Every school has a class; the others are spread unevenly, as in a real city.
    let uneven: Vec<f64> = (0..count).map(|_| rng.random_range(0.4..1.6)).collect();
    let per_school: Vec<u64> = apportion(classes - count, &uneven)
        .into_iter()
        .map(|more| more + 1)
        .collect();
    let uneven: Vec<f64> = (0..classes).map(|_| rng.random_range(0.88..1.12)).collect();
    let mut sizes = apportion(students, &uneven).into_iter();
    let mut first = [0_u32; 6];
    for (index, classes) in per_school.into_iter().enumerate() {
        serials[stage as usize] += 1;
        let serial = 900_000 + serials[stage as usize];
        let offset = rng.random_range(0..stage.grades());
        let mut classes: Vec<(u32, u32)> = (0..classes as u32)
            .map(|class| {
                (
                    (class + offset) % stage.grades() + 1,
                    class / stage.grades() + 1,
                )
            })
            .collect();
        classes.sort_unstable();
        let classes = classes
            .into_iter()
            .zip(&mut sizes)
            .map(|((grade, number), students)| {
                let students = students as u32;
                let before = &mut first[grade as usize - 1];
                *before += students;
                ClassPlan {
                    grade,
                    number,
                    students,
                    first: *before - students,
                }
            });
        schools.push(SchoolPlan {
            index: 0,
            code: format!("{}35{serial:06}", stage.category()),
            name: names::school(district.short, index, stage.kind()),
            district,
            stage,
            classes: classes.filter(|class| class.students > 0).collect(),
            first_staff: 0,
            first_phone: 0,
        });
    }
}

/// Counts schools, staff and phone numbers through.
fn number(schools: &mut [SchoolPlan]) {
    let (mut staff, mut phones, mut division) = (0, 0, "");
    for (index, school) in schools.iter_mut().enumerate() {
        if school.district.division != division {
            (staff, division) = (0, school.district.division);
        }
        let count = school.staff();
        (school.index, school.first_staff, school.first_phone) = (index as u32, staff, phones);
        staff += count;
        phones += count + school.students();
    }
}

/// Splits `total` by `weights` without losing one: whole shares first, the rest to the largest
/// remainders.
pub(super) fn apportion(total: u64, weights: &[f64]) -> Vec<u64> {
    let sum: f64 = weights.iter().sum();
    let exact: Vec<f64> = weights
        .iter()
        .map(|weight| total as f64 * weight / sum)
        .collect();
    let mut shares: Vec<u64> = exact.iter().map(|share| share.floor() as u64).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|a, b| {
        (exact[*b].fract())
            .total_cmp(&exact[*a].fract())
            .then_with(|| a.cmp(b))
    });
    let rest = total - shares.iter().sum::<u64>();
    for index in order.into_iter().cycle().take(rest as usize) {
        shares[index] += 1;
    }
    shares
}
