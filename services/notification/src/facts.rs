//! What sampling tells, read as facts that ask somebody to do something. People are counted, never
//! named.

use chrono::{DateTime, Utc};
use kit::field::from_timestamp;
use proto::sampling as pb;
use proto::sampling::sampling_event::State;

use crate::domain::fact::{Entity, Fact, Figures, Kind};
use crate::domain::place::leaf;
use crate::store::facts::Told;

/// The collections whose entities have facts of a kind.
const COLLECTIONS: [&str; 1] = ["holds"];

/// What an event tells of its entity: the facts that are, all others being over. None for an
/// entity that never has any, and for one that a newer peer tells in a way unknown here.
pub(crate) fn told(event: &pb::SamplingEvent, now: DateTime<Utc>) -> Option<Told> {
    let facts = match &event.state {
        _ if event.removed => {
            let collection = event.entity.rsplit('/').nth(1)?;
            COLLECTIONS.contains(&collection).then(Vec::new)?
        }
        Some(State::Hold(hold)) => hold_placed(event, hold, now).into_iter().collect(),
        Some(State::Tube(_) | State::Draw(_)) | None => return None,
    };
    Some(Told {
        entity: event.entity.clone(),
        version: event.version,
        gone: event.removed,
        facts,
    })
}

/// The members of a tube are held: from its result until everybody is free. What is left when
/// singles were positive is for a person to end.
fn hold_placed(event: &pb::SamplingEvent, hold: &pb::Hold, now: DateTime<Utc>) -> Option<Fact> {
    use pb::hold::State;
    let stands = match hold.state() {
        State::ResolvedNegative | State::Released => return None,
        State::ResolvedPositive => false,
        // What a newer peer means by a value unknown here is not a reason to end an alert.
        State::Active | State::Unspecified => true,
    };
    let path = if event.org_path.is_empty() {
        &hold.org_path
    } else {
        &event.org_path
    };
    // A tube that is of no class group stands at its organisation.
    let entity = entity(&event.entity, &hold.class_group, path);
    let placed = instant(hold.start_time, now);
    Some(Fact {
        subjects: named([&hold.class_group, &hold.tube]),
        figures: Figures {
            people: i32::try_from(hold.members.len()).unwrap_or(i32::MAX),
            ..Figures::default()
        },
        stands,
        ..Fact::new(Kind::HoldPlaced, entity, placed)
    })
}

/// The entity `name` at the organisation that `within` names, else at the last one of `path`.
fn entity(name: &str, within: &str, path: &str) -> Entity {
    let organization = match within.split('/').collect::<Vec<_>>()[..] {
        ["organizations", organization, ..] => organization,
        _ => leaf(path),
    };
    Entity {
        name: name.to_owned(),
        organization: organization.to_owned(),
        org_path: place_of(organization, path).to_owned(),
    }
}

/// The place of an organisation, whose id stands in a longer path.
fn place_of<'a>(organization: &str, path: &'a str) -> &'a str {
    let mut end = 0;
    for id in path.split('/') {
        end += id.len();
        if id == organization {
            return &path[..end];
        }
        end += 1;
    }
    path
}

fn instant(time: Option<prost_types::Timestamp>, otherwise: DateTime<Utc>) -> DateTime<Utc> {
    time.and_then(from_timestamp).unwrap_or(otherwise)
}

/// Those of `names` that are not empty.
fn named<const N: usize>(names: [&String; N]) -> Vec<String> {
    let named = names.into_iter().filter(|name| !name.is_empty());
    named.cloned().collect()
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
