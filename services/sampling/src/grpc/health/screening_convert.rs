//! Checks and examinations as the contract writes them.

use kit::feed::Change;
use kit::field::{private_count, to_date};
use kit::privacy::Veil;
use kit::status::Problem;
use proto::privacy::PrivateCount;
use proto::sampling::check_finding::SevereSign;
use proto::sampling::sampling_event::State as EventState;
use proto::sampling::submit_check_response::Verdict as WireVerdict;
use proto::sampling::{
    Check, CheckAbsence, CheckFinding, CheckReading, MissingCheck, ReporterExam, ScreeningDay,
    SubmitCheckResponse, SubmittedCheck, SupersededCheck, check,
};
use sea_orm::DbErr;
use sha2::{Digest, Sha256};

use super::super::announced::sampling_change;
use super::super::convert::{person_name, reason_name};
use super::super::tube_convert::instant;
use crate::app::health::missing::Due;
use crate::app::health::screening::Submitted;
use crate::app::health::units::{UnitName, check_id, check_name};
use crate::domain::day::Day;
use crate::domain::health::check::{Finding, Unit};
use crate::domain::health::rules::Slot;
use crate::domain::health::screening::Verdict;
use crate::domain::health::tally::SlotTally;
use crate::store::health::checks::{CheckRow, SubmissionRow};
use crate::store::health::exams::ExamRow;

fn date(day: Day) -> Option<proto::Date> {
    day.date().map(to_date)
}

fn stored_date(number: i32) -> Option<proto::Date> {
    date(Day::from_number(u16::try_from(number).unwrap_or_default()))
}

/// How many people a check counts by their health: a number when `reveal`, else whether there is anybody.
fn findings(count: i32, reveal: bool) -> PrivateCount {
    let veil = if reveal { Veil::NONE } else { Veil::RECORD };
    private_count(veil.see(u32::try_from(count).unwrap_or(0)))
}

/// How many of those absent are ill: a number when `reveal`, else nothing, as those absent are few.
fn ill_absent(row: &CheckRow, reveal: bool) -> PrivateCount {
    let veil = match reveal {
        true => Veil::NONE,
        false if row.absent_count > 0 => Veil::RECORD.over_nobody(),
        false => Veil::RECORD,
    };
    private_count(veil.see(u32::try_from(row.ill_absent_count).unwrap_or(0)))
}

/// A check; whom it lists, and how many are ill, is shown when `reveal`.
pub(super) fn check(row: &CheckRow, reveal: bool) -> Result<Check, DbErr> {
    let (day, slot, _) = row.key()?;
    let (unit, content) = (row.unit()?, row.content()?);
    let state = if row.finding_count == 0 {
        check::State::Zero
    } else {
        check::State::Symptoms
    };
    let mut answer = Check {
        name: check_name(&row.place, unit, day, slot),
        scope: UnitName::at(&row.place, unit).name(),
        org_path: row.place.clone(),
        check_date: date(day),
        slot: i32::from(row.slot),
        state: state.into(),
        roll_count: row.roll_count,
        present_count: row.present_count,
        absent_count: row.absent_count,
        ill_absent_count: Some(ill_absent(row, reveal)),
        finding_count: Some(findings(row.finding_count, reveal)),
        public_health_event: content.public_event,
        unexplained_group_illness: content.group_illness,
        capture_time: instant(row.capture_time),
        submit_time: instant(row.submit_time),
        first_submit_time: instant(row.first_submit_time),
        due_time: instant(row.due_time),
        late: row.late(),
        reporter: row.reporter.clone(),
        client_id: client_id(&row.client),
        correction: row.correction,
        correction_reason: row.correction_reason.clone(),
        version: row.version,
        conflict_count: row.conflict_count,
        policy_version: row.policy_version.clone(),
        ..Check::default()
    };
    if reveal {
        let name = |person| person_name(unit.people(), person);
        let findings = content.findings.into_iter();
        answer.findings = findings.map(|one| finding(unit, one)).collect();
        let readings = content.readings.into_iter();
        answer.readings = readings
            .map(|(person, temperature)| CheckReading {
                person: name(person),
                temperature_tenths: i32::from(temperature),
            })
            .collect();
        let absences = content.absences.into_iter();
        answer.absences = absences
            .map(|(person, reason)| CheckAbsence {
                person: name(person),
                reason: i32::from(reason),
            })
            .collect();
    }
    Ok(answer)
}

fn finding(unit: Unit, finding: Finding) -> CheckFinding {
    let Finding {
        person,
        symptoms,
        other,
        temperature,
        onset,
        onset_place,
        seen_doctor,
        disease,
        severe,
    } = finding;
    let signs = [
        SevereSign::HighFever,
        SevereSign::Dyspnoea,
        SevereSign::ViolentVomitingDiarrhoea,
    ];
    CheckFinding {
        person: person_name(unit.people(), person),
        symptoms: symptoms.iter().map(|symptom| symptom.code()).collect(),
        other_symptom: other,
        temperature_tenths: i32::from(temperature),
        onset_date: date(onset),
        onset_place: i32::from(onset_place),
        seen_doctor,
        preliminary_disease: i32::from(disease),
        severe_signs: signs
            .into_iter()
            .filter(|sign| severe >> *sign as u8 & 1 == 1)
            .map(i32::from)
            .collect(),
    }
}

fn client_id(bytes: &[u8]) -> String {
    let id = uuid::Uuid::from_slice(bytes).unwrap_or_default();
    id.to_string()
}

/// A submission that does not stand, beside the digest of what does; how many are ill is shown when `reveal`.
pub(super) fn superseded(row: SubmissionRow, standing: &[u8], reveal: bool) -> SupersededCheck {
    SupersededCheck {
        client_id: client_id(&row.client),
        reporter: row.reporter,
        capture_time: instant(row.capture_time),
        submit_time: instant(row.submit_time),
        correction: row.correction,
        different: row.digest != standing,
        finding_count: Some(findings(row.finding_count, reveal)),
    }
}

fn verdict(verdict: Verdict) -> WireVerdict {
    match verdict {
        Verdict::Stored => WireVerdict::Stored,
        Verdict::Repeated => WireVerdict::Repeated,
        Verdict::Superseded => WireVerdict::Superseded,
    }
}

/// The answer to one submission.
pub(super) fn submitted(submitted: &Submitted) -> Result<SubmitCheckResponse, DbErr> {
    Ok(SubmitCheckResponse {
        verdict: verdict(submitted.verdict).into(),
        check: Some(check(&submitted.check, true)?),
    })
}

/// The answer to one submission of a batch.
pub(super) fn result(index: usize, answer: Result<Submitted, Problem>) -> SubmittedCheck {
    let index = i32::try_from(index).unwrap_or(i32::MAX);
    let refused = |problem: Problem| {
        let field = problem.fields().next().map_or("", |(field, _)| field);
        let field = field.strip_prefix("check.").unwrap_or(field);
        SubmittedCheck {
            index,
            verdict: WireVerdict::Refused.into(),
            error_reason: reason_name(&problem),
            error_message: problem.chinese(),
            error_field: field.to_owned(),
            ..SubmittedCheck::default()
        }
    };
    let named = |submitted: Submitted| {
        let row = submitted.check;
        let (day, slot, place) = row.key()?;
        let name = check_name(&place, row.unit()?, day, slot);
        Ok::<_, DbErr>((submitted.verdict, name, row))
    };
    match answer.and_then(|submitted| Ok(named(submitted)?)) {
        Ok((stands, name, row)) => SubmittedCheck {
            index,
            verdict: verdict(stands).into(),
            check: name,
            version: row.version,
            late: row.late(),
            conflict_count: row.conflict_count,
            ..SubmittedCheck::default()
        },
        Err(problem) => refused(problem),
    }
}

/// A check that is missing at `now`, in milliseconds since 1970.
pub(super) fn missing(due: Due, now: i64) -> MissingCheck {
    let Due { missing, due } = due;
    MissingCheck {
        scope: UnitName::at(&missing.place, missing.unit).name(),
        org_path: missing.place,
        room: missing.room,
        expected_count: missing.expected,
        due_time: instant(due),
        overdue: now > due,
    }
}

/// An examination. Its identifier tells nothing of the account.
pub(crate) fn exam(row: &ExamRow) -> ReporterExam {
    let organization = row.place.rsplit('/').next().unwrap_or_default();
    let hash = Sha256::digest(&row.account);
    ReporterExam {
        name: format!(
            "organizations/{organization}/reporterExams/{}",
            hex::encode(&hash[..12])
        ),
        account: row.account.clone(),
        pass_date: stored_date(row.passed),
        valid_until_date: stored_date(row.valid_until),
        examiner: row.examiner.clone(),
        record_time: instant(row.record_time),
    }
}

/// The change of a school's overdue checks for the feed. Each submission makes another version, and
/// so does the end.
pub(crate) fn screening_day_change(
    school: &str,
    day: Day,
    slot: Slot,
    tally: &SlotTally,
    due: i64,
    removed: bool,
) -> Change {
    let id = school.rsplit('/').next().unwrap_or_default();
    let organization = format!("organizations/{id}");
    let name = format!("{organization}/screeningDays/{}", check_id(day, slot));
    let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let state = ScreeningDay {
        name: name.clone(),
        organization,
        check_date: date(day),
        slot: i32::from(slot.code()),
        expected_count: count(tally.expected),
        submitted_count: count(tally.submitted),
        late_count: count(tally.late),
        missing_count: count(tally.missing()),
        due_time: instant(due),
    };
    let state = (!removed).then_some(EventState::ScreeningDay(state));
    let version = i64::from(tally.submitted) + 1 + i64::from(removed);
    sampling_change("screening-day", name, version, school, state)
}
