//! Staff. Who locks several things locks people first, then organisations in the order of their
//! codes, then class groups.

use kit::db::{Backend, Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::{from_day, to_day, unreadable};
use crate::domain::staff::{Posts, StaffMember, State};

const COLUMNS: &str = "id, org_path, display_name, posts, source_posts, grade, staff_code, id_type, \
    id_hash, sealed, swab_exempt, start_day, state, version, update_time";
const DISMISSED: i16 = 3;

/// Which staff a list holds.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// At exactly this place.
    pub org_path: String,
    /// Who hold one of these posts; everybody when there are none.
    pub posts: Posts,
    /// Also those dismissed.
    pub dismissed: bool,
    /// With an identifier after this one.
    pub after: Uuid,
    /// At most so many.
    pub limit: u64,
}

fn read(row: &QueryResult) -> Result<StaffMember, DbErr> {
    let start: Option<i32> = row.try_get_by_index(11)?;
    let state = State::from_code(row.try_get_by_index(12)?);
    Ok(StaffMember {
        id: row.try_get_by_index(0)?,
        org_path: row.try_get_by_index(1)?,
        display_name: row.try_get_by_index(2)?,
        posts: Posts::from_bits(row.try_get_by_index(3)?),
        source_posts: Posts::from_bits(row.try_get_by_index(4)?),
        grade: row.try_get_by_index(5)?,
        staff_code: row.try_get_by_index(6)?,
        id_type: row.try_get_by_index(7)?,
        id_hash: row.try_get_by_index(8)?,
        sealed: row.try_get_by_index(9)?,
        swab_exempt: row.try_get_by_index(10)?,
        start: start.map(to_day).transpose()?,
        state: state.ok_or_else(|| unreadable("the state of a member of staff"))?,
        version: row.try_get_by_index(13)?,
        update_time: row.try_get_by_index(14)?,
    })
}

/// One member of staff.
///
/// # Errors
/// When the database fails.
pub async fn get(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<StaffMember>, DbErr> {
    find(db, id, "").await
}

/// One member of staff, locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &Tx, id: Uuid) -> Result<Option<StaffMember>, DbErr> {
    let lock = match tx.backend() {
        Backend::Postgres => "FOR UPDATE",
        Backend::Sqlite => "",
    };
    find(tx, id, lock).await
}

async fn find(
    db: &impl ConnectionTrait,
    id: Uuid,
    lock: &str,
) -> Result<Option<StaffMember>, DbErr> {
    let sql = format!("SELECT {COLUMNS} FROM staff WHERE id = $1 {lock}");
    let row = db.query_one_raw(statement(db, &sql, [id.into()])).await?;
    row.as_ref().map(read).transpose()
}

/// One page, ordered by identifier.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &impl ConnectionTrait, wanted: &Wanted) -> Result<Vec<StaffMember>, DbErr> {
    let Wanted {
        org_path,
        posts,
        dismissed,
        after,
        limit,
    } = wanted;
    let sql = format!(
        "SELECT {COLUMNS} FROM staff WHERE org_path = $1 AND id > $2 \
         AND ($3 = 0 OR (posts & $3) <> 0) AND (state <> {DISMISSED} OR $4) ORDER BY id LIMIT $5"
    );
    let values: [Value; 5] = [
        org_path.as_str().into(),
        (*after).into(),
        posts.bits().into(),
        (*dismissed).into(),
        i64::try_from(*limit).unwrap_or(i64::MAX).into(),
    ];
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    rows.iter().map(read).collect()
}

/// Adds a member of staff.
///
/// # Errors
/// When the database fails, or the number of the person or the staff code is taken.
pub async fn insert(tx: &Tx, member: &StaffMember) -> Result<(), DbErr> {
    let sql = format!(
        "INSERT INTO staff ({COLUMNS}) VALUES \
         ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
    );
    tx.execute_raw(statement(tx, &sql, values(member))).await?;
    Ok(())
}

/// Stores what changed by hand: the next import will see a difference.
///
/// # Errors
/// When the database fails, or the number of the person or the staff code is taken.
pub async fn update(tx: &Tx, member: &StaffMember) -> Result<(), DbErr> {
    let assignments: Vec<String> = COLUMNS
        .split(", ")
        .zip(1..)
        .skip(1)
        .map(|(column, place)| format!("{} = ${place}", column.trim()))
        .collect();
    let sql = format!(
        "UPDATE staff SET {}, content_hash = NULL, raw_hash = NULL, batch = NULL WHERE id = $1",
        assignments.join(", ")
    );
    tx.execute_raw(statement(tx, &sql, values(member))).await?;
    Ok(())
}

/// Leaves the class groups that somebody heads without head teacher.
///
/// # Errors
/// When the database fails.
pub async fn leave_class_groups(tx: &Tx, head_teacher: Uuid, now: i64) -> Result<(), DbErr> {
    let update = statement(
        tx,
        "UPDATE class_groups SET head_teacher = NULL, version = version + 1, update_time = $2, \
         content_hash = NULL, batch = NULL WHERE head_teacher = $1",
        [head_teacher.into(), now.into()],
    );
    tx.execute_raw(update).await?;
    Ok(())
}

fn values(member: &StaffMember) -> [Value; 15] {
    let StaffMember {
        id,
        org_path,
        display_name,
        posts,
        source_posts,
        grade,
        staff_code,
        id_type,
        id_hash,
        sealed,
        swab_exempt,
        start,
        state,
        version,
        update_time,
    } = member.clone();
    [
        id.into(),
        org_path.into(),
        display_name.into(),
        posts.bits().into(),
        source_posts.bits().into(),
        grade.into(),
        staff_code.into(),
        id_type.into(),
        id_hash.into(),
        sealed.into(),
        swab_exempt.into(),
        start.map(from_day).into(),
        state.code().into(),
        version.into(),
        update_time.into(),
    ]
}
