use proptest::prelude::*;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn hold() -> Hold {
    Hold {
        name: "holds/1".to_owned(),
        organization: "2135010001".to_owned(),
        org_path: "fz/350102/2135010001".to_owned(),
        subjects: vec!["tubes/1".to_owned()],
        people: 9,
        placed: at("2022-04-06T02:00:00Z"),
        stands: true,
    }
}

fn alert() -> Alert {
    let hold = hold();
    let placed = hold.placed;
    Alert::raise(
        hold,
        None,
        "staff/1".to_owned(),
        Duration::minutes(10),
        placed,
    )
}

fn step() -> Step {
    Step {
        subject: "someone".to_owned(),
        time: at("2022-04-06T02:05:00Z"),
        comment: String::new(),
    }
}

fn resolved(by: Step) -> Alert {
    Alert {
        state: State::Resolved,
        stands: false,
        resolved: Some(by),
        ..alert()
    }
}

#[test]
fn an_alert_is_raised_with_its_deadline_and_counts() {
    let alert = alert();
    assert_eq!((alert.due - alert.occurred).num_minutes(), 10);
    assert!(alert.title().contains("9 人"));
    assert_eq!(alert.id, alert_id("holds/1", 1));
    assert_ne!(alert.id, alert_id("holds/2", 1));
    assert_ne!(alert.id, alert_id("holds/1", 2));
}

/// Every move from every state, with the recheck under way and over: the table is the contract.
#[test]
fn exactly_the_legal_moves_are_taken() {
    for stands in [true, false] {
        for state in State::ALL {
            for verb in Verb::ALL {
                let before = Alert {
                    state,
                    stands,
                    ..alert()
                };
                let to = match (state, verb) {
                    (State::Open, Verb::Acknowledge) => Ok(State::Acknowledged),
                    (State::Acknowledged, Verb::Take) => Ok(State::Taken),
                    (State::Taken, Verb::Resolve) if stands => {
                        Err(Refused::FactStands("holds/1".into()))
                    }
                    (State::Taken, Verb::Resolve) => Ok(State::Resolved),
                    (State::Resolved, _) | (_, Verb::Acknowledge | Verb::Take | Verb::Resolve) => {
                        Err(Refused::State(state))
                    }
                    (_, Verb::FactGone) => Ok(State::Resolved),
                };
                let after = before.apply(verb, step()).map(|alert| alert.state);
                assert_eq!(after, to, "{state:?} {verb:?} {stands}");
            }
        }
    }
}

#[test]
fn a_hold_raises_once_and_again_when_it_comes_back() {
    let decided = Hold {
        stands: false,
        ..hold()
    };
    let by_fact = resolved(Step::by_fact(at("2022-04-06T05:00:00Z")));
    let by_person = resolved(step());
    for (hold, latest, raises) in [
        (hold(), None, true),
        (decided.clone(), None, true),
        (hold(), Some(&alert()), false),
        (decided.clone(), Some(&alert()), false),
        (hold(), Some(&by_fact), true),
        (decided.clone(), Some(&by_fact), true),
        (hold(), Some(&by_person), true),
        (decided, Some(&by_person), false),
    ] {
        assert_eq!(hold.raises(latest), raises, "{hold:?} {latest:?}");
    }
    let now = at("2022-04-06T06:00:00Z");
    let owner = "staff/1".to_owned();
    let again = Alert::raise(hold(), Some(&by_fact), owner, Duration::minutes(10), now);
    assert_eq!((again.episode, again.state), (2, State::Open));
    assert_eq!(again.id, alert_id("holds/1", 2));
    assert_eq!(again.due, at("2022-04-06T05:10:00Z"));
}

#[test]
fn an_alert_says_what_its_hold_says_until_it_ends() {
    assert_eq!(alert().corrected(&hold()), None);
    let decided = Hold {
        stands: false,
        people: 8,
        ..hold()
    };
    let corrected = alert().corrected(&decided).unwrap();
    assert_eq!((corrected.people, corrected.stands), (8, false));
    assert_ne!(corrected.title(), alert().title());
    assert_eq!(resolved(step()).corrected(&decided), None);
}

proptest! {
    /// Whatever is tried, an alert only moves forward and each step is noted.
    #[test]
    fn an_alert_never_moves_back(
        stands in any::<bool>(), verbs in prop::collection::vec(0..4_usize, 0..12),
    ) {
        let mut alert = Alert { stands, ..alert() };
        for verb in verbs {
            let before = alert.state;
            if let Ok(after) = alert.clone().apply(Verb::ALL[verb], step()) {
                prop_assert!(after.state > before);
                alert = after;
            }
        }
        prop_assert_eq!(alert.resolved.is_some(), alert.state == State::Resolved);
        prop_assert!(alert.taken.is_none() || alert.acknowledged.is_some());
    }
}
