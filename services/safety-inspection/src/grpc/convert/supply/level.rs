//! What campuses have, for the wire.

use chrono::NaiveDate;
use kit::field::to_date;
use proto::safety as pb;

use super::super::{ending, number, quantity};
use super::item_name;
use crate::app::supplies::{Attended, ItemLevel, Stock};
use crate::domain::supply::ledger::Lot;

pub(super) fn lot(lot: &Lot) -> pb::SupplyLot {
    pb::SupplyLot {
        lot: lot.number.clone(),
        expire_date: ending(lot.expires),
    }
}

pub(super) fn held(one: &Lot, there: u64) -> pb::supply_level::Lot {
    pb::supply_level::Lot {
        lot: Some(lot(one)),
        quantity: quantity(there),
    }
}

/// What there is of one item.
pub(in crate::grpc) fn level(of: &ItemLevel) -> pb::SupplyLevel {
    let level = &of.level;
    pb::SupplyLevel {
        item: item_name(&of.item.code),
        quantity: quantity(level.quantity),
        usable_quantity: quantity(level.usable),
        daily_use: quantity(level.daily),
        cover_days: level.cover().map(number),
        minimum_quantity: quantity(level.minimum),
        incoming_quantity: quantity(of.incoming),
        alerts: level.alerts.iter().map(|alert| *alert as i32).collect(),
        lots: of
            .holding
            .lots()
            .map(|(lot, there)| held(lot, there))
            .collect(),
        recorded: of.recorded,
    }
}

/// What a campus has.
pub(in crate::grpc) fn stock(name: String, stock: &Stock) -> pb::SupplyStock {
    pb::SupplyStock {
        name,
        date: Some(to_date(stock.today)),
        levels: stock.levels.iter().map(level).collect(),
        cover_days: stock.cover.map(number),
        minimum_days: number(stock.days),
        person_count: number(stock.heads.persons),
        class_count: number(stock.heads.classes),
    }
}

/// A stock that needs attention.
pub(in crate::grpc) fn alert(attended: &Attended) -> pb::SupplyAlert {
    let since = NaiveDate::from_num_days_from_ce_opt(attended.row.attention);
    pb::SupplyAlert {
        organization: format!("organizations/{}", attended.row.organization),
        level: Some(level(&attended.level)),
        since_date: since.map(to_date),
    }
}
