//! Many decisions in one commit.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};

use kit::db::{Backend, Tx, statement};
use kit::rows::Row;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, RuntimeErr, Value};
use uuid::Uuid;

use super::days::{GateDayChangeRow, counted, day_of};
use super::decisions::{Record, model, outcome_number};
use super::entity::gate_decision::{self, Model};
use super::rechecks::retellings;
use crate::domain::gate::decision::Outcome;
use crate::store::Store;
use crate::store::told::RetellingRow;

/// What became of a decision that was handed to [`Store::append`].
#[derive(Clone, Debug)]
pub enum Appended {
    /// Stored for the first time.
    Stored,
    /// Its client id was stored before with the same content: this is what was stored then.
    Repeated(Box<Record>),
    /// Its client id was stored before with other content.
    Differs,
}

impl Store {
    /// Stores decisions in one transaction, each once per school and client id. Answers in their
    /// order.
    ///
    /// # Errors
    /// When the database fails; nothing is stored then.
    pub async fn append<R: Borrow<Record>>(&self, records: &[R]) -> Result<Vec<Appended>, DbErr> {
        let rows: Vec<Model> = records
            .iter()
            .map(|record| model(record.borrow()))
            .collect();
        // Two batches that share ids take them in the same order, so neither waits for the other.
        let mut ordered: Vec<&Model> = rows.iter().collect();
        ordered.sort_by_key(|row| row.client_id);
        let retold = retellings(ordered.iter().copied());
        let stored = match self.db.backend() {
            Backend::Postgres => self.append_postgres(&ordered, &retold).await?,
            Backend::Sqlite => self.append_sqlite(&ordered, &retold).await?,
        };
        if stored.len() == rows.len() {
            return Ok(vec![Appended::Stored; rows.len()]);
        }
        self.tell_apart(&rows, &stored).await
    }

    /// Stores one decision in a transaction that does more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn append_one(tx: &Tx, record: &Record) -> Result<Appended, DbErr> {
        let row = model(record);
        RetellingRow::add(tx, &retellings([&row])).await?;
        let insert = statement(tx, &insert_values(1), values(row));
        if tx.query_one_raw(insert).await?.is_some() {
            let counts = counted(std::iter::once(counts_as(&model(record))));
            GateDayChangeRow::add(tx, &counts).await?;
            return Ok(Appended::Stored);
        }
        let before = gate_decision::Entity::find()
            .filter(gate_decision::Column::School.eq(record.school.clone()))
            .filter(gate_decision::Column::ClientId.eq(record.client_id))
            .one(tx)
            .await?;
        let before = before.ok_or_else(|| DbErr::RecordNotFound("decision".to_owned()))?;
        Ok(if before.fingerprint == record.fingerprint {
            Appended::Repeated(Box::new(before.try_into()?))
        } else {
            Appended::Differs
        })
    }

    /// One statement with arrays: a single round trip, which commits by itself. What is counted, and what must
    /// be told anew, stands in the same one.
    async fn append_postgres(
        &self,
        rows: &[&Model],
        retold: &[RetellingRow],
    ) -> Result<HashSet<Uuid>, DbErr> {
        macro_rules! column {
            ($field:ident) => {
                rows.iter().map(|row| row.$field).collect::<Vec<_>>()
            };
            ($field:ident as text) => {
                rows.iter()
                    .map(|row| row.$field.as_str())
                    .collect::<Vec<_>>()
            };
            ($field:ident as nullable text) => {
                rows.iter()
                    .map(|row| row.$field.as_deref())
                    .collect::<Vec<_>>()
            };
        }
        let findings: Vec<&[u8]> = rows.iter().map(|row| row.findings.as_slice()).collect();
        let pool = self
            .db
            .postgres()
            .ok_or_else(|| DbErr::Custom("no pool".to_owned()))?;
        let tells = !retold.is_empty();
        let sql = sea_orm::sqlx::AssertSqlSafe(insert_postgres(tells));
        let mut insert = sea_orm::sqlx::query_as::<sea_orm::sqlx::Postgres, (Uuid,)>(sql)
            .bind(column!(school as text))
            .bind(column!(id))
            .bind(column!(org_path as text))
            .bind(column!(person as nullable text))
            .bind(column!(outcome))
            .bind(findings)
            .bind(column!(temperature))
            .bind(column!(colour))
            .bind(column!(travel_shown as nullable text))
            .bind(column!(travel_starred))
            .bind(column!(device as text))
            .bind(column!(guard as text))
            .bind(column!(policy_version as text))
            .bind(column!(decide_time))
            .bind(column!(record_time))
            .bind(column!(facts_time))
            .bind(column!(stale))
            .bind(column!(offline))
            .bind(column!(recheck_of))
            .bind(column!(identification))
            .bind(column!(emergency))
            .bind(column!(client_id))
            .bind(column!(fingerprint))
            .bind(column!(colour_source))
            .bind(column!(arrival))
            .bind(column!(further_readings as text))
            .bind(column!(symptoms))
            .bind(column!(travel_cities as text))
            .bind(column!(travel_source))
            .bind(column!(expected));
        if tells {
            let entities = retold.iter().map(|row| row.entity.clone());
            insert = insert.bind(entities.collect::<Vec<_>>());
        }
        let inserted = self.db.by_driver("INSERT", insert.fetch_all(pool));
        let ids = inserted
            .await
            .map_err(|err| DbErr::Query(RuntimeErr::SqlxError(err.into())))?;
        Ok(ids.into_iter().map(|(id,)| id).collect())
    }

    async fn append_sqlite(
        &self,
        rows: &[&Model],
        retold: &[RetellingRow],
    ) -> Result<HashSet<Uuid>, DbErr> {
        let tx = self.db.begin().await?;
        let mut stored = HashSet::with_capacity(rows.len());
        for rows in rows.chunks(ROWS) {
            let values: Vec<Value> = rows.iter().copied().cloned().flat_map(values).collect();
            let insert = statement(&tx, &insert_values(rows.len()), values);
            for row in tx.query_all_raw(insert).await? {
                stored.insert(row.try_get_by_index(0)?);
            }
        }
        let fresh = rows.iter().filter(|row| stored.contains(&row.id));
        let counts = counted(fresh.map(|row| counts_as(row)));
        GateDayChangeRow::add(&tx, &counts).await?;
        RetellingRow::add(&tx, retold).await?;
        tx.commit().await?;
        Ok(stored)
    }

    /// Finds what stood there before for those that were not stored.
    async fn tell_apart(
        &self,
        rows: &[Model],
        stored: &HashSet<Uuid>,
    ) -> Result<Vec<Appended>, DbErr> {
        let missing = rows.iter().filter(|row| !stored.contains(&row.id));
        let found = gate_decision::Entity::find()
            .filter(gate_decision::Column::ClientId.is_in(missing.map(|row| row.client_id)))
            .all(self.db.read())
            .await?;
        let found: HashMap<_, _> = found
            .into_iter()
            .map(|row| ((row.school.clone(), row.client_id), row))
            .collect();
        let appended = |row: &Model| {
            if stored.contains(&row.id) {
                return Ok(Appended::Stored);
            }
            let before = found.get(&(row.school.clone(), row.client_id));
            let before = before.ok_or_else(|| DbErr::RecordNotFound("decision".to_owned()))?;
            Ok(if before.fingerprint == row.fingerprint {
                Appended::Repeated(Box::new(Record::try_from(before.clone())?))
            } else {
                Appended::Differs
            })
        };
        rows.iter().map(appended).collect()
    }
}

const COLUMNS: &str = "school, id, org_path, person, outcome, findings, temperature, colour, \
    travel_shown, travel_starred, device, guard, policy_version, decide_time, record_time, \
    facts_time, stale, offline, recheck_of, identification, emergency, client_id, fingerprint, \
    colour_source, arrival, further_readings, symptoms, travel_cities, travel_source, expected";

const WIDTH: usize = 30;

/// How many rows one SQLite statement writes.
const ROWS: usize = 500;

/// The types of the columns, in their order.
const TYPES: [&str; WIDTH] = [
    "text",
    "uuid",
    "text",
    "text",
    "int2",
    "bytea",
    "int2",
    "int2",
    "text",
    "bool",
    "text",
    "text",
    "text",
    "timestamptz",
    "timestamptz",
    "timestamptz",
    "bool",
    "bool",
    "uuid",
    "int2",
    "int2",
    "uuid",
    "int8",
    "int2",
    "int2",
    "text",
    "int2",
    "text",
    "int2",
    "int2",
];

fn insert_postgres(tells: bool) -> String {
    let arrays: Vec<_> = TYPES
        .iter()
        .enumerate()
        .map(|(place, of)| format!("${}::{of}[]", place + 1))
        .collect();
    let stored = format!(
        "WITH stored AS (INSERT INTO gate_decisions ({COLUMNS}) SELECT * FROM UNNEST ({}) \
         ON CONFLICT (school, client_id) DO NOTHING \
         RETURNING id, school, outcome, offline, decide_time)",
        arrays.join(", ")
    );
    let retold = if tells {
        format!(
            ", retold AS (INSERT INTO retellings (id, entity, due_at) \
             SELECT gen_random_uuid(), entity, 0 FROM UNNEST (${}::text[]) AS entity)",
            WIDTH + 1
        )
    } else {
        String::new()
    };
    format!("{stored}, {COUNTED}{retold} SELECT id FROM stored")
}

/// One row with the lines of `GateDay::line` of what was stored; a civil day begins eight hours before UTC.
const COUNTED: &str = "counted AS (INSERT INTO gate_day_changes (id, changes) \
     SELECT gen_random_uuid(), \
     string_agg(concat_ws(' ', day, school, decisions, stopped, handed_in, 0, 0), E'\\n') FROM (\
     SELECT CAST(floor((extract(epoch FROM decide_time) + 28800) / 86400) AS bigint) AS day, school, \
     count(*) AS decisions, count(*) FILTER (WHERE outcome <> 1) AS stopped, \
     count(*) FILTER (WHERE offline) AS handed_in FROM stored GROUP BY 1, 2) AS days \
     HAVING count(*) > 0)";

/// What a stored decision counts as: its day, its school, whether it lets in, whether its gate had no network.
fn counts_as(row: &Model) -> (i32, &str, bool, bool) {
    let admits = row.outcome == outcome_number(Outcome::Admit);
    (day_of(row.decide_time), &row.school, admits, row.offline)
}

/// Takes a value for each column of each row.
fn insert_values(rows: usize) -> String {
    let mut sql = format!("INSERT INTO gate_decisions ({COLUMNS}) VALUES ");
    for row in 0..rows {
        let places: Vec<_> = (1..=WIDTH)
            .map(|column| format!("${}", row * WIDTH + column))
            .collect();
        sql.push_str(if row == 0 { "(" } else { ", (" });
        sql.push_str(&places.join(", "));
        sql.push(')');
    }
    sql.push_str(" ON CONFLICT (school, client_id) DO NOTHING RETURNING id");
    sql
}

fn values(row: Model) -> [Value; WIDTH] {
    let Model {
        school,
        id,
        org_path,
        person,
        outcome,
        findings,
        temperature,
        colour,
        travel_shown,
        travel_starred,
        device,
        guard,
        policy_version,
        decide_time,
        record_time,
        facts_time,
        stale,
        offline,
        recheck_of,
        identification,
        emergency,
        client_id,
        fingerprint,
        colour_source,
        arrival,
        further_readings,
        symptoms,
        travel_cities,
        travel_source,
        expected,
    } = row;
    [
        school.into(),
        id.into(),
        org_path.into(),
        person.into(),
        outcome.into(),
        findings.into(),
        temperature.into(),
        colour.into(),
        travel_shown.into(),
        travel_starred.into(),
        device.into(),
        guard.into(),
        policy_version.into(),
        decide_time.into(),
        record_time.into(),
        facts_time.into(),
        stale.into(),
        offline.into(),
        recheck_of.into(),
        identification.into(),
        emergency.into(),
        client_id.into(),
        fingerprint.into(),
        colour_source.into(),
        arrival.into(),
        further_readings.into(),
        symptoms.into(),
        travel_cities.into(),
        travel_source.into(),
        expected.into(),
    ]
}
