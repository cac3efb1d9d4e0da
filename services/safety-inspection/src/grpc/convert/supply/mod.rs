//! Supplies, field by field, both ways.

mod level;
mod movement;
mod transfer;

use kit::field::{Fields, to_date};
use kit::status::Problem;
use proto::safety as pb;

pub(in crate::grpc) use level::{alert, level, stock};
pub(in crate::grpc) use movement::{entered, movement};
pub(in crate::grpc) use transfer::{advice, sending, transfer};

use crate::domain::supply::item::{Amount, Catalogue, Item};

/// The most of one entry.
const MOST: i64 = 1_000_000_000;

/// The item of `supplyItems/{supply_item}`.
fn item(fields: &mut Fields, field: &str, name: &str) -> Option<&'static Item> {
    let found = found(name);
    if found.is_none() {
        fields.violation(field, "没有这种物资", "not an item");
    }
    found
}

/// The same, where nothing else is read.
pub(in crate::grpc) fn wanted(field: &str, name: &str) -> Result<&'static Item, Problem> {
    found(name).ok_or_else(|| Problem::invalid(field, "没有这种物资", "not an item"))
}

fn found(name: &str) -> Option<&'static Item> {
    let code = name.strip_prefix("supplyItems/")?;
    Catalogue::shipped().item(code)
}

fn item_name(code: &str) -> String {
    format!("supplyItems/{code}")
}

/// An item for the wire.
pub(in crate::grpc) fn written_item(item: &Item) -> pb::SupplyItem {
    let amount = |amount: &Amount| pb::supply_item::Amount {
        basis: amount.basis as i32,
        quantity: amount.quantity.into(),
    };
    pb::SupplyItem {
        name: item_name(&item.code),
        display_name: item.display_name.clone(),
        unit: item.unit as i32,
        daily_use: item.daily_use.as_ref().map(amount),
        kit: item.kit.iter().map(amount).collect(),
        expires: item.expires,
        source: item.source.clone(),
        effective_date: Some(to_date(item.effective_date)),
    }
}
