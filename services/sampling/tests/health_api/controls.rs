//! Controls that are decided outside of the schools: placed, lifted, over (rules 1.24, 2.21).

use chrono::Duration;
use kit::auth::Role;
use kit::field::to_date;
use proto::sampling::clearance::Control;
use proto::sampling::control_measure::{Setting, State};
use proto::sampling::control_service_client::ControlServiceClient;
use proto::sampling::{
    ControlMeasure, GetControlMeasureRequest, LiftControlRequest, ListControlMeasuresRequest,
    PlaceControlsRequest,
};
use tonic::{Code, Status};

use super::cases::{of_person, open};
use super::clinic::{Clinic, denied};
use super::contacts::{add, contact};
use super::site::refused;
use super::town::{
    Authorised, CITY, DISTRICT, OTHER_SCHOOL, SCHOOL, on_both_databases, reason, school_path,
    student,
};

on_both_databases!(
    a_region_is_restricted_until_somebody_lifts_it,
    an_isolation_ends_with_its_day,
    the_strongest_of_all_controls_counts,
    a_new_decision_stands_in_place_of_the_one_before,
    what_cannot_be_placed_is_refused,
);

fn above(clinic: &Clinic) -> ControlServiceClient<Authorised> {
    let district = format!("{CITY}/{DISTRICT}");
    ControlServiceClient::new(clinic.at(Role::DiseaseControl, &district))
}

fn request(numbers: &[u32], control: Control) -> PlaceControlsRequest {
    PlaceControlsRequest {
        people: numbers.iter().copied().map(student).collect(),
        control: control.into(),
        basis_document: "鼓疫指〔2022〕15号".to_owned(),
        reason: "居住小区划为封控区".to_owned(),
        request_id: uuid::Uuid::new_v4().to_string(),
        ..Default::default()
    }
}

/// The same until the day so many days from today.
fn until(clinic: &Clinic, days: i64, request: PlaceControlsRequest) -> PlaceControlsRequest {
    let last = clinic.0.0.today() + Duration::days(days);
    PlaceControlsRequest {
        end_date: Some(to_date(last)),
        ..request
    }
}

async fn place(
    clinic: &Clinic,
    request: PlaceControlsRequest,
) -> Result<Vec<ControlMeasure>, Status> {
    let placed = above(clinic).place_controls(request).await?;
    Ok(placed.into_inner().control_measures)
}

async fn lift(clinic: &Clinic, name: &str) -> Result<ControlMeasure, Status> {
    let request = LiftControlRequest {
        name: name.to_owned(),
        reason: "封控区解除".to_owned(),
        ..Default::default()
    };
    Ok(above(clinic).lift_control(request).await?.into_inner())
}

async fn get(clinic: &Clinic, name: &str) -> ControlMeasure {
    let request = GetControlMeasureRequest {
        name: name.to_owned(),
    };
    let found = above(clinic).get_control_measure(request).await;
    found.expect("a control").into_inner()
}

async fn a_region_is_restricted_until_somebody_lifts_it(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    let order = request(&[1, 2], Control::RegionRestricted);
    let placed = place(&clinic, order.clone()).await.expect("placed");
    let again = place(&clinic, order).await.expect("a repeat");
    assert_eq!(again, placed);
    let one = &placed[0];
    assert_eq!(
        (one.person.as_str(), one.state(), one.control()),
        (&*student(1), State::Placed, Control::RegionRestricted)
    );
    assert_eq!(
        (one.end_date, one.start_date),
        (None, Some(clinic.0.0.date()))
    );
    assert_eq!(one.placed_by, "tester");
    let told = clinic.told(1, |told| told.is_some()).await;
    let told = told.expect("kept out");
    assert_eq!(
        (told.control(), told.basis, told.rule.as_str()),
        (Control::RegionRestricted, one.name.clone(), "2.21")
    );

    let list = ListControlMeasuresRequest {
        organization: format!("organizations/{SCHOOL}"),
        state: State::Placed.into(),
        page_size: 1,
        ..Default::default()
    };
    let mut doctor = ControlServiceClient::new(clinic.at(Role::SchoolDoctor, &school_path(SCHOOL)));
    let page = doctor.list_control_measures(list).await.expect("a page");
    let page = page.into_inner();
    assert_eq!(page.control_measures.len(), 1);
    assert!(!page.next_page_token.is_empty(), "there is another one");

    let lifted = lift(&clinic, &one.name).await.expect("lifted");
    assert_eq!(
        (lifted.state(), lifted.end_reason.as_str()),
        (State::Lifted, "封控区解除")
    );
    clinic.told(1, |told| told.is_none()).await;
    assert_eq!(clinic.0.not_clear().await, 1, "the other one stays");
    let twice = lift(&clinic, &one.name).await.expect_err("is lifted");
    assert_eq!(reason(&twice), refused("CONTROL_STATE"));
    assert_eq!(get(&clinic, &one.name).await, lifted);
}

async fn an_isolation_ends_with_its_day(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    let order = PlaceControlsRequest {
        setting: Setting::Centralized.into(),
        ..until(&clinic, 2, request(&[1], Control::Isolated))
    };
    let placed = place(&clinic, order).await.expect("placed");
    let begin = kit::clock::start_of(clinic.0.0.today());
    clinic
        .0
        .0
        .clock
        .set(begin + Duration::days(3) - Duration::milliseconds(1));
    assert_eq!(clinic.0.not_clear().await, 1, "to the end of the civil day");
    clinic.0.0.clock.set(begin + Duration::days(3));
    clinic.told(1, |told| told.is_none()).await;
    let ended = get(&clinic, &placed[0].name).await;
    assert_eq!((ended.state(), ended.ended_by.as_str()), (State::Ended, ""));
    assert!(ended.end_time.is_some());
    let late = lift(&clinic, &ended.name).await.expect_err("is over");
    assert_eq!(reason(&late), refused("CONTROL_STATE"));
}

async fn the_strongest_of_all_controls_counts(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    let case = open(&clinic.0, of_person(9, proto::roster::Disease::Covid19)).await;
    add(&clinic.0, &case.name, vec![contact(&clinic.0, 1)])
        .await
        .expect("a contact");
    let monitoring = until(&clinic, 14, request(&[1], Control::HealthMonitoring));
    place(&clinic, monitoring).await.expect("placed");
    let is = |control: Control| {
        move |told: Option<&proto::sampling::Clearance>| {
            told.is_some_and(|told| told.control() == control)
        }
    };
    clinic.told(1, is(Control::CloseContact)).await;
    let order = PlaceControlsRequest {
        setting: Setting::Home.into(),
        ..until(&clinic, 7, request(&[1], Control::Isolated))
    };
    let isolated = place(&clinic, order).await.expect("placed").remove(0);
    clinic.told(1, is(Control::Isolated)).await;
    lift(&clinic, &isolated.name).await.expect("lifted");
    let told = clinic.told(1, is(Control::CloseContact)).await;
    assert_eq!(told.expect("kept out").basis, case.name);
}

async fn a_new_decision_stands_in_place_of_the_one_before(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    let region = request(&[1], Control::RegionRestricted);
    let first = place(&clinic, region).await.expect("placed").remove(0);
    let longer = until(&clinic, 5, request(&[1], Control::RegionRestricted));
    let second = place(&clinic, longer).await.expect("placed").remove(0);
    let before = get(&clinic, &first.name).await;
    assert_eq!(
        (before.state(), before.end_reason),
        (State::Replaced, second.name.clone())
    );
    let begin = kit::clock::start_of(clinic.0.0.today());
    clinic.0.0.clock.set(begin + Duration::days(6));
    clinic.told(1, |told| told.is_none()).await;
    assert_eq!(get(&clinic, &second.name).await.state(), State::Ended);
}

async fn what_cannot_be_placed_is_refused(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    let region = || request(&[1], Control::RegionRestricted);
    let yesterday = to_date(clinic.0.0.today() - Duration::days(1));
    let tomorrow = to_date(clinic.0.0.today() + Duration::days(1));
    let wrong = [
        request(&[], Control::RegionRestricted),
        request(&[1, 1], Control::RegionRestricted),
        request(&[1], Control::Free),
        request(&[1], Control::PoolHold),
        request(&[1], Control::Unspecified),
        request(&[1], Control::CloseContact),
        until(&clinic, 3, request(&[1], Control::Isolated)),
        until(&clinic, 61, region()),
        PlaceControlsRequest {
            end_date: Some(yesterday),
            ..region()
        },
        PlaceControlsRequest {
            start_date: Some(tomorrow),
            ..region()
        },
        PlaceControlsRequest {
            basis_document: String::new(),
            ..region()
        },
        PlaceControlsRequest {
            reason: "联系 13800138000".to_owned(),
            ..region()
        },
    ];
    for (number, order) in wrong.into_iter().enumerate() {
        let refused = place(&clinic, order).await.expect_err("is refused");
        let invalid = (Code::InvalidArgument, "INVALID_FIELD".to_owned());
        assert_eq!(reason(&refused), invalid, "{number}");
    }
    assert_eq!(clinic.0.not_clear().await, 0, "nothing was placed");
    for (role, scope) in [
        (Role::SchoolDoctor, school_path(SCHOOL)),
        (Role::Principal, school_path(SCHOOL)),
        (Role::DiseaseControl, format!("{CITY}/350103")),
        (Role::DistrictOfficer, school_path(OTHER_SCHOOL)),
    ] {
        let mut client = ControlServiceClient::new(clinic.at(role, &scope));
        let answer = client.place_controls(region()).await;
        assert_eq!(reason(&answer.expect_err("not theirs")), denied());
    }
    let mut city = ControlServiceClient::new(clinic.at(Role::CityOfficer, CITY));
    let answer = city.place_controls(request(&[1, 999], Control::RegionRestricted));
    let missing = answer.await.expect_err("nobody has this number");
    assert_eq!(missing.code(), Code::PermissionDenied);
    let none = lift(
        &clinic,
        &format!("controlMeasures/{}", uuid::Uuid::new_v4()),
    )
    .await;
    assert_eq!(reason(&none.expect_err("none")), denied());
    assert_eq!(clinic.0.not_clear().await, 0, "all or none");
}
