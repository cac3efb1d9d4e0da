//! What freezes a draw: hashes over everything that decided it, and signatures in a chain.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::cycle::DaySeed;
use super::day::Day;
use super::draw::{Candidate, Picks};
use super::quota::Ratio;
use super::roll::PersonId;

/// A SHA-256.
pub type Hash = [u8; 32];

/// An Ed25519 signature.
pub type SignatureBytes = [u8; 64];

/// Bytes that can be read in one way only: every text and list goes after its length.
#[derive(Debug)]
struct Canonical(Vec<u8>);

impl Canonical {
    fn new(domain: &str) -> Self {
        Self(Vec::with_capacity(256)).text(domain)
    }

    fn number(mut self, number: impl Into<u64>) -> Self {
        self.0.extend(number.into().to_be_bytes());
        self
    }

    fn bytes(self, bytes: &[u8]) -> Self {
        let mut whole = self.number(bytes.len() as u64);
        whole.0.extend(bytes);
        whole
    }

    fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    fn hash(self) -> Hash {
        Sha256::digest(&self.0).into()
    }
}

/// The three hashes of a draw, made of those of its groups in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashes {
    /// Over roll versions and people.
    pub roster: Hash,
    /// Over what decided about each candidate.
    pub candidates: Hash,
    /// Over quotas and picks.
    pub picks: Hash,
}

/// Adds up the groups of one draw.
#[derive(Clone, Debug)]
pub struct Hasher {
    roster: Sha256,
    candidates: Sha256,
    picks: Sha256,
}

impl Default for Hasher {
    fn default() -> Self {
        let begin = |domain: &str| Sha256::new_with_prefix(domain.as_bytes());
        Self {
            roster: begin("campus/roster/v1\0"),
            candidates: begin("campus/candidates/v1\0"),
            picks: begin("campus/picks/v1\0"),
        }
    }
}

impl Hasher {
    /// Adds one group.
    pub fn group(&mut self, id: &str, roll_version: u64, candidates: &[Candidate], picks: &Picks) {
        let mut people = Canonical::new(id)
            .number(roll_version)
            .number(candidates.len() as u64)
            .0;
        let mut facts = Canonical::new(id).number(candidates.len() as u64).0;
        people.reserve(candidates.len() * 16);
        facts.reserve(candidates.len() * 7);
        for candidate in candidates {
            let Candidate {
                person,
                standing,
                last,
                waiting_since,
                missed,
                every_days,
            } = candidate;
            people.extend(person.0);
            facts.push(standing.code());
            facts.extend(last.number().to_be_bytes());
            facts.extend(waiting_since.number().to_be_bytes());
            facts.push(u8::from(*missed));
            facts.push(*every_days);
        }
        let mut chosen = Canonical::new(id)
            .number(picks.eligible as u64)
            .number(picks.quota as u64)
            .number(picks.places.len() as u64);
        for place in &picks.places {
            chosen = chosen.number(*place);
        }
        self.roster.update(people);
        self.candidates.update(facts);
        self.picks.update(chosen.0);
    }

    /// The hashes over all groups added.
    pub fn finish(self) -> Hashes {
        Hashes {
            roster: self.roster.finalize().into(),
            candidates: self.candidates.finalize().into(),
            picks: self.picks.finalize().into(),
        }
    }
}

/// Everything that a draw's signature covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// The plan's identifier.
    pub plan: String,
    /// The day drawn.
    pub day: Day,
    /// The school's place in the tree.
    pub org_path: String,
    /// The version of the policy in force.
    pub policy_version: String,
    /// The share of the eligible.
    pub ratio: Ratio,
    /// Everybody once in as many draws.
    pub cycle_days: u8,
    /// When the school was drawn before.
    pub earlier_days: Vec<Day>,
    /// How many groups there are.
    pub group_count: u32,
    /// The commitment to the seed.
    pub seed_commitment: Hash,
    /// The hashes over the groups.
    pub hashes: Hashes,
}

impl Frozen {
    /// The bytes that are signed.
    pub fn canonical(&self) -> Vec<u8> {
        let Self {
            plan,
            day,
            org_path,
            policy_version,
            ratio,
            cycle_days,
            earlier_days,
            group_count,
            seed_commitment,
            hashes,
        } = self;
        let mut bytes = Canonical::new("campus/draw/v1")
            .text(plan)
            .number(day.number())
            .text(org_path)
            .text(policy_version)
            .number(ratio.basis_points())
            .number(*cycle_days)
            .number(earlier_days.len() as u64);
        for earlier in earlier_days {
            bytes = bytes.number(earlier.number());
        }
        let Hashes {
            roster,
            candidates,
            picks,
        } = hashes;
        bytes
            .number(*group_count)
            .bytes(roster)
            .bytes(seed_commitment)
            .bytes(candidates)
            .bytes(picks)
            .0
    }
}

/// One place given to the next in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// 1 for the first of the draw.
    pub sequence: u32,
    /// The group's identifier.
    pub group: String,
    /// Who was absent.
    pub absent: PersonId,
    /// Who took the place; none when nobody was left.
    pub replacement: Option<PersonId>,
    /// Who stood before them and was not eligible any more.
    pub passed_over: Vec<PersonId>,
    /// Seconds since 1970 UTC.
    pub time: i64,
}

impl Replaced {
    /// The bytes that are signed, after the signature `before`.
    pub fn canonical(&self, before: &SignatureBytes) -> Vec<u8> {
        let Self {
            sequence,
            group,
            absent,
            replacement,
            passed_over,
            time,
        } = self;
        let mut bytes = Canonical::new("campus/replacement/v1")
            .bytes(before)
            .number(*sequence)
            .text(group)
            .bytes(&absent.0)
            .bytes(replacement.as_ref().map_or(&[][..], |person| &person.0))
            .number(passed_over.len() as u64);
        for person in passed_over {
            bytes = bytes.bytes(&person.0);
        }
        bytes.number(time.cast_unsigned()).0
    }
}

/// The bytes that are signed when a draw is closed, after the signature `before`.
pub fn closing(seed: &DaySeed, replacements: u32, time: i64, before: &SignatureBytes) -> Vec<u8> {
    Canonical::new("campus/closing/v1")
        .bytes(before)
        .bytes(&seed.0)
        .number(replacements)
        .number(time.cast_unsigned())
        .0
}

/// The bytes that are signed at the end of a publication.
pub fn seal(draws: u32, digest: &Hash) -> Vec<u8> {
    Canonical::new("campus/seal/v1")
        .number(draws)
        .bytes(digest)
        .0
}

/// The city's key for draws.
#[derive(Debug)]
pub struct Signer {
    key: SigningKey,
}

impl Signer {
    /// The key with this secret.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self {
            key: SigningKey::from_bytes(secret),
        }
    }

    /// Signs canonical bytes; the same bytes give the same signature.
    pub fn sign(&self, canonical: &[u8]) -> SignatureBytes {
        self.key.sign(canonical).to_bytes()
    }

    /// What others verify with.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.key.verifying_key())
    }
}

/// The key that verifies draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// The bytes are no Ed25519 public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an ed25519 public key")]
pub struct InvalidKey;

impl PublicKey {
    /// From its 32 bytes.
    ///
    /// # Errors
    /// When they are no point of the curve, or one of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, InvalidKey> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| InvalidKey)?;
        if key.is_weak() {
            Err(InvalidKey)
        } else {
            Ok(Self(key))
        }
    }

    /// Its 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Names the key without showing it.
    pub fn id(&self) -> String {
        let hash: Hash = Canonical::new("campus/key/v1")
            .bytes(&self.to_bytes())
            .hash();
        hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether the holder of the secret signed these bytes. There is one valid signature for each.
    pub fn verify(&self, canonical: &[u8], signature: &SignatureBytes) -> bool {
        self.0
            .verify_strict(canonical, &Signature::from_bytes(signature))
            .is_ok()
    }
}
