//! Field by field: plans, draws, coverage, as they are told.

use kit::feed::Change;
use kit::field::{to_date, to_timestamp};
use prost::Message;
use proto::sampling::sampling_event::State as EventState;
use proto::sampling::sampling_plan::{Kind, State, Strategy as PlanStrategy};
use proto::sampling::{
    Assignment, Coverage, Draw, DrawCommitment, EvaluateResponse, HoldFigures, Replacement,
    SamplingEvent, SamplingPlan, TubeFigures, assignment, draw as draw_state, evaluate_response,
};

use super::convert::person_name;
use super::tube_convert::instant;
use crate::app::{Answer, Called, CalledState, Covered, Listing, Tubes};
use crate::domain::commitment::{Replaced, SignatureBytes};
use crate::domain::day::Day;
use crate::domain::plan::{DrawId, Plan, PlanKind};
use crate::domain::roll::GroupKind;
use crate::store::draws::DrawRow;
use crate::store::plans::PlanRow;
use crate::store::rolls::group_name;

/// The version of a row as it is sent back on a change.
pub(crate) fn etag(version: i64) -> String {
    format!("{version:x}")
}

fn date(day: Day) -> Option<proto::Date> {
    day.date().map(to_date)
}

pub(crate) fn to_kind(kind: Kind) -> Option<PlanKind> {
    match kind {
        Kind::Unspecified => None,
        Kind::StudentRotation => Some(PlanKind::StudentRotation),
        Kind::StaffByPost => Some(PlanKind::StaffByPost),
        Kind::MassRound => Some(PlanKind::MassRound),
    }
}

pub(crate) fn plan(row: &PlanRow) -> SamplingPlan {
    let PlanRow {
        plan,
        create_time,
        update_time,
        version,
    } = row;
    let Plan {
        id,
        display_name,
        kind,
        org_path,
        ratio,
        cycle_days,
        start,
        end,
        ended,
        policy_version,
    } = plan;
    let kind = match kind {
        PlanKind::StudentRotation => Kind::StudentRotation,
        PlanKind::StaffByPost => Kind::StaffByPost,
        PlanKind::MassRound => Kind::MassRound,
    };
    SamplingPlan {
        name: id.to_string(),
        display_name: display_name.clone(),
        kind: kind.into(),
        organization: format!(
            "organizations/{}",
            org_path.rsplit('/').next().unwrap_or_default()
        ),
        ratio_basis_points: i32::try_from(ratio.basis_points()).unwrap_or(i32::MAX),
        cycle_days: i32::from(*cycle_days),
        strategy: PlanStrategy::LeastRecent.into(),
        start_date: date(*start),
        end_date: end.and_then(date),
        state: if *ended { State::Ended } else { State::Active }.into(),
        policy_version: policy_version.clone(),
        create_time: Some(to_timestamp(*create_time)),
        update_time: Some(to_timestamp(*update_time)),
        etag: etag(*version),
    }
}

/// A draw.
pub(crate) fn draw(row: &DrawRow) -> Draw {
    let DrawRow {
        id,
        org_path,
        cycle: _,
        eligible,
        quota,
        picks,
        replacements,
        record,
        key_id,
        closing,
        create_time,
        version: _,
    } = row;
    let state = match closing {
        None => draw_state::State::Frozen,
        Some(_) => draw_state::State::Closed,
    };
    Draw {
        name: id.to_string(),
        plan: id.plan.to_string(),
        organization: format!("organizations/{}", id.organization),
        org_path: org_path.clone(),
        draw_date: date(id.day),
        state: state.into(),
        policy_version: record.policy_version.clone(),
        class_group_count: i32::try_from(record.class_group_count).unwrap_or(i32::MAX),
        eligible_count: *eligible,
        quota: *quota,
        pick_count: *picks,
        replacement_count: *replacements,
        commitment: Some(DrawCommitment {
            roster_hash: record.roster_hash.clone(),
            seed_commitment: record.seed_commitment.clone(),
            candidates_hash: record.candidates_hash.clone(),
            picks_hash: record.picks_hash.clone(),
        }),
        signature: record.signature.clone(),
        key_id: key_id.clone(),
        seed: closing
            .as_ref()
            .map(|closing| closing.seed.clone())
            .unwrap_or_default(),
        create_time: Some(to_timestamp(*create_time)),
        close_time: closing.as_ref().map(|closing| prost_types::Timestamp {
            seconds: closing.time,
            nanos: 0,
        }),
    }
}

/// The changes of a draw for the feed: a closed one is told once more, then it leaves the snapshot.
pub(crate) fn draw_changes(row: &DrawRow) -> Vec<Change> {
    let told = draw_change(row, row.version, Some(EventState::Draw(draw(row))));
    match row.closing {
        None => vec![told],
        Some(_) => vec![told, draw_change(row, row.version + 1, None)],
    }
}

fn draw_change(row: &DrawRow, version: i64, state: Option<EventState>) -> Change {
    let removed = state.is_none();
    let event = SamplingEvent {
        entity: row.id.to_string(),
        version,
        org_path: row.org_path.clone(),
        removed,
        state,
    };
    Change {
        feed: "sampling",
        kind: "draw",
        entity: row.id.to_string(),
        version,
        removed,
        org_path: row.org_path.parse().unwrap_or_default(),
        payload: event.encode_to_vec(),
        latest: true,
    }
}

pub(crate) fn replacement(
    id: &DrawId,
    replaced: &Replaced,
    signature: &SignatureBytes,
    kind: GroupKind,
) -> Replacement {
    let Replaced {
        sequence,
        group,
        absent,
        replacement,
        passed_over: _,
        time,
    } = replaced;
    Replacement {
        draw: id.to_string(),
        sequence: i32::try_from(*sequence).unwrap_or(i32::MAX),
        class_group: group_name(&id.organization, group),
        absent: person_name(kind, *absent),
        replacement: replacement
            .map(|person| person_name(kind, person))
            .unwrap_or_default(),
        replace_time: Some(prost_types::Timestamp {
            seconds: *time,
            nanos: 0,
        }),
        signature: signature.to_vec().into(),
    }
}

pub(crate) fn assignments(listing: &Listing) -> Vec<Assignment> {
    let Listing {
        organization,
        group,
        kind,
        people,
    } = listing;
    let class_group = group_name(organization, group);
    let assignment = |called: &Called| {
        let Called {
            person,
            state,
            replaces,
            last,
            tube,
        } = called;
        let state = match state {
            CalledState::Assigned => assignment::State::Assigned,
            CalledState::Sampled => assignment::State::Sampled,
            CalledState::Absent => assignment::State::Absent,
        };
        Assignment {
            person: person_name(*kind, *person),
            class_group: class_group.clone(),
            state: state.into(),
            replaces: replaces
                .map(|person| person_name(*kind, person))
                .unwrap_or_default(),
            last_sampled_date: date(*last),
            tube_number: i32::try_from(*tube).unwrap_or(i32::MAX),
        }
    };
    people.iter().map(assignment).collect()
}

pub(crate) fn coverage(covered: Covered) -> Coverage {
    let Covered {
        scope,
        org_path,
        today,
        school_day,
        cycle_days,
        figures,
        schools,
        drawn_schools,
        tubes,
        holds,
    } = covered;
    let small = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    Coverage {
        scope,
        org_path,
        as_of_date: date(today),
        class_group_count: i32::try_from(figures.groups).unwrap_or(i32::MAX),
        enrolled_count: figures.enrolled,
        eligible_count: figures.eligible,
        covered_count: figures.covered,
        due_count: figures.due,
        late_count: figures.late,
        debt_days: figures.debt_days,
        longest_gap_days: small(figures.longest_gap),
        alert_count: figures.alerts,
        cycle_days: small(cycle_days),
        school_count: small(schools),
        drawn_school_count: small(drawn_schools),
        school_day,
        tubes: tubes.map(tube_figures),
        holds: holds.map(|holds| HoldFigures {
            hold_count: many(holds.count),
            overdue_count: many(holds.overdue),
        }),
    }
}

fn many(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn tube_figures(tubes: Tubes) -> TubeFigures {
    let Tubes {
        today,
        overdue,
        with_results,
    } = tubes;
    // On the day of an update some tubes may have been opened by a version that did not count them.
    let seen = |count: i32| count.max(0);
    TubeFigures {
        opened_count: seen(today.opened),
        sealed_count: seen(today.sealed),
        received_count: seen(today.received),
        late_arrival_count: seen(today.late_arrivals),
        failed_count: seen(today.failed),
        result_count: seen(today.results),
        late_result_count: seen(today.late_results),
        positive_count: with_results.then_some(seen(today.positive)),
        corrected_count: seen(today.corrected),
        last_correct_time: instant(today.last_correct),
        overdue_count: many(overdue),
    }
}

pub(crate) fn evaluation(answer: Answer) -> EvaluateResponse {
    let Answer {
        evaluation,
        cost,
        exact,
        groups,
        eligible,
    } = answer;
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of tubes are far below 2^52"
    )]
    let float = |number: u64| number as f64;
    EvaluateResponse {
        detection_delays: (1..)
            .zip(evaluation.delays)
            .map(|(infected, expected_days)| evaluate_response::Delay {
                infected,
                expected_days,
            })
            .collect(),
        longest_gap_days: evaluation.longest_gap,
        uncovered_share: evaluation.uncovered,
        tubes_per_day: float(cost.tubes),
        mixed_tubes_per_day: float(cost.mixed_tubes),
        swabs_per_day: float(cost.swabs),
        people_held_per_positive: cost.held,
        exact,
        class_groups: i32::try_from(groups).unwrap_or(i32::MAX),
        eligible: i64::try_from(eligible).unwrap_or(i64::MAX),
    }
}
