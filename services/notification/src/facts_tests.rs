use super::*;

fn now() -> DateTime<Utc> {
    "2022-04-06T03:00:00Z".parse().unwrap()
}

fn event(state: pb::hold::State) -> pb::SamplingEvent {
    let member = |number: u128| format!("students/{}", uuid::Uuid::from_u128(number).hyphenated());
    pb::SamplingEvent {
        entity: "holds/T1".to_owned(),
        version: 1,
        org_path: "fz/350102/2135010001/p2019-01".to_owned(),
        removed: false,
        state: Some(State::Hold(pb::Hold {
            name: "holds/T1".to_owned(),
            tube: "tubes/T1".to_owned(),
            state: state.into(),
            org_path: "fz/350102/2135010001/p2019-01".to_owned(),
            class_group: "organizations/2135010001/classGroups/p2019-01".to_owned(),
            members: (1..=9).map(member).collect(),
            start_time: Some(prost_types::Timestamp {
                seconds: 1_649_210_400,
                nanos: 0,
            }),
            ..Default::default()
        })),
    }
}

/// The hold in an event; none when it is over.
fn in_force(event: &pb::SamplingEvent) -> Option<Fact> {
    let mut facts = told(event, now()).unwrap().facts;
    assert!(facts.len() <= 1);
    facts.pop()
}

#[test]
fn a_hold_is_known_by_its_school_and_its_numbers() {
    let hold = in_force(&event(pb::hold::State::Active)).unwrap();
    assert_eq!(
        hold,
        Fact {
            kind: Kind::HoldPlaced,
            entity: Entity {
                name: "holds/T1".to_owned(),
                organization: "2135010001".to_owned(),
                org_path: "fz/350102/2135010001".to_owned(),
            },
            subjects: vec![
                "organizations/2135010001/classGroups/p2019-01".to_owned(),
                "tubes/T1".to_owned(),
            ],
            named: Vec::new(),
            figures: Figures {
                people: 9,
                ..Figures::default()
            },
            grave: false,
            occurred: "2022-04-06T02:00:00Z".parse().unwrap(),
            limit: None,
            stands: true,
            seen: false,
        }
    );
}

#[test]
fn a_hold_is_in_force_until_everybody_is_free() {
    use pb::hold::State;
    let stands = |state| in_force(&event(state)).map(|hold| hold.stands);
    assert_eq!(stands(State::Active), Some(true));
    assert_eq!(stands(State::Unspecified), Some(true));
    assert_eq!(stands(State::ResolvedPositive), Some(false));
    assert_eq!(stands(State::ResolvedNegative), None);
    assert_eq!(stands(State::Released), None);
    let removed = pb::SamplingEvent {
        removed: true,
        state: None,
        ..event(State::Active)
    };
    assert_eq!(in_force(&removed), None);
}

#[test]
fn what_has_no_facts_is_passed_over() {
    let tube = pb::SamplingEvent {
        entity: "tubes/T1".to_owned(),
        state: Some(State::Tube(pb::Tube::default())),
        ..event(pb::hold::State::Active)
    };
    let gone = |event: &pb::SamplingEvent| pb::SamplingEvent {
        removed: true,
        state: None,
        ..event.clone()
    };
    assert_eq!(told(&tube, now()), None);
    assert_eq!(told(&gone(&tube), now()), None);
    let hold = told(&gone(&event(pb::hold::State::Active)), now()).unwrap();
    assert!(hold.gone && hold.facts.is_empty());
    // Of a newer peer, in a way unknown here: not a reason to end an alert.
    let unknown = pb::SamplingEvent {
        state: None,
        ..event(pb::hold::State::Active)
    };
    assert_eq!(told(&unknown, now()), None);
}

#[test]
fn a_tube_of_no_class_group_stands_at_its_organisation() {
    let mut event = event(pb::hold::State::Active);
    event.org_path = "fz/350102/2135010001".to_owned();
    if let Some(State::Hold(hold)) = &mut event.state {
        hold.class_group.clear();
    }
    let hold = in_force(&event).unwrap();
    assert_eq!(
        (
            &*hold.entity.organization,
            &*hold.entity.org_path,
            hold.subjects
        ),
        (
            "2135010001",
            "fz/350102/2135010001",
            vec!["tubes/T1".to_owned()]
        )
    );
}

#[test]
fn a_place_ends_at_its_organisation() {
    assert_eq!(place_of("s1", "fz/d/s1/p2019-01"), "fz/d/s1");
    assert_eq!(place_of("s1", "fz/d/s1"), "fz/d/s1");
    assert_eq!(place_of("s2", "fz/d/s1"), "fz/d/s1");
}
