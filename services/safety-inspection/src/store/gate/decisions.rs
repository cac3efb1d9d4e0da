//! Decisions at gates and their overrides.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use sea_orm::sea_query::{self, Expr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

pub use super::append::Appended;
use super::entity::gate_decision::{self, Model};
use super::entity::gate_override;
use crate::domain::gate::decision::{Checks, Outcome};
use crate::domain::gate::finding::Finding;
use crate::domain::gate::observation::{
    Cities, City, Colour, ColourSource, Crew, Further, Identification, Observation, Symptoms,
    Temperature, TravelCard, TravelSource,
};
use crate::domain::person::PersonName;
use crate::store::Store;

/// One decision as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The organisation id of the school.
    pub school: String,
    /// Grows with time.
    pub id: Uuid,
    /// Where the school stands in the tree.
    pub org_path: String,
    /// Who; none for somebody unknown.
    pub person: Option<PersonName>,
    /// The result.
    pub outcome: Outcome,
    /// What each check found.
    pub checks: Checks,
    /// What was seen.
    pub observation: Observation,
    /// The gate or device.
    pub device: String,
    /// The guard.
    pub guard: String,
    /// The policy applied.
    pub policy_version: String,
    /// When the person was checked.
    pub decide_time: DateTime<Utc>,
    /// When it was stored.
    pub record_time: DateTime<Utc>,
    /// When the facts were last confirmed.
    pub facts_time: Option<DateTime<Utc>>,
    /// Decided in manual mode.
    pub stale: bool,
    /// Decided without a network.
    pub offline: bool,
    /// What this service would have decided instead of a gate without a network.
    pub expected: Option<Outcome>,
    /// The decision that this one rechecks.
    pub recheck_of: Option<Uuid>,
    /// How the person was identified.
    pub identification: Identification,
    /// The crew that came in an emergency.
    pub emergency: Option<Crew>,
    /// Where the colour comes from.
    pub colour_source: ColourSource,
    /// What makes a repeat recognisable.
    pub client_id: Uuid,
    /// A digest of the request.
    pub fingerprint: i64,
}

/// The word of a person instead of that of the checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The result in force.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
    /// Who.
    pub responsible: String,
    /// When.
    pub time: DateTime<Utc>,
}

/// How many rechecks of one decision are looked at.
const RECHECKS: u64 = 100;

/// Which decisions a list holds.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those with this result of the checks.
    pub outcome: Option<Outcome>,
    /// Only those of this person.
    pub person: Option<PersonName>,
    /// Only those of gates without a network.
    pub offline: bool,
    /// Only those of gates without a network that this service contradicts.
    pub conflict: bool,
}

impl Store {
    /// One decision with its override.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decision(
        &self,
        db: &impl ConnectionTrait,
        school: &str,
        id: Uuid,
    ) -> Result<Option<(Record, Option<Override>)>, DbErr> {
        let row = gate_decision::Entity::find_by_id((school.to_owned(), id))
            .one(db)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let word = gate_override::Entity::find_by_id((school.to_owned(), id))
            .one(db)
            .await?;
        Ok(Some((
            row.try_into()?,
            word.map(Override::try_from).transpose()?,
        )))
    }

    /// A school's decisions before `before`, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decisions(
        &self,
        school: &str,
        filter: &Filter,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<(Record, Option<Override>)>, DbErr> {
        use gate_decision::Column;

        let mut select = gate_decision::Entity::find().filter(Column::School.eq(school.to_owned()));
        if let Some(before) = before {
            select = select.filter(Column::Id.lt(before));
        }
        if let Some(outcome) = filter.outcome {
            select = select.filter(Column::Outcome.eq(outcome_number(outcome)));
        }
        if let Some(person) = filter.person {
            select = select.filter(Column::Person.eq(person.to_string()));
        }
        if filter.offline {
            select = select.filter(Column::Offline.eq(true));
        }
        if filter.conflict {
            let (expected, outcome) = (Expr::col(Column::Expected), Expr::col(Column::Outcome));
            select = select.filter(sea_query::ExprTrait::ne(expected, outcome));
        }
        let rows = select
            .order_by_desc(Column::Id)
            .limit(limit)
            .all(self.db.read())
            .await?;
        let words = gate_override::Entity::find()
            .filter(gate_override::Column::School.eq(school.to_owned()))
            .filter(gate_override::Column::Id.is_in(rows.iter().map(|row| row.id)))
            .all(self.db.read())
            .await?;
        rows.into_iter()
            .map(|row| {
                let word = words.iter().find(|word| word.id == row.id).cloned();
                Ok((row.try_into()?, word.map(Override::try_from).transpose()?))
            })
            .collect()
    }

    /// Those decisions of a school whose id or client id is among these.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decisions_named(&self, school: &str, ids: &[Uuid]) -> Result<Vec<Record>, DbErr> {
        use gate_decision::Column;

        let mut found = Vec::new();
        for column in [Column::ClientId, Column::Id] {
            let rows = gate_decision::Entity::find()
                .filter(Column::School.eq(school.to_owned()))
                .filter(column.is_in(ids.iter().copied()))
                .all(self.db.read())
                .await?;
            for row in rows {
                found.push(row.try_into()?);
            }
        }
        Ok(found)
    }

    /// Whether a recheck of the decision `first` sent the person to the fever clinic, apart from that
    /// of the request `own`, which may be a repeat.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recheck_denied(
        &self,
        school: &str,
        first: Uuid,
        own: Option<Uuid>,
    ) -> Result<bool, DbErr> {
        let again = gate_decision::Entity::find()
            .filter(gate_decision::Column::School.eq(school.to_owned()))
            .filter(gate_decision::Column::RecheckOf.eq(first))
            .limit(RECHECKS)
            .all(self.db.read())
            .await?;
        for row in again {
            let record = Record::try_from(row)?;
            let other = own != Some(record.client_id);
            if other && record.checks.temperature.sends_to_clinic() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Stores an override; false when there is one already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn override_decision(
        tx: &Tx,
        school: &str,
        id: Uuid,
        word: &Override,
    ) -> Result<bool, DbErr> {
        let insert = statement(
            tx,
            "INSERT INTO gate_overrides (school, id, outcome, reason, responsible, override_time) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            [
                school.into(),
                id.into(),
                outcome_number(word.outcome).into(),
                word.reason.clone().into(),
                word.responsible.clone().into(),
                word.time.into(),
            ],
        );
        Ok(tx.execute_raw(insert).await?.rows_affected() == 1)
    }
}

pub(super) fn outcome_number(outcome: Outcome) -> i16 {
    match outcome {
        Outcome::Admit => 1,
        Outcome::Observe => 2,
        Outcome::Deny => 3,
    }
}

pub(super) fn outcome(number: i16) -> Result<Outcome, DbErr> {
    match number {
        1 => Ok(Outcome::Admit),
        2 => Ok(Outcome::Observe),
        3 => Ok(Outcome::Deny),
        _ => Err(unreadable("outcome")),
    }
}

fn unreadable(column: &str) -> DbErr {
    DbErr::Type(format!("gate decision with an unreadable {column}"))
}

/// The row of a record.
pub(super) fn model(record: &Record) -> Model {
    let Record {
        school,
        id,
        org_path,
        person,
        outcome,
        checks,
        observation,
        device,
        guard,
        policy_version,
        decide_time,
        record_time,
        facts_time,
        stale,
        offline,
        expected,
        recheck_of,
        identification,
        emergency,
        colour_source,
        client_id,
        fingerprint,
    } = record.clone();
    let Checks {
        identity,
        temperature,
        health_code,
        travel_card,
        clearance,
        arrival,
    } = checks;
    Model {
        school,
        id,
        org_path,
        person: person.map(|person| person.to_string()),
        outcome: outcome_number(outcome),
        findings: [identity, temperature, health_code, travel_card, clearance]
            .map(Finding::number)
            .to_vec(),
        temperature: observation.temperature.map(Temperature::tenths),
        colour: observation.colour.number(),
        travel_shown: observation.travel.map(|card| card.shown.to_string()),
        travel_starred: observation.travel.is_some_and(|card| card.starred),
        device,
        guard,
        policy_version,
        decide_time,
        record_time,
        facts_time,
        stale,
        offline,
        recheck_of,
        identification: identification as i16,
        emergency: emergency.map(|crew| crew as i16),
        client_id,
        fingerprint,
        colour_source: colour_source as i16,
        arrival: arrival.number().into(),
        further_readings: further_text(observation.further),
        symptoms: observation.symptoms as i16,
        travel_cities: observation
            .travel
            .map(|card| cities_text(&card.cities))
            .unwrap_or_default(),
        travel_source: observation.travel_source as i16,
        expected: expected.map(outcome_number),
    }
}

/// Cities with spaces between them: the division, an asterisk where it is marked, and the last day there
/// where it is known.
pub(in crate::store) fn cities_text(cities: &Cities) -> String {
    let text = |city: City| {
        let star = if city.starred { "*" } else { "" };
        let day = city.last_stay.map(|day| format!("@{day}"));
        format!("{:06}{star}{}", city.division, day.unwrap_or_default())
    };
    cities.iter().map(text).collect::<Vec<_>>().join(" ")
}

/// The cities of such a text; none when it is no such text.
pub(in crate::store) fn cities_of(text: &str) -> Option<Cities> {
    let city = |text: &str| {
        let (place, day) = match text.split_once('@') {
            Some((place, day)) => (place, Some(day.parse().ok()?)),
            None => (text, None),
        };
        let division = place.strip_suffix('*').unwrap_or(place);
        Some(City {
            division: division.parse().ok()?,
            starred: division != place,
            last_stay: day,
        })
    };
    let cities: Option<Vec<City>> = text.split_whitespace().map(city).collect();
    cities.map(Cities::of)
}

fn further_text(further: Further) -> String {
    let tenths = further.iter().map(|reading| reading.tenths().to_string());
    tenths.collect::<Vec<_>>().join(" ")
}

fn further(text: &str) -> Result<Further, DbErr> {
    let readings = text.split_whitespace().map(|tenths| {
        let reading = tenths.parse().ok().map(Temperature::from_tenths);
        reading
            .and_then(Result::ok)
            .ok_or_else(|| unreadable("reading"))
    });
    let readings: Vec<Temperature> = readings.collect::<Result<_, _>>()?;
    Ok(Further::of(readings))
}

impl TryFrom<Model> for Record {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        let person = row.person.as_deref().map(str::parse).transpose();
        let findings: Vec<_> = row
            .findings
            .iter()
            .filter_map(|number| Finding::from_number(*number))
            .collect();
        let [identity, temperature, health_code, travel_card, clearance] = findings[..] else {
            return Err(unreadable("finding"));
        };
        let reading = row
            .temperature
            .map(|tenths| Temperature::from_tenths(i32::from(tenths)));
        let shown = row.travel_shown.as_deref().map(str::parse).transpose();
        let shown = shown.map_err(|_| unreadable("travel card"))?;
        let cities = cities_of(&row.travel_cities).ok_or_else(|| unreadable("city"))?;
        Ok(Self {
            school: row.school,
            id: row.id,
            org_path: row.org_path,
            person: person.map_err(|_| unreadable("person"))?,
            outcome: outcome(row.outcome)?,
            checks: Checks {
                identity,
                temperature,
                health_code,
                travel_card,
                clearance,
                arrival: u8::try_from(row.arrival)
                    .ok()
                    .and_then(Finding::from_number)
                    .ok_or_else(|| unreadable("arrival"))?,
            },
            observation: Observation {
                temperature: reading.transpose().map_err(|_| unreadable("temperature"))?,
                colour: Colour::ALL
                    .into_iter()
                    .find(|colour| colour.number() == row.colour)
                    .ok_or_else(|| unreadable("colour"))?,
                travel: shown.map(|shown| TravelCard {
                    shown,
                    starred: row.travel_starred,
                    cities,
                }),
                travel_source: TravelSource::from_number(row.travel_source)
                    .ok_or_else(|| unreadable("travel source"))?,
                further: further(&row.further_readings)?,
                symptoms: Symptoms::from_number(row.symptoms.into())
                    .ok_or_else(|| unreadable("symptoms"))?,
            },
            device: row.device,
            guard: row.guard,
            policy_version: row.policy_version,
            decide_time: row.decide_time,
            record_time: row.record_time,
            facts_time: row.facts_time,
            stale: row.stale,
            offline: row.offline,
            expected: row.expected.map(outcome).transpose()?,
            recheck_of: row.recheck_of,
            identification: Identification::ALL
                .into_iter()
                .find(|how| *how as i16 == row.identification)
                .ok_or_else(|| unreadable("identification"))?,
            emergency: row
                .emergency
                .map(|number| {
                    let crew = Crew::ALL.into_iter().find(|crew| *crew as i16 == number);
                    crew.ok_or_else(|| unreadable("emergency"))
                })
                .transpose()?,
            colour_source: ColourSource::from_number(row.colour_source)
                .ok_or_else(|| unreadable("colour source"))?,
            client_id: row.client_id,
            fingerprint: row.fingerprint,
        })
    }
}

impl TryFrom<gate_override::Model> for Override {
    type Error = DbErr;

    fn try_from(row: gate_override::Model) -> Result<Self, DbErr> {
        let gate_override::Model {
            school: _,
            id: _,
            outcome: number,
            reason,
            responsible,
            override_time,
        } = row;
        Ok(Self {
            outcome: outcome(number)?,
            reason,
            responsible,
            time: override_time,
        })
    }
}
