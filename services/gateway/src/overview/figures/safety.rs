//! The safety of campuses, their gates, and how ready schools are to resume teaching.

use prost_types::Timestamp;
use proto::gateway::figure::Breakdown;
use proto::gateway::section::Kind;
use proto::gateway::{Measure, Section};
use proto::safety::SafetyFigures;
use proto::safety::resumption_figures::Figure as Readiness;
use proto::safety::safety_figures::{Demand, Drills, Duty, Gates, Hazards, Incidents};

use super::{Draft, Sheet, Told};
use crate::overview::source::Source;

/// The safety of campuses.
pub(crate) fn figures(told: SafetyFigures, answered: Timestamp) -> Told {
    let time = told.data_time.or(Some(answered));
    let mut sheet = Sheet::new(Source::SafetyFigures, Kind::Safety, time);
    let campuses = i64::from(told.campus_count);
    let known = campuses - i64::from(told.silent_campus_count);
    let said = |measure, value: i32| Draft::of(measure, value).said_by(known, campuses);
    sheet.count(Measure::Campuses, campuses);
    sheet.add(
        Draft::of(Measure::CampusesSilent, told.silent_campus_count).coverage(known, campuses),
    );
    for one in &told.demands {
        demand(&mut sheet, one, campuses);
    }
    let findings = told.protection_finding_count;
    sheet.add(said(Measure::ProtectionFindings, findings));
    if let Some(Hazards {
        ungraded_open_count,
        ungraded_overdue_count,
        general_open_count,
        general_overdue_count,
        major_open_count,
        major_overdue_count,
        moved_count,
        last_move_time,
    }) = told.hazards
    {
        let sum = |counts: [i32; 3]| counts.into_iter().map(i64::from).sum::<i64>();
        let open = sum([ungraded_open_count, general_open_count, major_open_count]);
        let overdue = sum([
            ungraded_overdue_count,
            general_overdue_count,
            major_overdue_count,
        ]);
        sheet.add(
            Draft::of(Measure::HazardsOpen, open)
                .said_by(known, campuses)
                .late(overdue)
                .corrected(moved_count, last_move_time),
        );
        for (measure, open, overdue) in [
            (
                Measure::HazardsUngraded,
                ungraded_open_count,
                ungraded_overdue_count,
            ),
            (
                Measure::HazardsGeneral,
                general_open_count,
                general_overdue_count,
            ),
            (Measure::HazardsMajor, major_open_count, major_overdue_count),
        ] {
            sheet.add(said(measure, open).late(overdue));
        }
    }
    if let Some(drills) = told.drills {
        owed(&mut sheet, drills);
    }
    if let Some(duty) = told.duty {
        watch(&mut sheet, duty);
    }
    if let Some(due) = told.inspections {
        sheet.add(
            Draft::of(Measure::InspectionsDone, due.inspected_count)
                .coverage(due.inspected_count, due.due_count)
                .late(due.missed_count),
        );
    }
    if let Some(visitors) = told.visitors {
        sheet.add(
            Draft::of(Measure::VisitorsInside, visitors.inside_count)
                .late(visitors.overstaying_count),
        );
    }
    if let Some(weather) = told.weather {
        sheet.add(
            Draft::of(Measure::WeatherTasksOpen, weather.open_task_count)
                .late(weather.overdue_task_count),
        );
    }
    if let Some(open) = told.incidents {
        incidents(&mut sheet, open);
    }
    let supplies = told.supply_below_minimum_count;
    sheet.add(said(Measure::SuppliesBelowMinimum, supplies));
    let mut sections = vec![sheet.section];
    if let Some(told) = told.gates {
        sections.push(gates(told, campuses, time));
    }
    Told {
        org_path: told.org_path,
        display_name: told.display_name,
        sections,
    }
}

/// What gates decided that day.
fn gates(told: Gates, campuses: i64, time: Option<Timestamp>) -> Section {
    let mut sheet = Sheet::new(Source::SafetyFigures, Kind::Gates, time);
    sheet.add(
        Draft::of(Measure::GateDecisions, told.decision_count)
            .coverage(told.campus_count, campuses)
            .late(told.offline_count)
            .corrected(told.overridden_count, told.last_override_time),
    );
    if let Some(stopped) = told.stopped_count {
        sheet.add(Draft::of(Measure::GateStopped, stopped).said_by(told.campus_count, campuses));
    }
    sheet.section
}

fn demand(sheet: &mut Sheet, demand: &Demand, campuses: i64) {
    let part = Breakdown::Demand(demand.kind);
    let declared = campuses - i64::from(demand.not_declared_count);
    sheet.add(
        Draft::of(Measure::ProtectionMet, demand.met_count)
            .part(part)
            .said_by(declared, campuses)
            .late(demand.lapsed_count),
    );
    if let Some(share) = demand.met_basis_points {
        let share = Draft::of(Measure::ProtectionMetBasisPoints, share);
        sheet.add(share.part(part).said_by(declared, campuses));
    }
}

fn owed(sheet: &mut Sheet, drills: Drills) {
    let [due, done, missed] =
        [drills.due_count, drills.done_count, drills.missed_count].map(i64::from);
    sheet.count(Measure::DrillsDue, due);
    sheet.add(
        Draft::of(Measure::DrillsDone, done)
            .coverage(done, due + done + missed)
            .late(missed),
    );
}

fn watch(sheet: &mut Sheet, duty: Duty) {
    let [present, awaited, unattended] = [
        duty.on_duty_count,
        duty.awaited_count,
        duty.unattended_count,
    ]
    .map(i64::from);
    sheet.add(
        Draft::of(Measure::DutyAttended, present)
            .coverage(present, present + awaited + unattended)
            .late(unattended),
    );
    sheet.count(Measure::DutyGaps, duty.gap_count);
}

fn incidents(sheet: &mut Sheet, open: Incidents) {
    let grave = i64::from(open.level_one_count) + i64::from(open.level_two_count);
    let all = grave + i64::from(open.level_three_count) + i64::from(open.level_four_count);
    sheet.add(Draft::of(Measure::IncidentsOpen, all).late(open.late_count));
    sheet.count(Measure::IncidentsGrave, grave);
}

/// How ready schools are. Where no resumption is known, there is no score.
pub(crate) fn readiness(told: Option<Readiness>, answered: Timestamp) -> Told {
    let told = told.unwrap_or_default();
    let time = Some(answered);
    let mut sheet = Sheet::new(Source::ResumptionFigures, Kind::Resumption, time);
    let (all, silent) = (
        i64::from(told.resumption_count),
        i64::from(told.silent_count),
    );
    let said = |measure, value: i32| Draft::of(measure, value).said_by(all - silent, all);
    sheet.add(Draft::of(Measure::Resumptions, all).coverage(all - silent, all));
    sheet.count(Measure::ResumptionsReturned, told.returned_count);
    sheet.add(said(Measure::ResumptionsReady, told.ready_count));
    sheet.count(Measure::ResumptionsSilent, silent);
    if all > 0 {
        sheet.add(said(Measure::ResumptionScore, told.score));
    }
    let mut section = sheet.section;
    // Whether a school is ready is looked at when it acts and once a day.
    if let Some(checked) = told.oldest_check_time {
        let ready = [Measure::ResumptionsReady, Measure::ResumptionScore];
        for figure in &mut section.figures {
            if ready.contains(&figure.measure()) {
                figure.data_time = Some(checked);
            }
        }
    }
    Told {
        sections: vec![section],
        ..Told::default()
    }
}
