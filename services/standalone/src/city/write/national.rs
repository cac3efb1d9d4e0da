//! The national 学籍 sheet: one row a student.

use std::io;
use std::path::Path;

use super::{Sheet, Written};
use crate::city::{School, Sex};

const HEADER: [&str; 15] = [
    "学校标识码",
    "学校名称",
    "年级",
    "班级",
    "入学年份",
    "姓名",
    "性别",
    "出生日期",
    "身份证件类型",
    "身份证件号",
    "全国学籍号",
    "是否寄宿",
    "监护人姓名",
    "监护人关系",
    "监护人电话",
];

pub(super) struct National(Sheet);

impl National {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self(Sheet::create(path, &HEADER)?))
    }

    pub(super) fn school(&mut self, school: &School<'_>) -> io::Result<()> {
        let plan = school.plan;
        for class in &school.classes {
            let grade = plan.stage.grade_word(class.plan.grade);
            let number = format!("{}班", class.plan.number);
            let entry = class.entry_year.to_string();
            for student in &class.students {
                self.0.row(&[
                    &plan.code,
                    &plan.name,
                    grade,
                    &number,
                    &entry,
                    &student.name(),
                    if student.sex == Sex::Male {
                        "男"
                    } else {
                        "女"
                    },
                    &student.birth.format("%Y%m%d").to_string(),
                    "居民身份证",
                    &student.id_number,
                    &student.student_number(),
                    if student.boarder { "是" } else { "否" },
                    &student.guardian.name(),
                    student.guardian.relation.word(),
                    &student.guardian.phone,
                ])?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> io::Result<Written> {
        self.0.finish()
    }
}
