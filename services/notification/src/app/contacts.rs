//! Where people can be reached, and when they want to be: said by themselves, or by whoever keeps the
//! register of their place.

use std::collections::BTreeSet;

use kit::auth::{Caller, Permission};
use kit::request::{Once, once};
use kit::status::Problem;
use kit::vault::VaultError;
use prost::Message;
use zeroize::Zeroizing;

use super::channels::Channels;
use super::{Base, is_own, place, unknown};
use crate::domain::contact::Address;
use crate::domain::party::Party;
use crate::domain::preferences::Preferences;
use crate::error::Error;
use crate::seal::Seal;
use crate::store::Store;
use crate::store::contacts::ContactRow;

/// The address of a contact point.
///
/// # Errors
/// When it cannot be opened.
pub(super) fn address_of(seal: &Seal, row: &ContactRow) -> Result<Zeroizing<String>, Error> {
    let owner = owner(&row.channel, &row.party()?);
    let bytes = seal.open_bytes(&owner, &row.sealed)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| VaultError)?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// A sealed address opens for its channel and party only. That of a family is sealed as a version before
/// did it, which knew no other party of the pupil's name.
fn owner(channel: &str, party: &Party) -> String {
    let party = match party {
        Party::Family(id) => Party::Student(*id).name(),
        Party::Student(id) => format!("{}/own", Party::Student(*id).name()),
        Party::Guardian(..) | Party::Staff(_) | Party::Organization(_) => party.name(),
    };
    format!("contact_points|{channel}|{party}")
}

/// The use cases of contact points and preferences.
#[derive(Clone, Debug)]
pub(crate) struct Contacts {
    base: Base,
    channels: Channels,
    seal: Seal,
}

/// Where somebody is to be reached, by an address that the channel takes or with what is wrong with it.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) party: Party,
    pub(crate) channel: String,
    pub(crate) address: Result<Address, Error>,
}

/// A contact point with what can be shown of its address.
#[derive(Clone, Debug)]
pub(crate) struct ContactPoint {
    pub(crate) party: Party,
    pub(crate) masked: String,
    pub(crate) row: ContactRow,
}

impl Contacts {
    pub(crate) fn new(base: Base, channels: Channels, seal: Seal) -> Self {
        Self {
            base,
            channels,
            seal,
        }
    }

    /// Stands for an address where requests are compared: addresses are few enough to be guessed from
    /// a hash without a key.
    pub(crate) fn veil(&self, address: &str) -> String {
        self.seal.veil("address", address)
    }

    /// Checks that the caller may say something about a party: it is the caller, or at or below the
    /// caller's place.
    pub(crate) async fn authorize(&self, caller: &Caller, party: &Party) -> Result<(), Error> {
        if is_own(caller, party) {
            return Ok(());
        }
        let name = party.name();
        let permission = Permission::ContactWrite;
        let scope = caller.allowed(permission)?;
        let store = &self.base.store;
        let belonging = store.belonging(store.database().read(), party).await?;
        let belonging = belonging.ok_or_else(|| unknown(permission, scope, name))?;
        Ok(caller.require(permission, &place(&belonging.place))?)
    }

    /// Checks an address for a channel. The party was authorised before.
    ///
    /// # Errors
    /// When there is no such channel, it has no addresses, or this is none of its.
    pub(crate) fn address(&self, channel: &str, address: &str) -> Result<Address, Error> {
        let settings = self.channels.settings(channel);
        let settings = settings.ok_or_else(|| Error::NotFound(super::channels::name(channel)))?;
        if !settings.kind.is_addressed() {
            return Err(Problem::invalid(
                "channel",
                "该通道没有个人地址",
                "nobody has an address of their own there",
            )
            .into());
        }
        let address = Address::parse(settings.kind, address, settings.insecure);
        address.ok_or_else(|| {
            Problem::invalid(
                "address",
                "不是该通道可用的地址",
                "not an address that this channel takes",
            )
            .into()
        })
    }

    /// Stores where somebody can be reached. The caller was authorised before.
    pub(crate) async fn set<R: Message + Default>(
        &self,
        caller: &Caller,
        (channel, party): (&str, &Party),
        address: &Address,
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(ContactPoint) -> R,
    ) -> Result<R, Error> {
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let ticket = match once(&tx, caller, "SetContactPoint", request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        let row = ContactRow::of(channel, party, self.sealed(channel, party, address), now);
        Store::set_contact_points(&tx, std::slice::from_ref(&row)).await?;
        let answer = render(ContactPoint {
            party: party.clone(),
            masked: address.masked(),
            row,
        });
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// An address as it is stored: sealed, and as a keyed hash that tells which others are the same.
    fn sealed(&self, channel: &str, party: &Party, address: &Address) -> (Vec<u8>, Vec<u8>) {
        let owner = owner(channel, party);
        let sealed = self.seal.seal_bytes(&owner, address.as_str().as_bytes());
        let of_channel = format!("{channel}|{}", address.as_str());
        (
            sealed,
            self.seal.hash("contact point", &of_channel).to_vec(),
        )
    }

    /// Stores where many can be reached, each for whom the caller may say it; tells of each that was not
    /// stored why. The caller may say it of somebody, and each setting was read before.
    pub(crate) async fn set_many<R: Message + Default>(
        &self,
        caller: &Caller,
        settings: Vec<Result<Setting, Error>>,
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Vec<Option<Problem>>) -> R,
    ) -> Result<R, Error> {
        const METHOD: &str = "BatchSetContactPoints";
        let now = self.base.clock.now();
        let permission = Permission::ContactWrite;
        let scope = caller.allowed(permission)?;
        let parties = settings.iter().flatten().map(|one| one.party.clone());
        let parties: Vec<Party> = parties.collect();
        let tx = self.base.store.database().begin().await?;
        let ticket = match once(&tx, caller, METHOD, request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        let places = Store::party_places(&tx, &parties).await?;
        let (mut rows, mut seen) = (Vec::new(), BTreeSet::new());
        let mut outcome = Vec::with_capacity(settings.len());
        for setting in settings {
            let row = setting.and_then(
                |Setting {
                     party,
                     channel,
                     address,
                 }| {
                    if !is_own(caller, &party) {
                        let found = places.get(&party);
                        let found =
                            found.ok_or_else(|| unknown(permission, scope, party.name()))?;
                        caller.require(permission, &place(found))?;
                    }
                    // What is wrong with it is told to those only who may set it.
                    let address = address?;
                    let row = ContactRow::of(
                        &channel,
                        &party,
                        self.sealed(&channel, &party, &address),
                        now,
                    );
                    if !seen.insert((channel, party)) {
                        return Err(
                            Problem::invalid("party", "同一批次中不能重复", "each once").into()
                        );
                    }
                    Ok(row)
                },
            );
            outcome.push(match row {
                Ok(row) => {
                    rows.push(row);
                    None
                }
                Err(refused) => Some(refused.into()),
            });
        }
        Store::set_contact_points(&tx, &rows).await?;
        let answer = render(outcome);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Forgets where somebody can be reached. The caller was authorised before.
    pub(crate) async fn remove(
        &self,
        caller: &Caller,
        channel: &str,
        party: &Party,
    ) -> Result<(), Error> {
        let tx = self.base.store.database().begin().await?;
        kit::audit::act(&tx, caller);
        Store::remove_contact_point(&tx, channel, party).await?;
        Ok(tx.commit().await?)
    }

    /// Where somebody can be reached, by channel; what is left of a channel that the settings no longer
    /// have is not shown. The caller was authorised before.
    pub(crate) async fn list(&self, party: &Party) -> Result<Vec<ContactPoint>, Error> {
        let db = self.base.store.database().read();
        let mut found = Vec::new();
        // There are no more than channels that ever were.
        for row in Store::contact_points(db, party, 1000).await? {
            let Some(settings) = self.channels.settings(&row.channel) else {
                continue;
            };
            let address = address_of(&self.seal, &row)?;
            let address = Address::parse(settings.kind, &address, true);
            found.push(ContactPoint {
                party: party.clone(),
                masked: address.map(|address| address.masked()).unwrap_or_default(),
                row,
            });
        }
        Ok(found)
    }

    /// What somebody prefers. The caller was authorised before.
    pub(crate) async fn preferences(&self, party: &Party) -> Result<Preferences, Error> {
        Ok(Store::preferences(self.base.store.database().read(), party).await?)
    }

    /// Replaces what somebody prefers. The caller was authorised before.
    pub(crate) async fn prefer(
        &self,
        caller: &Caller,
        party: &Party,
        preferences: Preferences,
    ) -> Result<Preferences, Error> {
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        kit::audit::act(&tx, caller);
        Store::set_preferences(&tx, party, &preferences, now).await?;
        tx.commit().await?;
        Ok(Preferences {
            updated: Some(now),
            ..preferences
        })
    }
}
