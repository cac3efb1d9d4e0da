//! Policy profiles.

use async_trait::async_trait;
use chrono::NaiveDate;
use kit::audit::{Floor, Floors};
use kit::db::{Backend, Database, Tx, statement};
use kit::org::OrgPath;
use prost::Message;
use proto::roster::PolicyProfile;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

use super::{from_day, to_day, unreadable, within};
use crate::domain::policy::{State, VersionId};

const COLUMNS: &str = "profile, number, organization, org_path, effective_day, state, body, \
    version, create_time, activate_time";

/// One version of a profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Which one.
    pub id: VersionId,
    /// The code of the region's organisation; empty for the whole city.
    pub organization: String,
    /// The place of the region; empty for the whole city.
    pub org_path: String,
    /// The first civil day in force.
    pub effective: NaiveDate,
    /// Where it is in its life cycle.
    pub state: State,
    /// The display name and the numbers, as the contract carries them.
    pub body: PolicyProfile,
    /// Grows with each change.
    pub version: i64,
    /// The instant of the proposal, in milliseconds since 1970.
    pub create_time: i64,
    /// The instant of the activation, in milliseconds since 1970.
    pub activate_time: Option<i64>,
}

/// Which profiles a list holds.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Those whose region lies at or below this place or above it.
    pub scope: OrgPath,
    /// After this one; none for the first page.
    pub after: Option<(String, i32)>,
    /// At most so many.
    pub limit: u64,
}

fn read(row: &QueryResult) -> Result<Stored, DbErr> {
    let state = State::from_code(row.try_get_by_index(5)?);
    let body: Vec<u8> = row.try_get_by_index(6)?;
    Ok(Stored {
        id: VersionId {
            profile: row.try_get_by_index(0)?,
            number: row.try_get_by_index(1)?,
        },
        organization: row.try_get_by_index(2)?,
        org_path: row.try_get_by_index(3)?,
        effective: to_day(row.try_get_by_index(4)?)?,
        state: state.ok_or_else(|| unreadable("the state of a profile"))?,
        body: PolicyProfile::decode(&*body).map_err(|_| unreadable("a profile"))?,
        version: row.try_get_by_index(7)?,
        create_time: row.try_get_by_index(8)?,
        activate_time: row.try_get_by_index(9)?,
    })
}

/// Keeps other writers of profiles back until the end of the transaction: numbers are given, and
/// profiles replaced, one after the other.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &Tx) -> Result<(), DbErr> {
    if tx.backend() == Backend::Postgres {
        tx.execute_unprepared("LOCK TABLE policy_profiles IN SHARE ROW EXCLUSIVE MODE")
            .await?;
    }
    Ok(())
}

/// One version.
///
/// # Errors
/// When the database fails.
pub async fn get(db: &impl ConnectionTrait, id: &VersionId) -> Result<Option<Stored>, DbErr> {
    let sql = format!("SELECT {COLUMNS} FROM policy_profiles WHERE name = $1");
    let values = [id.to_string().into()];
    let row = db.query_one_raw(statement(db, &sql, values)).await?;
    row.as_ref().map(read).transpose()
}

/// One page, ordered by profile, the newest version of each first.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &impl ConnectionTrait, wanted: &Wanted) -> Result<Vec<Stored>, DbErr> {
    let Wanted {
        scope,
        after,
        limit,
    } = wanted;
    let (profile, number) = after.clone().unwrap_or_default();
    let (inside, scope_values) = within("org_path", 1, scope);
    let (above, above_values) = at_or_above(4, scope);
    let next = 4 + above_values.len();
    let sql = format!(
        "SELECT {COLUMNS} FROM policy_profiles WHERE ({inside} OR {above}) \
         AND (profile > ${next} OR (profile = ${next} AND number < ${})) \
         ORDER BY profile, number DESC LIMIT ${}",
        next + 1,
        next + 2,
    );
    let rest: [Value; 3] = [
        profile.into(),
        number.into(),
        i64::try_from(*limit).unwrap_or(i64::MAX).into(),
    ];
    let values = scope_values.into_iter().chain(above_values).chain(rest);
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    rows.iter().map(read).collect()
}

/// The profile in force at a place on a day: of the nearest region at or above it that has one,
/// the latest in effect.
///
/// # Errors
/// When the database fails.
pub async fn in_force(
    db: &impl ConnectionTrait,
    place: &OrgPath,
    day: NaiveDate,
) -> Result<Option<Stored>, DbErr> {
    let (above, places) = at_or_above(3, place);
    let sql = format!(
        "SELECT {COLUMNS} FROM policy_profiles \
         WHERE state = $1 AND effective_day <= $2 AND {above} \
         ORDER BY LENGTH(org_path) DESC, effective_day DESC LIMIT 1"
    );
    let first: [Value; 2] = [State::Active.code().into(), from_day(day).into()];
    let values = first.into_iter().chain(places);
    let row = db.query_one_raw(statement(db, &sql, values)).await?;
    row.as_ref().map(read).transpose()
}

/// Every profile that was activated and not replaced.
///
/// # Errors
/// When the database fails.
pub async fn active(db: &impl ConnectionTrait) -> Result<Vec<Stored>, DbErr> {
    let sql = format!("SELECT {COLUMNS} FROM policy_profiles WHERE state = $1 ORDER BY name");
    let values = [State::Active.code().into()];
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    rows.iter().map(read).collect()
}

/// What the active profiles ask of audit logs.
#[derive(Clone, Copy, Debug)]
pub struct AuditFloors;

#[async_trait]
impl Floors for AuditFloors {
    async fn floors(&self, db: &Database) -> Result<Vec<Floor>, DbErr> {
        let active = active(db.read()).await?;
        let floor = |stored: Stored| {
            let audit = stored.body.audit.as_ref();
            Floor::of(stored.org_path, stored.effective, audit)
        };
        Ok(active.into_iter().map(floor).collect())
    }
}

/// The active profile of exactly this region and first day.
///
/// # Errors
/// When the database fails.
pub async fn active_from(
    tx: &Tx,
    region: &str,
    effective: NaiveDate,
) -> Result<Option<Stored>, DbErr> {
    let sql = format!(
        "SELECT {COLUMNS} FROM policy_profiles \
         WHERE state = $1 AND org_path = $2 AND effective_day = $3"
    );
    let values = [
        State::Active.code().into(),
        region.into(),
        from_day(effective).into(),
    ];
    let row = tx.query_one_raw(statement(tx, &sql, values)).await?;
    row.as_ref().map(read).transpose()
}

/// The number that the next version of `profile` gets.
///
/// # Errors
/// When the database fails.
pub async fn next_number(tx: &Tx, profile: &str) -> Result<i32, DbErr> {
    let select = statement(
        tx,
        "SELECT COALESCE(MAX(number), 0) + 1 FROM policy_profiles WHERE profile = $1",
        [profile.into()],
    );
    let row = tx.query_one_raw(select).await?;
    row.ok_or_else(|| unreadable("the number of a version"))?
        .try_get_by_index(0)
}

/// Adds a version unless it, or an active one of the same region and first day, is there; tells
/// whether it was added.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &Tx, stored: &Stored) -> Result<bool, DbErr> {
    let sql = format!(
        "INSERT INTO policy_profiles (name, {COLUMNS}) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING"
    );
    let Stored {
        id,
        organization,
        org_path,
        effective,
        state,
        body,
        version,
        create_time,
        activate_time,
    } = stored;
    let values: [Value; 11] = [
        id.to_string().into(),
        id.profile.as_str().into(),
        id.number.into(),
        organization.as_str().into(),
        org_path.as_str().into(),
        from_day(*effective).into(),
        state.code().into(),
        body.encode_to_vec().into(),
        (*version).into(),
        (*create_time).into(),
        (*activate_time).into(),
    ];
    let added = tx.execute_raw(statement(tx, &sql, values)).await?;
    Ok(added.rows_affected() == 1)
}

/// Stores the state of a version, and what changes with it.
///
/// # Errors
/// When the database fails.
pub async fn update(tx: &Tx, stored: &Stored) -> Result<(), DbErr> {
    let update = statement(
        tx,
        "UPDATE policy_profiles SET state = $1, version = $2, activate_time = $3 WHERE name = $4",
        [
            stored.state.code().into(),
            stored.version.into(),
            stored.activate_time.into(),
            stored.id.to_string().into(),
        ],
    );
    tx.execute_raw(update).await?;
    Ok(())
}

/// The condition that a region lies at `place` or above it, and the values to bind from `$first`
/// on. The whole city lies above everything.
fn at_or_above(first: usize, place: &OrgPath) -> (String, Vec<Value>) {
    let mut values = Vec::new();
    let mut marks = Vec::new();
    let mut next = Some(place.clone());
    while let Some(place) = next {
        marks.push(format!("${}", first + values.len()));
        values.push(place.as_str().into());
        next = place.parent();
    }
    (format!("org_path IN ({})", marks.join(", ")), values)
}
