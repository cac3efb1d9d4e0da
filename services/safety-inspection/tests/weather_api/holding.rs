//! What holds keeps schools closed: a level that suspends, and the response level of a suspension.

use proto::safety as pb;
use proto::safety::weather_state::State;
use proto::safety::weather_suspension::Cover;
use tonic::Code;

use crate::city::world::told;
use crate::city::{SCHOOL, SCHOOL_PATH};
use crate::decisions::{CITY_OFFICER, HEAD, decide, decided, lift};
use crate::storm::{Storm, alert, later, storms};

storms!(
    nobody_teaches_again_while_the_level_suspends,
    the_suspension_of_a_response_level_is_lifted_with_it,
);

async fn nobody_teaches_again_while_the_level_suspends(mut storm: Storm) {
    storm
        .ingest(&alert(1, "Orange", "350100"))
        .await
        .expect("taken");
    let own = decide(&mut storm, HEAD, SCHOOL, decided(&[Cover::Schools])).await;
    let own = own.expect("decided");
    lift(&mut storm, HEAD, &own.name).await.expect("lifted");
    storm.check(SCHOOL_PATH, &[]).await.expect("recorded");
    let refused = storm.reopen(SCHOOL_PATH).await.expect_err("orange");
    let (code, reason, zh) = told(&refused);
    assert_eq!(
        (code, &*reason),
        (Code::FailedPrecondition, "WEATHER_LEVEL_HOLDS")
    );
    assert_eq!(
        zh,
        "当前天气级别为 II，按规定停课，级别降低或解除后才能恢复教学"
    );
    assert_eq!(storm.state(SCHOOL_PATH).await.state(), State::PostCheck);
    storm
        .ingest(&later(2, "Update", 1, "Blue"))
        .await
        .expect("taken");
    let again = storm.reopen(SCHOOL_PATH).await.expect("reopened");
    assert_eq!(again.state(), State::Reopened);
}

async fn the_suspension_of_a_response_level_is_lifted_with_it(mut storm: Storm) {
    let response = storm.declare(pb::WeatherLevel::Ii).await;
    let refused = lift(&mut storm, CITY_OFFICER, &response.suspension).await;
    let (_, reason, _) = told(&refused.expect_err("in force"));
    assert_eq!(reason, "WEATHER_RESPONSE_STATE");
    assert_eq!(storm.state(SCHOOL_PATH).await.state(), State::Suspended);
    storm.lift_response(&response.name).await.expect("lifted");
    assert_eq!(storm.state(SCHOOL_PATH).await.state(), State::Lifted);
    let refused = lift(&mut storm, CITY_OFFICER, &response.suspension).await;
    let (_, reason, _) = told(&refused.expect_err("lifted before"));
    assert_eq!(reason, "WEATHER_SUSPENSION_STATE");
}
