//! Finds what is not as it was written, from records and checkpoints alone.

use std::collections::BTreeMap;

use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};

use super::checkpoint::Checkpoint;
use super::record::{GENESIS, Record};

/// What is wrong. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// A record is not what was hashed.
    Changed = 1,
    /// This record is missing.
    Missing = 2,
    /// A record stands where another one stood.
    OutOfOrder = 3,
    /// A record does not follow from the one before it.
    ChainBroken = 4,
    /// The log ends before the last record that a checkpoint speaks of.
    Truncated = 5,
    /// The record is not the one that a checkpoint speaks of.
    CheckpointDiffers = 6,
    /// The signature of a checkpoint is not one of a key that is trusted.
    SignatureInvalid = 7,
    /// What is kept of the records before an anchor is not what was signed.
    KeptDiffers = 8,
}

/// What is wrong with a log, and the record at which it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {sequence}: {kind:?}")]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// The record at which it shows.
    pub sequence: i64,
}

impl FaultKind {
    fn at(self, sequence: i64) -> Fault {
        Fault {
            kind: self,
            sequence,
        }
    }
}

/// What was verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// How many records were recomputed.
    pub records: i64,
    /// With how many checkpoints they were compared.
    pub checkpoints: i64,
    /// The last record; 0 without one.
    pub last: i64,
}

/// A verification under way: records come in their order.
#[derive(Clone, Debug)]
pub struct Verification {
    service: String,
    checkpoints: BTreeMap<i64, Vec<Vec<u8>>>,
    anchor: Option<Checkpoint>,
    kept: Kept,
    /// The number and the predecessor's hash of the next record.
    next: (i64, Vec<u8>),
    verdict: Verdict,
}

#[derive(Clone, Debug)]
struct Kept {
    last: i64,
    count: i64,
    digest: Sha256,
}

impl Verification {
    /// Of the log of `service`, from its beginning or its anchor on, against `checkpoints` that must be
    /// signed by keys that are `trusted`.
    ///
    /// # Errors
    /// SIGNATURE_INVALID when one is not.
    pub fn new(
        service: &str,
        checkpoints: impl IntoIterator<Item = Checkpoint>,
        trusted: &[VerifyingKey],
    ) -> Result<Self, Fault> {
        let mut anchor: Option<Checkpoint> = None;
        let mut known: BTreeMap<i64, Vec<Vec<u8>>> = BTreeMap::new();
        for checkpoint in checkpoints {
            if !checkpoint.is_signed(service, trusted) {
                return Err(FaultKind::SignatureInvalid.at(checkpoint.sequence));
            }
            let hashes = known.entry(checkpoint.sequence).or_default();
            hashes.push(checkpoint.hash.clone());
            let newer = |known: &Checkpoint| {
                (checkpoint.sequence, checkpoint.time) > (known.sequence, known.time)
            };
            if checkpoint.is_anchor() && anchor.as_ref().is_none_or(newer) {
                anchor = Some(checkpoint);
            }
        }
        let next = match &anchor {
            Some(anchor) => (anchor.sequence + 1, anchor.hash.clone()),
            None => (1, GENESIS.to_vec()),
        };
        // What an anchor cut off cannot be compared any more.
        let known = known.split_off(&next.0);
        Ok(Self {
            service: service.to_owned(),
            checkpoints: known,
            anchor,
            kept: Kept {
                last: 0,
                count: 0,
                digest: Sha256::new(),
            },
            next,
            verdict: Verdict::default(),
        })
    }

    /// The first record after the anchor.
    pub fn begins(&self) -> i64 {
        self.anchor.as_ref().map_or(1, |anchor| anchor.sequence + 1)
    }

    /// Begins after the head of which `checkpoint` speaks, one of those that were given and are signed: what is
    /// before it is not looked at.
    pub fn begin_after(&mut self, checkpoint: &Checkpoint) {
        self.anchor = None;
        self.next = (checkpoint.sequence + 1, checkpoint.hash.clone());
        self.checkpoints = self.checkpoints.split_off(&self.next.0);
    }

    /// Goes on after the record `before`, which was verified already.
    pub fn resume(&mut self, before: &Record) {
        self.anchor = None;
        self.next = (before.sequence + 1, before.hash.clone());
        self.checkpoints = self.checkpoints.split_off(&self.next.0);
    }

    /// Verifies the next record.
    ///
    /// # Errors
    /// When something is wrong.
    pub fn push(&mut self, record: &Record) -> Result<(), Fault> {
        let at = record.sequence;
        if self
            .anchor
            .as_ref()
            .is_some_and(|anchor| at <= anchor.sequence)
        {
            return self.keep(record);
        }
        let (expected, previous) = &self.next;
        if at < *expected {
            return Err(FaultKind::OutOfOrder.at(at));
        }
        if at > *expected {
            return Err(FaultKind::Missing.at(*expected));
        }
        if record.digest(&self.service)[..] != record.hash[..] {
            return Err(FaultKind::Changed.at(at));
        }
        if record.previous_hash != *previous {
            return Err(FaultKind::ChainBroken.at(at));
        }
        if let Some(hashes) = self.checkpoints.remove(&at) {
            if hashes.iter().any(|hash| *hash != record.hash) {
                return Err(FaultKind::CheckpointDiffers.at(at));
            }
            self.verdict.checkpoints += 1;
        }
        self.next = (at + 1, record.hash.clone());
        self.verdict.records += 1;
        self.verdict.last = at;
        Ok(())
    }

    /// A record that an anchor left standing.
    fn keep(&mut self, record: &Record) -> Result<(), Fault> {
        let at = record.sequence;
        if at <= self.kept.last || self.verdict.last > 0 {
            return Err(FaultKind::OutOfOrder.at(at));
        }
        if record.digest(&self.service)[..] != record.hash[..] {
            return Err(FaultKind::Changed.at(at));
        }
        self.kept.last = at;
        self.kept.count += 1;
        self.kept.digest.update(&record.hash);
        self.verdict.records += 1;
        Ok(())
    }

    /// What was verified, when no more records are asked for: checkpoints further on are not compared.
    pub fn so_far(&self) -> Verdict {
        self.verdict
    }

    /// What was verified, at the end of the log.
    ///
    /// # Errors
    /// When the log ends too early, or what was kept is not what was signed.
    pub fn finish(mut self) -> Result<Verdict, Fault> {
        self.check_kept()?;
        if !self.checkpoints.is_empty() {
            return Err(FaultKind::Truncated.at(self.next.0));
        }
        if let Some(anchor) = &self.anchor {
            self.verdict.checkpoints += 1;
            self.verdict.last = self.verdict.last.max(anchor.sequence);
        }
        Ok(self.verdict)
    }

    fn check_kept(&self) -> Result<(), Fault> {
        let Some(anchor) = &self.anchor else {
            return Ok(());
        };
        let digest: [u8; 32] = self.kept.digest.clone().finalize().into();
        if anchor.kept_count == self.kept.count && anchor.kept_digest[..] == digest {
            return Ok(());
        }
        Err(FaultKind::KeptDiffers.at(anchor.sequence))
    }
}
