//! Documents on their way to other systems: a message carries each, so that its deliveries stand in the
//! ledger as all others do.

use std::collections::BTreeMap;

use kit::db::Tx;
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::Store;
use super::deliveries::{Due, Hold};
use super::direct::{Direct, Way};
use crate::domain::message::Message;
use crate::domain::party::Party;

/// A document waits until those before it of its chain have left by the channel, or never will: who takes
/// them sees no update of what it does not know, and no alert after it was called off.
const IN_ORDER: &str = " AND NOT EXISTS (SELECT 1 FROM warning_carriers own \
    JOIN warning_carriers earlier ON earlier.message = own.message AND earlier.number < own.number \
    JOIN deliveries b ON b.message = earlier.carrier AND b.channel = d.channel AND b.state = 1 \
    WHERE own.carrier = d.message)";

row! {
    /// A message that carries a document.
    CarrierRow in "warning_carriers" by ["carrier"] {
        /// The message that carries it.
        carrier: Uuid,
        /// The message that it is of.
        message: Uuid,
        /// 1 for the first document of that message.
        number: i32,
        /// The document.
        document: Vec<u8>,
    }
}

impl Store {
    /// Stores a message that carries the document `of`, of a message and its number there, by each of its
    /// channels on behalf of its sender.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_carrier(
        tx: &Tx,
        carrier: Message,
        (message, number): (Uuid, i32),
        document: &str,
    ) -> Result<(), DbErr> {
        let row = CarrierRow {
            carrier: carrier.id,
            message,
            number,
            document: document.as_bytes().to_vec(),
        };
        CarrierRow::add(tx, &[row]).await?;
        let ways = carrier.channels.iter().cloned().map(Way::Channel);
        let direct = Direct {
            recipient: Party::Organization(carrier.organization.clone()),
            ways: ways.collect(),
            message: carrier,
        };
        Self::insert_direct(tx, vec![direct]).await
    }

    /// Takes documents that are due by a channel as [`Store::claim`] takes messages, those of one warning
    /// one after the other.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_documents(
        tx: &Tx,
        channel: &str,
        hold: Hold,
        limit: u32,
    ) -> Result<Vec<Due>, DbErr> {
        Self::claim_those(tx, channel, hold, limit, IN_ORDER).await
    }

    /// The documents that messages carry.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn carried<C: ConnectionTrait + Sync>(
        db: &C,
        carriers: impl IntoIterator<Item = Uuid>,
    ) -> Result<BTreeMap<Uuid, Vec<u8>>, DbErr> {
        let ids = carriers.into_iter().map(Value::from).collect();
        let found = CarrierRow::find(db, "carrier", ids, Lock::No).await?;
        let documents = found.into_iter().map(|row| (row.carrier, row.document));
        Ok(documents.collect())
    }
}
