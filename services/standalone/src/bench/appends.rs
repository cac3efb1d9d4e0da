//! The ledger of gate decisions alone: many decisions in one commit beside a commit for each, of the
//! same rows, by the same statement, with as many clients.

use anyhow::{Context as _, anyhow, ensure};
use chrono::{DateTime, Utc};
use kit::batch::Batcher;
use kit::clock::civil_date;
use kit::db::{Database, DatabaseConfig};
use kit::drain::Drain;
use safety_inspection::domain::gate::decision::{Checks, Outcome};
use safety_inspection::domain::gate::finding::Finding;
use safety_inspection::domain::gate::observation::{
    Cities, Colour, ColourSource, Further, Identification, Observation, Symptoms, Temperature,
    TravelCard, TravelSource,
};
use safety_inspection::domain::person::{PersonKind, PersonName};
use safety_inspection::store::Store;
use safety_inspection::store::gate::decisions::{Appended, Record};
use uuid::Uuid;

use super::BenchArgs;
use super::harness::{Answer, Rounds};
use super::load;

/// How many decisions are stored each way in a round.
const GROUPED: usize = 20_000;
const SINGLE: usize = 5_000;

/// How fast decisions become durable.
pub(super) struct Appends {
    /// Those that arrive together share a commit.
    pub(super) grouped: Rounds,
    /// Each has a commit of its own.
    pub(super) single: Rounds,
}

impl Appends {
    /// Measures both alternately with `clients`, on a database of their own.
    pub(super) async fn measure(
        args: &BenchArgs,
        clients: usize,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Self> {
        let scratch = args.database.scratch().await?;
        let config = DatabaseConfig {
            max_connections: u32::try_from(clients)?,
            ..DatabaseConfig::clone(&scratch)
        };
        let db = Database::connect(&config).await?;
        db.migrate::<safety_inspection::Migrator>().await?;
        let store = Store::new(db);
        let alone = {
            let store = store.clone();
            move |record: Record| {
                let store = store.clone();
                async move { stored(store.append(&[record]).await?.first()) }
            }
        };
        let drain = Drain::new();
        let batcher = {
            let store = store.clone();
            Batcher::spawn(8192, 512, drain.clone(), move |records: Vec<Record>| {
                let store = store.clone();
                Box::pin(async move {
                    match store.append(&records).await {
                        Ok(appended) => appended.into_iter().map(Some).collect(),
                        Err(_) => vec![None; records.len()],
                    }
                })
            })
        };
        let together = move |record| {
            let batcher = batcher.clone();
            async move {
                let appended = batcher.submit(record).await;
                stored(appended.map_err(|err| anyhow!("{err}"))?.as_ref())
            }
        };
        let (mut single, mut grouped) = (Rounds::default(), Rounds::default());
        for _ in 0..args.rounds {
            let records_alone = records(SINGLE, now)?;
            single.add(load::closed(clients, records_alone, alone.clone()).await?);
            let records_together = records(GROUPED, now)?;
            grouped.add(load::closed(clients, records_together, together.clone()).await?);
        }
        drain.signal();
        Ok(Self { grouped, single })
    }
}

fn stored(appended: Option<&Appended>) -> anyhow::Result<Answer> {
    ensure!(
        matches!(appended, Some(Appended::Stored)),
        "a decision was not stored"
    );
    Ok(Answer::Done)
}

/// What is seen of a healthy pupil.
pub(super) fn healthy(now: DateTime<Utc>) -> anyhow::Result<Observation> {
    let temperature = Temperature::from_tenths(365).ok();
    Ok(Observation {
        temperature: Some(temperature.context("a plausible reading")?),
        colour: Colour::Green,
        travel: Some(TravelCard {
            shown: civil_date(now),
            starred: false,
            cities: Cities::default(),
        }),
        travel_source: TravelSource::Shown,
        further: Further::default(),
        symptoms: Symptoms::NotAsked,
    })
}

/// Decisions as a healthy pupil's is stored, each of somebody else.
fn records(count: usize, now: DateTime<Utc>) -> anyhow::Result<Vec<Record>> {
    let seconds = u64::try_from(now.timestamp())?;
    let observation = healthy(now)?;
    let checks = Checks {
        identity: Finding::Expected,
        temperature: Finding::TemperatureNormal,
        health_code: Finding::ColourAllowed,
        travel_card: Finding::TravelClear,
        clearance: Finding::Clear,
        arrival: Finding::ArrivalNotStaggered,
    };
    let record = |number: usize| {
        let time = uuid::Timestamp::from_unix(uuid::NoContext, seconds, 0);
        let id = Uuid::new_v7(time);
        Record {
            school: format!("2135{:06}", number % 3_000),
            id,
            org_path: format!("fz/350102/2135{:06}", number % 3_000),
            person: Some(PersonName {
                kind: PersonKind::Student,
                id: Uuid::new_v4(),
            }),
            outcome: Outcome::Admit,
            checks,
            observation,
            device: "bench".to_owned(),
            guard: "guard-1".to_owned(),
            policy_version: "fuzhou-2022-04/1".to_owned(),
            decide_time: now,
            record_time: now,
            facts_time: Some(now),
            stale: false,
            offline: false,
            expected: None,
            recheck_of: None,
            identification: Identification::Guard,
            emergency: None,
            colour_source: ColourSource::Shown,
            client_id: id,
            fingerprint: i64::try_from(number).unwrap_or_default(),
        }
    };
    Ok((0..count).map(record).collect())
}
