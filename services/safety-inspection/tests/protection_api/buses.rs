//! Who has school buses is one answer for drills and declarations, however it is known.

use proto::safety as pb;
use safety_inspection::domain::checklist::item::PlaceKind;
use safety_inspection::domain::inspection::place::Place;
use safety_inspection::store::Store;
use uuid::Uuid;

use crate::city::tree::{SISTER_PATH, employees};
use crate::city::world::World;
use crate::city::{OTHER_PATH, SCHOOL, SCHOOL_PATH, on_both, roster};
use crate::desk::{Desk, day};

on_both!(
    declared_entered_and_driven_buses_are_buses,
    a_campus_with_a_driver_does_not_declare_that_it_has_no_bus,
);

const IDS: [&str; 3] = ["2135010001", "2135010002", "2135010003"];

async fn owners(desk: &Desk) -> Vec<String> {
    let found = Store::bus_owners(desk.world.db.read(), &IDS).await;
    let mut found: Vec<String> = found.expect("read").into_iter().collect();
    found.sort_unstable();
    found
}

async fn declared_entered_and_driven_buses_are_buses(world: World) {
    let mut desk = Desk::open(world).await;
    assert!(owners(&desk).await.is_empty());
    let declared = pb::ProtectionDeclaration {
        school_buses_run: Some(true),
        school_buses: vec![pb::SchoolBus {
            label: "1 号车".to_owned(),
            inspection_date: Some(day(2022, 3, 1)),
            licence_expire_date: Some(day(2022, 12, 31)),
            attendant: true,
        }],
        ..Default::default()
    };
    desk.declare((SCHOOL, SCHOOL_PATH), declared)
        .await
        .expect("declared");
    assert_eq!(owners(&desk).await, IDS[..1]);
    let bus = Place {
        id: Uuid::from_u128(8),
        organization: IDS[1].to_owned(),
        org_path: OTHER_PATH.to_owned(),
        kind: PlaceKind::Bus,
        place: "bus-1".to_owned(),
        display_name: "1 号车".to_owned(),
        opened: chrono::NaiveDate::from_ymd_opt(2022, 4, 1).expect("a day"),
        closed: None,
        location: None,
    };
    let tx = desk.world.db.begin().await.expect("a transaction");
    Store::save_inspection_place(&tx, &bus).await.expect("kept");
    tx.commit().await.expect("committed");
    assert_eq!(owners(&desk).await, IDS[..2]);
    let driver = employees(SISTER_PATH, 3, &[(61, "DRIVER")]);
    roster(&desk.world.db, &[driver], 2).await;
    assert_eq!(owners(&desk).await, IDS);
}

async fn a_campus_with_a_driver_does_not_declare_that_it_has_no_bus(world: World) {
    let mut desk = Desk::open(world).await;
    let none = pb::ProtectionDeclaration {
        school_buses_run: Some(false),
        ..Default::default()
    };
    let profile = desk.declare((SCHOOL, SCHOOL_PATH), none).await;
    let codes = |profile: &pb::ProtectionProfile| -> Vec<i32> {
        let buses = profile.parts.iter();
        let buses = buses.filter(|part| part.kind() == pb::protection_part::Kind::SchoolBuses);
        let found = buses.flat_map(|part| &part.findings);
        found.map(|finding| finding.code).collect()
    };
    assert!(codes(&profile.expect("declared")).is_empty());
    let driver = employees(SCHOOL_PATH, 3, &[(61, "DRIVER")]);
    roster(&desk.world.db, &[driver], 2).await;
    let undeclared = pb::protection_finding::Code::BusesUndeclared;
    assert_eq!(codes(&desk.profile().await), [i32::from(undeclared)]);
}
