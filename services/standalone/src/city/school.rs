//! Makes one school with everybody in it.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use uuid::{Builder, Uuid};

use super::people::{Guardian, Post, Relation, Sex, StaffMember, Student};
use super::plan::{ClassPlan, SchoolPlan, Stage};
use super::{names, number};

/// How many sleep in one room of a dormitory.
const BEDS: u32 = 6;
/// How many rooms one floor has.
const ROOMS: u32 = 20;

/// A school with everybody in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct School<'a> {
    /// What was planned.
    pub plan: &'a SchoolPlan,
    /// The classes, youngest grade first.
    pub classes: Vec<Class>,
    /// The staff.
    pub staff: Vec<StaffMember>,
}

/// A class with its students.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// The id of the class group: stage, entry cohort and number, never the grade.
    pub id: String,
    /// The calendar year in which the cohort entered.
    pub entry_year: i32,
    /// What was planned.
    pub plan: ClassPlan,
    /// The students.
    pub students: Vec<Student>,
}

/// One thing that one member of the staff answers for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// The subject, as in the contracts without its prefix.
    pub subject: &'static str,
    /// The class group; empty for the whole school.
    pub class: String,
    /// Who.
    pub staff: Uuid,
}

impl<'a> School<'a> {
    pub(super) fn make(plan: &'a SchoolPlan, seed: u64, school_year: i32) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // Stream 0 made the plan.
        rng.set_stream(u64::from(plan.index) + 1);
        let mut phone = plan.first_phone;
        let mut classes: Vec<Class> = plan
            .classes
            .iter()
            .map(|class| Class::make(&mut rng, plan, *class, school_year, &mut phone))
            .collect();
        lodge(&mut classes);
        let mut staff = Vec::new();
        for (post, class) in posts(plan) {
            let index = staff.len() as u32;
            let class = class.map(|class| &classes[class]);
            staff.push(member(&mut rng, plan, index, post, class, &mut phone));
        }
        Self {
            plan,
            classes,
            staff,
        }
    }

    /// Who answers for what: exactly one for each subject of the school and for each class.
    pub fn responsibilities(&self) -> impl Iterator<Item = Duty> {
        const SUBJECTS: [(&str, Post); 7] = [
            ("OVERALL_HEAD", Post::Principal),
            ("OVERALL_PARTY", Post::PartySecretary),
            ("SAFETY", Post::SafetyDeputy),
            ("EPIDEMIC_CONTROL", Post::EpidemicReporter),
            ("SECURITY", Post::SafetyDeputy),
            ("FOOD", Post::Canteen),
            ("DATA", Post::Administration),
        ];
        let holder = |post| self.staff.iter().find(|member| member.post == post);
        let whole = SUBJECTS.into_iter().filter_map(move |(subject, post)| {
            let staff = holder(post)?.id;
            Some(Duty {
                subject,
                class: String::new(),
                staff,
            })
        });
        let classes = self.staff.iter().filter_map(|member| {
            let class = member.class.clone()?;
            Some(Duty {
                subject: "CLASS_GROUP",
                class,
                staff: member.id,
            })
        });
        whole.chain(classes)
    }
}

impl Class {
    fn make(
        rng: &mut ChaCha8Rng,
        school: &SchoolPlan,
        plan: ClassPlan,
        school_year: i32,
        phone: &mut u32,
    ) -> Self {
        let entry_year = school_year - (plan.grade as i32 - 1);
        let age = school.stage.entry_age() + plan.grade as i32 - 1;
        let students = (0..plan.students).map(|index| {
            let sex = sex(rng);
            let (birth, round) = number::child_birth(plan.first + index, age, school_year);
            let surname = names::surname(rng);
            *phone += 1;
            Student {
                id: uuid(rng),
                surname,
                given: names::given(rng, sex),
                sex,
                birth,
                id_number: number::resident_id(
                    school.district.division,
                    birth,
                    number::serial(round, sex),
                ),
                boarder: school.stage == Stage::Senior && rng.random_range(0..5) < 2,
                dormitory: String::new(),
                guardian: guardian(rng, surname, *phone),
            }
        });
        Self {
            id: format!("{}{entry_year}-{:02}", school.stage.letter(), plan.number),
            entry_year,
            plan,
            students: students.collect(),
        }
    }

    /// The name on the door, such as 三年级2班.
    pub fn title(&self, stage: Stage) -> String {
        format!(
            "{}{}班",
            stage.grade_word(self.plan.grade),
            self.plan.number
        )
    }
}

/// Gives each boarder a bed, class after class: boys live in building 1, girls in building 2, and
/// where a class ends in the middle of a room the next one goes on.
fn lodge(classes: &mut [Class]) {
    let mut beds = [0_u32; 2];
    let students = classes.iter_mut().flat_map(|class| &mut class.students);
    for student in students.filter(|student| student.boarder) {
        let building = match student.sex {
            Sex::Male => 0,
            Sex::Female => 1,
        };
        let room = beds[building] / BEDS;
        beds[building] += 1;
        let (floor, door) = (room / ROOMS + 1, room % ROOMS + 1);
        student.dormitory = format!("{}-{floor}{door:02}", building + 1);
    }
}

/// The posts of a school, with the class that a head teacher leads.
fn posts(plan: &SchoolPlan) -> impl Iterator<Item = (Post, Option<usize>)> {
    let (classes, students) = (plan.classes.len() as u32, plan.students());
    let school = plan.stage != Stage::Kindergarten;
    let large = students >= 300;
    let several = |post, count: u32| std::iter::repeat_n((post, None), count as usize);
    std::iter::once((Post::Principal, None))
        .chain(several(Post::PartySecretary, 1))
        .chain(several(Post::SafetyDeputy, u32::from(large || school)))
        // One health technician for 600 pupils; a kindergarten one for 150 children.
        .chain(several(
            Post::Medical,
            students.div_ceil(if school { 600 } else { 150 }),
        ))
        .chain(several(Post::EpidemicReporter, 1))
        .chain(several(
            Post::Guard,
            2 + students.saturating_sub(1000) / 500,
        ))
        .chain(several(Post::Cleaner, 1 + students / 500))
        .chain(several(Post::Canteen, 2 + students / 300))
        .chain(several(
            Post::Dormitory,
            if plan.stage == Stage::Senior {
                1 + students / 300
            } else {
                0
            },
        ))
        .chain(several(Post::Counsellor, u32::from(large)))
        .chain(several(Post::Administration, 1))
        .chain((0..classes as usize).map(|class| (Post::HeadTeacher, Some(class))))
        .chain(several(Post::Teacher, classes * 3 / 4))
}

pub(super) fn staff_count(plan: &SchoolPlan) -> u32 {
    posts(plan).count() as u32
}

fn member(
    rng: &mut ChaCha8Rng,
    plan: &SchoolPlan,
    index: u32,
    post: Post,
    class: Option<&Class>,
    phone: &mut u32,
) -> StaffMember {
    let sex = sex(rng);
    let (birth, round) = number::staff_birth(plan.first_staff + index);
    let grade = match (post, class) {
        (_, Some(class)) => class.plan.grade,
        (Post::Teacher, None) => index % plan.stage.grades() + 1,
        (_, None) => 0,
    };
    *phone += 1;
    StaffMember {
        id: uuid(rng),
        staff_code: format!("{}-{:04}", plan.code, index + 1),
        surname: names::surname(rng),
        given: names::given(rng, sex),
        sex,
        birth,
        id_number: number::resident_id(plan.district.division, birth, number::serial(round, sex)),
        phone: number::phone(*phone),
        post,
        class: class.map(|class| class.id.clone()),
        grade,
    }
}

fn guardian(rng: &mut ChaCha8Rng, child: &'static str, phone: u32) -> Guardian {
    let (relation, sex) = match rng.random_range(0..20) {
        0..9 => (Relation::Father, Sex::Male),
        9..18 => (Relation::Mother, Sex::Female),
        _ => (Relation::Grandparent, sex(rng)),
    };
    let surname = if sex == Sex::Male {
        child
    } else {
        names::surname(rng)
    };
    Guardian {
        id: uuid(rng),
        surname,
        given: names::given(rng, sex),
        relation,
        phone: number::phone(phone),
    }
}

fn sex(rng: &mut ChaCha8Rng) -> Sex {
    if rng.random() { Sex::Male } else { Sex::Female }
}

fn uuid(rng: &mut ChaCha8Rng) -> Uuid {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    Builder::from_random_bytes(bytes).into_uuid()
}
