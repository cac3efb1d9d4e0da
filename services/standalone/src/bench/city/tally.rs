//! What became of the acts of each kind.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tonic::Status;
use tonic_types::StatusExt as _;

use super::kind::Kind;

/// An act that begins longer after it was due than this is late.
pub(super) const LATE: Duration = Duration::from_millis(100);
/// How many different reasons are told of one kind; the others are counted together.
const REASONS: usize = 16;

/// What became of an act that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// There was nothing to do: what it rests on was not there.
    Void,
}

/// The acts of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) begun: usize,
    pub(super) late: usize,
    pub(super) void: usize,
    /// How long those took that were done, from when they were due.
    pub(super) taken: Vec<Duration>,
    pub(super) refused: BTreeMap<String, usize>,
}

impl Tally {
    /// How many were refused, whatever the reason.
    pub(super) fn refusals(&self) -> usize {
        self.refused.values().sum()
    }

    /// How many began and never came to an end.
    pub(super) fn lost(&self) -> usize {
        let ended = self.taken.len() + self.void + self.refusals();
        self.begun.saturating_sub(ended)
    }
}

/// All acts, counted while they happen.
#[derive(Debug, Default)]
pub(super) struct Tallies([Mutex<Tally>; Kind::ALL.len()]);

impl Tallies {
    /// An act begins so long after it was due.
    pub(super) fn begin(&self, kind: Kind, behind: Duration) {
        let mut tally = self.of(kind);
        tally.begun += 1;
        tally.late += usize::from(behind > LATE);
    }

    /// It came to an end so long after it was due.
    pub(super) fn end(&self, kind: Kind, answer: anyhow::Result<Outcome>, taken: Duration) {
        let mut tally = self.of(kind);
        match answer {
            Ok(Outcome::Done) => tally.taken.push(taken),
            Ok(Outcome::Void) => tally.void += 1,
            Err(err) => {
                let mut why = reason(&err);
                if tally.refused.len() >= REASONS && !tally.refused.contains_key(&why) {
                    "OTHERS".clone_into(&mut why);
                }
                *tally.refused.entry(why).or_default() += 1;
            }
        }
    }

    /// What has been counted of each kind until now.
    pub(super) fn told(&self) -> Vec<(Kind, Tally)> {
        let told = Kind::ALL
            .into_iter()
            .map(|kind| (kind, self.of(kind).clone()));
        told.collect()
    }

    fn of(&self, kind: Kind) -> MutexGuard<'_, Tally> {
        let tally = &self.0[kind as usize];
        tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why an act was refused: the reason of the answer, or else its code, or what the client found wrong.
fn reason(err: &anyhow::Error) -> String {
    match err.downcast_ref::<Status>() {
        Some(status) => match status.get_details_error_info() {
            Some(info) => info.reason,
            None => format!("{:?}", status.code()),
        },
        None => err.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use kit::status::Problem;
    use proto::error::ErrorReason;

    use super::*;

    const TAKEN: Duration = Duration::from_millis(7);

    #[test]
    fn each_kind_has_its_place() {
        for (place, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(place, kind as usize, "{kind:?}");
        }
    }

    #[test]
    fn acts_are_counted_by_what_became_of_them() {
        let tallies = Tallies::default();
        for (behind, answer) in [
            (Duration::ZERO, Ok(Outcome::Done)),
            (LATE, Ok(Outcome::Void)),
            (LATE * 2, Err(Problem::new(ErrorReason::Overloaded))),
        ] {
            tallies.begin(Kind::Entry, behind);
            let answer = answer.map_err(|problem| Status::from(problem).into());
            tallies.end(Kind::Entry, answer, TAKEN);
        }
        tallies.begin(Kind::Entry, Duration::ZERO);
        let told = tallies.told();
        let (kind, entries) = told.first().unwrap();
        let expected = Tally {
            begun: 4,
            late: 1,
            void: 1,
            taken: vec![TAKEN],
            refused: [("OVERLOADED".to_owned(), 1)].into(),
        };
        assert_eq!((*kind, entries), (Kind::Entry, &expected));
        assert_eq!((entries.refusals(), entries.lost()), (1, 1));
        assert!(
            told[1..]
                .iter()
                .all(|(_, tally)| *tally == Tally::default())
        );
    }

    #[test]
    fn reasons_are_those_of_the_answer_and_not_without_end() {
        let tallies = Tallies::default();
        let status = Status::deadline_exceeded("late");
        tallies.end(Kind::Check, Err(status.into()), TAKEN);
        for number in 0..40 {
            tallies.end(Kind::Check, Err(anyhow!("wrong {number}")), TAKEN);
        }
        let (_, checks) = tallies.told().swap_remove(Kind::Check as usize);
        assert_eq!(checks.refusals(), 41);
        assert_eq!(checks.refused.len(), REASONS + 1);
        assert_eq!(checks.refused["DeadlineExceeded"], 1);
        assert_eq!(checks.refused["OTHERS"], 41 - REASONS);
    }
}
