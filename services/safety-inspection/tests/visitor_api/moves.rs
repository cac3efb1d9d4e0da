//! Every move from every state: the rule says so, or it is refused, explained, and changes nothing.

use proto::safety as pb;
use proto::safety::visit::State;
use tonic::{Code as Grpc, Status};

use crate::book::{Book, check_of};
use crate::city::on_both;
use crate::city::world::{World, told};

on_both!(every_move_that_the_rule_does_not_know_is_refused);

/// What people do to visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Confirm,
    Approve,
    Refuse,
    Cancel,
    Arrive,
    Check,
    Override,
    Leave,
    AfterEntry,
}

const VERBS: [Verb; 9] = [
    Verb::Confirm,
    Verb::Approve,
    Verb::Refuse,
    Verb::Cancel,
    Verb::Arrive,
    Verb::Check,
    Verb::Override,
    Verb::Leave,
    Verb::AfterEntry,
];

/// The moves of rule 3.7 that people make.
fn is_known(state: State, verb: Verb) -> bool {
    let waits = matches!(
        state,
        State::Requested | State::HostApproved | State::EpidemicApproved
    );
    match verb {
        Verb::Confirm => state == State::Requested,
        Verb::Approve => state == State::HostApproved,
        Verb::Refuse | Verb::Cancel => waits,
        Verb::Arrive => state == State::EpidemicApproved,
        Verb::Check => state == State::Arrived,
        Verb::Override => state == State::Denied,
        Verb::Leave => matches!(
            state,
            State::Admitted | State::Overstay | State::AdmittedEmergency
        ),
        Verb::AfterEntry => state == State::AdmittedEmergency,
    }
}

async fn attempt(
    book: &mut Book,
    world: &World,
    verb: Verb,
    (name, pass): &(String, Option<String>),
) -> Result<pb::Visit, Status> {
    match verb {
        Verb::Confirm => book.confirm(name).await,
        Verb::Approve => book.approve(name).await,
        Verb::Refuse => book.refuse(name).await,
        Verb::Cancel => book.cancel(name).await,
        Verb::Arrive => book.arrive(pass.as_deref().unwrap_or_default()).await,
        Verb::Check => book.check(check_of(world, name)).await,
        Verb::Override => book.override_check(name).await,
        Verb::Leave => book.leave(name, 1).await,
        Verb::AfterEntry => book.after_entry(name).await,
    }
}

async fn every_move_that_the_rule_does_not_know_is_refused(world: World) {
    let mut book = Book::of(&world).await;
    for number in 1..=12 {
        let state = State::try_from(number).expect("a state");
        let visit = book.bring(&world, state).await;
        let before = book.get(&visit.0).await.expect("read");
        assert_eq!(before.state(), state);
        for verb in VERBS.into_iter().filter(|verb| !is_known(state, *verb)) {
            let what = format!("{verb:?} from {state:?}");
            let refused = attempt(&mut book, &world, verb, &visit)
                .await
                .expect_err(&what);
            let (code, reason, zh) = told(&refused);
            assert_eq!(code, Grpc::FailedPrecondition, "{what}");
            // A pass that was never issued, or died when the clock moved, says so first; who has no host
            // has nobody to confirm.
            let clocked = matches!(state, State::Overstay | State::Expired);
            let expected = match verb {
                Verb::Arrive if visit.1.is_none() || clocked => "VISIT_PASS",
                Verb::Confirm if state == State::AdmittedEmergency => "VISIT_APPROVER",
                _ => "VISIT_STATE",
            };
            assert_eq!(reason, expected, "{what}");
            if expected == "VISIT_STATE" {
                assert!(
                    zh.contains(state.as_str_name().trim_start_matches("STATE_")),
                    "{zh}"
                );
            }
            let after = book.get(&visit.0).await.expect("read");
            assert_eq!(after, before, "{what}");
        }
        for verb in VERBS.into_iter().filter(|verb| is_known(state, *verb)) {
            // Each known move is made from a visit of its own; an emergency has five companions.
            let visit = book.bring(&world, state).await;
            let companions = i32::from(state == State::AdmittedEmergency) * 4 + 1;
            let moved = match verb {
                Verb::Leave => book.leave(&visit.0, companions).await,
                _ => attempt(&mut book, &world, verb, &visit).await,
            };
            moved.unwrap_or_else(|err| panic!("{verb:?} from {state:?}: {err:?}"));
        }
    }
}
