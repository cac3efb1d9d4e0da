//! Suspensions: by city, district and school, for days to come, and who takes them back.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use kit::auth::Role;
use proto::roster::class_group_roll::TeachingMode;
use proto::safety as pb;
use proto::safety::weather_state::{State, Teaching};
use proto::safety::weather_suspension::{Authority, Cover, State as Stands};
use tonic::Code;
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::city::tree::{self, BUREAU, CITY, SISTER, SISTER_PATH, TRAINING, TRAINING_PATH};
use crate::city::world::told;
use crate::city::{OTHER_PATH, SCHOOL, SCHOOL_PATH, roster};
use crate::storm::{Answer, Cap, Storm, alert, document, later, storms};

storms!(
    a_school_acts_first_and_a_higher_decision_stays,
    nobody_is_suspended_without_a_warning,
    a_suspension_begins_and_ends_on_its_days,
    what_does_not_fit_is_named,
    a_repeat_has_one_effect,
    whoever_is_warned_later_is_suspended_too,
);

pub(crate) fn decided(covers: &[Cover]) -> pb::WeatherSuspension {
    pb::WeatherSuspension {
        covers: covers.iter().map(|cover| (*cover).into()).collect(),
        teaching: Teaching::Online.into(),
        start_date: Some(proto::Date {
            year: 2022,
            month: 4,
            day: 6,
        }),
        reason: "台风橙色预警".to_owned(),
        guardians_told_time: Some(prost_types::Timestamp {
            seconds: 1_649_200_000,
            nanos: 0,
        }),
        ..Default::default()
    }
}

pub(crate) async fn decide(
    storm: &mut Storm,
    (subject, role, scope): (&str, Role, &str),
    parent: &str,
    suspension: pb::WeatherSuspension,
) -> Answer<pb::WeatherSuspension> {
    let request = pb::DecideWeatherSuspensionRequest {
        parent: parent.to_owned(),
        weather_suspension: Some(suspension),
        request_id: String::new(),
    };
    let request = storm.world.by(subject, role, scope, request);
    let answer = storm.client.decide_weather_suspension(request).await?;
    Ok(answer.into_inner())
}

pub(crate) async fn lift(
    storm: &mut Storm,
    (subject, role, scope): (&str, Role, &str),
    name: &str,
) -> Answer<pb::WeatherSuspension> {
    let request = pb::LiftWeatherSuspensionRequest {
        name: name.to_owned(),
        reason: "风雨减弱".to_owned(),
        request_id: String::new(),
    };
    let request = storm.world.by(subject, role, scope, request);
    Ok(storm
        .client
        .lift_weather_suspension(request)
        .await?
        .into_inner())
}

pub(crate) const HEAD: (&str, Role, &str) = ("principal", Role::Principal, SCHOOL_PATH);
const DISTRICT: (&str, Role, &str) = ("district", Role::DistrictOfficer, "fz/350102");
pub(crate) const CITY_OFFICER: (&str, Role, &str) = ("city", Role::CityOfficer, "fz");

async fn a_school_acts_first_and_a_higher_decision_stays(mut storm: Storm) {
    storm
        .ingest(&alert(1, "Orange", "350100"))
        .await
        .expect("taken");
    let schools = decided(&[Cover::Schools, Cover::Buses]);
    let own = decide(&mut storm, HEAD, SCHOOL, schools.clone())
        .await
        .expect("decided");
    assert_eq!(
        (own.authority(), own.state()),
        (Authority::School, Stands::InForce)
    );
    assert_eq!(storm.state(SCHOOL_PATH).await.state(), State::Suspended);
    assert_eq!(storm.state(SISTER_PATH).await.state(), State::Alerted);
    // The bureau sees it at once: the decision is the report.
    let list = storm.district(pb::ListWeatherSuspensionsRequest {
        parent: BUREAU.to_owned(),
        ..Default::default()
    });
    let list = storm
        .client
        .list_weather_suspensions(list)
        .await
        .expect("a list");
    assert_eq!(list.into_inner().weather_suspensions.len(), 1);
    let city = decide(&mut storm, CITY_OFFICER, CITY, schools)
        .await
        .expect("decided");
    assert_eq!(city.authority(), Authority::City);
    assert_eq!(
        storm.state(TRAINING_PATH).await.state(),
        State::Alerted,
        "not covered"
    );
    for (who, authority) in [(HEAD, "school"), (DISTRICT, "district")] {
        let refused = lift(&mut storm, who, &city.name)
            .await
            .expect_err(authority);
        let (code, reason, zh) = told(&refused);
        assert_eq!(
            (code, &*reason),
            (Code::FailedPrecondition, "WEATHER_HIGHER_AUTHORITY")
        );
        assert_eq!(zh, "该停课由上级（CITY）决定，只能由其解除");
    }
    let lifted = lift(&mut storm, DISTRICT, &own.name)
        .await
        .expect("a higher one may");
    assert_eq!(lifted.state(), Stands::Lifted);
    assert_eq!(
        storm.state(SCHOOL_PATH).await.state(),
        State::Suspended,
        "by the city"
    );
    let refused = lift(&mut storm, HEAD, &own.name).await.expect_err("again");
    let (_, reason, zh) = told(&refused);
    assert_eq!(reason, "WEATHER_SUSPENSION_STATE");
    assert_eq!(zh, "停课决定当前状态为 LIFTED，不能进行该操作");
    lift(&mut storm, CITY_OFFICER, &city.name)
        .await
        .expect("lifted");
    assert_eq!(storm.state(SCHOOL_PATH).await.state(), State::Lifted);
}

async fn nobody_is_suspended_without_a_warning(mut storm: Storm) {
    let schools = decided(&[Cover::Schools]);
    let refused = decide(&mut storm, HEAD, SCHOOL, schools.clone())
        .await
        .expect_err("none");
    let (_, reason, zh) = told(&refused);
    assert_eq!(reason, "WEATHER_STATE");
    assert_eq!(zh, "该单位当前的天气应对状态为 NONE，不能进行该操作");
    let refused = decide(&mut storm, CITY_OFFICER, CITY, schools)
        .await
        .expect_err("none");
    let (_, reason, zh) = told(&refused);
    assert_eq!(reason, "WEATHER_NOBODY_WARNED");
    assert_eq!(zh, "该范围内没有单位处于预警中，不能作出停课决定");
    let list = storm.city(pb::ListWeatherSuspensionsRequest {
        parent: CITY.to_owned(),
        ..Default::default()
    });
    let list = storm
        .client
        .list_weather_suspensions(list)
        .await
        .expect("a list");
    assert!(
        list.into_inner().weather_suspensions.is_empty(),
        "nothing is kept"
    );
}

async fn a_suspension_begins_and_ends_on_its_days(mut storm: Storm) {
    storm
        .ingest(&alert(1, "Orange", "350100"))
        .await
        .expect("taken");
    let tomorrow = Some(proto::Date {
        year: 2022,
        month: 4,
        day: 7,
    });
    let planned = pb::WeatherSuspension {
        start_date: tomorrow,
        end_date: tomorrow,
        ..decided(&[Cover::Schools])
    };
    let planned = decide(&mut storm, DISTRICT, BUREAU, planned)
        .await
        .expect("decided");
    assert_eq!(
        (planned.state(), planned.end_date),
        (Stands::Scheduled, tomorrow)
    );
    assert_eq!(storm.state(SCHOOL_PATH).await.state(), State::Alerted);
    storm.world.clock.advance(TimeDelta::hours(16));
    storm.until(SCHOOL_PATH, State::Suspended).await;
    assert_eq!(
        storm.state(OTHER_PATH).await.state(),
        State::Alerted,
        "another district"
    );
    storm.world.clock.advance(TimeDelta::hours(24));
    storm.until(SCHOOL_PATH, State::Lifted).await;
    let request = storm.principal(
        SCHOOL_PATH,
        pb::GetWeatherSuspensionRequest { name: planned.name },
    );
    let ended = storm
        .client
        .get_weather_suspension(request)
        .await
        .expect("seen from below");
    let moves: Vec<_> = ended
        .get_ref()
        .history
        .iter()
        .map(|one| &*one.to_state)
        .collect();
    assert_eq!(moves, ["LIFTED", "IN_FORCE", "SCHEDULED"]);
}

async fn what_does_not_fit_is_named(mut storm: Storm) {
    storm
        .ingest(&alert(1, "Orange", "350100"))
        .await
        .expect("taken");
    let wrong = pb::WeatherSuspension {
        start_date: Some(proto::Date {
            year: 2022,
            month: 4,
            day: 5,
        }),
        guardians_told_time: None,
        ..decided(&[Cover::Training])
    };
    let refused = decide(&mut storm, HEAD, SCHOOL, wrong)
        .await
        .expect_err("wrong");
    let details = refused.get_error_details();
    let fields: Vec<_> = details
        .bad_request()
        .expect("fields")
        .field_violations
        .iter()
        .map(|one| {
            one.field
                .trim_start_matches("weather_suspension.")
                .to_owned()
        })
        .collect();
    assert_eq!(fields, ["start_date", "guardians_told_time", "covers"]);
    let head = ("head", Role::Principal, TRAINING_PATH);
    let training = decided(&[Cover::Training]);
    decide(&mut storm, head, TRAINING, training)
        .await
        .expect("decided");
    assert_eq!(storm.state(TRAINING_PATH).await.state(), State::Suspended);
}

/// A suspension in force holds for its area, whenever a school in it is warned.
async fn whoever_is_warned_later_is_suspended_too(mut storm: Storm) {
    storm
        .ingest(&alert(1, "Orange", "350102"))
        .await
        .expect("taken");
    let city = decide(&mut storm, CITY_OFFICER, CITY, decided(&[Cover::Schools])).await;
    let city = city.expect("decided");
    assert_eq!(storm.state(SCHOOL_PATH).await.state(), State::Suspended);
    assert_eq!(storm.state(OTHER_PATH).await.state(), State::None);
    // The sister school goes its own way within it, by a later decision of its own.
    let sister = ("head", Role::Principal, SISTER_PATH);
    let own = pb::WeatherSuspension {
        teaching: Teaching::Suspended.into(),
        ..decided(&[Cover::Schools])
    };
    let own = decide(&mut storm, sister, SISTER, own)
        .await
        .expect("decided");

    // The warning widens.
    let wider = document(&Cap {
        number: 2,
        kind: "Update",
        refers: Some(1),
        colour: "Orange",
        division: "350100",
    });
    storm.ingest(&wider).await.expect("taken");
    let other = storm.state(OTHER_PATH).await;
    assert_eq!(other.state(), State::Suspended);
    assert_eq!(other.suspensions, [&*city.name]);
    assert_eq!(storm.state(TRAINING_PATH).await.state(), State::Alerted);
    let kept = storm.state(SISTER_PATH).await;
    let held: BTreeSet<&str> = kept.suspensions.iter().map(|name| &**name).collect();
    assert_eq!(held, BTreeSet::from([&*city.name, &*own.name]));
    assert_eq!(kept.teaching(), Teaching::Suspended);

    // A school opens where the warning holds.
    let path = "fz/350103/2135010009";
    let opened = tree::place(
        "2135010009",
        path,
        proto::roster::organization::Kind::School,
        ("台屿新校", "350103"),
    );
    roster(&storm.world.db, &[opened], 2).await;
    storm.until(path, State::Suspended).await;
    storm.until_told(&[OTHER_PATH, path]).await;
    let heard = storm.heard();
    for id in ["2135010002", "2135010009"] {
        let call = (format!("organizations/{id}"), TeachingMode::Online);
        assert!(heard.contains(&call), "{heard:?}");
    }

    lift(&mut storm, CITY_OFFICER, &city.name)
        .await
        .expect("lifted");
    for reached in [SCHOOL_PATH, OTHER_PATH, path] {
        assert_eq!(storm.state(reached).await.state(), State::Lifted);
    }
    assert_eq!(storm.state(SISTER_PATH).await.state(), State::Suspended);
}

async fn a_repeat_has_one_effect(mut storm: Storm) {
    storm
        .ingest(&alert(1, "Orange", "350100"))
        .await
        .expect("taken");
    let mut request = pb::DecideWeatherSuspensionRequest {
        parent: SCHOOL.to_owned(),
        weather_suspension: Some(decided(&[Cover::Schools])),
        request_id: Uuid::from_u128(1 << 70).to_string(),
    };
    let mut answers = Vec::new();
    for _ in 0..2 {
        let ask = storm.principal(SCHOOL_PATH, request.clone());
        let answer = storm
            .client
            .decide_weather_suspension(ask)
            .await
            .expect("decided");
        answers.push(answer.into_inner());
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(storm.state(SCHOOL_PATH).await.suspensions.len(), 1);
    request.parent = "organizations/2135010001".to_owned();
    if let Some(suspension) = &mut request.weather_suspension {
        suspension.reason = "另一个理由".to_owned();
    }
    let ask = storm.principal(SCHOOL_PATH, request);
    let refused = storm
        .client
        .decide_weather_suspension(ask)
        .await
        .expect_err("reused");
    assert_eq!(told(&refused).1, "REQUEST_ID_REUSED");
    storm
        .ingest(&later(2, "Cancel", 1, ""))
        .await
        .expect("taken");
    assert_eq!(
        storm.state(SCHOOL_PATH).await.state(),
        State::Suspended,
        "the decision stands"
    );
}
