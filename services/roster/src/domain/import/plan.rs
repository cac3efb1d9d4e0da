//! What a plan says: new, changed, unchanged, vanished; and the rule against mass vanishing.

use std::collections::BTreeMap;

/// A match key, such as the keyed hash of an identity number.
pub type Key = Vec<u8>;

/// What is known of one thing: the hash of its contents, and whether its removal is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The content hash.
    pub hash: [u8; 32],
    /// The row asks for removal.
    pub removal: bool,
}

/// What differs between the register and the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Not in the register.
    pub created: Vec<Key>,
    /// In the register with other contents.
    pub changed: Vec<Key>,
    /// In the register as they are.
    pub unchanged: u64,
    /// In the register and no longer in the source.
    pub vanished: Vec<Key>,
}

/// Compares the register of one source with its rows. This is the law that the database's
/// set-based plan obeys.
pub fn compare(
    register: &BTreeMap<Key, [u8; 32]>,
    rows: &BTreeMap<Key, Entry>,
    bulk: bool,
) -> Difference {
    let mut difference = Difference::default();
    for (key, entry) in rows {
        match (register.get(key), entry.removal) {
            (None, true) => {}
            (None, false) => difference.created.push(key.clone()),
            (Some(_), true) => difference.vanished.push(key.clone()),
            (Some(hash), false) if *hash == entry.hash => difference.unchanged += 1,
            (Some(_), false) => difference.changed.push(key.clone()),
        }
    }
    if bulk {
        difference.vanished.extend(
            register
                .keys()
                .filter(|key| !rows.contains_key(*key))
                .cloned(),
        );
        difference.vanished.sort_unstable();
    }
    difference
}

/// Whether `vanished` of `known` is more than the threshold lets go unasked.
pub fn too_many_vanish(vanished: u64, known: u64, threshold: f64) -> bool {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a city has far fewer than 2^52 people"
    )]
    let (vanished, known) = (vanished as f64, known as f64);
    vanished > 0.0 && vanished > known * threshold
}
