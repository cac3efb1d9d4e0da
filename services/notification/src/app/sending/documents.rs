//! Documents of warnings: each leaves by itself and at once, whatever anybody prefers.

use chrono::{DateTime, Utc};
use kit::db::Tx;

use super::Sending;
use super::parcel::Parcel;
use super::taking::Decided;
use crate::config::ChannelConfig;
use crate::domain::channel::carries;
use crate::domain::delivery::{Attempt, Failure};
use crate::error::Error;
use crate::store::Store;
use crate::store::deliveries::{Due, Outcome};

impl Sending {
    /// Packs the documents that are due. An exercise never leaves by a channel for what is real, nor the
    /// other way round, even when the settings have changed since it was queued.
    pub(super) async fn documents(
        tx: &Tx,
        channel: &ChannelConfig,
        due: Vec<Due>,
        now: DateTime<Utc>,
    ) -> Result<Decided, Error> {
        let carriers = due.iter().map(|due| due.key.message);
        let mut documents = Store::carried(tx, carriers).await?;
        let (mut parcels, mut outcomes) = (Vec::new(), Vec::new());
        for due in due {
            let may = carries(channel.kind, channel.exercise, due.message.exercise);
            let document = documents.remove(&due.key.message).filter(|_| may);
            match document {
                Some(document) => parcels.push(Parcel::of_document(due, document, now)),
                None => outcomes.push(Outcome {
                    key: due.key,
                    attempt: Attempt::Dead(Failure::Refused),
                }),
            }
        }
        Ok((parcels, outcomes))
    }
}
