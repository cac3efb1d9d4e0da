//! Where people can be reached, sealed, and when they want to be.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kit::bulk::Column;
use kit::db::{Tx, statement};
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::ledger_rows::{party, recipient};
use super::{Store, unreadable};
use crate::domain::message::Category;
use crate::domain::party::Party;
use crate::domain::preferences::{Preferences, Quiet};
use crate::domain::template::Language;

row! {
    /// Where somebody can be reached by a channel.
    ContactRow in "contact_points" by ["party_kind", "party", "channel"] {
        /// The id of the channel.
        channel: String,
        /// The kind of the party, as in the ledger.
        party_kind: i16,
        /// The bytes of the party, as in the ledger.
        party: Vec<u8>,
        /// The address, sealed.
        sealed: Vec<u8>,
        /// The provider said that nobody is there.
        unreachable: bool,
        /// Up to when the budget of the address is used, in milliseconds since 1970.
        spent_until: i64,
        /// When it was set, in milliseconds since 1970.
        update_time: i64,
        /// A keyed hash of the address: the same for the same one of the same channel.
        address_hash: Vec<u8>,
        /// When the address was set of which that is the hash; -1 for none.
        hashed_at: i64,
        /// Of one guardian the bytes of the family; empty for everybody else.
        family: Vec<u8>,
    }
}

row! {
    /// When and how somebody wants to be reached.
    PreferencesRow in "preferences" by ["party_kind", "party"] {
        /// The kind of the party, as in the ledger.
        party_kind: i16,
        /// The bytes of the party, as in the ledger.
        party: Vec<u8>,
        /// The number of the language.
        language: i16,
        /// Plain speech where there is any.
        plain_speech: bool,
        /// The minute of the day at which quiet hours begin.
        quiet_start: i32,
        /// The minute of the day at which they end.
        quiet_end: i32,
        /// One bit for each category, by its number.
        inbox_only: i32,
        /// The minute of the day of the digest; -1 for none.
        digest_minute: i32,
        /// When they were set, in milliseconds since 1970.
        update_time: i64,
    }
}

impl ContactRow {
    /// A contact point that is set: its address sealed and as a keyed hash.
    pub fn of(
        channel: &str,
        party: &Party,
        (sealed, address_hash): (Vec<u8>, Vec<u8>),
        now: DateTime<Utc>,
    ) -> Self {
        let family = match party {
            Party::Guardian(student, _) => recipient(&Party::Family(*student)).1,
            Party::Student(_) | Party::Family(_) | Party::Staff(_) | Party::Organization(_) => {
                Vec::new()
            }
        };
        let (party_kind, party) = recipient(party);
        Self {
            channel: channel.to_owned(),
            party_kind,
            party,
            sealed,
            unreachable: false,
            spent_until: 0,
            update_time: now.timestamp_millis(),
            address_hash,
            hashed_at: now.timestamp_millis(),
            family,
        }
    }

    /// Whose it is.
    ///
    /// # Errors
    /// When the row is unreadable.
    pub fn party(&self) -> Result<Party, DbErr> {
        party(self.party_kind, self.party.clone())
    }

    /// When it was set.
    pub fn updated(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.update_time).unwrap_or_default()
    }
}

impl PreferencesRow {
    fn of(whose: &Party, preferences: &Preferences, now: DateTime<Utc>) -> Self {
        let (party_kind, party) = recipient(whose);
        let bits = preferences.inbox_only.iter();
        Self {
            party_kind,
            party,
            language: preferences.language as i16,
            plain_speech: preferences.plain_speech,
            quiet_start: preferences.quiet.start.into(),
            quiet_end: preferences.quiet.end.into(),
            inbox_only: bits.fold(0, |bits, category| bits | (1 << *category as i32)),
            digest_minute: preferences.digest.map_or(-1, Into::into),
            update_time: now.timestamp_millis(),
        }
    }
}

impl TryFrom<PreferencesRow> for Preferences {
    type Error = DbErr;

    fn try_from(row: PreferencesRow) -> Result<Self, DbErr> {
        let minute = |minute| u16::try_from(minute).map_err(|_| unreadable("minute"));
        let languages = Language::ALL;
        let language = languages
            .into_iter()
            .find(|language| *language as i16 == row.language);
        let categories = Category::ALL.into_iter();
        Ok(Self {
            language: language.ok_or_else(|| unreadable("language"))?,
            plain_speech: row.plain_speech,
            quiet: Quiet {
                start: minute(row.quiet_start)?,
                end: minute(row.quiet_end)?,
            },
            inbox_only: categories
                .filter(|category| row.inbox_only & (1 << *category as i32) != 0)
                .collect(),
            digest: u16::try_from(row.digest_minute).ok(),
            updated: DateTime::from_timestamp_millis(row.update_time),
        })
    }
}

impl Store {
    /// Stores where people can be reached, in place of what was stored before; each once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_contact_points(tx: &Tx, rows: &[ContactRow]) -> Result<(), DbErr> {
        ContactRow::save(tx, rows).await
    }

    /// Forgets where somebody can be reached.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_contact_point(tx: &Tx, channel: &str, party: &Party) -> Result<(), DbErr> {
        let sql =
            "DELETE FROM contact_points WHERE party_kind = $1 AND party = $2 AND channel = $3";
        let (kind, party) = recipient(party);
        let values = [kind.into(), party.into(), channel.into()];
        tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(())
    }

    /// Where somebody can be reached, by channel.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn contact_points(
        db: &impl ConnectionTrait,
        party: &Party,
        most: u64,
    ) -> Result<Vec<ContactRow>, DbErr> {
        let (kind, party) = recipient(party);
        let values = vec![kind.into(), party.into()];
        ContactRow::page(db, "party_kind = $1 AND party = $2", values, most).await
    }

    /// Where each of `parties` can be reached by a channel.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn contact_points_of(
        tx: &Tx,
        channel: &str,
        parties: &[Party],
    ) -> Result<HashMap<Party, ContactRow>, DbErr> {
        let mut keys = columns(parties);
        keys.push((
            "channel",
            Column::Text(vec![channel.to_owned(); parties.len()]),
        ));
        let found = ContactRow::among(tx, keys).await?.into_iter();
        found.map(|row| Ok((row.party()?, row))).collect()
    }

    /// Stores up to when the budget of an address is used.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn charge_contact_point(tx: &Tx, row: &ContactRow) -> Result<(), DbErr> {
        change(tx, row, "spent_until", row.spent_until.into()).await
    }

    /// Nobody is at an address: nothing is sent there until it is set again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_unreachable(tx: &Tx, row: &ContactRow) -> Result<(), DbErr> {
        change(tx, row, "unreachable", true.into()).await
    }

    /// What somebody prefers; the defaults when they never said.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn preferences(
        db: &impl ConnectionTrait,
        party: &Party,
    ) -> Result<Preferences, DbErr> {
        let (kind, party) = recipient(party);
        let values = vec![kind.into(), party.into()];
        let found = PreferencesRow::page(db, "party_kind = $1 AND party = $2", values, 1).await?;
        found
            .into_iter()
            .next()
            .map_or_else(|| Ok(Preferences::default()), TryInto::try_into)
    }

    /// What each of `parties` prefers who ever said.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn preferences_of(
        tx: &Tx,
        parties: &[Party],
    ) -> Result<HashMap<Party, Preferences>, DbErr> {
        let found = PreferencesRow::among(tx, columns(parties)).await?;
        found
            .into_iter()
            .map(|row| Ok((party(row.party_kind, row.party.clone())?, row.try_into()?)))
            .collect()
    }

    /// Replaces what somebody prefers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_preferences(
        tx: &Tx,
        party: &Party,
        preferences: &Preferences,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        PreferencesRow::save(tx, &[PreferencesRow::of(party, preferences, now)]).await
    }
}

/// Changes one column of a contact point that was not set anew meanwhile.
async fn change(tx: &Tx, row: &ContactRow, column: &str, value: Value) -> Result<(), DbErr> {
    let sql = format!(
        "UPDATE contact_points SET {column} = $1 \
         WHERE party_kind = $2 AND party = $3 AND channel = $4 AND update_time = $5"
    );
    let values = [
        value,
        row.party_kind.into(),
        row.party.clone().into(),
        row.channel.clone().into(),
        row.update_time.into(),
    ];
    tx.execute_raw(statement(tx, &sql, values)).await?;
    Ok(())
}

/// The keys of parties, as the tables have them.
fn columns(parties: &[Party]) -> Vec<(&'static str, Column)> {
    let (kinds, parties) = parties.iter().map(recipient).unzip();
    vec![
        ("party_kind", Column::Small(kinds)),
        ("party", Column::Bytes(parties)),
    ]
}
