//! The life of a sample tube: rule 2.22 as a machine whose moves consume the state.

use super::laboratory_result::Value;

/// Where a tube stands. The numbers are those of the contract and of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
#[expect(missing_docs, reason = "the contract says what each state means")]
pub enum State {
    Issued = 1,
    Open = 2,
    Sealed = 3,
    HandedOver = 4,
    LabReceived = 5,
    Testing = 6,
    Negative = 7,
    Suspect = 8,
    Positive = 9,
    Invalid = 10,
    Closed = 11,
    Voided = 12,
    Lost = 13,
    Rejected = 14,
    ResampleRequired = 15,
    HoldActive = 16,
    Recheck = 17,
    ResolvedNegative = 18,
    ResolvedPositive = 19,
}

/// What can be done to a tube.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the contract says what each verb means")]
pub enum Verb {
    Open,
    AddSwab,
    RemoveSwab,
    Seal,
    HandOver,
    Receive,
    StartTesting,
    Void,
    ReportLost,
    Reject,
    /// The laboratory's first result.
    Report(Value),
    /// Another result in place of the one in force.
    Correct(Value),
    /// Everybody gets a make-up task.
    Resample,
    /// Everybody is held.
    Hold,
    /// The first single tube was opened.
    Recheck,
    /// All singles were negative.
    ResolveNegative,
    /// Some singles were positive.
    ResolvePositive,
    Close,
    /// A human released everybody: nothing is waited for.
    CloseReleased,
}

/// The verb does not start from this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{verb:?} does not start from {from:?}")]
pub struct IllegalMove {
    /// Where the tube stands.
    pub from: State,
    /// What was asked.
    pub verb: Verb,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 19] = [
        Self::Issued,
        Self::Open,
        Self::Sealed,
        Self::HandedOver,
        Self::LabReceived,
        Self::Testing,
        Self::Negative,
        Self::Suspect,
        Self::Positive,
        Self::Invalid,
        Self::Closed,
        Self::Voided,
        Self::Lost,
        Self::Rejected,
        Self::ResampleRequired,
        Self::HoldActive,
        Self::Recheck,
        Self::ResolvedNegative,
        Self::ResolvedPositive,
    ];

    /// The number of this state.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The state with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Moves on.
    ///
    /// # Errors
    /// When the verb does not start from here.
    pub fn after(self, verb: Verb) -> Result<Self, IllegalMove> {
        use State as S;
        let to = match (verb, self) {
            (Verb::Open, S::Issued) => S::Open,
            (Verb::AddSwab | Verb::RemoveSwab, S::Open) => S::Open,
            (Verb::Seal, S::Open) => S::Sealed,
            (Verb::HandOver, S::Sealed) => S::HandedOver,
            (Verb::Receive, S::HandedOver) => S::LabReceived,
            (Verb::StartTesting, S::LabReceived) => S::Testing,
            (Verb::Void, S::Issued | S::Open) => S::Voided,
            (Verb::ReportLost, S::HandedOver) => S::Lost,
            (Verb::Reject, S::HandedOver | S::LabReceived) => S::Rejected,
            (Verb::Report(value), S::Testing) => of_value(value),
            (Verb::Correct(value), from) if from.has_result() => of_value(value),
            (Verb::Resample, S::Invalid | S::Lost | S::Rejected) => S::ResampleRequired,
            (Verb::Hold, S::Suspect | S::Positive) => S::HoldActive,
            (Verb::Recheck, S::HoldActive) => S::Recheck,
            (Verb::ResolveNegative, S::Recheck) => S::ResolvedNegative,
            (Verb::ResolvePositive, S::Recheck) => S::ResolvedPositive,
            (
                Verb::Close,
                S::Negative
                | S::Suspect
                | S::Positive
                | S::ResampleRequired
                | S::ResolvedNegative
                | S::ResolvedPositive,
            ) => S::Closed,
            (Verb::CloseReleased, S::HoldActive | S::Recheck) => S::Closed,
            (verb, from) => return Err(IllegalMove { from, verb }),
        };
        Ok(to)
    }

    /// Whether a result can be corrected here. A lost or rejected tube waits for its people too,
    /// so the caller must know that there is a result.
    fn has_result(self) -> bool {
        matches!(
            self,
            Self::Negative
                | Self::Suspect
                | Self::Positive
                | Self::ResampleRequired
                | Self::HoldActive
                | Self::Recheck
                | Self::ResolvedNegative
                | Self::ResolvedPositive
        )
    }
}

fn of_value(value: Value) -> State {
    match value {
        Value::Negative => State::Negative,
        Value::Suspect => State::Suspect,
        Value::Positive => State::Positive,
        Value::Invalid => State::Invalid,
    }
}

/// Whether a tube code can be one: 4 to 32 letters, digits and hyphens, and no resident id.
pub fn is_code(code: &str) -> bool {
    let digits = code.bytes().filter(u8::is_ascii_digit).count();
    let resident = code.len() == 18
        && digits >= 17
        && code.bytes().take(17).all(|byte| byte.is_ascii_digit())
        && matches!(&code[6..8], "18" | "19" | "20");
    (4..=32).contains(&code.len())
        && code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !resident
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_pair_of_state_and_verb_is_as_the_rule_says() {
        use State as S;
        let results = [
            Value::Negative,
            Value::Suspect,
            Value::Positive,
            Value::Invalid,
        ];
        let mut legal = vec![
            (S::Issued, Verb::Open, S::Open),
            (S::Open, Verb::AddSwab, S::Open),
            (S::Open, Verb::RemoveSwab, S::Open),
            (S::Open, Verb::Seal, S::Sealed),
            (S::Sealed, Verb::HandOver, S::HandedOver),
            (S::HandedOver, Verb::Receive, S::LabReceived),
            (S::LabReceived, Verb::StartTesting, S::Testing),
            (S::Issued, Verb::Void, S::Voided),
            (S::Open, Verb::Void, S::Voided),
            (S::HandedOver, Verb::ReportLost, S::Lost),
            (S::HandedOver, Verb::Reject, S::Rejected),
            (S::LabReceived, Verb::Reject, S::Rejected),
            (S::Invalid, Verb::Resample, S::ResampleRequired),
            (S::Lost, Verb::Resample, S::ResampleRequired),
            (S::Rejected, Verb::Resample, S::ResampleRequired),
            (S::Suspect, Verb::Hold, S::HoldActive),
            (S::Positive, Verb::Hold, S::HoldActive),
            (S::HoldActive, Verb::Recheck, S::Recheck),
            (S::Recheck, Verb::ResolveNegative, S::ResolvedNegative),
            (S::Recheck, Verb::ResolvePositive, S::ResolvedPositive),
            (S::HoldActive, Verb::CloseReleased, S::Closed),
            (S::Recheck, Verb::CloseReleased, S::Closed),
        ];
        for state in [
            S::Negative,
            S::Suspect,
            S::Positive,
            S::ResampleRequired,
            S::ResolvedNegative,
            S::ResolvedPositive,
        ] {
            legal.push((state, Verb::Close, S::Closed));
        }
        for value in results {
            legal.push((S::Testing, Verb::Report(value), of_value(value)));
            for state in [
                S::Negative,
                S::Suspect,
                S::Positive,
                S::ResampleRequired,
                S::HoldActive,
                S::Recheck,
                S::ResolvedNegative,
                S::ResolvedPositive,
            ] {
                legal.push((state, Verb::Correct(value), of_value(value)));
            }
        }
        let mut verbs = vec![
            Verb::Open,
            Verb::AddSwab,
            Verb::RemoveSwab,
            Verb::Seal,
            Verb::HandOver,
            Verb::Receive,
            Verb::StartTesting,
            Verb::Void,
            Verb::ReportLost,
            Verb::Reject,
            Verb::Resample,
            Verb::Hold,
            Verb::Recheck,
            Verb::ResolveNegative,
            Verb::ResolvePositive,
            Verb::Close,
            Verb::CloseReleased,
        ];
        verbs.extend(results.map(Verb::Report));
        verbs.extend(results.map(Verb::Correct));
        for from in S::ALL {
            for verb in &verbs {
                let expected = legal
                    .iter()
                    .find(|(state, one, _)| *state == from && one == verb);
                let expected = expected
                    .map(|(_, _, to)| *to)
                    .ok_or(IllegalMove { from, verb: *verb });
                assert_eq!(from.after(*verb), expected);
            }
        }
    }

    #[test]
    fn codes_of_states_are_distinct_and_read_back() {
        let codes: BTreeSet<i16> = S_ALL.iter().map(|state| state.code()).collect();
        assert_eq!(codes.len(), S_ALL.len());
        for state in S_ALL {
            assert_eq!(State::from_code(state.code()), Some(state));
        }
    }

    const S_ALL: [State; 19] = State::ALL;

    #[test]
    fn codes_are_opaque() {
        assert!(is_code("FZ-0001"));
        assert!(is_code("123456789012345678"));
        for bad in ["abc", "11010519491231002X", "管-0001", &"a".repeat(33)] {
            assert!(!is_code(bad), "{bad}");
        }
    }
}
