//! Entries of ledgers, both ways.

use chrono::NaiveDate;
use kit::field::Fields;
use kit::status::Problem;
use proto::safety as pb;
use proto::safety::supply_movement::Kind as PbKind;

use super::super::{ending, instant, optional_day, plain};
use super::{MOST, item, item_name};
use crate::app::supplies::Movement;
use crate::domain::supply::item::Item;
use crate::domain::supply::ledger::{Entry, Kind, Lot};
use crate::store::supply::MovementRow;

const NUMBER: usize = 64;
const NOTE: usize = 200;

/// What somebody enters. `parent` was read before.
pub(in crate::grpc) fn movement(
    request: &pb::RecordSupplyMovementRequest,
) -> Result<Movement, Problem> {
    let mut fields = Fields::new();
    let item = item(&mut fields, "item", &request.item);
    let kind = kind(&mut fields, request.kind);
    let counted = kind == Some(Kind::Count);
    let quantity = fields.within("quantity", request.quantity, i64::from(!counted)..=MOST);
    plain(&mut fields, "note", &request.note, NOTE);
    if kind == Some(Kind::WriteOff) {
        fields.required("note", &request.note);
    }
    let whole = kind == Some(Kind::Issue) && request.lot.is_none();
    let lot = match item {
        Some(item) if !whole => lot(&mut fields, item, request.lot.as_ref()),
        _ => None,
    };
    fields.finish()?;
    let (Some(item), Some(kind)) = (item, kind) else {
        return Err(Problem::invalid("kind", "必填", "required"));
    };
    let quantity = quantity.unsigned_abs();
    let entry = match (kind, lot) {
        (Kind::Receipt, Some(lot)) => Entry::In(lot, quantity),
        (Kind::Count, Some(lot)) => Entry::Counted(lot, quantity),
        (Kind::WriteOff, Some(lot)) => Entry::Removed(lot, quantity),
        (_, Some(lot)) => Entry::OutOf(lot, quantity),
        (_, None) => Entry::Out(quantity),
    };
    Ok(Movement {
        item,
        kind,
        entry,
        note: request.note.clone(),
    })
}

fn kind(fields: &mut Fields, number: i32) -> Option<Kind> {
    let kind = match fields.enumeration("kind", number)? {
        PbKind::Receipt => Kind::Receipt,
        PbKind::Issue => Kind::Issue,
        PbKind::Count => Kind::Count,
        PbKind::WriteOff => Kind::WriteOff,
        PbKind::TransferOut | PbKind::TransferIn | PbKind::TransferBack | PbKind::Unspecified => {
            let (zh, en) = ("调拨请使用调拨功能", "transfers have verbs of their own");
            fields.violation("kind", zh, en);
            return None;
        }
    };
    Some(kind)
}

fn lot(fields: &mut Fields, item: &Item, said: Option<&pb::SupplyLot>) -> Option<Lot> {
    let said = said.cloned().unwrap_or_default();
    fields.text("lot.lot", &said.lot, NUMBER);
    let field = "lot.expire_date";
    let expires = if item.expires {
        fields.date(field, said.expire_date)?
    } else {
        if optional_day(fields, field, said.expire_date).is_some() {
            let (zh, en) = ("该物资没有有效期", "this item does not expire");
            fields.violation(field, zh, en);
        }
        NaiveDate::MAX
    };
    Some(Lot {
        expires,
        number: said.lot,
    })
}

/// A line for the wire.
pub(in crate::grpc) fn entered(row: MovementRow) -> pb::SupplyMovement {
    let id = row.id.hyphenated();
    let expires = NaiveDate::from_num_days_from_ce_opt(row.expires);
    pb::SupplyMovement {
        name: format!("organizations/{}/supplyMovements/{id}", row.organization),
        item: item_name(&row.item),
        kind: row.kind.into(),
        lot: Some(pb::SupplyLot {
            lot: row.lot,
            expire_date: expires.and_then(ending),
        }),
        change: row.change,
        balance: row.balance,
        actor: row.actor,
        record_time: instant(row.recorded_at),
        note: row.note,
        transfer: row.transfer,
    }
}
