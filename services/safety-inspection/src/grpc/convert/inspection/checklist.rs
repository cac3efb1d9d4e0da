//! Versions of checklists.

use std::collections::BTreeSet;

use kit::field::{Fields, to_timestamp};
use kit::status::Problem;
use proto::safety as pb;

use super::{NAME, choice, count, item, organization_name, template_name, template_of, words};
use crate::app::inspections::Draft;
use crate::domain::checklist::item::PlaceKind;
use crate::domain::checklist::template::{Content, TemplateId};
use crate::domain::hazard::report::Category;
use crate::store::inspections::{Change, Kept};

const ITEMS: usize = 200;
const KINDS: usize = 10;

/// What may change of a draft.
const PATHS: [&str; 4] = ["display_name", "place_kinds", "hazard_category", "items"];

pub(in crate::grpc) fn etag(kept: &Kept) -> String {
    kept.revision.to_string()
}

pub(in crate::grpc) fn checklist(kept: Kept, changes: Vec<Change>) -> pb::ChecklistTemplate {
    let etag = etag(&kept);
    let Kept {
        template, created, ..
    } = kept;
    let changes = changes
        .into_iter()
        .map(|change| pb::checklist_template::Change {
            from_state: change.from,
            to_state: change.to,
            actor: change.actor,
            change_time: Some(to_timestamp(change.at)),
        });
    let content = wire_content(&template.content);
    pb::ChecklistTemplate {
        name: template_name(&template.id),
        organization: organization_name(&template.id.organization),
        version: count(template.id.version),
        state: template.state as i32,
        extended_template: template
            .extended
            .as_ref()
            .map(template_name)
            .unwrap_or_default(),
        code: template.id.code,
        changes: changes.collect(),
        create_time: Some(to_timestamp(created)),
        etag,
        ..content
    }
}

fn wire_content(content: &Content) -> pb::ChecklistTemplate {
    pb::ChecklistTemplate {
        display_name: content.display_name.clone(),
        place_kinds: content
            .place_kinds
            .iter()
            .map(|kind| *kind as i32)
            .collect(),
        hazard_category: content.category as i32,
        items: content.items.iter().map(item::item).collect(),
        ..Default::default()
    }
}

/// What is to be drafted.
pub(in crate::grpc) fn draft(sent: Option<&pb::ChecklistTemplate>) -> Result<Draft, Problem> {
    let sent = sent.cloned().unwrap_or_default();
    let mut fields = Fields::new();
    item::id(&mut fields, "checklist_template.code", &sent.code);
    let extended = extended(&mut fields, &sent.extended_template);
    let content = read(&mut fields, &sent, extended.is_some());
    fields.finish()?;
    let content = content.ok_or_else(|| super::malformed("checklist_template"))?;
    Ok(Draft {
        code: sent.code,
        extended,
        content,
    })
}

fn extended(fields: &mut Fields, name: &str) -> Option<TemplateId> {
    if name.is_empty() {
        return None;
    }
    let found = template_of(name);
    if found.is_none() {
        let field = "checklist_template.extended_template";
        fields.violation(field, "检查表名称格式不正确", "malformed");
    }
    found
}

/// What a draft says after the change of a request: the fields of the mask, else those that are there.
pub(in crate::grpc) fn content(
    kept: &Kept,
    sent: &pb::ChecklistTemplate,
    mask: Option<&prost_types::FieldMask>,
) -> Result<Content, Problem> {
    let named = |path: &str| match mask {
        Some(mask) => mask.paths.iter().any(|named| named == path || named == "*"),
        None => match path {
            "display_name" => !sent.display_name.is_empty(),
            "place_kinds" => !sent.place_kinds.is_empty(),
            "hazard_category" => sent.hazard_category != 0,
            _ => !sent.items.is_empty(),
        },
    };
    let mut fields = Fields::new();
    let paths = mask.iter().flat_map(|mask| &mask.paths);
    for path in paths.filter(|path| *path != "*" && !PATHS.contains(&path.as_str())) {
        fields.violation(
            "update_mask",
            format!("不能修改 {path}"),
            format!("{path} cannot change"),
        );
    }
    let mut merged = wire_content(&kept.template.content);
    if named("display_name") {
        merged.display_name.clone_from(&sent.display_name);
    }
    if named("place_kinds") {
        merged.place_kinds.clone_from(&sent.place_kinds);
    }
    if named("hazard_category") {
        merged.hazard_category = sent.hazard_category;
    }
    if named("items") {
        merged.items.clone_from(&sent.items);
    }
    let content = read(&mut fields, &merged, kept.template.extended.is_some());
    fields.finish()?;
    content.ok_or_else(|| super::malformed("checklist_template"))
}

/// None when something is wrong; the kinds of an addition follow from what it adds to.
fn read(fields: &mut Fields, sent: &pb::ChecklistTemplate, addition: bool) -> Option<Content> {
    let at = |name: &str| format!("checklist_template.{name}");
    words(fields, &at("display_name"), &sent.display_name, NAME);
    let field = at("hazard_category");
    let category = choice(fields, &field, sent.hazard_category, Category::from_number);
    let mut place_kinds = BTreeSet::new();
    if !addition {
        let range = 1..=KINDS;
        fields.within(&at("place_kinds"), sent.place_kinds.len(), range);
        for kind in sent.place_kinds.iter().take(KINDS) {
            let of = PlaceKind::from_number;
            place_kinds.extend(choice(fields, &at("place_kinds"), *kind, of));
        }
    }
    fields.within(&at("items"), sent.items.len(), 1..=ITEMS);
    let mut items = Vec::new();
    let mut codes = BTreeSet::new();
    for (place, sent) in sent.items.iter().take(ITEMS).enumerate() {
        let at = format!("checklist_template.items[{place}]");
        if !codes.insert(sent.code.as_str()) {
            let field = format!("{at}.code");
            fields.violation(field, "项目编号重复", "another item has this code");
        }
        items.extend(item::read(fields, &at, sent));
    }
    Some(Content {
        display_name: sent.display_name.clone(),
        place_kinds,
        category: category?,
        items,
    })
}
