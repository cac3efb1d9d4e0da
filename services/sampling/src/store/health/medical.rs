//! The medical axis: one row a person, and its history.

use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr};

use crate::domain::day::Day;
use crate::domain::health::disease::Disease;
use crate::domain::health::medical::Medical;
use crate::domain::health::person::{Appeal, Health, Verdict, evidence_bits, evidence_of};
use crate::domain::health::return_rule::Course;
use crate::domain::roll::Malformed;
use crate::store::rolls::corrupt;
use crate::store::tubes::below;
use kit::rows::{Row, row};

row! {
    /// One person's medical axis. Times are milliseconds since 1970, days numbers of
    /// `domain::day`; 0 for none. Other numbers are those of the contract.
    MedicalRow in "medical_states" by ["person"] {
        /// Who.
        person: Vec<u8>,
        /// Student (1) or staff (2).
        kind: i16,
        /// The place of the person's group.
        org_path: String,
        /// Where the person stands.
        state: i16,
        /// Since when.
        since: i64,
        /// When last cleared.
        cleared: i64,
        /// The room of the observation.
        room: String,
        /// When it began.
        observed: i64,
        /// When the guardian was told.
        notified: i64,
        /// How many readings were normal.
        readings: i16,
        /// The confirmed disease.
        disease: i16,
        /// The first day of the illness.
        onset: i32,
        /// The first day of the rash.
        rash: i32,
        /// The first day of treatment.
        treatment: i32,
        /// Since when well.
        recovery: i64,
        /// With pneumonia.
        complicated: bool,
        /// No return before this, by the doctor.
        doctor_until: i64,
        /// The earliest return.
        until: i64,
        /// The evidence's bits.
        evidence: i32,
        /// The SHA-256 of the hospital's paper.
        proof: String,
        /// The doctor's last decision.
        review: i16,
        /// Somebody appealed.
        appealed: bool,
        /// The principal's opinion.
        principal: i16,
        /// The bureau's.
        bureau: i16,
        /// Disease control's.
        disease_control: i16,
        /// The certificate's number.
        certificate: String,
        /// When it was issued.
        certified: i64,
        /// The policy.
        policy_version: String,
        /// How many lines the history has.
        version: i64,
        /// The text of the return rule by which the exclusion is judged.
        return_source: String,
        /// The case that alone excludes.
        case_id: String,
    }
}

row! {
    /// One line of a person's medical history; never changed.
    HealthEventRow in "health_events" by ["person", "sequence"] {
        /// Who.
        person: Vec<u8>,
        /// 1, 2, …
        sequence: i64,
        /// When.
        time: i64,
        /// What was done.
        verb: String,
        /// Where the person stood after it.
        state: i16,
        /// Who did it.
        actor: String,
        /// Why.
        note: String,
        /// The rule.
        rule: String,
        /// The policy.
        policy_version: String,
    }
}

impl MedicalRow {
    /// The state.
    ///
    /// # Errors
    /// When the row is corrupt.
    pub fn stands(&self) -> Result<Medical, DbErr> {
        Medical::from_code(self.state).ok_or_else(|| corrupt(Malformed))
    }

    /// What is known of the person.
    ///
    /// # Errors
    /// When the row is corrupt.
    pub fn health(&self) -> Result<Health, DbErr> {
        let day = |number: i32| Day::from_number(u16::try_from(number).unwrap_or_default());
        Ok(Health {
            state: self.stands()?,
            since: self.since,
            cleared: self.cleared,
            room: self.room.clone(),
            observed: self.observed,
            notified: self.notified,
            readings: self.readings,
            course: Course {
                disease: (self.disease != 0).then_some(Disease(self.disease)),
                onset: day(self.onset),
                rash: day(self.rash),
                treatment: day(self.treatment),
                recovery: self.recovery,
                complicated: self.complicated,
            },
            doctor_until: self.doctor_until,
            until: self.until,
            evidence: evidence_of(self.evidence),
            proof: self.proof.clone(),
            review: Verdict::from_code(self.review),
            appeal: Appeal {
                made: self.appealed,
                opinions: [self.principal, self.bureau, self.disease_control]
                    .map(Verdict::from_code),
            },
            certificate: self.certificate.clone(),
            certified: self.certified,
            source: self.return_source.clone(),
            case: self.case_id.clone(),
        })
    }

    /// Takes over what is known now.
    pub fn take(&mut self, health: Health) {
        let Health {
            state,
            since,
            cleared,
            room,
            observed,
            notified,
            readings,
            course,
            doctor_until,
            until,
            evidence,
            proof,
            review,
            appeal,
            certificate,
            certified,
            source,
            case,
        } = health;
        let [principal, bureau, disease_control] = appeal.opinions.map(Verdict::code);
        *self = Self {
            person: std::mem::take(&mut self.person),
            kind: self.kind,
            org_path: std::mem::take(&mut self.org_path),
            state: state.code(),
            since,
            cleared,
            room,
            observed,
            notified,
            readings,
            disease: course.disease.map_or(0, |disease| disease.0),
            onset: i32::from(course.onset.number()),
            rash: i32::from(course.rash.number()),
            treatment: i32::from(course.treatment.number()),
            recovery: course.recovery,
            complicated: course.complicated,
            doctor_until,
            until,
            evidence: evidence_bits(&evidence),
            proof,
            review: Verdict::code(review),
            appealed: appeal.made,
            principal,
            bureau,
            disease_control,
            certificate,
            certified,
            policy_version: std::mem::take(&mut self.policy_version),
            version: self.version,
            return_source: source,
            case_id: case,
        };
    }
}

/// Those at or below a place who are not normal, by person after `after`; in one state only, if
/// asked.
///
/// # Errors
/// When the database fails.
pub async fn list<C: ConnectionTrait + Sync>(
    connection: &C,
    place: &OrgPath,
    state: Option<i16>,
    after: Vec<u8>,
    limit: u64,
) -> Result<Vec<MedicalRow>, DbErr> {
    let mut wheres = "state <> 1 AND (org_path = $1 OR (org_path >= $2 AND org_path < $3)) \
        AND person > $4"
        .to_owned();
    let mut values = below(place).to_vec();
    values.push(after.into());
    if let Some(state) = state {
        values.push(state.into());
        wheres.push_str(" AND state = $5");
    }
    MedicalRow::page(connection, &wheres, values, limit).await
}

/// The history of a person after a line.
///
/// # Errors
/// When the database fails.
pub async fn events<C: ConnectionTrait + Sync>(
    connection: &C,
    person: &[u8],
    after: i64,
    limit: u64,
) -> Result<Vec<HealthEventRow>, DbErr> {
    let values = vec![person.to_vec().into(), after.into()];
    HealthEventRow::page(connection, "person = $1 AND sequence > $2", values, limit).await
}
