//! What is sealed of a visit, as bytes.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::gate::decision::Checks;
use crate::domain::gate::finding::Finding;
use crate::domain::gate::observation::{
    Colour, ColourSource, Further, Observation, Symptoms, Temperature, TravelCard, TravelSource,
};
use crate::domain::visitor::card::{Card, DocumentKind};
use crate::domain::visitor::checked::{Checked, Entrant};
use crate::store::gate::decisions::{cities_of, cities_text};

#[derive(Serialize, Deserialize)]
struct CardBody {
    full_name: String,
    document_kind: i32,
    document_number: String,
    phone: String,
    affiliation: String,
    plate: String,
    recent_regions: String,
    purpose: String,
}

#[derive(Serialize, Deserialize)]
struct EntrantBody {
    findings: [u8; 6],
    temperature: Option<i16>,
    colour: i16,
    travel: Option<(NaiveDate, bool)>,
    #[serde(default)]
    further: Vec<i16>,
    #[serde(default)]
    symptoms: i16,
    #[serde(default)]
    cities: String,
    #[serde(default = "shown")]
    travel_source: i16,
}

/// The source of the cards of a check that was sealed without it.
fn shown() -> i16 {
    TravelSource::Shown as i16
}

/// What is made of masks in a check that was sealed without it.
fn no_mask() -> u8 {
    Finding::MaskNotRequired.number()
}

#[derive(Serialize, Deserialize)]
struct CheckedBody {
    entrants: Vec<EntrantBody>,
    mask_worn: bool,
    #[serde(default = "no_mask")]
    mask: u8,
    device: String,
    guard: String,
    policy_version: String,
    time: DateTime<Utc>,
    stale: bool,
    colour_source: i16,
}

/// Who comes, to be sealed.
pub fn card_bytes(card: &Card) -> Vec<u8> {
    let body = CardBody {
        full_name: card.full_name.clone(),
        document_kind: card.document_kind.map_or(0, |kind| kind as i32),
        document_number: card.document_number.clone(),
        phone: card.phone.clone(),
        affiliation: card.affiliation.clone(),
        plate: card.plate.clone(),
        recent_regions: card.recent_regions.clone(),
        purpose: card.purpose.clone(),
    };
    serde_json::to_vec(&body).unwrap_or_default()
}

/// Who comes; none for bytes that say nothing.
pub fn card_of(bytes: &[u8]) -> Option<Card> {
    let body: CardBody = serde_json::from_slice(bytes).ok()?;
    Some(Card {
        full_name: body.full_name,
        document_kind: DocumentKind::from_number(body.document_kind),
        document_number: body.document_number,
        phone: body.phone,
        affiliation: body.affiliation,
        plate: body.plate,
        recent_regions: body.recent_regions,
        purpose: body.purpose,
    })
}

/// A check, to be sealed.
pub fn checked_bytes(checked: &Checked) -> Vec<u8> {
    let entrant = |entrant: &Entrant| EntrantBody {
        findings: entrant.checks.all().map(Finding::number),
        temperature: entrant.observation.temperature.map(Temperature::tenths),
        colour: entrant.observation.colour.number(),
        travel: entrant
            .observation
            .travel
            .map(|card| (card.shown, card.starred)),
        further: entrant
            .observation
            .further
            .iter()
            .map(Temperature::tenths)
            .collect(),
        symptoms: entrant.observation.symptoms as i16,
        cities: entrant
            .observation
            .travel
            .map(|card| cities_text(&card.cities))
            .unwrap_or_default(),
        travel_source: entrant.observation.travel_source as i16,
    };
    let body = CheckedBody {
        entrants: checked.entrants.iter().map(entrant).collect(),
        mask_worn: checked.mask_worn,
        mask: checked.mask.number(),
        device: checked.device.clone(),
        guard: checked.guard.clone(),
        policy_version: checked.policy_version.clone(),
        time: checked.time,
        stale: checked.stale,
        colour_source: checked.colour_source as i16,
    };
    serde_json::to_vec(&body).unwrap_or_default()
}

/// A check; none for bytes that say nothing.
pub fn checked_of(bytes: &[u8]) -> Option<Checked> {
    let body: CheckedBody = serde_json::from_slice(bytes).ok()?;
    let entrants = body.entrants.into_iter().map(entrant);
    Some(Checked {
        entrants: entrants.collect::<Option<_>>()?,
        mask_worn: body.mask_worn,
        mask: Finding::from_number(body.mask)?,
        device: body.device,
        guard: body.guard,
        policy_version: body.policy_version,
        time: body.time,
        stale: body.stale,
        colour_source: ColourSource::from_number(body.colour_source)?,
    })
}

fn entrant(body: EntrantBody) -> Option<Entrant> {
    let mut findings = body.findings.into_iter().map(Finding::from_number);
    let mut finding = || findings.next().flatten();
    let reading = |tenths: i16| Temperature::from_tenths(tenths.into()).ok();
    let temperature = match body.temperature {
        Some(tenths) => Some(reading(tenths)?),
        None => None,
    };
    let further: Option<Vec<Temperature>> = body.further.into_iter().map(reading).collect();
    let cities = cities_of(&body.cities)?;
    let mut colours = Colour::ALL.into_iter();
    Some(Entrant {
        checks: Checks {
            identity: finding()?,
            temperature: finding()?,
            health_code: finding()?,
            travel_card: finding()?,
            clearance: finding()?,
            arrival: finding()?,
        },
        observation: Observation {
            temperature,
            colour: colours.find(|colour| colour.number() == body.colour)?,
            travel: body.travel.map(|(shown, starred)| TravelCard {
                shown,
                starred,
                cities,
            }),
            travel_source: TravelSource::from_number(body.travel_source)?,
            further: Further::of(further?),
            symptoms: Symptoms::from_number(body.symptoms.into())?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::gate::observation::{Cities, City};

    #[test]
    fn what_is_sealed_survives_as_bytes() {
        let card = Card {
            full_name: "林大山".to_owned(),
            document_kind: Some(DocumentKind::Passport),
            document_number: "E12345678".to_owned(),
            purpose: "家长会".to_owned(),
            ..Card::default()
        };
        assert_eq!(card_of(&card_bytes(&card)), Some(card));
        assert_eq!(card_of(b"{}"), None);
        let checks = Checks {
            identity: Finding::VisitorApproved,
            temperature: Finding::TemperatureNormal,
            health_code: Finding::ColourAllowed,
            travel_card: Finding::TravelClear,
            clearance: Finding::ClearanceNotApplicable,
            arrival: Finding::ArrivalNotStaggered,
        };
        let observation = Observation {
            temperature: Temperature::from_tenths(365).ok(),
            colour: Colour::Green,
            travel: Some(TravelCard {
                shown: NaiveDate::default(),
                starred: true,
                cities: Cities::of([City {
                    division: 350_100,
                    starred: true,
                    last_stay: Some(NaiveDate::default()),
                }]),
            }),
            travel_source: TravelSource::Provider,
            further: Further::of(Temperature::from_tenths(366)),
            symptoms: Symptoms::None,
        };
        let checked = Checked {
            entrants: vec![Entrant {
                checks,
                observation,
            }],
            mask_worn: true,
            mask: Finding::MaskWorn,
            device: "东门".to_owned(),
            guard: "guard-1".to_owned(),
            policy_version: "fuzhou-2022-04@1".to_owned(),
            time: DateTime::UNIX_EPOCH,
            stale: false,
            colour_source: ColourSource::Provider,
        };
        assert_eq!(checked_of(&checked_bytes(&checked)), Some(checked));
        assert_eq!(checked_of(b""), None);
    }
}
