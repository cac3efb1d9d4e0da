//! Recomputes one school's draw.

use proto::sampling::PublishedClassGroup;

use super::records::{Closing, to_group};
use crate::domain::commitment::{
    Frozen, Hasher, PublicKey, Replaced, SignatureBytes, closing as closing_bytes,
};
use crate::domain::cycle::DaySeed;
use crate::domain::draw::{Candidate, Picks, Terms, draw, needs_replacement, next_in_queue};
use crate::domain::roll::PersonId;

/// Everything that was stored or published of one school's draw.
#[derive(Clone, Debug)]
pub(crate) struct School {
    pub(crate) frozen: Frozen,
    pub(crate) signature: SignatureBytes,
    /// Ordered by identifier.
    pub(crate) groups: Vec<PublishedClassGroup>,
    /// Ordered by sequence.
    pub(crate) replacements: Vec<(Replaced, SignatureBytes)>,
}

/// What does not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// A record has parts that do not fit together.
    #[error("a class group is malformed")]
    Malformed,
    /// The signature of the draw is not valid.
    #[error("the signature of the draw is not valid")]
    DrawSignature,
    /// Class groups are missing, too many, or in another order.
    #[error("class groups are missing or out of order")]
    ClassGroups,
    /// The seed is not the one that was committed to.
    #[error("the seed is not the one committed to")]
    Seed,
    /// The rolls are not those that were signed.
    #[error("the roster hash does not agree")]
    Roster,
    /// The candidates are not those that were signed.
    #[error("the hash of the candidates does not agree")]
    Candidates,
    /// The picks are not those that were signed.
    #[error("the hash of the picks does not agree")]
    PicksHash,
    /// The draw, made again, picks others.
    #[error("the draw picks others")]
    Picks,
    /// A replacement is not the next in the queue, or not of somebody picked.
    #[error("a replacement is not the next in the queue")]
    Replacement,
    /// The signature of a replacement is not valid.
    #[error("the signature of a replacement is not valid")]
    ReplacementSignature,
    /// The signature of the closing is not valid.
    #[error("the signature of the closing is not valid")]
    ClosingSignature,
}

/// How much agreed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) groups: usize,
    pub(crate) candidates: usize,
    pub(crate) picks: usize,
}

impl School {
    /// Recomputes everything from the candidates and the seed.
    pub(crate) fn check(&self, seed: &DaySeed, key: &PublicKey) -> Result<Checked, Finding> {
        let frozen = &self.frozen;
        if !key.verify(&frozen.canonical(), &self.signature) {
            return Err(Finding::DrawSignature);
        }
        let in_order = self.groups.is_sorted_by(|one, other| one.id < other.id);
        if !in_order || self.groups.len() != frozen.group_count as usize {
            return Err(Finding::ClassGroups);
        }
        if seed.commitment() != frozen.seed_commitment {
            return Err(Finding::Seed);
        }
        let mut checked = Checked::default();
        let mut hasher = Hasher::default();
        for group in &self.groups {
            let (candidates, picks) = to_group(group).map_err(|_| Finding::Malformed)?;
            hasher.group(&group.id, group.roll_version, &candidates, &picks);
            if draw(&self.terms(), seed, &candidates) != picks {
                return Err(Finding::Picks);
            }
            self.check_replacements(&group.id, seed, &candidates, &picks)?;
            checked.groups += 1;
            checked.candidates += candidates.len();
            checked.picks += picks.places.len();
        }
        let hashes = hasher.finish();
        if hashes.roster != frozen.hashes.roster {
            return Err(Finding::Roster);
        }
        if hashes.candidates != frozen.hashes.candidates {
            return Err(Finding::Candidates);
        }
        if hashes.picks != frozen.hashes.picks {
            return Err(Finding::PicksHash);
        }
        self.check_chain(key)?;
        Ok(checked)
    }

    /// By what rule the groups were drawn.
    pub(crate) fn terms(&self) -> Terms<'_> {
        let Frozen {
            day,
            ratio,
            cycle_days,
            earlier_days,
            ..
        } = &self.frozen;
        Terms {
            day: *day,
            ratio: *ratio,
            cycle_days: *cycle_days,
            earlier_days,
        }
    }

    fn check_replacements(
        &self,
        group: &str,
        seed: &DaySeed,
        candidates: &[Candidate],
        picks: &Picks,
    ) -> Result<(), Finding> {
        let mut queue = Queue::new(picks);
        for (replaced, _) in self
            .replacements
            .iter()
            .filter(|(one, _)| one.group == group)
        {
            let passed_over = |person: PersonId| replaced.passed_over.contains(&person);
            let next = queue.replace(
                &self.terms(),
                seed,
                candidates,
                replaced.absent,
                passed_over,
            );
            let found = next.ok_or(Finding::Replacement)?;
            if found.replacement != replaced.replacement
                || found.passed_over != replaced.passed_over
            {
                return Err(Finding::Replacement);
            }
        }
        Ok(())
    }

    /// Each replacement is signed together with the signature before it.
    fn check_chain(&self, key: &PublicKey) -> Result<(), Finding> {
        let mut before = self.signature;
        for ((replaced, signature), sequence) in self.replacements.iter().zip(1..) {
            let of_this_draw = self.groups.iter().any(|group| group.id == replaced.group);
            if replaced.sequence != sequence || !of_this_draw {
                return Err(Finding::Replacement);
            }
            if !key.verify(&replaced.canonical(&before), signature) {
                return Err(Finding::ReplacementSignature);
            }
            before = *signature;
        }
        Ok(())
    }

    /// The last signature of the chain so far.
    pub(crate) fn last_signature(&self) -> &SignatureBytes {
        self.replacements
            .last()
            .map_or(&self.signature, |(_, signature)| signature)
    }

    /// Whether the closing belongs to this draw and its replacements.
    pub(crate) fn check_closing(&self, closing: &Closing, key: &PublicKey) -> Result<(), Finding> {
        let Closing {
            seed,
            replacements,
            time,
            signature,
        } = closing;
        let bytes = closing_bytes(seed, *replacements, *time, self.last_signature());
        let all_there = *replacements as usize == self.replacements.len();
        if all_there && key.verify(&bytes, signature) {
            Ok(())
        } else {
            Err(Finding::ClosingSignature)
        }
    }
}

/// The queue of one group while absent people are replaced.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    quota: usize,
    picked: usize,
    /// Places that are called or passed over.
    taken: Vec<u32>,
    /// Places that are called and neither absent nor passed over.
    called: Vec<u32>,
    absent: usize,
    replaced: usize,
}

/// Who takes a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) replacement: Option<PersonId>,
    pub(crate) passed_over: Vec<PersonId>,
}

impl Queue {
    pub(crate) fn new(picks: &Picks) -> Self {
        let taken = picks.places.clone();
        let (called, picked) = (taken.clone(), taken.len());
        Self {
            quota: picks.quota,
            picked,
            taken,
            called,
            absent: 0,
            replaced: 0,
        }
    }

    /// Replaces `absent` by the next in the queue who is not `passed_over`; none when `absent` is
    /// not called, or was replaced before.
    pub(crate) fn replace(
        &mut self,
        terms: &Terms<'_>,
        seed: &DaySeed,
        candidates: &[Candidate],
        absent: PersonId,
        passed_over: impl Fn(PersonId) -> bool,
    ) -> Option<Next> {
        let place = candidates
            .binary_search_by_key(&absent, |one| one.person)
            .ok()?;
        let called = self.called.iter().position(|one| *one as usize == place)?;
        self.called.swap_remove(called);
        self.absent += 1;
        let mut next = Next {
            replacement: None,
            passed_over: Vec::new(),
        };
        if !needs_replacement(self.quota, self.picked, self.absent, self.replaced) {
            return Some(next);
        }
        while let Some(place) = next_in_queue(terms, seed, candidates, &self.taken) {
            self.taken.push(place);
            let person = candidates[place as usize].person;
            if passed_over(person) {
                next.passed_over.push(person);
                continue;
            }
            self.called.push(place);
            self.replaced += 1;
            next.replacement = Some(person);
            break;
        }
        Some(next)
    }
}
