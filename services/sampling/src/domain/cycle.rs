//! Seeds: drawn by chance once a cycle, derived for each school and day, revealed day by day.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::day::Day;
use super::roll::PersonId;

/// The secret of one cycle of one plan.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CycleSeed(pub [u8; 32]);

impl std::fmt::Debug for CycleSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CycleSeed(..)")
    }
}

impl CycleSeed {
    /// The seed of one school and day. It tells nothing of other days or schools, so it can be
    /// revealed while they are still secret.
    pub fn of_day(&self, plan: &str, day: Day, school: &str) -> DaySeed {
        let mut mac = keyed(&self.0);
        mac.update(b"campus/day/v1\0");
        mac.update(plan.as_bytes());
        mac.update(b"\0");
        mac.update(&day.number().to_be_bytes());
        mac.update(school.as_bytes());
        DaySeed(mac.finalize().into_bytes().into())
    }
}

/// The secret of one draw until it is closed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DaySeed(pub [u8; 32]);

impl std::fmt::Debug for DaySeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DaySeed(..)")
    }
}

impl DaySeed {
    /// Binds the draw to this seed without giving it away.
    pub fn commitment(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"campus/seed/v1\0");
        hash.update(self.0);
        hash.finalize().into()
    }

    /// What breaks ties between people.
    pub fn lots(&self) -> Lots {
        Lots(keyed(&self.0))
    }
}

/// Draws a lot for a person: the same seed and person give the same lot.
#[derive(Clone)]
pub struct Lots(Hmac<Sha256>);

impl std::fmt::Debug for Lots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lots(..)")
    }
}

impl Lots {
    /// HMAC-SHA256(seed, person).
    pub fn of(&self, person: PersonId) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(&person.0);
        mac.finalize().into_bytes().into()
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}
