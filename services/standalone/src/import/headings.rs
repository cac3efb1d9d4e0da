//! The headings of sheets as schools write them, and what they mean.

use super::sheet::Line;
use super::table::{Heading, narrow};

const SYNONYMS: [(&str, &[&str]); 22] = [
    ("name", &["姓名", "学生姓名", "名字", "教职工姓名", "name"]),
    ("sex", &["性别", "sex"]),
    (
        "birth",
        &["出生日期", "出生年月日", "出生年月", "生日", "birthdate"],
    ),
    (
        "id_type",
        &["身份证件类型", "证件类型", "身份证类型", "身份证件类别"],
    ),
    (
        "id_number",
        &[
            "身份证件号",
            "身份证件号码",
            "身份证号",
            "身份证号码",
            "身份证",
            "公民身份号码",
            "公民身份证号",
            "证件号码",
            "证件号",
        ],
    ),
    (
        "student_number",
        &[
            "全国学籍号",
            "学籍号",
            "国网学籍号",
            "全国学籍编号",
            "学籍号码",
        ],
    ),
    (
        "school_code",
        &[
            "学校标识码",
            "学校代码",
            "学校(机构)标识码",
            "机构标识码",
            "学校机构标识码",
        ],
    ),
    (
        "school",
        &["学校名称", "学校", "所在学校", "学校(机构)名称"],
    ),
    ("grade", &["年级", "所在年级", "年级名称"]),
    ("class", &["班级", "班号", "班级名称", "所在班级", "班级号"]),
    (
        "entry",
        &["入学年月", "入学年份", "入学年度", "入学时间", "入学日期"],
    ),
    (
        "phone",
        &[
            "学生电话",
            "联系电话",
            "手机号",
            "本人电话",
            "手机号码",
            "电话",
        ],
    ),
    (
        "boarder",
        &[
            "是否寄宿",
            "是否住校",
            "是否寄宿生",
            "就读方式",
            "寄宿",
            "是否住宿",
        ],
    ),
    ("class_code", &["班级代码", "班级标识"]),
    (
        "guardian1",
        &["监护人1姓名", "监护人姓名", "成员1姓名", "家长姓名"],
    ),
    (
        "relation1",
        &["监护人1关系", "监护人关系", "与学生关系", "成员1关系"],
    ),
    (
        "phone1",
        &[
            "监护人1电话",
            "监护人1联系电话",
            "监护人电话",
            "监护人联系电话",
            "成员1联系电话",
            "家长电话",
        ],
    ),
    ("guardian2", &["监护人2姓名", "成员2姓名"]),
    ("relation2", &["监护人2关系", "成员2关系"]),
    (
        "phone2",
        &["监护人2电话", "监护人2联系电话", "成员2联系电话"],
    ),
    (
        "staff_code",
        &["教职工编号", "教职工号", "工号", "职工号", "教师编号"],
    ),
    ("post", &["岗位", "职务", "岗位名称", "任职"]),
];

/// What a column means; its own heading when nobody knows.
pub(super) fn meaning(cell: &str) -> String {
    let word: String = narrow(cell)
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '*' | ':'))
        .collect();
    // 姓名(必填) is 姓名, while 学校(机构)标识码 is one word.
    let bare = word.split('(').next().unwrap_or_default();
    let named = |word: &str| {
        let known = SYNONYMS.iter().find(|(_, words)| words.contains(&word));
        known.map(|(name, _)| (*name).to_owned())
    };
    named(&word)
        .or_else(|| named(bare))
        .unwrap_or_else(|| word.to_lowercase())
}

/// The heading in this line: names, and at least two more columns that are understood.
pub(super) fn find(file: &str, line: &Line) -> Option<Heading> {
    let heading = Heading::new(file, line, meaning);
    let known = SYNONYMS.iter().filter(|(name, _)| heading.has(name));
    (heading.has("name") && known.count() >= 3).then_some(heading)
}
