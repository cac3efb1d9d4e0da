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

#[test]
fn a_wider_reach_covers_a_narrower_one() {
    let away = |reach, group: &str, grade| Away {
        reach,
        group: group.to_owned(),
        grade,
    };
    let class = away(Reach::ClassGroup, "s/c1", 3);
    let other = away(Reach::ClassGroup, "s/c2", 3);
    let grade = away(Reach::Grade, "s/c1", 3);
    let school = away(Reach::School, "", 0);
    assert!(grade.covers(&other) && school.covers(&grade) && class.covers(&class));
    assert!(!class.covers(&other) && !class.covers(&grade) && !grade.covers(&school));
    assert!(grade.meets(&class) && class.meets(&grade) && !class.meets(&other));
    assert!(!away(Reach::Grade, "s/d", 4).meets(&class));
}

#[test]
fn people_are_back_after_the_days_of_a_suspension() {
    assert_eq!(back(Day::from_number(10), 4), Day::from_number(14));
}

fn decided(state: SuspensionState, reach: Reach) -> Decided {
    Decided {
        state,
        reach,
        first: Day::from_number(100),
        back: Day::from_number(104),
    }
}

#[test]
fn what_was_decided_is_ended_early_extended_and_widened() {
    use SuspensionState as S;
    let day = Day::from_number;
    let before = decided(S::InForce, Reach::ClassGroup);
    let amend = |before: Decided, reach, back, today| before.amend(reach, back, day(today));
    let early = amend(before, None, Some(day(102)), 102).expect("today");
    assert_eq!((early.state, early.back), (S::InForce, day(102)));
    let longer = amend(before, None, Some(day(130)), 102).expect("30 days");
    assert_eq!((longer.reach, longer.back), (Reach::ClassGroup, day(130)));
    let wider = amend(before, Some(Reach::School), Some(day(103)), 102);
    let wider = wider.expect("for a day");
    assert_eq!((wider.reach, wider.back), (Reach::School, day(103)));
    let ahead = decided(S::Decided, Reach::Grade);
    let never = amend(ahead, None, Some(day(100)), 98).expect("cancelled");
    assert_eq!(never.state, S::Ended);
    let begun = decided(S::Applying, Reach::Grade);
    let told = amend(begun, None, Some(day(100)), 100).expect("ended");
    assert_eq!(told.state, S::Applying, "the roster may have heard of it");
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
                    let amended = before.amend(Some(to), Some(back), today);
                    let case = format!("{state:?} {from:?} {to:?} {today:?} {back:?}");
                    assert_eq!(amended.err(), expected, "{case}");
                    if let Ok(after) = amended {
                        assert_eq!((after.reach, after.back), (to, back), "{case}");
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
