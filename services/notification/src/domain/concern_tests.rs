use proptest::prelude::*;

use super::*;

const SCHOOL: &str = "fz/350102/2135010001";
const BUREAU: &str = "fz/350102";

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_649_208_600, 0).unwrap() + Duration::minutes(minutes)
}

fn clocks(from: i64) -> Clocks {
    Clocks {
        acknowledge: at(from + 100),
        answer: at(from + 1000),
        urgent_answer: at(from + 500),
    }
}

fn submission(category: Category) -> Submission {
    Submission {
        submitter: Submitter::Guardian,
        anonymous: false,
        category,
        words: Words {
            text: "食堂饭菜偏凉".to_owned(),
            person: "students/s1".to_owned(),
            ..Words::default()
        },
    }
}

fn received(category: Category) -> Concern {
    let begun = (Uuid::from_u128(1), at(0));
    Concern::submit(begun, SCHOOL.to_owned(), submission(category), clocks(0))
}

fn staff(place: &str) -> Assignee {
    Assignee {
        staff_member: "staff/t1".to_owned(),
        organization: leaf(place).to_owned(),
        place: place.to_owned(),
    }
}

fn verbs() -> [Verb; 5] {
    [
        Verb::Triage(Category::Living, false),
        Verb::Assign(staff(BUREAU)),
        Verb::Answer("已调整".to_owned()),
        Verb::Rate(5, String::new(), clocks(10)),
        Verb::Rate(1, "仍未解决".to_owned(), clocks(10)),
    ]
}

fn in_state(state: State) -> Concern {
    Concern {
        state,
        ..received(Category::Living)
    }
}

#[test]
fn every_verb_starts_from_its_own_states_only() {
    use State::{Answered, Assigned, Closed, Received, Reopened, Triaged};
    let legal = [
        (0, Received, Triaged),
        (0, Reopened, Triaged),
        (1, Triaged, Assigned),
        (1, Assigned, Assigned),
        (2, Assigned, Answered),
        (3, Answered, Closed),
        (4, Answered, Reopened),
    ];
    for state in State::ALL {
        for (number, verb) in verbs().into_iter().enumerate() {
            let moved = in_state(state).apply(verb, at(1)).map(|moved| moved.state);
            let expected = legal
                .iter()
                .find(|(verb, from, _)| *verb == number && *from == state)
                .map_or(Err(Refused::State(state)), |(_, _, to)| Ok(*to));
            assert_eq!(moved, expected, "verb {number} from {}", state.as_str());
        }
    }
}

#[test]
fn harm_and_conduct_go_up_at_once() {
    for category in Category::ALL {
        let up = matches!(category, Category::Harm | Category::Conduct);
        let handler = if up { BUREAU } else { SCHOOL };
        assert_eq!(received(category).handler_path, handler, "{category:?}");
        let sorted = received(Category::Unknown).apply(Verb::Triage(category, false), at(1));
        assert_eq!(
            sorted.unwrap().handler_path,
            handler,
            "{category:?} by triage"
        );
    }
    let triaged = received(Category::Harm).apply(Verb::Triage(Category::Harm, true), at(1));
    assert_eq!(triaged.unwrap().handler_path, BUREAU, "once only");
}

#[test]
fn who_answers_is_of_the_organisation_or_related_to_it() {
    let triaged = |category| {
        let triaged = received(category).apply(Verb::Triage(category, false), at(1));
        triaged.unwrap()
    };
    let may = |concern: Concern, place| {
        let assigned = concern.apply(Verb::Assign(staff(place)), at(2));
        match assigned {
            Ok(assigned) => {
                assert_eq!(assigned.assignee_organization, leaf(place));
                true
            }
            Err(refused) => {
                assert_eq!(refused, Refused::Assignee);
                false
            }
        }
    };
    for place in [SCHOOL, BUREAU, "fz"] {
        assert!(may(triaged(Category::Living), place), "{place}");
        let up = may(triaged(Category::Conduct), place);
        assert_eq!(up, place != SCHOOL, "{place} of one that has gone up");
    }
    for place in ["fz/350103", "fz/350102/2135010003", "fz/350103/2135010002"] {
        assert!(!may(triaged(Category::Living), place), "{place}");
    }
}

#[test]
fn nobody_answers_their_own_concern() {
    let mut concern = received(Category::Living);
    concern.words.person = "staff/t1".to_owned();
    let triaged = concern.apply(Verb::Triage(Category::Living, false), at(1));
    let assigned = triaged.unwrap().apply(Verb::Assign(staff(SCHOOL)), at(2));
    assert_eq!(assigned.unwrap_err(), Refused::Assignee);
}

#[test]
fn what_does_not_satisfy_begins_again_one_step_up_three_times() {
    let mut concern = received(Category::Living);
    for (round, handler) in [(1, BUREAU), (2, "fz"), (3, "fz")] {
        let from = i64::from(round) * 10;
        concern = Concern {
            state: State::Answered,
            wait: Some(at(9999)),
            assignee: "staff/t1".to_owned(),
            ..concern
        };
        let rate = Verb::Rate(2, "仍未解决".to_owned(), clocks(from));
        concern = concern.apply(rate, at(from)).unwrap();
        let seen = (concern.state, concern.reopened, &*concern.handler_path);
        assert_eq!(seen, (State::Reopened, round, handler));
        assert_eq!(concern.wait, Some(clocks(from).acknowledge));
        assert!(concern.assignee.is_empty());
    }
    concern.state = State::Answered;
    let rate = Verb::Rate(2, "仍未解决".to_owned(), clocks(50));
    let closed = concern.apply(rate, at(50)).unwrap();
    assert_eq!((closed.state, closed.reopened), (State::Closed, 3));
}

#[test]
fn silence_closes_whether_or_not_anybody_looked() {
    let answered = in_state(State::Assigned)
        .apply(Verb::Answer("已调整".to_owned()), at(10))
        .unwrap();
    let week = 7 * 24 * 60;
    assert_eq!(answered.clone().at(at(10 + week)).state, State::Answered);
    let (closed, passed) = answered.clone().pass(at(11 + week), clocks(0)).unwrap();
    assert_eq!((closed.state, passed), (State::Closed, Passed::Silence));
    assert_eq!(closed.wait, None);
    let rate = Verb::Rate(1, "仍未解决".to_owned(), clocks(0));
    let refused = answered.apply(rate, at(11 + week));
    assert_eq!(refused.unwrap_err(), Refused::State(State::Closed));
}

#[test]
fn an_urgent_one_is_answered_sooner() {
    let urgent = received(Category::Safety).apply(Verb::Triage(Category::Safety, true), at(1));
    let urgent = urgent.unwrap();
    assert_eq!(urgent.wait, Some(clocks(0).urgent_answer));
    assert!(!urgent.is_overdue(at(500)) && urgent.is_overdue(at(501)));
}

#[test]
fn each_deadline_passes_once() {
    let mut concern = received(Category::Living);
    let mut passed = Vec::new();
    for minute in 0..2000 {
        if let Some((moved, what)) = concern.clone().pass(at(minute), clocks(minute)) {
            passed.push((minute, what));
            concern = moved;
        }
    }
    assert_eq!(
        passed,
        [(101, Passed::Acknowledgement), (1001, Passed::Answer)]
    );
    assert!(concern.late);
}

#[test]
fn those_above_hear_once_of_a_deadline_that_is_past_for_as_long_again() {
    let mut concern = received(Category::Living);
    let mut heard = Vec::new();
    for minute in 0..4000 {
        if let Some((moved, passed)) = concern.clone().pass_up(at(minute)) {
            heard.push((minute, passed));
            concern = moved;
        }
        if let Some((moved, _)) = concern.clone().pass(at(minute), clocks(minute - 1)) {
            concern = moved;
        }
    }
    let expected = [
        (201, Some(Passed::Acknowledgement)),
        (2001, Some(Passed::Answer)),
    ];
    assert_eq!(heard, expected);
}

#[test]
fn those_above_hear_nothing_of_what_was_done_meanwhile() {
    let late = received(Category::Living).pass(at(101), clocks(100));
    let (late, _) = late.unwrap();
    assert_eq!(late.above, Some(at(200)));
    let triage = Verb::Triage(Category::Living, true);
    let sorted = late.apply(triage, at(150)).unwrap();
    assert_eq!(sorted.above, None);
    let (unanswered, _) = sorted.clone().pass(at(501), clocks(500)).unwrap();
    assert_eq!(unanswered.above, Some(at(1000)), "it presses");
    let assigned = unanswered.apply(Verb::Assign(staff(BUREAU)), at(600));
    let assigned = assigned.unwrap();
    assert_eq!(assigned.above, Some(at(1000)), "it is still not answered");
    let answered = assigned.apply(Verb::Answer("已调整".to_owned()), at(700));
    let answered = answered.unwrap();
    assert_eq!(answered.above, None);
    // A version before moves it on and leaves the instant behind.
    for moved in [sorted, answered] {
        let left = Concern {
            above: Some(at(1000)),
            ..moved
        };
        assert_eq!(left.clone().pass_up(at(1000)), None);
        let (told, passed) = left.pass_up(at(1001)).unwrap();
        assert_eq!((told.above, passed), (None, None));
    }
}

fn an_act() -> impl Strategy<Value = (usize, i64)> {
    (0usize..7, 0i64..400)
}

proptest! {
    #[test]
    fn late_is_never_taken_back_and_true_when_a_deadline_passed(
        acts in proptest::collection::vec(an_act(), 0..40),
    ) {
        let (mut concern, mut minute) = (received(Category::Living), 0);
        for (number, step) in acts {
            minute += step;
            let now = at(minute);
            let (was_late, overdue) = (concern.late, concern.is_overdue(now));
            let rate = |satisfaction| {
                Verb::Rate(satisfaction, "说明".to_owned(), clocks(minute))
            };
            let verb = match number {
                0 => Some(Verb::Triage(Category::Living, minute % 2 == 0)),
                1 => Some(Verb::Assign(staff("fz"))),
                2 => Some(Verb::Answer("已调整".to_owned())),
                3 => Some(rate(1)),
                4 => Some(rate(4)),
                _ => None,
            };
            let moved = match verb {
                Some(verb) => concern.clone().apply(verb, now).ok(),
                None => concern.clone().pass(now, clocks(minute)).map(|(moved, _)| moved),
            };
            let Some(moved) = moved else { continue };
            prop_assert!(moved.late || !(was_late || overdue));
            prop_assert!((0..=MOST_REOPENED).contains(&moved.reopened));
            prop_assert!(contains(&moved.handler_path, &concern.handler_path));
            prop_assert_eq!(
                moved.wait.is_none() && moved.state == State::Answered,
                false,
                "an answer is not left without an end"
            );
            concern = moved;
        }
    }
}
