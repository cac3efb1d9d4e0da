//! How many come to each school: all that the plan of a day must know of the city.

use std::ops::Range;

use crate::city::Plan;

/// A school of the town.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct School {
    /// Its class groups, among those of the town.
    pub(super) groups: Range<u32>,
    pub(super) staff: u32,
    /// Its dormitory rooms, among those of the town.
    pub(super) rooms: Range<u32>,
}

/// The schools with their class groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Town {
    pub(super) schools: Vec<School>,
    /// How many pupils each class group has.
    pub(super) groups: Vec<u32>,
}

impl Town {
    /// The town of a city whose schools have so many dormitory rooms, in the order of the schools.
    pub(super) fn of(plan: &Plan, rooms: &[u32]) -> Self {
        let mut town = Self::default();
        let (mut group, mut room) = (0, 0);
        for (number, school) in plan.schools().iter().enumerate() {
            let first = (group, room);
            for class in &school.classes {
                town.groups.push(class.students);
                group += 1;
            }
            room += rooms.get(number).copied().unwrap_or_default();
            town.schools.push(School {
                groups: first.0..group,
                staff: school.staff(),
                rooms: first.1..room,
            });
        }
        town
    }

    /// How many pupils a class group has.
    pub(super) fn pupils(&self, group: u32) -> u32 {
        self.groups.get(group as usize).copied().unwrap_or_default()
    }
}
