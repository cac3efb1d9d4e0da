//! Items of a checklist as they are stored: JSON.

use sea_orm::DbErr;
use serde::{Deserialize, Serialize};

use super::{day, known};
use crate::domain::checklist::item::{Clause, Evidence, Item, Kind};
use crate::domain::hazard::report::Category;
use crate::store::unreadable;

#[derive(Serialize, Deserialize)]
struct ItemText {
    code: String,
    section: String,
    text: String,
    kind: i32,
    evidence: i32,
    mandatory: bool,
    unit: String,
    minimum: Option<i64>,
    maximum: Option<i64>,
    law: String,
    article: String,
    effective: String,
    category: i32,
    major_rule: String,
    weight: u32,
}

pub(super) fn items_text(items: &[Item]) -> String {
    let items: Vec<ItemText> = items.iter().cloned().map(text).collect();
    serde_json::to_string(&items).unwrap_or_default()
}

pub(super) fn items(text: &str) -> Result<Vec<Item>, DbErr> {
    let items: Vec<ItemText> = serde_json::from_str(text).map_err(|_| unreadable("item"))?;
    items.into_iter().map(item).collect()
}

fn text(item: Item) -> ItemText {
    ItemText {
        code: item.code,
        section: item.section,
        text: item.text,
        kind: item.kind as i32,
        evidence: item.evidence as i32,
        mandatory: item.mandatory,
        unit: item.unit,
        minimum: item.minimum,
        maximum: item.maximum,
        law: item.clause.law,
        article: item.clause.article,
        effective: item.clause.effective.to_string(),
        category: item.category as i32,
        major_rule: item.major_rule,
        weight: item.weight,
    }
}

fn item(text: ItemText) -> Result<Item, DbErr> {
    Ok(Item {
        kind: known(Kind::from_number(text.kind), "kind")?,
        evidence: known(Evidence::from_number(text.evidence), "evidence")?,
        category: known(Category::from_number(text.category), "category")?,
        clause: Clause {
            law: text.law,
            article: text.article,
            effective: day(&text.effective)?,
        },
        code: text.code,
        section: text.section,
        text: text.text,
        mandatory: text.mandatory,
        unit: text.unit,
        minimum: text.minimum,
        maximum: text.maximum,
        major_rule: text.major_rule,
        weight: text.weight,
    })
}
