//! What a gate says of people, and who may say otherwise.

use crate::city;
use crate::city::on_both;
use kit::auth::Role;
use proto::safety as pb;
use proto::safety::check_entry_request::{Emergency, Identity};
use proto::safety::gate_decision::{Identification, Result as Outcome};
use proto::safety::gate_observation::Symptoms;
use proto::safety::gate_reason::Code;
use proto::sampling::clearance::Control;
use tonic::Code as Grpc;
use uuid::Uuid;

use crate::city::world::{World, codes, heard, told, well, with_temperature};
use crate::city::{SCHOOL_PATH, clearance, held, released, roster, student};

on_both!(
    a_pupil_enters_and_a_held_one_does_not,
    a_contact_under_observation_enters_and_the_guard_is_told,
    golden_t11,
    a_fever_waits_and_is_measured_again,
    several_normal_readings_without_symptoms_let_in,
    strangers_and_others_do_not_enter,
    the_policy_says_which_readings_are_believed,
    a_suspended_class_is_not_expected,
    a_repeat_returns_the_first_answer,
    a_denial_is_overridden_by_a_named_person,
    nobody_unrelated_and_nobody_of_yesterday_is_let_in_by_a_word,
    codes_and_cards_identify,
);

async fn a_pupil_enters_and_a_held_one_does_not(mut world: World) {
    let decision = world.check(well(&student(1))).await.expect("decided");
    assert_eq!(decision.result(), Outcome::Admit);
    assert_eq!(decision.policy_version, "fuzhou-2022-04@1");
    assert_eq!(
        (&*decision.guard, &*decision.device),
        ("someone-1", "东门-1")
    );
    assert!(decision.reasons.is_empty() && !decision.stale);
    assert_eq!(decision.identification(), Identification::Guard);

    clearance(&world.db, &[held(&student(1), 1)], 1).await;
    let denied = world.until(well(&student(1)), Outcome::Deny).await;
    assert_eq!(codes(&denied), [Code::Held]);
    assert_eq!(denied.reasons[0].rule, "2.19");
    let check = denied.clearance.clone().expect("a check");
    assert_eq!(check.verdict(), pb::gate_check::Verdict::Deny);
    let others = world.check(well(&student(2))).await.expect("decided");
    assert_eq!(others.result(), Outcome::Admit);

    clearance(&world.db, &[released(&student(1), 2)], 1).await;
    world.until(well(&student(1)), Outcome::Admit).await;
}

async fn a_contact_under_observation_enters_and_the_guard_is_told(mut world: World) {
    let mut observed = held(&student(1), 1);
    let told = observed.clearance.as_mut().expect("a clearance");
    told.control = Control::Observation.into();
    clearance(&world.db, &[observed, held(&student(2), 1)], 1).await;
    world.until(well(&student(2)), Outcome::Deny).await;
    let decision = world.check(well(&student(1))).await.expect("decided");
    assert_eq!(decision.result(), Outcome::Admit);
    assert_eq!(codes(&decision), [Code::Observation]);
    assert_eq!(decision.reasons[0].rule, "1.23");
}

async fn golden_t11(mut world: World) {
    let admitted = world
        .check(with_temperature(&student(1), 372))
        .await
        .expect("decided");
    let observed = world
        .check(with_temperature(&student(1), 373))
        .await
        .expect("decided");
    assert_eq!(
        (admitted.result(), observed.result()),
        (Outcome::Admit, Outcome::Observe)
    );
    assert_eq!(codes(&observed), [Code::TemperatureHigh]);
}

async fn a_fever_waits_and_is_measured_again(mut world: World) {
    let first = world
        .check(with_temperature(&student(1), 378))
        .await
        .expect("decided");
    let again = |tenths, of: &str| pb::CheckEntryRequest {
        recheck_of: of.to_owned(),
        ..with_temperature(&student(1), tenths)
    };
    world.clock.advance(chrono::Duration::minutes(14));
    let early = world
        .check(again(365, &first.name))
        .await
        .expect_err("too early");
    let (code, reason, zh) = told(&early);
    assert_eq!(
        (code, &*reason),
        (Grpc::FailedPrecondition, "GATE_RECHECK_TOO_EARLY")
    );
    assert!(zh.contains("2022-04-06T08:15:00+08:00"), "{zh}");
    world.clock.advance(chrono::Duration::minutes(1));
    heard(&world.db, &world.clock).await;
    let mut other = again(365, &first.name);
    other.identity = Some(Identity::Person(student(2)));
    let refused = world.check(other).await.expect_err("another's observation");
    assert_eq!(told(&refused).1, "GATE_NOT_OBSERVED");
    let second = pb::CheckEntryRequest {
        request_id: Uuid::new_v4().to_string(),
        ..again(374, &first.name)
    };
    let denied = world.check(second.clone()).await.expect("decided");
    assert_eq!(denied.result(), Outcome::Deny);
    assert!(codes(&denied).contains(&Code::TemperatureConfirmed));
    assert_eq!(denied.recheck_of, first.name);
    // A denial cannot be rechecked away, neither from itself nor from what came before it; a repeat
    // gets the first answer.
    for of in [&denied.name, &first.name] {
        let refused = world.check(again(365, of)).await;
        assert_eq!(told(&refused.expect_err("over")).1, "GATE_NOT_OBSERVED");
    }
    assert_eq!(world.check(second).await.expect("repeated"), denied);
}

/// Rule 3.3: as many normal readings as the policy asks for, and no symptoms.
async fn several_normal_readings_without_symptoms_let_in(mut world: World) {
    let first = world
        .check(with_temperature(&student(1), 378))
        .await
        .expect("decided");
    world.clock.advance(chrono::Duration::minutes(15));
    heard(&world.db, &world.clock).await;
    let again = |further: &[i32], symptoms: Symptoms, of: &str| {
        let mut request = with_temperature(&student(1), 370);
        if let Some(seen) = &mut request.observation {
            seen.further_temperatures_decidegrees = further.to_vec();
            seen.symptoms = symptoms.into();
        }
        pb::CheckEntryRequest {
            recheck_of: of.to_owned(),
            ..request
        }
    };
    let few = world
        .check(again(&[369], Symptoms::None, &first.name))
        .await;
    let few = few.expect("decided");
    assert_eq!(few.result(), Outcome::Observe);
    assert_eq!(codes(&few), [Code::TemperatureRepeat]);
    // It goes on at once, from either decision.
    let unasked = again(&[369, 368], Symptoms::Unspecified, &few.name);
    let unasked = world.check(unasked).await.expect("decided");
    assert_eq!(codes(&unasked), [Code::SymptomsNotAsked]);
    let good = again(&[369, 368], Symptoms::None, &unasked.name);
    let good = world.check(good).await.expect("decided");
    assert_eq!(good.result(), Outcome::Admit);
    assert_eq!(good.recheck_of, first.name);
    let seen = good.observation.expect("what was seen");
    assert_eq!(seen.further_temperatures_decidegrees, [369, 368]);
    assert_eq!(seen.symptoms(), Symptoms::None);
    let many = again(&[370; 5], Symptoms::None, &first.name);
    let refused = world.check(many).await.expect_err("too many");
    let field = "observation.further_temperatures_decidegrees";
    assert!(refused.message().contains(field), "{}", refused.message());
    let ill = again(&[369, 368], Symptoms::Seen, &first.name);
    let ill = world.check(ill).await.expect("decided");
    assert_eq!(ill.result(), Outcome::Deny);
    assert_eq!(codes(&ill), [Code::SymptomsConfirmed]);
}

async fn strangers_and_others_do_not_enter(mut world: World) {
    let stranger = pb::CheckEntryRequest {
        identity: None,
        ..well("")
    };
    let denied = world.check(stranger.clone()).await.expect("decided");
    assert_eq!(
        (denied.result(), codes(&denied)),
        (Outcome::Deny, vec![Code::PersonUnknown])
    );
    assert_eq!(denied.person, "");
    let unknown = world.check(well(&student(99))).await.expect("decided");
    assert_eq!(codes(&unknown), [Code::PersonUnknown]);
    // Somebody of another school looks like somebody of none.
    let other = world.check(well(&student(11))).await.expect("decided");
    let blank = |decision: pb::GateDecision| pb::GateDecision {
        name: String::new(),
        person: String::new(),
        decide_time: None,
        record_time: None,
        facts_time: None,
        ..decision
    };
    assert_eq!(
        (&*unknown.person, &*other.person),
        (&*student(99), &*student(11))
    );
    assert_eq!(blank(unknown), blank(other));
    let crew = pb::CheckEntryRequest {
        emergency: Emergency::Medical.into(),
        observation: None,
        ..stranger
    };
    let crew = world.check(crew).await.expect("decided");
    assert_eq!(
        (crew.result(), codes(&crew)),
        (Outcome::Admit, vec![Code::Emergency])
    );
    let how = (crew.identification(), crew.emergency());
    assert_eq!(how, (Identification::None, Emergency::Medical));
    assert!(!crew.visit.is_empty(), "nobody is let in silently");
}

/// Rule 3.2: which readings are believed, the policy says.
async fn the_policy_says_which_readings_are_believed(mut world: World) {
    let narrow = city::policy("", 2, |profile| {
        if let Some(gate) = &mut profile.gate {
            gate.temperature_plausible_min_tenths = 355;
            gate.temperature_plausible_max_tenths = 400;
        }
    });
    let doubted = || with_temperature(&student(1), 350);
    let before = world
        .check(doubted())
        .await
        .expect("34.0 to 42.5 as shipped");
    assert_eq!(before.result(), Outcome::Admit);
    let wrong = world.check(with_temperature(&student(1), 430)).await;
    assert_eq!(told(&wrong.expect_err("refused")).1, "INVALID_FIELD");
    roster(&world.db, &[narrow], 1).await;
    let mut refused = None;
    for _ in 0..200 {
        refused = world.check(doubted()).await.err();
        if refused.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    let refused = refused.expect("refused");
    assert_eq!(told(&refused).1, "INVALID_FIELD");
    let field = "observation.temperature_decidegrees";
    assert!(refused.message().contains(field), "{}", refused.message());
}

async fn a_suspended_class_is_not_expected(mut world: World) {
    use proto::roster::class_group_roll::TeachingMode;
    for (version, mode) in [(2, TeachingMode::Suspended), (4, TeachingMode::Online)] {
        let event = city::class_roll_taught(SCHOOL_PATH, version, &[1, 2], mode);
        roster(&world.db, &[event], 1).await;
        let denied = world.until(well(&student(1)), Outcome::Deny).await;
        assert_eq!(codes(&denied), [Code::ClassNotInPerson]);
        roster(
            &world.db,
            &[city::class_roll(SCHOOL_PATH, version + 1, &[1, 2])],
            1,
        )
        .await;
        world.until(well(&student(1)), Outcome::Admit).await;
    }
}

async fn a_repeat_returns_the_first_answer(mut world: World) {
    let request_id = Uuid::new_v4().to_string();
    let request = pb::CheckEntryRequest {
        request_id,
        ..well(&student(1))
    };
    let first = world.check(request.clone()).await.expect("decided");
    world.clock.advance(chrono::Duration::minutes(1));
    assert_eq!(world.check(request.clone()).await.expect("repeated"), first);
    let other = pb::CheckEntryRequest {
        device: "西门".to_owned(),
        ..request
    };
    let refused = world.check(other).await.expect_err("another request");
    assert_eq!(told(&refused).0, Grpc::InvalidArgument);
    assert_eq!(told(&refused).1, "REQUEST_ID_REUSED");
}

async fn a_denial_is_overridden_by_a_named_person(mut world: World) {
    clearance(&world.db, &[held(&student(1), 1)], 1).await;
    let denied = world.until(well(&student(1)), Outcome::Deny).await;
    let word = |result: Outcome| pb::OverrideDecisionRequest {
        name: denied.name.clone(),
        result: result.into(),
        reason: "单检阴性，纸质报告已核".to_owned(),
        request_id: Uuid::new_v4().to_string(),
    };
    let guard = world.as_role(Role::Guard, SCHOOL_PATH, word(Outcome::Admit));
    let refused = world
        .client
        .override_decision(guard)
        .await
        .expect_err("a guard");
    assert_eq!(told(&refused).1, "SCOPE_DENIED");
    let same = world.as_role(Role::Principal, SCHOOL_PATH, word(Outcome::Deny));
    let refused = world
        .client
        .override_decision(same)
        .await
        .expect_err("the same");
    assert_eq!(told(&refused).1, "GATE_OVERRIDE_SAME_RESULT");

    let admit = word(Outcome::Admit);
    let ask = world.as_role(Role::Principal, SCHOOL_PATH, admit.clone());
    let done = world
        .client
        .override_decision(ask)
        .await
        .expect("overridden")
        .into_inner();
    assert_eq!(
        (done.result(), done.effective_result()),
        (Outcome::Deny, Outcome::Admit)
    );
    let by = done.r#override.clone().expect("an override");
    assert_eq!(by.responsible, "someone-1");
    let ask = world.as_role(Role::Principal, SCHOOL_PATH, admit);
    let repeat = world
        .client
        .override_decision(ask)
        .await
        .expect("repeated")
        .into_inner();
    assert_eq!(repeat, done);
    let ask = world.as_role(Role::Principal, SCHOOL_PATH, word(Outcome::Observe));
    let refused = world
        .client
        .override_decision(ask)
        .await
        .expect_err("a second time");
    assert_eq!(told(&refused).1, "GATE_DECISION_OVERRIDDEN");
    let get = pb::GetGateDecisionRequest {
        name: denied.name.clone(),
    };
    let get = world.as_role(Role::Guard, SCHOOL_PATH, get);
    let read = world
        .client
        .get_gate_decision(get)
        .await
        .expect("read")
        .into_inner();
    assert_eq!(read, done);
}

/// Rule 3.8: unrelated persons never enter, and a word is of its day.
async fn nobody_unrelated_and_nobody_of_yesterday_is_let_in_by_a_word(mut world: World) {
    let stranger = pb::CheckEntryRequest {
        identity: None,
        ..well("")
    };
    let unrelated = [stranger, well(&student(99)), well(&student(11))];
    for request in unrelated {
        let denied = world.check(request).await.expect("decided");
        let refused = word(&world, &denied, Outcome::Admit).await;
        let refused = refused.expect_err("a visitor or nobody");
        let (code, reason, zh) = told(&refused);
        let expected = (Grpc::FailedPrecondition, "GATE_OVERRIDE_UNRELATED");
        assert_eq!((code, &*reason), expected);
        assert!(zh.contains("访客"), "{zh}");
    }
    let fever = world.check(with_temperature(&student(1), 378)).await;
    let fever = fever.expect("decided");
    world.clock.advance(chrono::Duration::hours(16));
    let refused = word(&world, &fever, Outcome::Admit).await;
    let refused = refused.expect_err("the day is over");
    assert_eq!(told(&refused).1, "GATE_OVERRIDE_DAY_OVER");
    // What was wrong is still set right.
    let denied = word(&world, &fever, Outcome::Deny).await;
    assert_eq!(denied.expect("done").effective_result(), Outcome::Deny);
}

async fn word(
    world: &World,
    decision: &pb::GateDecision,
    result: Outcome,
) -> Result<pb::GateDecision, tonic::Status> {
    let word = pb::OverrideDecisionRequest {
        name: decision.name.clone(),
        result: result.into(),
        reason: "校长核实".to_owned(),
        request_id: Uuid::new_v4().to_string(),
    };
    let word = world.as_role(Role::Principal, SCHOOL_PATH, word);
    let done = world.client.clone().override_decision(word).await?;
    Ok(done.into_inner())
}

async fn codes_and_cards_identify(mut world: World) {
    let ask = pb::IssuePersonCodeRequest { person: student(1) };
    let ask = world.as_role(Role::SchoolClerk, SCHOOL_PATH, ask);
    let code = world
        .client
        .issue_person_code(ask)
        .await
        .expect("issued")
        .into_inner();
    let by_code = pb::CheckEntryRequest {
        identity: Some(Identity::PersonCode(code.person_code.clone())),
        ..well("")
    };
    let decision = world.check(by_code.clone()).await.expect("decided");
    assert_eq!(
        (decision.result(), &*decision.person),
        (Outcome::Admit, &*student(1))
    );
    assert_eq!(decision.identification(), Identification::PersonCode);
    let resolve = pb::ResolvePersonCodeRequest {
        person_code: code.person_code,
    };
    let ask = world.as_role(Role::Guard, SCHOOL_PATH, resolve.clone());
    let who = world
        .client
        .resolve_person_code(ask)
        .await
        .expect("resolved")
        .into_inner();
    assert_eq!(who.person, student(1));
    let ask = world.as_role(Role::Guard, city::OTHER_PATH, resolve.clone());
    let refused = world
        .client
        .resolve_person_code(ask)
        .await
        .expect_err("elsewhere");
    let foreign = told(&refused);
    let nonsense = pb::ResolvePersonCodeRequest {
        person_code: "nonsense".to_owned(),
    };
    let ask = world.as_role(Role::Guard, SCHOOL_PATH, nonsense);
    let refused = world
        .client
        .resolve_person_code(ask)
        .await
        .expect_err("not ours");
    assert_eq!(refused.code(), Grpc::InvalidArgument);
    assert_eq!(told(&refused), foreign, "nobody learns whose code it is");

    let bind = pb::BindCardRequest {
        person: student(2),
        card: "04A1B2C3".to_owned(),
        request_id: Uuid::new_v4().to_string(),
    };
    for _ in 0..2 {
        let ask = world.as_role(Role::SchoolClerk, SCHOOL_PATH, bind.clone());
        world.client.bind_card(ask).await.expect("bound");
    }
    let card = |number: &str| pb::CheckEntryRequest {
        identity: Some(Identity::Card(number.to_owned())),
        ..well("")
    };
    let decision = world.check(card("04A1B2C3")).await.expect("decided");
    assert_eq!(decision.person, student(2));
    assert_eq!(decision.identification(), Identification::Card);
    let decision = world.check(card("FFFFFFFF")).await.expect("decided");
    assert_eq!(codes(&decision), [Code::PersonUnknown]);
    // A card of another school identifies nobody here.
    let bind = pb::BindCardRequest {
        person: student(11),
        card: "04A1B2C4".to_owned(),
        request_id: Uuid::new_v4().to_string(),
    };
    let ask = world.as_role(Role::SchoolClerk, city::OTHER_PATH, bind);
    world.client.bind_card(ask).await.expect("bound");
    let foreign = world.check(card("04A1B2C4")).await.expect("decided");
    assert_eq!((&*foreign.person, codes(&foreign)), ("", codes(&decision)));

    world.clock.advance(chrono::Duration::days(30));
    let decision = world.check(by_code).await.expect("decided");
    assert!(codes(&decision).contains(&Code::PersonUnknown));
    let ask = world.as_role(Role::Guard, SCHOOL_PATH, resolve);
    let refused = world
        .client
        .resolve_person_code(ask)
        .await
        .expect_err("too old");
    let (code, reason, zh) = told(&refused);
    assert_eq!(
        (code, &*reason),
        (Grpc::FailedPrecondition, "PERSON_CODE_EXPIRED")
    );
    assert!(zh.contains("2022-05-06"), "{zh}");
}
