use proptest::prelude::*;

use super::*;
use crate::domain::gate::clearance::{Control, Medical};
use crate::domain::gate::observation::{Cities, City, Further, Symptoms, Temperature, TravelCard};

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
                cities: Cities::default(),
            }),
            ..Observation::default()
        },
        reading: Reading::First,
        emergency: false,
        arrival: None,
        weather_delay: false,
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

fn rechecked(tenths: &[i32], symptoms: Symptoms) -> Decision {
    let readings = tenths
        .iter()
        .map(|tenths| Temperature::from_tenths(*tenths).unwrap());
    let mut readings = readings.collect::<Vec<_>>().into_iter();
    let policy = GatePolicy::default();
    let mut case = well(&policy);
    case.observation.temperature = readings.next();
    case.observation.further = Further::of(readings);
    case.observation.symptoms = symptoms;
    case.reading = Reading::Contact;
    decide(&case)
}

/// Rule 3.3: let in when as many readings as the policy asks for are normal and there are no symptoms.
#[test]
fn a_recheck_weighs_every_reading_and_the_symptoms() {
    let found = |tenths: &[i32], symptoms| {
        let decision = rechecked(tenths, symptoms);
        (decision.outcome, decision.checks.temperature)
    };
    let repeat = (Outcome::Observe, Finding::TemperatureRepeat);
    let confirmed = (Outcome::Deny, Finding::TemperatureConfirmed);
    let none = Symptoms::None;
    assert_eq!(
        found(&[372, 370, 369], none),
        (Outcome::Admit, Finding::TemperatureNormal)
    );
    assert_eq!(found(&[372, 370], none), repeat);
    assert_eq!(found(&[372], Symptoms::NotAsked), repeat);
    assert_eq!(found(&[373], none), confirmed);
    assert_eq!(found(&[365, 365, 373, 365], none), confirmed);
    assert_eq!(found(&[373, 365], Symptoms::Seen), confirmed);
    assert_eq!(
        found(&[365, 365, 365], Symptoms::Seen),
        (Outcome::Deny, Finding::SymptomsConfirmed)
    );
    assert_eq!(
        found(&[365, 365, 365], Symptoms::NotAsked),
        (Outcome::Observe, Finding::SymptomsNotAsked)
    );
    assert_eq!(
        found(&[], none),
        (Outcome::Observe, Finding::TemperatureMissing)
    );
}

#[test]
fn symptoms_at_the_gate_are_observed() {
    let policy = GatePolicy::default();
    let mut case = well(&policy);
    case.observation.symptoms = Symptoms::Seen;
    let decision = decide(&case);
    assert_eq!(decision.outcome, Outcome::Observe);
    assert_eq!(decision.checks.reasons(false), [Finding::SymptomsSeen]);
}

#[test]
fn a_temperature_of_nobody_is_refused() {
    for tenths in [0, 299, 451, i32::MAX, -1] {
        assert!(Temperature::from_tenths(tenths).is_err(), "{tenths}");
    }
    let shipped = GatePolicy::default();
    let narrow = GatePolicy {
        temperature_plausible: (350, 420),
        ..GatePolicy::default()
    };
    let believed = |policy: &GatePolicy, tenths| {
        policy.believes(&Observation {
            temperature: Temperature::from_tenths(365).ok(),
            further: Further::of(Temperature::from_tenths(tenths)),
            ..Observation::default()
        })
    };
    for (tenths, by_shipped, by_narrow) in [
        (339, false, false),
        (340, true, false),
        (350, true, true),
        (420, true, true),
        (425, true, false),
        (426, false, false),
    ] {
        assert_eq!(believed(&shipped, tenths), by_shipped, "{tenths}");
        assert_eq!(believed(&narrow, tenths), by_narrow, "{tenths}");
    }
}

#[test]
fn a_second_reading_waits() {
    let wait = Duration::minutes(15);
    let due = now() + wait;
    let high = (Finding::TemperatureHigh, now());
    assert_eq!(
        recheck(high, due - Duration::seconds(1), wait),
        Err(TooEarly(due))
    );
    assert_eq!(recheck(high, due, wait), Ok(()));
    // A recheck that is not complete goes on at once.
    let incomplete = (Finding::TemperatureRepeat, now());
    assert_eq!(recheck(incomplete, now(), wait), Ok(()));
}

/// Rule 3.5: a marked city counts as long as the window of the policy says.
#[test]
fn the_window_decides_which_marked_cities_count() {
    let found = |window: i32, days_ago: Option<u64>| {
        let policy = GatePolicy {
            travel_window_days: window,
            ..GatePolicy::default()
        };
        let mut case = well(&policy);
        let city = City {
            division: 310_100,
            starred: true,
            last_stay: days_ago.map(|days| today() - chrono::Days::new(days)),
        };
        case.observation.travel = Some(TravelCard {
            shown: today(),
            starred: true,
            cities: Cities::of([city]),
        });
        decide(&case).checks.travel_card
    };
    assert_eq!(found(14, Some(10)), Finding::TravelStarred);
    assert_eq!(found(7, Some(10)), Finding::TravelClear);
    assert_eq!(found(7, Some(6)), Finding::TravelStarred);
    assert_eq!(found(7, Some(7)), Finding::TravelClear);
    assert_eq!(found(7, None), Finding::TravelStarred);
}

#[test]
fn the_policy_says_whether_a_card_looked_up_in_vain_may_enter() {
    for (admit_travel_unknown, outcome, finding) in [
        (false, Outcome::Deny, Finding::TravelUnknown),
        (true, Outcome::Admit, Finding::TravelUnknownAdmitted),
    ] {
        let policy = GatePolicy {
            admit_travel_unknown,
            ..GatePolicy::default()
        };
        let mut case = well(&policy);
        case.observation.travel = None;
        case.observation.travel_source = TravelSource::ProviderSilent;
        let decision = decide(&case);
        assert_eq!(decision.outcome, outcome);
        assert_eq!(decision.checks.reasons(false), [finding]);
    }
}

/// Rule 3.4: red is a reason of its own.
#[test]
fn red_is_told_apart_from_yellow() {
    let policy = GatePolicy::default();
    for (colour, finding) in [
        (Colour::Red, Finding::ColourRed),
        (Colour::Yellow, Finding::ColourDenied),
    ] {
        let mut case = well(&policy);
        case.observation.colour = colour;
        let decision = decide(&case);
        assert_eq!(decision.outcome, Outcome::Deny);
        assert_eq!(decision.checks.reasons(false), [finding]);
    }
}

/// Golden test T15: while orange or red stands, who comes late is not late.
#[test]
fn late_in_bad_weather_is_a_weather_delay() {
    let policy = GatePolicy::default();
    let mut case = well(&policy);
    case.arrival = Some(ArrivalWindow {
        grade: 9,
        start: 465,
        end: 495,
    });
    case.weather_delay = true;
    for (minute, finding) in [
        (460, Finding::ArrivalEarly),
        (470, Finding::ArrivalInWindow),
        (500, Finding::ArrivalWeatherDelay),
    ] {
        case.minute = minute;
        let decision = decide(&case);
        assert_eq!(decision.checks.arrival, finding);
        assert_eq!(decision.outcome, Outcome::Admit);
    }
    case.weather_delay = false;
    assert_eq!(decide(&case).checks.arrival, Finding::ArrivalLate);
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
fn only_normal_and_free_or_observed_enter_or_monitoring_where_allowed() {
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
                let attends = matches!(control, Control::Free | Control::Observation);
                let enters = medical == Medical::Normal && (attends || monitored);
                let decision = decide(&case);
                let admitted = decision.outcome == Outcome::Admit;
                assert_eq!(
                    admitted, enters,
                    "{control:?} {medical:?} {admit_health_monitoring}"
                );
                let told = decision
                    .checks
                    .reasons(false)
                    .contains(&Finding::Observation);
                let observed = control == Control::Observation && enters;
                assert_eq!(told, observed, "{control:?} {medical:?}");
            }
        }
    }
}

#[test]
fn every_check_speaks_in_one_answer() {
    let policy = GatePolicy::default();
    let case = Case {
        standing: Standing::OnLeave,
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
                cities: Cities::default(),
            }),
            ..Observation::default()
        },
        ..well(&policy)
    };
    assert_eq!(
        decide(&case).checks.reasons(true),
        [
            Finding::OnLeave,
            Finding::TemperatureHigh,
            Finding::ColourRed,
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
        cities: Cities::default(),
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

#[test]
fn the_clearance_of_somebody_who_is_not_of_the_school_is_not_told() {
    let policy = GatePolicy::default();
    let decided = |control| {
        decide(&Case {
            standing: Standing::Unknown,
            clearance: Clearance {
                control,
                medical: Medical::Normal,
            },
            ..well(&policy)
        })
    };
    for control in Control::ALL {
        let decided = decided(control);
        assert_eq!(decided.outcome, Outcome::Deny, "{control:?}");
        assert_eq!(decided.checks.reasons(false), [Finding::PersonUnknown]);
        assert_eq!(decided.checks.clearance, Finding::ClearanceNotApplicable);
    }
}

fn any_standing() -> impl Strategy<Value = Standing> {
    prop_oneof![
        Just(Standing::Expected),
        Just(Standing::ClassNotInPerson),
        Just(Standing::OnLeave),
        Just(Standing::Unknown),
    ]
}

proptest! {
    /// Whatever is shown, nobody but the expected enters without an emergency, and an
    /// emergency always enters.
    #[test]
    fn unrelated_persons_never_enter(
        standing in any_standing(),
        control in 0..8_usize,
        tenths in prop::option::of(366..=376),
        further in prop::collection::vec(366..=376, 0..4),
        symptoms in 0..3,
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
                travel: starred.map(|starred| TravelCard {
                    shown: today(),
                    starred,
                    cities: Cities::default(),
                }),
                travel_source: TravelSource::Shown,
                further: Further::of(
                    further.iter().map(|tenths| Temperature::from_tenths(*tenths).unwrap()),
                ),
                symptoms: Symptoms::from_number(symptoms).unwrap(),
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
            let readings: Vec<i32> = tenths.into_iter().chain(further).collect();
            let enough = if contact { readings.len() >= 3 } else { !readings.is_empty() };
            let well = if contact { symptoms == 1 } else { symptoms != 2 };
            let normal = enough && well && readings.iter().all(|tenths| *tenths < 373);
            let enters = standing == Standing::Expected
                && matches!(Control::ALL[control], Control::Free | Control::Observation)
                && normal
                && colour == 0
                && starred == Some(false);
            prop_assert_eq!(decision.outcome == Outcome::Admit, enters);
            // Whoever does not enter is told why, and so is whoever enters to be observed.
            let silent = enters && Control::ALL[control] == Control::Free;
            prop_assert_eq!(decision.checks.reasons(false).is_empty(), silent);
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
