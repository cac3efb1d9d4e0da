//! Where a campus can take people: isolation rooms and shelters (rules 4.6, 5.28).

use proto::safety as pb;
use proto::safety::safety_event::State as EventState;

use super::{Telling, number};
use crate::app::refuges::Room;
use crate::domain::figures::Counts;

/// Where a campus can take people; none where it never recorded a shelter or an isolation room.
pub(crate) fn shelter_standing(home: (&str, &str), room: Option<Room>) -> Telling {
    let telling = Telling::no_standing("shelterStanding", home);
    let Some(room) = room else { return telling };
    let small = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let told = pb::ShelterStanding {
        name: telling.entity.clone(),
        required_isolation_room_count: small(room.isolation.required),
        suitable_isolation_room_count: small(room.isolation.suitable),
        open_shelter_count: number(room.open),
        overfull_shelter_count: number(room.overfull),
        unplaced_count: small(room.unplaced),
    };
    telling.with(Some(EventState::ShelterStanding(told)), Counts::default())
}
