//! What leaves in one text: gathered once for each recipient, and the same each time it leaves again, so
//! that a provider sees one key for it however often it is sent.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use kit::db::Tx;

use super::Sending;
use super::parcel::id;
use crate::config::ChannelConfig;
use crate::domain::delivery::Key;
use crate::domain::party::Party;
use crate::error::Error;
use crate::store::Store;
use crate::store::deliveries::{Due, Hold};

/// How many messages one text gathers at most.
const GATHERED: u32 = 100;

/// What is due and leaves in one text with what else waits for that instant, by recipient.
pub(super) type Gathered = BTreeMap<Party, (DateTime<Utc>, Vec<Due>)>;

impl Sending {
    /// Gathers what is due with what waits for the same instant. From now on it leaves together.
    pub(super) async fn gather(
        tx: &Tx,
        channel: &ChannelConfig,
        gathered: Gathered,
        hold: Hold,
    ) -> Result<Vec<Vec<Due>>, Error> {
        let mut parcels = Vec::with_capacity(gathered.len());
        for (party, (at, mut together)) in gathered {
            let when = (at.timestamp_millis(), hold);
            let rest = Store::claim_of(tx, &channel.id, &party, when, GATHERED).await?;
            together.extend(rest);
            let keys: Vec<Key> = together.iter().map(|due| due.key.clone()).collect();
            let parcel = id(&keys);
            for due in &mut together {
                due.parcel = Some(parcel.clone());
            }
            parcels.push(together);
        }
        Store::gather(tx, &parcels).await?;
        Ok(parcels)
    }

    /// All of what was gathered before and is due again, by parcel.
    pub(super) async fn gathered_again(
        tx: &Tx,
        channel: &ChannelConfig,
        parcels: BTreeSet<String>,
        hold: Hold,
    ) -> Result<BTreeMap<String, Vec<Due>>, Error> {
        let mut again = BTreeMap::<String, Vec<Due>>::new();
        if parcels.is_empty() {
            return Ok(again);
        }
        for due in Store::claim_parcels(tx, &channel.id, parcels.into_iter(), hold).await? {
            if let Some(parcel) = due.parcel.clone() {
                again.entry(parcel).or_default().push(due);
            }
        }
        Ok(again)
    }
}
