//! The life of a case: suspected, confirmed or ruled out, open or closed.

use super::disease::{Certainty, Severity};

/// What a case is about. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum Subject {
    /// One person.
    Person = 1,
    /// An event that concerns many.
    Event = 2,
}

/// How a case was found. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
#[expect(missing_docs, reason = "the contract says what each value means")]
pub enum Detection {
    Check = 1,
    Absence,
    Laboratory,
    Hospital,
    Cluster,
}

/// What kind of event it is. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
#[expect(missing_docs, reason = "the contract says what each value means")]
pub enum EventKind {
    UnexplainedIllness = 2,
    Other = 4,
}

/// How a case ended. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
#[expect(missing_docs, reason = "the contract says what each value means")]
pub enum Outcome {
    Recovered = 1,
    Died,
    Left,
    RuledOut,
    ResultCorrected,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] = [
        Self::Recovered,
        Self::Died,
        Self::Left,
        Self::RuledOut,
        Self::ResultCorrected,
    ];

    /// The number of this outcome.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The outcome with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == code)
    }

    /// Whether the illness was none.
    pub fn excludes(self) -> bool {
        matches!(self, Self::RuledOut | Self::ResultCorrected)
    }
}

/// What can happen to a case. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
#[expect(missing_docs, reason = "the contract says what each value means")]
pub enum Happening {
    Opened = 1,
    Confirmed,
    RuledOut,
    Severity,
    Closed,
    Reopened,
    ContactsAdded,
    ContactRemoved,
    Disease,
}

/// Where a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Standing {
    /// How sure it is; none once it was ruled out.
    pub certainty: Option<Certainty>,
    /// How grave it is.
    pub severity: Severity,
    /// How it ended; none while it is open.
    pub outcome: Option<Outcome>,
}

/// What can be done to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Disease control or a hospital confirms it.
    Confirm,
    /// It was none, as a human or a corrected result says.
    RuleOut(Outcome),
    /// It is as grave as this now.
    Grade(Severity),
    /// It is over.
    Close(Outcome),
    /// A laboratory reports anew.
    Reopen,
}

/// The verb does not start from where the case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{verb:?} does not start from {from:?}")]
pub struct IllegalMove {
    /// Where the case stands.
    pub from: Standing,
    /// What was asked.
    pub verb: Verb,
}

impl Standing {
    /// Whether the case is open.
    pub fn is_open(self) -> bool {
        self.outcome.is_none()
    }

    /// Moves on. An open case is confirmed once, graded until a death, and ruled out or closed with
    /// a matching outcome; a closed one only opens again, as suspected.
    ///
    /// # Errors
    /// When the verb does not start from here.
    pub fn after(self, verb: Verb) -> Result<Self, IllegalMove> {
        let open = self.is_open();
        let dead = self.severity == Severity::Dead;
        match verb {
            Verb::Confirm if open && self.certainty == Some(Certainty::Suspected) => Ok(Self {
                certainty: Some(Certainty::Confirmed),
                ..self
            }),
            Verb::RuleOut(outcome) if open && outcome.excludes() => Ok(Self {
                certainty: None,
                outcome: Some(outcome),
                ..self
            }),
            Verb::Grade(severity) if open && !dead && severity != self.severity => {
                Ok(Self { severity, ..self })
            }
            Verb::Close(outcome)
                if open && !outcome.excludes() && dead == (outcome == Outcome::Died) =>
            {
                Ok(Self {
                    outcome: Some(outcome),
                    ..self
                })
            }
            Verb::Reopen if !open => Ok(Self {
                certainty: Some(Certainty::Suspected),
                outcome: None,
                ..self
            }),
            verb => Err(IllegalMove { from: self, verb }),
        }
    }
}

/// What a laboratory's findings make of a case, whatever came before. `evidence` is the sum of the
/// versions of the positive and suspect results in force that speak of the person, 0 for none:
/// repeats do not change it, a later version that is positive again raises it.
///
/// A finding that is gone rules out only what a laboratory found and nobody confirmed: whoever
/// confirmed a case knew more than the swab (rule 2.22). A graver finding than the one that was
/// known when the case ended opens it again.
pub fn found(
    standing: Standing,
    by_laboratory: bool,
    known: i64,
    evidence: i64,
    others: i64,
) -> Option<Verb> {
    if standing.is_open() {
        let unconfirmed = standing.certainty == Some(Certainty::Suspected);
        let gone = evidence == 0 && others == 0 && by_laboratory && unconfirmed;
        return gone.then_some(Verb::RuleOut(Outcome::ResultCorrected));
    }
    let corrected = standing.outcome == Some(Outcome::ResultCorrected);
    let reopens = evidence > 0 && (corrected || evidence > known);
    reopens.then_some(Verb::Reopen)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEVERITIES: [Severity; 3] = [Severity::Mild, Severity::Hospitalised, Severity::Dead];

    fn verbs() -> Vec<Verb> {
        let mut verbs = vec![Verb::Confirm, Verb::Reopen];
        verbs.extend(SEVERITIES.map(Verb::Grade));
        verbs.extend(Outcome::ALL.map(Verb::Close));
        verbs.extend(Outcome::ALL.map(Verb::RuleOut));
        verbs
    }

    fn standings() -> Vec<Standing> {
        let mut all = Vec::new();
        for severity in SEVERITIES {
            for certainty in [Certainty::Suspected, Certainty::Confirmed] {
                for outcome in [None, Some(Outcome::Recovered), Some(Outcome::Died)] {
                    let certainty = Some(certainty);
                    all.push(Standing {
                        certainty,
                        severity,
                        outcome,
                    });
                }
            }
            for outcome in [Outcome::RuledOut, Outcome::ResultCorrected] {
                all.push(Standing {
                    certainty: None,
                    severity,
                    outcome: Some(outcome),
                });
            }
        }
        all
    }

    /// The whole table: every verb from every standing, told a second time in other words.
    #[test]
    fn every_move_that_is_not_listed_is_refused() {
        for from in standings() {
            let closed = from.outcome.is_some();
            let dead = from.severity == Severity::Dead;
            for verb in verbs() {
                let legal = match verb {
                    Verb::Reopen => closed,
                    _ if closed => false,
                    Verb::Confirm => from.certainty != Some(Certainty::Confirmed),
                    Verb::Grade(to) => !dead && to != from.severity,
                    Verb::Close(Outcome::Recovered | Outcome::Left) => !dead,
                    Verb::Close(Outcome::Died) => dead,
                    Verb::Close(Outcome::RuledOut | Outcome::ResultCorrected) => false,
                    Verb::RuleOut(outcome) => {
                        matches!(outcome, Outcome::RuledOut | Outcome::ResultCorrected)
                    }
                };
                assert_eq!(from.after(verb).is_ok(), legal, "{verb:?} from {from:?}");
            }
        }
    }

    #[test]
    fn a_corrected_result_rules_out_what_nobody_confirmed_and_a_new_one_opens_it_again() {
        let open = Standing {
            certainty: Some(Certainty::Suspected),
            severity: Severity::Mild,
            outcome: None,
        };
        let corrected = Verb::RuleOut(Outcome::ResultCorrected);
        assert_eq!(found(open, true, 1, 0, 0), Some(corrected));
        assert_eq!(
            found(open, true, 1, 0, 2),
            None,
            "another tube still says so"
        );
        assert_eq!(found(open, false, 1, 0, 0), None, "a hospital found it");
        let confirmed = open.after(Verb::Confirm).unwrap();
        assert_eq!(found(confirmed, true, 1, 0, 0), None);
        let gone = open.after(corrected).unwrap();
        assert_eq!(found(gone, true, 0, 3, 0), Some(Verb::Reopen));
        let by_hand = open.after(Verb::RuleOut(Outcome::RuledOut)).unwrap();
        assert_eq!(found(by_hand, true, 1, 1, 0), None, "a repeat");
        assert_eq!(found(by_hand, true, 1, 3, 0), Some(Verb::Reopen));
    }
}
