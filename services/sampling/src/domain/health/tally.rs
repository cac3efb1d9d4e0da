//! Counts of one school and day (rules 1.5 to 1.7), kept as data arrives.

use super::rules::Slot;
use crate::domain::roll::Malformed;

/// Counts of one check of the day: of submissions, and of the heads in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotTally {
    /// Its time is over: `expected` does not change any more.
    pub frozen: bool,
    /// Submissions expected when the time was over; 0 before.
    pub expected: u32,
    /// Of those expected, the ones submitted.
    pub answered: u32,
    /// Submissions, expected or not.
    pub submitted: u32,
    /// Of them, zero reports.
    pub zero: u32,
    /// Of them, late ones.
    pub late: u32,
    /// People on the rolls as counted.
    pub roll: u32,
    /// Of them, present.
    pub present: u32,
    /// Of them, absent.
    pub absent: u32,
    /// Of those absent, ill.
    pub ill_absent: u32,
}

impl SlotTally {
    /// Checks that were expected when the time was over and are missing still; 0 before. Missing
    /// is what was not submitted: it is never among the zero reports.
    pub fn missing(&self) -> u32 {
        self.expected.saturating_sub(self.answered)
    }

    /// The counts of submissions, which add up; not what is frozen.
    fn counts(&mut self) -> [&mut u32; 8] {
        [
            &mut self.answered,
            &mut self.submitted,
            &mut self.zero,
            &mut self.late,
            &mut self.roll,
            &mut self.present,
            &mut self.absent,
            &mut self.ill_absent,
        ]
    }

    /// Adds what `other` counts.
    pub fn add(&mut self, mut other: Self) {
        for (count, other) in self.counts().into_iter().zip(other.counts()) {
            *count = count.saturating_add(*other);
        }
    }

    /// Takes away what `other` counts.
    pub fn subtract(&mut self, mut other: Self) {
        for (count, other) in self.counts().into_iter().zip(other.counts()) {
            *count = count.saturating_sub(*other);
        }
    }
}

/// Counts of one school and day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayTally {
    slots: [SlotTally; 3],
    /// People of whom each symptom is said that day by whatever source, in the order of the
    /// contract.
    pub symptoms: [u32; 14],
    /// People of whom any symptom is said that day.
    pub ill: u32,
}

const PACKED: usize = (3 * 10 + 15) * 4;

impl DayTally {
    /// The counts of one check.
    pub fn slot(&self, slot: Slot) -> &SlotTally {
        &self.slots[slot as usize - 1]
    }

    /// The same, to be changed.
    pub fn slot_mut(&mut self, slot: Slot) -> &mut SlotTally {
        &mut self.slots[slot as usize - 1]
    }

    /// Adds another school, or another day.
    pub fn add(&mut self, other: &Self) {
        for (slot, other) in self.slots.iter_mut().zip(&other.slots) {
            slot.add(*other);
            slot.expected = slot.expected.saturating_add(other.expected);
            slot.frozen |= other.frozen;
        }
        for (count, other) in self.symptoms.iter_mut().zip(other.symptoms) {
            *count = count.saturating_add(other);
        }
        self.ill = self.ill.saturating_add(other.ill);
    }

    /// One row of bytes.
    pub fn pack(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PACKED);
        for mut slot in self.slots {
            bytes.extend(u32::from(slot.frozen).to_le_bytes());
            bytes.extend(slot.expected.to_le_bytes());
            for count in slot.counts() {
                bytes.extend(count.to_le_bytes());
            }
        }
        for count in self.symptoms.iter().chain([&self.ill]) {
            bytes.extend(count.to_le_bytes());
        }
        bytes
    }

    /// From one row of bytes.
    ///
    /// # Errors
    /// When the bytes are no packed counts.
    pub fn unpack(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() != PACKED {
            return Err(Malformed);
        }
        let mut numbers = bytes.chunks_exact(4).map(|chunk| {
            let mut number = [0; 4];
            number.copy_from_slice(chunk);
            u32::from_le_bytes(number)
        });
        let mut next = || numbers.next().ok_or(Malformed);
        let mut tally = Self::default();
        for slot in &mut tally.slots {
            slot.frozen = next()? != 0;
            slot.expected = next()?;
            for count in slot.counts() {
                *count = next()?;
            }
        }
        for count in &mut tally.symptoms {
            *count = next()?;
        }
        tally.ill = next()?;
        Ok(tally)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slot(numbers: [u16; 8]) -> SlotTally {
        let mut slot = SlotTally::default();
        for (count, number) in slot.counts().into_iter().zip(numbers) {
            *count = u32::from(number);
        }
        slot
    }

    #[test]
    fn missing_is_not_zero() {
        let slot = SlotTally {
            frozen: true,
            expected: 3,
            answered: 2,
            submitted: 2,
            zero: 2,
            ..SlotTally::default()
        };
        assert_eq!((slot.missing(), slot.zero), (1, 2));
        assert_eq!(SlotTally::default().missing(), 0);
    }

    proptest! {
        #[test]
        fn counts_survive_packing(
            slots in prop::array::uniform3((any::<bool>(), any::<u16>(), any::<[u16; 8]>())),
            symptoms in prop::array::uniform14(any::<u32>()),
            ill in any::<u32>(),
        ) {
            let slots = slots.map(|(frozen, expected, counts)| SlotTally {
                frozen,
                expected: u32::from(expected),
                ..slot(counts)
            });
            let tally = DayTally { slots, symptoms, ill };
            prop_assert_eq!(DayTally::unpack(&tally.pack()), Ok(tally));
            prop_assert_eq!(DayTally::unpack(&tally.pack()[1..]), Err(Malformed));
        }

        #[test]
        fn the_order_of_changes_says_nothing(
            changes in prop::collection::vec(any::<[u16; 8]>(), 1..8),
            gone in any::<prop::sample::Index>(),
        ) {
            let slots: Vec<SlotTally> = changes.iter().map(|numbers| slot(*numbers)).collect();
            let gone = gone.index(slots.len());
            let (mut there, mut back) = (SlotTally::default(), SlotTally::default());
            for slot in &slots {
                there.add(*slot);
            }
            there.subtract(slots[gone]);
            for (place, slot) in slots.iter().enumerate().rev() {
                if place != gone {
                    back.add(*slot);
                }
            }
            prop_assert_eq!(there, back);
        }
    }
}
