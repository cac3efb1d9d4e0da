//! What is known of one person's medical axis, and what each act makes of it (rules 1.13, 1.23,
//! 1.24).

use super::disease::Disease;
use super::medical::{IllegalMove, Medical, MedicalVerb};
use super::return_rule::{self, Course, Unmet};
use super::rules::HealthRules;
use crate::domain::day::Day;

/// The fewest normal readings that end an observation: one may be wrong (rule 3.3).
const READINGS: usize = 2;

/// Who speaks on an appeal (rule 1.13). The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the contract says who each is")]
pub enum Party {
    Principal = 1,
    Bureau = 2,
    DiseaseControl = 3,
}

/// What is decided on a return, by the school doctor or by one who speaks on an appeal. The numbers
/// are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
#[expect(missing_docs, reason = "the contract says what each means")]
pub enum Verdict {
    Admit = 1,
    Refuse = 2,
}

impl Verdict {
    /// The number of a verdict, 0 for none.
    pub fn code(verdict: Option<Self>) -> i16 {
        verdict.map_or(0, |verdict| verdict as i16)
    }

    /// The verdict with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::Admit, Self::Refuse]
            .into_iter()
            .find(|verdict| *verdict as i16 == code)
    }
}

/// The appeal against a refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appeal {
    /// Somebody appealed against the last refusal.
    pub made: bool,
    /// What the principal, the bureau and disease control say.
    pub opinions: [Option<Verdict>; 3],
}

impl Appeal {
    /// What came of it: once all three have spoken, what two of them at least say (rule 1.13).
    pub fn decided(&self) -> Option<Verdict> {
        let spoken = self.opinions.iter().flatten();
        if spoken.clone().count() < self.opinions.len() {
            return None;
        }
        let admit = spoken.filter(|verdict| **verdict == Verdict::Admit).count();
        Some(if admit * 2 > self.opinions.len() {
            Verdict::Admit
        } else {
            Verdict::Refuse
        })
    }
}

/// The medical axis of one person. Times are milliseconds since 1970, 0 for none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Where the person stands.
    pub state: Medical,
    /// Since when.
    pub since: i64,
    /// When the person was last cleared.
    pub cleared: i64,
    /// The room of the observation.
    pub room: String,
    /// When the observation began.
    pub observed: i64,
    /// When the guardian was told.
    pub notified: i64,
    /// How many readings were normal when the observation ended.
    pub readings: i16,
    /// The illness.
    pub course: Course,
    /// No return before this by the school doctor's decision.
    pub doctor_until: i64,
    /// The earliest return by rule and doctor.
    pub until: i64,
    /// What was shown for the return: numbers of the contract.
    pub evidence: Vec<i16>,
    /// The SHA-256 of the hospital's paper.
    pub proof: String,
    /// What the school doctor decided last.
    pub review: Option<Verdict>,
    /// The appeal against it.
    pub appeal: Appeal,
    /// The number of the certificate of return.
    pub certificate: String,
    /// When it was issued.
    pub certified: i64,
    /// The text that the return rule comes from by which the exclusion is judged; empty without one.
    pub source: String,
    /// The identifier of the case that alone excludes; empty once the school doctor confirms the
    /// illness, and for who is not excluded by a case.
    pub case: String,
}

/// What is done about somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Takes into observation in a room; whether the guardian was told.
    Observe(String, bool),
    /// Lets go with these readings, in tenths of a degree Celsius, and whether there are no symptoms.
    Release(Vec<i16>, bool),
    /// Sends to a hospital; whether the guardian was told.
    Refer(bool),
    /// Nothing infectious was found.
    RuleOut,
    /// This was confirmed; the recovery in it is ignored.
    Confirm(Course),
    /// Well since then.
    Recover(i64),
    /// Asks for the return with evidence and the hash of the hospital's paper.
    RequestReturn(Vec<i16>, String),
    /// The school doctor's decision; a refusal may say until when.
    Review(Verdict, i64),
    /// Appeals.
    Appeal,
    /// An opinion on the appeal.
    Opine(Party, Verdict),
    /// The case with this identifier was confirmed.
    ExcludeByCase(String, Course),
    /// The case with this identifier was ruled out.
    LiftCase(String),
}

/// Why an act is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not start from the person's state.
    Move(IllegalMove),
    /// Rule 1.23 is not met.
    TooEarly(Unmet),
    /// There is nothing to appeal against, or no appeal.
    Appeal,
    /// The readings are not normal, or there are symptoms.
    NotNormal,
    /// Nobody recovers before the illness began.
    BeforeOnset,
}

impl From<IllegalMove> for Refusal {
    fn from(err: IllegalMove) -> Self {
        Self::Move(err)
    }
}

impl Health {
    /// Whether the gate lets the person in, as far as this axis says.
    pub fn is_admitted(&self) -> bool {
        self.state == Medical::Normal
    }

    /// Does an act at `now`, milliseconds since 1970, under the rules in force; `certificate` is the
    /// number that a certificate gets if one is issued. Returns the moves made, in their order, for
    /// the history.
    ///
    /// # Errors
    /// Why it is refused; nothing is changed then.
    pub fn act(
        &mut self,
        act: &Act,
        rules: &HealthRules,
        certificate: &str,
        now: i64,
    ) -> Result<Vec<MedicalVerb>, Refusal> {
        use MedicalVerb as V;
        let mut next = self.clone();
        let mut moves = Vec::new();
        match act {
            Act::Observe(room, told) => {
                next.go(V::Observe, now, &mut moves)?;
                next.room.clone_from(room);
                next.observed = now;
                next.tell(*told, now);
            }
            Act::Release(readings, no_symptoms) => {
                next.go(V::ReleaseObservation, now, &mut moves)?;
                let normal = |reading: &i16| (rules.plausible.0..rules.fever).contains(reading);
                if readings.len() < READINGS || !no_symptoms || !readings.iter().all(normal) {
                    return Err(Refusal::NotNormal);
                }
                next.clear(now);
                next.readings = i16::try_from(readings.len()).unwrap_or(i16::MAX);
            }
            Act::Refer(told) => {
                next.go(V::Refer, now, &mut moves)?;
                next.tell(*told, now);
            }
            Act::RuleOut => next.go(V::RuleOut, now, &mut moves)?,
            Act::Confirm(course) => {
                next.go(V::Confirm, now, &mut moves)?;
                let recovery = next.course.recovery;
                next.course = Course {
                    recovery,
                    ..course.clone()
                };
                if next.course.is_before_onset(recovery) {
                    next.course.recovery = 0;
                }
                next.case.clear();
            }
            Act::Recover(since) => {
                next.go(V::Recover, now, &mut moves)?;
                if next.course.is_before_onset(*since) {
                    return Err(Refusal::BeforeOnset);
                }
                next.course.recovery = *since;
            }
            Act::RequestReturn(evidence, proof) => {
                next.go(V::RequestReturn, now, &mut moves)?;
                self.may_return(evidence, proof, rules, now)?;
                next.evidence.clone_from(evidence);
                next.proof.clone_from(proof);
                (next.review, next.appeal) = (None, Appeal::default());
            }
            Act::Review(verdict, until) => {
                next.go(V::BeginReview, now, &mut moves)?;
                next.decide(*verdict, certificate, now, &mut moves)?;
                if *verdict == Verdict::Refuse {
                    next.doctor_until = *until;
                }
                next.review = Some(*verdict);
            }
            Act::Appeal => {
                next.go(V::Appeal, now, &mut moves)?;
                if next.review != Some(Verdict::Refuse) || next.appeal.made {
                    return Err(Refusal::Appeal);
                }
                next.appeal.made = true;
            }
            Act::Opine(party, verdict) => {
                let open = next.appeal.made && next.state == Medical::DoctorReview;
                if !open {
                    return Err(Refusal::Appeal);
                }
                next.go(V::Opine, self.since, &mut moves)?;
                next.appeal.opinions[*party as usize - 1] = Some(*verdict);
                if let Some(verdict) = next.appeal.decided() {
                    next.decide(verdict, certificate, now, &mut moves)?;
                }
            }
            // Whoever is kept away for the same disease already stays so, by what is known of it.
            Act::ExcludeByCase(_, course) if self.course.disease == course.disease => {}
            Act::ExcludeByCase(case, course) => {
                next.go(V::ExcludeByCase, now, &mut moves)?;
                // What the school doctor confirmed is not given free with the case.
                if self.course.disease.is_none() || !self.case.is_empty() {
                    next.case.clone_from(case);
                }
                next.course = course.clone();
                (next.evidence, next.proof) = (Vec::new(), String::new());
                (next.review, next.appeal) = (None, Appeal::default());
            }
            Act::LiftCase(case) if case.is_empty() || self.case != *case => {}
            Act::LiftCase(_) => next.lift(now, &mut moves)?,
        }
        next.until = next.earliest(rules);
        if next.state == Medical::Excluded {
            let rule = next.rule(rules);
            next.source = rule.map_or_else(String::new, |rule| rule.source.clone());
        }
        *self = next;
        Ok(moves)
    }

    /// Moves by itself, as [`super::medical::by_itself`] says.
    ///
    /// # Errors
    /// When the verb does not start from the state.
    pub fn move_by_itself(&mut self, verb: MedicalVerb, now: i64) -> Result<(), IllegalMove> {
        self.state = self.state.after(verb)?;
        self.since = now;
        self.source.clear();
        Ok(())
    }

    /// Somebody was seen with symptoms at `seen`, milliseconds since 1970: whoever was well before is
    /// not, and what is counted from the recovery waits for the next one (rule 1.23). Returns whether
    /// that changed anything.
    pub fn relapse(&mut self, seen: i64, rules: &HealthRules) -> bool {
        if self.course.recovery == 0 || seen <= self.course.recovery {
            return false;
        }
        self.course.recovery = 0;
        self.until = self.earliest(rules);
        true
    }

    fn go(
        &mut self,
        verb: MedicalVerb,
        now: i64,
        moves: &mut Vec<MedicalVerb>,
    ) -> Result<(), IllegalMove> {
        self.state = self.state.after(verb)?;
        self.since = now;
        moves.push(verb);
        Ok(())
    }

    fn tell(&mut self, told: bool, now: i64) {
        if told && self.notified == 0 {
            self.notified = now;
        }
    }

    fn decide(
        &mut self,
        verdict: Verdict,
        certificate: &str,
        now: i64,
        moves: &mut Vec<MedicalVerb>,
    ) -> Result<(), IllegalMove> {
        match verdict {
            Verdict::Admit => {
                self.go(MedicalVerb::Admit, now, moves)?;
                self.clear(now);
                certificate.clone_into(&mut self.certificate);
                self.certified = now;
            }
            Verdict::Refuse => self.go(MedicalVerb::ExcludeAgain, now, moves)?,
        }
        Ok(())
    }

    /// Gives free whom a case alone excluded: what was known before the case holds again.
    fn lift(&mut self, now: i64, moves: &mut Vec<MedicalVerb>) -> Result<(), IllegalMove> {
        let verb = if self.observed == 0 {
            MedicalVerb::LiftCase
        } else {
            MedicalVerb::ResumeObservation
        };
        self.go(verb, now, moves)?;
        *self = Self {
            state: self.state,
            since: now,
            cleared: self.cleared,
            room: std::mem::take(&mut self.room),
            observed: self.observed,
            notified: self.notified,
            certificate: std::mem::take(&mut self.certificate),
            certified: self.certified,
            ..Self::default()
        };
        Ok(())
    }

    /// Forgets the illness that is over; what was decided on the return is kept.
    fn clear(&mut self, now: i64) {
        *self = Self {
            state: self.state,
            since: now,
            cleared: now,
            review: self.review,
            appeal: self.appeal,
            certificate: std::mem::take(&mut self.certificate),
            certified: self.certified,
            source: std::mem::take(&mut self.source),
            ..Self::default()
        };
    }

    /// Whether a return may be asked for: of who is excluded, the return rule is met (rule 1.23);
    /// of everybody, the paper of a hospital is shown unless that rule waives it (rule 1.13).
    fn may_return(
        &self,
        evidence: &[i16],
        proof: &str,
        rules: &HealthRules,
        now: i64,
    ) -> Result<(), Refusal> {
        let rule = self.rule(rules);
        let is_excluded = self.state == Medical::Excluded;
        let mut unmet = None;
        if is_excluded {
            unmet = return_rule::check(rule, &self.course, evidence, now).err();
        }
        let nothing = || Unmet {
            earliest: None,
            missing: Vec::new(),
            source: self.source.clone(),
        };
        let waived = rule.is_some_and(|rule| rule.hospital_proof_waived);
        let proven = !proof.is_empty() || evidence.contains(&return_rule::HOSPITAL_CERTIFICATE);
        if !waived && !proven {
            let missing = &mut unmet.get_or_insert_with(nothing).missing;
            if !missing.contains(&return_rule::HOSPITAL_CERTIFICATE) {
                missing.push(return_rule::HOSPITAL_CERTIFICATE);
            }
        }
        if is_excluded && now < self.doctor_until {
            let unmet = unmet.get_or_insert_with(nothing);
            unmet.source.clone_from(&self.source);
            unmet.earliest = Some(unmet.earliest.unwrap_or(0).max(self.doctor_until));
        }
        unmet.map_or(Ok(()), |unmet| Err(Refusal::TooEarly(unmet)))
    }

    fn rule<'a>(&self, rules: &'a HealthRules) -> Option<&'a super::rules::Return> {
        let disease: Disease = self.course.disease?;
        rules.returns.iter().find(|rule| rule.disease == disease)
    }

    /// The earliest return by rule and doctor, 0 while it is not known.
    fn earliest(&self, rules: &HealthRules) -> i64 {
        if self.state != Medical::Excluded {
            return self.until;
        }
        let rule = self.rule(rules);
        let earliest = rule.and_then(|rule| return_rule::earliest(rule, &self.course));
        earliest.unwrap_or(0).max(self.doctor_until)
    }
}

/// The evidence as bits, one for each number of the contract.
pub fn evidence_bits(evidence: &[i16]) -> i32 {
    evidence
        .iter()
        .filter(|number| (1..31).contains(*number))
        .fold(0, |bits, number| bits | 1 << number)
}

/// The evidence behind bits, in the order of the contract.
pub fn evidence_of(bits: i32) -> Vec<i16> {
    (1..31).filter(|number| bits >> number & 1 == 1).collect()
}

/// Whether the days of an illness can be: none after today or more than 60 days ago, the first day
/// known.
pub fn is_plausible(course: &Course, today: Day) -> bool {
    let within = |day: Day| day <= today && return_rule::earliest_onset(today) <= day;
    let others = [course.rash, course.treatment];
    within(course.onset) && others.iter().all(|day| day.is_never() || within(*day))
}

#[cfg(test)]
#[path = "person_tests.rs"]
mod tests;
