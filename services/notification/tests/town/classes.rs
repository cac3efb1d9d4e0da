//! Class groups, staffs and duties of the town.

use proto::roster as pb;
use proto::roster::roster_event::State;

use super::{event, staff, student};

fn organization_of(path: &str) -> String {
    format!(
        "organizations/{}",
        path.rsplit('/').next().unwrap_or_default()
    )
}

/// The resource name of a class group of the school at `path`.
pub(crate) fn class_name(path: &str, id: &str) -> String {
    format!("{}/classGroups/{id}", organization_of(path))
}

/// A class group of the school at `path` with the pupils of these numbers.
pub(crate) fn class_group(path: &str, id: &str, grade: i32, pupils: &[u128]) -> pb::RosterEvent {
    let members = pupils.iter().map(|number| pb::RollMember {
        person: student(*number),
        ..Default::default()
    });
    let roll = pb::ClassGroupRoll {
        class_group: class_name(path, id),
        organization: organization_of(path),
        display_name: format!("{id} 班"),
        grade,
        members: members.collect(),
        ..Default::default()
    };
    let place = format!("{path}/{id}");
    event(
        &class_name(path, id),
        &place,
        1,
        State::ClassGroupRoll(roll),
    )
}

/// The staff of the organisation at `path`: their numbers and posts.
pub(crate) fn staff_roll(path: &str, members: &[(u128, &[&str])]) -> pb::RosterEvent {
    let members = members.iter().map(|(number, posts)| pb::StaffRollMember {
        member: Some(pb::RollMember {
            person: staff(*number),
            ..Default::default()
        }),
        posts: posts.iter().map(|post| (*post).to_owned()).collect(),
        ..Default::default()
    });
    let roll = pb::StaffRoll {
        organization: organization_of(path),
        members: members.collect(),
    };
    let name = format!("{}/staffRoll", organization_of(path));
    event(&name, path, 1, State::StaffRoll(roll))
}

/// Who answers for what at the organisation at `path`: subject, place within it, number of the person.
pub(crate) fn answers(path: &str, version: i64, duties: &[(&str, &str, u128)]) -> pb::RosterEvent {
    let duties = duties
        .iter()
        .map(|(subject, place, number)| pb::ResponsibilityDuty {
            subject: (*subject).to_owned(),
            place: (*place).to_owned(),
            staff_member: staff(*number),
        });
    let roll = pb::ResponsibilityRoll {
        organization: organization_of(path),
        duties: duties.collect(),
    };
    let name = format!("{}/responsibilityRoll", organization_of(path));
    event(&name, path, version, State::ResponsibilityRoll(roll))
}
