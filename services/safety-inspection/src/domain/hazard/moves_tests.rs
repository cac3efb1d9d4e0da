use std::collections::BTreeSet;

use proptest::prelude::*;

use super::course::{Decision, Measure};
use super::entry::Hazard;
use super::moves::Refused;
use super::samples::*;
use super::state::{Bureau, Grade, State};
use super::terms::{Setting, Terms};
use super::verb::Verb;
use crate::domain::organization::Level;

fn apply(hazard: Hazard, verb: Verb, who: &str) -> Result<Hazard, Refused> {
    hazard.apply(verb, &actor(who), on(0), &setting())
}

/// One of each verb, by somebody whom no guard refuses in a state from which it starts.
fn verbs() -> Vec<(&'static str, Verb)> {
    let words = || "原因".to_owned();
    vec![
        (OFFICER, verify(Grade::General)),
        (DISTRICT, Verb::Dismiss(words())),
        (OFFICER, Verb::Control(vec![Measure::Evacuate], words())),
        (OFFICER, Verb::Assign(plan(day(5)))),
        (
            OFFICER,
            Verb::HandOver {
                owner: "staff/next".to_owned(),
                reason: words(),
            },
        ),
        (OFFICER, Verb::Remind(words())),
        (OWNER, Verb::Rectify),
        (OWNER, submit(vec![photo(2, 0)])),
        (DISTRICT, Verb::Review),
        (DISTRICT, Verb::Close(words())),
        (DISTRICT, Verb::Return(words())),
        (OWNER, Verb::Progress(50, words())),
        (OWNER, Verb::RequestExtension(day(20), words())),
        (DISTRICT, Verb::DecideExtension(true, words())),
        (DISTRICT, Verb::Supervise(words())),
        (DISTRICT, Verb::RecordSupervision(words())),
        (DISTRICT, Verb::LiftSupervision(words())),
    ]
}

/// Rule 5.9 in full: the state after each verb from each state; every other move is refused.
fn table(method: &str, state: State) -> Option<State> {
    use State as S;
    let stays = |states: &[State]| states.contains(&state).then_some(state);
    match (method, state) {
        ("VerifyHazard", S::Reported) => Some(S::Verified),
        ("DismissHazard", S::Reported) => Some(S::Dismissed),
        ("ControlHazard", S::Verified) => Some(S::InterimControl),
        ("AssignHazard", S::Verified | S::InterimControl) => Some(S::Assigned),
        ("RectifyHazard", S::Assigned | S::Returned) => Some(S::Rectifying),
        ("SubmitHazard", S::Rectifying) => Some(S::Submitted),
        ("ReviewHazard", S::Submitted) => Some(S::Reviewing),
        ("CloseHazard", S::Reviewing) => Some(S::Closed),
        ("ReturnHazard", S::Reviewing) => Some(S::Returned),
        ("ReportHazardProgress", _) => stays(&[S::Rectifying]),
        (
            "HandOverHazard" | "RemindHazard" | "RequestHazardExtension" | "DecideHazardExtension",
            _,
        ) => stays(&[S::Assigned, S::Rectifying, S::Returned]),
        ("SuperviseHazard", _) => (!state.is_final() && state != S::Reported).then_some(state),
        ("RecordHazardSupervision", _) => {
            (state != S::Dismissed && state != S::Reported).then_some(state)
        }
        ("LiftHazardSupervision", _) => stays(&[S::Closed]),
        _ => None,
    }
}

#[test]
fn every_verb_from_every_state_is_as_the_rule_says() {
    for grade in [Grade::General, Grade::Major] {
        for state in State::ALL {
            for (who, verb) in verbs() {
                let method = verb.method();
                let hazard = hazard(grade, *state);
                let before = hazard.clone();
                let moved = apply(hazard, verb, who);
                match (table(method, *state), moved) {
                    (None, moved) => {
                        assert_eq!(moved, Err(Refused::State(*state)), "{method} {state:?}");
                    }
                    (Some(to), Ok(after)) => {
                        assert_eq!(after.state, to, "{method} {state:?}");
                        assert_eq!(after.found, before.found);
                    }
                    (Some(_), Err(refused)) => {
                        let guard = match method {
                            "AssignHazard" => Refused::ControlMissing(*state),
                            "DecideHazardExtension" => Refused::ExtensionState("NONE"),
                            "SuperviseHazard" => Refused::NotMajor,
                            _ => Refused::SupervisionState("NONE"),
                        };
                        assert_eq!(refused, guard, "{method} {state:?}");
                    }
                }
            }
        }
    }
}

/// Golden test T13.
#[test]
fn a_major_hazard_is_controlled_first_and_closed_by_neither_owner_nor_school() {
    let verified = hazard(Grade::Major, State::Verified);
    let skipped = apply(verified.clone(), Verb::Assign(plan(day(5))), OFFICER);
    assert_eq!(skipped, Err(Refused::ControlMissing(State::Verified)));
    let cordon = Verb::Control(vec![Measure::Cordon], "警戒".to_owned());
    let cordoned = apply(verified, cordon, OFFICER);
    assert_eq!(cordoned, Err(Refused::ControlMissing(State::Verified)));

    for (state, verb) in [
        (State::Submitted, Verb::Review),
        (State::Reviewing, Verb::Close(String::new())),
        (State::Reviewing, Verb::Return("不够".to_owned())),
    ] {
        let at = |who| apply(hazard(Grade::Major, state), verb.clone(), who);
        assert_eq!(at(OWNER), Err(Refused::SamePerson("owner")));
        assert_eq!(at(OFFICER), Err(Refused::LevelTooLow(Level::District)));
        assert!(at(DISTRICT).is_ok() && at(CITY).is_ok());
    }
    let closed = hazard(Grade::Major, State::Closed);
    let control = closed.course.control.unwrap();
    assert_eq!(
        (control.end, closed.closed),
        (Some(on(0).at), Some(on(0).at))
    );
}

#[test]
fn a_general_hazard_is_closed_at_the_school_by_somebody_else() {
    let at = |who| {
        apply(
            hazard(Grade::General, State::Reviewing),
            Verb::Close(String::new()),
            who,
        )
    };
    assert_eq!(at(OWNER), Err(Refused::SamePerson("owner")));
    assert_eq!(at(OFFICER).unwrap().state, State::Closed);
    let by_officer = apply(
        hazard(Grade::General, State::Rectifying),
        submit(vec![photo(2, 0)]),
        OFFICER,
    );
    let reviewed = apply(by_officer.unwrap(), Verb::Review, OFFICER);
    assert_eq!(reviewed, Err(Refused::SamePerson("submitter")));
}

#[test]
fn whoever_owned_it_or_submitted_it_once_never_reviews_it() {
    let over = |hazard, owner: &str| {
        let verb = Verb::HandOver {
            owner: owner.to_owned(),
            reason: "调岗".to_owned(),
        };
        apply(hazard, verb, OFFICER).unwrap()
    };
    let submitted = |hazard, who| apply(hazard, submit(vec![photo(2, 0)]), who).unwrap();
    // The owner hands it over, and would review what the successor submits.
    let handed = over(hazard(Grade::General, State::Rectifying), "staff/next");
    let handed = submitted(handed, "staff/next");
    let refused = Err(Refused::SamePerson("former owner"));
    assert_eq!(apply(handed.clone(), Verb::Review, OWNER), refused);
    let reviewing = apply(handed, Verb::Review, OFFICER).unwrap();
    let close = || Verb::Close(String::new());
    assert_eq!(apply(reviewing.clone(), close(), OWNER), refused);
    // Whoever submitted what was returned does not review what another submits then.
    let back = Verb::Return("不够".to_owned());
    let returned = apply(reviewing, back, OFFICER).unwrap();
    let again = apply(returned, Verb::Rectify, OWNER).unwrap();
    let again = submitted(again, OFFICER);
    assert_eq!(
        apply(again, Verb::Review, "staff/next"),
        Err(Refused::SamePerson("owner"))
    );
    let first = submitted(hazard(Grade::General, State::Rectifying), "staff/helper");
    let reviewing = apply(first, Verb::Review, OFFICER).unwrap();
    let returned = apply(reviewing, Verb::Return("不够".to_owned()), OFFICER).unwrap();
    let second = submitted(apply(returned, Verb::Rectify, OWNER).unwrap(), OWNER);
    assert_eq!(apply(second, Verb::Review, "staff/helper"), refused);
}

#[test]
fn the_owner_is_known_by_the_subject_of_the_token_too() {
    let mut other = actor("staff/other");
    other.level = Level::District;
    other.subject = OWNER.to_owned();
    let hazard = hazard(Grade::Major, State::Submitted);
    let reviewed = hazard.apply(Verb::Review, &other, on(0), &setting());
    assert_eq!(reviewed, Err(Refused::SamePerson("owner")));
}

#[test]
fn a_removal_is_shown_by_a_picture_of_afterwards() {
    for (photos, counted) in [
        (vec![], 0),
        (vec![photo(1, 0)], 0),
        (vec![photo(2, -1)], 0),
        (vec![photo(2, 0)], 1),
        (vec![photo(1, 0), photo(2, 0), photo(3, 0)], 2),
    ] {
        let submitted = apply(
            hazard(Grade::General, State::Rectifying),
            submit(photos),
            OWNER,
        );
        let after = submitted.map(|hazard| hazard.course.submission.map(|it| it.after_photos));
        let expected = if counted == 0 {
            Err(Refused::AfterPhotoMissing)
        } else {
            Ok(Some(counted))
        };
        assert_eq!(after, expected);
    }
    let mut unseen = hazard(Grade::General, State::Reviewing);
    if let Some(submission) = &mut unseen.course.submission {
        submission.after_photos = 0;
    }
    let closed = apply(unseen, Verb::Close(String::new()), OFFICER);
    assert_eq!(closed, Err(Refused::AfterPhotoMissing));
}

#[test]
fn whoever_found_it_does_not_dismiss_it_nor_does_a_school_what_a_rule_makes_major() {
    let dismiss = || Verb::Dismiss("不是隐患".to_owned());
    let finder = apply(reported(), dismiss(), "staff/finder");
    assert_eq!(finder, Err(Refused::SamePerson("finder")));
    let major = Hazard {
        grade: Some(Grade::Major),
        ..reported()
    };
    let school = apply(major.clone(), dismiss(), OFFICER);
    assert_eq!(school, Err(Refused::LevelTooLow(Level::District)));
    assert_eq!(
        apply(major, dismiss(), DISTRICT).unwrap().state,
        State::Dismissed
    );
}

#[test]
fn rules_and_recurrence_make_it_major_whatever_is_judged() {
    let hit = Verb::Verify {
        grade: Grade::General,
        at_once: true,
        facts: Vec::new(),
        major_rules: vec!["moe-2024-fire-04".to_owned()],
        note: String::new(),
    };
    let verified = apply(reported(), hit, OFFICER).unwrap();
    assert_eq!(verified.grade, Some(Grade::Major));
    assert_eq!((verified.due, verified.major_rules.len()), (day(29), 1));
    let repeated = Hazard {
        recurrence_of: "organizations/school/hazards/0".to_owned(),
        ..reported()
    };
    let verified = apply(repeated, verify(Grade::General), OFFICER).unwrap();
    assert_eq!(verified.grade, Some(Grade::Major));
}

#[test]
fn the_deadline_is_neither_past_nor_after_what_the_policy_allows() {
    let assign = |offset| {
        let verified = hazard(Grade::General, State::Verified);
        apply(verified, Verb::Assign(plan(day(offset))), OFFICER)
    };
    assert_eq!(assign(-1), Err(Refused::Deadline(day(14))));
    assert_eq!(assign(15), Err(Refused::Deadline(day(14))));
    assert_eq!(assign(14).unwrap().due, day(14));
    let mut nobody = plan(day(1));
    nobody.owner = String::new();
    let verified = hazard(Grade::General, State::Verified);
    let unowned = apply(verified, Verb::Assign(nobody), OFFICER);
    assert_eq!(unowned, Err(Refused::Unowned));
}

#[test]
fn one_extension_is_decided_one_level_up_by_somebody_else() {
    let ask = |offset| Verb::RequestExtension(day(offset), "缺材料".to_owned());
    let decide = |granted| Verb::DecideExtension(granted, "可以".to_owned());
    let rectifying = hazard(Grade::General, State::Rectifying);
    let early = apply(rectifying.clone(), ask(10), OWNER);
    assert_eq!(early, Err(Refused::Deadline(day(25))));
    let late = apply(rectifying.clone(), ask(26), OWNER);
    assert_eq!(late, Err(Refused::Deadline(day(25))));
    let asked = apply(rectifying, ask(25), OWNER).unwrap();
    assert_eq!(asked.due, day(10));
    let twice = apply(asked.clone(), ask(20), OWNER);
    assert_eq!(twice, Err(Refused::ExtensionState("REQUESTED")));
    let own = apply(asked.clone(), decide(true), OWNER);
    assert_eq!(own, Err(Refused::SamePerson("requester")));
    let school = apply(asked.clone(), decide(true), OFFICER);
    assert_eq!(school, Err(Refused::LevelTooLow(Level::District)));
    let refused = apply(asked.clone(), decide(false), DISTRICT).unwrap();
    assert_eq!((refused.due, refused.course.extensions), (day(10), 0));
    let again = apply(refused, decide(true), DISTRICT);
    assert_eq!(again, Err(Refused::ExtensionState("REFUSED")));
    let granted = apply(asked, decide(true), DISTRICT).unwrap();
    assert_eq!((granted.due, granted.course.extensions), (day(25), 1));
    let decision = granted.course.extension.as_ref().map(|it| it.decision);
    assert_eq!(decision, Some(Decision::Granted));
    let more = apply(granted, ask(30), OWNER);
    assert_eq!(more, Err(Refused::ExtensionLimit(1)));
}

#[test]
fn the_extension_of_a_bureau_is_decided_by_the_city() {
    let bureau = Setting {
        home: Level::District,
        district: false,
        terms: Terms::default(),
    };
    let ask = Verb::RequestExtension(day(20), "缺材料".to_owned());
    let asked = apply(hazard(Grade::General, State::Rectifying), ask, OWNER).unwrap();
    let decide = Verb::DecideExtension(true, "可以".to_owned());
    let district = asked
        .clone()
        .apply(decide.clone(), &actor(DISTRICT), on(0), &bureau);
    assert_eq!(district, Err(Refused::LevelTooLow(Level::City)));
    assert!(asked.apply(decide, &actor(CITY), on(0), &bureau).is_ok());
}

#[test]
fn a_list_is_raised_watched_and_lifted_by_whoever_is_as_high() {
    let put = || Verb::Supervise("限期整改".to_owned());
    let watch = || Verb::RecordSupervision("仍未整改".to_owned());
    let lift = || Verb::LiftSupervision(String::new());
    let open = hazard(Grade::Major, State::Reviewing);
    let school = apply(open.clone(), put(), OFFICER);
    assert_eq!(school, Err(Refused::LevelTooLow(Level::District)));
    let listed = apply(open, put(), DISTRICT).unwrap();
    let twice = apply(listed.clone(), put(), DISTRICT);
    assert_eq!(twice, Err(Refused::SupervisionState("DISTRICT")));
    let raised = apply(listed, put(), CITY).unwrap();
    assert_eq!(raised.supervised().unwrap().bureau, Bureau::City);
    let district = apply(raised.clone(), watch(), DISTRICT);
    assert_eq!(district, Err(Refused::LevelTooLow(Level::City)));
    let early = apply(raised.clone(), lift(), CITY);
    assert_eq!(early, Err(Refused::State(State::Reviewing)));
    let watched = apply(raised, watch(), CITY).unwrap();
    let closed = apply(watched, Verb::Close(String::new()), DISTRICT).unwrap();
    let lifted = apply(closed, lift(), CITY).unwrap();
    assert_eq!(lifted.supervised(), None);
    let again = apply(lifted, lift(), CITY);
    assert_eq!(again, Err(Refused::SupervisionState("NONE")));
}

fn any_verb() -> impl Strategy<Value = (usize, usize)> {
    (0..verbs().len(), 0..5_usize)
}

proptest! {
    /// However people act, what the rule promises of a closed hazard holds.
    #[test]
    fn whatever_is_done_a_closed_hazard_was_treated_by_the_rules(
        major in any::<bool>(),
        acts in prop::collection::vec(any_verb(), 0..60),
    ) {
        let grade = if major { Grade::Major } else { Grade::General };
        let people = [OWNER, OFFICER, DISTRICT, CITY, "staff/finder"];
        let mut hazard = reported();
        let mut doers = BTreeSet::new();
        for (at, (verb, who)) in acts.into_iter().enumerate() {
            let (_, mut verb) = verbs().swap_remove(verb);
            match &mut verb {
                Verb::Verify { grade: judged, .. } => *judged = grade,
                Verb::HandOver { owner, .. } => people[at % people.len()].clone_into(owner),
                _ => {}
            }
            let before = hazard.clone();
            match apply(hazard, verb.clone(), people[who]) {
                Ok(after) => {
                    prop_assert_eq!(Some(after.state), table(verb.method(), before.state));
                    doers.insert(after.owner().to_owned());
                    if matches!(verb, Verb::Submit { .. }) {
                        doers.insert(people[who].to_owned());
                    }
                    hazard = after;
                }
                Err(_) => hazard = before,
            }
        }
        if hazard.state == State::Closed {
            let course = &hazard.course;
            prop_assert!(!doers.contains(&course.reviewer));
            prop_assert!(course.fixes.is_some());
            prop_assert!(course.submission.as_ref().is_some_and(|it| it.after_photos > 0));
            if major {
                prop_assert!(course.control.is_some());
                prop_assert!([DISTRICT, CITY].contains(&&*course.reviewer));
            }
        }
    }
}
