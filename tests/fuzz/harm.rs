//! What may befall the bytes of a message.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// `bytes` with one to three harms.
pub(super) fn harmed(mut bytes: Vec<u8>, chance: &mut ChaCha8Rng) -> Vec<u8> {
    for _ in 0..chance.random_range(1..=3) {
        let at = chance.random_range(0..=bytes.len());
        match chance.random_range(0..7) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, chance.random()),
            2 => bytes.splice(at..at, [0xff; 10]).for_each(drop),
            // Groups that nobody knows, within each other.
            3 => bytes.splice(at..at, [0x0b; 200]).for_each(drop),
            4 => bytes.extend_from_within(at..),
            5 if at < bytes.len() => drop(bytes.remove(at)),
            _ if at < bytes.len() => bytes[at] ^= 1_u8 << chance.random_range(0..8_u32),
            _ => {}
        }
    }
    bytes
}
