//! Draws, their class groups and replacements, as records that can be published as they stand.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use kit::db::{Backend, Tx, statement};
use prost::Message;
use proto::sampling::{PublishedClassGroup, PublishedClosing, PublishedDraw, PublishedReplacement};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

use super::plans::{to_day, to_instant};
use super::rolls::corrupt;
use crate::domain::day::Day;
use crate::domain::plan::{DrawId, PlanId};
use crate::domain::roll::Malformed;
use kit::bulk::{Column, insert, placeholders};

/// The draw of one school and day as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawRow {
    /// Plan, day and school.
    pub id: DrawId,
    /// The school's place.
    pub org_path: String,
    /// The first day of the cycle whose seed was used.
    pub cycle: Day,
    /// How many people are eligible.
    pub eligible: i32,
    /// The sum of the quotas.
    pub quota: i32,
    /// How many were picked.
    pub picks: i32,
    /// How many were absent.
    pub replacements: i32,
    /// What was signed.
    pub record: PublishedDraw,
    /// Which key signed it.
    pub key_id: String,
    /// What was revealed at the close.
    pub closing: Option<PublishedClosing>,
    /// When it was frozen.
    pub create_time: DateTime<Utc>,
    /// Grows with each change.
    pub version: i64,
}

const DRAWS: &str = "SELECT plan, day, organization, org_path, cycle, eligible, quota, picks, \
    replacements, record, closing, create_time, version, key_id FROM draws";

impl DrawRow {
    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        let plan: String = row.try_get_by_index(0)?;
        let record: Vec<u8> = row.try_get_by_index(9)?;
        let closing: Option<Vec<u8>> = row.try_get_by_index(10)?;
        let closing = closing.map(|bytes| PublishedClosing::decode(bytes.as_slice()));
        Ok(Self {
            id: DrawId {
                plan: PlanId::new(&plan).map_err(|_| corrupt(Malformed))?,
                day: to_day(row.try_get_by_index(1)?)?,
                organization: row.try_get_by_index(2)?,
            },
            org_path: row.try_get_by_index(3)?,
            cycle: to_day(row.try_get_by_index(4)?)?,
            eligible: row.try_get_by_index(5)?,
            quota: row.try_get_by_index(6)?,
            picks: row.try_get_by_index(7)?,
            replacements: row.try_get_by_index(8)?,
            record: PublishedDraw::decode(record.as_slice()).map_err(unreadable)?,
            closing: closing.transpose().map_err(unreadable)?,
            create_time: to_instant(row.try_get_by_index(11)?)?,
            version: row.try_get_by_index(12)?,
            key_id: row.try_get_by_index(13)?,
        })
    }
}

fn unreadable(_: prost::DecodeError) -> DbErr {
    corrupt(Malformed)
}

/// One draw.
///
/// # Errors
/// When the database fails or the row is corrupt.
pub async fn get(connection: &impl ConnectionTrait, id: &DrawId) -> Result<Option<DrawRow>, DbErr> {
    find(connection, id, "").await
}

/// One draw, locked.
pub(crate) async fn lock(tx: &Tx, id: &DrawId) -> Result<Option<DrawRow>, DbErr> {
    let lock = match tx.backend() {
        Backend::Postgres => "FOR UPDATE",
        Backend::Sqlite => "",
    };
    find(tx, id, lock).await
}

async fn find(
    connection: &impl ConnectionTrait,
    id: &DrawId,
    lock: &str,
) -> Result<Option<DrawRow>, DbErr> {
    let sql = format!("{DRAWS} WHERE id = $1 {lock}");
    let row = connection
        .query_one_raw(statement(connection, &sql, [id.id().into()]))
        .await?;
    row.as_ref().map(DrawRow::read).transpose()
}

/// Which draws to list.
#[derive(Clone, Debug, Default)]
pub struct Filter<'a> {
    /// At or below this place.
    pub place: &'a str,
    /// On this day.
    pub day: Day,
    /// Under this plan.
    pub plan: Option<&'a PlanId>,
    /// Closed ones only.
    pub closed: bool,
    /// After this place and plan.
    pub after: Option<(&'a str, &'a str)>,
    /// At most so many.
    pub limit: u64,
}

/// The draws of a day, ordered by the school's place, then plan.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn list(
    connection: &impl ConnectionTrait,
    filter: &Filter<'_>,
) -> Result<Vec<DrawRow>, DbErr> {
    let Filter {
        place,
        day,
        plan,
        closed,
        after,
        limit,
    } = filter;
    let mut sql =
        format!("{DRAWS} WHERE day = $1 AND (org_path = $2 OR (org_path >= $3 AND org_path < $4))");
    let mut values: Vec<Value> = vec![
        i32::from(day.number()).into(),
        (*place).into(),
        format!("{place}/").into(),
        format!("{place}0").into(),
    ];
    if let Some(plan) = plan {
        values.push(plan.as_str().into());
        sql.push_str(&format!(" AND plan = ${}", values.len()));
    }
    if *closed {
        sql.push_str(" AND closing IS NOT NULL");
    }
    if let Some((path, plan)) = after {
        values.push((*path).into());
        let first = values.len();
        values.push((*plan).into());
        let second = values.len();
        sql.push_str(&format!(
            " AND (org_path > ${first} OR (org_path = ${first} AND plan > ${second}))"
        ));
    }
    values.push(i64::try_from(*limit).unwrap_or(i64::MAX).into());
    sql.push_str(&format!(" ORDER BY org_path, plan LIMIT ${}", values.len()));
    let rows = connection
        .query_all_raw(statement(connection, &sql, values))
        .await?;
    rows.iter().map(DrawRow::read).collect()
}

/// Draws of these schools before `day` that nobody closed, locked.
pub(crate) async fn open_before(
    tx: &Tx,
    plan: &PlanId,
    schools: &[String],
    day: Day,
) -> Result<Vec<DrawRow>, DbErr> {
    let lock = match tx.backend() {
        Backend::Postgres => "FOR UPDATE",
        Backend::Sqlite => "",
    };
    let mut draws = Vec::new();
    for part in schools.chunks(1000) {
        let sql = format!(
            "{DRAWS} WHERE plan = $1 AND day < $2 AND closing IS NULL AND organization IN ({}) \
             ORDER BY day, org_path {lock}",
            placeholders(3, part.len())
        );
        let mut values: Vec<Value> = vec![plan.as_str().into(), i32::from(day.number()).into()];
        values.extend(part.iter().map(|school| Value::from(school.as_str())));
        for row in tx.query_all_raw(statement(tx, &sql, values)).await? {
            draws.push(DrawRow::read(&row)?);
        }
    }
    Ok(draws)
}

/// Which of these schools are drawn under the plan on the day.
///
/// # Errors
/// When the database fails.
pub async fn drawn(
    connection: &impl ConnectionTrait,
    plan: &PlanId,
    place: &str,
    day: Day,
) -> Result<HashSet<String>, DbErr> {
    let sql = "SELECT org_path FROM draws WHERE day = $1 AND plan = $2 \
        AND (org_path = $3 OR (org_path >= $4 AND org_path < $5))";
    let values: [Value; 5] = [
        i32::from(day.number()).into(),
        plan.as_str().into(),
        place.into(),
        format!("{place}/").into(),
        format!("{place}0").into(),
    ];
    let rows = connection
        .query_all_raw(statement(connection, sql, values))
        .await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Whether any school is drawn under the plan on the day.
///
/// # Errors
/// When the database fails.
pub async fn is_drawn(
    connection: &impl ConnectionTrait,
    plan: &PlanId,
    day: Day,
) -> Result<bool, DbErr> {
    let sql = "SELECT 1 FROM draws WHERE day = $1 AND plan = $2 LIMIT 1";
    let values: [Value; 2] = [i32::from(day.number()).into(), plan.as_str().into()];
    let found = connection
        .query_one_raw(statement(connection, sql, values))
        .await?;
    Ok(found.is_some())
}

/// Which of these draws are stored.
pub(crate) async fn existing(tx: &Tx, ids: &[String]) -> Result<HashSet<String>, DbErr> {
    let mut found = HashSet::new();
    for part in ids.chunks(1000) {
        let sql = format!(
            "SELECT id FROM draws WHERE id IN ({})",
            placeholders(1, part.len())
        );
        let values = part.iter().map(|id| Value::from(id.as_str()));
        for row in tx.query_all_raw(statement(tx, &sql, values)).await? {
            found.insert(row.try_get_by_index(0)?);
        }
    }
    Ok(found)
}

/// Every school of the day that is drawn under any plan, at or below a place.
///
/// # Errors
/// When the database fails.
pub async fn drawn_schools(
    connection: &impl ConnectionTrait,
    place: &str,
    day: Day,
) -> Result<HashSet<String>, DbErr> {
    let sql = "SELECT DISTINCT org_path FROM draws WHERE day = $1 \
        AND (org_path = $2 OR (org_path >= $3 AND org_path < $4))";
    let values: [Value; 4] = [
        i32::from(day.number()).into(),
        place.into(),
        format!("{place}/").into(),
        format!("{place}0").into(),
    ];
    let rows = connection
        .query_all_raw(statement(connection, sql, values))
        .await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// When each of these schools was drawn before, oldest first.
pub(crate) async fn drawn_days(
    connection: &impl ConnectionTrait,
    plan: &PlanId,
    schools: &[String],
) -> Result<HashMap<String, Vec<Day>>, DbErr> {
    let mut days = HashMap::with_capacity(schools.len());
    for part in schools.chunks(1000) {
        let sql = format!(
            "SELECT organization, days FROM drawn_days WHERE plan = $1 AND organization IN ({})",
            placeholders(2, part.len())
        );
        let mut values: Vec<Value> = vec![plan.as_str().into()];
        values.extend(part.iter().map(|school| Value::from(school.as_str())));
        for row in connection
            .query_all_raw(statement(connection, &sql, values))
            .await?
        {
            let bytes: Vec<u8> = row.try_get_by_index(1)?;
            let unpacked = bytes
                .chunks_exact(2)
                .map(|day| Day::from_number(u16::from_le_bytes([day[0], day[1]])));
            days.insert(row.try_get_by_index(0)?, unpacked.collect());
        }
    }
    Ok(days)
}

/// A draw with its groups, new.
#[derive(Clone, Debug)]
pub(crate) struct NewDraw {
    pub(crate) row: DrawRow,
    /// Identifier and encoded record of each group.
    pub(crate) groups: Vec<(String, Vec<u8>)>,
    /// When the school was drawn, this day included.
    pub(crate) days: Vec<Day>,
}

/// Stores new draws of one plan.
pub(crate) async fn add(tx: &Tx, draws: &mut [NewDraw]) -> Result<(), DbErr> {
    let rows = || draws.iter().map(|draw| &draw.row);
    let text = |of: fn(&DrawRow) -> String| Column::Text(rows().map(of).collect());
    let int = |of: fn(&DrawRow) -> i32| Column::Int(rows().map(of).collect());
    let columns = vec![
        ("id", text(|row| row.id.id())),
        ("plan", text(|row| row.id.plan.as_str().to_owned())),
        ("day", int(|row| i32::from(row.id.day.number()))),
        ("organization", text(|row| row.id.organization.clone())),
        ("org_path", text(|row| row.org_path.clone())),
        ("cycle", int(|row| i32::from(row.cycle.number()))),
        ("eligible", int(|row| row.eligible)),
        ("quota", int(|row| row.quota)),
        ("picks", int(|row| row.picks)),
        ("replacements", int(|row| row.replacements)),
        (
            "record",
            Column::Bytes(rows().map(|row| row.record.encode_to_vec()).collect()),
        ),
        ("key_id", text(|row| row.key_id.clone())),
        (
            "create_time",
            Column::Big(
                rows()
                    .map(|row| row.create_time.timestamp_millis())
                    .collect(),
            ),
        ),
        (
            "version",
            Column::Big(rows().map(|row| row.version).collect()),
        ),
    ];
    insert(tx, "draws", columns, "").await?;

    let days = |draw: &NewDraw| {
        draw.days
            .iter()
            .flat_map(|day| day.number().to_le_bytes())
            .collect()
    };
    let columns = vec![
        ("plan", text(|row| row.id.plan.as_str().to_owned())),
        ("organization", text(|row| row.id.organization.clone())),
        ("days", Column::Bytes(draws.iter().map(days).collect())),
    ];
    let conflict = "ON CONFLICT (plan, organization) DO UPDATE SET days = excluded.days";
    insert(tx, "drawn_days", columns, conflict).await?;

    let (mut names, mut ids, mut records) = (Vec::new(), Vec::new(), Vec::new());
    for draw in draws {
        let name = draw.row.id.id();
        for (id, record) in std::mem::take(&mut draw.groups) {
            names.push(name.clone());
            ids.push(id);
            records.push(record);
        }
    }
    let columns = vec![
        ("draw", Column::Text(names)),
        ("id", Column::Text(ids)),
        ("record", Column::Bytes(records)),
    ];
    insert(tx, "draw_groups", columns, "").await
}

/// The encoded groups of a draw, ordered by identifier, after `after`.
///
/// # Errors
/// When the database fails.
pub async fn groups(
    connection: &impl ConnectionTrait,
    draw: &DrawId,
    after: &str,
    limit: u64,
) -> Result<Vec<(String, Vec<u8>)>, DbErr> {
    let sql = "SELECT id, record FROM draw_groups WHERE draw = $1 AND id > $2 ORDER BY id LIMIT $3";
    let values: [Value; 3] = [
        draw.id().into(),
        after.into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
    ];
    let rows = connection
        .query_all_raw(statement(connection, sql, values))
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
        .collect()
}

/// One group of a draw.
///
/// # Errors
/// When the database fails or the row is corrupt.
pub async fn group(
    connection: &impl ConnectionTrait,
    draw: &DrawId,
    id: &str,
) -> Result<Option<PublishedClassGroup>, DbErr> {
    let sql = "SELECT record FROM draw_groups WHERE draw = $1 AND id = $2";
    let values: [Value; 2] = [draw.id().into(), id.into()];
    let Some(row) = connection
        .query_one_raw(statement(connection, sql, values))
        .await?
    else {
        return Ok(None);
    };
    let record: Vec<u8> = row.try_get_by_index(0)?;
    decode_group(&record).map(Some)
}

pub(crate) fn decode_group(record: &[u8]) -> Result<PublishedClassGroup, DbErr> {
    PublishedClassGroup::decode(record).map_err(unreadable)
}

/// The replacements of a draw, in order.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn replacements(
    connection: &impl ConnectionTrait,
    draw: &DrawId,
) -> Result<Vec<PublishedReplacement>, DbErr> {
    let sql = "SELECT record FROM draw_replacements WHERE draw = $1 ORDER BY sequence";
    let rows = connection
        .query_all_raw(statement(connection, sql, [draw.id().into()]))
        .await?;
    let decode = |row: &QueryResult| {
        let record: Vec<u8> = row.try_get_by_index(0)?;
        PublishedReplacement::decode(record.as_slice()).map_err(unreadable)
    };
    rows.iter().map(decode).collect()
}

/// Adds a replacement to a draw that is locked.
pub(crate) async fn add_replacement(
    tx: &Tx,
    draw: &DrawId,
    replacement: &PublishedReplacement,
) -> Result<(), DbErr> {
    let columns = vec![
        ("draw", Column::Text(vec![draw.id()])),
        (
            "sequence",
            Column::Int(vec![
                i32::try_from(replacement.sequence).unwrap_or(i32::MAX),
            ]),
        ),
        ("record", Column::Bytes(vec![replacement.encode_to_vec()])),
    ];
    insert(tx, "draw_replacements", columns, "").await
}

/// Stores what may change of a draw that is locked: its closing and how many were replaced.
pub(crate) async fn update(tx: &Tx, draw: &DrawRow) -> Result<(), DbErr> {
    let sql = "UPDATE draws SET replacements = $1, closing = $2, version = $3 WHERE id = $4";
    let closing = draw.closing.as_ref().map(Message::encode_to_vec);
    let values: [Value; 4] = [
        draw.replacements.into(),
        closing.into(),
        draw.version.into(),
        draw.id.id().into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}
