//! Plans and the seeds of their cycles.

use chrono::{DateTime, Utc};
use kit::db::{Backend, Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

use super::rolls::corrupt;
use crate::domain::cycle::CycleSeed;
use crate::domain::day::Day;
use crate::domain::plan::{Plan, PlanId, PlanKind};
use crate::domain::quota::Ratio;
use crate::domain::roll::Malformed;

/// A plan as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRow {
    /// The plan.
    pub plan: Plan,
    /// When it was created.
    pub create_time: DateTime<Utc>,
    /// When it last changed.
    pub update_time: DateTime<Utc>,
    /// Grows with each change.
    pub version: i64,
}

const PLANS: &str = "SELECT id, display_name, kind, org_path, ratio, cycle_days, start_day, \
    end_day, ended, policy_version, create_time, update_time, version FROM plans";

impl PlanRow {
    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        let bad = || corrupt(Malformed);
        let id: String = row.try_get_by_index(0)?;
        let kind: i16 = row.try_get_by_index(2)?;
        let ratio: i32 = row.try_get_by_index(4)?;
        let cycle_days: i32 = row.try_get_by_index(5)?;
        let end: Option<i32> = row.try_get_by_index(7)?;
        let plan = Plan {
            id: PlanId::new(&id).map_err(|_| bad())?,
            display_name: row.try_get_by_index(1)?,
            kind: PlanKind::from_code(kind).ok_or_else(bad)?,
            org_path: row.try_get_by_index(3)?,
            ratio: u32::try_from(ratio)
                .ok()
                .and_then(|ratio| Ratio::from_basis_points(ratio).ok())
                .ok_or_else(bad)?,
            cycle_days: u8::try_from(cycle_days).map_err(|_| bad())?,
            start: to_day(row.try_get_by_index(6)?)?,
            end: end.map(to_day).transpose()?,
            ended: row.try_get_by_index(8)?,
            policy_version: row.try_get_by_index(9)?,
        };
        Ok(Self {
            plan,
            create_time: to_instant(row.try_get_by_index(10)?)?,
            update_time: to_instant(row.try_get_by_index(11)?)?,
            version: row.try_get_by_index(12)?,
        })
    }
}

pub(crate) fn to_day(number: i32) -> Result<Day, DbErr> {
    u16::try_from(number)
        .map(Day::from_number)
        .map_err(|_| corrupt(Malformed))
}

pub(crate) fn to_instant(millis: i64) -> Result<DateTime<Utc>, DbErr> {
    DateTime::from_timestamp_millis(millis).ok_or_else(|| corrupt(Malformed))
}

/// One plan.
///
/// # Errors
/// When the database fails or the row is corrupt.
pub async fn get(connection: &impl ConnectionTrait, id: &PlanId) -> Result<Option<PlanRow>, DbErr> {
    find(connection, id, "").await
}

/// One plan, locked: draws under it wait for each other.
///
/// # Errors
/// When the database fails or the row is corrupt.
pub async fn lock(tx: &Tx, id: &PlanId) -> Result<Option<PlanRow>, DbErr> {
    let lock = match tx.backend() {
        Backend::Postgres => "FOR UPDATE",
        Backend::Sqlite => "",
    };
    find(tx, id, lock).await
}

async fn find(
    connection: &impl ConnectionTrait,
    id: &PlanId,
    lock: &str,
) -> Result<Option<PlanRow>, DbErr> {
    let sql = format!("{PLANS} WHERE id = $1 {lock}");
    let row = connection
        .query_one_raw(statement(connection, &sql, [id.as_str().into()]))
        .await?;
    row.as_ref().map(PlanRow::read).transpose()
}

/// Every plan, ordered by identifier: a city has a handful.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn all(connection: &impl ConnectionTrait) -> Result<Vec<PlanRow>, DbErr> {
    let sql = format!("{PLANS} ORDER BY id");
    let rows = connection
        .query_all_raw(statement(connection, &sql, []))
        .await?;
    rows.iter().map(PlanRow::read).collect()
}

/// Stores a plan, new or changed.
pub(crate) async fn save(tx: &Tx, row: &PlanRow) -> Result<(), DbErr> {
    let PlanRow {
        plan,
        create_time,
        update_time,
        version,
    } = row;
    let Plan {
        id,
        display_name,
        kind,
        org_path,
        ratio,
        cycle_days,
        start,
        end,
        ended,
        policy_version,
    } = plan;
    let sql = "INSERT INTO plans (id, display_name, kind, org_path, ratio, cycle_days, start_day, \
        end_day, ended, policy_version, create_time, update_time, version) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
        ON CONFLICT (id) DO UPDATE SET display_name = excluded.display_name, \
        ratio = excluded.ratio, cycle_days = excluded.cycle_days, end_day = excluded.end_day, \
        ended = excluded.ended, update_time = excluded.update_time, version = excluded.version";
    let values: [Value; 13] = [
        id.as_str().into(),
        display_name.as_str().into(),
        kind.code().into(),
        org_path.as_str().into(),
        i32::try_from(ratio.basis_points())
            .unwrap_or(i32::MAX)
            .into(),
        i32::from(*cycle_days).into(),
        i32::from(start.number()).into(),
        end.map(|end| i32::from(end.number())).into(),
        (*ended).into(),
        policy_version.as_str().into(),
        create_time.timestamp_millis().into(),
        update_time.timestamp_millis().into(),
        (*version).into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// The cycle of a plan that began last before or on `day`.
///
/// # Errors
/// When the database fails or the row is corrupt.
pub async fn cycle_at(
    connection: &impl ConnectionTrait,
    plan: &PlanId,
    day: Day,
) -> Result<Option<(Day, CycleSeed)>, DbErr> {
    let sql = "SELECT first_day, seed FROM cycles WHERE plan = $1 AND first_day <= $2 \
        ORDER BY first_day DESC LIMIT 1";
    let values: [Value; 2] = [plan.as_str().into(), i32::from(day.number()).into()];
    let Some(row) = connection
        .query_one_raw(statement(connection, sql, values))
        .await?
    else {
        return Ok(None);
    };
    let seed: Vec<u8> = row.try_get_by_index(1)?;
    let seed = seed.try_into().map_err(|_| corrupt(Malformed))?;
    Ok(Some((to_day(row.try_get_by_index(0)?)?, CycleSeed(seed))))
}

/// Begins a cycle of a plan that is locked.
pub(crate) async fn begin_cycle(
    tx: &Tx,
    plan: &PlanId,
    first: Day,
    seed: &CycleSeed,
) -> Result<(), DbErr> {
    let sql = "INSERT INTO cycles (plan, first_day, seed) VALUES ($1, $2, $3)";
    let values: [Value; 3] = [
        plan.as_str().into(),
        i32::from(first.number()).into(),
        seed.0.to_vec().into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}
