//! Class groups.

use chrono::NaiveDate;
use kit::db::{Backend, Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::rolls::marks;
use super::{from_day, unreadable};
use crate::domain::class_group::{ClassGroup, State, TeachingMode};
use crate::domain::student;

const COLUMNS: &str = "org_path, organization, id, display_name, stage, entry_year, number, \
    teaching_mode, head_teacher, state, school_year, version, roll_version, update_time";
/// Who is on the roll, beside the columns.
const STUDENT_COUNT: &str = "(SELECT COUNT(*) FROM students \
    WHERE students.org_path = class_groups.org_path AND students.state = 1)";

/// Which class groups of an organisation a list holds.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The code of the organisation.
    pub organization: String,
    /// Also those that finished.
    pub graduated: bool,
    /// With a path after this one.
    pub after: String,
    /// At most so many.
    pub limit: u64,
}

fn read(row: &QueryResult) -> Result<ClassGroup, DbErr> {
    let id: String = row.try_get_by_index(2)?;
    let mode = TeachingMode::from_code(row.try_get_by_index(7)?);
    let state = State::from_code(row.try_get_by_index(9)?);
    let students: i64 = row.try_get_by_index(14)?;
    Ok(ClassGroup {
        org_path: row.try_get_by_index(0)?,
        organization: row.try_get_by_index(1)?,
        id: id
            .parse()
            .map_err(|()| unreadable("the id of a class group"))?,
        display_name: row.try_get_by_index(3)?,
        teaching_mode: mode.ok_or_else(|| unreadable("a teaching mode"))?,
        head_teacher: row.try_get_by_index(8)?,
        state: state.ok_or_else(|| unreadable("the state of a class group"))?,
        school_year: row.try_get_by_index(10)?,
        version: row.try_get_by_index(11)?,
        roll_version: row.try_get_by_index(12)?,
        update_time: row.try_get_by_index(13)?,
        student_count: i32::try_from(students).unwrap_or(i32::MAX),
    })
}

async fn select(
    db: &impl ConnectionTrait,
    rest: &str,
    values: Vec<Value>,
) -> Result<Vec<ClassGroup>, DbErr> {
    let sql = format!("SELECT {COLUMNS}, {STUDENT_COUNT} FROM class_groups WHERE {rest}");
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    rows.iter().map(read).collect()
}

/// What locks the rows of a SELECT until the end of the transaction; on SQLite the transaction is
/// the only writer.
fn for_update(tx: &Tx) -> &'static str {
    match tx.backend() {
        Backend::Postgres => "FOR UPDATE",
        Backend::Sqlite => "",
    }
}

/// One class group of an organisation.
///
/// # Errors
/// When the database fails.
pub async fn get(
    db: &impl ConnectionTrait,
    organization: &str,
    id: &str,
) -> Result<Option<ClassGroup>, DbErr> {
    let values = vec![organization.into(), id.into()];
    let found = select(db, "organization = $1 AND id = $2", values).await?;
    Ok(found.into_iter().next())
}

/// The class groups at `places`, locked until the end of the transaction. Everybody locks in the
/// order of places, and class groups before students, so that nobody waits in a circle.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &Tx, places: &[&str]) -> Result<Vec<ClassGroup>, DbErr> {
    let rest = format!(
        "org_path IN ({}) ORDER BY org_path {}",
        marks(places.len()),
        for_update(tx)
    );
    let values = places.iter().map(|&place| place.into()).collect();
    select(tx, &rest, values).await
}

/// The class groups of one organisation that are taught, locked.
///
/// # Errors
/// When the database fails.
pub async fn lock_taught(tx: &Tx, organization: &str) -> Result<Vec<ClassGroup>, DbErr> {
    let rest = format!(
        "organization = $1 AND state = 1 ORDER BY org_path {}",
        for_update(tx)
    );
    select(tx, &rest, vec![organization.into()]).await
}

/// One page, ordered by name.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &impl ConnectionTrait, wanted: &Wanted) -> Result<Vec<ClassGroup>, DbErr> {
    let Wanted {
        organization,
        graduated,
        after,
        limit,
    } = wanted;
    let values = vec![
        organization.as_str().into(),
        after.as_str().into(),
        (*graduated).into(),
        i64::try_from(*limit).unwrap_or(i64::MAX).into(),
    ];
    let rest = "organization = $1 AND org_path > $2 AND (state = 1 OR $3) \
        ORDER BY org_path LIMIT $4";
    select(db, rest, values).await
}

/// The resource names of the class groups that are taught and that a person leads, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn led_by(
    db: &impl ConnectionTrait,
    head_teacher: Uuid,
    limit: u32,
) -> Result<Vec<String>, DbErr> {
    let rest = format!("head_teacher = $1 AND state = 1 ORDER BY org_path LIMIT {limit}");
    let found = select(db, &rest, vec![head_teacher.into()]).await?;
    Ok(found.iter().map(ClassGroup::name).collect())
}

/// Adds a class group; its roll is announced first thing.
///
/// # Errors
/// When the database fails or there is one of this name.
pub async fn insert(tx: &Tx, group: &ClassGroup) -> Result<(), DbErr> {
    let sql = format!(
        "INSERT INTO class_groups ({COLUMNS}) VALUES ({})",
        marks(14)
    );
    tx.execute_raw(statement(tx, &sql, values(group))).await?;
    Ok(())
}

/// Stores what changed by hand: the next import will see a difference. The version of the roll grows
/// when the roll is announced.
///
/// # Errors
/// When the database fails.
pub async fn update(tx: &Tx, group: &ClassGroup) -> Result<(), DbErr> {
    let ClassGroup {
        org_path,
        display_name,
        teaching_mode,
        head_teacher,
        state,
        school_year,
        version,
        update_time,
        ..
    } = group;
    let sql = "UPDATE class_groups SET display_name = $2, teaching_mode = $3, head_teacher = $4, \
        state = $5, school_year = $6, version = $7, update_time = $8, content_hash = NULL, \
        batch = NULL WHERE org_path = $1";
    let values: [Value; 8] = [
        org_path.as_str().into(),
        display_name.as_str().into(),
        teaching_mode.code().into(),
        (*head_teacher).into(),
        state.code().into(),
        (*school_year).into(),
        (*version).into(),
        (*update_time).into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// Takes everybody off the roll of the class group at a place, which finishes with the day `last`;
/// says how many. Whoever came after that day leaves on the day of coming.
///
/// # Errors
/// When the database fails.
pub async fn graduate_students(
    tx: &Tx,
    org_path: &str,
    last: NaiveDate,
    now: i64,
) -> Result<u64, DbErr> {
    let sql = statement(
        tx,
        "UPDATE students SET state = $2, version = version + 1, update_time = $4, \
         end_day = CASE WHEN start_day > $3 THEN start_day ELSE $3 END, \
         content_hash = NULL, raw_hash = NULL, batch = NULL \
         WHERE org_path = $1 AND state = 1",
        [
            org_path.into(),
            student::State::Graduated.code().into(),
            from_day(last).into(),
            now.into(),
        ],
    );
    Ok(tx.execute_raw(sql).await?.rows_affected())
}

/// Where a member of staff works and whether still; locked against leaving until the end of the
/// transaction.
///
/// # Errors
/// When the database fails.
pub async fn workplace(tx: &Tx, staff_member: Uuid) -> Result<Option<(String, bool)>, DbErr> {
    let lock = match tx.backend() {
        Backend::Postgres => "FOR SHARE",
        Backend::Sqlite => "",
    };
    let sql = format!("SELECT org_path, state FROM staff WHERE id = $1 {lock}");
    let row = tx
        .query_one_raw(statement(tx, &sql, [staff_member.into()]))
        .await?;
    row.map(|row| {
        let works = row.try_get_by_index::<i16>(1)? != 3;
        Ok((row.try_get_by_index(0)?, works))
    })
    .transpose()
}

fn values(group: &ClassGroup) -> [Value; 14] {
    let ClassGroup {
        org_path,
        organization,
        id,
        display_name,
        teaching_mode,
        head_teacher,
        state,
        school_year,
        version,
        roll_version,
        student_count: _,
        update_time,
    } = group;
    [
        org_path.as_str().into(),
        organization.as_str().into(),
        id.as_str().into(),
        display_name.as_str().into(),
        id.stage().code().into(),
        id.entry_year().into(),
        id.number().into(),
        teaching_mode.code().into(),
        (*head_teacher).into(),
        state.code().into(),
        (*school_year).into(),
        (*version).into(),
        (*roll_version).into(),
        (*update_time).into(),
    ]
}
