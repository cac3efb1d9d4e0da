use proptest::prelude::*;

use super::*;

fn now() -> DateTime<Utc> {
    "2022-04-06T02:00:00Z".parse().unwrap()
}

fn hash() -> TextHash {
    TextHash::of("通知", "正文")
}

fn recipient(state: State, below: i32) -> Recipient {
    Recipient {
        directive: Uuid::from_u128(1),
        organization: "350102".to_owned(),
        org_path: "fz/350102".to_owned(),
        upper: String::new(),
        below,
        state,
        due: Some(now()),
        acknowledged: None,
        relayed: None,
        relay_note: String::new(),
        report: String::new(),
        progress: 0,
        return_reason: String::new(),
        updated: now(),
        text_hash: hash(),
        version: 1,
    }
}

fn verbs() -> Vec<Verb> {
    vec![
        Verb::Deliver,
        Verb::Read,
        Verb::Acknowledge,
        Verb::Relay(hash(), "请各校落实".to_owned()),
        Verb::Report("进行中".to_owned(), 40, false),
        Verb::Report("完成".to_owned(), 100, true),
        Verb::Accept(Below::default()),
        Verb::Return("材料不全".to_owned()),
    ]
}

/// Every move from every state, with and without somebody below: the table is the rule.
#[test]
fn exactly_the_legal_moves_are_taken() {
    use State as S;
    for below in [0, 3] {
        for state in State::ALL {
            for verb in verbs() {
                let to = match (&verb, state) {
                    (Verb::Deliver, S::Pending) => Some(S::Delivered),
                    (Verb::Read, S::Delivered) => Some(S::Read),
                    (Verb::Acknowledge, S::Read) => Some(S::Acked),
                    (Verb::Relay(..), S::Acked) if below > 0 => Some(S::Relayed),
                    (Verb::Report(_, _, false), S::Acked) if below == 0 => Some(S::Executing),
                    (Verb::Report(_, _, false), S::Relayed | S::Executing | S::Returned) => {
                        Some(S::Executing)
                    }
                    (Verb::Report(_, _, true), S::Executing) => Some(S::Reported),
                    (Verb::Accept(_), S::Reported) => Some(S::Accepted),
                    (Verb::Return(_), S::Reported) => Some(S::Returned),
                    _ => None,
                };
                let moved = recipient(state, below).apply(verb.clone(), now());
                assert_eq!(
                    moved.ok().map(|r| r.state),
                    to,
                    "{state:?} {verb:?} {below}"
                );
            }
        }
    }
}

#[test]
fn nothing_moves_before_the_one_above_passes_it_on() {
    for verb in verbs() {
        let waiting = Recipient {
            due: None,
            upper: "fz".to_owned(),
            ..recipient(State::Pending, 1)
        };
        let refused = waiting.apply(verb, now()).unwrap_err();
        assert_eq!(refused, Refused::NotRelayed("fz".to_owned()));
    }
}

/// Golden test T19.
#[test]
fn a_relay_cannot_change_the_text() {
    let acked = recipient(State::Acked, 3);
    let changed = TextHash::of("通知", "正文，略有变通");
    let refused = acked
        .clone()
        .apply(Verb::Relay(changed, String::new()), now())
        .unwrap_err();
    assert_eq!(refused, Refused::TextChanged);
    let relayed = acked
        .apply(Verb::Relay(hash(), "另附要求".to_owned()), now())
        .unwrap();
    assert_eq!(
        (relayed.text_hash, &*relayed.relay_note),
        (hash(), "另附要求")
    );
}

#[test]
fn a_district_is_done_when_its_schools_are() {
    let reported = || recipient(State::Reported, 40);
    let accept = |accepted, percent| {
        reported().apply(
            Verb::Accept(Below {
                all: 40,
                accepted,
                percent,
            }),
            now(),
        )
    };
    assert!(accept(40, 100).is_ok());
    let outstanding = Refused::BelowOutstanding {
        accepted: 39,
        required: 40,
    };
    assert_eq!(accept(39, 100).unwrap_err(), outstanding);
    assert!(accept(38, 95).is_ok());
    assert!(accept(37, 95).is_err());
}

#[test]
fn overdue_is_unsigned_past_the_deadline() {
    let later = now() + Duration::seconds(1);
    for state in State::ALL {
        let overdue = recipient(state, 0).is_overdue(later);
        assert_eq!(
            overdue,
            matches!(state, State::Pending | State::Delivered | State::Read)
        );
        assert!(!recipient(state, 0).is_overdue(now()));
    }
}

proptest! {
    /// Whatever is tried in whatever order, the text stays, and nobody is accepted who did
    /// not sign, work and report.
    #[test]
    fn no_path_skips_a_step(steps in prop::collection::vec(0..8_usize, 0..60), below in 0..2_i32) {
        let mut recipient = recipient(State::Pending, below);
        let mut seen = vec![State::Pending];
        for step in steps {
            if let Ok(moved) = recipient.clone().apply(verbs()[step].clone(), now()) {
                recipient = moved;
                seen.push(recipient.state);
            }
        }
        prop_assert_eq!(recipient.text_hash, hash());
        if recipient.state == State::Accepted {
            for needed in [State::Delivered, State::Read, State::Acked, State::Executing, State::Reported] {
                prop_assert!(seen.contains(&needed), "{:?}", needed);
            }
            prop_assert_eq!(seen.contains(&State::Relayed), below > 0);
        }
    }
}
