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

use super::visitor::PLATE;
use super::{few, malformed};
pub(in crate::grpc) use super::{organization, person};
use crate::app::gate::Emergency;
use crate::domain::gate::decision::Outcome;
use crate::domain::gate::observation::{
    Cities, City, Colour, Crew, Further, Observation, Symptoms, Temperature, TravelCard,
    TravelSource,
};
use crate::domain::visitor::visit::MOST_COMPANIONS;

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
        further_temperatures_decidegrees,
        symptoms,
    } = seen;
    let temperature = temperature_decidegrees
        .and_then(|tenths| reading(fields, &format!("{field}.temperature_decidegrees"), tenths));
    let further = further(
        fields,
        field,
        temperature,
        &further_temperatures_decidegrees,
    );
    let symptoms = Symptoms::from_number(symptoms).unwrap_or_else(|| {
        let (zh, en) = ("请选择有效的选项", "not a known value");
        fields.violation(format!("{field}.symptoms"), zh, en);
        Symptoms::NotAsked
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
        let field = format!("{field}.travel_card");
        let shown = fields.date(&format!("{field}.show_date"), card.show_date)?;
        Some(TravelCard {
            shown,
            starred: card.starred,
            cities: cities(fields, &format!("{field}.cities"), &card.cities),
        })
    });
    Observation {
        temperature,
        colour,
        travel,
        travel_source: TravelSource::Shown,
        further,
        symptoms,
    }
}

fn cities(fields: &mut Fields, field: &str, all: &[pb::TravelCity]) -> Cities {
    few(fields, field, all, Cities::MOST);
    let found = all.iter().take(Cities::MOST).enumerate();
    let found = found.filter_map(|(place, city)| {
        let field = format!("{field}[{place}]");
        let division = division(&city.division_code);
        if division.is_none() {
            let (zh, en) = ("应为六位行政区划代码", "six digits of GB/T 2260");
            fields.violation(format!("{field}.division_code"), zh, en);
        }
        let day = city.last_stay_date;
        let last_stay =
            day.and_then(|day| fields.date(&format!("{field}.last_stay_date"), Some(day)));
        Some(City {
            division: division?,
            starred: city.starred,
            last_stay,
        })
    });
    Cities::of(found)
}

fn division(code: &str) -> Option<u32> {
    let good = code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit());
    good.then(|| code.parse().ok())?
}

/// The crew, how many they are and their plate, where an emergency is told; `known` says that somebody was
/// identified.
fn emergency_in(
    fields: &mut Fields,
    (crew, people, plate): (i32, i32, &str),
    known: bool,
) -> Option<Emergency> {
    if crew == 0 {
        if people != 0 || !plate.is_empty() {
            fields.violation("emergency", "请选择救援类型", "required with its crew");
        }
        return None;
    }
    let mut crews = Crew::ALL.into_iter();
    let found = crews.find(|known| *known as i32 == crew);
    if found.is_none() {
        fields.violation("emergency", "请选择有效的选项", "not a known value");
    }
    if known {
        let (zh, en) = (
            "紧急救援人员不核验身份，本校人员请正常核验",
            "a crew is nobody of the school",
        );
        fields.violation("emergency", zh, en);
    }
    let range = 1..=MOST_COMPANIONS + 1;
    let people = fields.within("emergency_people_count", people.max(1), range);
    let plate = fields.text("emergency_plate", plate, PLATE).to_owned();
    Some(Emergency {
        crew: found?,
        people,
        plate,
    })
}

fn reading(fields: &mut Fields, field: &str, tenths: i32) -> Option<Temperature> {
    let reading = Temperature::from_tenths(tenths).ok();
    if reading.is_none() {
        fields.violation(
            field,
            "体温读数不可信，请重新测量",
            "not a temperature of a person",
        );
    }
    reading
}

/// Readings after the first one.
fn further(fields: &mut Fields, field: &str, first: Option<Temperature>, all: &[i32]) -> Further {
    let field = format!("{field}.further_temperatures_decidegrees");
    few(fields, &field, all, Further::MOST);
    if first.is_none() && !all.is_empty() {
        let (zh, en) = ("请先填写第一次读数", "needs temperature_decidegrees");
        fields.violation(&*field, zh, en);
    }
    let readings = all.iter().take(Further::MOST).enumerate();
    let readings = readings
        .filter_map(|(place, tenths)| reading(fields, &format!("{field}[{place}]"), *tenths));
    Further::of(readings)
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
