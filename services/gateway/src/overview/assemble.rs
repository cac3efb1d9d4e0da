//! Puts together what the sources answered, whatever the order in which they did.

use std::collections::BTreeMap;

use prost_types::Timestamp;
use proto::gateway::section::{Kind, State};
use proto::gateway::{Overview, Section};

use super::figures::Told;
use super::source::Source;

/// What came of asking one source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// It answered.
    Told(Told),
    /// The caller may not read these figures here.
    NotPermitted,
    /// It does not take the caller's token, or not any more.
    TokenRefused,
    /// It is down or late; what it told this caller last, if it did lately.
    Unavailable(Option<Told>),
    /// It has no such figures, for this reason.
    Unknown(String),
    /// It keeps no figures of that day.
    NotKept,
}

/// What came of asking, by source.
pub(crate) type Parts = BTreeMap<Source, Part>;

/// An organisation of the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) org_path: String,
    pub(crate) display_name: String,
}

/// The overview of the organisation `id`. What `place` does not say is taken from the sources; one that
/// is not among `parts` is left out.
pub(crate) fn assemble(
    id: &str,
    mut place: Place,
    date: proto::Date,
    parts: &Parts,
    now: Timestamp,
) -> Overview {
    for told in parts.values().filter_map(told) {
        if place.org_path.is_empty() {
            place.org_path.clone_from(&told.org_path);
        }
        if place.display_name.is_empty() {
            place.display_name.clone_from(&told.display_name);
        }
    }
    let sections = parts.iter().flat_map(|(source, part)| {
        let kinds = source.kinds().iter();
        kinds.map(|kind| section(*source, *kind, part))
    });
    let mut sections: Vec<Section> = sections.collect();
    sections.sort_by_key(|section| section.kind);
    Overview {
        name: format!("organizations/{id}/overview"),
        org_path: place.org_path,
        display_name: place.display_name,
        date: Some(date),
        sections,
        read_time: Some(now),
    }
}

fn told(part: &Part) -> Option<&Told> {
    match part {
        Part::Told(told) | Part::Unavailable(Some(told)) => Some(told),
        _ => None,
    }
}

fn section(source: Source, kind: Kind, part: &Part) -> Section {
    let state = match part {
        Part::Told(_) => State::Current,
        Part::NotPermitted | Part::TokenRefused => State::NotPermitted,
        Part::Unavailable(_) => State::Unavailable,
        Part::Unknown(_) => State::Unknown,
        Part::NotKept => State::NotKept,
    };
    let told = told(part).and_then(|told| {
        let of_kind = |section: &&Section| section.kind() == kind;
        told.sections.iter().find(of_kind).cloned()
    });
    let mut section = told.unwrap_or_default();
    section.kind = kind.into();
    // A service that answers may still keep one of its subjects from the caller.
    if section.state() != State::NotPermitted {
        section.state = state.into();
    }
    section.source = source.method().to_owned();
    if let Part::Unknown(reason) = part {
        section.reason.clone_from(reason);
    }
    section
}

/// The sections of `after` that say something else than those of `before`; that they were counted again
/// with the same outcome is nothing new.
pub(crate) fn changed(before: &Overview, after: &Overview) -> Vec<Section> {
    let known: BTreeMap<i32, Section> = before
        .sections
        .iter()
        .map(|section| (section.kind, timeless(section)))
        .collect();
    let news = after
        .sections
        .iter()
        .filter(|section| known.get(&section.kind) != Some(&timeless(section)));
    news.cloned().collect()
}

fn timeless(section: &Section) -> Section {
    let mut section = section.clone();
    section.data_time = None;
    for figure in &mut section.figures {
        figure.data_time = None;
    }
    section
}
