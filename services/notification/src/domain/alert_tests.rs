use proptest::prelude::*;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn entity(name: &str) -> Entity {
    Entity {
        name: name.to_owned(),
        organization: "2135010001".to_owned(),
        org_path: "fz/350102/2135010001".to_owned(),
    }
}

fn hold() -> Fact {
    Fact {
        subjects: vec!["tubes/1".to_owned()],
        named: Vec::new(),
        figures: Figures {
            people: 9,
            ..Figures::default()
        },
        ..Fact::new(
            Kind::HoldPlaced,
            entity("holds/1"),
            at("2022-04-06T02:00:00Z"),
        )
    }
}

fn raise(fact: Fact, latest: Option<&Alert>, now: &str) -> Alert {
    let rule = &shipped(fact.kind).rule;
    let (owner, policy) = ("staff/1".to_owned(), Policy::default());
    Alert::raise(fact, latest, rule, owner, &policy, at(now)).alert
}

fn corrected(alert: &Alert, fact: &Fact, now: DateTime<Utc>) -> Option<Alert> {
    let rule = &shipped(fact.kind).rule;
    let corrected = alert.corrected(fact, rule, &Policy::default(), now);
    corrected.map(|change| change.alert)
}

fn alert() -> Alert {
    raise(hold(), None, "2022-04-06T02:00:00Z")
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
        next: None,
        stands: false,
        resolved: Some(by),
        ..alert()
    }
}

#[test]
fn an_alert_is_raised_with_its_deadline_and_counts() {
    let alert = alert();
    assert_eq!((alert.due - alert.occurred).num_minutes(), 10);
    let (zh, en) = alert.title();
    assert!(zh.contains("9 人") && en.contains("9 people"));
    assert_eq!(alert.severity, Severity::Critical);
    assert_eq!(alert.id, alert_id(Kind::HoldPlaced, "holds/1", 1));
    assert_ne!(alert.id, alert_id(Kind::HoldPlaced, "holds/2", 1));
    assert_ne!(alert.id, alert_id(Kind::HoldPlaced, "holds/1", 2));
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
                let after = before.apply(verb, step()).map(|change| change.alert.state);
                assert_eq!(after, to, "{state:?} {verb:?} {stands}");
            }
        }
    }
}

#[test]
fn an_alert_is_taken_over_from_somebody_else_and_with_a_word() {
    let taken = Alert {
        state: State::Taken,
        taken: Some(step()),
        ..alert()
    };
    let by = |subject: &str, comment: &str| Step {
        subject: subject.to_owned(),
        comment: comment.to_owned(),
        ..step()
    };
    let refused = Err(Refused::State(State::Taken));
    let take = |step| taken.clone().apply(Verb::Take, step);
    assert_eq!(take(by("someone", "再次处理")), refused);
    assert_eq!(take(by("another", "  ")), refused);
    let over = take(by("another", "接手处理")).unwrap();
    assert_eq!(over.alert.state, State::Taken);
    assert_eq!(over.alert.taken, Some(by("another", "接手处理")));
    assert_eq!(over.entries[0].event, Event::Taken);
}

#[test]
fn words_are_added_in_any_state_and_change_nothing_else() {
    for state in State::ALL {
        let before = Alert { state, ..alert() };
        let change = before.clone().comment(&step());
        assert_eq!(change.alert, before);
        assert_eq!(change.entries[0].event, Event::Commented);
    }
}

#[test]
fn an_alert_is_handed_over_until_it_ends() {
    let now = at("2022-04-06T02:05:00Z");
    let to = |alert: Alert, owner: &str| alert.hand_over(owner.to_owned(), now);
    assert_eq!(to(alert(), "staff/1"), None);
    assert_eq!(to(resolved(step()), "staff/2"), None);
    let handed = to(alert(), "staff/2").unwrap();
    assert_eq!(handed.alert.owner, "staff/2");
    let entry = &handed.entries[0];
    assert_eq!((entry.event, &*entry.owner), (Event::HandedOver, "staff/2"));
}

#[test]
fn a_fact_that_becomes_graver_weighs_more_by_the_rule_that_raised_it() {
    let fact = |grave| Fact {
        grave,
        ..Fact::new(Kind::ClusterFound, entity("clusters/1"), hold().occurred)
    };
    let now = at("2022-04-06T02:05:00Z");
    let raised = raise(fact(false), None, "2022-04-06T02:00:00Z");
    assert_eq!(raised.severity, Severity::Warning);
    let graver = corrected(&raised, &fact(true), now).unwrap();
    assert_eq!(graver.severity, Severity::Critical);
    // Whoever saw it saw less: it is open again, due sooner, and told once more.
    for state in [State::Open, State::Acknowledged, State::Taken] {
        let seen = (state != State::Open).then(step);
        let before = Alert {
            state,
            told_level: 0,
            next: raised.next.filter(|_| state == State::Open),
            acknowledged: seen.clone(),
            taken: seen,
            ..raised.clone()
        };
        let graver = corrected(&before, &fact(true), now).unwrap();
        assert_eq!((graver.state, graver.told_level), (State::Open, -1));
        assert_eq!((&graver.acknowledged, &graver.taken), (&None, &None));
        assert!(graver.is_untold() && graver.due < before.due, "{state:?}");
        assert_eq!(graver.next, Some(graver.due));
        assert_eq!(corrected(&graver, &fact(true), now), None, "once");
    }
    // Further up the organisation there has as long as a grave one leaves it.
    let higher = Alert {
        level: 1,
        told_level: 1,
        next: Some(now + chrono::Duration::hours(2)),
        ..raised.clone()
    };
    let graver = corrected(&higher, &fact(true), now).unwrap();
    assert_eq!(graver.next, Some(now + chrono::Duration::minutes(30)));
    assert_eq!((graver.level, graver.told_level), (1, 0));
    // What was ended stays ended.
    let ended = Alert {
        state: State::Resolved,
        ..raised
    };
    assert_eq!(corrected(&ended, &fact(true), now), None);
}

#[test]
fn a_hold_raises_once_and_again_when_it_comes_back() {
    let decided = Fact {
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
    let again = raise(hold(), Some(&by_fact), "2022-04-06T06:00:00Z");
    assert_eq!((again.episode, again.state), (2, State::Open));
    assert_eq!(again.id, alert_id(Kind::HoldPlaced, "holds/1", 2));
    assert_eq!(again.due, at("2022-04-06T05:10:00Z"));
}

#[test]
fn an_alert_says_what_its_fact_says_until_it_ends() {
    let now = at("2022-04-06T02:05:00Z");
    assert_eq!(corrected(&alert(), &hold(), now), None);
    let decided = Fact {
        stands: false,
        figures: Figures {
            people: 8,
            ..Figures::default()
        },
        ..hold()
    };
    let says = corrected(&alert(), &decided, now).unwrap();
    assert_eq!((says.figures.people, says.stands), (8, false));
    assert_ne!(says.title(), alert().title());
    assert_eq!(corrected(&resolved(step()), &decided, now), None);
}

#[test]
fn what_was_seen_where_it_was_found_is_acknowledged() {
    let seen = Fact {
        seen: true,
        ..hold()
    };
    let now = at("2022-04-06T02:05:00Z");
    let raised = raise(seen.clone(), None, "2022-04-06T02:05:00Z");
    let seen_later = corrected(&alert(), &seen, now).unwrap();
    for alert in [raised, seen_later] {
        assert_eq!(alert.state, State::Acknowledged);
        assert_eq!(alert.next, None);
        assert!(alert.acknowledged.is_some_and(|step| step.is_by_fact()));
    }
    let taken = Alert {
        state: State::Taken,
        ..alert()
    };
    assert_eq!(corrected(&taken, &seen, now), None);
}

#[test]
fn an_alert_is_due_by_its_policy_and_never_after_the_limit_of_its_fact() {
    let due = |minutes| {
        let limit = Some(hold().occurred + chrono::Duration::minutes(minutes));
        let alert = raise(Fact { limit, ..hold() }, None, "2022-04-06T02:00:00Z");
        (alert.due - alert.occurred).num_minutes()
    };
    assert_eq!((due(5), due(60)), (5, 10));
}

#[test]
fn the_organisation_above_is_asked_once_an_alert_is_escalated() {
    assert_eq!(alert().upper(), None);
    assert_eq!(alert().seat(), "2135010001");
    let at_level = |level| Alert { level, ..alert() };
    assert_eq!(at_level(1).upper(), Some("350102"));
    // The tree became lower meanwhile: the root is the last one above.
    for level in [2, 3] {
        let alert = at_level(level);
        assert_eq!((alert.upper(), alert.seat()), (Some("fz"), "fz"));
    }
    let from_the_start = Alert {
        above: true,
        ..alert()
    };
    assert_eq!(
        (from_the_start.upper(), from_the_start.seat()),
        (Some("350102"), "2135010001")
    );
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
                prop_assert!(after.alert.state > before);
                prop_assert_eq!(after.entries.len(), 1);
                alert = after.alert;
            }
        }
        prop_assert_eq!(alert.resolved.is_some(), alert.state == State::Resolved);
        prop_assert!(alert.taken.is_none() || alert.acknowledged.is_some());
    }
}
