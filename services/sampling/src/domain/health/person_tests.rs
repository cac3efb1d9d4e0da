//! Acts, their order and their repetition.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::health::medical::by_itself;
use crate::domain::health::rules::{Basis, Return};

const HOUR: i64 = 3_600_000;
const CRUSTED: i16 = 2;
const SOURCE: &str = "水痘防控资料";

fn rules() -> HealthRules {
    HealthRules {
        fever: 373,
        plausible: (340, 425),
        returns: vec![Return {
            disease: Disease::VARICELLA,
            basis: Basis::Onset,
            period: Duration::from_secs(14 * 86_400),
            complicated_period: Duration::ZERO,
            evidence: vec![CRUSTED],
            evidence_suffices: false,
            hospital_proof_waived: false,
            source: SOURCE.to_owned(),
        }],
        ..HealthRules::default()
    }
}

fn day(offset: u16) -> Day {
    Day::from_number(8000 + offset)
}

fn varicella() -> Course {
    Course {
        disease: Some(Disease::VARICELLA),
        onset: day(0),
        ..Course::default()
    }
}

/// Somebody excluded for varicella since the first day.
fn excluded() -> Health {
    let mut health = Health::default();
    let now = day(0).start_millis();
    for act in [
        Act::Observe("隔离室".to_owned(), true),
        Act::Refer(false),
        Act::Confirm(varicella()),
    ] {
        health.act(&act, &rules(), "", now).expect("it may be done");
    }
    health
}

/// Excluded again by the doctor on day 15.
fn refused() -> Health {
    let mut health = excluded();
    let now = day(15).start_millis();
    let request = Act::RequestReturn(vec![CRUSTED], "ab".repeat(32));
    health.act(&request, &rules(), "", now).expect("asked");
    let refuse = Act::Review(Verdict::Refuse, now + HOUR);
    let moves = health.act(&refuse, &rules(), "", now).expect("refused");
    assert_eq!(moves, [MedicalVerb::BeginReview, MedicalVerb::ExcludeAgain]);
    health
}

/// Rule 1.23: no return is met by days that cannot be.
#[test]
fn the_days_of_an_illness_have_bounds() {
    let today = day(60);
    assert!(is_plausible(&varicella(), today));
    assert!(!is_plausible(&varicella(), today.after()), "61 days ago");
    assert!(!is_plausible(&varicella(), day(0).before()));
    let rash = |rash| Course {
        rash,
        ..varicella()
    };
    assert!(is_plausible(&rash(day(60)), today));
    assert!(!is_plausible(&rash(day(61)), today));
    assert!(!is_plausible(&rash(day(0).before()), today));
    assert!(!is_plausible(&Course::default(), today), "no first day");
}

#[test]
fn nobody_recovers_before_the_onset_and_a_relapse_ends_the_recovery() {
    let rules = HealthRules {
        returns: vec![Return {
            basis: Basis::Recovery,
            period: Duration::from_secs(48 * 3600),
            ..rules().returns.remove(0)
        }],
        ..rules()
    };
    let mut health = excluded();
    let well = day(0).start_millis();
    let early = health.act(&Act::Recover(well - 1), &rules, "", well + HOUR);
    assert_eq!(early, Err(Refusal::BeforeOnset));
    let recover = Act::Recover(well);
    health.act(&recover, &rules, "", well + HOUR).expect("well");
    assert_eq!(health.until, well + 48 * HOUR);
    assert!(!health.relapse(well, &rules), "seen before");
    assert!(health.relapse(well + 1, &rules));
    assert_eq!((health.course.recovery, health.until), (0, 0));
    assert!(!health.relapse(well + 1, &rules), "a repeat");
    let again = Act::Recover(well + HOUR);
    health.act(&again, &rules, "", well + HOUR).expect("well");
    // A correction that lets the illness begin after it takes the recovery back.
    let later = Course {
        onset: day(1),
        ..varicella()
    };
    let confirm = Act::Confirm(later);
    health
        .act(&confirm, &rules, "", well + HOUR)
        .expect("corrected");
    assert_eq!(health.course.recovery, 0);
}

/// T12.
#[test]
fn varicella_is_excluded_until_day_14_with_crusts() {
    let mut health = excluded();
    assert_eq!(health.until, day(14).start_millis());
    let request = Act::RequestReturn(vec![CRUSTED, 3], "ab".repeat(32));
    let before = health.clone();
    let early = health.act(&request, &rules(), "", day(13).start_millis() + HOUR);
    let Err(Refusal::TooEarly(unmet)) = early else {
        panic!("too early: {early:?}");
    };
    assert_eq!(
        (unmet.source.as_str(), health.source.as_str()),
        (SOURCE, SOURCE)
    );
    assert_eq!(health, before, "a refusal changes nothing");
    let on_day_14 = day(14).start_millis();
    health.act(&request, &rules(), "", on_day_14).expect("met");
    let admit = Act::Review(Verdict::Admit, 0);
    health
        .act(&admit, &rules(), "C-1", on_day_14 + HOUR)
        .expect("admitted");
    assert!(health.is_admitted());
    assert_eq!(
        (health.certificate.as_str(), health.cleared),
        ("C-1", on_day_14 + HOUR)
    );
    assert_eq!(health.course, Course::default(), "the illness is over");
    assert_eq!(health.source, SOURCE, "what was decided by stays");
}

#[test]
fn the_doctor_prevails_until_two_of_three_disagree() {
    let mut health = refused();
    let now = day(15).start_millis();
    let request = Act::RequestReturn(vec![CRUSTED], "ab".repeat(32));
    let early = health.act(&request, &rules(), "", now);
    let unmet = Unmet {
        earliest: Some(now + HOUR),
        missing: Vec::new(),
        source: SOURCE.to_owned(),
    };
    assert_eq!(early, Err(Refusal::TooEarly(unmet)));
    health
        .act(&Act::Appeal, &rules(), "", now)
        .expect("appealed");
    let opinions = [
        (Party::Principal, Verdict::Refuse),
        (Party::Bureau, Verdict::Refuse),
        (Party::Bureau, Verdict::Admit),
        (Party::DiseaseControl, Verdict::Admit),
    ];
    for (party, verdict) in opinions {
        assert_eq!(health.state, Medical::DoctorReview);
        let opine = Act::Opine(party, verdict);
        health.act(&opine, &rules(), "C-2", now).expect("spoken");
    }
    assert!(health.is_admitted());
    assert_eq!(health.certificate, "C-2");
    let late = health.act(
        &Act::Opine(Party::Bureau, Verdict::Refuse),
        &rules(),
        "",
        now,
    );
    assert_eq!(late, Err(Refusal::Appeal), "a decision is final");
}

#[test]
fn each_refusal_is_appealed_against_once() {
    let now = day(15).start_millis();
    assert_eq!(
        excluded().act(&Act::Appeal, &rules(), "", now),
        Err(Refusal::Appeal)
    );
    let mut health = refused();
    health
        .act(&Act::Appeal, &rules(), "", now)
        .expect("appealed");
    for party in [Party::Principal, Party::Bureau, Party::DiseaseControl] {
        let opine = Act::Opine(party, Verdict::Refuse);
        health.act(&opine, &rules(), "", now).expect("spoken");
    }
    assert_eq!(health.state, Medical::Excluded);
    assert_eq!(
        health.act(&Act::Appeal, &rules(), "", now),
        Err(Refusal::Appeal)
    );
}

#[test]
fn observation_ends_with_repeated_normal_readings_only() {
    let mut health = Health::default();
    let observe = Act::Observe("隔离室".to_owned(), false);
    health.act(&observe, &rules(), "", 1).expect("observed");
    for (readings, no_symptoms) in [
        (vec![366], true),
        (vec![366, 373], true),
        (vec![366, 330], true),
        (vec![366, 367], false),
    ] {
        let release = Act::Release(readings, no_symptoms);
        assert_eq!(
            health.act(&release, &rules(), "", 2),
            Err(Refusal::NotNormal)
        );
    }
    let release = Act::Release(vec![366, 372, 365], true);
    health.act(&release, &rules(), "", 2).expect("normal");
    assert_eq!(
        (health.state, health.readings, health.cleared),
        (Medical::Normal, 3, 2)
    );
}

/// Rule 1.13.
#[test]
fn a_return_rests_on_the_paper_of_a_hospital_unless_the_rule_waives_it() {
    let now = day(14).start_millis();
    let bare = Act::RequestReturn(vec![CRUSTED], String::new());
    let missing = |source: &str| {
        Err(Refusal::TooEarly(Unmet {
            earliest: None,
            missing: vec![return_rule::HOSPITAL_CERTIFICATE],
            source: source.to_owned(),
        }))
    };
    assert_eq!(excluded().act(&bare, &rules(), "", now), missing(SOURCE));
    let certified = Act::RequestReturn(vec![CRUSTED, 3], String::new());
    assert!(excluded().act(&certified, &rules(), "", now).is_ok());
    let mut lenient = rules();
    lenient.returns[0].hospital_proof_waived = true;
    assert!(excluded().act(&bare, &lenient, "", now).is_ok());
    let mut ruled_out = Health::default();
    for act in [
        Act::Observe("隔离室".to_owned(), true),
        Act::Refer(true),
        Act::RuleOut,
    ] {
        ruled_out.act(&act, &rules(), "", now).expect("may be done");
    }
    let nothing = Act::RequestReturn(Vec::new(), String::new());
    assert_eq!(ruled_out.act(&nothing, &rules(), "", now), missing(""));
    let shown = Act::RequestReturn(Vec::new(), "ab".repeat(32));
    assert!(ruled_out.act(&shown, &rules(), "", now).is_ok());
}

/// A case that is confirmed keeps away whoever it is of, and gives free whom it alone kept away.
#[test]
fn a_confirmed_case_excludes_from_every_state() {
    let now = day(1).start_millis();
    let exclude = |case: &str| Act::ExcludeByCase(case.to_owned(), varicella());
    let lift = |case: &str| Act::LiftCase(case.to_owned());
    let mut health = Health::default();
    health
        .act(&exclude("a"), &rules(), "", now)
        .expect("from any");
    assert_eq!(
        (health.state, health.until, health.source.as_str()),
        (Medical::Excluded, day(14).start_millis(), SOURCE)
    );
    let known = health.clone();
    assert_eq!(health.act(&exclude("a"), &rules(), "", now), Ok(Vec::new()));
    assert_eq!(health.act(&lift("b"), &rules(), "", now), Ok(Vec::new()));
    assert_eq!(health, known, "neither a repeat nor another case moves it");
    health.act(&lift("a"), &rules(), "", now).expect("lifted");
    assert_eq!(health.state, Medical::Normal);

    let mut health = excluded();
    let mumps = Course {
        disease: Some(Disease(3)),
        ..varicella()
    };
    let other = Act::ExcludeByCase("c".to_owned(), mumps);
    health
        .act(&other, &rules(), "", now)
        .expect("another disease");
    assert_eq!(health.course.disease, Some(Disease(3)));
    assert_eq!(health.act(&lift("c"), &rules(), "", now), Ok(Vec::new()));
    assert_eq!(health.state, Medical::Excluded, "the doctor excluded first");
}

#[test]
fn evidence_survives_as_bits() {
    assert_eq!(evidence_of(evidence_bits(&[5, 2, 2])), [2, 5]);
    assert_eq!(evidence_of(evidence_bits(&[0, -1, 40])), [0_i16; 0]);
}

/// A sign that comes or goes, or an act.
#[derive(Clone, Debug)]
enum Step {
    Says(i64),
    TakesBack,
    Does(Act),
}

fn step() -> impl Strategy<Value = Step> {
    let verdict = || prop_oneof![Just(Verdict::Admit), Just(Verdict::Refuse)];
    let party = prop_oneof![
        Just(Party::Principal),
        Just(Party::Bureau),
        Just(Party::DiseaseControl)
    ];
    let act = prop_oneof![
        Just(Act::Observe("隔离室".to_owned(), true)),
        Just(Act::Release(vec![366, 366], true)),
        Just(Act::Refer(true)),
        Just(Act::RuleOut),
        Just(Act::Confirm(varicella())),
        Just(Act::Recover(day(20).start_millis())),
        Just(Act::RequestReturn(vec![CRUSTED, 3], String::new())),
        verdict().prop_map(|verdict| Act::Review(verdict, 0)),
        Just(Act::Appeal),
        Just(Act::ExcludeByCase("a".to_owned(), varicella())),
        Just(Act::LiftCase("a".to_owned())),
        (party, verdict()).prop_map(|(party, verdict)| Act::Opine(party, verdict)),
    ];
    prop_oneof![
        (0_i64..40).prop_map(Step::Says),
        Just(Step::TakesBack),
        act.prop_map(Step::Does),
    ]
}

proptest! {
    #[test]
    fn nobody_is_ever_in_two_states_and_repeats_change_nothing(
        steps in proptest::collection::vec(step(), 0..40),
    ) {
        let start = day(20).start_millis();
        let (mut health, mut signs) = (Health::default(), Vec::new());
        for (place, step) in steps.into_iter().enumerate() {
            let now = start + i64::try_from(place).expect("few") * HOUR;
            let before = health.state;
            match step {
                Step::Says(ago) => signs.push(now - ago * HOUR),
                Step::TakesBack => drop(signs.pop()),
                Step::Does(act) => {
                    let clears = !matches!(act, Act::LiftCase(_));
                    if let Ok(moves) = health.act(&act, &rules(), "C", now) {
                        let led = moves.iter().try_fold(before, |state, verb| state.after(*verb));
                        prop_assert_eq!(led, Ok(health.state), "the history says where it led");
                        let is_excluded = health.state == Medical::Excluded;
                        prop_assert!(!is_excluded || health.until >= health.doctor_until);
                        let is_normal = health.state == Medical::Normal;
                        prop_assert!(!clears || !is_normal || health.cleared == now);
                    }
                }
            }
            let settle = |health: &mut Health, signs: &[i64]| {
                let ill = signs.iter().copied().max().unwrap_or(0);
                let verb = by_itself(health.state, health.cleared, ill);
                verb.map(|verb| health.move_by_itself(verb, now))
            };
            settle(&mut health, &signs);
            let settled = health.clone();
            let mut turned: Vec<i64> = signs.iter().rev().chain(&signs).copied().collect();
            turned.sort_by_key(|time| time % 7);
            prop_assert_eq!(settle(&mut health, &turned), None);
            prop_assert_eq!(&health, &settled, "neither order nor repetition matters");
            let ill = signs.iter().any(|time| *time > health.cleared);
            match health.state {
                Medical::Normal => prop_assert!(!ill),
                Medical::Symptomatic => prop_assert!(ill),
                _ => {}
            }
        }
    }
}
