//! Answers that tell of a visitor: what a repeated request gets stands sealed, as the visit itself does.

use chrono::{DateTime, Utc};
use kit::auth::Caller;
use kit::db::Tx;
use kit::vault::emergency_of;
use prost::Message;
use sea_orm::DbErr;

use super::Visitors;
use crate::error::Error;

impl Visitors {
    /// Does `work` in one transaction, once for each request id: a repeat gets the first answer. `work` says too
    /// when what it tells of was gathered. An answer that ended with its emergency is not found, and nothing is
    /// done again.
    ///
    /// # Errors
    /// What `work` failed with, REQUEST_ID_REUSED, or when the database fails.
    pub(super) async fn act<R: Message + Default>(
        &self,
        caller: &Caller,
        method: &'static str,
        once: (&str, &impl Message),
        work: impl AsyncFnOnce(&Tx, DateTime<Utc>) -> Result<(R, DateTime<Utc>), Error>,
    ) -> Result<R, Error> {
        let request_id = once.0;
        let owner = format!("requests|{}|{request_id}", caller.subject);
        let acted = self.base.act(caller, method, once, async |tx, now| {
            let (answer, gathered) = work(tx, now).await?;
            Ok(self.seal.seal(&owner, &answer.encode_to_vec(), gathered))
        });
        let sealed: Vec<u8> = acted.await?;
        let opened = match self.seal.open(&owner, &sealed) {
            Err(_) if emergency_of(&sealed).is_some() => {
                return Err(Error::NotFound(format!("requests/{request_id}")));
            }
            opened => opened?,
        };
        let unreadable = |_| DbErr::Type("an answer with an unreadable seal".to_owned());
        Ok(R::decode(opened.as_slice()).map_err(unreadable)?)
    }
}
