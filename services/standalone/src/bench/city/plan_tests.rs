//! The day, held against the numbers of the city.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use proto::roster::check_policy::Slot;

use super::act::Act;
use super::campus::{HAND_OVER, HAZARDS, ROUNDS, SIGN_ON, VISITS};
use super::homes::{NOTICE, READING};
use super::kind::Kind;
use super::options::Window;
use super::plan::{
    DAY, DESKS, Day, Due, EVENING, Found, GATES, MINUTE, MORNING, NOON, ORDER, SIGNING, SWABS,
    TUBES,
};
use super::town::Town;
use crate::city::{City, Options, Plan};

/// Tubes of ten, as many as a fifth of the students need.
fn tubes(plan: &Plan) -> Vec<u32> {
    vec![10; plan.students() as usize / 50]
}

fn plan(students: u64) -> (City, Town) {
    let options = Options {
        students,
        seed: 1,
        date: NaiveDate::from_ymd_opt(2022, 4, 7).unwrap(),
    };
    let city = City::new(options);
    let rooms: Vec<u32> = (0..)
        .take(city.plan().schools().len())
        .map(|n| n % 3)
        .collect();
    let town = Town::of(city.plan(), &rooms);
    (city, town)
}

fn day(students: u64) -> (City, Town, Day) {
    let (city, town) = plan(students);
    let day = Day::of(&town, &tubes(city.plan()), 7);
    (city, town, day)
}

fn count(day: &Day, kind: Kind) -> usize {
    day.dues.iter().filter(|due| due.act.kind() == kind).count()
}

#[test]
fn everybody_comes_or_is_away() {
    for students in [2_000, 100_000] {
        let (city, town, day) = day(students);
        let offline: usize = day.batches.iter().map(|batch| batch.entries.len()).sum();
        let groups = 0..town.groups.len() as u32;
        let away = groups.filter_map(|group| day.found(Slot::Morning, group));
        let away: usize = away.map(|found| found.away.len()).sum();
        let people = city.plan().students() + city.plan().staff();
        let came = count(&day, Kind::Entry) + offline;
        assert_eq!((came + away) as u64, people);
        let mut each: BTreeSet<(u32, u32)> = BTreeSet::new();
        for due in &day.dues {
            if let Act::Enter { school, place, .. } = due.act {
                assert!(each.insert((school, place)), "{school} {place} comes twice");
            }
        }
        for batch in &day.batches {
            for (place, at) in &batch.entries {
                assert!(each.insert((batch.school, *place)), "{place} comes twice");
                assert!(GATES.from <= *at && *at < GATES.to);
            }
        }
        assert_eq!(each.len(), came);
    }
}

#[test]
fn every_class_group_room_school_and_tube_has_its_acts() {
    let (city, town, day) = day(100_000);
    let groups = city.plan().classes();
    assert_eq!(count(&day, Kind::Check), 2 * groups);
    assert_eq!(town.groups.len(), groups);
    let rooms: u32 = town
        .schools
        .iter()
        .map(|school| school.rooms.end)
        .max()
        .unwrap();
    assert_eq!(count(&day, Kind::RoomCheck), rooms as usize);
    for kind in [Kind::Signature, Kind::Attendance, Kind::Handover] {
        assert_eq!(count(&day, kind), city.plan().schools().len(), "{kind:?}");
    }
    assert_eq!(count(&day, Kind::Order), 1);
    let tubes = tubes(city.plan()).len();
    for kind in [Kind::Opening, Kind::Sealing, Kind::Delivery] {
        assert_eq!(count(&day, kind), tubes, "{kind:?}");
    }
    assert_eq!(count(&day, Kind::Swab), 10 * tubes);
    let told: usize = day.results.iter().map(Vec::len).sum();
    assert_eq!(told, tubes);
    assert_eq!(count(&day, Kind::Results), day.results.len());
    // Each desk looks every ten seconds.
    let looks = ((DAY.to - DAY.from) / 10_000 * DESKS) as usize;
    assert_eq!(count(&day, Kind::Coverage), looks);
    assert_eq!(count(&day, Kind::Overview), looks);
}

#[test]
fn shares_are_those_of_a_returning_morning() {
    let (city, town, day) = day(100_000);
    let students = city.plan().students() as f64;
    let sum = |slot, pick: fn(&Found) -> usize| {
        let groups = 0..town.groups.len() as u32;
        let found = groups.filter_map(|group| day.found(slot, group));
        found.map(pick).sum::<usize>() as f64 / students
    };
    let ill = sum(Slot::Morning, |found| found.ill.len());
    assert!((0.01..0.02).contains(&ill), "{ill}");
    let away = sum(Slot::Morning, |found| found.away.len());
    assert!((0.008..0.012).contains(&away), "{away}");
    assert!((sum(Slot::Noon, |found| found.away.len()) - away).abs() < 1e-12);
    let rechecks = count(&day, Kind::Recheck) as f64 / count(&day, Kind::Entry) as f64;
    assert!((0.008..0.012).contains(&rechecks), "{rechecks}");
    let fevers = |due: &&Due| matches!(due.act, Act::Enter { fever: true, .. });
    let fevers = day.dues.iter().filter(fevers).count();
    assert_eq!(fevers, count(&day, Kind::Recheck));
    let schools: BTreeSet<u32> = day.batches.iter().map(|batch| batch.school).collect();
    let offline = schools.len() as f64 / town.schools.len() as f64;
    assert!((0.01..0.1).contains(&offline), "{offline}");
    assert!(day.batches.iter().all(|batch| batch.entries.len() <= 1000));
}

#[test]
fn every_act_is_in_its_part_of_the_day_and_in_the_order_of_time() {
    let (_, _, day) = day(20_000);
    assert!(day.dues.windows(2).all(|two| two[0].at <= two[1].at));
    let late = Window {
        to: GATES.to + 17 * MINUTE,
        ..GATES
    };
    for due in &day.dues {
        let within = match due.act {
            Act::Enter { .. } => GATES,
            Act::Recheck { .. } | Act::Batch { .. } => late,
            Act::Check {
                slot: Slot::Morning,
                ..
            } => MORNING,
            Act::Check { .. } => NOON,
            Act::CheckRoom { .. } => EVENING,
            Act::Trace { .. } => Window {
                to: MORNING.to + 45 * MINUTE,
                ..MORNING
            },
            Act::Order => Window {
                from: ORDER,
                to: SIGNING.from,
            },
            Act::Sign { .. } => SIGNING,
            Act::Open { .. } | Act::Scan { .. } | Act::Seal { .. } => SWABS,
            Act::Deliver { .. } | Act::Results { .. } => TUBES,
            Act::Coverage { .. } | Act::Overview { .. } => DAY,
            Act::AskVisit { .. } | Act::ConfirmVisit { .. } | Act::ApproveVisit { .. } => Window {
                from: VISITS.from - 110 * MINUTE,
                ..VISITS
            },
            Act::Arrive { .. } => VISITS,
            Act::Depart { .. } => Window {
                to: VISITS.to + 90 * MINUTE,
                ..VISITS
            },
            Act::SignOn { .. } => SIGN_ON,
            Act::HandOver { .. } => HAND_OVER,
            Act::Patrol { round, .. } => ROUNDS[usize::from(round)],
            Act::Notify => Window {
                from: NOTICE,
                to: READING.from,
            },
            Act::ReadInbox { .. } => READING,
            Act::Report { .. } => HAZARDS,
            Act::Handle { .. } => Window {
                to: HAZARDS.to + 285 * MINUTE,
                ..HAZARDS
            },
        };
        assert!(within.from <= due.at && due.at < within.to, "{due:?}");
        assert!(DAY.from <= due.at && due.at < DAY.to, "{due:?}");
    }
}

#[test]
fn what_rests_on_something_comes_after_it() {
    let (_, _, day) = day(20_000);
    let mut steps: BTreeMap<u32, Vec<Kind>> = BTreeMap::new();
    let mut fevers = BTreeMap::new();
    for due in &day.dues {
        match due.act {
            Act::Open { tube }
            | Act::Scan { tube, .. }
            | Act::Seal { tube }
            | Act::Deliver { tube } => steps.entry(tube).or_default().push(due.act.kind()),
            Act::Results { batch } => {
                for tube in &day.results[batch as usize] {
                    steps.entry(*tube).or_default().push(Kind::Results);
                }
            }
            Act::Enter {
                school,
                place,
                fever: true,
            } => {
                fevers.insert((school, place), due.at);
            }
            Act::Recheck { school, place } => {
                assert!(due.at > fevers[&(school, place)] + 15 * MINUTE);
            }
            Act::Batch { batch } => {
                let entries = &day.batches[batch as usize].entries;
                assert!(entries.iter().all(|(_, at)| *at < due.at));
            }
            _ => {}
        }
    }
    for (tube, kinds) in steps {
        let mut expected = vec![Kind::Opening];
        expected.extend([Kind::Swab; 10]);
        expected.extend([Kind::Sealing, Kind::Delivery, Kind::Results]);
        assert_eq!(kinds, expected, "{tube}");
    }
}

#[test]
fn every_school_has_visitors_who_are_agreed_to_and_come_and_go() {
    let (_, town, day) = day(20_000);
    let mut each = vec![0_usize; town.schools.len()];
    let mut steps: BTreeMap<u32, Vec<Act>> = BTreeMap::new();
    for visit in &day.visits {
        each[visit.school as usize] += 1;
    }
    for due in &day.dues {
        match due.act {
            Act::AskVisit { visit }
            | Act::ConfirmVisit { visit }
            | Act::ApproveVisit { visit }
            | Act::Arrive { visit }
            | Act::Depart { visit } => steps.entry(visit).or_default().push(due.act),
            _ => continue,
        }
        if let Act::Depart { visit } = due.act {
            assert_eq!(day.visits[visit as usize].leave, due.at);
        }
    }
    assert!(each.iter().all(|count| (3..=9).contains(count)), "{each:?}");
    let average = day.visits.len() as f64 / each.len() as f64;
    assert!((5.0..7.0).contains(&average), "{average}");
    assert_eq!(steps.len(), day.visits.len());
    for (visit, acts) in steps {
        let expected = [
            Act::AskVisit { visit },
            Act::ConfirmVisit { visit },
            Act::ApproveVisit { visit },
            Act::Arrive { visit },
            Act::Depart { visit },
        ];
        assert_eq!(acts, expected);
    }
}

#[test]
fn one_school_in_ten_finds_a_hazard_which_is_closed_on_that_day() {
    for students in [2_000, 100_000] {
        let (_, town, day) = day(students);
        let (schools, hazards) = (town.schools.len(), day.hazards.len());
        let tenth = schools / 10..=schools.div_ceil(10);
        assert!(tenth.contains(&hazards), "{hazards} of {schools}");
        let each: BTreeSet<u32> = day.hazards.iter().copied().collect();
        assert_eq!(each.len(), hazards);
        let mut steps: BTreeMap<u32, Vec<Act>> = BTreeMap::new();
        for due in &day.dues {
            if let Act::Report { hazard } | Act::Handle { hazard, .. } = due.act {
                steps.entry(hazard).or_default().push(due.act);
            }
        }
        assert_eq!(steps.len(), hazards);
        for (hazard, acts) in steps {
            let mut expected = vec![Act::Report { hazard }];
            expected.extend((0..6).map(|step| Act::Handle { hazard, step }));
            assert_eq!(acts, expected);
        }
        let other = Day::of(&town, &[], 8);
        assert!(other.hazards.iter().all(|school| !each.contains(school)));
    }
}

#[test]
fn one_family_in_twenty_reads_the_message_of_the_day_once() {
    let (city, town, day) = day(100_000);
    assert_eq!(count(&day, Kind::Notice), 1);
    let mut each = BTreeSet::new();
    for due in &day.dues {
        if let Act::ReadInbox { group, pupil } = due.act {
            assert!(pupil < town.pupils(group), "{group} {pupil}");
            assert!(each.insert((group, pupil)), "{group} {pupil} read twice");
        }
    }
    let share = each.len() as f64 / city.plan().students() as f64;
    assert!((0.045..0.055).contains(&share), "{share}");
}

#[test]
fn acts_have_the_shape_of_a_bell_within_their_window() {
    let (_, _, day) = day(100_000);
    let tenths = |window: Window, kind: Kind| {
        let mut tenths = [0_usize; 10];
        for due in day.within(window) {
            if due.act.kind() == kind {
                tenths[((due.at - window.from) * 10 / (window.to - window.from)) as usize] += 1;
            }
        }
        tenths
    };
    for (window, kind) in [
        (GATES, Kind::Entry),
        (NOON, Kind::Check),
        (SIGNING, Kind::Signature),
        (SWABS, Kind::Swab),
        (VISITS, Kind::Arrival),
        (READING, Kind::Reading),
        (SIGN_ON, Kind::Attendance),
        (HAND_OVER, Kind::Handover),
    ] {
        let tenths = tenths(window, kind);
        let middle = tenths[4] + tenths[5];
        let edges = tenths[0] + tenths[9];
        assert!(middle > 3 * edges, "{kind:?}: {tenths:?}");
    }
}

#[test]
fn a_day_follows_from_its_seed() {
    let (city, town) = plan(5_000);
    let tubes = tubes(city.plan());
    let day = Day::of(&town, &tubes, 1);
    assert_eq!(day, Day::of(&town, &tubes, 1));
    assert_ne!(day, Day::of(&town, &tubes, 2));
    // Tubes are there only once they are drawn: the rest of the day is the same without them.
    let without = Day::of(&town, &[], 1);
    let rest = |day: &Day| {
        let rest = day.dues.iter().filter(|due| {
            let kind = due.act.kind();
            !(Kind::Opening..=Kind::Results).contains(&kind)
        });
        rest.copied().collect::<Vec<_>>()
    };
    assert_eq!(rest(&without), rest(&day));
    assert_eq!(without.dues.len(), rest(&day).len());
}

#[test]
fn the_densest_minutes_are_those_of_the_gates() {
    let (_, _, day) = day(100_000);
    let densest = day.densest(10, DAY);
    assert_eq!(densest.to - densest.from, 10 * MINUTE);
    assert!(GATES.from <= densest.from && densest.to <= GATES.to);
    let most = day.within(densest).len();
    for minute in 0..(DAY.to - DAY.from) / MINUTE - 10 {
        let from = DAY.from + minute * MINUTE;
        let other = Window {
            from,
            to: from + 10 * MINUTE,
        };
        assert!(day.within(other).len() <= most);
    }
    let short = Window {
        from: NOON.from,
        to: NOON.from + 3 * MINUTE,
    };
    assert_eq!(day.densest(10, short), short);
}
