//! Shelters and isolation rooms, field by field, both ways.

use kit::field::Fields;
use kit::status::Problem;
use proto::safety as pb;

use super::{counted, few, history, natural, number};
use crate::app::refuges::{Advice, Isolation, Kept};
use crate::domain::shelter::isolation::{self, IsolationRoom};
use crate::domain::shelter::{Cause, Shelter, State};
use crate::store::records::resource_name;

const NAME: usize = 63;
const ACCESS: usize = 200;
const MOST_CONTENTS: usize = 50;
const MOST_SHELTERED: i32 = 100_000;
const MOST_ISOLATED: i32 = 100;
const MOST_COUNTED: i32 = 1_000_000;

fn described(fields: &mut Fields, at: &str, (name, access): (&str, &str)) {
    for (leaf, text, most) in [("display_name", name, NAME), ("access", access, ACCESS)] {
        let field = format!("{at}.{leaf}");
        fields.required(&field, text);
        fields.text(&field, text, most);
    }
}

fn capacity(fields: &mut Fields, at: &str, number: i32, most: i32) -> u32 {
    natural(fields.within(&format!("{at}.capacity"), number, 1..=most))
}

/// What is said of a shelter, with nobody inside.
pub(in crate::grpc) fn shelter(said: &pb::Shelter) -> Result<Shelter, Problem> {
    let mut fields = Fields::new();
    described(&mut fields, "shelter", (&said.display_name, &said.access));
    let capacity = capacity(&mut fields, "shelter", said.capacity, MOST_SHELTERED);
    few(
        &mut fields,
        "shelter.contents",
        &said.contents,
        MOST_CONTENTS,
    );
    for (place, entry) in said.contents.iter().enumerate().take(MOST_CONTENTS) {
        let field = format!("shelter.contents[{place}]");
        fields.required(&field, entry);
        fields.text(&field, entry, NAME);
    }
    fields.finish()?;
    Ok(Shelter {
        display_name: said.display_name.clone(),
        access: said.access.clone(),
        capacity,
        contents: said.contents.clone(),
        step_free: said.step_free,
        occupants: 0,
        cause: None,
    })
}

/// What is said of an isolation room.
pub(in crate::grpc) fn room(said: &pb::IsolationRoom) -> Result<IsolationRoom, Problem> {
    let mut fields = Fields::new();
    let at = "isolation_room";
    described(&mut fields, at, (&said.display_name, &said.access));
    let capacity = capacity(&mut fields, at, said.capacity, MOST_ISOLATED);
    fields.finish()?;
    Ok(IsolationRoom {
        display_name: said.display_name.clone(),
        access: said.access.clone(),
        capacity,
        separate: said.separate,
        ventilated: said.ventilated,
        near_gate: said.near_gate,
        own_route: said.own_route,
        own_toilet: said.own_toilet,
    })
}

/// Why a shelter is opened.
pub(in crate::grpc) fn cause(number: i32) -> Result<Cause, Problem> {
    let refused = || Problem::invalid("cause", "请选择有效的选项", "not a known value");
    Cause::from_number(number).ok_or_else(refused)
}

/// How many people are inside.
pub(in crate::grpc) fn occupants(number: i32) -> Result<u32, Problem> {
    let mut fields = Fields::new();
    let count = counted(&mut fields, "occupant_count", number, MOST_COUNTED);
    fields.finish()?;
    Ok(count)
}

/// How many people need a place; 0 for those without one in the campus's own shelters.
pub(in crate::grpc) fn people(number: i32) -> Result<u32, Problem> {
    let mut fields = Fields::new();
    let count = counted(&mut fields, "person_count", number, MOST_COUNTED);
    fields.finish()?;
    Ok(count)
}

/// Advice for the wire.
pub(in crate::grpc) fn advice(advice: Advice) -> pb::PreviewSheltersResponse {
    let small = |count: u64| i32::try_from(count).unwrap_or(i32::MAX);
    let proposals = advice.proposals.into_iter();
    let proposals = proposals.map(|(shelter, part)| pb::ShelterProposal {
        shelter: shelter.id,
        person_count: small(part),
        mutual_aid: shelter.nearness.mutual_aid,
        same_district: shelter.nearness.same_district,
    });
    pb::PreviewSheltersResponse {
        person_count: small(advice.wanted),
        proposals: proposals.collect(),
        unplaced_count: small(advice.unplaced),
    }
}

/// The state by which a list is filtered, when it is.
pub(in crate::grpc) fn state(number: i32) -> Result<Option<i16>, Problem> {
    if number == 0 {
        return Ok(None);
    }
    let refused = || Problem::invalid("state", "请选择有效的选项", "not a known value");
    let state = State::from_number(number).ok_or_else(refused)?;
    Ok(Some(state as i16))
}

/// A shelter for the wire.
pub(in crate::grpc) fn written_shelter(kept: Kept<Shelter>) -> pb::Shelter {
    let Kept { row, body, history } = kept;
    let Shelter {
        display_name,
        access,
        capacity,
        contents,
        step_free,
        occupants,
        cause,
    } = body;
    pb::Shelter {
        name: resource_name(&row.organization, "shelters", row.id),
        display_name,
        access,
        capacity: number(capacity),
        contents,
        step_free,
        state: row.state.into(),
        occupant_count: number(occupants),
        history: history::history(history),
        etag: row.etag(),
        cause: cause.map_or(0, |cause| cause as i32),
    }
}

/// An isolation room for the wire.
pub(in crate::grpc) fn written_room(kept: Kept<IsolationRoom>) -> pb::IsolationRoom {
    let Kept { row, body, history } = kept;
    let suitable = row.state == isolation::State::InUse as i16 && body.is_suitable();
    let IsolationRoom {
        display_name,
        access,
        capacity,
        separate,
        ventilated,
        near_gate,
        own_route,
        own_toilet,
    } = body;
    pb::IsolationRoom {
        name: resource_name(&row.organization, "isolationRooms", row.id),
        suitable,
        display_name,
        access,
        capacity: number(capacity),
        separate,
        ventilated,
        near_gate,
        own_route,
        own_toilet,
        state: row.state.into(),
        history: history::history(history),
        etag: row.etag(),
    }
}

/// A page of isolation rooms for the wire.
pub(in crate::grpc) fn rooms(
    found: Vec<Kept<IsolationRoom>>,
    next_page_token: String,
    isolation: Isolation,
) -> pb::ListIsolationRoomsResponse {
    pb::ListIsolationRoomsResponse {
        isolation_rooms: found.into_iter().map(written_room).collect(),
        next_page_token,
        required_count: number(isolation.required),
        suitable_count: number(isolation.suitable),
    }
}
