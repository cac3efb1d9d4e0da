use proptest::prelude::*;

use super::*;
use crate::domain::gate::clearance::{Control, Medical};
use crate::domain::gate::observation::{Temperature, TravelCard};

fn now() -> DateTime<Utc> {
    "2022-04-06T00:00:00Z".parse().unwrap()
}

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2022, 4, 6).unwrap()
}

fn well(policy: &GatePolicy) -> Case<'_> {
    Case {
        standing: Standing::Expected,
        clearance: Clearance::default(),
        observation: Observation {
            temperature: Temperature::from_tenths(365).ok(),
            colour: Colour::Green,
            travel: Some(TravelCard {
                shown: today(),
                starred: false,
            }),
        },
        reading: Reading::First,
        emergency: false,
        arrival: None,
        minute: 480,
        today: today(),
        facts_time: Some(now()),
        now: now(),
        policy,
    }
}

fn with_temperature(tenths: i32, reading: Reading) -> Decision {
    let policy = GatePolicy::default();
    let mut case = well(&policy);
    case.observation.temperature = Some(Temperature::from_tenths(tenths).unwrap());
    case.reading = reading;
    decide(&case)
}

/// Golden test T11.
#[test]
fn thirty_seven_two_is_admitted_and_thirty_seven_three_observed() {
    assert_eq!(
        with_temperature(372, Reading::First).outcome,
        Outcome::Admit
    );
    let observed = with_temperature(373, Reading::First);
    assert_eq!(observed.outcome, Outcome::Observe);
    assert_eq!(observed.checks.reasons(false), [Finding::TemperatureHigh]);
}

#[test]
fn a_second_reading_decides() {
    assert_eq!(
        with_temperature(372, Reading::Contact).outcome,
        Outcome::Admit
    );
    let denied = with_temperature(373, Reading::Contact);
    assert_eq!(
        (denied.outcome, denied.checks.temperature),
        (Outcome::Deny, Finding::TemperatureConfirmed,)
    );
}

#[test]
fn a_temperature_of_nobody_is_refused() {
    for tenths in [0, 339, 426, i32::MAX, -1] {
        assert!(Temperature::from_tenths(tenths).is_err(), "{tenths}");
    }
    assert!(Temperature::from_tenths(340).is_ok() && Temperature::from_tenths(425).is_ok());
}

#[test]
fn a_second_reading_waits() {
    let wait = Duration::minutes(15);
    let due = now() + wait;
    assert_eq!(
        recheck(now(), due - Duration::seconds(1), wait),
        Err(TooEarly(due))
    );
    assert_eq!(recheck(now(), due, wait), Ok(()));
}

#[test]
fn somebody_held_is_denied_with_rule_2_19() {
    let policy = GatePolicy::default();
    let mut case = well(&policy);
    case.clearance.control = Control::PoolHold;
    let decision = decide(&case);
    assert_eq!(decision.outcome, Outcome::Deny);
    let reasons: Vec<_> = decision
        .checks
        .reasons(false)
        .iter()
        .map(|f| f.rule())
        .collect();
    assert_eq!(reasons, ["2.19"]);
}

#[test]
fn only_normal_and_free_enter_or_monitoring_where_allowed() {
    for admit_health_monitoring in [false, true] {
        let policy = GatePolicy {
            admit_health_monitoring,
            ..GatePolicy::default()
        };
        for control in Control::ALL {
            for medical in [Medical::Normal, Medical::NotAdmitted] {
                let mut case = well(&policy);
                case.clearance = Clearance { control, medical };
                let monitored = control == Control::HealthMonitoring && admit_health_monitoring;
                let enters = medical == Medical::Normal && (control == Control::Free || monitored);
                let admitted = decide(&case).outcome == Outcome::Admit;
                assert_eq!(
                    admitted, enters,
                    "{control:?} {medical:?} {admit_health_monitoring}"
                );
            }
        }
    }
}

#[test]
fn every_check_speaks_in_one_answer() {
    let policy = GatePolicy::default();
    let case = Case {
        standing: Standing::Elsewhere,
        clearance: Clearance {
            control: Control::PoolHold,
            medical: Medical::Normal,
        },
        observation: Observation {
            temperature: Temperature::from_tenths(385).ok(),
            colour: Colour::Red,
            travel: Some(TravelCard {
                shown: today(),
                starred: true,
            }),
        },
        ..well(&policy)
    };
    assert_eq!(
        decide(&case).checks.reasons(true),
        [
            Finding::OtherOrganization,
            Finding::TemperatureHigh,
            Finding::ColourDenied,
            Finding::TravelStarred,
            Finding::Held,
            Finding::FactsStale,
        ]
    );
}

#[test]
fn colours_and_travel_cards_follow_the_policy() {
    let strict = GatePolicy::default();
    let routine = GatePolicy {
        deny_colours: Vec::new(),
        travel_window_days: 0,
        ..GatePolicy::default()
    };
    let none = Observation {
        temperature: Temperature::from_tenths(365).ok(),
        ..Default::default()
    };
    let found = |policy| {
        decide(&Case {
            observation: none,
            ..well(policy)
        })
    };
    let strictly = found(&strict);
    assert_eq!(strictly.outcome, Outcome::Deny);
    assert_eq!(
        strictly.checks.reasons(false),
        [Finding::ColourUnknown, Finding::TravelMissing]
    );
    assert_eq!(found(&routine).outcome, Outcome::Admit);
}

#[test]
fn a_card_of_yesterday_is_shown_again() {
    let policy = GatePolicy::default();
    let mut case = well(&policy);
    case.observation.travel = Some(TravelCard {
        shown: today().pred_opt().unwrap(),
        starred: false,
    });
    assert_eq!(decide(&case).checks.travel_card, Finding::TravelOutdated);
}

#[test]
fn old_facts_turn_on_manual_mode() {
    let policy = GatePolicy::default();
    let at = |age| {
        decide(&Case {
            facts_time: Some(now() - Duration::minutes(age)),
            ..well(&policy)
        })
    };
    assert!(!at(30).stale);
    assert!(at(31).stale);
    assert!(
        decide(&Case {
            facts_time: None,
            ..well(&policy)
        })
        .stale
    );
}

fn any_standing() -> impl Strategy<Value = Standing> {
    prop_oneof![
        Just(Standing::Expected),
        Just(Standing::ClassNotInPerson),
        Just(Standing::OnLeave),
        Just(Standing::Elsewhere),
        Just(Standing::Unknown),
    ]
}

proptest! {
    /// Whatever is shown, nobody but the expected enters without an emergency, and an
    /// emergency always enters.
    #[test]
    fn unrelated_persons_never_enter(
        standing in any_standing(),
        control in 0..7_usize,
        tenths in prop::option::of(340..=425),
        colour in 0..4_usize,
        starred in prop::option::of(any::<bool>()),
        emergency in any::<bool>(),
        contact in any::<bool>(),
    ) {
        let policy = GatePolicy::default();
        let case = Case {
            standing,
            clearance: Clearance { control: Control::ALL[control], medical: Medical::Normal },
            observation: Observation {
                temperature: tenths.map(|tenths| Temperature::from_tenths(tenths).unwrap()),
                colour: Colour::ALL[colour],
                travel: starred.map(|starred| TravelCard { shown: today(), starred }),
            },
            reading: if contact { Reading::Contact } else { Reading::First },
            emergency,
            ..well(&policy)
        };
        let decision = decide(&case);
        if emergency {
            prop_assert_eq!(decision.outcome, Outcome::Admit);
            prop_assert!(decision.checks.reasons(false).contains(&Finding::Emergency));
        } else {
            let normal = tenths.is_some_and(|tenths| tenths < 373);
            let enters = standing == Standing::Expected
                && control == 0
                && normal
                && colour == 0
                && starred == Some(false);
            prop_assert_eq!(decision.outcome == Outcome::Admit, enters);
            // Whoever does not enter is told why.
            prop_assert_eq!(decision.checks.reasons(false).is_empty(), enters);
        }
    }
}

/// Rule 3.8: the time of arrival is noted and decides nothing.
#[test]
fn nobody_is_kept_out_for_the_time_of_arrival() {
    let policy = GatePolicy::default();
    let window = ArrivalWindow {
        grade: 3,
        start: 450,
        end: 480,
    };
    let expected = [
        (449, Finding::ArrivalEarly),
        (450, Finding::ArrivalInWindow),
        (479, Finding::ArrivalInWindow),
        (480, Finding::ArrivalLate),
        (719, Finding::ArrivalLate),
        (720, Finding::ArrivalNotStaggered),
    ];
    for (minute, finding) in expected {
        let decision = decide(&Case {
            arrival: Some(window),
            minute,
            ..well(&policy)
        });
        assert_eq!(
            (decision.outcome, decision.checks.arrival),
            (Outcome::Admit, finding),
            "{minute}"
        );
        assert!(decision.checks.reasons(false).is_empty(), "a note only");
    }
}

#[test]
fn a_visitor_passes_the_four_checks_as_others_do() {
    let policy = GatePolicy::default();
    let visitor = Case {
        standing: Standing::Visitor,
        ..well(&policy)
    };
    let admitted = decide(&visitor);
    assert_eq!(admitted.outcome, Outcome::Admit);
    assert_eq!(admitted.checks.identity, Finding::VisitorApproved);
    let mut red = visitor;
    red.observation.colour = Colour::Red;
    assert_eq!(decide(&red).outcome, Outcome::Deny);
}
