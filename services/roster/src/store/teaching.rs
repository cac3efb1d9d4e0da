//! How class groups are taught, on which grounds, and why that changed.

use std::collections::HashMap;

use kit::bulk::{Column, insert};
use kit::db::{Backend, Tx, statement};
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::rolls::marks;
use super::unreadable;
use crate::domain::class_group::{Ground, TeachingMode};
use crate::domain::import::ClassGroupId;

/// How many places one statement names.
const PLACES: usize = 500;

/// A class group that is taught, as far as its teaching mode is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taught {
    /// Its place.
    pub org_path: String,
    /// Stage, cohort and number.
    pub id: ClassGroupId,
    /// The latest school year that began for it.
    pub school_year: i32,
    /// How it is taught.
    pub mode: TeachingMode,
}

/// A change of how class groups are taught.
#[derive(Clone, Debug)]
pub struct TeachingChange<'a> {
    /// Its own identifier.
    pub id: Uuid,
    /// The class group or organisation that was named.
    pub name: &'a str,
    /// Its place.
    pub org_path: &'a str,
    /// The grades that were named.
    pub grades: &'a [i32],
    /// The mode from then on.
    pub mode: TeachingMode,
    /// On what ground.
    pub ground: Ground,
    /// Why.
    pub reason: &'a str,
    /// Who asked.
    pub principal: &'a str,
    /// How many class groups changed.
    pub changed: i32,
    /// When, in milliseconds since 1970.
    pub time: i64,
}

/// The class groups at or below a place, in its order.
const AT_OR_BELOW: &str = "(org_path = $1 OR (org_path >= $2 AND org_path < $3))";

fn range(place: &OrgPath) -> [Value; 3] {
    [
        place.as_str().into(),
        format!("{place}/").into(),
        place.below_end().into(),
    ]
}

fn mode(code: i16) -> Result<TeachingMode, DbErr> {
    TeachingMode::from_code(code).ok_or_else(|| unreadable("a teaching mode"))
}

/// The class groups at or below a place that are taught, locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &Tx, place: &OrgPath) -> Result<Vec<Taught>, DbErr> {
    let lock = match tx.backend() {
        Backend::Postgres => "FOR UPDATE",
        Backend::Sqlite => "",
    };
    let sql = format!(
        "SELECT org_path, id, school_year, teaching_mode FROM class_groups \
         WHERE {AT_OR_BELOW} AND state = 1 ORDER BY org_path {lock}"
    );
    let rows = tx.query_all_raw(statement(tx, &sql, range(place))).await?;
    let taught = rows.iter().map(|row| {
        let id: String = row.try_get_by_index(1)?;
        Ok(Taught {
            org_path: row.try_get_by_index(0)?,
            id: id
                .parse()
                .map_err(|()| unreadable("the id of a class group"))?,
            school_year: row.try_get_by_index(2)?,
            mode: mode(row.try_get_by_index(3)?)?,
        })
    });
    taught.collect()
}

/// Keeps the class groups at `places` away on a ground, or lets them go as far as it is concerned.
///
/// # Errors
/// When the database fails.
pub async fn hold(
    tx: &Tx,
    places: &[String],
    ground: Ground,
    mode: TeachingMode,
) -> Result<(), DbErr> {
    if mode == TeachingMode::InPerson {
        for places in places.chunks(PLACES) {
            let sql = format!(
                "DELETE FROM teaching_holds WHERE ground = ${} AND org_path IN ({})",
                places.len() + 1,
                marks(places.len()),
            );
            let named = places.iter().map(|place| place.as_str().into());
            let values = named.chain([ground.code().into()]);
            tx.execute_raw(statement(tx, &sql, values)).await?;
        }
        return Ok(());
    }
    let columns = vec![
        ("org_path", Column::Text(places.to_vec())),
        ("ground", Column::Small(vec![ground.code(); places.len()])),
        (
            "teaching_mode",
            Column::Small(vec![mode.code(); places.len()]),
        ),
    ];
    let newest =
        "ON CONFLICT (org_path, ground) DO UPDATE SET teaching_mode = excluded.teaching_mode";
    insert(tx, "teaching_holds", columns, newest).await
}

/// In which modes the class groups at or below a place are kept away, one a ground.
///
/// # Errors
/// When the database fails.
pub async fn holds(tx: &Tx, place: &OrgPath) -> Result<HashMap<String, Vec<TeachingMode>>, DbErr> {
    let sql = format!("SELECT org_path, teaching_mode FROM teaching_holds WHERE {AT_OR_BELOW}");
    let rows = tx.query_all_raw(statement(tx, &sql, range(place))).await?;
    let mut holds: HashMap<String, Vec<TeachingMode>> = HashMap::new();
    for row in rows {
        let held = holds.entry(row.try_get_by_index(0)?).or_default();
        held.push(mode(row.try_get_by_index(1)?)?);
    }
    Ok(holds)
}

/// Sets how the class groups at `places` are taught.
///
/// # Errors
/// When the database fails.
pub async fn set(tx: &Tx, places: &[String], mode: TeachingMode, now: i64) -> Result<(), DbErr> {
    for places in places.chunks(PLACES) {
        let sql = format!(
            "UPDATE class_groups SET teaching_mode = ${}, update_time = ${}, \
             version = version + 1, content_hash = NULL, batch = NULL WHERE org_path IN ({})",
            places.len() + 1,
            places.len() + 2,
            marks(places.len()),
        );
        let named = places.iter().map(|place| place.as_str().into());
        let values = named.chain([mode.code().into(), now.into()]);
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// Keeps a change of teaching.
///
/// # Errors
/// When the database fails.
pub async fn keep(tx: &Tx, change: TeachingChange<'_>) -> Result<(), DbErr> {
    let TeachingChange {
        id,
        name,
        org_path,
        grades,
        mode,
        ground,
        reason,
        principal,
        changed,
        time,
    } = change;
    let grades: Vec<String> = grades.iter().map(i32::to_string).collect();
    let kept = statement(
        tx,
        "INSERT INTO teaching_changes (id, name, org_path, grades, teaching_mode, reason, \
         principal, changed, create_time, ground) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        [
            id.into(),
            name.into(),
            org_path.into(),
            grades.join(",").into(),
            mode.code().into(),
            reason.into(),
            principal.into(),
            changed.into(),
            time.into(),
            ground.code().into(),
        ],
    );
    tx.execute_raw(kept).await?;
    Ok(())
}
