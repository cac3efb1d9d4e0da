//! Who belongs where in the town: class groups and staffs.

use proto::roster as pb;
use proto::roster::roster_event::State;

use super::{OTHER_PATH, SCHOOL_PATH, SISTER_PATH, event, staff, student};

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn on_roll(person: String) -> pb::RollMember {
    pb::RollMember {
        person,
        ..Default::default()
    }
}

/// The roll of a class group of the school at `path`.
pub(crate) fn class_group(
    path: &str,
    class_group: &str,
    pupils: impl IntoIterator<Item = u128>,
    version: i64,
) -> pb::RosterEvent {
    let name = format!("organizations/{}/classGroups/{class_group}", id(path));
    let roll = pb::ClassGroupRoll {
        class_group: name.clone(),
        organization: format!("organizations/{}", id(path)),
        members: pupils
            .into_iter()
            .map(|number| on_roll(student(number)))
            .collect(),
        ..Default::default()
    };
    let place = format!("{path}/{class_group}");
    event(&name, &place, version, State::ClassGroupRoll(roll))
}

/// The staff of the organisation at `path`, each with a post.
pub(crate) fn staff_roll(path: &str, members: &[(u128, &str)]) -> pb::RosterEvent {
    let name = format!("organizations/{}/staffRoll", id(path));
    let members = members.iter().map(|(number, post)| pb::StaffRollMember {
        member: Some(on_roll(staff(*number))),
        posts: vec![(*post).to_owned()],
        ..Default::default()
    });
    let roll = pb::StaffRoll {
        organization: format!("organizations/{}", id(path)),
        members: members.collect(),
    };
    event(&name, path, 1, State::StaffRoll(roll))
}

/// Two class groups of eleven and three pupils at the first school, one of two at each other; three,
/// one and one on their staffs, and two at the bureau of the city.
pub(crate) fn everybody() -> Vec<pb::RosterEvent> {
    vec![
        class_group(SCHOOL_PATH, "p2019-01", 101..=111, 1),
        class_group(SCHOOL_PATH, "p2019-02", 121..=123, 1),
        class_group(SISTER_PATH, "p2019-01", 131..=132, 1),
        class_group(OTHER_PATH, "p2019-01", 141..=142, 1),
        staff_roll(
            SCHOOL_PATH,
            &[(1, "PRINCIPAL"), (2, "HEAD_TEACHER"), (3, "GUARD")],
        ),
        staff_roll(SISTER_PATH, &[(11, "PRINCIPAL")]),
        staff_roll(OTHER_PATH, &[(21, "PRINCIPAL")]),
        staff_roll("fz", &[(31, "OFFICIAL"), (32, "OFFICIAL")]),
    ]
}
