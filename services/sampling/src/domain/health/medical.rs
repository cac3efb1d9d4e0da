//! The medical axis of a person: its states and every move between them (rule 1.24).

/// Where somebody stands. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(i16)]
#[expect(missing_docs, reason = "the contract says what each state means")]
pub enum Medical {
    #[default]
    Normal = 1,
    Symptomatic = 2,
    InTempObservation = 3,
    Referred = 4,
    RuledOut = 5,
    Excluded = 6,
    ReturnPending = 7,
    DoctorReview = 8,
}

/// What moves somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MedicalVerb {
    /// Symptoms are seen.
    FallIll,
    /// What was seen is taken back.
    GetWell,
    /// Taken into observation.
    Observe,
    /// Let go from observation.
    ReleaseObservation,
    /// Sent to a hospital.
    Refer,
    /// The hospital found nothing infectious.
    RuleOut,
    /// The hospital confirmed a disease, or corrected which.
    Confirm,
    /// Temperature normal, symptoms gone.
    Recover,
    /// A return is asked for.
    RequestReturn,
    /// The school doctor looks into it.
    BeginReview,
    /// Let in again.
    Admit,
    /// Kept away again.
    ExcludeAgain,
    /// The refusal is appealed against.
    Appeal,
    /// One of three gives an opinion on the appeal.
    Opine,
    /// A case of the person is confirmed.
    ExcludeByCase,
    /// The case that excluded was ruled out.
    LiftCase,
    /// The same of somebody whose observation it had broken off.
    ResumeObservation,
}

/// The verb does not start from this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not from {0:?}")]
pub struct IllegalMove(pub Medical);

impl Medical {
    /// Every state, in the order of the contract.
    pub const ALL: [Self; 8] = [
        Self::Normal,
        Self::Symptomatic,
        Self::InTempObservation,
        Self::Referred,
        Self::RuledOut,
        Self::Excluded,
        Self::ReturnPending,
        Self::DoctorReview,
    ];

    /// The number of this state.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The state with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Where the verb leads (rule 1.24). Beyond the letter of the rule:
    ///
    /// - observation begins without a check, too: a gate's thermometer leads there (rule 3.3);
    /// - observation ends well when repeated readings are normal (rule 3.3);
    /// - who is ill at home is referred without observation at school;
    /// - a confirmed disease leads to exclusion at once, and is corrected while it lasts;
    /// - a refused return is looked into again after an appeal (rule 1.13);
    /// - a confirmed case excludes from every state, and gives the person free when it is ruled out,
    ///   or back to the observation that it had broken off.
    ///
    /// # Errors
    /// When the verb does not start from here.
    pub fn after(self, verb: MedicalVerb) -> Result<Self, IllegalMove> {
        use MedicalVerb as V;
        Ok(match (self, verb) {
            (Self::Normal, V::FallIll) => Self::Symptomatic,
            (Self::Symptomatic, V::GetWell)
            | (Self::InTempObservation, V::ReleaseObservation)
            | (Self::DoctorReview, V::Admit)
            | (Self::Excluded | Self::ReturnPending | Self::DoctorReview, V::LiftCase) => {
                Self::Normal
            }
            (Self::Normal | Self::Symptomatic, V::Observe)
            | (Self::Excluded | Self::ReturnPending | Self::DoctorReview, V::ResumeObservation) => {
                Self::InTempObservation
            }
            (Self::Symptomatic | Self::InTempObservation, V::Refer) => Self::Referred,
            (Self::Referred, V::RuleOut) => Self::RuledOut,
            (_, V::ExcludeByCase)
            | (Self::Referred | Self::Excluded, V::Confirm)
            | (Self::Excluded, V::Recover)
            | (Self::DoctorReview, V::ExcludeAgain) => Self::Excluded,
            (Self::RuledOut | Self::Excluded, V::RequestReturn) => Self::ReturnPending,
            (Self::ReturnPending, V::BeginReview)
            | (Self::Excluded, V::Appeal)
            | (Self::DoctorReview, V::Opine) => Self::DoctorReview,
            _ => return Err(IllegalMove(self)),
        })
    }
}

impl MedicalVerb {
    /// Every verb.
    pub const ALL: [Self; 17] = [
        Self::FallIll,
        Self::GetWell,
        Self::Observe,
        Self::ReleaseObservation,
        Self::Refer,
        Self::RuleOut,
        Self::Confirm,
        Self::Recover,
        Self::RequestReturn,
        Self::BeginReview,
        Self::Admit,
        Self::ExcludeAgain,
        Self::Appeal,
        Self::Opine,
        Self::ExcludeByCase,
        Self::LiftCase,
        Self::ResumeObservation,
    ];

    /// The name of this verb in the history.
    pub fn name(self) -> &'static str {
        match self {
            Self::FallIll => "FALL_ILL",
            Self::GetWell => "GET_WELL",
            Self::Observe => "OBSERVE",
            Self::ReleaseObservation => "RELEASE_OBSERVATION",
            Self::Refer => "REFER",
            Self::RuleOut => "RULE_OUT",
            Self::Confirm => "CONFIRM",
            Self::Recover => "RECOVER",
            Self::RequestReturn => "REQUEST_RETURN",
            Self::BeginReview => "BEGIN_REVIEW",
            Self::Admit => "ADMIT",
            Self::ExcludeAgain => "EXCLUDE_AGAIN",
            Self::Appeal => "APPEAL",
            Self::Opine => "OPINE",
            Self::ExcludeByCase => "EXCLUDE_BY_CASE",
            Self::LiftCase => "LIFT_CASE",
            Self::ResumeObservation => "RESUME_OBSERVATION",
        }
    }

    /// The rule of the field behind it.
    pub fn rule(self) -> &'static str {
        match self {
            Self::Observe | Self::ReleaseObservation => "3.3",
            Self::Confirm | Self::Recover | Self::RequestReturn | Self::ExcludeByCase => "1.23",
            Self::BeginReview | Self::Admit | Self::ExcludeAgain | Self::Appeal | Self::Opine => {
                "1.13"
            }
            Self::FallIll
            | Self::GetWell
            | Self::Refer
            | Self::RuleOut
            | Self::LiftCase
            | Self::ResumeObservation => "1.24",
        }
    }
}

/// What moves somebody by itself, if anything does: whoever is normal or symptomatic is symptomatic
/// exactly while a sign of illness stands that was seen after the last clearing. `ill` is the time of
/// the latest such sign, 0 for none, and `cleared` that of the last clearing, in milliseconds. What
/// a human did is not undone by signs.
pub fn by_itself(state: Medical, cleared: i64, ill: i64) -> Option<MedicalVerb> {
    match state {
        Medical::Normal if ill > cleared => Some(MedicalVerb::FallIll),
        Medical::Symptomatic if ill <= cleared => Some(MedicalVerb::GetWell),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_illegal_move_is_refused() {
        use Medical as S;
        use MedicalVerb as V;
        let legal = [
            (S::Normal, V::FallIll, S::Symptomatic),
            (S::Normal, V::Observe, S::InTempObservation),
            (S::Symptomatic, V::GetWell, S::Normal),
            (S::Symptomatic, V::Observe, S::InTempObservation),
            (S::Symptomatic, V::Refer, S::Referred),
            (S::InTempObservation, V::ReleaseObservation, S::Normal),
            (S::InTempObservation, V::Refer, S::Referred),
            (S::Referred, V::RuleOut, S::RuledOut),
            (S::Referred, V::Confirm, S::Excluded),
            (S::RuledOut, V::RequestReturn, S::ReturnPending),
            (S::Excluded, V::Confirm, S::Excluded),
            (S::Excluded, V::Recover, S::Excluded),
            (S::Excluded, V::RequestReturn, S::ReturnPending),
            (S::Excluded, V::Appeal, S::DoctorReview),
            (S::ReturnPending, V::BeginReview, S::DoctorReview),
            (S::DoctorReview, V::Opine, S::DoctorReview),
            (S::DoctorReview, V::Admit, S::Normal),
            (S::DoctorReview, V::ExcludeAgain, S::Excluded),
            (S::Excluded, V::LiftCase, S::Normal),
            (S::ReturnPending, V::LiftCase, S::Normal),
            (S::DoctorReview, V::LiftCase, S::Normal),
            (S::Excluded, V::ResumeObservation, S::InTempObservation),
            (S::ReturnPending, V::ResumeObservation, S::InTempObservation),
            (S::DoctorReview, V::ResumeObservation, S::InTempObservation),
        ];
        for from in S::ALL {
            for verb in V::ALL {
                let to = legal
                    .iter()
                    .find(|(state, one, _)| (*state, *one) == (from, verb))
                    .map(|(_, _, to)| *to)
                    .or((verb == V::ExcludeByCase).then_some(S::Excluded));
                assert_eq!(from.after(verb).ok(), to, "{from:?} {verb:?}");
            }
        }
    }

    #[test]
    fn signs_move_only_whom_no_human_moved() {
        for state in Medical::ALL {
            for (cleared, ill) in [(0, 0), (0, 1), (1, 1), (2, 1)] {
                let verb = by_itself(state, cleared, ill);
                match (state, ill > cleared) {
                    (Medical::Normal, true) => assert_eq!(verb, Some(MedicalVerb::FallIll)),
                    (Medical::Symptomatic, false) => assert_eq!(verb, Some(MedicalVerb::GetWell)),
                    _ => assert_eq!(verb, None),
                }
                if let Some(verb) = verb {
                    let after = state.after(verb).expect("what moves by itself may move");
                    assert_eq!(by_itself(after, cleared, ill), None, "it moves once");
                }
            }
        }
    }
}
