//! Secrets that the replicas of a service share through its database.

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use crate::db::{Database, statement};

/// The secret `name`, made on first use. It signs tokens and codes; it protects no personal data.
///
/// # Errors
/// When the database fails.
pub async fn load(db: &Database, name: &str) -> Result<Vec<u8>, DbErr> {
    let tx = db.begin().await?;
    let fresh: Vec<u8> = [Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4()]
        .iter()
        .flat_map(|id| *id.as_bytes())
        .collect();
    let insert = statement(
        &tx,
        "INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        [name.into(), fresh.into()],
    );
    tx.execute_raw(insert).await?;
    let select = statement(
        &tx,
        "SELECT value FROM secrets WHERE name = $1",
        [name.into()],
    );
    let row = tx.query_one_raw(select).await?;
    let secret = row
        .ok_or_else(|| DbErr::RecordNotFound(name.to_owned()))?
        .try_get_by_index(0)?;
    tx.commit().await?;
    Ok(secret)
}
