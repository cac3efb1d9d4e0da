//! Rolls, the rotation of swabs, tubes and holds, checks, symptoms, absences, clusters and cases.

use prost_types::Timestamp;
use proto::gateway::figure::Breakdown;
use proto::gateway::section::{Kind, State};
use proto::gateway::{Measure, Section};
use proto::privacy::PrivateCount;
use proto::sampling::{
    AbsenceCoverage, CheckCoverage, Coverage, HealthCoverage, OpenHealthMatters, TubeFigures,
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
    let tubes = waiting(&told, answered);
    Told {
        org_path: told.org_path,
        display_name: String::new(),
        sections: vec![people.section, sampling.section, tubes],
    }
}

/// The tubes of the day and holds in force; who may read neither is told so.
fn waiting(told: &Coverage, answered: Timestamp) -> Section {
    let mut sheet = Sheet::new(Source::Coverage, Kind::Tubes, Some(answered));
    if told.tubes.is_none() && told.holds.is_none() {
        return Section {
            state: State::NotPermitted.into(),
            data_time: None,
            ..sheet.section
        };
    }
    if let Some(told) = &told.tubes {
        tubes(&mut sheet, told);
    }
    if let Some(holds) = &told.holds {
        sheet.add(Draft::of(Measure::HoldsActive, holds.hold_count).late(holds.overdue_count));
    }
    sheet.section
}

fn tubes(sheet: &mut Sheet, told: &TubeFigures) {
    let (opened, sealed, received) = (told.opened_count, told.sealed_count, told.received_count);
    let corrected = |draft: Draft| draft.corrected(told.corrected_count, told.last_correct_time);
    sheet.count(Measure::TubesOpened, opened);
    sheet.add(Draft::of(Measure::TubesSealed, sealed).coverage(sealed, opened));
    sheet.add(
        Draft::of(Measure::TubesReceived, received)
            .coverage(received, sealed)
            .late(told.late_arrival_count),
    );
    sheet.count(Measure::TubesFailed, told.failed_count);
    let late = i64::from(told.late_result_count) + i64::from(told.overdue_count);
    sheet.add(corrected(
        Draft::of(Measure::Results, told.result_count)
            .coverage(told.result_count, sealed)
            .late(late),
    ));
    if let Some(positive) = told.positive_count {
        // No result never reads as a negative one.
        sheet.add(corrected(
            Draft::of(Measure::ResultsPositive, positive).said_by(told.result_count, sealed),
        ));
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
    let said = |measure, count: Option<PrivateCount>| {
        Draft::private(measure, count).said_by(answers, wanted)
    };
    let corrected: i64 = sum(&told.checks, |check| check.corrected_count);
    let times = told
        .checks
        .iter()
        .filter_map(|check| check.last_correct_time);
    let last = times.max_by_key(|time| (time.seconds, time.nanos));
    health.add(said(Measure::PeopleIll, told.ill_count).corrected(corrected, last));
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
    let corrected = |draft: Draft| draft.corrected(check.corrected_count, check.last_correct_time);
    sheet.add(corrected(
        of(Measure::ChecksSubmitted, answered)
            .coverage(answered, expected)
            .late(check.late_count),
    ));
    sheet.add(of(Measure::ChecksMissing, check.missing_count).late(check.overdue_count));
    let said = |draft: Draft| corrected(draft.said_by(answered, expected));
    sheet.add(said(of(Measure::ChecksZero, check.zero_count)));
    sheet.add(of(Measure::PeopleExpected, check.expected_people_count));
    sheet.add(said(of(Measure::PeopleAbsent, check.absent_count)));
    let ill = Draft::private(Measure::PeopleIllAbsent, check.ill_absent_count);
    sheet.add(said(ill.part(part)));
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
            sheet.add(Draft::private(measure, count).part(Breakdown::AbsenceReason(reason)));
        }
    }
    for (measure, count) in [
        (Measure::UploadsOverdue, open.overdue_upload_count),
        (Measure::InterviewsDue, open.due_interview_count),
        (Measure::ClustersOpen, open.cluster_count),
        (Measure::CasesOpen, open.case_count),
        (Measure::CasesLate, open.late_case_count),
    ] {
        sheet.add(Draft::private(measure, count));
    }
}

fn sum(checks: &[CheckCoverage], count: impl Fn(&CheckCoverage) -> i32) -> i64 {
    checks.iter().map(|check| i64::from(count(check))).sum()
}
