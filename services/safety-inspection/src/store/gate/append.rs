//! Many decisions in one commit.

use std::collections::{HashMap, HashSet};

use kit::db::{Backend, statement};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, RuntimeErr, Value};
use uuid::Uuid;

use super::decisions::{Record, model};
use super::entity::gate_decision::{self, Model};
use crate::store::Store;

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
    pub async fn append(&self, records: &[Record]) -> Result<Vec<Appended>, DbErr> {
        let rows: Vec<Model> = records.iter().map(model).collect();
        // Two batches that share ids take them in the same order, so neither waits for the other.
        let mut ordered = rows.clone();
        ordered.sort_by_key(|row| row.client_id);
        let stored = match self.db.backend() {
            Backend::Postgres => self.append_postgres(&ordered).await?,
            Backend::Sqlite => self.append_sqlite(&ordered).await?,
        };
        if stored.len() == rows.len() {
            return Ok(vec![Appended::Stored; rows.len()]);
        }
        self.tell_apart(&rows, &stored).await
    }

    /// One statement with arrays: a single round trip, which commits by itself.
    async fn append_postgres(&self, rows: &[Model]) -> Result<HashSet<Uuid>, DbErr> {
        macro_rules! column {
            ($field:ident) => {
                rows.iter()
                    .map(|row| row.$field.clone())
                    .collect::<Vec<_>>()
            };
        }
        let pool = self
            .db
            .postgres()
            .ok_or_else(|| DbErr::Custom("no pool".to_owned()))?;
        let ids: Vec<(Uuid,)> =
            sea_orm::sqlx::query_as(sea_orm::sqlx::AssertSqlSafe(insert_postgres()))
                .bind(column!(school))
                .bind(column!(id))
                .bind(column!(org_path))
                .bind(column!(person))
                .bind(column!(outcome))
                .bind(column!(findings))
                .bind(column!(temperature))
                .bind(column!(colour))
                .bind(column!(travel_shown))
                .bind(column!(travel_starred))
                .bind(column!(device))
                .bind(column!(guard))
                .bind(column!(policy_version))
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
                .fetch_all(pool)
                .await
                .map_err(|err| DbErr::Query(RuntimeErr::SqlxError(err.into())))?;
        Ok(ids.into_iter().map(|(id,)| id).collect())
    }

    async fn append_sqlite(&self, rows: &[Model]) -> Result<HashSet<Uuid>, DbErr> {
        let tx = self.db.begin().await?;
        let mut stored = HashSet::with_capacity(rows.len());
        for rows in rows.chunks(ROWS) {
            let values: Vec<Value> = rows.iter().cloned().flat_map(values).collect();
            let insert = statement(&tx, &insert_sqlite(rows.len()), values);
            for row in tx.query_all_raw(insert).await? {
                stored.insert(row.try_get_by_index(0)?);
            }
        }
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
    colour_source, arrival";

const WIDTH: usize = 25;

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
];

fn insert_postgres() -> String {
    let arrays: Vec<_> = TYPES
        .iter()
        .enumerate()
        .map(|(place, of)| format!("${}::{of}[]", place + 1))
        .collect();
    format!(
        "INSERT INTO gate_decisions ({COLUMNS}) SELECT * FROM UNNEST ({}) \
         ON CONFLICT (school, client_id) DO NOTHING RETURNING id",
        arrays.join(", ")
    )
}

fn insert_sqlite(rows: usize) -> String {
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
    ]
}
