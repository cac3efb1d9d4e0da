//! Who is told, on the wire.

use std::collections::BTreeSet;

use kit::field::Fields;
use proto::notification as pb;
use proto::roster::staff_member::Post;

use super::audience;
use crate::domain::message::{Group, Recipients};
use crate::domain::party::Party;

/// How many names each list has at most.
const CLASS_GROUPS: usize = 1000;
const PARTIES: usize = 1000;

/// The recipients of a request; nobody where something is wrong with them, which `fields` then knows.
pub(super) fn recipients(fields: &mut Fields, given: Option<&pb::Recipients>) -> Recipients {
    const FIELD: &str = "message.recipients";
    let Some(given) = given else {
        fields.required(FIELD, "");
        return Recipients::default();
    };
    let audience = given.audience.as_ref();
    let audience = audience
        .map(|given| audience::audience(fields, "message.recipients.audience", Some(given)));
    let class_groups = names(
        fields,
        "message.recipients.class_groups",
        &given.class_groups,
        CLASS_GROUPS,
        |name| is_class_group(name).then(|| name.to_owned()),
    );
    let parties = names(
        fields,
        "message.recipients.parties",
        &given.parties,
        PARTIES,
        |name| Party::parse(name).filter(Party::has_inbox),
    );
    let mut groups = BTreeSet::new();
    for number in &given.groups {
        let group = Group::ALL.into_iter().find(|ours| *ours as i32 == *number);
        match group {
            Some(group) => drop(groups.insert(group)),
            None => fields.violation(
                "message.recipients.groups",
                "请选择有效的选项",
                "not a known value",
            ),
        }
    }
    let posts = names(
        fields,
        "message.recipients.posts",
        &given.posts,
        Post::Official as usize,
        |post| {
            let known = Post::from_str_name(&format!("POST_{post}"))?;
            (known != Post::Unspecified).then(|| post.to_owned())
        },
    );
    let places = audience.is_some() || !class_groups.is_empty();
    if places == groups.is_empty() {
        fields.violation(
            "message.recipients.groups",
            "与单位或班级一同填写",
            "together with an audience or class groups",
        );
    }
    if !class_groups.is_empty() && !groups.contains(&Group::Families) {
        fields.violation(
            "message.recipients.groups",
            "发给班级时须包含学生家庭",
            "class groups have families",
        );
    }
    if !posts.is_empty() && !groups.contains(&Group::Staff) {
        fields.violation(
            "message.recipients.posts",
            "仅在发给教职工时填写",
            "only with the staff",
        );
    }
    if !places && parties.is_empty() {
        fields.required(FIELD, "");
    }
    Recipients {
        audience,
        class_groups,
        groups,
        posts,
        parties,
    }
}

fn is_class_group(name: &str) -> bool {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", organization, "classGroups", class_group] => {
            kit::org::is_id(organization) && kit::org::is_id(class_group)
        }
        _ => false,
    }
}

/// Recipients as callers see them.
pub(super) fn to_recipients(recipients: Recipients) -> pb::Recipients {
    let Recipients {
        audience,
        class_groups,
        groups,
        posts,
        parties,
    } = recipients;
    pb::Recipients {
        audience: audience.map(audience::to_audience),
        class_groups,
        groups: groups.into_iter().map(|group| group as i32).collect(),
        posts,
        parties: parties.iter().map(Party::name).collect(),
    }
}

/// Notes that a field cannot be read.
pub(super) fn malformed(fields: &mut Fields, field: String) {
    fields.violation(field, "格式不正确", "malformed");
}

/// Notes that a list is too long.
pub(super) fn too_many(fields: &mut Fields, field: &str, given: usize, most: usize) {
    if given > most {
        fields.violation(
            field,
            format!("不能超过 {most} 项"),
            format!("at most {most}"),
        );
    }
}

/// Reads each of a list of names; those that cannot be read are violations.
pub(super) fn names<T>(
    fields: &mut Fields,
    field: &str,
    names: &[String],
    most: usize,
    read: impl Fn(&str) -> Option<T>,
) -> Vec<T> {
    too_many(fields, field, names.len(), most);
    let mut found = Vec::with_capacity(names.len().min(most));
    for (index, name) in names.iter().enumerate().take(most) {
        match read(name) {
            Some(one) => found.push(one),
            None => malformed(fields, format!("{field}[{index}]")),
        }
    }
    found
}
