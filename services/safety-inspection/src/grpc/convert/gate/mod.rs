//! Gates, field by field, both ways.

mod decision;
mod entry;
mod offline;
mod snapshot;

use kit::field::Fields;
use kit::status::Problem;
use prost::Message;
use proto::safety as pb;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::malformed;
pub(in crate::grpc) use super::{organization, person};
use crate::domain::gate::decision::Outcome;
use crate::domain::gate::observation::{Colour, Observation, Temperature, TravelCard};

pub(in crate::grpc) use decision::{check, decision, filter, override_words, reason, result, seen};
pub(in crate::grpc) use entry::entry;
pub(in crate::grpc) use offline::{check_batch, offline, refused, verdict};
pub(in crate::grpc) use snapshot::{snapshot, snapshot_name};

pub(in crate::grpc) const DEVICE: usize = 64;

/// School and id in `organizations/{organization}/gateDecisions/{gate_decision}`.
pub(in crate::grpc) fn decision_name(
    field: &'static str,
    name: &str,
) -> Result<(String, Uuid), Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", school, "gateDecisions", id] if kit::org::is_id(school) => {
            let id = Uuid::try_parse(id).map_err(|_| malformed(field))?;
            Ok((school.to_owned(), id))
        }
        _ => Err(malformed(field)),
    }
}

pub(in crate::grpc) fn card(field: &'static str, number: &str) -> Result<(), Problem> {
    let good = (4..=64).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_graphic());
    if good { Ok(()) } else { Err(malformed(field)) }
}

pub(in crate::grpc) fn observation(
    fields: &mut Fields,
    field: &str,
    seen: Option<pb::GateObservation>,
    optional: bool,
) -> Observation {
    let Some(seen) = seen else {
        if !optional {
            fields.violation(field, "必填", "required");
        }
        return Observation::default();
    };
    let pb::GateObservation {
        temperature_decidegrees,
        colour,
        travel_card,
    } = seen;
    let temperature = temperature_decidegrees.and_then(|tenths| {
        let reading = Temperature::from_tenths(tenths).ok();
        if reading.is_none() {
            fields.violation(
                format!("{field}.temperature_decidegrees"),
                "体温读数应在 34.0 至 42.5 ℃ 之间，请重新测量",
                "a temperature of a person lies between 34.0 and 42.5 degrees",
            );
        }
        reading
    });
    use pb::gate_observation::Colour as Pb;
    let colour = match Pb::try_from(colour) {
        Ok(Pb::Green) => Colour::Green,
        Ok(Pb::Yellow) => Colour::Yellow,
        Ok(Pb::Red) => Colour::Red,
        Ok(Pb::Unknown | Pb::Unspecified) => Colour::Unknown,
        Err(_) => {
            fields.violation(
                format!("{field}.colour"),
                "请选择有效的选项",
                "not a known value",
            );
            Colour::Unknown
        }
    };
    let travel = travel_card.and_then(|card| {
        let shown = fields.date(&format!("{field}.travel_card.show_date"), card.show_date)?;
        Some(TravelCard {
            shown,
            starred: card.starred,
        })
    });
    Observation {
        temperature,
        colour,
        travel,
    }
}

fn outcome_in(fields: &mut Fields, field: &str, number: i32) -> Option<Outcome> {
    use pb::gate_decision::Result as Pb;
    match fields.enumeration(field, number)? {
        Pb::Admit => Some(Outcome::Admit),
        Pb::Observe => Some(Outcome::Observe),
        Pb::Deny => Some(Outcome::Deny),
        Pb::Unspecified => None,
    }
}

fn fingerprint(request: &impl Message, device: &str) -> i64 {
    let digest = Sha256::new()
        .chain_update(request.encode_to_vec())
        .chain_update(device)
        .finalize();
    let mut head = [0; 8];
    head.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(head)
}
