//! Who was found with a fever is not let in by being checked once more from the beginning (rule 3.3).

use chrono::Duration;
use kit::auth::Role;
use kit::clock::Clock;
use kit::field::to_date;
use proto::safety as pb;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_observation::Symptoms;
use proto::safety::gate_reason::Code;
use proto::safety::gate_service_client::GateServiceClient;
use tonic::Code as Grpc;
use uuid::Uuid;

use crate::city::world::{World, codes, heard, on_both, serve, told, well, with_temperature};
use crate::city::{SCHOOL_PATH, student};

on_both!(
    whoever_waits_is_checked_by_a_recheck_alone,
    whom_the_fever_clinic_expects_is_denied_until_a_human_admits,
    every_replica_knows_who_waits,
    a_new_day_begins_anew,
);

/// A recheck from a decision: readings of a contact thermometer, and nobody looks ill.
fn recheck(of: &pb::GateDecision, tenths: &[i32]) -> pb::CheckEntryRequest {
    let mut request = with_temperature(&student(1), tenths[0]);
    if let Some(seen) = &mut request.observation {
        seen.further_temperatures_decidegrees = tenths[1..].to_vec();
        seen.symptoms = Symptoms::None.into();
    }
    pb::CheckEntryRequest {
        recheck_of: of.name.clone(),
        ..request
    }
}

async fn later(world: &World, minutes: i64) {
    world.clock.advance(Duration::minutes(minutes));
    heard(&world.db, &world.clock).await;
}

async fn whoever_waits_is_checked_by_a_recheck_alone(mut world: World) {
    let fever = pb::CheckEntryRequest {
        request_id: Uuid::new_v4().to_string(),
        ..with_temperature(&student(1), 378)
    };
    let first = world.check(fever.clone()).await.expect("decided");
    assert_eq!(first.result(), Outcome::Observe);
    for minutes in [1, 20] {
        later(&world, minutes).await;
        let refused = world.check(well(&student(1))).await;
        let refused = refused.expect_err("a first check");
        let (code, reason, zh) = told(&refused);
        assert_eq!(code, Grpc::FailedPrecondition);
        assert_eq!(reason, "GATE_OBSERVATION_OPEN");
        assert!(zh.contains(&first.name), "{zh}");
        assert!(zh.contains("2022-04-06T08:15:00+08:00"), "{zh}");
    }
    // A repeat gets its first answer, and nobody else waits.
    assert_eq!(world.check(fever).await.expect("repeated"), first);
    let other = world.check(well(&student(2))).await.expect("decided");
    assert_eq!(other.result(), Outcome::Admit);
    // A recheck that is not complete goes on, and is still one.
    let few = recheck(&first, &[370]);
    let few = world.check(few).await.expect("decided");
    assert_eq!(codes(&few), [Code::TemperatureRepeat]);
    let refused = world.check(well(&student(1))).await;
    let (_, reason, zh) = told(&refused.expect_err("a first check"));
    assert_eq!(reason, "GATE_OBSERVATION_OPEN");
    assert!(zh.contains(&few.name), "{zh}");
    let good = recheck(&few, &[365, 366, 365]);
    let good = world.check(good).await.expect("decided");
    assert_eq!(good.result(), Outcome::Admit);
    let again = world.check(well(&student(1))).await.expect("decided");
    assert_eq!((again.result(), &*again.recheck_of), (Outcome::Admit, ""));
}

async fn whom_the_fever_clinic_expects_is_denied_until_a_human_admits(mut world: World) {
    let first = world.check(with_temperature(&student(1), 378)).await;
    let first = first.expect("decided");
    later(&world, 15).await;
    let denied = world.check(recheck(&first, &[379])).await.expect("decided");
    assert_eq!(codes(&denied), [Code::TemperatureConfirmed]);
    later(&world, 1).await;
    let again = world.check(well(&student(1))).await.expect("decided");
    assert_eq!(again.result(), Outcome::Deny);
    assert_eq!(codes(&again), [Code::TemperatureConfirmed]);
    assert_eq!(again.recheck_of, first.name);
    let word = pb::OverrideDecisionRequest {
        name: denied.name.clone(),
        result: Outcome::Admit.into(),
        reason: "医院证明为非传染性发热".to_owned(),
        request_id: Uuid::new_v4().to_string(),
    };
    later(&world, 1).await;
    let word = world.as_role(Role::Principal, SCHOOL_PATH, word);
    world.client.override_decision(word).await.expect("done");
    let admitted = world.check(well(&student(1))).await.expect("decided");
    assert_eq!(admitted.result(), Outcome::Admit);
}

/// One that ran before hears of it, and one that starts after reads of it.
async fn every_replica_knows_who_waits(mut world: World) {
    let (before, _before) = serve(&world.scratch, &world.clock).await;
    let fever = with_temperature(&student(1), 378);
    world.check(fever).await.expect("decided");
    let (after, _after) = serve(&world.scratch, &world.clock).await;
    for (channel, tries) in [(after, 1), (before, 200)] {
        let mut client = GateServiceClient::new(channel);
        let mut reason = String::new();
        for _ in 0..tries {
            let request = world.as_role(Role::Guard, SCHOOL_PATH, well(&student(1)));
            match client.check_entry(request).await {
                Err(refused) => {
                    reason = told(&refused).1;
                    break;
                }
                Ok(_) => tokio::time::sleep(std::time::Duration::from_millis(25)).await,
            }
        }
        assert_eq!(reason, "GATE_OBSERVATION_OPEN");
    }
}

async fn a_new_day_begins_anew(mut world: World) {
    let fever = with_temperature(&student(1), 378);
    world.check(fever).await.expect("decided");
    later(&world, 24 * 60).await;
    let mut tomorrow = well(&student(1));
    let card = tomorrow.observation.as_mut();
    let card = card.and_then(|seen| seen.travel_card.as_mut());
    card.expect("a card").show_date = Some(to_date(world.clock.today()));
    let admitted = world.check(tomorrow).await.expect("decided");
    assert_eq!(admitted.result(), Outcome::Admit);
}
