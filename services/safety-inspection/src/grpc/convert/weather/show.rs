//! What callers see of the weather.

use chrono::DateTime;
use kit::clock::civil_date;
use kit::field::{to_date, to_timestamp};
use kit::org::OrgPath;
use prost_types::Timestamp;
use proto::safety as pb;

use super::evidence::photo;
use super::words;
use crate::app::weather::{
    CheckView, ResponseView, SignalView, StateView, SuspensionView, TaskView, check_name, shown_by,
};
use crate::domain::weather::state::State;
use crate::domain::weather::suspension::Teaching;
use crate::domain::weather::task::TaskState;
use crate::store::weather::NEVER;
use crate::store::weather::changes::ChangeRow;
use crate::store::weather::checks::FindingRow;
use crate::store::weather::groups::Group;
use crate::store::weather::states::state_name;

/// An instant of a table; none for what never comes or has not come.
pub(super) fn instant(milliseconds: i64) -> Option<Timestamp> {
    let set = Some(milliseconds).filter(|at| *at != NEVER && *at != 0);
    set.and_then(DateTime::from_timestamp_millis)
        .map(to_timestamp)
}

fn history(rows: &[ChangeRow], word: fn(i16) -> String) -> Vec<pb::WeatherChange> {
    let changes = rows.iter().map(|row| pb::WeatherChange {
        change_time: instant(row.changed_at),
        actor: row.actor.clone(),
        from_state: word(row.from_state),
        to_state: word(row.to_state),
        level: row.level.into(),
        cause: row.cause.clone(),
    });
    changes.collect()
}

fn owned(parts: Vec<&str>) -> Vec<String> {
    parts.into_iter().map(str::to_owned).collect()
}

pub(in crate::grpc) fn signal(view: SignalView) -> pb::WeatherSignal {
    let SignalView {
        row,
        missing,
        history: changes,
    } = view;
    pb::WeatherSignal {
        name: row.name(),
        state: row.state.into(),
        kind: row.kind.into(),
        level: row.level.into(),
        divisions: owned(row.prefixes()),
        create_time: instant(row.began_at),
        expire_time: instant(row.expires_at),
        end_time: instant(row.ended_at),
        sender: row.issuer,
        headline: row.basis,
        event_code: row.event_code,
        missing,
        history: history(&changes, words::signal),
    }
}

pub(in crate::grpc) fn response(view: ResponseView) -> pb::ResponseLevel {
    let ResponseView {
        row,
        suspension,
        history: changes,
    } = view;
    pb::ResponseLevel {
        name: row.name(),
        state: row.state.into(),
        kind: row.kind.into(),
        level: row.level.into(),
        divisions: owned(row.prefixes()),
        create_time: instant(row.began_at),
        end_time: instant(row.ended_at),
        headquarters: row.issuer,
        basis: row.basis,
        suspension: suspension.unwrap_or_default(),
        history: history(&changes, words::response),
    }
}

pub(in crate::grpc) fn state(view: StateView) -> pb::WeatherState {
    let row = view.row.unwrap_or_default();
    let warned = row.state != 0;
    let due = row.due_at < NEVER && warned;
    let in_person = Teaching::InPerson as i16;
    let teaching = view.teaching.as_ref();
    let told = teaching.is_none_or(|one| one.told == one.wanted && one.due_at == NEVER);
    let mut shown = pb::WeatherState {
        name: state_name(&view.organization),
        state: if warned {
            row.state.into()
        } else {
            State::None as i32
        },
        level: row.level.into(),
        state_time: instant(row.since_at),
        buses_stopped: view.buses_stopped,
        post_check_due_time: instant(row.due_at).filter(|_| due),
        overdue: due && row.due_at < view.now,
        teaching: teaching.map_or(in_person, |one| one.wanted).into(),
        teaching_told: told,
        ..pb::WeatherState::default()
    };
    if let Some(day) = view.day {
        shown.date = Some(to_date(day.date));
        shown.arrival_delayed = day.arrival_delayed;
        shown.dismissal_delayed = day.dismissal_delayed;
        shown.flood_season = day.flood_season;
        shown.policy_version = day.policy_version;
        shown.causes = day.causes;
        shown.suspensions = day.suspensions;
        shown.history = history(&day.history, words::state);
    }
    shown
}

pub(in crate::grpc) fn task(view: &TaskView, scope: &OrgPath) -> pb::WeatherTask {
    let row = &view.row;
    let open = row.state == TaskState::Open as i16;
    let done = row.state == TaskState::Done as i16;
    let photos = view.photos.iter();
    pb::WeatherTask {
        name: row.name.clone(),
        state: row.state.into(),
        action: row.action.into(),
        level: row.level.into(),
        owner: row.owner.clone(),
        create_time: instant(row.created_at),
        due_time: instant(row.due_at),
        overdue: open && row.due_at < view.now,
        late: done && row.done_at > row.due_at,
        doer: row.doer.clone(),
        done_time: instant(row.done_at),
        note: row.note.clone(),
        photos: photos
            .map(|one| photo(one, &row.organization, scope))
            .collect(),
        history: history(&view.history, words::task),
        place: row.place.clone(),
    }
}

pub(in crate::grpc) fn suspension(view: SuspensionView) -> pb::WeatherSuspension {
    let SuspensionView {
        row,
        history: changes,
    } = view;
    let day = |milliseconds: i64| {
        let instant = DateTime::from_timestamp_millis(milliseconds)?;
        Some(civil_date(instant))
    };
    let last = day(row.ends_at).filter(|_| row.ends_at != NEVER);
    let response = (!row.response.is_nil()).then(|| {
        let id = row.response.hyphenated();
        format!("organizations/{}/responseLevels/{id}", row.organization)
    });
    let covers = row.covers().into_iter().map(|cover| cover as i32);
    pb::WeatherSuspension {
        name: row.name(),
        state: row.state.into(),
        authority: row.authority.into(),
        divisions: owned(crate::store::weather::alarms::prefixes(&row.divisions)),
        covers: covers.collect(),
        teaching: row.teaching.into(),
        start_date: day(row.starts_at).map(to_date),
        end_date: last.and_then(|day| day.pred_opt()).map(to_date),
        guardians_told_time: instant(row.told_at),
        create_time: instant(row.decided_at),
        end_time: instant(row.ended_at),
        reason: row.reason,
        decider: row.decider,
        response_level: response.unwrap_or_default(),
        history: history(&changes, words::suspension),
    }
}

pub(in crate::grpc) fn check(view: &CheckView, scope: &OrgPath) -> pb::PostCheck {
    let recorded = &view.recorded;
    let disinfection = recorded.disinfection.as_ref();
    pb::PostCheck {
        name: check_name(&view.organization),
        findings: recorded
            .findings
            .iter()
            .map(|one| finding(view, one, scope))
            .collect(),
        disinfection: disinfection.map(|one| pb::post_check::Disinfection {
            places: one.places.clone(),
            agent: one.agent.clone(),
            concentration_mg_per_litre: one.concentration,
            signer: one.signer.clone(),
            sign_time: instant(one.signed_at),
        }),
        missing: view.missing.clone(),
    }
}

fn finding(view: &CheckView, row: &FindingRow, scope: &OrgPath) -> pb::post_check::Finding {
    let origin = shown_by(row);
    let own = view.photos.iter().filter(|(of, _)| *of == origin);
    pb::post_check::Finding {
        item: row.item.clone(),
        passed: row.passed,
        place: row.place.clone(),
        description: row.description.clone(),
        photos: own
            .map(|(_, one)| photo(one, &row.organization, scope))
            .collect(),
        hazard: row.hazard.clone(),
        checker: row.checker.clone(),
        check_time: instant(row.checked_at),
    }
}

pub(in crate::grpc) fn group(group: Group) -> pb::MutualAidGroup {
    let Group { row, members } = group;
    let id = row.id.hyphenated();
    pb::MutualAidGroup {
        name: format!("organizations/{}/mutualAidGroups/{id}", row.organization),
        display_name: row.display_name,
        members: members
            .into_iter()
            .map(|member| format!("organizations/{member}"))
            .collect(),
        create_time: instant(row.created_at),
        update_time: instant(row.updated_at),
        etag: row.version.to_string(),
    }
}
