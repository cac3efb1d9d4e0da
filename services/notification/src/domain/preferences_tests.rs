use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn start() -> DateTime<Utc> {
    "2022-04-06T01:30:00Z".parse().unwrap()
}

fn minutes(count: i64) -> Duration {
    Duration::minutes(count)
}

fn preferences() -> impl Strategy<Value = Preferences> {
    let digest = prop::option::of(0..DAY);
    (0..DAY, 0..DAY, digest).prop_map(|(start, end, digest)| Preferences {
        quiet: Quiet { start, end },
        digest,
        ..Preferences::default()
    })
}

fn waiting() -> impl Strategy<Value = Waiting> {
    let urgency = prop_oneof![
        Just(Urgency::Ordinary),
        Just(Urgency::Urgent),
        Just(Urgency::Emergency)
    ];
    (urgency, 0..DAY * 3, 1..DAY * 4).prop_map(|(urgency, created, lasts)| {
        let created = start() + minutes(created.into());
        Waiting {
            category: Category::Notice,
            urgency,
            created,
            expires: created + minutes(lasts.into()),
        }
    })
}

/// Follows a message as the sender does: looks when it is created, then each time it is told to.
/// When it left, if ever.
fn follow(of: &Preferences, waiting: Waiting, spread: Duration) -> Option<DateTime<Utc>> {
    let mut now = waiting.created;
    for _ in 0..5 {
        match of.departure(waiting, now, spread) {
            Departure::Now | Departure::Gathered(_) => return Some(now),
            Departure::At(at) => {
                assert!(at > now, "waits forward");
                now = at;
            }
            Departure::InboxOnly | Departure::Never => return None,
        }
    }
    panic!("waits again and again");
}

proptest! {
    #[test]
    fn nothing_but_an_emergency_leaves_in_quiet_hours(
        of in preferences(),
        waiting in waiting(),
        spread in 0..60_000_i64,
    ) {
        if let Some(at) = follow(&of, waiting, Duration::milliseconds(spread)) {
            prop_assert!(at < waiting.expires);
            let quiet = of.quiet.contains(minute_of(at));
            prop_assert!(!quiet || waiting.urgency == Urgency::Emergency);
        }
    }

    #[test]
    fn everything_leaves_before_its_end_when_there_is_a_minute_outside(
        of in preferences(),
        waiting in waiting(),
        spread in 0..60_000_i64,
    ) {
        let lasts = (waiting.expires - waiting.created).num_minutes();
        let outside = (0..lasts)
            .map(|minute| waiting.created + minutes(minute))
            .any(|at| !of.quiet.contains(minute_of(at)));
        let left = follow(&of, waiting, Duration::milliseconds(spread));
        let emergency = waiting.urgency == Urgency::Emergency;
        prop_assert_eq!(left.is_some(), outside || emergency);
        if emergency {
            prop_assert_eq!(left, Some(waiting.created));
        }
    }

    #[test]
    fn an_attempt_that_comes_late_leaves_outside_quiet_hours_as_well(
        of in preferences(),
        waiting in waiting(),
        late in 0..DAY * 4,
    ) {
        let now = waiting.created + minutes(late.into());
        let departure = of.departure(waiting, now, Duration::zero());
        if matches!(departure, Departure::Now | Departure::Gathered(_)) {
            let quiet = of.quiet.contains(minute_of(now));
            prop_assert!(!quiet || waiting.urgency == Urgency::Emergency);
            prop_assert!(now < waiting.expires);
        }
    }

    #[test]
    fn those_who_are_gathered_leave_together(
        of in preferences(),
        created in prop::collection::vec(0..DAY, 2..6),
        spread in 0..60_000_i64,
    ) {
        let digest = of.digest.unwrap_or(0);
        let of = Preferences { digest: Some(digest), ..of };
        // All of them between two digests.
        let begin = next_minute(start(), digest) + minutes(1);
        let left = created.iter().map(|after| {
            let created = begin + minutes(i64::from(*after % (DAY - 2)));
            let waiting = Waiting {
                category: Category::Notice,
                urgency: Urgency::Ordinary,
                created,
                expires: created + Duration::days(5),
            };
            follow(&of, waiting, Duration::milliseconds(spread))
        });
        let left: BTreeSet<_> = left.collect();
        prop_assert!(left.len() == 1, "{left:?}");
    }
}

#[test]
fn the_defaults_let_people_sleep() {
    let ordinary = |created: &str| Waiting {
        category: Category::Notice,
        urgency: Urgency::Urgent,
        created: created.parse().unwrap(),
        expires: "2022-04-09T00:00:00Z".parse().unwrap(),
    };
    let departure = |at: &str| {
        Preferences::default().departure(ordinary(at), at.parse().unwrap(), Duration::zero())
    };
    // 21:59:59, 22:00:00, 03:00, 05:59:59 and 06:00:00 in the city.
    let morning = Departure::At("2022-04-06T22:00:00Z".parse().unwrap());
    assert_eq!(departure("2022-04-06T13:59:59Z"), Departure::Now);
    assert_eq!(departure("2022-04-06T14:00:00Z"), morning);
    assert_eq!(departure("2022-04-06T19:00:00Z"), morning);
    assert_eq!(departure("2022-04-06T21:59:59Z"), morning);
    assert_eq!(departure("2022-04-06T22:00:00Z"), Departure::Now);
}

#[test]
fn what_only_comes_to_the_inbox_leaves_by_no_other_way_unless_it_is_an_emergency() {
    let of = Preferences {
        inbox_only: vec![Category::Reminder],
        ..Preferences::default()
    };
    let departure = |category, urgency| {
        let waiting = Waiting {
            category,
            urgency,
            created: start(),
            expires: start() + minutes(60),
        };
        of.departure(waiting, start(), Duration::zero())
    };
    assert_eq!(
        departure(Category::Reminder, Urgency::Urgent),
        Departure::InboxOnly
    );
    assert_eq!(
        departure(Category::Reminder, Urgency::Emergency),
        Departure::Now
    );
    assert_eq!(departure(Category::Notice, Urgency::Urgent), Departure::Now);
}

proptest! {
    /// Whatever somebody prefers meanwhile, a text that was gathered does not fall apart: only the end of
    /// one of its messages takes that out of it.
    #[test]
    fn what_was_gathered_leaves_at_one_instant(
        of in preferences(),
        waiting in prop::collection::vec(waiting(), 2..5),
        now in 0..DAY * 4,
    ) {
        let now = start() + minutes(now.into());
        let departures = waiting.into_iter().filter(|one| one.expires > now + minutes(1500));
        let departures: BTreeSet<String> = departures
            .map(|one| of.departure_again(one, now, Duration::seconds(20)))
            .map(|departure| format!("{departure:?}"))
            .collect();
        prop_assert!(departures.len() <= 1, "{departures:?}");
    }
}
