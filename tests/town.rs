//! The invented town: primary schools below one county bureau, with everybody who belongs to them.

use chrono::{Datelike, Days, NaiveDate};
use kit::clock::{Clock, SystemClock};
use proto::roster::import_row::Record;
use proto::roster::{
    ClassGroupRow, GuardianRow, ImportRow, OrganizationRow, StaffMemberRow, StudentRow,
};

/// The city.
pub const CITY: &str = "fz";
/// The only county bureau.
pub const DISTRICT: &str = "350102";
/// The organisation that is founded last.
pub const LAST: &str = "base-01";
/// How many class groups each school has, unless a test wants more.
pub const CLASSES: u32 = 2;
/// How many students each class group has, unless a test wants more.
pub const STUDENTS: u32 = 20;
/// The posts of each school beside its head teachers.
pub const POSTS: [&str; 3] = ["校长", "疫情报告人", "保安"];

/// How large the town is. Everything else follows from it.
#[derive(Clone, Copy, Debug)]
pub struct Town {
    /// How many schools there are, numbered from 1.
    pub schools: u32,
    /// How many class groups each has, numbered from 1.
    pub classes: u32,
    /// How many students each class group has, numbered from 1.
    pub students: u32,
    /// The day on which it was invented.
    pub today: NaiveDate,
}

/// The id of the school with this number.
pub fn school(number: u32) -> String {
    format!("21350100{number:02}")
}

/// The place of a school in the tree.
pub fn school_path(number: u32) -> String {
    format!("{CITY}/{DISTRICT}/{}", school(number))
}

/// What a student is called.
pub fn student_called(school: u32, class: u32, place: u32) -> String {
    format!("学生{school:02}{class:02}{place:03}")
}

/// What the one who holds a post of a school is called.
pub fn staff_called(school: u32, post: &str) -> String {
    format!("{post}{school:02}")
}

/// The resident id of somebody invented: nobody has these serials.
pub fn resident_id(number: u32) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let first = NaiveDate::from_ymd_opt(2016, 9, 1).expect("a day");
    let born = first + Days::new(u64::from(number / 900));
    let number = format!(
        "{DISTRICT}{}{:03}",
        born.format("%Y%m%d"),
        999 - number % 900
    );
    let digits = number.bytes().map(|digit| u32::from(digit - b'0'));
    let sum: u32 = digits
        .zip(WEIGHTS)
        .map(|(digit, weight)| digit * weight)
        .sum();
    format!("{number}{}", char::from(b"10X98765432"[sum as usize % 11]))
}

impl Town {
    /// A town with this many schools of the usual size.
    pub fn of(schools: u32) -> Self {
        Self {
            schools,
            classes: CLASSES,
            students: STUDENTS,
            today: SystemClock.today(),
        }
    }

    /// How many students there are.
    pub fn everybody(&self) -> u32 {
        self.schools * self.classes * self.students
    }

    /// The id of the class group with this number: the third grade.
    pub fn class_id(&self, class: u32) -> String {
        let began = self.today.year() - i32::from(self.today.month() < 9);
        format!("p{}-{class:02}", began - 2)
    }

    /// The resource name of a class group.
    pub fn class_group(&self, at: u32, class: u32) -> String {
        let school = school(at);
        format!(
            "organizations/{school}/classGroups/{}",
            self.class_id(class)
        )
    }

    /// The number of a student among all.
    pub fn number(&self, school: u32, class: u32, place: u32) -> u32 {
        ((school - 1) * self.classes + class - 1) * self.students + place - 1
    }

    /// The row of a student.
    pub fn student(&self, at: u32, class: u32, called: String, number: u32) -> StudentRow {
        StudentRow {
            organization: school(at),
            class_group: self.class_id(class),
            display_name: called,
            id_number: resident_id(number),
            ..StudentRow::default()
        }
    }

    /// Everything that is imported, parents first.
    pub fn rows(&self) -> Vec<ImportRow> {
        let mut records = organizations(self.schools);
        for at in 1..=self.schools {
            records.extend((1..=self.classes).map(|class| self.class_row(at, class)));
        }
        for at in 1..=self.schools {
            records.extend(self.staff(at));
        }
        for at in 1..=self.schools {
            for class in 1..=self.classes {
                for place in 1..=self.students {
                    records.extend(self.family(at, class, place));
                }
            }
        }
        numbered(records)
    }

    fn class_row(&self, at: u32, class: u32) -> (String, Record) {
        let row = ClassGroupRow {
            organization: school(at),
            class_group: self.class_id(class),
            display_name: format!("三年（{class}）班"),
            grade: 3,
        };
        (format!("c-{at}-{class}"), Record::ClassGroup(row))
    }

    fn staff(&self, at: u32) -> Vec<(String, Record)> {
        let member = |post: &str, class_group: String| StaffMemberRow {
            organization: school(at),
            display_name: staff_called(at, post),
            post: post.to_owned(),
            class_group,
            ..StaffMemberRow::default()
        };
        let posts = POSTS.iter().map(|post| member(post, String::new()));
        let heads = (1..=self.classes).map(|class| member("班主任", self.class_id(class)));
        let numbered = posts.chain(heads).enumerate();
        numbered
            .map(|(place, row)| (format!("w-{at}-{place}"), Record::StaffMember(row)))
            .collect()
    }

    /// A student with a guardian.
    fn family(&self, at: u32, class: u32, place: u32) -> [(String, Record); 2] {
        let id = format!("s-{at}-{class}-{place}");
        let number = self.number(at, class, place);
        let student = self.student(at, class, student_called(at, class, place), number);
        let guardian = GuardianRow {
            student: id.clone(),
            display_name: format!("家长{at:02}{class:02}{place:03}"),
            relation: "母亲".to_owned(),
            phone: format!("199{number:08}"),
            priority: 1,
        };
        [
            (id, Record::Student(student)),
            (
                format!("g-{at}-{class}-{place}"),
                Record::Guardian(guardian),
            ),
        ]
    }
}

/// Rows from 1 on.
pub fn numbered(records: Vec<(String, Record)>) -> Vec<ImportRow> {
    let rows = records.into_iter().zip(1..);
    rows.map(|((external_id, record), row)| ImportRow {
        row,
        removal: false,
        external_id,
        record: Some(record),
    })
    .collect()
}

fn organizations(schools: u32) -> Vec<(String, Record)> {
    let organization = |id: &str, kind: &str, parent: &str, division: &str, code: &str| {
        let row = OrganizationRow {
            organization: id.to_owned(),
            kind: kind.to_owned(),
            display_name: format!("机构{id}"),
            parent: parent.to_owned(),
            division_code: division.to_owned(),
            school_code: code.to_owned(),
        };
        (id.to_owned(), Record::Organization(row))
    };
    let mut all = vec![
        organization(CITY, "CITY_BUREAU", "", "350100", ""),
        organization(DISTRICT, "COUNTY_BUREAU", CITY, DISTRICT, ""),
    ];
    all.extend((1..=schools).map(|number| {
        let id = school(number);
        organization(&id, "SCHOOL", DISTRICT, DISTRICT, &id)
    }));
    all
}
