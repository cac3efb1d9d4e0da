//! Figures on people's health as they are told; what is hidden never looks like zero.

use kit::field::private_count;
use kit::privacy::Seen;
use proto::privacy::PrivateCount;
use proto::sampling::class_check::State;
use proto::sampling::{
    AbsenceCoverage, CheckCoverage, ClassCheck, ClassSymptoms, HealthCoverage, HealthStaffing,
    OpenHealthMatters, SymptomCount,
};

use crate::app::health::class_symptoms as lines;
use crate::app::health::coverage::HealthCovered;
use crate::app::health::staffing::Staffed;
use crate::domain::health::absence::{AbsenceState, Reason};
use crate::domain::health::coverage::{Figures, Open, SymptomCounts};
use crate::domain::health::rules::Slot;
use crate::domain::health::symptom::Symptom;
use crate::domain::health::veil::{Days, Hidden, Measure};
use crate::grpc::tube_convert::instant;

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
        hidden,
        hidden_below,
        read_time,
    } = covered;
    let name = org_path.rsplit('/').next().unwrap_or_default();
    HealthCoverage {
        scope: format!("organizations/{name}"),
        org_path: org_path.clone(),
        check_date: day.date().map(kit::field::to_date),
        school_day: *school_day,
        policy_version: policy_version.clone(),
        checks: checks
            .iter()
            .map(|(slot, due)| check(*slot, *due, figures, hidden))
            .collect(),
        ill_count: ill(hidden, Days::One, &figures.day),
        symptoms: symptoms(hidden, &figures.day, &figures.three_days),
        ill_three_day_count: ill(hidden, Days::Three, &figures.three_days),
        open_matters: open.as_ref().map(|open| matters(hidden, open)),
        school_count: number(figures.schools),
        silent_school_count: number(figures.silent_schools),
        hidden_below: number(*hidden_below),
        data_time: instant(*read_time),
    }
}

/// One line of a school's summary.
pub(super) fn class(line: &lines::ClassLine) -> ClassSymptoms {
    let lines::ClassLine {
        name,
        org_path,
        display_name,
        enrolled,
        checks,
        day,
        three_days,
        hidden,
    } = line;
    let checks = checks.iter();
    ClassSymptoms {
        class_group: name.clone(),
        org_path: org_path.clone(),
        display_name: display_name.clone(),
        enrolled_count: i32::try_from(*enrolled).unwrap_or(i32::MAX),
        checks: checks
            .map(|(slot, due, check)| class_check(*slot, *due, check, hidden))
            .collect(),
        ill_count: ill(hidden, Days::One, day),
        symptoms: symptoms(hidden, day, three_days),
        ill_three_day_count: ill(hidden, Days::Three, three_days),
    }
}

pub(super) fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "a message is always an option on the wire"
)]
fn private(seen: Seen) -> Option<PrivateCount> {
    Some(private_count(seen))
}

fn ill(hidden: &Hidden, days: Days, counts: &SymptomCounts) -> Option<PrivateCount> {
    private(hidden.see(Measure::Ill(days), counts.ill))
}

fn check(slot: Slot, due: i64, figures: &Figures, hidden: &Hidden) -> CheckCoverage {
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
        ill_absent_count: private(hidden.see(Measure::IllAbsent(slot), figures.ill_absent)),
        corrected_count: figures.corrected.count.max(0),
        last_correct_time: instant(figures.corrected.last),
    }
}

/// Of days of which those ill are hidden, nobody is told which symptoms there are.
fn symptoms(hidden: &Hidden, day: &SymptomCounts, three_days: &SymptomCounts) -> Vec<SymptomCount> {
    let counted = Symptom::ALL.into_iter().filter_map(|symptom| {
        let at = symptom as usize - 1;
        let [day, three_days] =
            [(Days::One, day), (Days::Three, three_days)].map(|(days, told)| {
                let seen = hidden.see(Measure::Symptom(days, at), told.symptoms[at]);
                (
                    seen,
                    !hidden.has(Measure::Ill(days)) && seen != Seen::Shown(0),
                )
            });
        (day.1 || three_days.1).then(|| SymptomCount {
            symptom: symptom.code(),
            day_count: private(day.0),
            three_day_count: private(three_days.0),
        })
    });
    counted.collect()
}

fn matters(hidden: &Hidden, open: &Open) -> OpenHealthMatters {
    let Open {
        absences,
        clusters,
        cases,
        late_cases,
    } = open;
    let told = |count: i32| u32::try_from(count).unwrap_or(0);
    let by_reason = Reason::ALL.into_iter().filter_map(|reason| {
        let count = |state| told(absences.count(reason, state));
        let any = AbsenceState::ALL.into_iter().any(|state| count(state) > 0);
        let seen = |state| private(hidden.see(Measure::Absences(reason, state), count(state)));
        any.then(|| AbsenceCoverage {
            reason: i32::from(reason.code()),
            untraced_count: seen(AbsenceState::Open),
            traced_count: seen(AbsenceState::Traced),
            escalated_count: seen(AbsenceState::Escalated),
            excused_count: seen(AbsenceState::Excused),
        })
    });
    let seen = |measure, count| private(hidden.see(measure, count));
    OpenHealthMatters {
        absences: by_reason.collect(),
        overdue_upload_count: seen(Measure::UploadsOverdue, told(absences.uploads_overdue)),
        due_interview_count: seen(Measure::InterviewsDue, told(absences.interviews_due)),
        cluster_count: seen(Measure::Clusters, *clusters),
        case_count: seen(Measure::Cases, *cases),
        late_case_count: seen(Measure::LateCases, *late_cases),
    }
}

fn class_check(slot: Slot, due: i64, check: &lines::ClassCheck, hidden: &Hidden) -> ClassCheck {
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
    let ill_absent = u32::try_from(row.ill_absent_count).unwrap_or(0);
    ClassCheck {
        due_time: instant(row.due_time),
        late: row.late(),
        roll_count: row.roll_count,
        present_count: row.present_count,
        absent_count: row.absent_count,
        ill_absent_count: private(hidden.see(Measure::IllAbsent(slot), ill_absent)),
        ..told
    }
}
