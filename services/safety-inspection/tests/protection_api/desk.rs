//! Who works with protection and supplies, and what they hand in.

use kit::auth::Role;
use kit::clock::Clock;
use proto::safety as pb;
use proto::safety::protection_service_client::ProtectionServiceClient;
use proto::safety::shelter_service_client::ShelterServiceClient;
use proto::safety::supply_movement::Kind;
use proto::safety::supply_service_client::SupplyServiceClient;
use proto::safety::weather_service_client::WeatherServiceClient;
use tonic::transport::Channel;
use tonic::{Request, Status};
use uuid::Uuid;

use crate::city::world::World;
use crate::city::{SCHOOL, SCHOOL_PATH, roster, tree};

pub(crate) const OFFICER: &str = "staff/officer";
pub(crate) const HEAD: &str = "staff/head";

/// The whole city, and the doors to the three services.
pub(crate) struct Desk {
    pub(crate) world: World,
    pub(crate) protection: ProtectionServiceClient<Channel>,
    pub(crate) supply: SupplyServiceClient<Channel>,
    pub(crate) shelter: ShelterServiceClient<Channel>,
}

impl Desk {
    pub(crate) async fn open(world: World) -> Self {
        roster(&world.db, &tree::tree(), 2).await;
        let channel = world.channel.clone();
        Self {
            protection: ProtectionServiceClient::new(channel.clone()),
            supply: SupplyServiceClient::new(channel.clone()),
            shelter: ShelterServiceClient::new(channel),
            world,
        }
    }

    /// A call of the safety officer of the first school.
    pub(crate) fn officer<T>(&self, message: T) -> Request<T> {
        self.officer_at(SCHOOL_PATH, message)
    }

    pub(crate) fn officer_at<T>(&self, place: &str, message: T) -> Request<T> {
        self.world.by(OFFICER, Role::SafetyOfficer, place, message)
    }

    /// A call of the head of the first school.
    pub(crate) fn head<T>(&self, message: T) -> Request<T> {
        self.world.by(HEAD, Role::Principal, SCHOOL_PATH, message)
    }

    /// A call of an officer of the bureau at a place.
    pub(crate) fn bureau<T>(&self, place: &str, message: T) -> Request<T> {
        let role = if place == tree::CITY_PATH {
            Role::CityOfficer
        } else {
            Role::DistrictOfficer
        };
        self.world.by("staff/bureau", role, place, message)
    }

    /// The bureau of the first district forms a mutual-aid group.
    pub(crate) async fn group(&self, members: [&str; 3]) {
        let request = pb::CreateMutualAidGroupRequest {
            parent: tree::BUREAU.to_owned(),
            mutual_aid_group: Some(pb::MutualAidGroup {
                display_name: "鼓山互助组".to_owned(),
                members: members.map(str::to_owned).to_vec(),
                ..Default::default()
            }),
            request_id: Uuid::new_v4().to_string(),
        };
        let request = self.bureau(tree::BUREAU_PATH, request);
        let mut client = WeatherServiceClient::new(self.world.channel.clone());
        client
            .create_mutual_aid_group(request)
            .await
            .expect("formed");
    }

    pub(crate) fn set(&self, instant: &str) {
        self.world.clock.set(instant.parse().expect("an instant"));
    }

    pub(crate) fn now(&self) -> prost_types::Timestamp {
        kit::field::to_timestamp(self.world.clock.now())
    }

    pub(crate) async fn declare(
        &mut self,
        (organization, place): (&str, &str),
        declaration: pb::ProtectionDeclaration,
    ) -> Result<pb::ProtectionProfile, Status> {
        let request = pb::DeclareProtectionRequest {
            name: format!("{organization}/protectionProfile"),
            declaration: Some(declaration),
            request_id: Uuid::new_v4().to_string(),
        };
        let request = self.officer_at(place, request);
        let answer = self.protection.declare_protection(request).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn profile(&mut self) -> pb::ProtectionProfile {
        let request = pb::GetProtectionProfileRequest {
            name: format!("{SCHOOL}/protectionProfile"),
        };
        let request = self.head(request);
        let answer = self.protection.get_protection_profile(request).await;
        answer.expect("read").into_inner()
    }

    pub(crate) async fn enter(
        &mut self,
        (organization, place): (&str, &str),
        entry: pb::RecordSupplyMovementRequest,
    ) -> Result<pb::RecordSupplyMovementResponse, Status> {
        let request = pb::RecordSupplyMovementRequest {
            parent: organization.to_owned(),
            ..entry
        };
        let request = self.officer_at(place, request);
        let answer = self.supply.record_supply_movement(request).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn stock(&mut self, organization: &str, place: &str) -> pb::SupplyStock {
        let request = pb::GetSupplyStockRequest {
            name: format!("{organization}/supplyStock"),
        };
        let request = self.officer_at(place, request);
        let answer = self.supply.get_supply_stock(request).await;
        answer.expect("read").into_inner()
    }

    /// What there is of one item at a campus.
    pub(crate) async fn level(&mut self, at: (&str, &str), item: &str) -> pb::SupplyLevel {
        let levels = self.stock(at.0, at.1).await.levels;
        let wanted = format!("supplyItems/{item}");
        let found = levels.into_iter().find(|level| level.item == wanted);
        found.expect("an item")
    }

    pub(crate) async fn movements(&mut self, at: (&str, &str)) -> Vec<pb::SupplyMovement> {
        let request = pb::ListSupplyMovementsRequest {
            parent: at.0.to_owned(),
            page_size: 1000,
            ..Default::default()
        };
        let request = self.officer_at(at.1, request);
        let answer = self.supply.list_supply_movements(request).await;
        answer.expect("listed").into_inner().supply_movements
    }
}

pub(crate) fn day(year: i32, month: i32, day: i32) -> proto::Date {
    proto::Date { year, month, day }
}

pub(crate) fn yes() -> pb::ProtectionStatement {
    pb::ProtectionStatement {
        met: true,
        since_date: Some(day(2020, 12, 31)),
        evidence: "验收文号 2020-12".to_owned(),
        expire_date: None,
    }
}

pub(crate) fn no() -> pb::ProtectionStatement {
    pb::ProtectionStatement {
        met: false,
        evidence: String::new(),
        ..yes()
    }
}

/// Yes to all three demands of rule 5.10.
pub(crate) fn three() -> pb::ProtectionDeclaration {
    pb::ProtectionDeclaration {
        full_time_guards: Some(yes()),
        closed_management: Some(yes()),
        one_key_alarm: Some(yes()),
        ..Default::default()
    }
}

/// A lot of masks that may be used until a day.
pub(crate) fn masks(
    kind: Kind,
    quantity: i64,
    expires: proto::Date,
) -> pb::RecordSupplyMovementRequest {
    pb::RecordSupplyMovementRequest {
        item: "supplyItems/mask".to_owned(),
        kind: kind.into(),
        quantity,
        lot: Some(pb::SupplyLot {
            lot: "A1".to_owned(),
            expire_date: Some(expires),
        }),
        note: "防疫储备".to_owned(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    }
}

/// Masks handed out, of whatever lot.
pub(crate) fn issue(quantity: i64) -> pb::RecordSupplyMovementRequest {
    pb::RecordSupplyMovementRequest {
        lot: None,
        ..masks(Kind::Issue, quantity, day(2023, 1, 1))
    }
}
