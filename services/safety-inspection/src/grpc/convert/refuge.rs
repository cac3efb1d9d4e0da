//! Shelters and isolation rooms, field by field, both ways.

use kit::field::{Fields, to_timestamp};
use kit::status::Problem;
use proto::safety as pb;

use super::{count, small};
use crate::app::refuges::{Isolation, Kept};
use crate::domain::shelter::isolation::IsolationRoom;
use crate::domain::shelter::{Cause, Shelter};
use crate::store::refuges::RefugeRow;

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
    let number = fields.within(&format!("{at}.capacity"), number, 1..=most);
    u32::try_from(number).unwrap_or_default()
}

/// What is said of a shelter, with nobody inside.
pub(in crate::grpc) fn shelter(said: &pb::Shelter) -> Result<Shelter, Problem> {
    let mut fields = Fields::new();
    described(&mut fields, "shelter", (&said.display_name, &said.access));
    let capacity = capacity(&mut fields, "shelter", said.capacity, MOST_SHELTERED);
    if said.contents.len() > MOST_CONTENTS {
        fields.violation("shelter.contents", "最多 50 项", "at most 50");
    }
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
    let count = count(&mut fields, "occupant_count", number, MOST_COUNTED);
    fields.finish()?;
    Ok(count)
}

/// The state by which a list is filtered; 0 for all.
pub(in crate::grpc) fn state(number: i32) -> Result<i16, Problem> {
    use crate::domain::shelter::State;
    if number == 0 {
        return Ok(0);
    }
    let refused = || Problem::invalid("state", "请选择有效的选项", "not a known value");
    State::from_number(number)
        .map(|state| state as i16)
        .ok_or_else(refused)
}

/// What turns a lost update into an error.
pub(in crate::grpc) fn etag(row: &RefugeRow) -> String {
    row.version.to_string()
}

/// A shelter for the wire.
pub(in crate::grpc) fn written_shelter(kept: Kept<Shelter>) -> pb::Shelter {
    let (row, said) = (kept.row, kept.body);
    let moves = kept.moves.into_iter().map(|moved| pb::shelter::Move {
        former_state: moved.former.into(),
        state: moved.state.into(),
        actor: moved.actor,
        move_time: Some(to_timestamp(moved.at)),
        cause: moved.cause.into(),
    });
    let id = row.id.hyphenated();
    pb::Shelter {
        name: format!("organizations/{}/shelters/{id}", row.organization),
        display_name: said.display_name,
        access: said.access,
        capacity: small(said.capacity),
        contents: said.contents,
        step_free: said.step_free,
        state: row.state.into(),
        occupant_count: small(said.occupants),
        moves: moves.collect(),
        etag: etag(&row),
    }
}

/// An isolation room for the wire.
pub(in crate::grpc) fn written_room(kept: Kept<IsolationRoom>) -> pb::IsolationRoom {
    use crate::domain::shelter::isolation::State;
    let (row, said) = (kept.row, kept.body);
    let moves = kept
        .moves
        .into_iter()
        .map(|moved| pb::isolation_room::Move {
            former_state: moved.former.into(),
            state: moved.state.into(),
            actor: moved.actor,
            move_time: Some(to_timestamp(moved.at)),
        });
    let id = row.id.hyphenated();
    pb::IsolationRoom {
        name: format!("organizations/{}/isolationRooms/{id}", row.organization),
        suitable: row.state == State::InUse as i16 && said.is_suitable(),
        display_name: said.display_name,
        access: said.access,
        capacity: small(said.capacity),
        separate: said.separate,
        ventilated: said.ventilated,
        near_gate: said.near_gate,
        own_route: said.own_route,
        own_toilet: said.own_toilet,
        state: row.state.into(),
        moves: moves.collect(),
        etag: etag(&row),
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
        required_count: small(isolation.required),
        suitable_count: small(isolation.suitable),
    }
}
