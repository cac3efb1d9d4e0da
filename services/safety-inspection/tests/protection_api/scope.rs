//! A sibling school and another district learn and change nothing.

use kit::auth::Role;
use proto::safety as pb;
use proto::safety::supply_movement::Kind;
use tonic::{Request, Status};
use uuid::Uuid;

use crate::city::on_both;
use crate::city::tree::{OTHER_BUREAU_PATH, SISTER_PATH};
use crate::city::world::{World, told};
use crate::city::{OTHER_PATH, SCHOOL, SCHOOL_PATH};
use crate::desk::{Desk, day, issue, masks, three};

on_both!(nobody_elsewhere_reads_or_acts, roles_do_their_own_part_only);

fn denied<T>(answer: Result<T, Status>, what: &str) {
    let Err(status) = answer else {
        panic!("{what} was allowed")
    };
    assert_eq!(told(&status).1, "SCOPE_DENIED", "{what}");
}

macro_rules! all_denied {
    ($client:expr, $who:expr, $($method:ident($message:expr)),+ $(,)?) => {
        $(denied($client.$method($who.ask($message)).await, stringify!($method));)+
    };
}

struct Elsewhere<'a>(&'a World, Role, &'a str);

impl Elsewhere<'_> {
    fn ask<T>(&self, message: T) -> Request<T> {
        self.0.by("staff/elsewhere", self.1, self.2, message)
    }
}

async fn nobody_elsewhere_reads_or_acts(world: World) {
    let mut desk = Desk::open(world).await;
    let at = (SCHOOL, SCHOOL_PATH);
    desk.declare(at, three()).await.expect("declared");
    desk.enter(at, masks(Kind::Receipt, 5000, day(2023, 1, 1)))
        .await
        .expect("entered");
    let parent = || SCHOOL.to_owned();
    let profile = || format!("{SCHOOL}/protectionProfile");
    let transfer = || format!("{SCHOOL}/supplyTransfers/{}", Uuid::nil());
    let shelter = || format!("{SCHOOL}/shelters/{}", Uuid::nil());
    let room = || format!("{SCHOOL}/isolationRooms/{}", Uuid::nil());
    let places = [
        (Role::SafetyOfficer, SISTER_PATH),
        (Role::Principal, OTHER_PATH),
        (Role::DistrictOfficer, OTHER_BUREAU_PATH),
    ];
    for (role, place) in places {
        let who = Elsewhere(&desk.world, role, place);
        let client = &mut desk.protection;
        all_denied!(
            client,
            who,
            get_protection_profile(pb::GetProtectionProfileRequest { name: profile() }),
            list_protection_profiles(pb::ListProtectionProfilesRequest {
                parent: parent(),
                ..Default::default()
            }),
            declare_protection(pb::DeclareProtectionRequest {
                name: profile(),
                ..Default::default()
            }),
            confirm_protection(pb::ConfirmProtectionRequest {
                name: profile(),
                ..Default::default()
            }),
            return_protection(pb::ReturnProtectionRequest {
                name: profile(),
                ..Default::default()
            }),
            list_protection_versions(pb::ListProtectionVersionsRequest {
                parent: parent(),
                ..Default::default()
            }),
            get_protection_figures(pb::GetProtectionFiguresRequest {
                name: format!("{SCHOOL}/protectionFigures")
            }),
            report_protection_devices(pb::ReportProtectionDevicesRequest {
                parent: parent(),
                ..Default::default()
            }),
            list_protection_devices(pb::ListProtectionDevicesRequest {
                parent: parent(),
                ..Default::default()
            }),
        );
        let client = &mut desk.supply;
        all_denied!(
            client,
            who,
            record_supply_movement(pb::RecordSupplyMovementRequest {
                parent: parent(),
                ..issue(1)
            }),
            list_supply_movements(pb::ListSupplyMovementsRequest {
                parent: parent(),
                ..Default::default()
            }),
            get_supply_stock(pb::GetSupplyStockRequest {
                name: format!("{SCHOOL}/supplyStock")
            }),
            list_supply_alerts(pb::ListSupplyAlertsRequest {
                parent: parent(),
                ..Default::default()
            }),
            preview_supply_transfers(pb::PreviewSupplyTransfersRequest {
                parent: parent(),
                ..Default::default()
            }),
            send_supply_transfer(pb::SendSupplyTransferRequest {
                parent: parent(),
                ..Default::default()
            }),
            receive_supply_transfer(pb::ReceiveSupplyTransferRequest {
                name: transfer(),
                ..Default::default()
            }),
            cancel_supply_transfer(pb::CancelSupplyTransferRequest {
                name: transfer(),
                ..Default::default()
            }),
            get_supply_transfer(pb::GetSupplyTransferRequest { name: transfer() }),
            list_supply_transfers(pb::ListSupplyTransfersRequest {
                parent: parent(),
                ..Default::default()
            }),
        );
        let client = &mut desk.shelter;
        all_denied!(
            client,
            who,
            create_shelter(pb::CreateShelterRequest {
                parent: parent(),
                ..Default::default()
            }),
            preview_shelters(pb::PreviewSheltersRequest {
                parent: parent(),
                ..Default::default()
            }),
            update_shelter(pb::UpdateShelterRequest {
                shelter: Some(pb::Shelter {
                    name: shelter(),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            open_shelter(pb::OpenShelterRequest {
                name: shelter(),
                ..Default::default()
            }),
            report_shelter_occupancy(pb::ReportShelterOccupancyRequest {
                name: shelter(),
                ..Default::default()
            }),
            close_shelter(pb::CloseShelterRequest {
                name: shelter(),
                ..Default::default()
            }),
            retire_shelter(pb::RetireShelterRequest {
                name: shelter(),
                ..Default::default()
            }),
            get_shelter(pb::GetShelterRequest { name: shelter() }),
            list_shelters(pb::ListSheltersRequest {
                parent: parent(),
                ..Default::default()
            }),
            create_isolation_room(pb::CreateIsolationRoomRequest {
                parent: parent(),
                ..Default::default()
            }),
            update_isolation_room(pb::UpdateIsolationRoomRequest {
                isolation_room: Some(pb::IsolationRoom {
                    name: room(),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            retire_isolation_room(pb::RetireIsolationRoomRequest {
                name: room(),
                ..Default::default()
            }),
            get_isolation_room(pb::GetIsolationRoomRequest { name: room() }),
            list_isolation_rooms(pb::ListIsolationRoomsRequest {
                parent: parent(),
                ..Default::default()
            }),
        );
    }
    assert_eq!(desk.profile().await.version, 1);
    assert_eq!(desk.level(at, "mask").await.quantity, 5000);
}

async fn roles_do_their_own_part_only(world: World) {
    let mut desk = Desk::open(world).await;
    let name = format!("{SCHOOL}/protectionProfile");
    let declare = pb::DeclareProtectionRequest {
        name: name.clone(),
        declaration: Some(three()),
        ..Default::default()
    };
    // Who confirms does not declare, and the other way round; a guard and the police read.
    let request = desk.head(declare);
    denied(
        desk.protection.declare_protection(request).await,
        "the head declares",
    );
    let confirm = pb::ConfirmProtectionRequest {
        name: name.clone(),
        version: 1,
        ..Default::default()
    };
    let request = desk.officer(confirm);
    denied(
        desk.protection.confirm_protection(request).await,
        "the officer confirms",
    );
    for role in [Role::Guard, Role::PartnerSystem] {
        let get = pb::GetProtectionProfileRequest { name: name.clone() };
        let request = desk.world.by("staff/reader", role, SCHOOL_PATH, get);
        let read = desk.protection.get_protection_profile(request).await;
        assert_eq!(read.expect("read").into_inner().version, 0);
        let entry = pb::RecordSupplyMovementRequest {
            parent: SCHOOL.to_owned(),
            ..issue(1)
        };
        let request = desk.world.by("staff/reader", role, SCHOOL_PATH, entry);
        denied(
            desk.supply.record_supply_movement(request).await,
            "a reader",
        );
    }
    // Somebody of the city learns that nothing is there; a school does not.
    let get = pb::GetShelterRequest {
        name: format!("{SCHOOL}/shelters/{}", Uuid::nil()),
    };
    let request = desk.bureau("fz", get);
    let status = desk
        .shelter
        .get_shelter(request)
        .await
        .expect_err("nothing");
    assert_eq!(told(&status).1, "NOT_FOUND");
}
