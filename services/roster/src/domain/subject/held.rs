//! What the register holds about a student, put together for the one whom it is about.

use super::super::guardian::Guardian;
use super::super::private::Private;
use super::super::student::Student;

/// One thing that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub field: &'static str,
    /// In full.
    pub value: String,
}

/// A category of what is held (rule 6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// By which law it is held.
    pub basis: &'static str,
    /// How long.
    pub retention: &'static str,
    /// What stands in it.
    pub items: Vec<Item>,
}

/// Something private that was shown to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When, for people.
    pub time: String,
    /// By which method.
    pub method: String,
    /// Why, as it was said.
    pub reason: String,
}

/// Everything that is put together.
#[derive(Debug)]
pub struct Sources<'a> {
    /// The student.
    pub student: &'a Student,
    /// The numbers.
    pub private: &'a Private,
    /// The guardians, each with the phone number as it may be shown: it is theirs, not the pupil's.
    pub guardians: &'a [(Guardian, String)],
    /// Who saw what.
    pub seen: &'a [Seen],
}

const BASIS: &str = "个人信息保护法第十三条第一款第三项：履行法定职责（学籍管理）";
const CARE: &str = "个人信息保护法第十三条第一款第三项、第四项：履行法定职责、应对突发公共卫生事件";
pub(super) const LAW: &str = "未成年人网络保护条例第三十六条：访问须经审批并记录";

/// A category of those items that are not empty.
pub(super) fn category(
    name: &'static str,
    purpose: &'static str,
    basis: &'static str,
    retention: &'static str,
    items: Vec<(&'static str, String)>,
) -> Category {
    let items = items.into_iter().filter(|(_, value)| !value.is_empty());
    Category {
        name,
        purpose,
        basis,
        retention,
        items: items.map(|(field, value)| Item { field, value }).collect(),
    }
}

/// A truth, for people.
pub(super) fn yes(it: bool) -> String {
    String::from(if it { "是" } else { "否" })
}

/// Who saw what, an item for each time.
pub(super) fn looks(seen: &[Seen]) -> Vec<(&'static str, String)> {
    let look = |seen: &Seen| {
        let Seen {
            time,
            method,
            reason,
        } = seen;
        ("disclosure", format!("{time} {method}：{reason}"))
    };
    seen.iter().map(look).collect()
}

/// The categories of what is held of a student, each with what it is for, by which law and for how long.
pub fn held(sources: &Sources<'_>) -> Vec<Category> {
    let Sources {
        student,
        private,
        guardians,
        seen,
    } = sources;
    let some = |text: &Option<String>| text.clone().unwrap_or_default();
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    let month = match student.birth_month {
        0 => String::new(),
        month => month.to_string(),
    };
    let register = vec![
        ("display_name", student.display_name.clone()),
        ("sex", student.sex.map_or("", |sex| sex.as_str()).to_owned()),
        ("birth_month", month),
        ("class_group", student.class_group()),
        ("state", student.state.as_str().to_owned()),
        ("start_date", day(Some(student.start_day))),
        ("end_date", day(student.end_day)),
    ];
    let numbers = vec![
        (
            "id_type",
            student.id_kind.map_or("", |kind| kind.as_str()).to_owned(),
        ),
        ("id_number", some(&private.id_number)),
        ("student_number", some(&private.student_number)),
        ("phone", some(&private.phone)),
    ];
    let care = vec![
        ("presence", student.presence.as_str().to_owned()),
        ("boarder", yes(student.boarder)),
        ("dormitory", student.dormitory.clone()),
        ("swab_exempt", yes(student.swab_exempt)),
    ];
    let families = guardians.iter().map(|(guardian, phone)| {
        let relation = guardian.relation.as_str();
        (
            "guardian",
            format!("{}（{relation}）{phone}", guardian.display_name),
        )
    });
    vec![
        category(
            "register",
            "学籍管理",
            BASIS,
            "在籍期间及学籍档案规定的年限",
            register,
        ),
        category(
            "numbers",
            "核对身份、联系本人",
            BASIS,
            "在籍期间；加密保存",
            numbers,
        ),
        category("care", "在校管理与采样安排", CARE, "在籍期间", care),
        category(
            "guardians",
            "联系监护人",
            BASIS,
            "在籍期间；电话加密保存",
            families.collect(),
        ),
        category("disclosures", "查阅留痕", LAW, "不少于三年", looks(seen)),
    ]
}
