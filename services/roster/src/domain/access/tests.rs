//! Who may do what to an approval, and in which order.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const START: i64 = 1_000;
const END: i64 = 9_000;
const AT: &str = "fz/350102";

fn terms(persons: &[u128]) -> Terms {
    Terms {
        data: vec!["REGISTER".to_owned(), "HEALTH".to_owned()],
        persons: persons.iter().copied().map(Uuid::from_u128).collect(),
        purpose: "audit".to_owned(),
        reason: "未成年人网络保护条例第三十七条年度审计".to_owned(),
        start: START,
        end: END,
    }
}

fn requested() -> Approval {
    Approval::request("ann", 500, terms(&[]))
}

fn at(actor: &str, time: i64, step: Step) -> Event {
    Event {
        actor: actor.to_owned(),
        time,
        step,
    }
}

fn because() -> String {
    "超出必要范围".to_owned()
}

/// Each step, by whom it may be taken at all.
fn steps() -> [(&'static str, Step); 4] {
    [
        ("eve", Step::Approved { end: END }),
        ("eve", Step::Rejected { reason: because() }),
        ("ann", Step::Withdrawn),
        ("eve", Step::Revoked { reason: because() }),
    ]
}

fn after(taken: &[usize]) -> Approval {
    taken.iter().fold(requested(), |approval, which| {
        let (actor, step) = steps()[*which].clone();
        approval.step(at(actor, 2_000, step)).unwrap()
    })
}

#[test]
fn every_move_that_is_not_drawn_is_refused() {
    // From each state, which of the four steps lead on, and where to.
    let drawn = [
        (
            requested(),
            [
                Some(State::Approved),
                Some(State::Rejected),
                Some(State::Withdrawn),
                None,
            ],
        ),
        (
            after(&[0]),
            [None, None, Some(State::Withdrawn), Some(State::Revoked)],
        ),
        (after(&[1]), [None; 4]),
        (after(&[2]), [None; 4]),
        (after(&[0, 2]), [None; 4]),
        (after(&[0, 3]), [None; 4]),
    ];
    for (before, expected) in drawn {
        let from = before.state(2_000);
        for ((actor, step), to) in steps().into_iter().zip(expected) {
            let verb = step.verb();
            let moved = before.clone().step(at(actor, 2_000, step));
            let moved = moved.map(|approval| approval.state(2_000));
            assert_eq!(moved, to.ok_or(Refused::State(from)), "{from:?} {verb}");
        }
    }
}

#[test]
fn whoever_asked_decides_nothing_and_nobody_else_takes_back() {
    for which in [0, 1] {
        let (_, step) = steps()[which].clone();
        let own = requested().step(at("ann", 2_000, step));
        assert_eq!(own, Err(Refused::SamePerson));
    }
    for before in [requested(), after(&[0])] {
        let other = before.step(at("eve", 2_000, Step::Withdrawn));
        assert_eq!(other, Err(Refused::SamePerson));
    }
}

#[test]
fn when_its_time_is_over_nothing_moves_and_nothing_is_covered() {
    for before in [requested(), after(&[0])] {
        assert_eq!(before.state(END), State::Expired);
        for (actor, step) in steps() {
            let late = before.clone().step(at(actor, END, step));
            assert_eq!(late, Err(Refused::State(State::Expired)));
        }
    }
    assert!(!after(&[0]).covers(&wanted(), AT, END));
}

#[test]
fn an_approval_ends_no_later_than_was_asked_for_and_not_before_it_begins() {
    for end in [END + 1, START, 2_000] {
        let moved = requested().step(at("eve", 2_000, Step::Approved { end }));
        assert_eq!(moved, Err(Refused::End), "{end}");
    }
    let shorter = requested().step(at("eve", 2_000, Step::Approved { end: 3_000 }));
    let shorter = shorter.unwrap();
    assert_eq!(shorter.state(2_999), State::Approved);
    assert_eq!(shorter.state(3_000), State::Expired);
}

fn wanted() -> Wanted {
    Wanted {
        data: MinorData::Register,
        person: None,
        place: AT.to_owned(),
        purpose: "audit".to_owned(),
    }
}

#[test]
fn it_covers_its_place_data_purpose_and_time_and_no_other() {
    let approved = after(&[0]);
    let covers = |wanted: Wanted, now| approved.covers(&wanted, AT, now);
    assert!(covers(wanted(), START));
    let school = Wanted {
        place: format!("{AT}/2135010001"),
        ..wanted()
    };
    assert!(covers(school, END - 1));
    let person = Wanted {
        person: Some(Uuid::from_u128(7)),
        ..wanted()
    };
    assert!(covers(person, START));
    let mut others = Vec::new();
    for place in ["fz", "", "fz/350103", "fz/3501021"] {
        others.push(Wanted {
            place: place.to_owned(),
            ..wanted()
        });
    }
    others.push(Wanted {
        data: MinorData::Sampling,
        ..wanted()
    });
    others.push(Wanted {
        purpose: "exercise".to_owned(),
        ..wanted()
    });
    for other in others {
        assert!(!covers(other.clone(), START), "{other:?}");
    }
    assert!(!covers(wanted(), START - 1));
    assert!(!requested().covers(&wanted(), AT, START));
    assert!(!after(&[0, 3]).covers(&wanted(), AT, START));
}

#[test]
fn one_for_persons_covers_these_and_nobody_in_bulk() {
    let asked = Approval::request("ann", 500, terms(&[7, 8]));
    let approved = asked.step(at("eve", 600, Step::Approved { end: END }));
    let approved = approved.unwrap();
    let of = |person: Option<u128>| Wanted {
        person: person.map(Uuid::from_u128),
        ..wanted()
    };
    assert!(approved.covers(&of(Some(8)), AT, START));
    assert!(!approved.covers(&of(Some(9)), AT, START));
    assert!(!approved.covers(&of(None), AT, START));
}

fn event() -> impl Strategy<Value = Event> {
    let actor = proptest::sample::select(vec!["ann", "bob", "eve"]);
    let step = (0_usize..4, 0_i64..12_000).prop_map(|(which, end)| match which {
        0 => Step::Approved { end },
        other => steps()[other].1.clone(),
    });
    (actor, 500_i64..10_000, step).prop_map(|(actor, time, step)| at(actor, time, step))
}

proptest! {
    #[test]
    fn nobody_ever_uses_what_they_approved_themselves(events in proptest::collection::vec(event(), 0..8)) {
        let mut approval = requested();
        for event in events {
            approval = approval.clone().step(event).unwrap_or(approval);
        }
        for now in [START, 5_000, END - 1, END] {
            if approval.covers(&wanted(), AT, now) {
                let approver = approval.approver();
                prop_assert!(approver.is_some() && approver != Some(approval.requester()));
                prop_assert!(now < END);
            }
        }
        prop_assert_eq!(Approval::replay(approval.events().to_vec()), Some(approval));
    }
}
