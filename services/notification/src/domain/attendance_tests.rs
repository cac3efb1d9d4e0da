use proptest::prelude::*;

use super::super::meeting::tests::{meeting, start};
use super::*;

const HOLDER: &str = "staff/holder";
const DEPUTY: &str = "staff/deputy";

fn attendance(state: State, substitution: Substitution) -> Attendance {
    let asked = substitution != Substitution::None;
    Attendance {
        state,
        substitution,
        substitute: if asked {
            DEPUTY.to_owned()
        } else {
            String::new()
        },
        ..Attendance::expected("b1", "fz/b1", "PARTY_SECRETARY", "b1")
    }
}

fn sign_in(attendee: &str) -> Verb {
    Verb::SignIn {
        attendee: attendee.to_owned(),
        holds: attendee == HOLDER,
        venue: "b1".to_owned(),
    }
}

fn verbs() -> [Verb; 6] {
    [
        sign_in(HOLDER),
        sign_in(DEPUTY),
        Verb::SignOut,
        Verb::RequestSubstitute {
            substitute: DEPUTY.to_owned(),
            reason: "外出培训".to_owned(),
        },
        Verb::Decide {
            approved: true,
            decider: "chief".to_owned(),
        },
        Verb::Decide {
            approved: false,
            decider: "chief".to_owned(),
        },
    ]
}

/// Every move from every state of attendance and request: the table is the rule.
#[test]
fn exactly_the_legal_moves_are_taken() {
    use State as S;
    use Substitution as Sub;
    let open = meeting(meeting::State::Convened);
    for state in State::ALL {
        for asked in Substitution::ALL {
            for (number, verb) in verbs().into_iter().enumerate() {
                let to = match (number, state, asked) {
                    (0, S::Expected, _) | (1, S::Expected, Sub::Approved) => {
                        Ok((S::SignedIn, asked))
                    }
                    (1, S::Expected, _) => Err(Refused::Substitute),
                    (2, S::SignedIn, _) => Ok((S::SignedOut, asked)),
                    (3, S::Expected, _) => Ok((S::Expected, Sub::Requested)),
                    (4, S::Expected, Sub::Requested) => Ok((S::Expected, Sub::Approved)),
                    (5, S::Expected, Sub::Requested) => Ok((S::Expected, Sub::Refused)),
                    _ => Err(Refused::State(state)),
                };
                let moved = attendance(state, asked).apply(verb.clone(), &open, start());
                let moved = moved.map(|moved| (moved.state, moved.substitution));
                assert_eq!(moved, to, "{state:?} {asked:?} {verb:?}");
            }
        }
    }
}

#[test]
fn nothing_moves_once_the_meeting_is_over() {
    use meeting::State as M;
    for state in [M::Ended, M::Minuted, M::Cancelled] {
        for verb in verbs() {
            let refused = attendance(State::Expected, Substitution::Requested);
            let refused = refused.apply(verb, &meeting(state), start());
            assert_eq!(refused, Err(Refused::Meeting(meeting::Refused(state))));
        }
    }
}

#[test]
fn the_door_opens_an_hour_before_and_late_is_after_the_begin() {
    let open = meeting(meeting::State::Convened);
    let at =
        |now| attendance(State::Expected, Substitution::None).apply(sign_in(HOLDER), &open, now);
    let hour = start() - Duration::hours(1);
    let early = at(hour - Duration::seconds(1));
    let refused = Refused::Meeting(meeting::Refused(meeting::State::Convened));
    assert_eq!(early, Err(refused));
    assert!(!at(hour).unwrap().late && !at(start()).unwrap().late);
    assert!(at(start() + Duration::seconds(1)).unwrap().late);
}

#[test]
fn an_attendance_is_named_after_organisation_and_post() {
    let id = attendance(State::Expected, Substitution::None).id;
    assert_eq!(id, "b1~party-secretary");
}

proptest! {
    /// Whatever is tried in whatever order: nobody stands in without approval, and nobody leaves who
    /// did not come.
    #[test]
    fn no_path_skips_a_step(steps in prop::collection::vec(0..6_usize, 0..40)) {
        let open = meeting(meeting::State::Convened);
        let mut attendance = attendance(State::Expected, Substitution::None);
        let mut approved = false;
        for step in steps {
            if let Ok(moved) = attendance.clone().apply(verbs()[step].clone(), &open, start()) {
                approved = moved.substitution == Substitution::Approved;
                attendance = moved;
            }
        }
        prop_assert!(attendance.attendee != DEPUTY || approved);
        prop_assert_eq!(attendance.signed_in.is_some(), attendance.state != State::Expected);
        prop_assert!(attendance.signed_out.is_none() || attendance.state == State::SignedOut);
    }
}
