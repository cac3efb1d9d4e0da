use super::*;

#[test]
fn every_move_that_is_not_named_is_refused() {
    use SuspensionEvent as E;
    use SuspensionState as S;
    let legal = [
        (S::Proposed, E::Approve, S::Decided),
        (S::Proposed, E::Reject, S::Rejected),
        (S::Proposed, E::Fell, S::Withdrawn),
        (S::Withdrawn, E::Rose, S::Proposed),
        (S::Decided, E::Begin, S::Applying),
        (S::Decided, E::Cancel, S::Ended),
        (S::Applying, E::Applied, S::InForce),
        (S::InForce, E::Ended, S::Ended),
    ];
    let events = [
        E::Approve,
        E::Reject,
        E::Begin,
        E::Applied,
        E::Ended,
        E::Fell,
        E::Rose,
        E::Cancel,
    ];
    for state in S::ALL {
        for event in events {
            let expected = legal.iter().find(|(s, e, _)| (*s, *e) == (state, event));
            assert_eq!(
                state.after(event),
                expected.map(|(_, _, to)| *to),
                "{state:?} {event:?}"
            );
        }
    }
}

fn classes(paths: &[(&str, i32)]) -> Away {
    let pairs = paths
        .iter()
        .map(|(path, grade)| ((*path).to_owned(), *grade));
    Away::Classes(pairs.collect())
}

#[test]
fn a_wider_reach_covers_a_narrower_one() {
    let class = Away::one("s/c1", 3);
    let other = Away::one("s/c2", 3);
    let both = classes(&[("s/c1", 3), ("s/c2", 3)]);
    let across = classes(&[("s/c2", 3), ("s/d1", 4)]);
    let (grade, school) = (Away::Grade(3), Away::School);
    assert!(grade.covers(&other) && school.covers(&grade) && class.covers(&class));
    assert!(!class.covers(&other) && !class.covers(&grade) && !grade.covers(&school));
    assert!(grade.meets(&class) && class.meets(&grade) && !class.meets(&other));
    assert!(!Away::Grade(4).meets(&class) && !Away::Grade(4).meets(&grade));
    assert!(both.covers(&class) && both.covers(&other) && !class.covers(&both));
    assert!(grade.covers(&both) && !grade.covers(&across) && school.covers(&across));
    assert!(both.meets(&across) && across.meets(&Away::Grade(4)) && school.meets(&class));
    assert!(!class.meets(&across) && !across.covers(&both));
}

#[test]
fn a_list_names_class_groups_of_the_school_once() {
    let name = |number: usize| format!("organizations/s/classGroups/c{number}");
    let of = |number: usize| (name(number), (format!("s/c{number}"), 3));
    let school = (0..60).map(of).collect();
    let names = |numbers: &[usize]| -> Vec<String> { numbers.iter().copied().map(name).collect() };
    let found = listed(&names(&[2, 1]), &school).expect("two");
    assert_eq!(Away::Classes(found), classes(&[("s/c1", 3), ("s/c2", 3)]));
    let all: Vec<usize> = (0..50).collect();
    assert_eq!(
        listed(&names(&all), &school).map(|found| found.len()),
        Ok(50)
    );
    let more: Vec<usize> = (0..51).collect();
    assert_eq!(listed(&names(&more), &school), Err(Unlisted::TooMany));
    assert_eq!(listed(&names(&[1, 2, 1]), &school), Err(Unlisted::Twice(2)));
    assert_eq!(
        listed(&names(&[1, 60]), &school),
        Err(Unlisted::Elsewhere(1))
    );
    let other = vec!["organizations/t/classGroups/c1".to_owned()];
    assert_eq!(listed(&other, &school), Err(Unlisted::Elsewhere(0)));
}

#[test]
fn people_are_back_after_the_days_of_a_suspension() {
    assert_eq!(back(Day::from_number(10), 4), Day::from_number(14));
}

/// Proposed for one class group, and decided as wide.
fn decided(state: SuspensionState, reach: Reach) -> Decided {
    let class = Away::one("s/c1", 3);
    Decided {
        state,
        away: match reach {
            Reach::ClassGroup => class.clone(),
            Reach::Grade => Away::Grade(3),
            Reach::School => Away::School,
        },
        proposed: Proposed {
            away: class,
            grade: 3,
        },
        first: Day::from_number(100),
        back: Day::from_number(104),
    }
}

#[test]
fn what_was_decided_is_ended_early_extended_and_widened() {
    use SuspensionState as S;
    let day = Day::from_number;
    let before = decided(S::InForce, Reach::ClassGroup);
    let amend = |before: &Decided, wanted, back, today| before.amend(wanted, back, day(today));
    let early = amend(&before, Wanted::Same, Some(day(102)), 102).expect("today");
    assert_eq!((early.state, early.back), (S::InForce, day(102)));
    let longer = amend(&before, Wanted::Same, Some(day(130)), 102).expect("30 days");
    assert_eq!((&longer.away, longer.back), (&before.away, day(130)));
    let wider = amend(&before, Wanted::Reach(Reach::School), Some(day(103)), 102);
    let wider = wider.expect("for a day");
    assert_eq!((wider.away, wider.back), (Away::School, day(103)));
    let ahead = decided(S::Decided, Reach::Grade);
    let never = amend(&ahead, Wanted::Same, Some(day(100)), 98).expect("cancelled");
    assert_eq!(never.state, S::Ended);
    let begun = decided(S::Applying, Reach::Grade);
    let told = amend(&begun, Wanted::Same, Some(day(100)), 100).expect("ended");
    assert_eq!(told.state, S::Applying, "the roster may have heard of it");
}

#[test]
fn a_list_takes_the_place_of_any_scope_as_long_as_it_names_who_was_proposed() {
    let day = Day::from_number;
    let list = |paths: &[(&str, i32)]| match classes(paths) {
        Away::Classes(classes) => Wanted::Classes(classes),
        away => panic!("{away:?}"),
    };
    let three = || list(&[("s/c1", 3), ("s/c2", 3), ("s/d1", 4)]);
    let (mut widened, all) = (Vec::new(), [Reach::ClassGroup, Reach::Grade, Reach::School]);
    for reach in all {
        let before = decided(SuspensionState::InForce, reach);
        let after = before.amend(three(), None, day(101)).expect("three");
        assert_eq!(after.away.reach(), Reach::ClassGroup);
        let without = before.amend(list(&[("s/c2", 3)]), None, day(101));
        assert_eq!(without, Err(Unamended::Narrower), "{reach:?}");
        widened.push(after);
    }
    let before = &widened[0];
    let amend = |wanted, back: Option<u16>| before.amend(wanted, back.map(day), day(101));
    let two = list(&[("s/c1", 3), ("s/c2", 3)]);
    let fewer = amend(two.clone(), None).expect("two of three");
    assert_eq!(fewer.away, classes(&[("s/c1", 3), ("s/c2", 3)]));
    assert_eq!(amend(three(), None), Err(Unamended::Nothing));
    // Whoever is added stays away for a day at least; who stays away already need not.
    assert!(amend(two, Some(101)).is_ok());
    let four = list(&[("s/c1", 3), ("s/c2", 3), ("s/d1", 4), ("s/d2", 4)]);
    assert_eq!(amend(four, Some(101)), Err(Unamended::TooSoon));
    // A grade does not take in a class group of another one.
    let grade = amend(Wanted::Reach(Reach::Grade), None);
    assert_eq!(grade, Err(Unamended::Narrower));
    assert!(
        fewer
            .amend(Wanted::Reach(Reach::Grade), None, day(101))
            .is_ok()
    );
    let school = Decided {
        proposed: Proposed {
            away: Away::School,
            grade: 0,
        },
        ..decided(SuspensionState::InForce, Reach::School)
    };
    let narrowed = school.amend(three(), None, day(101));
    assert_eq!(
        narrowed,
        Err(Unamended::Narrower),
        "the school was proposed"
    );
}

#[test]
fn every_amendment_that_is_not_legal_is_refused_for_its_reason() {
    use SuspensionState as S;
    let reaches = [Reach::ClassGroup, Reach::Grade, Reach::School];
    for state in S::ALL {
        for from in reaches {
            for to in reaches {
                for (today, back) in
                    (95..=106).flat_map(|today| (95..=135).map(move |b| (today, b)))
                {
                    let before = decided(state, from);
                    let (today, back) = (Day::from_number(today), Day::from_number(back));
                    let expected = if !matches!(state, S::Decided | S::Applying | S::InForce) {
                        Some(Unamended::State)
                    } else if today >= before.back {
                        Some(Unamended::Returned)
                    } else if to < from {
                        Some(Unamended::Narrower)
                    } else if to == from && back == before.back {
                        Some(Unamended::Nothing)
                    } else if back < today
                        || back < before.first
                        || (to != from && back == today.max(before.first))
                    {
                        Some(Unamended::TooSoon)
                    } else if back > Day::from_number(130) {
                        Some(Unamended::TooLong)
                    } else {
                        None
                    };
                    let amended = before.amend(Wanted::Reach(to), Some(back), today);
                    let case = format!("{state:?} {from:?} {to:?} {today:?} {back:?}");
                    assert_eq!(amended.as_ref().err(), expected.as_ref(), "{case}");
                    if let Ok(after) = amended {
                        assert_eq!((after.away.reach(), after.back), (to, back), "{case}");
                        assert_eq!(after.first, before.first, "{case}");
                        let cancelled = state == S::Decided && back == before.first;
                        let expected = if cancelled { S::Ended } else { state };
                        assert_eq!(after.state, expected, "{case}");
                    }
                }
            }
        }
    }
}
