//! OneRoster 1.1, CSV, bulk.

use std::io;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use uuid::Uuid;

use super::{Sheet, Written, add, tell};
use crate::city::{
    CITY_DIVISION, CITY_ID, CITY_NAME, City, Class, DISTRICTS, Post, School, Sex, Stage,
};

const COURSE: &str = "homeroom";

struct Files {
    orgs: Sheet,
    classes: Sheet,
    users: Sheet,
    enrollments: Sheet,
    demographics: Sheet,
}

pub(super) fn write(city: &City, folder: &Path, written: &AtomicU64) -> io::Result<Written> {
    let term = city.school_year().to_string();
    let small = [
        manifest(folder)?,
        session(folder, city.school_year())?,
        course(folder, &term)?,
    ];
    let mut files = Files::create(folder)?;
    for school in city.schools() {
        files.school(&school, &term)?;
        tell(written, school.plan.students());
    }
    let Files {
        orgs,
        classes,
        users,
        enrollments,
        demographics,
    } = files;
    add(small
        .into_iter()
        .chain([orgs, classes, users, enrollments, demographics]))
}

fn manifest(folder: &Path) -> io::Result<Sheet> {
    let mut sheet = Sheet::create(&folder.join("manifest.csv"), &["propertyName", "value"])?;
    for (name, value) in [
        ("manifest.version", "1.0"),
        ("oneroster.version", "1.1"),
        ("file.academicSessions", "bulk"),
        ("file.categories", "absent"),
        ("file.classes", "bulk"),
        ("file.classResources", "absent"),
        ("file.courses", "bulk"),
        ("file.courseResources", "absent"),
        ("file.demographics", "bulk"),
        ("file.enrollments", "bulk"),
        ("file.lineItems", "absent"),
        ("file.orgs", "bulk"),
        ("file.resources", "absent"),
        ("file.results", "absent"),
        ("file.users", "bulk"),
        ("source.systemName", "campus city generate"),
        ("source.systemCode", "campus"),
    ] {
        sheet.row(&[name, value])?;
    }
    Ok(sheet)
}

fn session(folder: &Path, year: i32) -> io::Result<Sheet> {
    let header = [
        "sourcedId",
        "status",
        "dateLastModified",
        "title",
        "type",
        "startDate",
        "endDate",
        "parentSourcedId",
        "schoolYear",
    ];
    let mut sheet = Sheet::create(&folder.join("academicSessions.csv"), &header)?;
    let (start, end) = (format!("{year}-09-01"), format!("{}-07-15", year + 1));
    let (id, next) = (year.to_string(), (year + 1).to_string());
    let title = format!("{year}-{next}学年");
    sheet.row(&[&id, "", "", &title, "schoolYear", &start, &end, "", &next])?;
    Ok(sheet)
}

fn course(folder: &Path, term: &str) -> io::Result<Sheet> {
    let header = [
        "sourcedId",
        "status",
        "dateLastModified",
        "schoolYearSourcedId",
        "title",
        "courseCode",
        "grades",
        "orgSourcedId",
        "subjects",
        "subjectCodes",
    ];
    let mut sheet = Sheet::create(&folder.join("courses.csv"), &header)?;
    sheet.row(&[COURSE, "", "", term, "行政班", COURSE, "", CITY_ID, "", ""])?;
    Ok(sheet)
}

impl Files {
    fn create(folder: &Path) -> io::Result<Self> {
        let sheet = |name: &str, header: &[&str]| Sheet::create(&folder.join(name), header);
        let mut orgs = sheet(
            "orgs.csv",
            &[
                "sourcedId",
                "status",
                "dateLastModified",
                "name",
                "type",
                "identifier",
                "parentSourcedId",
                "metadata.division",
            ],
        )?;
        orgs.row(&[
            CITY_ID,
            "",
            "",
            CITY_NAME,
            "local",
            CITY_DIVISION,
            "",
            CITY_DIVISION,
        ])?;
        for district in &DISTRICTS {
            let (id, name) = (district.division, format!("{}教育局", district.name));
            orgs.row(&[id, "", "", &name, "district", id, CITY_ID, id])?;
        }
        Ok(Self {
            orgs,
            classes: sheet(
                "classes.csv",
                &[
                    "sourcedId",
                    "status",
                    "dateLastModified",
                    "title",
                    "grades",
                    "courseSourcedId",
                    "classCode",
                    "classType",
                    "location",
                    "schoolSourcedId",
                    "termSourcedIds",
                    "subjects",
                    "subjectCodes",
                    "periods",
                ],
            )?,
            users: sheet(
                "users.csv",
                &[
                    "sourcedId",
                    "status",
                    "dateLastModified",
                    "enabledUser",
                    "orgSourcedIds",
                    "role",
                    "username",
                    "userIds",
                    "givenName",
                    "familyName",
                    "middleName",
                    "identifier",
                    "email",
                    "sms",
                    "phone",
                    "agentSourcedIds",
                    "grades",
                    "password",
                    "metadata.post",
                    "metadata.boarder",
                    "metadata.relation",
                ],
            )?,
            enrollments: sheet(
                "enrollments.csv",
                &[
                    "sourcedId",
                    "status",
                    "dateLastModified",
                    "classSourcedId",
                    "schoolSourcedId",
                    "userSourcedId",
                    "role",
                    "primary",
                    "beginDate",
                    "endDate",
                ],
            )?,
            demographics: sheet(
                "demographics.csv",
                &[
                    "sourcedId",
                    "status",
                    "dateLastModified",
                    "birthDate",
                    "sex",
                ],
            )?,
        })
    }

    fn school(&mut self, school: &School<'_>, term: &str) -> io::Result<()> {
        let (plan, code) = (school.plan, &school.plan.code);
        self.orgs.row(&[
            code,
            "",
            "",
            &plan.name,
            "school",
            code,
            plan.district.division,
            plan.district.division,
        ])?;
        for class in &school.classes {
            let class_id = class_id(code, &class.id);
            let grade = grade(plan.stage, class.plan.grade);
            let title = class.title(plan.stage);
            self.classes.row(&[
                &class_id, "", "", &title, grade, COURSE, &class.id, "homeroom", "", code, term,
                "", "", "",
            ])?;
            self.students(class, code, &class_id, grade)?;
        }
        for member in &school.staff {
            let role = if teaches(member.post) {
                "teacher"
            } else {
                "aide"
            };
            let (id, ids) = (member.id.to_string(), user_ids(&member.id_number));
            self.users.row(&[
                &id,
                "",
                "",
                "true",
                code,
                role,
                &member.staff_code,
                &ids,
                &member.given,
                member.surname,
                "",
                &member.staff_code,
                "",
                &member.phone,
                &member.phone,
                "",
                "",
                "",
                member.post.code(),
                "",
                "",
            ])?;
            self.person(&id, member.sex, member.birth)?;
            if let Some(class) = &member.class {
                let class = class_id(code, class);
                let enrollment = format!("e-{id}");
                self.enrollments.row(&[
                    &enrollment,
                    "",
                    "",
                    &class,
                    code,
                    &id,
                    "teacher",
                    "true",
                    "",
                    "",
                ])?;
            }
        }
        Ok(())
    }

    fn students(
        &mut self,
        class: &Class,
        school: &str,
        class_id: &str,
        grade: &str,
    ) -> io::Result<()> {
        let mut buffer = [Uuid::encode_buffer(), Uuid::encode_buffer()];
        for student in &class.students {
            let [mine, theirs] = &mut buffer;
            let id: &str = student.id.hyphenated().encode_lower(mine);
            let agent: &str = student.guardian.id.hyphenated().encode_lower(theirs);
            let ids = user_ids(&student.id_number);
            self.users.row(&[
                id,
                "",
                "",
                "true",
                school,
                "student",
                id,
                &ids,
                &student.given,
                student.surname,
                "",
                &student.student_number(),
                "",
                "",
                "",
                agent,
                grade,
                "",
                "",
                if student.boarder { "true" } else { "false" },
                "",
            ])?;
            let guardian = &student.guardian;
            self.users.row(&[
                agent,
                "",
                "",
                "true",
                school,
                "parent",
                agent,
                "",
                &guardian.given,
                guardian.surname,
                "",
                "",
                "",
                &guardian.phone,
                &guardian.phone,
                id,
                "",
                "",
                "",
                "",
                guardian.relation.word(),
            ])?;
            let enrollment = format!("e-{id}");
            self.enrollments.row(&[
                &enrollment,
                "",
                "",
                class_id,
                school,
                id,
                "student",
                "",
                "",
                "",
            ])?;
            self.person(id, student.sex, student.birth)?;
        }
        Ok(())
    }

    fn person(&mut self, id: &str, sex: Sex, birth: chrono::NaiveDate) -> io::Result<()> {
        let sex = if sex == Sex::Male { "male" } else { "female" };
        self.demographics
            .row(&[id, "", "", &birth.to_string(), sex])
    }
}

fn class_id(school: &str, class: &str) -> String {
    format!("{school}-{class}")
}

fn user_ids(id_number: &str) -> String {
    format!("{{residentId:{id_number}}}")
}

fn teaches(post: Post) -> bool {
    matches!(post, Post::HeadTeacher | Post::Teacher)
}

/// The grade as OneRoster counts it.
fn grade(stage: Stage, grade: u32) -> &'static str {
    const CODES: [&str; 15] = [
        "IT", "PR", "PK", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12",
    ];
    let before = match stage {
        Stage::Kindergarten => 0,
        Stage::Primary => 3,
        Stage::Junior => 9,
        Stage::Senior => 12,
    };
    CODES[before + grade as usize - 1]
}
