use proptest::prelude::*;

use super::super::content::tests::content;
use super::*;

fn now() -> DateTime<Utc> {
    "2022-04-06T02:00:00Z".parse().unwrap()
}

fn hash() -> TextHash {
    content().hash()
}

fn relay() -> Duration {
    Duration::hours(2)
}

fn judge() -> Duration {
    Duration::days(1)
}

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2022, 4, day).unwrap()
}

fn recipient(state: State, below: i32) -> Recipient {
    Recipient {
        directive: Uuid::from_u128(1),
        id: "350102".to_owned(),
        org_path: "fz/350102".to_owned(),
        level: Level::District,
        district: String::new(),
        upper: String::new(),
        below,
        state,
        due: Some(now()),
        items_due: Some(day(9)),
        acknowledged: None,
        relayed: None,
        relay_due: None,
        judge_due: None,
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
        Verb::Acknowledge(Some(relay())),
        Verb::Relay(hash(), "请各校落实".to_owned()),
        Verb::Report("进行中".to_owned(), 40),
        Verb::ReportItem(Some(day(12))),
        Verb::Finish("完成".to_owned(), None, judge()),
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
                    (Verb::Acknowledge(_), S::Read) => Some(S::Acked),
                    (Verb::Relay(..), S::Acked) if below > 0 => Some(S::Relayed),
                    (Verb::Report(..) | Verb::ReportItem(_), S::Acked) if below == 0 => {
                        Some(S::Executing)
                    }
                    (
                        Verb::Report(..) | Verb::ReportItem(_),
                        S::Relayed | S::Executing | S::Returned,
                    ) => Some(S::Executing),
                    (Verb::Finish(..), S::Executing) => Some(S::Reported),
                    (Verb::Accept(_), S::Reported) => Some(S::Accepted),
                    (Verb::Return(_), S::Reported) => Some(S::Returned),
                    _ => None,
                };
                let moved = recipient(state, below).apply(verb.clone(), now());
                let nobody = matches!((&verb, state), (Verb::Relay(..), S::Acked) if below == 0);
                let refused = if nobody {
                    Refused::NobodyBelow
                } else {
                    Refused::State(state)
                };
                let moved = moved.map(|moved| moved.state);
                assert_eq!(moved, to.ok_or(refused), "{state:?} {verb:?} {below}");
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
    let mut changed = content();
    changed.items[0].text.push_str("，略有变通");
    let changed = changed.hash();
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
fn finishing_needs_every_demand_finished() {
    let executing = || recipient(State::Executing, 0);
    let unfinished = Verb::Finish("完成".to_owned(), Some("gate".to_owned()), judge());
    let refused = executing().apply(unfinished, now()).unwrap_err();
    assert_eq!(refused, Refused::ItemOutstanding("gate".to_owned()));
    let done = executing().apply(Verb::ReportItem(None), now()).unwrap();
    assert_eq!((done.state, done.items_due), (State::Executing, None));
}

#[test]
fn a_class_group_is_known_by_its_school() {
    let class_group = Recipient {
        id: "2135010001~p2019-01".to_owned(),
        ..recipient(State::Pending, 0)
    };
    let parts = (class_group.organization(), class_group.class_group());
    assert_eq!(parts, ("2135010001", "p2019-01"));
    assert_eq!(recipient(State::Pending, 0).class_group(), "");
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

/// The deadline to pass it on stands from the signature until it is passed on, and only where somebody is
/// below; that to judge a report from the report until its judgement. No other move touches either.
#[test]
fn what_waits_has_a_deadline_while_it_waits() {
    let earlier = now() - Duration::hours(1);
    for below in [0, 3] {
        for state in State::ALL {
            for verb in verbs() {
                let before = Recipient {
                    relay_due: Some(earlier),
                    judge_due: Some(earlier),
                    ..recipient(state, below)
                };
                let Ok(after) = before.apply(verb.clone(), now()) else {
                    continue;
                };
                let relay_due = match verb {
                    Verb::Acknowledge(_) if below == 0 => None,
                    Verb::Acknowledge(_) => Some(now() + relay()),
                    Verb::Relay(..) => None,
                    _ => Some(earlier),
                };
                let judge_due = match verb {
                    Verb::Finish(..) => Some(now() + judge()),
                    Verb::Accept(_) | Verb::Return(_) => None,
                    _ => Some(earlier),
                };
                let due = (after.relay_due, after.judge_due);
                assert_eq!(due, (relay_due, judge_due), "{state:?} {verb:?} {below}");
            }
        }
    }
}

#[test]
fn a_relay_and_a_judgement_are_overdue_past_their_deadlines() {
    let later = now() + Duration::seconds(1);
    for state in State::ALL {
        let waiting = Recipient {
            relay_due: Some(now()),
            judge_due: Some(now()),
            ..recipient(state, 3)
        };
        let overdue = |at| {
            (
                waiting.is_relay_overdue(at),
                waiting.is_judgement_overdue(at),
            )
        };
        let expected = (state == State::Acked, state == State::Reported);
        assert_eq!(overdue(later), expected, "{state:?}");
        assert_eq!(overdue(now()), (false, false), "{state:?}");
        let never = recipient(state, 3);
        assert!(!never.is_relay_overdue(later) && !never.is_judgement_overdue(later));
    }
}

proptest! {
    /// Whatever is tried in whatever order, the text stays, and nobody is accepted who did
    /// not sign, work and report.
    #[test]
    fn no_path_skips_a_step(steps in prop::collection::vec(0..9_usize, 0..60), below in 0..2_i32) {
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
