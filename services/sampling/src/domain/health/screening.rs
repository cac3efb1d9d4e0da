//! Which of several submissions of one check stands. The outcome is a function of the set of
//! submissions: neither their order nor their repetition matters.

use std::cmp::Reverse;

use sha2::{Digest, Sha256};

use super::check::Content;
use super::check_packing::short;

/// One submission, as far as it decides what stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    /// The identifier that the reporter's device gave it.
    pub client: [u8; 16],
    /// The same for the same submission.
    pub identity: [u8; 16],
    /// The same for the same content.
    pub content: [u8; 16],
    /// When it was taken, in milliseconds since 1970.
    pub capture: i64,
    /// It is a correction.
    pub correction: bool,
    /// When it arrived, in milliseconds since 1970.
    pub arrival: i64,
}

/// Corrections stand before originals; of originals the one taken first, of corrections the one
/// taken last; then the smaller identifier.
type Rank = (bool, i64, Reverse<[u8; 16]>);

impl Claim {
    fn rank(&self) -> Rank {
        let time = if self.correction {
            self.capture
        } else {
            self.capture.saturating_neg()
        };
        (self.correction, time, Reverse(self.client))
    }

    /// Whether this one stands and `other` does not.
    pub fn beats(&self, other: &Self) -> bool {
        self.rank() > other.rank()
    }
}

/// What a submission is told by: its content, when its device says that it was taken, and why it
/// corrects.
pub fn identity(content: &Content, capture: Option<i64>, correction: Option<&str>) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(content.pack());
    hash.update([u8::from(capture.is_some()), u8::from(correction.is_some())]);
    hash.update(capture.unwrap_or_default().to_le_bytes());
    hash.update(correction.unwrap_or_default());
    short(&hash.finalize())
}

/// What becomes of a submission. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Verdict {
    /// It stands.
    Stored = 1,
    /// It came before and stands.
    Repeated = 2,
    /// Another one stands.
    Superseded = 3,
}

/// A client's identifier came with another content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client's identifier was used for another content")]
pub struct ClientReused;

/// As often is one check submitted: each submission is compared with all before it.
pub const MOST_SUBMISSIONS: usize = 50;

/// Every submission of one check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// The one that stands.
    winner: Option<Claim>,
    /// The others, in the order of their arrival here.
    losers: Vec<Claim>,
}

impl Session {
    /// From what is stored.
    pub fn new(winner: Option<Claim>, losers: Vec<Claim>) -> Self {
        debug_assert!(winner.is_some() || losers.is_empty());
        Self { winner, losers }
    }

    /// Whether one more submission of this client has room: a repeat always, another one until there are
    /// [`MOST_SUBMISSIONS`].
    pub fn has_room(&self, client: &[u8; 16]) -> bool {
        let mut all = self.winner.iter().chain(&self.losers);
        self.len() < MOST_SUBMISSIONS || all.any(|claim| claim.client == *client)
    }

    /// Takes one submission; whether it is new, and whether it stands.
    ///
    /// # Errors
    /// When its client's identifier came with another content.
    pub fn offer(&mut self, claim: Claim) -> Result<(Verdict, bool), ClientReused> {
        let Some(winner) = self.winner else {
            self.winner = Some(claim);
            return Ok((Verdict::Stored, true));
        };
        let known = std::iter::once(&winner).chain(&self.losers);
        if let Some(known) = known.clone().find(|known| known.client == claim.client) {
            return if known.identity != claim.identity {
                Err(ClientReused)
            } else if known.client == winner.client {
                Ok((Verdict::Repeated, false))
            } else {
                Ok((Verdict::Superseded, false))
            };
        }
        if claim.beats(&winner) {
            self.losers.push(winner);
            self.winner = Some(claim);
            Ok((Verdict::Stored, true))
        } else {
            self.losers.push(claim);
            Ok((Verdict::Superseded, true))
        }
    }

    /// The submission that stands.
    pub fn winner(&self) -> Option<&Claim> {
        self.winner.as_ref()
    }

    /// When the first submission arrived; that of none is never.
    pub fn first_arrival(&self) -> i64 {
        let all = self.winner.iter().chain(&self.losers);
        all.map(|claim| claim.arrival).min().unwrap_or(i64::MAX)
    }

    /// How many submissions there are.
    pub fn len(&self) -> usize {
        self.losers.len() + usize::from(self.winner.is_some())
    }

    /// Whether nothing was submitted.
    pub fn is_empty(&self) -> bool {
        self.winner.is_none()
    }

    /// How many submissions contradict what stands: originals that say something else than the
    /// original that stands. A correction settles them.
    pub fn conflicts(&self) -> usize {
        let Some(winner) = self.winner.filter(|winner| !winner.correction) else {
            return 0;
        };
        let other = |claim: &&Claim| claim.content != winner.content;
        self.losers.iter().filter(other).count()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claim(client: u8, capture: i64, correction: bool) -> Claim {
        Claim {
            client: [client; 16],
            identity: [client; 16],
            content: [client % 3; 16],
            capture,
            correction,
            arrival: 1000 + i64::from(client),
        }
    }

    fn join(claims: &[Claim]) -> Session {
        let mut session = Session::default();
        for claim in claims {
            session.offer(*claim).unwrap();
        }
        session
    }

    #[test]
    fn the_earliest_original_stands_and_the_latest_correction_before_it() {
        let (first, second) = (claim(2, 10, false), claim(1, 20, false));
        let (mend, again) = (claim(3, 5, true), claim(4, 6, true));
        assert_eq!(join(&[second, first]).winner(), Some(&first));
        assert_eq!(join(&[first, mend, second]).winner(), Some(&mend));
        assert_eq!(join(&[again, first, mend]).winner(), Some(&again));
        let tie = claim(1, 10, false);
        assert_eq!(join(&[first, tie]).winner(), Some(&tie));
    }

    #[test]
    fn a_repeat_is_told_from_another_content() {
        let mut session = join(&[claim(1, 10, false), claim(2, 20, false)]);
        let before = session.clone();
        assert_eq!(
            session.offer(claim(1, 10, false)),
            Ok((Verdict::Repeated, false))
        );
        assert_eq!(
            session.offer(claim(2, 20, false)),
            Ok((Verdict::Superseded, false))
        );
        let other = Claim {
            identity: [9; 16],
            ..claim(2, 20, false)
        };
        assert_eq!(session.offer(other), Err(ClientReused));
        assert_eq!(session, before);
    }

    #[test]
    fn originals_that_differ_are_conflicts_until_a_correction() {
        let same = claim(4, 30, false);
        let mut session = join(&[claim(1, 10, false), claim(2, 20, false), same]);
        assert_eq!((session.conflicts(), session.len()), (1, 3));
        session.offer(claim(5, 1, true)).unwrap();
        assert_eq!((session.conflicts(), session.len()), (0, 4));
        assert_eq!(session.first_arrival(), 1001);
    }

    proptest! {
        #[test]
        fn neither_order_nor_repetition_matters(
            picks in prop::collection::vec((0_i64..6, any::<bool>()), 1..9),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..24),
        ) {
            let claims: Vec<Claim> = (0_u8..)
                .zip(&picks)
                .map(|(client, (capture, correction))| claim(client, *capture, *correction))
                .collect();
            let straight = join(&claims);
            let mut mixed: Vec<Claim> = order.iter().map(|index| *index.get(&claims)).collect();
            mixed.extend(claims.iter().rev());
            let mixed = join(&mixed);
            prop_assert_eq!(mixed.winner(), straight.winner());
            prop_assert_eq!(mixed.conflicts(), straight.conflicts());
            prop_assert_eq!(mixed.first_arrival(), straight.first_arrival());
            prop_assert_eq!(mixed.len(), claims.len());
        }
    }
}
