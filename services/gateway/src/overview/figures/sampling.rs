//! Rolls, the rotation of swabs, checks, symptoms, absences, clusters and cases.

use prost_types::Timestamp;
use proto::gateway::Measure;
use proto::gateway::figure::Breakdown;
use proto::gateway::section::Kind;
use proto::sampling::{
    AbsenceCoverage, CheckCoverage, Coverage, HealthCoverage, OpenHealthMatters, PrivateCount,
};

use super::{Draft, Sheet, Told};
use crate::overview::source::Source;

/// The people and the rotation, answered at `answered`.
pub(crate) fn coverage(told: Coverage, answered: Timestamp) -> Told {
    let sheet = |kind| Sheet::new(Source::Coverage, kind, Some(answered));
    let mut people = sheet(Kind::People);
    people.count(Measure::Schools, told.school_count);
    people.count(Measure::ClassGroups, told.class_group_count);
    people.count(Measure::StudentsEnrolled, told.enrolled_count);
    let mut sampling = sheet(Kind::Sampling);
    let drawn = Draft::of(Measure::SchoolsDrawn, told.drawn_school_count);
    sampling.add(if told.school_day {
        drawn.coverage(told.drawn_school_count, told.school_count)
    } else {
        drawn
    });
    sampling.count(Measure::PeopleEligible, told.eligible_count);
    sampling.add(
        Draft::of(Measure::PeopleCovered, told.covered_count)
            .coverage(told.covered_count, told.eligible_count)
            .late(told.late_count),
    );
    sampling.count(Measure::PeopleDue, told.due_count);
    sampling.count(Measure::DebtDays, told.debt_days);
    sampling.count(Measure::LongestGapDays, told.longest_gap_days);
    sampling.count(Measure::GapAlerts, told.alert_count);
    Told {
        org_path: told.org_path,
        display_name: String::new(),
        sections: vec![people.section, sampling.section],
    }
}

/// The checks of the day and what they and others said of people's health.
pub(crate) fn health(told: HealthCoverage, answered: Timestamp) -> Told {
    let time = told.data_time.or(Some(answered));
    let sheet = |kind| {
        let mut sheet = Sheet::new(Source::HealthCoverage, kind, time);
        sheet.section.hidden_below = told.hidden_below;
        sheet
    };
    let mut checks = sheet(Kind::Checks);
    for check in &told.checks {
        slot(&mut checks, check);
    }
    let (schools, silent) = (
        i64::from(told.school_count),
        i64::from(told.silent_school_count),
    );
    checks.add(Draft::of(Measure::SchoolsSilent, silent).coverage(schools - silent, schools));
    let mut health = sheet(Kind::Health);
    // A check that is not due yet counts once it is there.
    let answers: i64 = sum(&told.checks, |check| check.answered_count);
    let wanted = answers + sum(&told.checks, |check| check.overdue_count);
    let said =
        |measure, count: Option<PrivateCount>| private(measure, count).said_by(answers, wanted);
    health.add(said(Measure::PeopleIll, told.ill_count));
    health.add(said(Measure::PeopleIllThreeDays, told.ill_three_day_count));
    for symptom in told.symptoms {
        let part = Breakdown::Symptom(symptom.symptom);
        health.add(said(Measure::PeopleIll, symptom.day_count).part(part));
        health.add(said(Measure::PeopleIllThreeDays, symptom.three_day_count).part(part));
    }
    if let Some(open) = told.open_matters {
        matters(&mut health, open);
    }
    Told {
        org_path: told.org_path,
        display_name: String::new(),
        sections: vec![checks.section, health.section],
    }
}

fn slot(sheet: &mut Sheet, check: &CheckCoverage) {
    let part = Breakdown::Slot(check.slot);
    let (answered, expected) = (check.answered_count, check.expected_count);
    let of = |measure, value: i32| Draft::of(measure, value).part(part);
    sheet.add(
        of(Measure::ChecksSubmitted, answered)
            .coverage(answered, expected)
            .late(check.late_count),
    );
    sheet.add(of(Measure::ChecksMissing, check.missing_count).late(check.overdue_count));
    sheet.add(of(Measure::ChecksZero, check.zero_count).said_by(answered, expected));
    sheet.add(of(Measure::PeopleExpected, check.expected_people_count));
    sheet.add(of(Measure::PeopleAbsent, check.absent_count).said_by(answered, expected));
    let ill = private(Measure::PeopleIllAbsent, check.ill_absent_count);
    sheet.add(ill.part(part).said_by(answered, expected));
}

fn matters(sheet: &mut Sheet, open: OpenHealthMatters) {
    for absence in open.absences {
        let AbsenceCoverage {
            reason,
            untraced_count,
            traced_count,
            escalated_count,
            excused_count: _,
        } = absence;
        for (measure, count) in [
            (Measure::AbsencesUntraced, untraced_count),
            (Measure::AbsencesTraced, traced_count),
            (Measure::AbsencesEscalated, escalated_count),
        ] {
            sheet.add(private(measure, count).part(Breakdown::AbsenceReason(reason)));
        }
    }
    for (measure, count) in [
        (Measure::UploadsOverdue, open.overdue_upload_count),
        (Measure::InterviewsDue, open.due_interview_count),
        (Measure::ClustersOpen, open.cluster_count),
        (Measure::CasesOpen, open.case_count),
        (Measure::CasesLate, open.late_case_count),
    ] {
        sheet.add(private(measure, count));
    }
}

/// A count that may be hidden; one that was not told is not known.
fn private(measure: Measure, count: Option<PrivateCount>) -> Draft {
    let count = count.unwrap_or_default();
    Draft::perhaps(measure, count.count.map(i64::from), count.hidden)
}

fn sum(checks: &[CheckCoverage], count: impl Fn(&CheckCoverage) -> i32) -> i64 {
    checks.iter().map(|check| i64::from(count(check))).sum()
}
