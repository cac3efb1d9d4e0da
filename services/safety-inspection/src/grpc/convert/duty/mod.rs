//! The duty watch, field by field, both ways.

mod requests;

use chrono::{DateTime, Utc};
use kit::field::{to_date, to_timestamp};
use proto::safety as pb;
use uuid::Uuid;

pub(in crate::grpc) use super::drills::day;
pub(in crate::grpc) use super::{child, organization, singleton};
use super::{history, number};
use crate::app::duty::{
    InForce, OnDuty, OnShift, PatrolledDay, ROSTERS, SHIFTS, SWAPS, Shown, ShownRoster, ShownShift,
};
use crate::domain::duty::{
    Crew, Handover, Note, Planned, Post, Roster, Shift, Span, Swap, Template,
};
use crate::store::duty::{PatrolRow, SpotCheckRow};
use crate::store::records::{Record, resource_name};

pub(in crate::grpc) use requests::{
    generated, note, only, patrol_day, point, result, shifts, stand_ins, swap_of,
};

fn at(instant: DateTime<Utc>) -> Option<prost_types::Timestamp> {
    Some(to_timestamp(instant))
}

fn posts(posts: Vec<Post>) -> Vec<pb::DutyPost> {
    let posts = posts.into_iter().map(|post| {
        let Post { post, staff_member } = post;
        pb::DutyPost { post, staff_member }
    });
    posts.collect()
}

fn round(span: Span) -> pb::Round {
    pb::Round {
        start_time: at(span.start),
        end_time: at(span.end),
    }
}

/// A template as callers see it.
pub(in crate::grpc) fn template(found: InForce) -> pb::DutyTemplate {
    let InForce {
        organization,
        template,
        day,
    } = found;
    let Template {
        code,
        display_name,
        season: _,
        shift_start_minutes,
        patrol_start_minute,
        patrol_minutes,
        patrol_interval_minutes,
        source,
        effective_date: _,
    } = template;
    pb::DutyTemplate {
        name: format!("organizations/{organization}/dutyTemplate"),
        code,
        display_name,
        shift_start_minutes: shift_start_minutes.into_iter().map(number).collect(),
        patrol_start_minute: number(patrol_start_minute),
        patrol_minutes: number(patrol_minutes),
        patrol_interval_minutes: number(patrol_interval_minutes),
        source,
        date: Some(to_date(day)),
    }
}

/// A roster as callers see it.
pub(in crate::grpc) fn roster(found: ShownRoster) -> pb::DutyRoster {
    let ShownRoster { shown, gaps } = found;
    pb::DutyRoster {
        adjacent_gaps: gaps.into_iter().map(round).collect(),
        ..alone(shown)
    }
}

/// A roster without what follows from its neighbours.
fn alone(shown: Shown<Roster>) -> pb::DutyRoster {
    let name = shown.record.name(ROSTERS);
    let Roster {
        state,
        span,
        shifts,
        policy_version,
    } = shown.record.value;
    pb::DutyRoster {
        name,
        state: state as i32,
        start_time: at(span.start),
        end_time: at(span.end),
        shifts: shifts.into_iter().map(planned).collect(),
        policy_version,
        history: history::history(shown.history),
        adjacent_gaps: Vec::new(),
    }
}

/// A roster in a list: without its shifts.
pub(in crate::grpc) fn listed_roster(shown: Shown<Roster>) -> pb::DutyRoster {
    pb::DutyRoster {
        shifts: Vec::new(),
        ..alone(shown)
    }
}

fn planned(planned: Planned) -> pb::duty_roster::Shift {
    let Planned { span, crew } = planned;
    let Crew {
        leader,
        staff,
        posts: at_posts,
        phone,
    } = crew;
    pb::duty_roster::Shift {
        start_time: at(span.start),
        end_time: at(span.end),
        leader,
        staff,
        posts: posts(at_posts),
        phone,
    }
}

/// A shift as callers see it.
pub(in crate::grpc) fn shift(shown: ShownShift) -> pb::DutyShift {
    let ShownShift {
        record,
        handover_overdue,
        patrols,
        missed,
        history,
    } = shown;
    let name = record.name(SHIFTS);
    let Record {
        value: shift,
        id: _,
        organization: _,
        org_path: _,
    } = record;
    let Shift {
        state,
        span,
        crew,
        check_in_due,
        arrivals,
        handover,
        roster,
        replaces,
        replaced_by,
    } = shift;
    let arrivals = arrivals.into_iter().map(|arrival| pb::duty_shift::Arrival {
        staff_member: arrival.staff_member,
        arrive_time: at(arrival.at),
    });
    pb::DutyShift {
        name,
        state: state as i32,
        start_time: at(span.start),
        end_time: at(span.end),
        leader: crew.leader,
        staff: crew.staff,
        posts: posts(crew.posts),
        check_in_due_time: at(check_in_due),
        arrivals: arrivals.collect(),
        handover: handover.map(handed),
        handover_overdue,
        roster,
        replaces,
        replaced_by,
        patrols: patrols.into_iter().map(patrol).collect(),
        missed_rounds: missed.into_iter().map(round).collect(),
        history: history::history(history),
        phone: crew.phone,
    }
}

fn handed(handover: Handover) -> pb::duty_shift::Handover {
    let Handover {
        note,
        written,
        successor,
        taken,
    } = handover;
    let Note {
        summary,
        open_items,
    } = note;
    pb::duty_shift::Handover {
        summary,
        open_items,
        write_time: at(written),
        successor,
        take_over_time: taken.map(to_timestamp),
    }
}

/// A swap as callers see it.
pub(in crate::grpc) fn swap(shown: Shown<Swap>) -> pb::DutySwap {
    let name = shown.record.name(SWAPS);
    let Swap {
        state,
        shift,
        staff_member,
        substitute,
        reason,
        asker: _,
    } = shown.record.value;
    pb::DutySwap {
        name,
        state: state as i32,
        shift,
        staff_member,
        substitute,
        reason,
        history: history::history(shown.history),
    }
}

fn instant(millis: i64) -> Option<prost_types::Timestamp> {
    DateTime::from_timestamp_millis(millis).map(to_timestamp)
}

fn shift_name(organization: &str, shift: Uuid) -> String {
    resource_name(organization, SHIFTS, shift)
}

/// A spot check as callers see it.
pub(in crate::grpc) fn spot_check(row: SpotCheckRow) -> pb::SpotCheck {
    pb::SpotCheck {
        name: resource_name(&row.organization, "spotChecks", row.id),
        shift: shift_name(&row.organization, row.shift),
        result: row.result.into(),
        check_time: instant(row.checked_at),
    }
}

/// A point that was passed as callers see it.
pub(in crate::grpc) fn patrol(row: PatrolRow) -> pb::Patrol {
    pb::Patrol {
        name: resource_name(&row.organization, "patrols", row.id),
        shift: shift_name(&row.organization, row.shift),
        patrol_time: instant(row.passed_at),
        point: row.point,
        staff_member: row.staff_member,
    }
}

/// How a day was patrolled as callers see it.
pub(in crate::grpc) fn patrolled(found: PatrolledDay) -> pb::PatrolDay {
    let PatrolledDay {
        organization,
        date,
        day,
        policy_version,
    } = found;
    pb::PatrolDay {
        name: format!("organizations/{organization}/patrolDays/{date}"),
        state: day.standing() as i32,
        required_count: number(day.required),
        patrol_count: number(day.count),
        missed_rounds: day.missed.into_iter().map(round).collect(),
        policy_version,
    }
}

/// Who is on duty as callers see it.
pub(in crate::grpc) fn standing(found: OnDuty) -> pb::DutyStanding {
    let OnDuty {
        organization,
        standing,
        shift,
    } = found;
    let OnShift {
        shift,
        leader,
        phone,
    } = shift.unwrap_or_default();
    pb::DutyStanding {
        organization: format!("organizations/{}", organization.id),
        display_name: organization.display_name,
        state: standing as i32,
        shift,
        leader,
        phone,
        gap_start_time: None,
        gap_end_time: None,
        missed_round_count: 0,
    }
}
