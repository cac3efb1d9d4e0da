//! The figures of bureaus for the wire.

use chrono::{DateTime, Utc};
use kit::field::to_timestamp;
use prost_types::Timestamp;
use proto::safety as pb;
use proto::safety::safety_figures as parts;

use crate::app::figures::Figures;
use crate::domain::figures::{Counts, Metric};
use crate::domain::protection::finding::PartKind;
use crate::domain::weather::state::State;

/// The three demands of rule 5.10, in the order of [`Metric::DEMANDS`].
const DEMANDS: [PartKind; 3] = [
    PartKind::FullTimeGuards,
    PartKind::ClosedManagement,
    PartKind::OneKeyAlarm,
];

fn small(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn many(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// An instant in milliseconds since 1970; 0 for none.
fn instant(millis: i64) -> Option<Timestamp> {
    let instant = DateTime::from_timestamp_millis(millis).filter(|_| millis != 0);
    instant.map(to_timestamp)
}

/// The figures; how many were not let in at once only for whoever `sees_decisions` one by one.
pub(in crate::grpc) fn shown(
    figures: Figures,
    sees_decisions: bool,
    now: DateTime<Utc>,
) -> pb::SafetyFigures {
    let counts = &figures.counts;
    let of = |metric| small(counts.get(metric));
    pb::SafetyFigures {
        name: format!("organizations/{}/safetyFigures", figures.organization),
        org_path: figures.org_path,
        display_name: figures.display_name,
        campus_count: many(figures.campuses),
        silent_campus_count: many(figures.silent),
        demands: demands(counts, figures.schools),
        hazards: Some(parts::Hazards {
            ungraded_open_count: of(Metric::UngradedOpen),
            ungraded_overdue_count: of(Metric::UngradedOverdue),
            general_open_count: of(Metric::GeneralOpen),
            general_overdue_count: of(Metric::GeneralOverdue),
            major_open_count: of(Metric::MajorOpen),
            major_overdue_count: of(Metric::MajorOverdue),
            moved_count: of(Metric::HazardsMoved),
            last_move_time: instant(figures.moved),
        }),
        drills: Some(parts::Drills {
            due_count: of(Metric::DrillsDue),
            done_count: of(Metric::DrillsDone),
            missed_count: of(Metric::DrillsMissed),
            counted_drill_count: of(Metric::DrillsCounted),
            slow_drill_count: of(Metric::DrillsSlow),
        }),
        duty: Some(parts::Duty {
            on_duty_count: of(Metric::OnDuty),
            awaited_count: of(Metric::DutyAwaited),
            unattended_count: of(Metric::DutyUnattended),
            gap_count: of(Metric::DutyGap),
            missed_round_count: of(Metric::RoundsMissed),
        }),
        inspections: Some(parts::Inspections {
            due_count: of(Metric::InspectionsDue),
            inspected_count: of(Metric::InspectionsDone),
            missed_count: of(Metric::InspectionsMissed),
        }),
        visitors: Some(parts::Visitors {
            inside_count: of(Metric::VisitorsInside),
            overstaying_count: of(Metric::VisitorsOverstaying),
            emergency_count: of(Metric::VisitEmergencies),
            after_entry_overdue_count: of(Metric::VisitorsAfterEntryOverdue),
        }),
        weather: Some(weather(counts)),
        incidents: Some(parts::Incidents {
            level_one_count: of(Metric::IncidentsOne),
            level_two_count: of(Metric::IncidentsTwo),
            level_three_count: of(Metric::IncidentsThree),
            level_four_count: of(Metric::IncidentsFour),
            late_count: of(Metric::IncidentsLate),
            late_hop_count: of(Metric::HopsLate),
        }),
        protection_finding_count: of(Metric::ProtectionFindings),
        supply_below_minimum_count: of(Metric::SuppliesBelow),
        data_time: Some(to_timestamp(now)),
        readiness: Some(readiness(counts)),
        gates: Some(parts::Gates {
            decision_count: small(figures.gates.decisions),
            offline_count: small(figures.gates.offline),
            stopped_count: sees_decisions.then(|| small(figures.gates.stopped)),
            overridden_count: small(figures.gates.overridden),
            last_override_time: instant(figures.gates.last_override),
            campus_count: many(figures.deciding),
        }),
    }
}

fn readiness(counts: &Counts) -> parts::Readiness {
    let [schools, blocked] =
        [Metric::Resuming, Metric::ResumingBlocked].map(|metric| counts.get(metric));
    let mean = counts.get(Metric::ResumingScore).checked_div(schools);
    parts::Readiness {
        school_count: small(schools),
        silent_count: small(counts.get(Metric::ResumingSilent)),
        blocked_count: small(blocked),
        ready_count: small(schools.saturating_sub(blocked)),
        mean_score: mean.map(small),
    }
}

fn demands(counts: &Counts, schools: u64) -> Vec<parts::Demand> {
    let demands = DEMANDS.into_iter().zip(Metric::DEMANDS);
    let demands = demands.map(|(kind, metrics)| {
        let [met, not_met, lapsed] = metrics.map(|metric| counts.get(metric));
        let total = i64::try_from(schools).unwrap_or(i64::MAX);
        let said = met.saturating_add(not_met).saturating_add(lapsed);
        let points = met.saturating_mul(10_000).checked_div(total);
        parts::Demand {
            kind: kind as i32,
            met_count: small(met),
            not_met_count: small(not_met),
            lapsed_count: small(lapsed),
            not_declared_count: small(total.saturating_sub(said).max(0)),
            met_basis_points: points.map(small),
        }
    });
    demands.collect()
}

fn weather(counts: &Counts) -> parts::Weather {
    let states = State::ALL.iter().filter_map(|state| {
        let campuses = counts.get(Metric::of_weather(*state)?);
        (campuses > 0).then(|| parts::weather::Count {
            state: *state as i32,
            campus_count: small(campuses),
        })
    });
    parts::Weather {
        states: states.collect(),
        open_task_count: small(counts.get(Metric::TasksOpen)),
        overdue_task_count: small(counts.get(Metric::TasksOverdue)),
        post_check_overdue_count: small(counts.get(Metric::PostCheckOverdue)),
    }
}
