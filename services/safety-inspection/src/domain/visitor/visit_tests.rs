use chrono::Duration;
use proptest::prelude::*;

use super::*;

fn at(minute: i64) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2022-04-06T00:00:00Z".parse().unwrap();
    start + Duration::minutes(minute)
}

/// A visit in a state, inside until minute 120 of a day that closes at minute 960.
fn visit(state: State) -> Visit {
    let mut visit = Visit {
        id: Uuid::from_u128(1),
        organization: "2135010001".to_owned(),
        org_path: "fz/350102/2135010001".to_owned(),
        state,
        host: None,
        companions: 2,
        companions_inside: 0,
        day: NaiveDate::from_ymd_opt(2022, 4, 6).unwrap(),
        closes: at(960),
        expected_leave: Some(at(120)),
        urgent: false,
        verification: Some(Verification::Match),
        document_seen: false,
        confirmed_by: String::new(),
        crew: (state == State::AdmittedEmergency).then_some(Crew::Fire),
        badge: String::new(),
        entered: None,
        left: (state == State::Left).then(|| at(0)),
        overstayed: None,
        responsible: String::new(),
        after_due: None,
        after: None,
        after_overdue: None,
        due: None,
        created: at(0),
        updated: at(0),
    };
    visit.due = visit.due_after(at(0), &VisitPolicy::default());
    visit
}

/// Rule 3.7, written down a second time: from, verb, to.
const TABLE: &[(State, Verb, State)] = &[
    (State::Requested, Verb::Confirm, State::HostApproved),
    (State::Requested, Verb::Refuse, State::Refused),
    (State::Requested, Verb::Cancel, State::Cancelled),
    (State::Requested, Verb::Expire, State::Expired),
    (State::HostApproved, Verb::Approve, State::EpidemicApproved),
    (State::HostApproved, Verb::Refuse, State::Refused),
    (State::HostApproved, Verb::Cancel, State::Cancelled),
    (State::HostApproved, Verb::Expire, State::Expired),
    (State::EpidemicApproved, Verb::Arrive, State::Arrived),
    (State::EpidemicApproved, Verb::Refuse, State::Refused),
    (State::EpidemicApproved, Verb::Cancel, State::Cancelled),
    (State::EpidemicApproved, Verb::Expire, State::Expired),
    (State::Arrived, Verb::Observe, State::Arrived),
    (State::Arrived, Verb::Admit, State::Admitted),
    (State::Arrived, Verb::Deny, State::Denied),
    (State::Arrived, Verb::Expire, State::Expired),
    (State::Admitted, Verb::Leave, State::Left),
    (State::Admitted, Verb::Overstay, State::Overstay),
    (State::Denied, Verb::Override, State::Admitted),
    (State::Overstay, Verb::Leave, State::Left),
    (State::AdmittedEmergency, Verb::Leave, State::Left),
    (
        State::AdmittedEmergency,
        Verb::AfterEntry,
        State::AdmittedEmergency,
    ),
    (
        State::AdmittedEmergency,
        Verb::AfterEntryOverdue,
        State::AdmittedEmergency,
    ),
];

#[test]
fn every_move_from_every_state_is_in_the_table_or_refused() {
    let policy = VisitPolicy::default();
    for from in State::ALL {
        for verb in Verb::ALL {
            let before = visit(from);
            let mut after = before.clone();
            let moved = after.advance(verb, at(10), &policy);
            let found = TABLE.iter().find(|row| (row.0, row.1) == (from, verb));
            match found {
                Some((_, _, to)) => {
                    assert_eq!(moved, Ok(from), "{from:?} {verb:?}");
                    assert_eq!(after.state, *to, "{from:?} {verb:?}");
                    assert_eq!(after.updated, at(10));
                }
                None => {
                    assert_eq!(moved, Err(Illegal(from)), "{from:?} {verb:?}");
                    assert_eq!(after, before, "{from:?} {verb:?}");
                }
            }
        }
    }
}

#[test]
fn only_a_request_and_an_emergency_begin_a_visit() {
    for verb in Verb::ALL {
        let begins = State::next(None, verb);
        let expected = match verb {
            Verb::Request => Some(State::Requested),
            Verb::AdmitEmergency => Some(State::AdmittedEmergency),
            _ => None,
        };
        assert_eq!(begins, expected, "{verb:?}");
    }
}

#[test]
fn the_book_is_filled_in_once_also_after_the_crew_left() {
    let policy = VisitPolicy::default();
    let mut crew = visit(State::AdmittedEmergency);
    crew.after_due = Some(at(1440));
    assert!(!crew.is_after_entry_overdue(at(1439)) && crew.is_after_entry_overdue(at(1440)));
    crew.advance(Verb::Leave, at(30), &policy).unwrap();
    crew.advance(Verb::AfterEntry, at(60), &policy).unwrap();
    assert_eq!((crew.state, crew.after), (State::Left, Some(at(60))));
    assert!(!crew.is_after_entry_overdue(at(5000)));
    let again = crew.advance(Verb::AfterEntry, at(61), &policy);
    assert_eq!(again, Err(Illegal(State::Left)));
    let mut guest = visit(State::Left);
    let never = guest.advance(Verb::AfterEntry, at(60), &policy);
    assert_eq!(never, Err(Illegal(State::Left)));
}

#[test]
fn an_entry_that_is_not_made_is_told_once_and_the_visit_kept_until_it_is() {
    let policy = VisitPolicy::default();
    let mut crew = visit(State::AdmittedEmergency);
    crew.after_due = Some(at(1440));
    crew.advance(Verb::Leave, at(30), &policy).unwrap();
    assert_eq!(crew.is_due(at(1439)), None);
    let overdue = Due::Move(Verb::AfterEntryOverdue);
    assert_eq!(crew.is_due(at(1440)), Some(overdue));
    crew.advance(Verb::AfterEntryOverdue, at(1440), &policy)
        .unwrap();
    assert_eq!((crew.state, crew.due), (State::Left, None));
    let twice = crew.advance(Verb::AfterEntryOverdue, at(1441), &policy);
    assert_eq!(twice, Err(Illegal(State::Left)));
    let entered = at(0) + Duration::days(90);
    crew.advance(Verb::AfterEntry, entered, &policy).unwrap();
    assert_eq!(crew.due, Some(entered + Duration::days(30)));
    let mut guest = visit(State::Left);
    let never = guest.advance(Verb::AfterEntryOverdue, at(60), &policy);
    assert_eq!(never, Err(Illegal(State::Left)));
}

#[test]
fn the_clock_raises_the_alarm_closes_the_day_and_destroys() {
    let policy = VisitPolicy::default();
    let mut inside = visit(State::Admitted);
    assert_eq!(inside.is_due(at(134)), None);
    assert_eq!(inside.is_due(at(135)), Some(Due::Move(Verb::Overstay)));
    inside.advance(Verb::Overstay, at(135), &policy).unwrap();
    assert_eq!((inside.due, inside.overstayed), (None, Some(at(135))));
    inside.advance(Verb::Leave, at(200), &policy).unwrap();
    let kept = Duration::days(30);
    assert_eq!(inside.due, Some(at(200) + kept));
    assert_eq!(inside.is_due(at(200) + kept), Some(Due::Forget));
    let waiting = visit(State::EpidemicApproved);
    assert_eq!(waiting.is_due(at(959)), None);
    assert_eq!(waiting.is_due(at(960)), Some(Due::Move(Verb::Expire)));
}

#[test]
fn a_denial_is_overridden_on_its_day_only() {
    let policy = VisitPolicy::default();
    let mut denied = visit(State::Denied);
    let late = denied.advance(Verb::Override, at(960), &policy);
    assert_eq!(late, Err(Illegal(State::Denied)));
    denied.advance(Verb::Override, at(959), &policy).unwrap();
    assert_eq!(denied.entered, Some(at(959)));
}

#[test]
fn a_document_that_is_another_s_is_never_enough() {
    let enough = Verification::ALL.map(|found| (found.suffices(false), found.suffices(true)));
    assert_eq!(
        enough,
        [(true, true), (false, false), (false, true), (false, true)]
    );
}

proptest! {
    /// Nobody is inside who was not approved twice, was not at the gate, or is no emergency.
    #[test]
    fn whoever_is_inside_came_by_the_rule(verbs in prop::collection::vec(0..Verb::ALL.len(), 1..20)) {
        let policy = VisitPolicy::default();
        let mut guest = visit(State::Requested);
        let mut seen = vec![guest.state];
        for (minute, verb) in verbs.into_iter().enumerate() {
            let minute = i64::try_from(minute).unwrap();
            let _ = guest.advance(Verb::ALL[verb], at(minute), &policy);
            seen.push(guest.state);
        }
        if seen.contains(&State::Admitted) {
            for needed in [State::HostApproved, State::EpidemicApproved, State::Arrived] {
                prop_assert!(seen.contains(&needed), "{seen:?}");
            }
        }
        prop_assert!(!seen.contains(&State::AdmittedEmergency));
        let waits = matches!(guest.state, State::Overstay | State::AdmittedEmergency);
        prop_assert_eq!(guest.due.is_none(), waits);
    }
}
