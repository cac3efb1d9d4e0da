use chrono::{DateTime, NaiveDate, Utc};
use proptest::prelude::*;

use super::away::{Away, Part, Reason, Scope, Suspension};
use super::inspection::{Decision, Signature, WrongSignature};
use super::own_plan::{OwnPlan, Ruling};
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

fn suspension() -> Suspension {
    Suspension {
        scope: Scope::Grade,
        reason: Reason::Epidemic,
        explanation: "发现确诊病例".to_owned(),
        until: None,
        actor: "principal-1".to_owned(),
        at: now(),
    }
}

fn suspend(part: Part) -> Verb {
    Verb::ReSuspend(part, suspension())
}

fn new() -> Progress {
    Progress::new(vec![9, 12])
}

/// One verb of each kind; the third inspector's is the last signature where one is waited for.
fn verbs() -> Vec<Verb> {
    vec![
        Verb::StartSelfCheck(vec!["resumption~1".to_owned()]),
        Verb::SignSelfCheck("head-1".to_owned()),
        Verb::Apply,
        start_inspection(),
        sign("market-1", Decision::Approve),
        Verb::Schedule(day(6)),
        Verb::Resume,
        Verb::Monitor(0),
        Verb::Settle,
        suspend(Part::Everybody),
        Verb::Answer,
    ]
}

fn report(day: NaiveDate) -> Verb {
    Verb::Report(OwnPlan {
        text: "分批错峰返校，抵校当日核酸检测".to_owned(),
        day,
        reporter: "head-1".to_owned(),
        reported: now(),
        ruling: None,
    })
}

fn rule(actor: &str, decision: Decision) -> Verb {
    Verb::Rule(Ruling {
        decision,
        opinion: "方案可行".to_owned(),
        actor: actor.to_owned(),
        time: now(),
    })
}

/// A university in each state that it can be in, reached by legal moves.
fn own(state: State) -> Progress {
    let ruled = |decision| vec![report(day(6)), rule("city-1", decision)];
    let all = verbs();
    let approved = |more: &[Verb]| [ruled(Decision::Approve), more.to_vec()].concat();
    let path = match state {
        State::Reported => vec![report(day(6))],
        State::Approved => approved(&[]),
        State::Rectify => ruled(Decision::Rectify),
        State::Rejected => ruled(Decision::Reject),
        State::Scheduled => approved(&all[5..6]),
        State::Resumed => approved(&all[5..7]),
        State::Monitoring => approved(&all[5..8]),
        State::ReSuspended => vec![report(day(6)), all[9].clone()],
        _ => Vec::new(),
    };
    let start = Progress::own();
    path.into_iter()
        .fold(start, |progress, verb| go(progress, verb).unwrap())
}

/// Rule 4.2: one university, one plan, approved by the headquarters.
#[test]
fn a_university_reports_its_own_plan_and_takes_no_other_way() {
    use State as S;
    let states = [
        S::Suspended,
        S::Reported,
        S::Approved,
        S::Rectify,
        S::Rejected,
        S::Scheduled,
        S::Resumed,
        S::Monitoring,
        S::ReSuspended,
    ];
    let approve = rule("city-1", Decision::Approve);
    for state in states {
        assert_eq!(own(state).state, state);
        let next = |verb: &Verb| go(own(state), verb.clone()).map(|next| next.state);
        let reports = matches!(
            state,
            S::Suspended | S::Rectify | S::Rejected | S::ReSuspended
        );
        let expected = |legal: bool, to: State| {
            if legal {
                Ok(to)
            } else {
                Err(Refused::State(state))
            }
        };
        assert_eq!(
            next(&report(day(6))),
            expected(reports, S::Reported),
            "{state:?}"
        );
        let waits = state == S::Reported;
        assert_eq!(next(&approve), expected(waits, S::Approved), "{state:?}");
        // Neither self-check nor joint inspection.
        for verb in &verbs()[..5] {
            assert_eq!(next(verb), Err(Refused::State(state)), "{verb:?}");
        }
        let dated = matches!(state, S::Approved | S::Scheduled);
        assert_eq!(
            next(&verbs()[5]),
            expected(dated, S::Scheduled),
            "{state:?}"
        );
    }
    let again = own(S::ReSuspended);
    assert!(
        again.own && again.plan.is_none(),
        "what was approved once holds no more"
    );
    let past = go(Progress::own(), report(day(5)));
    assert_eq!(past, Err(Refused::Day(day(5))));
    let self_approved = go(own(S::Reported), rule("head-1", Decision::Approve));
    assert_eq!(self_approved, Err(Refused::Signer));
}

/// Nobody but a university reports a plan in place of the self-check.
#[test]
fn a_school_cannot_pass_the_checklist_over_with_a_plan() {
    for state in State::ALL
        .iter()
        .copied()
        .filter(|state| *state != State::Reported)
    {
        for verb in [report(day(6)), rule("city-1", Decision::Approve)] {
            assert_eq!(go(at(state), verb), Err(Refused::State(state)), "{state:?}");
        }
    }
}

fn go(progress: Progress, verb: Verb) -> Result<Progress, Refused> {
    progress.apply(verb, (now(), day(6)))
}

fn walk(verbs: impl IntoIterator<Item = Verb>) -> Progress {
    verbs
        .into_iter()
        .fold(new(), |progress, verb| go(progress, verb).unwrap())
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
        State::ReSuspended => [all[..1].to_vec(), all[9..10].to_vec()].concat(),
        State::Reported => return go(Progress::own(), report(day(6))).unwrap(),
    };
    walk(path)
}

/// The table of rule 4.10: where each verb leads from each state.
fn legal(state: State, verb: &Verb) -> Option<State> {
    use State as S;
    match (verb, state) {
        (Verb::StartSelfCheck(_), S::Suspended | S::Rectify | S::Rejected | S::ReSuspended) => {
            Some(S::SelfChecking)
        }
        (Verb::SignSelfCheck(_), S::SelfChecking) => Some(S::SelfPassed),
        (Verb::Apply, S::SelfPassed) => Some(S::Applied),
        (Verb::StartInspection(_), S::Applied) => Some(S::Inspecting),
        (Verb::Sign(_), S::Inspecting) => Some(S::Approved),
        (Verb::Schedule(_), S::Approved | S::Scheduled) => Some(S::Scheduled),
        (Verb::Resume, S::Scheduled) => Some(S::Resumed),
        (Verb::Monitor(_), S::Resumed) => Some(S::Monitoring),
        (Verb::Answer, S::SelfChecking) => Some(S::SelfChecking),
        (Verb::ReSuspend(..), S::Suspended) => None,
        (Verb::ReSuspend(..), _) => Some(S::ReSuspended),
        _ => None,
    }
}

#[test]
fn every_move_from_every_state_is_legal_or_refused() {
    for state in State::ALL.iter().copied() {
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
    let refused = |verb, why| {
        let outcome = go(walk(two_signed(Decision::Approve)), verb);
        assert_eq!(outcome, Err(Refused::Signature(why)));
    };
    refused(sign("health-1", Decision::Approve), WrongSignature::Signed);
    refused(
        sign("principal-1", Decision::Approve),
        WrongSignature::Stranger,
    );
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
        let (before, lists) = (at(state), vec!["resumption~2".to_owned()]);
        let again = go(before.clone(), Verb::StartSelfCheck(lists.clone())).unwrap();
        assert_eq!(
            again,
            Progress {
                state: State::SelfChecking,
                checklists: lists,
                started: Some(day(6)),
                suspension: before.suspension,
                ..new()
            }
        );
    }
}

#[test]
fn whoever_signed_the_self_check_never_judges_it() {
    let own = ["education-1", "head-1", "market-1"].map(ToOwned::to_owned);
    let refused = go(at(State::Applied), Verb::StartInspection(own));
    assert_eq!(refused, Err(Refused::Signer));
    let refused = go(at(State::Inspecting), sign("head-1", Decision::Approve));
    assert_eq!(refused, Err(Refused::Signer));
}

#[test]
fn a_demand_says_what_is_to_be_put_right() {
    assert_eq!(at(State::Rectify).demands, ["7.1".to_owned()].into());
    assert!(at(State::Rejected).demands.is_empty());
}

#[test]
fn only_a_part_is_away_until_more_is_and_all_come_back_together() {
    let class = Part::ClassGroup("c9-1".to_owned(), 9);
    let one = go(at(State::Monitoring), suspend(class)).unwrap();
    assert_eq!(one.state, State::ReSuspended);
    let some = |grades: &[i32], groups: &[(&str, i32)]| Away::Some {
        grades: grades.iter().copied().collect(),
        class_groups: groups
            .iter()
            .map(|(name, grade)| ((*name).to_owned(), *grade))
            .collect(),
    };
    assert_eq!(one.away, some(&[], &[("c9-1", 9)]));
    let checking = go(one, verbs()[0].clone()).unwrap();
    let grade = go(checking, suspend(Part::Grades([9].into()))).unwrap();
    assert_eq!(
        (grade.state, &grade.away),
        (State::ReSuspended, &some(&[9], &[]))
    );
    assert!(grade.suspension.is_some());
    let back = verbs().into_iter().take(4).chain([
        sign("education-1", Decision::Approve),
        sign("health-1", Decision::Approve),
        sign("market-1", Decision::Approve),
        Verb::Schedule(day(6)),
        Verb::Resume,
    ]);
    let back = back.fold(grade, |progress, verb| go(progress, verb).unwrap());
    assert_eq!((back.away, back.suspension), (Away::Nobody, None));
}

proptest! {
    #[test]
    fn however_people_act_nothing_opens_without_signature_and_three_approvals(
        acts in proptest::collection::vec((0usize..17, 0u8..3), 1..60),
    ) {
        let mut progress = new();
        for (act, decision) in acts {
            let decision = match decision {
                0 => Decision::Reject,
                1 => Decision::Rectify,
                _ => Decision::Approve,
            };
            let verb = match act {
                11.. => sign(INSPECTORS[act % 3], decision),
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
