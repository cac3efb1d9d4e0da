//! Drills, and the duty watch; posts are looked up by whoever needs them, nobody is named.

use kit::field::to_timestamp;
use proto::safety as pb;
use proto::safety::safety_event::State as EventState;

use super::{Telling, instant, number};
use crate::app::duty::Now;
use crate::domain::drill::{self, Drill};
use crate::domain::duty::{Shift, ShiftState, Standing};
use crate::domain::figures::{Counts, Metric};
use crate::store::duty::SpotCheckRow;
use crate::store::records::{Record, resource_name};

/// A spot check that failed is told for so long: a week, in milliseconds.
const TOLD: i64 = 7 * 86_400_000;

/// A drill, from its approval until it is archived or broken off.
pub(crate) fn drill(record: &Record<Drill>) -> Telling {
    use drill::State;
    let drill = &record.value;
    let name = record.name("drills");
    let stands = !matches!(
        drill.state,
        State::Planned | State::Archived | State::Aborted
    );
    let signal = drill.signal.as_ref();
    let told = pb::Drill {
        name: name.clone(),
        state: drill.state as i32,
        drill_type: drill.plan.kind as i32,
        plan_time: Some(to_timestamp(drill.plan.at)),
        signal_time: signal.map(|signal| to_timestamp(signal.at)),
        all_out_time: drill.all_out.map(to_timestamp),
        ..pb::Drill::default()
    };
    let state = stands.then_some(EventState::Drill(told));
    let home = (&*record.organization, &*record.org_path);
    Telling::gone("drills", name, home).with(state, Counts::default())
}

/// A shift to which nobody came, until others are sent or it is over at `now`, in milliseconds since
/// 1970.
pub(crate) fn shift(record: &Record<Shift>, now: i64) -> Telling {
    let shift = &record.value;
    let name = record.name("dutyShifts");
    let home = (&*record.organization, &*record.org_path);
    let end = shift.span.end.timestamp_millis();
    let telling = Telling::gone("dutyShifts", name.clone(), home);
    if shift.state != ShiftState::Alert || end <= now {
        return telling;
    }
    let told = pb::DutyShift {
        name,
        state: shift.state as i32,
        start_time: Some(to_timestamp(shift.span.start)),
        end_time: Some(to_timestamp(shift.span.end)),
        check_in_due_time: Some(to_timestamp(shift.check_in_due)),
        roster: shift.roster.clone(),
        ..pb::DutyShift::default()
    };
    let state = EventState::DutyShift(told);
    telling.with(Some(state), Counts::default()).wakes(end)
}

/// Whether somebody is on duty at an organisation with a published roster, and the time without a roster,
/// now or soon.
pub(crate) fn duty_standing((organization, org_path): (&str, &str), found: Now) -> Telling {
    let Now {
        standing,
        shift,
        hole,
        unmade,
        next,
    } = found;
    let unmade = number(unmade.len());
    let hole = hole.unwrap_or_default();
    let told = pb::DutyStanding {
        organization: format!("organizations/{organization}"),
        state: standing as i32,
        shift: shift.unwrap_or_default(),
        gap_start_time: hole.start.map(to_timestamp),
        gap_end_time: hole.end.map(to_timestamp),
        missed_round_count: unmade,
        ..pb::DutyStanding::default()
    };
    let metric = match standing {
        Standing::Gap => Metric::DutyGap,
        Standing::Alert => Metric::DutyUnattended,
        Standing::Awaited => Metric::DutyAwaited,
        Standing::OnDuty => Metric::OnDuty,
    };
    Telling::no_standing("dutyStanding", (organization, org_path))
        .with(
            Some(EventState::DutyStanding(told)),
            Counts::default()
                .with(metric, 1)
                .with(Metric::RoundsMissed, unmade.into()),
        )
        .wakes(next.timestamp_millis())
}

/// A spot check at which nobody answered, for a week up to `now`, in milliseconds since 1970.
pub(crate) fn spot_check(row: &SpotCheckRow, now: i64) -> Telling {
    let home = (&*row.organization, &*row.org_path);
    let name = resource_name(&row.organization, "spotChecks", row.id);
    let telling = Telling::gone("spotChecks", name.clone(), home);
    let until = row.checked_at.saturating_add(TOLD);
    let failed = i32::from(row.result) == pb::spot_check::Result::NoAnswer as i32;
    if !failed || until <= now {
        return telling;
    }
    let told = pb::SpotCheck {
        name,
        shift: resource_name(&row.organization, "dutyShifts", row.shift),
        result: row.result.into(),
        check_time: instant(row.checked_at),
    };
    let state = EventState::SpotCheck(told);
    telling.with(Some(state), Counts::default()).wakes(until)
}
