//! How class groups are taught, and why that changed.

use kit::db::{Backend, Tx, statement};
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::rolls::marks;
use super::unreadable;
use crate::domain::class_group::TeachingMode;
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
    /// Why.
    pub reason: &'a str,
    /// Who asked.
    pub principal: &'a str,
    /// How many class groups changed.
    pub changed: i32,
    /// When, in milliseconds since 1970.
    pub time: i64,
}

/// The class groups at or below a place that are taught in another way than `mode`, locked until
/// the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn lock_otherwise(
    tx: &Tx,
    place: &OrgPath,
    mode: TeachingMode,
) -> Result<Vec<Taught>, DbErr> {
    let lock = match tx.backend() {
        Backend::Postgres => "FOR UPDATE",
        Backend::Sqlite => "",
    };
    let sql = format!(
        "SELECT org_path, id, school_year FROM class_groups \
         WHERE (org_path = $1 OR (org_path >= $2 AND org_path < $3)) \
         AND state = 1 AND teaching_mode <> $4 ORDER BY org_path {lock}"
    );
    let values = [
        place.as_str().into(),
        format!("{place}/").into(),
        place.below_end().into(),
        mode.code().into(),
    ];
    let rows = tx.query_all_raw(statement(tx, &sql, values)).await?;
    let taught = rows.iter().map(|row| {
        let id: String = row.try_get_by_index(1)?;
        Ok(Taught {
            org_path: row.try_get_by_index(0)?,
            id: id
                .parse()
                .map_err(|()| unreadable("the id of a class group"))?,
            school_year: row.try_get_by_index(2)?,
        })
    });
    taught.collect()
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
        reason,
        principal,
        changed,
        time,
    } = change;
    let grades: Vec<String> = grades.iter().map(i32::to_string).collect();
    let insert = statement(
        tx,
        "INSERT INTO teaching_changes (id, name, org_path, grades, teaching_mode, reason, \
         principal, changed, create_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
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
        ],
    );
    tx.execute_raw(insert).await?;
    Ok(())
}
