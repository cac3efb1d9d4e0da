//! Figures of schools and places, and what is hidden of them.

use proptest::prelude::*;

use super::*;

const MORNING: SlotRule = SlotRule {
    slot: Slot::Morning,
    deadline_minute: 510,
    boarders_only: false,
    staff: false,
};
const NOON: SlotRule = SlotRule {
    slot: Slot::Noon,
    ..MORNING
};

fn tally(answered: u32, zero: u32) -> DayTally {
    let mut tally = DayTally::default();
    *tally.slot_mut(Slot::Morning) = SlotTally {
        answered,
        submitted: answered,
        zero,
        ..SlotTally::default()
    };
    tally
}

fn figures(tally: &DayTally, checks: u32, over: bool) -> Figures {
    let expected = |_: &SlotRule| Expected { checks, people: 45 };
    let nobody = SymptomCounts::default();
    Figures::of_school(tally, nobody, &[MORNING], expected, |_| over)
}

/// T10.
#[test]
fn zero_and_missing_differ() {
    let zero = figures(&tally(2, 2), 2, true);
    let nothing = figures(&tally(0, 0), 2, true);
    let of = |figures: &Figures| {
        let slot = figures.slot(Slot::Morning);
        (slot.zero, slot.missing, slot.overdue)
    };
    assert_eq!((of(&zero), of(&nothing)), ((2, 0, 0), (0, 2, 2)));
    assert_eq!((zero.silent_schools, nothing.silent_schools), (0, 1));
    assert_eq!((zero.schools, nothing.schools), (1, 1));
}

#[test]
fn before_its_time_nothing_is_overdue_and_nobody_is_silent() {
    let early = figures(&tally(0, 0), 2, false);
    let slot = early.slot(Slot::Morning);
    assert_eq!((slot.missing, slot.overdue), (2, 0));
    assert_eq!((early.schools, early.silent_schools), (1, 0));
    assert_eq!(early.silence(), Figures::default().silence());
}

#[test]
fn what_was_expected_does_not_change_once_it_is_frozen() {
    let mut frozen = tally(1, 1);
    frozen.slot_mut(Slot::Morning).frozen = true;
    frozen.slot_mut(Slot::Morning).expected = 3;
    assert_eq!(figures(&frozen, 9, true).slot(Slot::Morning).expected, 3);
    // A class group that submitted and left the register since was expected then.
    assert_eq!(
        figures(&tally(4, 0), 2, true).slot(Slot::Morning).missing,
        0
    );
}

#[test]
fn a_check_that_the_policy_no_longer_holds_still_counts() {
    let figures = Figures::of_school(
        &tally(3, 1),
        SymptomCounts::default(),
        &[NOON],
        |_| Expected::default(),
        |_| false,
    );
    assert_eq!(figures.slot(Slot::Morning).submitted, 3);
    assert_eq!(figures.slot(Slot::Morning).missing, 0);
}

#[test]
fn who_said_nothing_comes_before_who_said_part() {
    let mut ranked = [
        ("complete", figures(&tally(40, 40), 40, true)),
        ("half of many", figures(&tally(20, 0), 40, true)),
        ("half of few", figures(&tally(1, 0), 2, true)),
        ("nothing of one", figures(&tally(0, 0), 1, true)),
        ("nothing of three", figures(&tally(0, 0), 3, true)),
        ("nearly nothing", figures(&tally(1, 0), 40, true)),
    ];
    ranked.sort_by_key(|(_, figures)| figures.silence());
    assert_eq!(
        ranked.map(|(name, _)| name),
        [
            "nothing of three",
            "nothing of one",
            "nearly nothing",
            "half of many",
            "half of few",
            "complete"
        ]
    );
}

proptest! {
    #[test]
    fn missing_and_answered_are_what_was_expected_and_schools_add_up_in_any_order(
        schools in prop::collection::vec((0_u32..50, 0_u32..50, any::<bool>()), 1..9),
    ) {
        let all: Vec<Figures> = schools
            .iter()
            .map(|(answered, checks, over)| figures(&tally(*answered, 0), *checks, *over))
            .collect();
        let sum = |figures: &mut dyn Iterator<Item = &Figures>| {
            let mut sum = Figures::default();
            figures.for_each(|figures| sum.add(figures));
            sum
        };
        let there = sum(&mut all.iter());
        prop_assert_eq!(there, sum(&mut all.iter().rev()));
        let slot = there.slot(Slot::Morning);
        prop_assert_eq!(slot.missing + slot.answered, slot.expected);
        prop_assert!(slot.overdue <= slot.over && slot.overdue <= slot.missing);
        prop_assert!(there.silent_schools <= there.schools);
    }

    #[test]
    fn counts_survive_packing(symptoms in prop::array::uniform14(any::<u32>()), ill in any::<u32>()) {
        let counts = SymptomCounts { symptoms, ill };
        prop_assert_eq!(SymptomCounts::unpack(&counts.pack()), Ok(counts));
        prop_assert_eq!(SymptomCounts::unpack(&counts.pack()[1..]), Err(Malformed));
    }
}
