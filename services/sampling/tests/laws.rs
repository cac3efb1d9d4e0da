//! The laws of the draw, under absence, joiners, leavers, leave, holidays and make-up days.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use proptest::prelude::*;
use sampling::domain::calendar::{Calendar, Year};
use sampling::domain::cycle::CycleSeed;
use sampling::domain::day::Day;
use sampling::domain::draw::{
    Candidate, Picks, Standing, Terms, draw, needs_replacement, next_in_queue,
};
use sampling::domain::evaluate::fill_evenly;
use sampling::domain::quota::Ratio;
use sampling::domain::roll::{Member, PersonId, Roll};
use sampling::domain::rotation::Rotation;

const CYCLE: u8 = 5;

fn start() -> NaiveDate {
    NaiveDate::from_ymd_opt(2022, 3, 21).expect("a Monday")
}

fn person(number: u16) -> PersonId {
    // Scattered, so that the order of identifiers says nothing of the order of joining.
    let mut id = [0; 16];
    id[..2].copy_from_slice(&number.wrapping_mul(40_503).to_be_bytes());
    id[2..4].copy_from_slice(&number.to_be_bytes());
    PersonId(id)
}

/// One class group, day by day.
struct Class {
    roll: Roll,
    rotation: Rotation,
    drawn: Vec<Day>,
    next: u16,
}

/// What happens on one school day, before and after its draw.
#[derive(Clone, Debug, Default)]
struct Happenings {
    joiners: u16,
    leavers: Vec<u16>,
    /// Who goes on leave, or comes back from it.
    turns: Vec<u16>,
    absent: Vec<u16>,
    replace: bool,
}

struct DayOf {
    eligible: BTreeSet<PersonId>,
    candidates: Vec<Candidate>,
    picks: Picks,
    picked: BTreeSet<PersonId>,
    swabbed: BTreeSet<PersonId>,
    called: BTreeSet<PersonId>,
}

impl DayOf {
    /// Was called: picked, or asked to take the place of somebody absent.
    fn had_a_turn(&self, person: PersonId) -> bool {
        self.called.contains(&person)
    }
}

impl Class {
    fn of(size: u16) -> Self {
        let member = |number| Member {
            person: person(number),
            on_leave: false,
            exempt: false,
            since: Day::NEVER,
            posts: 0,
        };
        let roll = Roll::new((0..size).map(member).collect());
        Self {
            roll,
            rotation: Rotation::default(),
            drawn: Vec::new(),
            next: size,
        }
    }

    fn change(&mut self, happenings: &Happenings, today: Day) {
        let mut members = self.roll.members().to_vec();
        for number in 0..happenings.joiners {
            members.push(Member {
                person: person(self.next + number),
                on_leave: false,
                exempt: false,
                since: today,
                posts: 0,
            });
        }
        self.next += happenings.joiners;
        let chosen =
            |numbers: &[u16], person: PersonId| numbers.iter().any(|n| crate::person(*n) == person);
        members.retain(|member| !chosen(&happenings.leavers, member.person));
        for member in &mut members {
            member.on_leave ^= chosen(&happenings.turns, member.person);
        }
        self.roll = Roll::new(members).after(&self.roll, true, today);
    }

    fn draw(&mut self, happenings: &Happenings, today: Day) -> DayOf {
        let first = self.drawn.first().copied().unwrap_or(today);
        let candidates: Vec<Candidate> = self
            .roll
            .members()
            .iter()
            .map(|member| {
                let last = self.rotation.last(member.person);
                Candidate {
                    person: member.person,
                    standing: if member.on_leave {
                        Standing::OnLeave
                    } else {
                        Standing::Eligible
                    },
                    last,
                    waiting_since: last.max(member.since.before()).max(first.before()),
                    missed: !self.rotation.missed(member.person).is_never(),
                    every_days: 0,
                }
            })
            .collect();
        let earlier = self.drawn.clone();
        let terms = Terms {
            day: today,
            ratio: fifth(),
            cycle_days: CYCLE,
            earlier_days: &earlier,
        };
        let seed = CycleSeed([7; 32]).of_day("students", today, "school");
        let picks = draw(&terms, &seed, &candidates);
        assert_eq!(
            picks,
            draw(&terms, &seed, &candidates),
            "a draw twice is the same"
        );

        let who = |place: &u32| candidates[*place as usize].person;
        let absent: BTreeSet<PersonId> = happenings.absent.iter().map(|n| person(*n)).collect();
        let picked: BTreeSet<PersonId> = picks.places.iter().map(who).collect();
        let mut swabbed: BTreeSet<PersonId> = picked.difference(&absent).copied().collect();
        let mut taken = picks.places.clone();
        if happenings.replace {
            let mut replaced = 0;
            for gone in 1..=picked.intersection(&absent).count() {
                if !needs_replacement(picks.quota, picked.len(), gone, replaced) {
                    continue;
                }
                while let Some(next) = next_in_queue(&terms, &seed, &candidates, &taken) {
                    taken.push(next);
                    if !absent.contains(&who(&next)) {
                        swabbed.insert(who(&next));
                        replaced += 1;
                        break;
                    }
                }
            }
        }
        self.rotation
            .sampled(&swabbed.iter().copied().collect::<Vec<_>>(), today);
        let missing: Vec<PersonId> = taken
            .iter()
            .map(who)
            .filter(|p| !swabbed.contains(p))
            .collect();
        self.rotation.absent(&missing, today);
        self.drawn.push(today);
        let eligible = candidates
            .iter()
            .filter(|c| c.standing == Standing::Eligible)
            .map(|c| c.person)
            .collect();
        let called = taken.iter().map(who).collect();
        DayOf {
            eligible,
            candidates,
            picks,
            picked,
            swabbed,
            called,
        }
    }
}

fn fifth() -> Ratio {
    Ratio::from_basis_points(2000).expect("a share")
}

/// The school days after `start` under a calendar with holidays and make-up days.
fn school_days(off: &[u16], makeup: &[u16]) -> Vec<Day> {
    let date = |offset: &u16| start() + Days::new(u64::from(*offset));
    let year = Year {
        days_off: off.iter().map(date).collect(),
        makeup_days: makeup.iter().map(date).collect(),
        terms: Vec::new(),
    };
    let calendar = Calendar::new(&BTreeMap::from([(2022, year)]));
    (0..70)
        .map(|offset| date(&offset).into())
        .filter(|day| calendar.is_school_day(*day))
        .collect()
}

fn any_happenings(
    most_joiners: u16,
    moves: bool,
    absence: bool,
) -> impl Strategy<Value = Happenings> {
    let some =
        |on: bool, most: usize| prop::collection::vec(0_u16..70, 0..=(if on { most } else { 0 }));
    (
        prop_oneof![4 => Just(0), 1 => 0..=most_joiners],
        some(moves, 3),
        some(moves, 4),
        some(absence, 6),
        any::<bool>(),
    )
        .prop_map(|(joiners, leavers, turns, absent, replace)| Happenings {
            joiners,
            leavers,
            turns,
            absent,
            replace,
        })
}

fn play(size: u16, days: &[Day], script: &[Happenings]) -> Vec<DayOf> {
    let mut class = Class::of(size);
    days.iter()
        .zip(script)
        .map(|(day, happenings)| {
            class.change(happenings, *day);
            class.draw(happenings, *day)
        })
        .collect()
}

fn every_day_keeps_the_quota_and_the_order(days: &[DayOf]) {
    for day in days {
        assert_eq!(
            day.picks.quota,
            (day.eligible.len() * 2).div_ceil(10),
            "ceil of a fifth"
        );
        assert!(
            day.picks.places.len() >= day.picks.quota,
            "not less than the quota"
        );
        assert!(
            day.picked.is_subset(&day.eligible),
            "only the eligible are picked"
        );
        let waiting = |picked: bool| {
            day.candidates
                .iter()
                .filter(move |c| c.standing == Standing::Eligible)
                .filter(move |c| day.picked.contains(&c.person) == picked)
                .map(|c| c.waiting_since)
        };
        let (last_picked, first_left) = (waiting(true).max(), waiting(false).min());
        if let (Some(last_picked), Some(first_left)) = (last_picked, first_left) {
            assert!(
                last_picked <= first_left,
                "nobody is passed over for somebody who waited less"
            );
        }
    }
}

fn whoever_is_eligible_throughout_a_cycle_is_picked_in_it(days: &[DayOf]) {
    for window in days.windows(usize::from(CYCLE)) {
        for person in &window[0].eligible {
            let throughout = window.iter().all(|day| day.eligible.contains(person));
            let turn = window.iter().any(|day| day.had_a_turn(*person));
            assert!(
                turn || !throughout,
                "{person:?} was left out of a whole cycle"
            );
        }
    }
}

fn nobody_twice_before_everybody_once(days: &[DayOf]) {
    for (first, day) in days.iter().enumerate() {
        for person in &day.swabbed {
            let Some(second) =
                (first + 1..days.len()).find(|later| days[*later].swabbed.contains(person))
            else {
                continue;
            };
            let between = &days[first..=second];
            for other in &between[0].eligible {
                let throughout = between.iter().all(|day| day.eligible.contains(other));
                let had_a_turn = between.iter().any(|day| day.had_a_turn(*other));
                assert!(
                    had_a_turn || !throughout,
                    "{other:?} had no turn between two of {person:?}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_laws_hold_whatever_happens(
        size in 0_u16..60,
        off in prop::collection::vec(0_u16..70, 0..12),
        makeup in prop::collection::vec(0_u16..70, 0..6),
        script in prop::collection::vec(any_happenings(8, true, true), 30..50),
    ) {
        let days = play(size, &school_days(&off, &makeup), &script);
        every_day_keeps_the_quota_and_the_order(&days);
        whoever_is_eligible_throughout_a_cycle_is_picked_in_it(&days);
        nobody_twice_before_everybody_once(&days);
    }

    #[test]
    fn the_quota_alone_suffices_while_nobody_leaves_or_is_absent(
        size in 0_u16..60,
        off in prop::collection::vec(0_u16..70, 0..12),
        script in prop::collection::vec(any_happenings(8, false, false), 30..50),
    ) {
        let days = play(size, &school_days(&off, &[]), &script);
        every_day_keeps_the_quota_and_the_order(&days);
        whoever_is_eligible_throughout_a_cycle_is_picked_in_it(&days);
        for day in &days {
            prop_assert_eq!(day.picks.places.len(), day.picks.quota);
        }
    }

    #[test]
    fn another_seed_changes_the_lots_only(size in 6_u16..60, seed in any::<[u8; 32]>()) {
        let mut class = Class::of(size);
        let day = class.draw(&Happenings::default(), start().into());
        let terms =
            Terms { day: start().into(), ratio: fifth(), cycle_days: CYCLE, earlier_days: &[] };
        let seed = CycleSeed(seed).of_day("students", start().into(), "school");
        let picks = draw(&terms, &seed, &day.candidates);
        prop_assert_eq!((picks.quota, picks.eligible), (day.picks.quota, day.picks.eligible));
        prop_assert_eq!(picks.places.len(), day.picks.places.len());
    }
}

#[test]
fn t1_five_days_cover_a_class_of_45_and_the_absent_comes_first_next_day() {
    let days = school_days(&[], &[]);
    let calm = play(45, &days, &vec![Happenings::default(); 10]);
    assert!(
        calm.iter()
            .all(|day| day.picks.quota == 9 && day.picked.len() == 9)
    );
    let covered: BTreeSet<_> = calm[..5].iter().flat_map(|day| &day.swabbed).collect();
    assert_eq!(covered.len(), 45);
    assert_eq!(fill_evenly(9, 10), [9]);

    let mut class = Class::of(45);
    let first = class.draw(&Happenings::default(), days[0]);
    let absent = *first.picked.first().expect("nine were picked");
    let mut class = Class::of(45);
    let number = (0..45)
        .find(|n| person(*n) == absent)
        .expect("one of the class");
    let missed = Happenings {
        absent: vec![number],
        replace: true,
        ..Happenings::default()
    };
    let first = class.draw(&missed, days[0]);
    assert_eq!(
        (first.swabbed.len(), first.swabbed.contains(&absent)),
        (9, false)
    );
    let second = class.draw(&Happenings::default(), days[1]);
    assert!(
        second.picked.contains(&absent),
        "the absent comes first next day"
    );
    assert_eq!(second.picked.len(), 9);
}

#[test]
fn t2_a_class_of_51_fills_two_tubes_of_its_own() {
    let days = play(51, &school_days(&[], &[]), &[Happenings::default()]);
    assert_eq!((days[0].picks.quota, days[0].picked.len()), (11, 11));
    assert_eq!(fill_evenly(11, 10), [6, 5]);
}

#[test]
fn a_joiner_comes_behind_those_who_wait_and_ahead_of_those_swabbed_since() {
    let days = school_days(&[], &[]);
    let mut script = vec![Happenings::default(); 12];
    script[2].joiners = 1;
    let played = play(45, &days, &script);
    let turn = |person| (2..12).find(|day: &usize| played[*day].picked.contains(person));
    let joiner = turn(&person(45)).expect("a joiner has a turn");
    assert!(joiner < 2 + usize::from(CYCLE), "within a cycle of joining");
    for since in &played[2].picked {
        let second = (3..12).find(|day| played[*day].picked.contains(since));
        assert!(
            second > Some(joiner),
            "swabbed on the day of joining, so behind the joiner"
        );
    }
}
