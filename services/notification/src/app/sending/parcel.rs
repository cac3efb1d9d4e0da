//! What leaves together: one message to one recipient, or several that were gathered.

use chrono::{DateTime, Duration, Utc};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::channels::Outgoing;
use crate::domain::delivery::Key;
use crate::domain::message::Urgency;
use crate::domain::party::Party;
use crate::domain::preferences::Preferences;
use crate::domain::text::Text;
use crate::store::contacts::ContactRow;
use crate::store::deliveries::Due;

/// What leaves together.
#[derive(Debug)]
pub(super) struct Parcel {
    /// The deliveries in it.
    pub(super) keys: Vec<Key>,
    /// The number of this attempt, 1 the first.
    pub(super) attempt: u32,
    /// Where it goes; none for a channel without addresses.
    pub(super) contact: Option<ContactRow>,
    pub(super) outgoing: Outgoing,
}

impl Parcel {
    /// Packs deliveries for one recipient, at least one, with their words. What was gathered has the key
    /// that it got then, whatever is left of it.
    pub(super) fn pack(
        packed: Vec<(Due, Text)>,
        preferences: &Preferences,
        contact: Option<ContactRow>,
        address: Zeroizing<String>,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let (first, _) = packed.first()?;
        let (category, exercise) = (first.message.category, first.message.exercise);
        let mut urgency = Urgency::Ordinary;
        let gathered = first.parcel.clone();
        let (mut keys, mut texts, mut attempts) = (vec![], vec![], 0);
        for (due, text) in packed {
            urgency = urgency.max(due.message.urgency);
            attempts = attempts.max(due.attempts);
            keys.push(due.key);
            texts.push(text);
        }
        let text = Text::gathered(texts, preferences.language);
        let text = match exercise {
            true => text.exercise(preferences.language),
            false => text,
        };
        let outgoing = Outgoing {
            id: gathered.unwrap_or_else(|| id(&keys)),
            address,
            title: text.title,
            body: text.body,
            category,
            urgency,
            exercise,
            document: None,
            at: now,
        };
        Some(Self {
            keys,
            attempt: u32::try_from(attempts).unwrap_or(0) + 1,
            contact,
            outgoing,
        })
    }

    /// Packs a document by itself.
    pub(super) fn of_document(due: Due, document: Vec<u8>, now: DateTime<Utc>) -> Self {
        let keys = vec![due.key];
        let outgoing = Outgoing {
            id: id(&keys),
            address: Zeroizing::default(),
            title: String::new(),
            body: String::new(),
            category: due.message.category,
            urgency: due.message.urgency,
            exercise: due.message.exercise,
            document: Some(document),
            at: now,
        };
        Self {
            keys,
            attempt: u32::try_from(due.attempts).unwrap_or(0) + 1,
            contact: None,
            outgoing,
        }
    }
}

/// The same each time the same deliveries leave: their message and key, or a hash of several.
pub(super) fn id(keys: &[Key]) -> String {
    let one = |key: &Key| format!("{}~{}", key.message.hyphenated(), key.id());
    match keys {
        [key] => one(key),
        _ => {
            let mut ids: Vec<String> = keys.iter().map(one).collect();
            ids.sort_unstable();
            format!("digest~{}", hex::encode(Sha256::digest(ids.join("\n"))))
        }
    }
}

/// By how much somebody's messages leave later than those of others that wait for the same minute.
pub(super) fn spread(party: &Party) -> Duration {
    let hash = Sha256::digest(party.name());
    let number = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    Duration::milliseconds(i64::from(number % 60_000))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn key(message: u128) -> Key {
        Key {
            message: Uuid::from_u128(message),
            recipient: Party::Staff(Uuid::from_u128(7)),
            channel: "sms".to_owned(),
        }
    }

    #[test]
    fn the_same_deliveries_have_the_same_id_in_any_order() {
        assert_eq!(id(&[key(1), key(2)]), id(&[key(2), key(1)]));
        assert_ne!(id(&[key(1), key(2)]), id(&[key(1), key(3)]));
        let one = id(&[key(1)]);
        assert!(one.starts_with("00000000-0000-0000-0000-000000000001~sms~staff~"));
        assert!(id(&[key(1), key(2)]).len() <= 200 && one.len() <= 200);
    }
}
