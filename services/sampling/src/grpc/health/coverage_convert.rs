//! Figures on people's health as they are told; what is hidden never looks like zero.

use proto::sampling::class_check::State;
use proto::sampling::{
    AbsenceCoverage, CheckCoverage, ClassCheck, ClassSymptoms, HealthCoverage, HealthStaffing,
    OpenHealthMatters, PrivateCount, SymptomCount,
};

use crate::app::health::class_symptoms as lines;
use crate::app::health::coverage::{HealthCovered, Veils};
use crate::app::health::staffing::Staffed;
use crate::domain::health::absence::{AbsenceState, Reason};
use crate::domain::health::coverage::{Figures, Open, SymptomCounts, Veil};
use crate::domain::health::rules::Slot;
use crate::domain::health::symptom::Symptom;
use crate::grpc::tube_convert::instant;

/// The count from which on nothing is hidden.
pub(super) fn limit(veil: Veil) -> i32 {
    number(veil.limit())
}

/// The health staff of one school.
pub(super) fn staffing(staffed: &Staffed) -> HealthStaffing {
    let Staffed {
        org_path,
        strength,
        required,
        lacks,
        full_time,
        source,
        policy_version,
    } = staffed;
    let name = org_path.rsplit('/').next().unwrap_or_default();
    HealthStaffing {
        organization: format!("organizations/{name}"),
        org_path: org_path.clone(),
        pupil_count: number(strength.pupils),
        child_count: number(strength.children),
        technician_count: number(strength.medical),
        required_count: number(*required),
        lacking_count: number(*lacks),
        full_time: *full_time,
        source: source.clone(),
        policy_version: policy_version.clone(),
    }
}

/// What one place has said.
pub(super) fn coverage(covered: &HealthCovered) -> HealthCoverage {
    let HealthCovered {
        org_path,
        day,
        school_day,
        policy_version,
        checks,
        figures,
        open,
        veils,
        read_time,
    } = covered;
    let name = org_path.rsplit('/').next().unwrap_or_default();
    let veil = veils.ill;
    HealthCoverage {
        scope: format!("organizations/{name}"),
        org_path: org_path.clone(),
        check_date: day.date().map(kit::field::to_date),
        school_day: *school_day,
        policy_version: policy_version.clone(),
        checks: checks
            .iter()
            .map(|(slot, due)| check(*slot, *due, figures, veil))
            .collect(),
        ill_count: private(veil, figures.day.ill),
        symptoms: symptoms(&figures.day, &figures.three_days, veil),
        ill_three_day_count: private(veil, figures.three_days.ill),
        open_matters: open.as_ref().map(|open| matters(open, veils)),
        school_count: number(figures.schools),
        silent_school_count: number(figures.silent_schools),
        hidden_below: limit(veil),
        data_time: instant(*read_time),
    }
}

/// One line of a school's summary.
pub(super) fn class(line: &lines::ClassLine, veil: Veil) -> ClassSymptoms {
    let lines::ClassLine {
        name,
        org_path,
        display_name,
        enrolled,
        checks,
        day,
        three_days,
    } = line;
    let checks = checks.iter();
    ClassSymptoms {
        class_group: name.clone(),
        org_path: org_path.clone(),
        display_name: display_name.clone(),
        enrolled_count: i32::try_from(*enrolled).unwrap_or(i32::MAX),
        checks: checks
            .map(|(slot, due, check)| class_check(*slot, *due, check, veil))
            .collect(),
        ill_count: private(veil, day.ill),
        symptoms: symptoms(day, three_days, veil),
        ill_three_day_count: private(veil, three_days.ill),
    }
}

fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "a message is always an option on the wire"
)]
fn private(veil: Veil, count: u32) -> Option<PrivateCount> {
    let count = veil.see(count).map(number);
    Some(PrivateCount {
        count,
        hidden: count.is_none(),
    })
}

fn check(slot: Slot, due: i64, figures: &Figures, veil: Veil) -> CheckCoverage {
    let figures = figures.slot(slot);
    CheckCoverage {
        slot: i32::from(slot.code()),
        due_time: instant(due),
        expected_count: number(figures.expected),
        answered_count: number(figures.answered),
        submitted_count: number(figures.submitted),
        zero_count: number(figures.zero),
        missing_count: number(figures.missing),
        late_count: number(figures.late),
        overdue_count: number(figures.overdue),
        expected_people_count: number(figures.people),
        roll_count: number(figures.roll),
        present_count: number(figures.present),
        absent_count: number(figures.absent),
        ill_absent_count: private(veil, figures.ill_absent),
    }
}

fn symptoms(day: &SymptomCounts, three_days: &SymptomCounts, veil: Veil) -> Vec<SymptomCount> {
    let counted = Symptom::ALL.into_iter().filter_map(|symptom| {
        let at = symptom as usize - 1;
        let (day, three_days) = (day.symptoms[at], three_days.symptoms[at]);
        (day + three_days > 0).then(|| SymptomCount {
            symptom: symptom.code(),
            day_count: private(veil, day),
            three_day_count: private(veil, three_days),
        })
    });
    counted.collect()
}

fn matters(open: &Open, veils: &Veils) -> OpenHealthMatters {
    let Open {
        absences,
        clusters,
        cases,
        late_cases,
    } = open;
    let told = |count: i32| u32::try_from(count).unwrap_or(0);
    let by_reason = Reason::ALL.into_iter().filter_map(|reason| {
        // Only illness and isolation tell of somebody's health.
        let veil = match reason {
            Reason::Illness | Reason::Isolation => veils.absences,
            Reason::Personal | Reason::WeatherDelay | Reason::Unknown => Veil::NONE,
        };
        let count = |state| told(absences.count(reason, state));
        let any = AbsenceState::ALL.into_iter().any(|state| count(state) > 0);
        any.then(|| AbsenceCoverage {
            reason: i32::from(reason.code()),
            untraced_count: private(veil, count(AbsenceState::Open)),
            traced_count: private(veil, count(AbsenceState::Traced)),
            escalated_count: private(veil, count(AbsenceState::Escalated)),
            excused_count: private(veil, count(AbsenceState::Excused)),
        })
    });
    OpenHealthMatters {
        absences: by_reason.collect(),
        overdue_upload_count: private(veils.absences, told(absences.uploads_overdue)),
        due_interview_count: private(veils.absences, told(absences.interviews_due)),
        cluster_count: private(veils.clusters, *clusters),
        case_count: private(veils.cases, *cases),
        late_case_count: private(veils.cases, *late_cases),
    }
}

fn class_check(slot: Slot, due: i64, check: &lines::ClassCheck, veil: Veil) -> ClassCheck {
    let (state, row) = match check {
        lines::ClassCheck::Submitted(row) if row.finding_count == 0 => (State::Zero, Some(row)),
        lines::ClassCheck::Submitted(row) => (State::Symptoms, Some(row)),
        lines::ClassCheck::Awaited => (State::Awaited, None),
        lines::ClassCheck::Missing => (State::Missing, None),
        lines::ClassCheck::NotExpected => (State::NotExpected, None),
    };
    let told = ClassCheck {
        slot: i32::from(slot.code()),
        state: state.into(),
        due_time: instant(due),
        ..ClassCheck::default()
    };
    let Some(row) = row else { return told };
    ClassCheck {
        due_time: instant(row.due_time),
        late: row.late(),
        roll_count: row.roll_count,
        present_count: row.present_count,
        absent_count: row.absent_count,
        ill_absent_count: private(veil, u32::try_from(row.ill_absent_count).unwrap_or(0)),
        ..told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_has_no_number() {
        let veil = Veil::below(10);
        let hidden = PrivateCount {
            count: None,
            hidden: true,
        };
        assert_eq!(private(veil, 9), Some(hidden));
        let nobody = PrivateCount {
            count: Some(0),
            hidden: false,
        };
        assert_eq!(private(veil, 0), Some(nobody));
    }
}
