//! When each person of a group was last swabbed, packed into one row of the database.

use super::day::Day;
use super::roll::{Malformed, PersonId, person};

const ENTRY: usize = 22;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    person: PersonId,
    last: Day,
    previous: Day,
    missed: Day,
}

/// The last swab of everybody who ever gave one in this group, the one before it, to which they
/// fall back when the tube is lost, rejected, void or invalid, and a turn that they missed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    entries: Vec<Entry>,
}

impl Rotation {
    /// The day of the person's last swab.
    pub fn last(&self, person: PersonId) -> Day {
        self.find(person)
            .map_or(Day::NEVER, |place| self.entries[place].last)
    }

    /// The day of a turn that the person missed and has not made up.
    pub fn missed(&self, person: PersonId) -> Day {
        self.find(person)
            .map_or(Day::NEVER, |place| self.entries[place].missed)
    }

    /// Notes that these people were called on `day` and gave no swab: they come first next time.
    pub fn absent(&mut self, people: &[PersonId], day: Day) {
        for person in people {
            let place = self.place_of(*person);
            let entry = &mut self.entries[place];
            if entry.last < day {
                entry.missed = entry.missed.max(day);
            }
        }
    }

    /// Notes that these people were swabbed on `day`; those noted already stay as they are.
    pub fn sampled(&mut self, people: &[PersonId], day: Day) {
        for person in people {
            let place = self.place_of(*person);
            let entry = &mut self.entries[place];
            if entry.last < day {
                entry.previous = entry.last;
                entry.last = day;
            }
            if entry.missed <= day {
                entry.missed = Day::NEVER;
            }
        }
    }

    /// Takes back that these people were swabbed on `day`: they stand in the queue where they
    /// stood before, ahead of those who waited as long. A later swab is not touched.
    pub fn put_back(&mut self, people: &[PersonId], day: Day) {
        for person in people {
            if let Some(place) = self.find(*person)
                && self.entries[place].last == day
            {
                let entry = &mut self.entries[place];
                entry.last = entry.previous;
                entry.previous = Day::NEVER;
                entry.missed = day;
            }
        }
    }

    fn find(&self, person: PersonId) -> Option<usize> {
        self.entries
            .binary_search_by_key(&person, |entry| entry.person)
            .ok()
    }

    fn place_of(&mut self, person: PersonId) -> usize {
        match self
            .entries
            .binary_search_by_key(&person, |entry| entry.person)
        {
            Ok(place) => place,
            Err(place) => {
                let (last, previous, missed) = (Day::NEVER, Day::NEVER, Day::NEVER);
                self.entries.insert(
                    place,
                    Entry {
                        person,
                        last,
                        previous,
                        missed,
                    },
                );
                place
            }
        }
    }

    /// One row of bytes.
    pub fn pack(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.entries.len() * ENTRY);
        for entry in &self.entries {
            bytes.extend(entry.person.0);
            for day in [entry.last, entry.previous, entry.missed] {
                bytes.extend(day.number().to_le_bytes());
            }
        }
        bytes
    }

    /// From one row of bytes.
    ///
    /// # Errors
    /// When the length is not a whole number of entries.
    pub fn unpack(bytes: &[u8]) -> Result<Self, Malformed> {
        let chunks = bytes.chunks_exact(ENTRY);
        if !chunks.remainder().is_empty() {
            return Err(Malformed);
        }
        let day = |chunk: &[u8], at: usize| {
            Day::from_number(u16::from_le_bytes([chunk[at], chunk[at + 1]]))
        };
        let entries = chunks.map(|chunk| Entry {
            person: person(chunk),
            last: day(chunk, 16),
            previous: day(chunk, 18),
            missed: day(chunk, 20),
        });
        Ok(Self {
            entries: entries.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_put_back_or_absent_comes_first_until_swabbed() {
        let (ann, bob) = (PersonId([1; 16]), PersonId([2; 16]));
        let day = Day::from_number;
        let mut rotation = Rotation::default();
        rotation.sampled(&[bob, ann], day(10));
        let monday = rotation.clone();
        rotation.sampled(&[ann], day(15));
        rotation.sampled(&[ann], day(15));
        assert_eq!(
            (rotation.last(ann), rotation.missed(ann)),
            (day(15), Day::NEVER)
        );
        assert_eq!(Rotation::unpack(&rotation.pack()), Ok(rotation.clone()));
        rotation.put_back(&[ann], day(15));
        rotation.put_back(&[ann], day(15));
        assert_eq!(
            (rotation.last(ann), rotation.missed(ann)),
            (day(10), day(15))
        );
        rotation.sampled(&[ann], day(16));
        rotation.absent(&[ann, bob], day(16));
        assert_eq!(
            (rotation.last(ann), rotation.missed(ann)),
            (day(16), Day::NEVER)
        );
        assert_eq!(
            (rotation.last(bob), rotation.missed(bob)),
            (day(10), day(16))
        );
        assert_ne!(rotation, monday);
    }
}
