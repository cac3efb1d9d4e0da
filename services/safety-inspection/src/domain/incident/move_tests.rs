//! Every verb from every state: the table of rule 5.36 says so, or it is refused and nothing changes.

use proptest::prelude::*;

use super::category::Confidential;
use super::clock::Duty;
use super::file::File;
use super::harm::{Casualties, Level};
use super::moves::Refusal;
use super::state::{State, Verb};
use super::step::{Medium, Receiver};
use super::test_files::{Bench, DAY, HOUR, MINUTE, NOTICED, by, deaths};
use crate::domain::hazard::report;

/// The table of rule 5.36, written out once more: from, verb, to.
const TABLE: [(State, Verb, State); 36] = {
    use State as S;
    use Verb as V;
    [
        (S::Detected, V::FirstReport, S::FirstReported),
        (S::FirstReported, V::Confirm, S::Verified),
        (S::Verified, V::Respond, S::Responding),
        (S::FollowUp, V::Respond, S::Responding),
        (S::Responding, V::FollowUp, S::FollowUp),
        (S::FollowUp, V::FollowUp, S::FollowUp),
        (S::FollowUp, V::Control, S::Controlled),
        (S::Controlled, V::FinalReport, S::FinalReported),
        (S::FinalReported, V::Review, S::Reviewed),
        (S::Reviewed, V::Close, S::Closed),
        (S::Detected, V::Dismiss, S::FalseAlarm),
        (S::FirstReported, V::Dismiss, S::FalseAlarm),
        (S::Verified, V::Dismiss, S::FalseAlarm),
        (S::Responding, V::Dismiss, S::FalseAlarm),
        (S::FollowUp, V::Dismiss, S::FalseAlarm),
        (S::Verified, V::Relevel, S::Verified),
        (S::Responding, V::Relevel, S::Responding),
        (S::FollowUp, V::Relevel, S::FollowUp),
        (S::Controlled, V::Relevel, S::Controlled),
        (S::FinalReported, V::Relevel, S::FinalReported),
        (S::FirstReported, V::Supplement, S::FirstReported),
        (S::Verified, V::Supplement, S::Verified),
        (S::Responding, V::Supplement, S::Responding),
        (S::FollowUp, V::Supplement, S::FollowUp),
        (S::Controlled, V::Supplement, S::Controlled),
        (S::FinalReported, V::Supplement, S::FinalReported),
        (S::Reviewed, V::Supplement, S::Reviewed),
        (S::Closed, V::Supplement, S::Closed),
        (S::Detected, V::MakeConfidential, S::Detected),
        (S::FirstReported, V::MakeConfidential, S::FirstReported),
        (S::Verified, V::MakeConfidential, S::Verified),
        (S::Responding, V::MakeConfidential, S::Responding),
        (S::FollowUp, V::MakeConfidential, S::FollowUp),
        (S::Controlled, V::MakeConfidential, S::Controlled),
        (S::FinalReported, V::MakeConfidential, S::FinalReported),
        (S::Reviewed, V::MakeConfidential, S::Reviewed),
    ]
};

/// Verbs that move an incident, with all else as they want it. The last one closes the lane to whoever has not
/// told the police, so histories are tried without it.
const VERBS: [Verb; 12] = [
    Verb::FirstReport,
    Verb::Confirm,
    Verb::Respond,
    Verb::FollowUp,
    Verb::Control,
    Verb::FinalReport,
    Verb::Review,
    Verb::Close,
    Verb::Dismiss,
    Verb::Relevel,
    Verb::Supplement,
    Verb::MakeConfidential,
];

fn does(file: &mut File, verb: Verb, time: i64) -> Result<(), Refusal> {
    let bench = Bench::new();
    let (judge, by) = (bench.judge(), by("officer", time));
    match verb {
        Verb::FirstReport | Verb::FollowUp | Verb::FinalReport => file
            .report(verb, Casualties::default(), judge, by)
            .map(drop),
        Verb::Confirm => file.confirm(None, None, judge, by).map(drop),
        Verb::Respond => file.respond(by).map(drop),
        Verb::Control => file.control(by).map(drop),
        Verb::Review => file.review(false, true, by).map(drop),
        Verb::Close => file.close(by).map(drop),
        Verb::Dismiss => file.dismiss(false, by).map(drop),
        Verb::Relevel => {
            let other = if file.incident.level == Level::IV {
                Level::III
            } else {
                Level::IV
            };
            file.relevel(other, judge, by).map(drop)
        }
        Verb::Supplement => file.supplement(Casualties::default(), judge, by).map(drop),
        Verb::MakeConfidential => file
            .make_confidential(Confidential::SexualAssault, by)
            .map(drop),
        Verb::Detect | Verb::Receive | Verb::Tell => unreachable!("not a move"),
    }
}

#[test]
fn every_verb_from_every_state_is_in_the_table_or_refused() {
    for state in State::ALL {
        for verb in VERBS {
            let mut file = Bench::new().noticed(Casualties::default());
            file.incident.state = *state;
            let before = file.clone();
            let done = does(&mut file, verb, NOTICED + MINUTE);
            let found = TABLE
                .iter()
                .find(|(from, by, _)| (from, by) == (state, &verb));
            match found {
                Some((_, _, to)) => {
                    assert_eq!(done, Ok(()), "{verb:?} from {state:?}");
                    assert_eq!(file.incident.state, *to, "{verb:?} from {state:?}");
                }
                None => {
                    assert_eq!(done, Err(Refusal::State(*state)), "{verb:?} from {state:?}");
                    assert_eq!(file, before, "{verb:?} from {state:?}");
                }
            }
        }
    }
}

#[test]
fn nothing_graver_than_the_confirmed_level_is_hidden() {
    let bench = Bench::new();
    let mut file = bench.noticed(deaths(1));
    assert_eq!(file.incident.level, Level::II);
    does(&mut file, Verb::Confirm, NOTICED).unwrap_err();
    let report = file.report(
        Verb::FirstReport,
        deaths(1),
        bench.judge(),
        by("staff", NOTICED),
    );
    report.unwrap();
    let before = file.clone();
    let milder = file.confirm(
        Some(Level::III),
        None,
        bench.judge(),
        by("officer", NOTICED),
    );
    assert_eq!(milder, Err(Refusal::LevelFloor(Level::III, Level::II)));
    assert_eq!(file, before);
    let graver = file.confirm(Some(Level::I), None, bench.judge(), by("officer", NOTICED));
    assert_eq!(graver.unwrap().to_level, Level::I);
    let same = file.relevel(Level::I, bench.judge(), by("officer", NOTICED));
    assert_eq!(same, Err(Refusal::SameLevel(Level::I)));
    let milder = file.relevel(Level::IV, bench.judge(), by("officer", NOTICED));
    assert_eq!(milder, Err(Refusal::LevelFloor(Level::IV, Level::II)));
}

#[test]
fn casualties_are_supplemented_for_30_days_and_raise_the_level() {
    let bench = Bench::new();
    let mut file = bench.noticed(Casualties::default());
    file.incident.state = State::Closed;
    // The midnight with which 6 April 2022 began in the city; the incident was on that day.
    let midnight = 1_649_174_400_000;
    let end = midnight + 31 * DAY;
    let late = file.supplement(deaths(1), bench.judge(), by("staff", end));
    assert_eq!(late, Err(Refusal::SupplementOver(end)));
    let events = file
        .supplement(deaths(1), bench.judge(), by("staff", end - 1))
        .unwrap();
    let verbs: Vec<Verb> = events.iter().map(|event| event.verb).collect();
    assert_eq!(verbs, [Verb::Supplement, Verb::Relevel]);
    assert_eq!(file.incident.level, Level::II);
    file.incident.hazard_category = Some(report::Category::Traffic);
    let end = midnight + 8 * DAY;
    let late = file.supplement(deaths(2), bench.judge(), by("staff", end));
    assert_eq!(late, Err(Refusal::SupplementOver(end)));
    // A minute before midnight and a minute after it are two days.
    for (occurred, end) in [
        (midnight - MINUTE, midnight + 7 * DAY),
        (midnight + MINUTE, midnight + 8 * DAY),
    ] {
        file.incident.occurred = occurred;
        let late = file.supplement(deaths(2), bench.judge(), by("staff", end));
        assert_eq!(late, Err(Refusal::SupplementOver(end)));
    }
}

#[test]
fn a_false_alarm_harms_nobody_and_is_told_by_another_person() {
    let bench = Bench::new();
    let mut file = bench.noticed(deaths(1));
    assert_eq!(
        file.dismiss(false, by("officer", NOTICED)),
        Err(Refusal::HasCasualties)
    );
    let mut file = bench.noticed(Casualties::default());
    assert_eq!(
        file.dismiss(true, by("staff", NOTICED)),
        Err(Refusal::SecondPerson)
    );
    assert!(
        file.dismiss(false, by("officer", NOTICED + 25 * HOUR))
            .is_ok()
    );
    assert!(file.incident.late, "nothing was written within a day");
    assert_eq!(file.next_due(), 0);
}

#[test]
fn who_handled_it_does_not_review_it_nor_does_a_school_review_grave_ones() {
    let mut file = Bench::new().noticed(Casualties::default());
    file.incident.state = State::FinalReported;
    let handler = file.review(true, true, by("staff", NOTICED));
    assert_eq!(handler, Err(Refusal::SecondPerson));
    file.incident.level = Level::III;
    let school = file.review(false, false, by("head", NOTICED));
    assert_eq!(school, Err(Refusal::ReviewLevel(Level::III)));
    file.incident.level = Level::IV;
    assert!(file.review(false, false, by("head", NOTICED)).is_ok());
}

#[test]
fn it_is_made_confidential_once_and_the_clock_of_the_police_begins_then() {
    let mut file = Bench::new().noticed(Casualties::default());
    file.incident.state = State::Responding;
    let found = NOTICED + HOUR;
    let event = file.make_confidential(Confidential::SexualAssault, by("head", found));
    let event = event.unwrap().unwrap();
    assert_eq!(event.to_state, State::Responding);
    assert_eq!(file.incident.confidential_since, found);
    let police = |file: &File| {
        let clocks = file.clocks();
        let police = clocks.iter().find(|clock| clock.duty == Duty::Police);
        police.map(|clock| (clock.start, clock.due))
    };
    assert_eq!(police(&file), Some((found, found + 2 * HOUR)));
    let before = file.clone();
    let again = file.make_confidential(Confidential::SexualAssault, by("head", found + HOUR));
    assert_eq!((again, &file), (Ok(None), &before));
    let other = file.make_confidential(Confidential::SeriousBullying, by("head", found + HOUR));
    assert!(other.unwrap().is_some());
    assert_eq!(
        file.incident.confidential,
        Some(Confidential::SeriousBullying)
    );
    assert_eq!(police(&file), Some((found, found + 2 * HOUR)));
}

#[test]
fn a_confidential_one_is_not_closed_before_police_and_education_know() {
    let mut file = Bench::new().noticed(Casualties::default());
    file.incident.confidential = Some(Confidential::SeriousBullying);
    file.incident.confidential_since = NOTICED;
    file.incident.first_reported = NOTICED;
    file.incident.state = State::Reviewed;
    let close = |file: &mut File| file.close(by("officer", NOTICED)).map(drop);
    assert_eq!(close(&mut file), Err(Refusal::Untold(Receiver::Police)));
    let police = (Receiver::Police, Medium::Phone);
    file.tell(police, "110-1", by("head", NOTICED)).unwrap();
    assert_eq!(close(&mut file), Err(Refusal::Untold(Receiver::District)));
    let receipt = by("district", NOTICED);
    file.receive(Receiver::District, Medium::Written, receipt)
        .unwrap();
    assert_eq!(close(&mut file), Ok(()));
}

proptest! {
    /// Whatever is tried in whatever order, an incident is what its history says, levels are never below
    /// the casualties, lateness never ends, and what is refused changes nothing.
    #[test]
    fn histories_hold(tries in prop::collection::vec((0_usize..11, 0_i64..6 * HOUR), 1..60)) {
        let bench = Bench::new();
        let mut file = bench.noticed(Casualties::default());
        let (mut time, mut late) = (NOTICED, false);
        for (verb, wait) in tries {
            time += wait;
            let before = file.clone();
            let verb = VERBS[verb];
            let legal = before.incident.state.after(verb).is_some();
            let done = does(&mut file, verb, time);
            prop_assert_eq!(done.is_ok(), legal);
            if done.is_err() {
                prop_assert_eq!(&file, &before);
            } else {
                prop_assert!(file.incident.events > before.incident.events);
            }
            let now = file.is_late(time);
            prop_assert!(now || !late, "lateness was taken back");
            late = now;
        }
    }
}
