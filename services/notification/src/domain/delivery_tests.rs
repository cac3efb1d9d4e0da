use proptest::prelude::*;

use super::*;

const EVENTS: [Event; 8] = [
    Event::Retry,
    Event::Send,
    Event::Fail,
    Event::Deliver,
    Event::Read,
    Event::Expire,
    Event::Resend,
    Event::Bounce,
];

/// Every event from every state: the table is the rule.
#[test]
fn exactly_the_legal_moves_are_taken() {
    use State as S;
    for state in State::ALL {
        for event in EVENTS {
            let to = match (event, state) {
                (Event::Retry, S::Queued) | (Event::Resend, S::Failed) => Some(S::Queued),
                (Event::Expire, S::Queued) => Some(S::Expired),
                (Event::Fail, S::Queued | S::Expired) | (Event::Bounce, S::Sent) => Some(S::Failed),
                (Event::Send, S::Queued | S::Expired | S::Failed) => Some(S::Sent),
                (Event::Deliver, S::Queued | S::Expired | S::Failed | S::Sent) => {
                    Some(S::Delivered)
                }
                (Event::Read, S::Read) => None,
                (Event::Read, _) => Some(S::Read),
                _ => None,
            };
            let moved = state.after(event);
            assert_eq!(moved, to.ok_or(Refused(state)), "{state:?} {event:?}");
        }
    }
}

#[test]
fn a_name_is_read_back_and_others_are_refused() {
    let message = Uuid::from_u128(1);
    for recipient in [
        Party::Student(Uuid::from_u128(2)),
        Party::Staff(Uuid::from_u128(3)),
        Party::Organization("2135010001".to_owned()),
    ] {
        let key = Key {
            message,
            recipient,
            channel: "sms-1".to_owned(),
        };
        assert_eq!(Key::parse(message, &key.id()), Some(key));
    }
    for id in [
        "",
        "inbox",
        "inbox~",
        "inbox~students",
        "inbox~students~1",
        "In~organizations~fz",
        "inbox~organizations/fz",
        "inbox~organizations~fz~fz",
    ] {
        assert_eq!(Key::parse(message, id), None, "{id}");
    }
}

fn event() -> impl Strategy<Value = Event> {
    // Sending a dead letter again is somebody's decision, not something that was told twice. What a
    // provider takes back it took before.
    (0..EVENTS.len() - 2).prop_map(|index| EVENTS[index])
}

fn end(events: &[Event]) -> State {
    events.iter().fold(State::Queued, |state, event| {
        state.after(*event).unwrap_or(state)
    })
}

proptest! {
    /// Whatever the order, and however often each is told.
    #[test]
    fn receipts_and_attempts_end_in_the_same_state(
        events in prop::collection::vec(event(), 0..12),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        seed in any::<u64>(),
    ) {
        let mut told = events.clone();
        if !events.is_empty() {
            told.extend(again.iter().map(|index| events[index.index(events.len())]));
        }
        let spread = |place: usize| (place as u64 + 1).wrapping_mul(seed | 1) >> 7;
        let mut places: Vec<usize> = (0..told.len()).collect();
        places.sort_by_key(|place| spread(*place));
        let told: Vec<Event> = places.into_iter().map(|place| told[place]).collect();
        prop_assert_eq!(end(&told), end(&events));
    }

    /// Counts follow the states, and their sum stays.
    #[test]
    fn counts_follow(events in prop::collection::vec(0..EVENTS.len(), 0..40)) {
        let (mut counts, mut state) = (Counts::default(), State::Queued);
        counts.add(state, 1);
        for event in events {
            if let Ok(to) = state.after(EVENTS[event]) {
                counts.moved(state, to);
                state = to;
            }
        }
        let mut expected = Counts::default();
        expected.add(state, 1);
        prop_assert_eq!(counts, expected);
    }
}
