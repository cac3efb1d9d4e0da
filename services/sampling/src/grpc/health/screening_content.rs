//! What a check says, read field by field.

use std::collections::BTreeSet;

use kit::field::Fields;
use proto::roster::{Disease, Symptom as WireSymptom};
use proto::sampling::check_finding::{OnsetPlace, SevereSign};
use proto::sampling::{AbsenceReason, CheckAbsence, CheckFinding, CheckReading, CheckSubmission};

use super::super::convert;
use crate::domain::day::Day;
use crate::domain::health::check::{Content, Counts, Finding};
use crate::domain::health::return_rule::earliest_onset;
use crate::domain::health::symptom::{Symptom, Symptoms};
use crate::domain::roll::{GroupKind, PersonId};

/// The most people on a roll.
const MOST: i32 = 10_000;
/// Any temperature of which a device could tell, in tenths of a degree Celsius; the policy says which
/// are believed.
const TENTHS: std::ops::RangeInclusive<i32> = 1..=1000;

/// What kind of people were named so far.
#[derive(Debug, Default)]
pub(super) struct Kinds(pub(super) Option<GroupKind>);

impl Kinds {
    /// Reads somebody, who is of the same kind as everybody before and was not named in `seen`.
    fn person(
        &mut self,
        fields: &mut Fields,
        field: &str,
        name: &str,
        seen: &mut BTreeSet<PersonId>,
    ) -> Option<PersonId> {
        let person = convert::person(fields, field, name)?;
        let kind = if name.starts_with("staff/") {
            GroupKind::Staff
        } else {
            GroupKind::Students
        };
        if *self.0.get_or_insert(kind) != kind {
            fields.violation(
                field,
                "学生与教职工不能同列",
                "students and staff in one check",
            );
        }
        if !seen.insert(person) {
            fields.violation(field, "重复列出", "listed twice");
        }
        Some(person)
    }
}

/// Reads what a check says.
pub(super) fn content(
    fields: &mut Fields,
    check: &CheckSubmission,
    day: Day,
    kinds: &mut Kinds,
) -> Content {
    let counts = counts(fields, check);
    let mut seen = BTreeSet::new();
    let mut findings = Vec::with_capacity(check.findings.len());
    for (place, wire) in check.findings.iter().enumerate() {
        let field = format!("check.findings[{place}]");
        let person = kinds.person(fields, &format!("{field}.person"), &wire.person, &mut seen);
        let finding = finding(fields, &field, wire, day);
        findings.extend(person.map(|person| Finding { person, ..finding }));
    }
    seen.clear();
    let mut readings = Vec::with_capacity(check.readings.len());
    for (place, wire) in check.readings.iter().enumerate() {
        let CheckReading {
            person,
            temperature_tenths,
        } = wire;
        let field = format!("check.readings[{place}]");
        let person = kinds.person(fields, &format!("{field}.person"), person, &mut seen);
        let field = format!("{field}.temperature_tenths");
        let temperature = fields.within(&field, *temperature_tenths, TENTHS);
        readings.extend(person.zip(i16::try_from(temperature).ok()));
    }
    seen.clear();
    let mut absences = Vec::with_capacity(check.absences.len());
    for (place, wire) in check.absences.iter().enumerate() {
        let CheckAbsence { person, reason } = wire;
        let field = format!("check.absences[{place}]");
        let person = kinds.person(fields, &format!("{field}.person"), person, &mut seen);
        let reason: Option<AbsenceReason> = fields.enumeration(&format!("{field}.reason"), *reason);
        let code = reason.and_then(|reason| i16::try_from(reason as i32).ok());
        absences.extend(person.zip(code));
    }
    Content {
        counts,
        findings,
        readings,
        absences,
        public_event: check.public_health_event,
        group_illness: check.unexplained_group_illness,
    }
}

/// Heads that agree with each other and with the lists.
fn counts(fields: &mut Fields, check: &CheckSubmission) -> Counts {
    let roll = fields.within("check.roll_count", check.roll_count, 1..=MOST);
    let present = fields.within("check.present_count", check.present_count, 0..=MOST);
    let absent = fields.within("check.absent_count", check.absent_count, 0..=MOST);
    let ill = fields.within("check.ill_absent_count", check.ill_absent_count, 0..=MOST);
    let illness = i32::from(AbsenceReason::Illness);
    let of_illness = check.absences.iter().filter(|one| one.reason == illness);
    let fits =
        |length: usize, count: i32| i32::try_from(length).is_ok_and(|length| length <= count);
    let disagreements = [
        (
            i64::from(roll) == i64::from(present) + i64::from(absent),
            "check.roll_count",
            "应等于实到与缺勤人数之和",
            "must be present_count and absent_count together",
        ),
        (
            ill <= absent,
            "check.ill_absent_count",
            "不能多于缺勤人数",
            "must not exceed absent_count",
        ),
        (
            fits(check.findings.len(), roll),
            "check.findings",
            "不能多于应到人数",
            "must not be longer than roll_count",
        ),
        (
            fits(check.readings.len(), roll),
            "check.readings",
            "不能多于应到人数",
            "must not be longer than roll_count",
        ),
        (
            fits(check.absences.len(), absent),
            "check.absences",
            "不能多于缺勤人数",
            "must not be longer than absent_count",
        ),
        (
            fits(of_illness.count(), ill),
            "check.absences",
            "因病缺勤者不能多于因病缺勤人数",
            "must not name more ill people than ill_absent_count",
        ),
    ];
    for (holds, field, chinese, english) in disagreements {
        if !holds {
            fields.violation(field, chinese, english);
        }
    }
    let small = |count: i32| u16::try_from(count).unwrap_or_default();
    Counts {
        roll: small(roll),
        present: small(present),
        absent: small(absent),
        ill_absent: small(ill),
    }
}

/// Somebody with symptoms; who is not read here.
fn finding(fields: &mut Fields, field: &str, wire: &CheckFinding, day: Day) -> Finding {
    let CheckFinding {
        person: _,
        symptoms,
        other_symptom,
        temperature_tenths,
        onset_date,
        onset_place,
        seen_doctor,
        preliminary_disease,
        severe_signs,
    } = wire;
    let mut seen = Symptoms::NONE;
    for (place, code) in symptoms.iter().enumerate() {
        let field = format!("{field}.symptoms[{place}]");
        let symptom: Option<WireSymptom> = fields.enumeration(&field, *code);
        let symptom = symptom.and_then(|symptom| Symptom::from_code(symptom as i32));
        seen = symptom.map_or(seen, |symptom| seen.with(symptom));
    }
    let text = format!("{field}.other_symptom");
    fields.text(&text, other_symptom, 50);
    if seen.has(Symptom::Other) == other_symptom.trim().is_empty() {
        fields.violation(
            text,
            "选“其他”时填写，否则留空",
            "goes with OTHER, and only with it",
        );
    }
    let mut temperature = 0;
    if *temperature_tenths != 0 {
        let field = format!("{field}.temperature_tenths");
        let tenths = fields.within(&field, *temperature_tenths, TENTHS);
        temperature = i16::try_from(tenths).unwrap_or_default();
    }
    let date = format!("{field}.onset_date");
    let onset = convert::optional_date(fields, &date, *onset_date).map(Day::from);
    if onset.is_some_and(|onset| onset > day || onset < earliest_onset(day)) {
        let (chinese, english) = (
            "应在检查日及此前 60 天内",
            "within the 60 days before the check",
        );
        fields.violation(date, chinese, english);
    }
    let place = OnsetPlace::try_from(*onset_place);
    if place.is_err() {
        let field = format!("{field}.onset_place");
        fields.violation(field, "请选择有效的选项", "not a known value");
    }
    let disease = if *preliminary_disease == 0 {
        None
    } else {
        let field = format!("{field}.preliminary_disease");
        fields.enumeration::<Disease>(&field, *preliminary_disease)
    };
    let mut severe = 0;
    for (place, code) in severe_signs.iter().enumerate() {
        let field = format!("{field}.severe_signs[{place}]");
        let sign: Option<SevereSign> = fields.enumeration(&field, *code);
        severe |= sign.map_or(0, |sign| 1 << sign as u8);
    }
    Finding {
        person: PersonId([0; 16]),
        symptoms: seen,
        other: other_symptom.clone(),
        temperature,
        onset: onset.unwrap_or(Day::NEVER),
        onset_place: u8::try_from(*onset_place).unwrap_or_default(),
        seen_doctor: *seen_doctor,
        disease: disease
            .and_then(|one| i16::try_from(one as i32).ok())
            .unwrap_or(0),
        severe,
    }
}
