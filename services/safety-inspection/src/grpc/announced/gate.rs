//! What checks at the gate lead to: how many a recheck or a red health code kept out, how many decisions
//! without a network are contradicted, and nobody of them (rules 3.3, 3.4 and 3.9).

use chrono::NaiveDate;
use kit::field::{to_date, to_timestamp};
use proto::safety as pb;
use proto::safety::safety_event::State as EventState;

use super::{Telling, number, tomorrow};
use crate::domain::figures::Counts;
use crate::store::gate::conflicts::Conflicts;
use crate::store::gate::rechecks::KeptOut;
use crate::store::gate::red_codes::RedCodes;

/// How many people rechecks at the gate of an organisation kept out today.
pub(crate) fn gate_recheck_standing(
    home: (&str, &str),
    kept_out: Option<KeptOut>,
    today: NaiveDate,
) -> Telling {
    let telling = Telling::no_standing("gateRecheckStanding", home);
    let Some(kept_out) = kept_out else {
        return telling;
    };
    let told = pb::GateRecheckStanding {
        name: telling.entity.clone(),
        date: Some(to_date(today)),
        kept_out_count: number(kept_out.count),
        first_time: Some(to_timestamp(kept_out.first)),
        last_time: Some(to_timestamp(kept_out.last)),
    };
    telling
        .with(
            Some(EventState::GateRecheckStanding(told)),
            Counts::default(),
        )
        .wakes(tomorrow(today))
}

/// How many people a red health code kept out at the gate of an organisation today.
pub(crate) fn gate_red_code_standing(
    home: (&str, &str),
    red: Option<RedCodes>,
    today: NaiveDate,
) -> Telling {
    let telling = Telling::no_standing("gateRedCodeStanding", home);
    let Some(red) = red else {
        return telling;
    };
    let told = pb::GateRedCodeStanding {
        name: telling.entity.clone(),
        date: Some(to_date(today)),
        red_count: number(red.count),
        first_time: Some(to_timestamp(red.first)),
        last_time: Some(to_timestamp(red.last)),
    };
    telling
        .with(
            Some(EventState::GateRedCodeStanding(told)),
            Counts::default(),
        )
        .wakes(tomorrow(today))
}

/// How many decisions of gates without a network were recorded today that are contradicted.
pub(crate) fn gate_conflict_standing(
    home: (&str, &str),
    conflicts: Option<Conflicts>,
    today: NaiveDate,
) -> Telling {
    let telling = Telling::no_standing("gateConflictStanding", home);
    let Some(conflicts) = conflicts else {
        return telling;
    };
    let told = pb::GateConflictStanding {
        name: telling.entity.clone(),
        date: Some(to_date(today)),
        conflict_count: number(conflicts.count),
        admitted_count: number(conflicts.admitted),
        first_time: Some(to_timestamp(conflicts.first)),
        last_time: Some(to_timestamp(conflicts.last)),
    };
    telling
        .with(
            Some(EventState::GateConflictStanding(told)),
            Counts::default(),
        )
        .wakes(tomorrow(today))
}
