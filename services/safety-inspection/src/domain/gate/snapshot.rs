//! What a gate takes along to decide without a network.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest, Sha256};

use super::finding::Finding;
use super::policy::GatePolicy;
use crate::domain::opaque_code::keyed_hash;
use crate::domain::person::PersonName;

/// The people of one school and who of them must not enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The resource name.
    pub name: String,
    /// Everybody of the school, ordered.
    pub members: Vec<PersonName>,
    /// Who must not enter and why, ordered by person.
    pub blocked: Vec<(PersonName, Finding)>,
    /// The numbers in force.
    pub policy: GatePolicy,
    /// When it was made.
    pub create_time: DateTime<Utc>,
    /// When the facts were last confirmed.
    pub facts_time: Option<DateTime<Utc>>,
    /// By what members are known.
    pub credentials: Credentials,
}

/// By what members are known to a gate without a network: hashes of today's codes and of cards, of which
/// neither can be read out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The key of the city.
    pub key: [u8; 32],
    /// Random, of one snapshot.
    pub salt: [u8; 16],
    /// Each hash with the place of the member, ordered.
    pub hashes: Vec<([u8; 16], usize)>,
}

/// What stands for a code or card of which the snapshots of the city tell.
pub fn credential(key: &[u8; 32], shown: &str) -> [u8; 32] {
    keyed_hash(key, shown.as_bytes())
}

impl Credentials {
    /// Of credentials with the places of their members.
    pub fn of(
        key: [u8; 32],
        salt: [u8; 16],
        known: impl IntoIterator<Item = (usize, [u8; 32])>,
    ) -> Self {
        let hash = |(place, credential): (usize, [u8; 32])| {
            let mut head = [0; 16];
            head.copy_from_slice(&keyed_hash(&salt, &credential)[..16]);
            (head, place)
        };
        let mut hashes: Vec<_> = known.into_iter().map(hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        Self { key, salt, hashes }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Snapshot {
    /// From here on the gate is in manual mode; at once when the facts were never confirmed.
    pub fn expire_time(&self) -> DateTime<Utc> {
        self.facts_time
            .map_or(self.create_time, |time| time + self.policy.snapshot_max_age)
    }

    /// SHA-256 over the lines that the contract lists: what a signature signs.
    pub fn digest(&self) -> [u8; 32] {
        let policy = &self.policy;
        let colours: Vec<_> = policy
            .deny_colours
            .iter()
            .map(|c| c.number().to_string())
            .collect();
        let mut text = format!(
            "campus/gate-snapshot/v3\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{},{}\n{}\n{}\n{}\n{}\n{}\n{}\n",
            self.name,
            policy.version,
            policy.temperature_max,
            policy.recheck_wait_minutes(),
            policy.recheck_readings,
            colours.join(","),
            policy.travel_window_days,
            policy.temperature_plausible.0,
            policy.temperature_plausible.1,
            u8::from(policy.admit_travel_unknown),
            self.create_time.timestamp(),
            self.facts_time.map_or(0, |time| time.timestamp()),
            self.expire_time().timestamp(),
            hexadecimal(&self.credentials.key),
            hexadecimal(&self.credentials.salt),
        );
        for member in &self.members {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "+ {member}");
        }
        for (person, finding) in &self.blocked {
            let _ = writeln!(text, "- {person} {}", finding.number());
        }
        for (hash, place) in &self.credentials.hashes {
            let _ = writeln!(text, "* {} {place}", hexadecimal(hash));
        }
        Sha256::digest(text).into()
    }
}

/// The city's key for snapshots.
#[derive(Clone, Debug)]
pub struct SnapshotKey(SigningKey);

impl SnapshotKey {
    /// The key with this secret.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// Signs a digest; the same digest gives the same signature.
    pub fn sign(&self, digest: &[u8; 32]) -> [u8; 64] {
        self.0.sign(digest).to_bytes()
    }

    /// What gates verify with.
    pub fn public_key(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signature, VerifyingKey};
    use uuid::Uuid;

    use super::*;
    use crate::domain::person::PersonKind;

    fn snapshot() -> Snapshot {
        let person = |number| PersonName {
            kind: PersonKind::Student,
            id: Uuid::from_u128(number),
        };
        let at = |text: &str| text.parse().unwrap();
        Snapshot {
            name: "organizations/2135010001/gateSnapshot".to_owned(),
            members: vec![person(1), person(2)],
            blocked: vec![(person(2), Finding::Held)],
            policy: GatePolicy::default(),
            create_time: at("2022-04-06T00:10:00Z"),
            facts_time: Some(at("2022-04-06T00:00:00Z")),
            credentials: Credentials::of([1; 32], [2; 16], [(0, [3; 32]), (1, [4; 32])]),
        }
    }

    #[test]
    fn a_snapshot_expires_by_the_age_of_its_facts() {
        let fresh = snapshot();
        assert_eq!((fresh.expire_time() - fresh.create_time).num_minutes(), 20);
        let never = Snapshot {
            facts_time: None,
            ..snapshot()
        };
        assert_eq!(never.expire_time(), never.create_time);
    }

    #[test]
    fn the_signature_holds_for_this_snapshot_only() {
        let key = SnapshotKey::new(b"a secret for tests of thirty-two");
        let verifying = VerifyingKey::from_bytes(&key.public_key()).unwrap();
        let signature = Signature::from_bytes(&key.sign(&snapshot().digest()));
        let holds = |changed: &Snapshot| {
            let digest = changed.digest();
            verifying.verify_strict(&digest, &signature).is_ok()
        };
        assert!(holds(&snapshot()));
        let whole = snapshot();
        let changes: [fn(&mut Snapshot); 13] = [
            |s| s.blocked.clear(),
            |s| s.members.truncate(1),
            |s| s.facts_time = None,
            |s| s.policy.temperature_max += 1,
            |s| s.policy.recheck_wait += chrono::Duration::minutes(1),
            |s| s.policy.recheck_readings += 1,
            |s| s.name.push('0'),
            |s| s.create_time += chrono::Duration::seconds(1),
            |s| s.policy.temperature_plausible.1 += 1,
            |s| s.policy.admit_travel_unknown = true,
            |s| s.credentials.key[0] += 1,
            |s| s.credentials.salt[0] += 1,
            |s| s.credentials.hashes[0].1 += 1,
        ];
        for change in changes {
            let mut changed = whole.clone();
            change(&mut changed);
            assert!(!holds(&changed), "{changed:?}");
        }
    }
}
