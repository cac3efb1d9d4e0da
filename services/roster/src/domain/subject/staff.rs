//! What the register holds about who works somewhere, put together for the one whom it is about.

use super::super::private::Private;
use super::super::responsibility::Node;
use super::super::staff::StaffMember;
use super::held::{Category, LAW, Seen, category, looks, yes};

/// Everything that is put together.
#[derive(Debug)]
pub struct StaffSources<'a> {
    /// Who.
    pub member: &'a StaffMember,
    /// The numbers.
    pub private: &'a Private,
    /// What they answer or answered for, each with its times for people.
    pub nodes: &'a [(Node, String)],
    /// The class groups that they lead, by their resource names.
    pub class_groups: &'a [String],
    /// Who saw what.
    pub seen: &'a [Seen],
}

const BASIS: &str =
    "个人信息保护法第十三条第一款第二项、第三项：依法实施人力资源管理、履行法定职责";
const SAFETY: &str = "中小学幼儿园安全管理办法；个人信息保护法第十三条第一款第三项";

/// The categories of what is held, each with what it is for, by which law and for how long.
pub fn held_of_staff(sources: &StaffSources<'_>) -> Vec<Category> {
    let StaffSources {
        member,
        private,
        nodes,
        class_groups,
        seen,
    } = sources;
    let grade = match member.grade {
        0 => String::new(),
        grade => grade.to_string(),
    };
    let posts: Vec<&str> = member.posts.iter().map(|post| post.as_str()).collect();
    let start = member.start.map(|day| day.to_string());
    let employment = vec![
        ("display_name", member.display_name.clone()),
        (
            "organization",
            format!("organizations/{}", member.organization()),
        ),
        ("posts", posts.join("、")),
        ("grade", grade),
        ("staff_code", member.staff_code.clone()),
        ("start_date", start.unwrap_or_default()),
        ("state", member.state.as_str().to_owned()),
        ("swab_exempt", yes(member.swab_exempt)),
    ];
    let numbers = vec![
        ("id_number", private.id_number.clone().unwrap_or_default()),
        ("phone", private.phone.clone().unwrap_or_default()),
    ];
    let answers_for = nodes.iter().map(|(node, times)| {
        let subject = node.subject.as_str();
        let (place, duties) = (node.place.as_str(), &node.duties);
        (
            "responsibility",
            format!("{} {subject} {place}（{times}）{duties}", node.organization),
        )
    });
    let leads = class_groups.iter();
    let leads = leads.map(|group| ("class_group", group.clone()));
    vec![
        category(
            "employment",
            "确定任职、值班与安全责任",
            BASIS,
            "在职期间及人事档案规定的年限",
            employment,
        ),
        category(
            "staff_numbers",
            "核对身份、联系本人",
            BASIS,
            "在职期间；加密保存",
            numbers,
        ),
        category(
            "responsibilities",
            "落实安全责任、确定班级负责人",
            SAFETY,
            "在任期间，届满后按档案管理规定",
            answers_for.chain(leads).collect(),
        ),
        category("disclosures", "查阅留痕", LAW, "不少于三年", looks(seen)),
    ]
}
