//! Guardians.

use kit::db::{Backend, Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::rolls::marks;
use super::unreadable;
use crate::domain::guardian::{Guardian, Relation};

const COLUMNS: &str = "id, student, display_name, relation, sealed, priority, version, update_time";

/// Which guardians a list holds.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Of this student.
    pub student: Uuid,
    /// After this priority and identifier.
    pub after: (i16, Uuid),
    /// At most so many.
    pub limit: u64,
}

fn read(row: &QueryResult) -> Result<Guardian, DbErr> {
    let relation = Relation::from_code(row.try_get_by_index(3)?);
    Ok(Guardian {
        id: row.try_get_by_index(0)?,
        student: row.try_get_by_index(1)?,
        display_name: row.try_get_by_index(2)?,
        relation: relation.ok_or_else(|| unreadable("the relation of a guardian"))?,
        sealed: row.try_get_by_index(4)?,
        priority: row.try_get_by_index(5)?,
        version: row.try_get_by_index(6)?,
        update_time: row.try_get_by_index(7)?,
    })
}

/// One guardian.
///
/// # Errors
/// When the database fails.
pub async fn get(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Guardian>, DbErr> {
    find(db, id, "").await
}

/// One guardian, locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &Tx, id: Uuid) -> Result<Option<Guardian>, DbErr> {
    let lock = match tx.backend() {
        Backend::Postgres => "FOR UPDATE",
        Backend::Sqlite => "",
    };
    find(tx, id, lock).await
}

async fn find(db: &impl ConnectionTrait, id: Uuid, lock: &str) -> Result<Option<Guardian>, DbErr> {
    let sql = format!("SELECT {COLUMNS} FROM guardians WHERE id = $1 {lock}");
    let row = db.query_one_raw(statement(db, &sql, [id.into()])).await?;
    row.as_ref().map(read).transpose()
}

/// One page of a student's guardians, the first to call first.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &impl ConnectionTrait, wanted: &Wanted) -> Result<Vec<Guardian>, DbErr> {
    let Wanted {
        student,
        after: (priority, id),
        limit,
    } = wanted;
    let sql = format!(
        "SELECT {COLUMNS} FROM guardians WHERE student = $1 \
         AND (priority > $2 OR (priority = $2 AND id > $3)) ORDER BY priority, id LIMIT $4"
    );
    let values: [Value; 4] = [
        (*student).into(),
        (*priority).into(),
        (*id).into(),
        i64::try_from(*limit).unwrap_or(i64::MAX).into(),
    ];
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    rows.iter().map(read).collect()
}

/// Adds a guardian.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, guardian: &Guardian) -> Result<(), DbErr> {
    let sql = format!("INSERT INTO guardians ({COLUMNS}) VALUES ({})", marks(8));
    tx.execute_raw(statement(tx, &sql, values(guardian)))
        .await?;
    Ok(())
}

/// Stores what changed by hand: the next import will see a difference.
///
/// # Errors
/// When the database fails.
pub async fn update(tx: &Tx, guardian: &Guardian) -> Result<(), DbErr> {
    let sql = statement(
        tx,
        "UPDATE guardians SET student = $2, display_name = $3, relation = $4, sealed = $5, \
         priority = $6, version = $7, update_time = $8, content_hash = NULL, raw_hash = NULL, \
         batch = NULL WHERE id = $1",
        values(guardian),
    );
    tx.execute_raw(sql).await?;
    Ok(())
}

/// Removes a guardian and everything kept of them.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &Tx, id: Uuid) -> Result<(), DbErr> {
    let sql = statement(tx, "DELETE FROM guardians WHERE id = $1", [id.into()]);
    tx.execute_raw(sql).await?;
    Ok(())
}

fn values(guardian: &Guardian) -> [Value; 8] {
    let Guardian {
        id,
        student,
        display_name,
        relation,
        sealed,
        priority,
        version,
        update_time,
    } = guardian.clone();
    [
        id.into(),
        student.into(),
        display_name.into(),
        relation.code().into(),
        sealed.into(),
        priority.into(),
        version.into(),
        update_time.into(),
    ]
}
