//! What is kept of private things that were shown: to whom, and why.

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

/// Something private that was shown, or looked for in vain.
#[derive(Clone, Debug)]
pub struct Disclosure<'a> {
    /// Its own identifier.
    pub id: Uuid,
    /// Who asked.
    pub principal: &'a str,
    /// The method.
    pub act: &'static str,
    /// Of whom; none when nobody was found.
    pub subject: Option<Uuid>,
    /// Why.
    pub reason: &'a str,
    /// When, in milliseconds since 1970.
    pub time: i64,
}

/// Keeps a disclosure.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, disclosure: Disclosure<'_>) -> Result<(), DbErr> {
    let Disclosure {
        id,
        principal,
        act,
        subject,
        reason,
        time,
    } = disclosure;
    let insert = statement(
        tx,
        "INSERT INTO disclosures (id, principal, act, subject, reason, create_time) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        [
            id.into(),
            principal.into(),
            act.into(),
            subject.into(),
            reason.into(),
            time.into(),
        ],
    );
    tx.execute_raw(insert).await?;
    Ok(())
}
