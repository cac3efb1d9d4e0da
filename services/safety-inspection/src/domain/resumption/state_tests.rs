use chrono::{DateTime, NaiveDate, Utc};
use proptest::prelude::*;

use super::inspection::{Decision, Department, Signature, WrongSignature};
use super::state::{Progress, Refused, State, Verb};

const INSPECTORS: [&str; 3] = ["education-1", "health-1", "market-1"];

fn now() -> DateTime<Utc> {
    "2022-05-06T01:00:00Z".parse().unwrap()
}

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2022, 5, day).unwrap()
}

fn sign(inspector: &str, decision: Decision) -> Verb {
    let items = match decision {
        Decision::Rectify => vec!["7.1".to_owned()],
        Decision::Approve | Decision::Reject => Vec::new(),
    };
    Verb::Sign(Signature {
        inspector: inspector.to_owned(),
        decision,
        opinion: "现场核查".to_owned(),
        items,
        time: now(),
    })
}

fn start_inspection() -> Verb {
    Verb::StartInspection(INSPECTORS.map(ToOwned::to_owned))
}

/// One verb of each kind; the third inspector's is the last signature where one is waited for.
fn verbs() -> Vec<Verb> {
    vec![
        Verb::StartSelfCheck("resumption@1".to_owned()),
        Verb::SignSelfCheck("head-1".to_owned()),
        Verb::Apply,
        start_inspection(),
        sign("market-1", Decision::Approve),
        Verb::Schedule(day(6)),
        Verb::Resume,
        Verb::Monitor(0),
        Verb::Settle,
        Verb::ReSuspend,
    ]
}

fn go(progress: Progress, verb: Verb) -> Result<Progress, Refused> {
    progress.apply(verb, (now(), day(6)))
}

fn walk(verbs: impl IntoIterator<Item = Verb>) -> Progress {
    verbs.into_iter().fold(Progress::default(), |progress, verb| {
        go(progress, verb).unwrap()
    })
}

fn two_signed(decision: Decision) -> Vec<Verb> {
    let mut path = verbs()[..4].to_vec();
    path.push(sign("education-1", Decision::Approve));
    path.push(sign("health-1", decision));
    path
}

/// A resumption in each state, reached by legal moves.
fn at(state: State) -> Progress {
    let all = verbs();
    let inspected = |decision| {
        let mut path = two_signed(decision);
        path.push(all[4].clone());
        path
    };
    let approved = || inspected(Decision::Approve);
    let path = match state {
        State::Suspended => Vec::new(),
        State::SelfChecking => all[..1].to_vec(),
        State::SelfPassed => all[..2].to_vec(),
        State::Applied => all[..3].to_vec(),
        State::Inspecting => two_signed(Decision::Approve),
        State::Approved => approved(),
        State::Rectify => inspected(Decision::Rectify),
        State::Rejected => inspected(Decision::Reject),
        State::Scheduled => [approved(), all[5..6].to_vec()].concat(),
        State::Resumed => [approved(), all[5..7].to_vec()].concat(),
        State::Monitoring => [approved(), all[5..8].to_vec()].concat(),
        State::Stable => {
            let monitored = walk([approved(), all[5..8].to_vec()].concat());
            return monitored.apply(Verb::Settle, (now(), day(7))).unwrap();
        }
        State::ReSuspended => [all[..1].to_vec(), all[9..].to_vec()].concat(),
    };
    walk(path)
}

/// The table of rule 4.10: where each verb leads from each state.
fn legal(state: State, verb: &Verb) -> Option<State> {
    use State as S;
    match (verb, state) {
        (
            Verb::StartSelfCheck(_),
            S::Suspended | S::Rectify | S::Rejected | S::ReSuspended,
        ) => Some(S::SelfChecking),
        (Verb::SignSelfCheck(_), S::SelfChecking) => Some(S::SelfPassed),
        (Verb::Apply, S::SelfPassed) => Some(S::Applied),
        (Verb::StartInspection(_), S::Applied) => Some(S::Inspecting),
        (Verb::Sign(_), S::Inspecting) => Some(S::Approved),
        (Verb::Schedule(_), S::Approved | S::Scheduled) => Some(S::Scheduled),
        (Verb::Resume, S::Scheduled) => Some(S::Resumed),
        (Verb::Monitor(_), S::Resumed) => Some(S::Monitoring),
        (Verb::ReSuspend, S::Suspended | S::ReSuspended) => None,
        (Verb::ReSuspend, _) => Some(S::ReSuspended),
        _ => None,
    }
}

#[test]
fn every_move_from_every_state_is_legal_or_refused() {
    for state in State::ALL {
        assert_eq!(at(state).state, state);
        for verb in verbs() {
            let outcome = go(at(state), verb.clone());
            match legal(state, &verb) {
                Some(next) => assert_eq!(outcome.unwrap().state, next, "{state:?} {verb:?}"),
                // Watching ends on its last day at the earliest.
                None if state == State::Monitoring && verb == Verb::Settle => {
                    assert_eq!(outcome, Err(Refused::Day(day(6))));
                }
                None => assert_eq!(outcome, Err(Refused::State(state)), "{verb:?}"),
            }
        }
    }
}

#[test]
fn no_department_can_be_passed_over() {
    let two = walk(two_signed(Decision::Approve));
    assert_eq!(two.state, State::Inspecting);
    assert!(two.would_approve(Department::MarketRegulation, Decision::Approve));
    assert!(!two.would_approve(Department::MarketRegulation, Decision::Reject));
    let refused = |verb, why| {
        let outcome = go(walk(two_signed(Decision::Approve)), verb);
        assert_eq!(outcome, Err(Refused::Signature(why)));
    };
    refused(sign("health-1", Decision::Approve), WrongSignature::Signed);
    refused(sign("principal-1", Decision::Approve), WrongSignature::Stranger);
    let itemless = Verb::Sign(Signature {
        inspector: "market-1".to_owned(),
        decision: Decision::Rectify,
        opinion: String::new(),
        items: Vec::new(),
        time: now(),
    });
    refused(itemless, WrongSignature::Itemless);
}

#[test]
fn one_refusal_outweighs_two_approvals_and_a_demand() {
    let end = |second, third| {
        let two = walk(two_signed(second));
        go(two, sign("market-1", third)).unwrap().state
    };
    assert_eq!(end(Decision::Approve, Decision::Reject), State::Rejected);
    assert_eq!(end(Decision::Rectify, Decision::Reject), State::Rejected);
    assert_eq!(end(Decision::Rectify, Decision::Approve), State::Rectify);
}

#[test]
fn nobody_resumes_before_the_day_or_gets_one_in_the_past() {
    let approved = at(State::Approved);
    let past = go(approved.clone(), Verb::Schedule(day(5)));
    assert_eq!(past, Err(Refused::Day(day(5))));
    let later = go(approved, Verb::Schedule(day(9))).unwrap();
    assert_eq!(go(later.clone(), Verb::Resume), Err(Refused::Day(day(9))));
    let resumed = later.apply(Verb::Resume, (now(), day(9))).unwrap();
    let watched = resumed.apply(Verb::Monitor(14), (now(), day(9))).unwrap();
    assert_eq!(watched.monitor_until, Some(day(23)));
    let settled = |on| watched.clone().apply(Verb::Settle, (now(), on));
    assert_eq!(settled(day(23)), Err(Refused::Day(day(23))));
    assert_eq!(settled(day(24)).unwrap().state, State::Stable);
}

#[test]
fn a_new_self_check_forgets_signatures_and_days() {
    for state in [State::Rectify, State::Rejected, State::ReSuspended] {
        let again = go(at(state), Verb::StartSelfCheck("resumption@2".to_owned())).unwrap();
        assert_eq!(
            again,
            Progress {
                state: State::SelfChecking,
                checklist: "resumption@2".to_owned(),
                ..Progress::default()
            }
        );
    }
}

proptest! {
    #[test]
    fn however_people_act_nothing_opens_without_signature_and_three_approvals(
        acts in proptest::collection::vec((0usize..14, 0u8..3), 1..60),
    ) {
        let mut progress = Progress::default();
        for (act, decision) in acts {
            let decision = match decision {
                0 => Decision::Reject,
                1 => Decision::Rectify,
                _ => Decision::Approve,
            };
            let verb = match act {
                10.. => sign(INSPECTORS[act % 3], decision),
                _ => verbs()[act].clone(),
            };
            let before = progress.clone();
            match go(progress, verb.clone()) {
                Ok(next) => progress = next,
                Err(_) => progress = before,
            }
            if progress.state.is_open() || progress.state == State::Scheduled {
                prop_assert!(!progress.signer.is_empty());
                let inspection = progress.inspection.clone().unwrap();
                prop_assert_eq!(inspection.seats.len(), 3);
                for seat in inspection.seats {
                    prop_assert_eq!(seat.decision(), Some(Decision::Approve));
                }
            }
        }
    }
}
