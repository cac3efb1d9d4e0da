//! What changes of warnings are announced in the feed: codes, times and a few words, never a text.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use kit::feed::Change;
use proto::notification as pb;
use proto::notification::notification_event::State as EventState;
use uuid::Uuid;

use super::announced::notification_change;
use super::convert;
use crate::app::warnings::{View, warning_name};
use crate::domain::warning::{Places, coarsened};
use crate::store::warnings::Warning;

/// How many documents of a chain are told, the latest.
const DOCUMENTS: usize = 100;
/// How many languages are told.
const LANGUAGES: usize = 10;
/// How many division codes are told in all areas together.
const DIVISIONS: usize = 1000;
/// How many characters of a word are told.
const WORD: usize = 100;

/// The change of a warning as it stands at `now`; without one it leaves the snapshot.
pub(crate) fn warning_change(
    (id, version, place): (Uuid, i64, &str),
    warning: Option<Warning>,
    now: DateTime<Utc>,
) -> Change {
    let state = warning.map(|warning| EventState::Warning(told_warning(warning, now)));
    notification_change("warning", warning_name(id), version, place, state)
}

fn told_warning(warning: Warning, now: DateTime<Utc>) -> pb::Warning {
    let view = View {
        places: Places::default(),
        now,
    };
    let pb::Warning {
        name,
        state,
        status,
        identifier,
        sender,
        sent_time,
        ingest_time,
        mut infos,
        mut chain,
        cap_version,
        scope,
        restriction: _,
        note: _,
    } = convert::warning(warning, &view);
    infos.truncate(LANGUAGES);
    chain.drain(..chain.len().saturating_sub(DOCUMENTS));
    let areas = || infos.iter().flat_map(|info| &info.areas);
    let divisions: Vec<&[String]> = areas().map(|area| &area.divisions[..]).collect();
    let mut divisions = coarsened(&divisions, DIVISIONS).into_iter();
    let infos = infos
        .into_iter()
        .map(|info| told_info(info, &mut divisions));
    pb::Warning {
        name,
        state,
        status,
        identifier,
        sender,
        sent_time,
        ingest_time,
        infos: infos.collect(),
        chain,
        cap_version,
        scope,
        restriction: String::new(),
        note: String::new(),
    }
}

fn told_info(
    info: pb::WarningInfo,
    divisions: &mut impl Iterator<Item = BTreeSet<String>>,
) -> pb::WarningInfo {
    let pb::WarningInfo {
        language,
        event,
        event_code,
        severity,
        colour,
        urgency,
        certainty,
        effective_time,
        onset_time,
        expire_time,
        sender_name,
        headline: _,
        description: _,
        instruction: _,
        areas,
    } = info;
    let area = |area: pb::WarningArea| pb::WarningArea {
        description: short(&area.description),
        divisions: divisions.next().into_iter().flatten().collect(),
        organizations: Vec::new(),
        shapes: Vec::new(),
    };
    pb::WarningInfo {
        language: short(&language),
        event: short(&event),
        event_code: short(&event_code),
        severity,
        colour,
        urgency,
        certainty,
        effective_time,
        onset_time,
        expire_time,
        sender_name: short(&sender_name),
        headline: String::new(),
        description: String::new(),
        instruction: String::new(),
        areas: areas.into_iter().map(area).collect(),
    }
}

fn short(word: &str) -> String {
    word.chars().take(WORD).collect()
}
