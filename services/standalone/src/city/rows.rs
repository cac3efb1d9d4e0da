//! The city as rows of an import.

use proto::roster::import_row::Record;
use proto::roster::{
    ClassGroupRow, GuardianRow, ImportRow, OrganizationRow, StaffMemberRow, StudentRow,
};

use super::{CITY_DIVISION, CITY_ID, CITY_NAME, City, DISTRICTS, School, Sex, Stage};

impl City {
    /// Everything as rows, parents first, numbered from 1 without gaps: the tree, then each school
    /// with its class groups, staff, students and guardians.
    pub fn rows(&self) -> impl Iterator<Item = ImportRow> {
        let schools = self.schools().flat_map(|school| of_school(&school));
        tree()
            .into_iter()
            .chain(schools)
            .zip(1..)
            .map(|(row, number)| ImportRow { row: number, ..row })
    }

    /// How many rows that is.
    pub fn row_count(&self) -> u64 {
        let plan = self.plan();
        let tree = 1 + DISTRICTS.len() + plan.schools().len() + plan.classes();
        tree as u64 + plan.staff() + 2 * plan.students()
    }
}

fn row(external_id: impl Into<String>, record: Record) -> ImportRow {
    ImportRow {
        row: 0,
        removal: false,
        external_id: external_id.into(),
        record: Some(record),
    }
}

fn organization(
    id: &str,
    kind: &str,
    name: &str,
    parent: &str,
    division: &str,
    code: &str,
) -> ImportRow {
    let record = OrganizationRow {
        organization: id.to_owned(),
        kind: kind.to_owned(),
        display_name: name.to_owned(),
        parent: parent.to_owned(),
        division_code: division.to_owned(),
        school_code: code.to_owned(),
    };
    row(id, Record::Organization(record))
}

fn tree() -> Vec<ImportRow> {
    let mut rows = vec![organization(
        CITY_ID,
        "CITY_BUREAU",
        CITY_NAME,
        "",
        CITY_DIVISION,
        "",
    )];
    rows.extend(DISTRICTS.iter().map(|district| {
        let name = format!("{}教育局", district.name);
        organization(
            district.division,
            "COUNTY_BUREAU",
            &name,
            CITY_ID,
            district.division,
            "",
        )
    }));
    rows
}

fn of_school(school: &School<'_>) -> Vec<ImportRow> {
    let (plan, code) = (school.plan, &school.plan.code);
    let kind = if plan.stage == Stage::Kindergarten {
        "KINDERGARTEN"
    } else {
        "SCHOOL"
    };
    let division = plan.district.division;
    let mut rows = vec![organization(
        code, kind, &plan.name, division, division, code,
    )];
    let first_grade = match plan.stage {
        Stage::Kindergarten => None,
        Stage::Primary => Some(0),
        Stage::Junior => Some(6),
        Stage::Senior => Some(9),
    };
    for class in &school.classes {
        let record = ClassGroupRow {
            organization: code.clone(),
            class_group: class.id.clone(),
            display_name: class.title(plan.stage),
            grade: first_grade.map_or(0, |first| first + class.plan.grade as i32),
        };
        rows.push(row(
            format!("{code}-{}", class.id),
            Record::ClassGroup(record),
        ));
    }
    for member in &school.staff {
        let record = StaffMemberRow {
            organization: code.clone(),
            display_name: member.name(),
            post: member.post.code().to_owned(),
            id_type: String::new(),
            id_number: member.id_number.clone(),
            phone: member.phone.clone(),
            class_group: member.class.clone().unwrap_or_default(),
        };
        rows.push(row(member.id, Record::StaffMember(record)));
    }
    for class in &school.classes {
        for student in &class.students {
            let record = StudentRow {
                organization: code.clone(),
                class_group: class.id.clone(),
                display_name: student.name(),
                sex: if student.sex == Sex::Male {
                    "男"
                } else {
                    "女"
                }
                .to_owned(),
                birth_date: student.birth.format("%Y%m%d").to_string(),
                id_type: String::new(),
                id_number: student.id_number.clone(),
                student_number: student.student_number(),
                phone: String::new(),
                boarder: if student.boarder { "是" } else { "否" }.to_owned(),
                modified_date: String::new(),
            };
            rows.push(row(student.id, Record::Student(record)));
            let guardian = &student.guardian;
            let record = GuardianRow {
                student: student.id.to_string(),
                display_name: guardian.name(),
                relation: guardian.relation.word().to_owned(),
                phone: guardian.phone.clone(),
                priority: 1,
            };
            rows.push(row(guardian.id, Record::Guardian(record)));
        }
    }
    rows
}
