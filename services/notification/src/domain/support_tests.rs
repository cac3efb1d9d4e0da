use chrono::Duration;
use proptest::prelude::*;

use super::*;

fn at(hours: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_649_208_600, 0).unwrap() + Duration::hours(hours)
}

fn case(grade: Grade, state: State) -> Case {
    Case {
        organization: "2135010001".to_owned(),
        id: Uuid::from_u128(1),
        org_path: "fz/350102/2135010001".to_owned(),
        person: "students/s1".to_owned(),
        grade,
        state,
        note: "主动求助".to_owned(),
        concern: None,
        created: at(0),
        contact_due: (state == State::Open).then(|| at(24)),
        late: false,
        counsellor: "counsellor-1".to_owned(),
        counsellor_person: String::new(),
        remind: (state == State::Open).then(|| at(18)),
        entry_count: 1,
    }
}

fn apply(case: Case, verb: Verb, hours: i64) -> Result<Case, Refused> {
    case.apply(verb, at(hours), &VoicePolicy::default())
}

const VERBS: [Verb; 4] = [
    Verb::Grade(Grade::Orange),
    Verb::Contact,
    Verb::Refer,
    Verb::Close,
];

#[test]
fn an_ended_case_is_left_alone() {
    for verb in VERBS {
        for grade in Grade::ALL {
            let refused = apply(case(grade, State::Closed), verb, 1);
            assert_eq!(refused.unwrap_err(), Refused::State(State::Closed));
        }
    }
}

#[test]
fn only_yellow_and_blue_cases_are_ended() {
    for grade in Grade::ALL {
        let ended = apply(case(grade, State::Open), Verb::Close, 1);
        if matches!(grade, Grade::Yellow | Grade::Blue) {
            let ended = ended.unwrap();
            assert_eq!((ended.state, ended.contact_due), (State::Closed, None));
        } else {
            assert_eq!(ended.unwrap_err(), Refused::Grade(grade));
        }
    }
}

#[test]
fn the_next_contact_is_due_by_the_colour() {
    let hours = [24, 7 * 24, 14 * 24, 30 * 24];
    for (grade, hours) in Grade::ALL.into_iter().zip(hours) {
        let graded = apply(case(Grade::Blue, State::Open), Verb::Grade(grade), 3).unwrap();
        assert_eq!(graded.contact_due, Some(at(3 + hours)));
        let contacted = apply(graded, Verb::Contact, 5).unwrap();
        assert_eq!(contacted.contact_due, Some(at(5 + hours)));
        let referred = apply(contacted.clone(), Verb::Refer, 6).unwrap();
        assert_eq!(referred.contact_due, contacted.contact_due);
        assert_eq!(referred.state, State::Open);
        assert_eq!(referred.entry_count, 4);
    }
}

#[test]
fn a_contact_is_reminded_of_before_it_is_due_and_once_it_is_overdue() {
    let contacted = apply(case(Grade::Red, State::Open), Verb::Contact, 2).unwrap();
    assert_eq!(contacted.remind, Some(at(20)));
    let clock = Clock {
        id: contacted.id,
        organization: contacted.organization,
        counsellor_person: String::new(),
        due: at(26),
        remind: contacted.remind,
        late: false,
    };
    assert_eq!(clock.clone().pass(at(20)), None);
    let second = Duration::seconds(1);
    let (soon, reminder) = clock.clone().pass(at(20) + second).unwrap();
    assert_eq!(
        (reminder, soon.remind, soon.late),
        (Reminder::Soon, Some(at(26)), false)
    );
    assert_eq!(soon.clone().pass(at(26)), None);
    let (over, reminder) = soon.pass(at(26) + second).unwrap();
    assert_eq!(
        (reminder, over.remind, over.late),
        (Reminder::Overdue, None, true)
    );
    assert_eq!(over.pass(at(1000)), None);
    // Nobody looked in time: one reminder is enough.
    let (late, reminder) = clock.pass(at(30)).unwrap();
    assert_eq!((reminder, late.remind), (Reminder::Overdue, None));
    let ended = apply(case(Grade::Blue, State::Open), Verb::Close, 1).unwrap();
    assert_eq!(ended.remind, None);
}

proptest! {
    #[test]
    fn late_is_never_taken_back(
        acts in proptest::collection::vec((0usize..4, 0i64..60), 0..30),
    ) {
        let (mut case, mut hour) = (case(Grade::Red, State::Open), 0);
        for (verb, step) in acts {
            hour += step;
            let (was_late, overdue) = (case.late, case.is_overdue(at(hour)));
            if let Ok(moved) = apply(case.clone(), VERBS[verb], hour) {
                prop_assert_eq!(moved.late, was_late || overdue);
                prop_assert_eq!(moved.contact_due.is_none(), moved.state == State::Closed);
                case = moved;
            }
        }
    }
}
