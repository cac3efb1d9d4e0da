//! Audiences on the wire.

use kit::field::Fields;
use proto::notification as pb;
use proto::roster::{Stage, organization::Kind};

use super::organization;
use crate::domain::audience::Audience;

const ORGANIZATIONS: usize = 1000;
const LISTED: usize = 5000;
const DIVISIONS: usize = 1000;

/// The audience of a request; nobody where something is wrong with it, which `fields` then knows.
pub(in crate::grpc) fn audience(
    fields: &mut Fields,
    field: &str,
    audience: Option<&pb::Audience>,
) -> Audience {
    let Some(pb::Audience {
        organizations,
        listed,
        kinds,
        stages,
        divisions,
    }) = audience
    else {
        fields.violation(field, "必填", "required");
        return Audience::default();
    };
    if organizations.is_empty() && listed.is_empty() {
        fields.violation(field, "请至少填写一个单位", "at least one organisation");
    }
    let organizations = ids(
        fields,
        format!("{field}.organizations"),
        organizations,
        ORGANIZATIONS,
    );
    let listed = ids(fields, format!("{field}.listed"), listed, LISTED);
    let mut numbers = |name: &str, values: &[i32], known: fn(i32) -> bool| {
        let mut kept = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            match i16::try_from(*value) {
                Ok(number) if number > 0 && known(*value) => kept.push(number),
                _ => fields.violation(
                    format!("{field}.{name}[{index}]"),
                    "请选择有效的选项",
                    "not a known value",
                ),
            }
        }
        kept.sort_unstable();
        kept.dedup();
        kept
    };
    let kinds = numbers("kinds", kinds, |value| Kind::try_from(value).is_ok());
    let stages = numbers("stages", stages, |value| Stage::try_from(value).is_ok());
    let field = format!("{field}.divisions");
    at_most(fields, &field, divisions.len(), DIVISIONS);
    for (index, code) in divisions.iter().enumerate().take(DIVISIONS) {
        let digits = code.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !matches!(code.len(), 6 | 9 | 12) {
            let field = format!("{field}[{index}]");
            fields.violation(field, "应为 6、9 或 12 位数字", "6, 9 or 12 digits");
        }
    }
    Audience {
        organizations,
        listed,
        kinds,
        stages,
        divisions: divisions.clone(),
    }
}

/// An audience as callers see it.
pub(in crate::grpc) fn to_audience(audience: Audience) -> pb::Audience {
    let Audience {
        organizations,
        listed,
        kinds,
        stages,
        divisions,
    } = audience;
    let names = |ids: Vec<String>| {
        let names = ids.into_iter().map(|id| format!("organizations/{id}"));
        names.collect()
    };
    pb::Audience {
        organizations: names(organizations),
        listed: names(listed),
        kinds: kinds.into_iter().map(i32::from).collect(),
        stages: stages.into_iter().map(i32::from).collect(),
        divisions,
    }
}

/// The ids in resource names of organisations.
fn ids(fields: &mut Fields, field: String, names: &[String], most: usize) -> Vec<String> {
    at_most(fields, &field, names.len(), most);
    let mut ids = Vec::with_capacity(names.len().min(most));
    for (index, name) in names.iter().enumerate().take(most) {
        match organization("name", name) {
            Ok(id) => ids.push(id),
            Err(_) => fields.violation(format!("{field}[{index}]"), "格式不正确", "malformed"),
        }
    }
    ids
}

fn at_most(fields: &mut Fields, field: &str, count: usize, most: usize) {
    if count > most {
        fields.violation(
            field,
            format!("不能超过 {most} 个"),
            format!("at most {most}"),
        );
    }
}
