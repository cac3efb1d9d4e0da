use chrono::Duration;
use proptest::prelude::*;

use super::*;

const PUPIL: &str = "students/00000000-0000-4000-8000-000000000001";
const TEACHER: &str = "staff/00000000-0000-4000-8000-000000000002";

fn at(hours: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_649_208_600, 0).unwrap() + Duration::hours(hours)
}

fn case(grade: Grade, state: State) -> Case {
    let open = state != State::Closed;
    Case {
        organization: "2135010001".to_owned(),
        id: Uuid::from_u128(1),
        org_path: "fz/350102/2135010001".to_owned(),
        person: PUPIL.to_owned(),
        grade,
        state,
        note: "主动求助".to_owned(),
        concern: None,
        created: at(0),
        contact_due: open.then(|| at(24)),
        late: false,
        reason: (!open).then_some(Reason::Recovered),
        closed: (!open).then(|| at(0)),
        informed: None,
        referred: None,
        reopenings: 0,
        counsellor: "counsellor-1".to_owned(),
        counsellor_person: String::new(),
        remind: open.then(|| at(18)),
        entry_count: 1,
    }
}

fn of_teacher(grade: Grade, state: State) -> Case {
    Case {
        person: TEACHER.to_owned(),
        ..case(grade, state)
    }
}

fn apply(case: Case, verb: Verb, hours: i64) -> Result<Case, Refused> {
    case.apply(verb, at(hours), &VoicePolicy::default())
}

const VERBS: [Verb; 10] = [
    Verb::Grade(Grade::Orange),
    Verb::Contact,
    Verb::Support,
    Verb::Inform,
    Verb::Refer,
    Verb::FollowUp,
    Verb::Close(Reason::Recovered),
    Verb::Close(Reason::NotNeeded),
    Verb::Close(Reason::Left),
    Verb::Reopen(Grade::Yellow),
];

/// Where each of [`VERBS`] leads from a state; none where it does not start. The words of rule 5.42.
fn lane(from: State) -> [Option<State>; 10] {
    use State::{Assessed, Closed, FollowUp, GuardianInformed, Referred, Screened, Supported};
    let same = Some(from);
    let to = Some;
    match from {
        Screened => [
            to(Assessed),
            same,
            None,
            None,
            None,
            None,
            None,
            None,
            to(Closed),
            None,
        ],
        Assessed => [
            same,
            same,
            to(Supported),
            to(GuardianInformed),
            to(Referred),
            None,
            None,
            to(Closed),
            to(Closed),
            None,
        ],
        Supported => [
            same,
            same,
            None,
            to(GuardianInformed),
            to(Referred),
            to(FollowUp),
            None,
            None,
            to(Closed),
            None,
        ],
        GuardianInformed => [
            same,
            same,
            to(Supported),
            None,
            to(Referred),
            None,
            None,
            None,
            to(Closed),
            None,
        ],
        Referred => [
            same,
            same,
            None,
            None,
            None,
            to(FollowUp),
            None,
            None,
            to(Closed),
            None,
        ],
        FollowUp => [
            same,
            same,
            to(Supported),
            to(GuardianInformed),
            to(Referred),
            None,
            to(Closed),
            None,
            to(Closed),
            None,
        ],
        Closed => [
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            to(Screened),
        ],
    }
}

#[test]
fn every_verb_starts_from_its_own_states_only() {
    for from in State::ALL {
        for (verb, expected) in VERBS.into_iter().zip(lane(from)) {
            let moved = apply(of_teacher(Grade::Blue, from), verb, 1);
            let moved = moved.map(|case| case.state);
            let expected = expected.ok_or(Refused::State(from));
            assert_eq!(moved, expected, "{verb:?} from {}", from.as_str());
        }
    }
}

#[test]
fn a_pupil_is_referred_once_the_guardian_was_told() {
    for from in State::ALL {
        let referred = apply(case(Grade::Red, from), Verb::Refer, 1);
        match from {
            State::GuardianInformed => {
                let referred = referred.unwrap();
                assert_eq!(
                    (referred.state, referred.referred),
                    (State::Referred, Some(at(1)))
                );
            }
            State::Assessed | State::Supported | State::FollowUp => {
                assert_eq!(referred.unwrap_err(), Refused::Guardian);
            }
            State::Screened | State::Referred | State::Closed => {
                assert_eq!(referred.unwrap_err(), Refused::State(from));
            }
        }
    }
    let informed = apply(case(Grade::Red, State::Assessed), Verb::Inform, 1).unwrap();
    assert_eq!(informed.informed, Some(at(1)));
    // With support in between the guardian is told anew.
    let supported = apply(informed, Verb::Support, 2).unwrap();
    let refused = apply(supported, Verb::Refer, 3);
    assert_eq!(refused.unwrap_err(), Refused::Guardian);
}

#[test]
fn only_yellow_and_blue_cases_are_ended_while_the_person_is_there() {
    for grade in Grade::ALL {
        for (reason, from) in [
            (Reason::Recovered, State::FollowUp),
            (Reason::NotNeeded, State::Assessed),
        ] {
            let ended = apply(case(grade, from), Verb::Close(reason), 1);
            if matches!(grade, Grade::Yellow | Grade::Blue) {
                let ended = ended.unwrap();
                assert_eq!(
                    (
                        ended.state,
                        ended.reason,
                        ended.closed,
                        ended.contact_due,
                        ended.remind
                    ),
                    (State::Closed, Some(reason), Some(at(1)), None, None)
                );
            } else {
                assert_eq!(ended.unwrap_err(), Refused::Grade(grade));
            }
        }
        let left = apply(case(grade, State::Referred), Verb::Close(Reason::Left), 1).unwrap();
        assert_eq!(
            (left.state, left.reason),
            (State::Closed, Some(Reason::Left))
        );
    }
}

#[test]
fn an_ended_case_begins_anew_when_it_is_opened_again() {
    let ended = case(Grade::Blue, State::Closed);
    let again = apply(ended, Verb::Reopen(Grade::Red), 5).unwrap();
    assert_eq!(
        (
            again.state,
            again.grade,
            again.reason,
            again.closed,
            again.reopenings
        ),
        (State::Screened, Grade::Red, None, None, 1)
    );
    assert_eq!(
        (again.contact_due, again.remind),
        (Some(at(29)), Some(at(23)))
    );
    let ended = apply(again, Verb::Close(Reason::Left), 6).unwrap();
    let twice = apply(ended, Verb::Reopen(Grade::Blue), 7).unwrap();
    assert_eq!(twice.reopenings, 2);
}

#[test]
fn the_next_contact_is_due_by_the_colour() {
    let hours = [24, 7 * 24, 14 * 24, 30 * 24];
    for (grade, hours) in Grade::ALL.into_iter().zip(hours) {
        let assessed = apply(case(Grade::Blue, State::Screened), Verb::Grade(grade), 3).unwrap();
        assert_eq!(assessed.contact_due, Some(at(3 + hours)));
        let mut moved = assessed;
        for (hour, verb) in (4..).zip([
            Verb::Contact,
            Verb::Support,
            Verb::Inform,
            Verb::Refer,
            Verb::FollowUp,
        ]) {
            moved = apply(moved, verb, hour).unwrap();
            assert_eq!(moved.contact_due, Some(at(hour + hours)), "{verb:?}");
        }
        assert_eq!(moved.entry_count, 7);
    }
}

#[test]
fn a_contact_does_not_put_the_assessment_off() {
    let screened = case(Grade::Red, State::Screened);
    let contacted = apply(screened.clone(), Verb::Contact, 20).unwrap();
    assert_eq!(
        (contacted.contact_due, contacted.remind),
        (screened.contact_due, screened.remind)
    );
    assert_eq!(contacted.entry_count, 2);
}

#[test]
fn a_contact_is_reminded_of_before_it_is_due_and_once_it_is_overdue() {
    let contacted = apply(case(Grade::Red, State::Supported), Verb::Contact, 2).unwrap();
    assert_eq!(contacted.remind, Some(at(20)));
    let clock = Clock {
        id: contacted.id,
        organization: contacted.organization,
        org_path: contacted.org_path,
        grade: contacted.grade,
        counsellor_person: String::new(),
        due: at(26),
        remind: contacted.remind,
        late: false,
    };
    let within = Duration::hours(24);
    assert_eq!(clock.clone().pass(at(20), within), None);
    let second = Duration::seconds(1);
    let (soon, reminder) = clock.clone().pass(at(20) + second, within).unwrap();
    assert_eq!(
        (reminder, soon.remind, soon.late),
        (Reminder::Soon, Some(at(26)), false)
    );
    assert_eq!(soon.clone().pass(at(26), within), None);
    let (over, reminder) = soon.pass(at(26) + second, within).unwrap();
    assert_eq!(
        (reminder, over.remind, over.late),
        (Reminder::Overdue, Some(at(50)), true)
    );
    // As long again, and those above hear of it, once.
    assert_eq!(over.clone().pass(at(50), within), None);
    let (left, reminder) = over.pass(at(50) + second, within).unwrap();
    assert_eq!((reminder, left.remind), (Reminder::Left, None));
    assert_eq!(left.pass(at(1000), within), None);
    // Nobody looked in time: one reminder is enough.
    let (late, reminder) = clock.pass(at(30), within).unwrap();
    assert_eq!((reminder, late.remind), (Reminder::Overdue, Some(at(50))));
}

proptest! {
    #[test]
    fn whatever_is_done_a_case_stays_in_its_lane(
        acts in proptest::collection::vec((0usize..10, 0i64..60), 0..40),
        pupil in any::<bool>(),
    ) {
        let (grade, state) = (Grade::Blue, State::Screened);
        let screened = if pupil {
            case(grade, state)
        } else {
            of_teacher(grade, state)
        };
        let (mut case, mut hour) = (screened, 0);
        for (verb, step) in acts {
            hour += step;
            let (from, entries) = (case.state, case.entry_count);
            let (was_late, overdue) = (case.late, case.is_overdue(at(hour)));
            if let Ok(moved) = apply(case.clone(), VERBS[verb], hour) {
                prop_assert_eq!(Some(moved.state), lane(from)[verb]);
                // Late is never taken back, and nothing happens without a trace.
                prop_assert_eq!(moved.late, was_late || overdue);
                prop_assert_eq!(moved.entry_count, entries + 1);
                let ended = moved.state == State::Closed;
                prop_assert_eq!(moved.contact_due.is_none(), ended);
                prop_assert_eq!(moved.remind.is_none(), ended);
                prop_assert_eq!(moved.reason.is_some(), ended);
                prop_assert_eq!(moved.closed.is_some(), ended);
                if pupil && moved.state == State::Referred {
                    prop_assert!(moved.informed.is_some());
                }
                case = moved;
            }
        }
    }
}
