//! Repeated requests whose words, and perhaps whose author, must not stand in the table of requests.

use chrono::{DateTime, Utc};
use kit::auth::Caller;
use kit::db::Tx;
use kit::org::OrgPath;
use kit::request::{Once, Ticket};
use kit::status::Problem;
use kit::vault::emergency_of;
use prost::Message;
use proto::error::ErrorReason;

use crate::error::Error;
use crate::seal::Seal;

/// Whether a request came for the first time.
pub(crate) enum Quiet<R> {
    /// It did: do it, then record the answer before the commit.
    First(QuietTicket),
    /// It was done before, with this answer.
    Repeat(R),
}

/// The duty to record an answer.
#[must_use = "an answer that is not recorded lets a repeat act again"]
pub(crate) struct QuietTicket {
    ticket: Ticket,
    owner: String,
}

/// As [`kit::request::once`] for whoever `subject` stands for: of the request a keyed hash is kept,
/// and the answer stands sealed. Where `subject` is another than the caller's, the audit does not tell
/// who called either. An answer that ended with its emergency is not found, and nothing is done again.
pub(crate) async fn once<R: Message + Default>(
    tx: &Tx,
    seal: &Seal,
    (caller, subject): (&Caller, String),
    (method, request_id, request): (&'static str, &str, &impl Message),
    now: DateTime<Utc>,
) -> Result<Quiet<R>, Error> {
    let owner = format!("requests/{subject}/{request_id}");
    if subject != caller.subject {
        caller.veil(&subject);
    }
    let caller = Caller {
        call: caller.call.clone(),
        ..Caller::new(subject, Vec::new(), OrgPath::root())
    };
    let veiled = seal.veil_bytes("request", &request.encode_to_vec());
    match kit::request::once::<Vec<u8>>(tx, &caller, method, request_id, &veiled, now).await? {
        Once::First(ticket) => Ok(Quiet::First(QuietTicket { ticket, owner })),
        Once::Repeat(sealed) => {
            let opened = match seal.open_bytes(&owner, &sealed) {
                Err(_) if emergency_of(&sealed).is_some() => {
                    return Err(Error::NotFound(format!("requests/{request_id}")));
                }
                opened => opened?,
            };
            let answer = R::decode(opened.as_slice());
            let unreadable = |err| Problem::new(ErrorReason::Internal).source(err);
            Ok(Quiet::Repeat(answer.map_err(unreadable)?))
        }
    }
}

impl QuietTicket {
    /// Stores the answer that a repeat will get, sealed as what it tells of, which was `gathered` then.
    pub(crate) async fn record(
        self,
        tx: &Tx,
        (seal, gathered): (&Seal, DateTime<Utc>),
        answer: &impl Message,
    ) -> Result<(), Error> {
        let sealed = seal.seal_told(&self.owner, &answer.encode_to_vec(), gathered);
        Ok(self.ticket.record(tx, &sealed).await?)
    }
}
