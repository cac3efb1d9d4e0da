//! What reading says about lines, in words for people and for programs.

/// What there is to say about a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The heading of the column.
    pub column: String,
    /// A stable word.
    pub reason: &'static str,
    /// What to do, Chinese.
    pub hint: &'static str,
    /// The same in English.
    pub hint_en: &'static str,
    /// Nothing of the line is taken.
    pub rejected: bool,
}

macro_rules! notes {
    ($($name:ident = $reason:literal, $rejected:literal, $hint:literal, $hint_en:literal;)*) => {
        impl Note { $(
            pub(super) fn $name(column: &str) -> Self {
                Self { column: column.to_owned(), reason: $reason, hint: $hint, hint_en: $hint_en, rejected: $rejected }
            }
        )* }
    };
}

notes! {
    columns = "COLUMN_COUNT", true, "该行的列数与表头不符，可能多了或少了分隔符", "the line has another number of columns than the heading";
    cycle = "ORGANIZATION_CYCLE", true, "上级机构构成循环，请核对上级", "the parents form a cycle";
    parent = "UNKNOWN_PARENT", false, "上级机构不在文件中，已直接挂在导入机构之下", "the parent is not in the files: placed below the organisation of the import";
    unknown_org = "UNKNOWN_ORGANIZATION", true, "机构不在 orgs.csv 中，请补上该机构或改正编号", "the organisation is not in orgs.csv: add it or correct the id";
    unknown_class = "UNKNOWN_CLASS_GROUP", true, "班级不在 classes.csv 中，请补上该班级或改正编号", "the class is not in classes.csv: add it or correct the id";
    grade = "GRADE_UNKNOWN", true, "无法确定年级，请补填年级，或用 --assume-grade 指定", "the grade cannot be told: fill it in, or give --assume-grade";
    grades = "GRADE_SEVERAL", true, "行政班跨多个年级，请按年级拆分，或在 classCode 填写 p2019-01 这样的班级代码", "a home class of several grades: split it, or give a class code such as p2019-01";
    course = "COURSE_CLASS", false, "走班课程不是行政班，本班和它的选课都不登记；若是行政班，请把 classType 改为 homeroom", "a course and no home class: neither it nor its enrolments are registered; if it is a home class, set classType to homeroom";
    assumed = "HOME_ASSUMED", false, "该校没有标明行政班（homeroom），已按行政班登记；若是走班课程，请把行政班的 classType 改为 homeroom", "the school marks no home class: taken as one; if it is a course, set classType of the home classes to homeroom";
    many = "TOO_MANY_CLASSES", true, "同校同年级的班级超过 99 个，请核对学校和年级", "more than 99 classes of one grade in a school: check school and grade";
    renumbered = "CLASS_RENUMBERED", false, "同年级已有同号的班级，已另编班号", "another class of the grade has this number: a free one was taken";
    extra = "EXTRA_ENROLMENT", false, "该学生另有行政班，本条选课不登记", "the student has another home class: this enrolment is not registered";
    class_refused = "CLASS_REFUSED", true, "该班级的行已退回，请先改正班级", "the line of the class was refused: correct that first";
    leaving = "ENROLMENT_IN_REMOVED", false, "该班级在文件中标为删除，本条不登记", "the class is marked for removal: this enrolment is not registered";
    enrolment_role = "ENROLMENT_ROLE", true, "选课身份与人员身份不一致，本条不登记", "the role of the enrolment is not the role of the user: not registered";
    no_class = "NO_CLASS_GROUP", true, "该学生没有行政班，请补上行政班的选课；或用 --unassigned 按年级编入“未分班”", "the student has no home class: add the enrolment, or give --unassigned";
    class_goes = "CLASS_REMOVED", true, "该学生的行政班在文件中标为删除，请先编入其他班级；或用 --unassigned 按年级编入“未分班”", "the student's home class is marked for removal: enrol the student elsewhere, or give --unassigned";
    unassigned = "UNASSIGNED", false, "该学生没有行政班，已按年级编入“未分班”", "the student has no home class: placed among the unassigned of the grade";
    no_student = "GUARDIAN_WITHOUT_STUDENT", true, "该监护人没有关联学生，请补填 agentSourcedIds", "the guardian is linked to no student: fill in agentSourcedIds";
    role = "UNKNOWN_ROLE", true, "身份无法识别，请填写 student、teacher、parent 等", "unknown role: write student, teacher, parent and the like";
    no_role = "NO_ROLE", true, "该人员没有身份，请在 roles.csv 中补上", "the user has no role: add it to roles.csv";
    orphan = "ORPHAN_ENROLMENT", true, "选课记录中的人员不在 users.csv 中", "the user of the enrolment is not in users.csv";
    repeated = "DUPLICATE_ROW", true, "sourcedId 与前面的一行重复", "the same sourcedId as a line before";
    school = "SCHOOL_MISSING", true, "缺少学校标识码，请补填", "the school code is missing: fill it in";
    cohort = "GRADE_COHORT", true, "年级与入学年份不符，请核对", "the grade does not follow from the entry year";
    class_number = "CLASS_NUMBER", true, "班级无法识别，请写成“1班”", "unknown class: write it like 1班";
    modified = "MODIFIED_DATE", false, "最后修改时间格式不规范，已忽略；应写成 2023-05-01T08:00:00Z", "malformed modification date, ignored: write 2023-05-01T08:00:00Z";
}
