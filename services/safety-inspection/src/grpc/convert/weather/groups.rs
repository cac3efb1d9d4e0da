//! Mutual-aid groups as callers ask for them.

use kit::field::Fields;
use kit::status::Problem;
use proto::safety as pb;

use crate::app::weather::GroupChange;
use crate::grpc::convert::organization;

/// More members are not looked at.
const MEMBERS: usize = 100;

/// The name and the members of a new group.
pub(in crate::grpc) fn new_group(
    group: Option<&pb::MutualAidGroup>,
) -> Result<(String, Vec<String>), Problem> {
    let group = group.ok_or_else(|| Problem::invalid("mutual_aid_group", "必填", "required"))?;
    let mut fields = Fields::new();
    let name = display_name(&mut fields, &group.display_name);
    let members = members(&mut fields, &group.members);
    fields.finish()?;
    Ok((name, members))
}

/// What changes of a group.
pub(in crate::grpc) fn change(
    request: &pb::UpdateMutualAidGroupRequest,
    group: &pb::MutualAidGroup,
) -> Result<GroupChange, Problem> {
    let mut fields = Fields::new();
    let paths = request.update_mask.as_ref().map(|mask| &mask.paths);
    let asked = |path: &str, filled: bool| match paths {
        None => filled,
        Some(paths) => paths.iter().any(|one| one == path || one == "*"),
    };
    let known = [
        "*",
        "name",
        "display_name",
        "members",
        "create_time",
        "update_time",
        "etag",
    ];
    if paths.is_some_and(|paths| paths.iter().any(|path| !known.contains(&&**path))) {
        fields.violation("update_mask", "含有未知的字段", "names an unknown field");
    }
    let renamed = asked("display_name", !group.display_name.is_empty());
    let display_name = renamed.then(|| display_name(&mut fields, &group.display_name));
    let members =
        asked("members", !group.members.is_empty()).then(|| members(&mut fields, &group.members));
    let version = fields.optional("mutual_aid_group.etag", &group.etag);
    fields.finish()?;
    Ok(GroupChange {
        display_name,
        members,
        version,
    })
}

fn display_name(fields: &mut Fields, name: &str) -> String {
    let field = "mutual_aid_group.display_name";
    fields.required(field, name.trim());
    fields.text(field, name, 63);
    name.trim().to_owned()
}

fn members(fields: &mut Fields, names: &[String]) -> Vec<String> {
    let field = "mutual_aid_group.members";
    let known = names.iter().take(MEMBERS);
    let ids: Vec<String> = known
        .filter_map(|name| organization(field, name).ok())
        .collect();
    let mut each = ids.clone();
    each.sort_unstable();
    each.dedup();
    if each.len() != names.len() {
        let (zh, en) = ("格式不正确或有重复", "malformed, or the same twice");
        fields.violation(field, zh, en);
    }
    ids
}
