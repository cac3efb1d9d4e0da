use super::*;

fn now() -> DateTime<Utc> {
    "2022-04-06T02:00:00Z".parse().unwrap()
}

fn message(state: State, groups: &[Group]) -> Message {
    Message {
        organization: "fz".to_owned(),
        id: Uuid::from_u128(1),
        org_path: "fz".to_owned(),
        state,
        category: Category::Notice,
        urgency: Urgency::Ordinary,
        template: "notice".to_owned(),
        template_version: 1,
        values: BTreeMap::new(),
        recipients: Recipients {
            audience: Some(Audience::default()),
            groups: groups.iter().copied().collect(),
            ..Recipients::default()
        },
        channels: Vec::new(),
        exercise: false,
        author: "officer".to_owned(),
        basis: String::new(),
        confidential: false,
        created: now(),
        expires: now() + Message::LIFE,
        expanded: None,
        progress: Progress::BEGIN,
    }
}

#[test]
fn a_message_is_stopped_once() {
    for state in State::ALL {
        let stopped = message(state, &[]).cancel().map(|message| message.state);
        let expected = match state {
            State::Expanding | State::Expanded => Ok(State::Cancelled),
            State::Cancelled => Err(Refused(State::Cancelled)),
        };
        assert_eq!(stopped, expected);
    }
}

#[test]
fn only_an_expanding_message_goes_on() {
    for state in [State::Expanded, State::Cancelled] {
        assert_eq!(
            message(state, &[]).advance(None, now()),
            Err(Refused(state))
        );
    }
}

#[test]
fn every_phase_with_somebody_in_it_is_gone_through_once() {
    use Group::{Families, Organizations, Staff};
    let person = Uuid::from_u128(7);
    for (groups, phases) in [
        (&[][..], vec![Phase::Few]),
        (&[Organizations], vec![Phase::Few]),
        (&[Staff], vec![Phase::Few, Phase::Staff]),
        (
            &[Families, Staff],
            vec![Phase::Few, Phase::Families, Phase::Staff],
        ),
    ] {
        let (mut at, mut seen) = (message(State::Expanding, groups), Vec::new());
        while at.state == State::Expanding {
            let Progress { phase, parts, .. } = at.progress;
            seen.push(phase);
            if phase != Phase::Few {
                let half = at.clone().advance(Some(person), now()).unwrap();
                assert_eq!((half.progress.phase, half.progress.after), (phase, person));
                assert_eq!((half.expanded, half.progress.parts), (None, parts + 1));
            }
            at = at.advance(None, now()).unwrap();
            assert_eq!(at.progress.after, Uuid::nil());
        }
        assert_eq!(seen, phases, "{groups:?}");
        assert_eq!((at.state, at.expanded), (State::Expanded, Some(now())));
    }
}

#[test]
fn without_an_audience_groups_are_of_class_groups_alone() {
    let mut message = message(State::Expanding, &[Group::Families, Group::Staff]);
    message.recipients.audience = None;
    let done = message.advance(None, now()).unwrap();
    assert_eq!(done.state, State::Expanded);
}

#[test]
fn it_is_over_at_its_end() {
    let message = message(State::Expanded, &[]);
    assert!(!message.is_over(message.expires - Duration::milliseconds(1)));
    assert!(message.is_over(message.expires));
}
