//! Who may do what where.

use kit::auth::Role;
use proto::safety as pb;
use proto::safety::weather_suspension::Cover;
use tonic::{Code, Status};

use crate::city::tree::{BUREAU, CITY, SISTER_PATH};
use crate::city::world::told;
use crate::city::{OTHER_PATH, SCHOOL, SCHOOL_PATH};
use crate::decisions::{decide, decided, lift};
use crate::storm::{Storm, alert, later, storms, typhoon};

storms!(
    neighbours_and_other_districts_are_refused,
    each_role_does_its_own,
    warnings_of_one_district_reach_no_other,
    what_does_not_exist_looks_the_same_from_below,
);

fn denied(status: &Status) {
    let (code, reason, zh) = told(status);
    assert_eq!((code, &*reason), (Code::PermissionDenied, "SCOPE_DENIED"));
    assert_eq!(zh, "您无权在此范围内进行该操作");
}

async fn read(
    storm: &mut Storm,
    (role, scope): (Role, &str),
    name: String,
) -> Result<pb::WeatherState, Status> {
    let request = pb::GetWeatherStateRequest { name, date: None };
    let request = storm.world.by("somebody", role, scope, request);
    Ok(storm.client.get_weather_state(request).await?.into_inner())
}

async fn neighbours_and_other_districts_are_refused(mut storm: Storm) {
    storm
        .ingest(&alert(1, "Orange", "350100"))
        .await
        .expect("taken");
    let name = format!("{SCHOOL}/weatherState");
    for (role, scope) in [
        (Role::Principal, SISTER_PATH),
        (Role::Principal, OTHER_PATH),
        (Role::DistrictOfficer, "fz/350103"),
        (Role::Laboratory, ""),
    ] {
        let refused = read(&mut storm, (role, scope), name.clone()).await;
        denied(&refused.expect_err(scope));
    }
    for (role, scope) in [
        (Role::Guard, SCHOOL_PATH),
        (Role::ClassReporter, SCHOOL_PATH),
        (Role::DistrictOfficer, "fz/350102"),
    ] {
        read(&mut storm, (role, scope), name.clone())
            .await
            .expect(scope);
    }
    let other = ("other", Role::DistrictOfficer, "fz/350103");
    let schools = decided(&[Cover::Schools]);
    denied(
        &decide(&mut storm, other, BUREAU, schools.clone())
            .await
            .expect_err("other"),
    );
    let city = ("city", Role::CityOfficer, "fz");
    let own = decide(&mut storm, city, BUREAU, schools)
        .await
        .expect("a higher one may");
    denied(&lift(&mut storm, other, &own.name).await.expect_err("other"));
}

async fn each_role_does_its_own(mut storm: Storm) {
    storm
        .ingest(&alert(1, "Orange", "350100"))
        .await
        .expect("taken");
    let document = pb::IngestWarningRequest {
        document: alert(2, "Red", "350100").into_bytes().into(),
    };
    for role in [Role::Guard, Role::Principal, Role::DistrictOfficer] {
        let request = storm
            .world
            .by("somebody", role, "fz/350102", document.clone());
        denied(
            &storm
                .client
                .ingest_warning(request)
                .await
                .expect_err("not a system"),
        );
    }
    let schools = decided(&[Cover::Schools]);
    for role in [Role::Guard, Role::SafetyOfficer, Role::SchoolDoctor] {
        let who = ("somebody", role, SCHOOL_PATH);
        let refused = decide(&mut storm, who, SCHOOL, schools.clone()).await;
        denied(&refused.expect_err("does not decide"));
    }
    let complete = pb::CompleteWeatherTaskRequest {
        name: format!("{SCHOOL}/weatherTasks/1-duty"),
        note: "已落实".to_owned(),
        ..Default::default()
    };
    let guard = storm
        .world
        .by("guard", Role::Guard, SCHOOL_PATH, complete.clone());
    denied(
        &storm
            .client
            .complete_weather_task(guard)
            .await
            .expect_err("a guard"),
    );
    let mut ask = complete;
    for expected in [Ok(()), Err("WEATHER_TASK_STATE")] {
        let doctor = storm
            .world
            .by("doctor", Role::SchoolDoctor, SCHOOL_PATH, ask.clone());
        let answer = storm.client.complete_weather_task(doctor).await;
        match expected {
            Ok(()) => drop(answer.expect("done")),
            Err(reason) => {
                let refused = answer.expect_err("done before");
                assert_eq!(told(&refused).1, reason);
                assert_eq!(told(&refused).2, "任务当前状态为 DONE，不能进行该操作");
            }
        }
    }
    ask.name = format!("{SCHOOL}/weatherTasks/9-duty");
    let doctor = storm
        .world
        .by("doctor", Role::SchoolDoctor, SCHOOL_PATH, ask);
    let unknown = storm
        .client
        .complete_weather_task(doctor)
        .await
        .expect_err("unknown");
    assert_eq!(told(&unknown).1, "NOT_FOUND");
    let declare = pb::DeclareResponseLevelRequest {
        parent: SCHOOL.to_owned(),
        response_level: Some(typhoon(pb::WeatherLevel::Ii)),
        request_id: String::new(),
    };
    let school = storm.city(declare);
    let refused = storm
        .client
        .declare_response_level(school)
        .await
        .expect_err("a school");
    assert_eq!(told(&refused).1, "INVALID_FIELD");
}

async fn warnings_of_one_district_reach_no_other(mut storm: Storm) {
    let ingest = |storm: &Storm, scope: &str, document: String| {
        let document = document.into_bytes().into();
        let request = pb::IngestWarningRequest { document };
        storm.world.by("met", Role::PartnerSystem, scope, request)
    };
    let request = ingest(&storm, "fz/350103", alert(1, "Orange", "350100"));
    storm.client.ingest_warning(request).await.expect("taken");
    assert_eq!(storm.state(SCHOOL_PATH).await.level, 0);
    assert_eq!(storm.state(OTHER_PATH).await.level(), pb::WeatherLevel::Ii);
    let request = ingest(&storm, "fz/350102", later(2, "Cancel", 1, ""));
    denied(
        &storm
            .client
            .ingest_warning(request)
            .await
            .expect_err("of another"),
    );
    assert_eq!(storm.state(OTHER_PATH).await.level(), pb::WeatherLevel::Ii);
}

async fn what_does_not_exist_looks_the_same_from_below(mut storm: Storm) {
    let nowhere = "organizations/nowhere/weatherState".to_owned();
    let below = (Role::Principal, SCHOOL_PATH);
    denied(
        &read(&mut storm, below, nowhere.clone())
            .await
            .expect_err("nowhere"),
    );
    let city = (Role::CityOfficer, "fz");
    let missing = read(&mut storm, city, nowhere).await.expect_err("nowhere");
    assert_eq!(told(&missing).1, "NOT_FOUND");
    let malformed = read(&mut storm, city, format!("{SCHOOL}/weather")).await;
    assert_eq!(told(&malformed.expect_err("malformed")).1, "INVALID_FIELD");
    let unknown = format!("{CITY}/weatherSuspensions/{}", uuid::Uuid::from_u128(3));
    let officer = ("city", Role::CityOfficer, "fz");
    let missing = lift(&mut storm, officer, &unknown)
        .await
        .expect_err("unknown");
    assert_eq!(told(&missing).1, "NOT_FOUND");
}
