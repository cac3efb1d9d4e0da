//! Receipts of deliveries, stored many at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use kit::auth::{Caller, Permission};
use kit::batch::Batcher;
use kit::drain::Drain;
use kit::status::Problem;

use super::messages::Messages;
use super::{is_own, place};
use crate::domain::delivery::{Fate, INBOX, Receipt};
use crate::domain::party::Party;
use crate::error::Error;
use crate::store::Store;

/// How many calls may wait, and how many share a transaction.
const WAITING: usize = 4096;
const TOGETHER: usize = 256;
/// How many receipts one transaction stores: those of at least one call.
const RECEIPTS: usize = 4_000;

/// The receipts of one call that its caller may tell.
#[derive(Debug)]
pub(crate) struct Told {
    receipts: Vec<(Receipt, By)>,
}

/// In whose name a receipt is told.
#[derive(Clone, Debug)]
enum By {
    /// The recipient's.
    Recipient,
    /// That of the provider of messages that are sent where this caller may tell of them.
    Provider(Arc<Caller>),
}

pub(crate) type Receipts = Batcher<Told, Result<u32, Error>>;

/// Starts the worker that stores receipts together.
pub(super) fn spawn(store: Store, drain: Drain) -> Receipts {
    let service = store.database().service();
    let batcher = Batcher::spawn(WAITING, TOGETHER, drain, move |calls: Vec<Told>| {
        let store = store.clone();
        Box::pin(async move {
            let mut answers = Vec::with_capacity(calls.len());
            let mut calls = &calls[..];
            while !calls.is_empty() {
                let (together, rest) = calls.split_at(fitting(calls));
                calls = rest;
                match record(&store, together).await {
                    Ok(changed) => answers.extend(changed.into_iter().map(Ok)),
                    Err(err) => {
                        let reason = Problem::from(err).reason();
                        tracing::warn!(?reason, calls = together.len(), "receipts were not stored");
                        let refused = || Err(Problem::new(reason).into());
                        answers.extend(together.iter().map(|_| refused()));
                    }
                }
            }
            answers
        })
    });
    batcher.observed(service, "receipts")
}

/// How many of the calls fit into one transaction, the first one always.
fn fitting(calls: &[Told]) -> usize {
    let mut receipts = 0;
    let fits = calls.iter().take_while(|call| {
        receipts += call.receipts.len();
        receipts <= RECEIPTS
    });
    fits.count().max(1)
}

/// Stores the receipts of some calls; says of each how many changed something.
async fn record(store: &Store, calls: &[Told]) -> Result<Vec<u32>, Error> {
    let ids = calls.iter().flat_map(|call| &call.receipts);
    let ids: BTreeSet<_> = ids.map(|(receipt, _)| receipt.key.message).collect();
    let tx = store.database().begin().await?;
    let senders = Store::senders(&tx, ids).await?;
    let exists = |(receipt, by): &&(Receipt, By)| {
        let sender = senders.get(&receipt.key.message);
        sender.is_some_and(|(organization, path)| {
            let known = match by {
                By::Recipient => true,
                By::Provider(caller) => caller.may(Permission::ReceiptWrite, &place(path)),
            };
            known && *organization == receipt.sender
        })
    };
    let (mut owners, mut receipts) = (Vec::new(), Vec::new());
    for (index, call) in calls.iter().enumerate() {
        for (receipt, _) in call.receipts.iter().filter(exists) {
            owners.push(index);
            receipts.push(receipt);
        }
    }
    let changed = Store::record_receipts(&tx, &receipts).await?;
    tx.commit().await?;
    let mut counts = vec![0; calls.len()];
    for (owner, changed) in owners.into_iter().zip(changed) {
        counts[owner] += u32::from(changed);
    }
    Ok(counts)
}

impl Messages {
    /// Checks that the caller may tell of any delivery at all.
    pub(crate) fn may_record(&self, caller: &Caller) -> Result<(), Error> {
        let reader = caller.allowed(Permission::InboxRead).is_ok();
        if !reader {
            caller.allowed(Permission::ReceiptWrite)?;
        }
        Ok(())
    }

    /// Stores receipts; says how many changed something. Those of others are passed over, as if they
    /// did not exist. What lies in an inbox has no provider: nobody but its owner tells of it. That something
    /// could not be delivered only its provider tells.
    pub(crate) async fn record(
        &self,
        caller: &Caller,
        receipts: Vec<Receipt>,
    ) -> Result<u32, Error> {
        let provider = caller.allowed(Permission::ReceiptWrite).is_ok();
        let provider = provider.then(|| Arc::new(caller.clone()));
        let reader = caller.allowed(Permission::InboxRead).is_ok();
        let organizations = self.acts_for(caller, &receipts).await?;
        let told = receipts.into_iter().filter_map(|receipt| {
            let failed = matches!(receipt.fate, Fate::Failed(_));
            let own = reader
                && !failed
                && match &receipt.key.recipient {
                    Party::Organization(id) => organizations.contains(id),
                    person => is_own(caller, person),
                };
            let by = if own {
                By::Recipient
            } else {
                let provider = provider.as_ref();
                By::Provider(provider.filter(|_| receipt.key.channel != INBOX)?.clone())
            };
            Some((receipt, by))
        });
        let receipts = told.collect();
        self.receipts.submit(Told { receipts }).await?
    }

    /// The organisations among the recipients for which the caller acts: its own, not those below it, whose
    /// inboxes it may read all the same; of centres for disease control those within its scope.
    async fn acts_for(
        &self,
        caller: &Caller,
        receipts: &[Receipt],
    ) -> Result<BTreeSet<String>, Error> {
        let reads = caller.allowed(Permission::MessageRead).ok();
        let receives = caller.allowed(Permission::ReportReceive).is_ok();
        if reads.is_none() && !receives {
            return Ok(BTreeSet::new());
        }
        let ids = receipts
            .iter()
            .filter_map(|receipt| match &receipt.key.recipient {
                Party::Organization(id) => Some(id.clone()),
                Party::Student(_) | Party::Family(_) | Party::Guardian(..) | Party::Staff(_) => {
                    None
                }
            });
        let ids: BTreeSet<String> = ids.collect();
        let ids: Vec<String> = ids.into_iter().collect();
        let db = self.base.store.database().read();
        let centres = Store::centres_among(db, &ids).await?;
        let paths = Store::places_of(db, &ids).await?.into_iter();
        let within = paths.filter(|(id, path)| {
            let place = place(path);
            if centres.contains(id) {
                receives && caller.may(Permission::ReportReceive, &place)
            } else {
                reads.is_some_and(|scope| *scope == place)
            }
        });
        Ok(within.map(|(id, _)| id).collect())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::domain::delivery::Key;

    fn call(receipts: usize) -> Told {
        let receipt = Receipt {
            key: Key {
                message: Uuid::from_u128(1),
                recipient: Party::Staff(Uuid::from_u128(2)),
                channel: "inbox".to_owned(),
            },
            sender: "fz".to_owned(),
            fate: Fate::Read,
            time: DateTime::UNIX_EPOCH,
        };
        Told {
            receipts: vec![(receipt, By::Recipient); receipts],
        }
    }

    #[test]
    fn calls_share_a_transaction_as_long_as_they_fit() {
        let calls = |sizes: &[usize]| sizes.iter().map(|size| call(*size)).collect::<Vec<_>>();
        assert_eq!(fitting(&calls(&[1, 1, 1])), 3);
        assert_eq!(fitting(&calls(&[1000, 1000, 1000, 1000, 1])), 4);
        assert_eq!(fitting(&calls(&[RECEIPTS + 1, 1])), 1);
        assert_eq!(fitting(&calls(&[0, RECEIPTS])), 2);
    }
}
