//! Organisations.

use kit::db::{Backend, Tx, statement};
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

use super::{from_day, to_day, unreadable, within};
use crate::domain::organization::{Kind, Organization, Stages};

const COLUMNS: &str = "id, org_path, kind, display_name, parent, division_code, school_code, uscc, \
    stages, laboratory_code, boarding, state, valid_from, valid_to, replaced_by, external_id, \
    version, update_time";
const ACTIVE: i16 = 1;
const CLOSED: i16 = 2;

/// Which organisations a list holds.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// At or below this place.
    pub scope: OrgPath,
    /// Of this kind only.
    pub kind: Option<Kind>,
    /// In this division only; empty for all.
    pub division_code: String,
    /// Also those closed.
    pub closed: bool,
    /// With a path after this one.
    pub after: String,
    /// At most so many.
    pub limit: u64,
}

fn read(row: &QueryResult) -> Result<Organization, DbErr> {
    let kind = Kind::from_code(row.try_get_by_index(2)?);
    let valid_from: Option<i32> = row.try_get_by_index(12)?;
    let state: i16 = row.try_get_by_index(11)?;
    let valid_to: Option<i32> = row.try_get_by_index(13)?;
    Ok(Organization {
        id: row.try_get_by_index(0)?,
        org_path: row.try_get_by_index(1)?,
        kind: kind.ok_or_else(|| unreadable("a kind of organisation"))?,
        display_name: row.try_get_by_index(3)?,
        parent: row.try_get_by_index(4)?,
        division_code: row.try_get_by_index(5)?,
        school_code: row.try_get_by_index(6)?,
        uscc: row.try_get_by_index(7)?,
        stages: Stages::from_bits(row.try_get_by_index(8)?),
        laboratory_code: row.try_get_by_index(9)?,
        boarding: row.try_get_by_index(10)?,
        closed: valid_to
            .filter(|_| state == CLOSED)
            .map(to_day)
            .transpose()?,
        valid_from: valid_from.map(to_day).transpose()?,
        replaced_by: row.try_get_by_index(14)?,
        external_id: row.try_get_by_index(15)?,
        version: row.try_get_by_index(16)?,
        update_time: row.try_get_by_index(17)?,
    })
}

/// One organisation.
///
/// # Errors
/// When the database fails.
pub async fn get(db: &impl ConnectionTrait, id: &str) -> Result<Option<Organization>, DbErr> {
    find(db, id, "").await
}

/// One organisation, locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &Tx, id: &str) -> Result<Option<Organization>, DbErr> {
    let lock = match tx.backend() {
        Backend::Postgres => "FOR UPDATE",
        Backend::Sqlite => "",
    };
    find(tx, id, lock).await
}

async fn find(
    db: &impl ConnectionTrait,
    id: &str,
    lock: &str,
) -> Result<Option<Organization>, DbErr> {
    let sql = format!("SELECT {COLUMNS} FROM organizations WHERE id = $1 {lock}");
    let row = db.query_one_raw(statement(db, &sql, [id.into()])).await?;
    row.as_ref().map(read).transpose()
}

/// The id of the root; none in an empty register.
///
/// # Errors
/// When the database fails.
pub async fn root(db: &impl ConnectionTrait) -> Result<Option<String>, DbErr> {
    let select = statement(db, "SELECT id FROM organizations WHERE parent = ''", []);
    let row = db.query_one_raw(select).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}

/// One page, ordered by path.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &impl ConnectionTrait, wanted: &Wanted) -> Result<Vec<Organization>, DbErr> {
    let Wanted {
        scope,
        kind,
        division_code,
        closed,
        after,
        limit,
    } = wanted;
    let (inside, scope) = within("org_path", 1, scope);
    let sql = format!(
        "SELECT {COLUMNS} FROM organizations WHERE {inside} AND org_path > $4 \
         AND ($5 = 0 OR kind = $5) AND ($6 = '' OR division_code = $6) \
         AND (state = {ACTIVE} OR $7) ORDER BY org_path LIMIT $8"
    );
    let rest: [Value; 5] = [
        after.as_str().into(),
        kind.map_or(0, Kind::code).into(),
        division_code.as_str().into(),
        (*closed).into(),
        i64::try_from(*limit).unwrap_or(i64::MAX).into(),
    ];
    let rows = db
        .query_all_raw(statement(db, &sql, scope.into_iter().chain(rest)))
        .await?;
    rows.iter().map(read).collect()
}

/// Whether something at or below a place is still in use: organisations, class groups or people.
///
/// # Errors
/// When the database fails.
pub async fn is_used(db: &impl ConnectionTrait, path: &str) -> Result<bool, DbErr> {
    let path: OrgPath = path.parse().map_err(|_| unreadable("a place"))?;
    let tables = [
        (
            "organizations",
            format!("state = {ACTIVE} AND org_path <> $1"),
        ),
        ("class_groups", "state = 1".to_owned()),
        ("staff", "state <> 3".to_owned()),
    ];
    for (table, active) in tables {
        let (inside, values) = within("org_path", 1, &path);
        let sql = format!("SELECT 1 FROM {table} WHERE {active} AND {inside} LIMIT 1");
        if db
            .query_one_raw(statement(db, &sql, values))
            .await?
            .is_some()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Adds an organisation.
///
/// # Errors
/// When the database fails or a code is taken.
pub async fn insert(tx: &Tx, organization: &Organization) -> Result<(), DbErr> {
    let sql = format!(
        "INSERT INTO organizations ({COLUMNS}) VALUES \
         ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)"
    );
    tx.execute_raw(statement(tx, &sql, values(organization)))
        .await?;
    Ok(())
}

/// Stores what changed by hand: the next import will see a difference.
///
/// # Errors
/// When the database fails or a code is taken.
pub async fn update(tx: &Tx, organization: &Organization) -> Result<(), DbErr> {
    let assignments: Vec<String> = COLUMNS
        .split(", ")
        .zip(1..)
        .skip(1)
        .map(|(column, place)| format!("{} = ${place}", column.trim()))
        .collect();
    let sql = format!(
        "UPDATE organizations SET {}, content_hash = NULL, batch = NULL WHERE id = $1",
        assignments.join(", ")
    );
    tx.execute_raw(statement(tx, &sql, values(organization)))
        .await?;
    Ok(())
}

fn values(organization: &Organization) -> [Value; 18] {
    let Organization {
        id,
        org_path,
        kind,
        display_name,
        parent,
        division_code,
        school_code,
        uscc,
        stages,
        laboratory_code,
        boarding,
        closed,
        valid_from,
        replaced_by,
        external_id,
        version,
        update_time,
    } = organization.clone();
    [
        id.into(),
        org_path.into(),
        kind.code().into(),
        display_name.into(),
        parent.into(),
        division_code.into(),
        school_code.into(),
        uscc.into(),
        stages.bits().into(),
        laboratory_code.into(),
        boarding.into(),
        if closed.is_some() { CLOSED } else { ACTIVE }.into(),
        valid_from.map(from_day).into(),
        closed.map(from_day).into(),
        replaced_by.into(),
        external_id.into(),
        version.into(),
        update_time.into(),
    ]
}
