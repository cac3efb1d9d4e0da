//! The sheets that neither OneRoster nor the national sheet has: the tree, posts and duties.

use std::io;
use std::path::Path;

use super::{Sheet, Written, add};
use crate::city::{CITY_DIVISION, CITY_ID, CITY_NAME, City, DISTRICTS, School, Sex, Stage};

pub(super) struct Own {
    organizations: Sheet,
    class_groups: Sheet,
    staff: Sheet,
    responsibilities: Sheet,
}

impl Own {
    pub(super) fn create(folder: &Path, _city: &City) -> io::Result<Self> {
        let header = [
            "organization",
            "kind",
            "name",
            "parent",
            "division",
            "school_code",
            "stage",
        ];
        let mut organizations = Sheet::create(&folder.join("organizations.csv"), &header)?;
        organizations.row(&[CITY_ID, "CITY_BUREAU", CITY_NAME, "", CITY_DIVISION, "", ""])?;
        for district in &DISTRICTS {
            let name = format!("{}教育局", district.name);
            let division = district.division;
            organizations.row(&[division, "COUNTY_BUREAU", &name, CITY_ID, division, "", ""])?;
        }
        let header = [
            "organization",
            "class_group",
            "name",
            "stage",
            "entry_year",
            "number",
        ];
        let class_groups = Sheet::create(&folder.join("class_groups.csv"), &header)?;
        let header = [
            "学校标识码",
            "教职工编号",
            "姓名",
            "性别",
            "出生日期",
            "身份证件号",
            "联系电话",
            "岗位",
            "年级",
            "班级代码",
        ];
        let staff = Sheet::create(&folder.join("staff.csv"), &header)?;
        let header = ["organization", "subject", "class_group", "staff_id"];
        let responsibilities = Sheet::create(&folder.join("responsibilities.csv"), &header)?;
        Ok(Self {
            organizations,
            class_groups,
            staff,
            responsibilities,
        })
    }

    pub(super) fn school(&mut self, school: &School<'_>) -> io::Result<()> {
        let plan = school.plan;
        let (kind, stage) = match plan.stage {
            Stage::Kindergarten => ("KINDERGARTEN", "KINDERGARTEN"),
            Stage::Primary => ("SCHOOL", "PRIMARY"),
            Stage::Junior => ("SCHOOL", "JUNIOR"),
            Stage::Senior => ("SCHOOL", "SENIOR"),
        };
        let (code, division) = (&plan.code, plan.district.division);
        self.organizations
            .row(&[code, kind, &plan.name, division, division, code, stage])?;
        for class in &school.classes {
            let (title, entry) = (class.title(plan.stage), class.entry_year.to_string());
            let number = class.plan.number.to_string();
            self.class_groups
                .row(&[code, &class.id, &title, stage, &entry, &number])?;
        }
        for member in &school.staff {
            self.staff.row(&[
                code,
                &member.staff_code,
                &member.name(),
                if member.sex == Sex::Male {
                    "男"
                } else {
                    "女"
                },
                &member.birth.format("%Y%m%d").to_string(),
                &member.id_number,
                &member.phone,
                member.post.word(),
                &grade(member.grade),
                member.class.as_deref().unwrap_or_default(),
            ])?;
        }
        for duty in school.responsibilities() {
            let staff = duty.staff.to_string();
            self.responsibilities
                .row(&[code, duty.subject, &duty.class, &staff])?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> io::Result<Written> {
        add([
            self.organizations,
            self.class_groups,
            self.staff,
            self.responsibilities,
        ])
    }
}

fn grade(grade: u32) -> String {
    if grade == 0 {
        String::new()
    } else {
        grade.to_string()
    }
}
