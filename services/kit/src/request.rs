//! A repeated request has one effect: its answer is stored in the transaction of its effect.

use chrono::{DateTime, Utc};
use prost::Message;
use proto::error::ErrorReason;
use sea_orm::{ConnectionTrait, DbErr};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::audit;
use crate::auth::Caller;
use crate::db::{Database, Tx, statement};
use crate::status::Problem;

/// Whether a request came for the first time.
#[derive(Debug)]
pub enum Once<R> {
    /// It did: do it, then record the answer with the ticket before the commit.
    First(Ticket),
    /// It was done before, with this answer.
    Repeat(R),
}

/// The duty to record an answer.
#[derive(Debug)]
#[must_use = "an answer that is not recorded lets a repeat act again"]
pub struct Ticket(Option<(String, String)>);

/// Looks whether `caller` sent `request_id` before. An empty one is always new and never recorded. What comes
/// for the first time is recorded in the audit when `tx` commits.
///
/// # Errors
/// INVALID_FIELD when it is not a UUID, REQUEST_ID_REUSED when it came with another request, and
/// CONFLICT when the first one is still under way elsewhere.
pub async fn once<R: Message + Default>(
    tx: &Tx,
    caller: &Caller,
    method: &'static str,
    request_id: &str,
    request: &impl Message,
    now: DateTime<Utc>,
) -> Result<Once<R>, Problem> {
    if request_id.is_empty() {
        audit::act(tx, caller);
        return Ok(Once::First(Ticket(None)));
    }
    if Uuid::try_parse(request_id).is_err() {
        return Err(Problem::invalid(
            "request_id",
            "必须是 UUID",
            "must be a UUID",
        ));
    }
    let hash = Sha256::digest(request.encode_to_vec()).to_vec();
    let insert = statement(
        tx,
        "INSERT INTO requests (principal, request_id, method, request_hash, created_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        [
            caller.subject.clone().into(),
            request_id.into(),
            method.into(),
            hash.clone().into(),
            now.timestamp_millis().into(),
        ],
    );
    if tx.execute_raw(insert).await?.rows_affected() == 1 {
        let key = (caller.subject.clone(), request_id.to_owned());
        audit::act(tx, caller);
        return Ok(Once::First(Ticket(Some(key))));
    }
    let select = statement(
        tx,
        "SELECT method, request_hash, response FROM requests \
         WHERE principal = $1 AND request_id = $2",
        [caller.subject.clone().into(), request_id.into()],
    );
    let Some(row) = tx.query_one_raw(select).await? else {
        return Err(Problem::new(ErrorReason::Conflict));
    };
    let stored_method: String = row.try_get_by_index(0)?;
    let stored_hash: Vec<u8> = row.try_get_by_index(1)?;
    if stored_method != method || stored_hash != hash {
        return Err(Problem::new(ErrorReason::RequestIdReused).meta("request_id", request_id));
    }
    let response: Option<Vec<u8>> = row.try_get_by_index(2)?;
    let response = response.ok_or_else(|| Problem::new(ErrorReason::Conflict))?;
    // The record of the first one is that of the repeat.
    if let Some(call) = &caller.call {
        call.set_recorded();
    }
    R::decode(response.as_slice())
        .map(Once::Repeat)
        .map_err(|err| Problem::new(ErrorReason::Internal).source(err))
}

impl Ticket {
    /// Stores the answer that a repeat will get.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record(self, tx: &Tx, answer: &impl Message) -> Result<(), Problem> {
        let Some((principal, request_id)) = self.0 else {
            return Ok(());
        };
        let update = statement(
            tx,
            "UPDATE requests SET response = $1 WHERE principal = $2 AND request_id = $3",
            [
                answer.encode_to_vec().into(),
                principal.into(),
                request_id.into(),
            ],
        );
        tx.execute_raw(update).await?;
        Ok(())
    }
}

/// Does `work` in one transaction, once for each request id: a repeat gets the first answer.
///
/// # Errors
/// What `work` failed with, then nothing of it stands; and as [`once`].
pub async fn act<R, E>(
    db: &Database,
    caller: &Caller,
    method: &'static str,
    (request_id, request): (&str, &impl Message),
    now: DateTime<Utc>,
    work: impl AsyncFnOnce(&Tx) -> Result<R, E>,
) -> Result<R, E>
where
    R: Message + Default,
    E: From<Problem> + From<DbErr>,
{
    let tx = db.begin().await?;
    let ticket = match once(&tx, caller, method, request_id, request, now).await? {
        Once::Repeat(answer) => return Ok(answer),
        Once::First(ticket) => ticket,
    };
    let answer = work(&tx).await?;
    ticket.record(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}
