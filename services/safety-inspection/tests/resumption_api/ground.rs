//! A city on its way back to school: the service, a roster that can be down, and what people do.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::TimeDelta;
use kit::auth::{Caller, Department, Role};
use kit::clock::Clock;
use kit::field::to_timestamp;
use kit::scratch::Scratch;
use kit::teaching::StandIn;
use proto::roster as roster_pb;
use proto::roster::class_group_roll::TeachingMode;
use proto::safety as pb;
use proto::safety::resumption::{Decision, State};
use proto::safety::resumption_answer::Value;
use proto::safety::resumption_service_client::ResumptionServiceClient;
use proto::safety::shelter_service_client::ShelterServiceClient;
use proto::safety::supply_service_client::SupplyServiceClient;
use safety_inspection::domain::checklist::item::{Item, Kind};
use safety_inspection::domain::checklist::shipped::checklists;
use safety_inspection::domain::drill;
use safety_inspection::store::Store;
use safety_inspection::store::records::Record;
use sha2::{Digest, Sha256};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use uuid::Uuid;

use crate::city::tree::{self, BUREAU_PATH, CITY_PATH};
use crate::city::world::{World, told};
use crate::city::{event, roster};

/// A school of the first district with grade 9 only, and one with grade 12 only.
pub(crate) const JUNIOR_PATH: &str = "fz/350102/2135010004";
pub(crate) const SENIOR_PATH: &str = "fz/350102/2135010005";

pub(crate) type Answer<T> = Result<T, Status>;

/// Makes each test run on both databases, in a city of its own.
macro_rules! cities {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::ground::Ground::new(kit::scratch::sqlite()).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let Some(scratch) = kit::scratch::postgres().await else { return };
                super::$test($crate::ground::Ground::new(scratch).await).await;
            })+
        }
    };
}
pub(crate) use cities;

pub(crate) struct Ground {
    pub(crate) world: World,
    pub(crate) client: ResumptionServiceClient<Channel>,
    pub(crate) roster: StandIn,
}

/// The resource name of the organisation at a place.
pub(crate) fn name(path: &str) -> String {
    format!("organizations/{}", id(path))
}

pub(crate) fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// The resource name of a resumption of the school at a place.
pub(crate) fn resumption(path: &str, position: i32) -> String {
    format!("{}/resumptions/{position}", name(path))
}

pub(crate) fn day(month: i32, day: i32) -> proto::Date {
    proto::Date {
        year: 2022,
        month,
        day,
    }
}

pub(crate) fn request_id() -> String {
    Uuid::new_v4().to_string()
}

/// The items of the checklist that ships.
pub(crate) fn items() -> Vec<Item> {
    let lists = checklists().expect("what ships can be read");
    let list = lists.into_iter().find(|list| list.id.code == "resumption");
    list.expect("the list ships").content.items
}

fn secondary(path: &str, grade: i32, first: u128) -> [roster_pb::RosterEvent; 2] {
    let organization = roster_pb::Organization {
        name: name(path),
        kind: roster_pb::organization::Kind::School.into(),
        display_name: format!("鼓山第{grade}中学"),
        org_path: path.to_owned(),
        division_code: "350102".to_owned(),
        ..Default::default()
    };
    let state = roster_pb::roster_event::State::Organization(organization);
    let group = (format!("g{grade}-01"), grade);
    [
        event(&name(path), path, 2, state),
        tree::group(path, (&group.0, grade), first, 30),
    ]
}

impl Ground {
    pub(crate) async fn new(scratch: Scratch) -> Self {
        let roster_stand_in = StandIn::default();
        roster_stand_in.up.store(true, Ordering::SeqCst);
        let address = roster_stand_in.serve().await.expect("a port");
        let world = World::beside(scratch, &address).await;
        let mut told = tree::tree();
        told.extend(secondary(JUNIOR_PATH, 9, 4000));
        told.extend(secondary(SENIOR_PATH, 12, 5000));
        // Later than the policy of gates alone.
        told.push(tree::enacted("", 3, |policy| {
            policy.effective_date = Some(day(4, 5));
        }));
        roster(&world.db, &told, 2).await;
        Self {
            client: ResumptionServiceClient::new(world.channel.clone()),
            world,
            roster: roster_stand_in,
        }
    }

    pub(crate) fn city<T>(&self, message: T) -> Request<T> {
        self.world
            .by("city-officer", Role::CityOfficer, CITY_PATH, message)
    }

    pub(crate) fn district<T>(&self, message: T) -> Request<T> {
        let role = Role::DistrictOfficer;
        self.world
            .by("district-officer", role, BUREAU_PATH, message)
    }

    pub(crate) fn officer<T>(&self, path: &str, message: T) -> Request<T> {
        let who = format!("safety-{}", id(path));
        self.world.by(&who, Role::SafetyOfficer, path, message)
    }

    pub(crate) fn principal<T>(&self, path: &str, message: T) -> Request<T> {
        let who = format!("principal-{}", id(path));
        self.world.by(&who, Role::Principal, path, message)
    }

    pub(crate) fn education<T>(&self, message: T) -> Request<T> {
        self.world
            .by("education-1", Role::DistrictOfficer, BUREAU_PATH, message)
    }

    pub(crate) fn health<T>(&self, message: T) -> Request<T> {
        self.world
            .by("health-1", Role::DiseaseControl, BUREAU_PATH, message)
    }

    pub(crate) fn market<T>(&self, message: T) -> Request<T> {
        let scope = BUREAU_PATH.parse().expect("a scope");
        let market = Caller {
            department: Some(Department::MarketRegulation),
            ..Caller::new("market-1", vec![Role::PartnerSystem], scope)
        };
        self.world.of(market, message)
    }

    /// Plans a batch of the first district.
    pub(crate) async fn plan(
        &mut self,
        position: i32,
        planned: proto::Date,
    ) -> Answer<pb::ResumptionBatch> {
        let request = self.district(pb::PlanResumptionBatchRequest {
            parent: tree::BUREAU.to_owned(),
            position,
            planned_date: Some(planned),
            request_id: request_id(),
        });
        let planned = self.client.plan_resumption_batch(request).await?;
        Ok(planned.into_inner())
    }

    pub(crate) async fn get(&mut self, path: &str, position: i32) -> pb::Resumption {
        let request = self.city(pb::GetResumptionRequest {
            name: resumption(path, position),
        });
        let found = self.client.get_resumption(request).await;
        found.expect("a resumption").into_inner()
    }

    pub(crate) async fn readiness(&mut self, path: &str, position: i32) -> pb::Readiness {
        let request = self.city(pb::GetReadinessRequest {
            name: format!("{}/readiness", resumption(path, position)),
        });
        let found = self.client.get_readiness(request).await;
        found.expect("a readiness").into_inner()
    }

    /// A school drills, has supplies for long and an isolation room.
    pub(crate) async fn stock(&mut self, path: &str) {
        self.drill(path, 2, drill::State::Archived).await;
        self.supply(path).await;
        self.room(path, true).await;
    }

    /// A full epidemic drill so many days ago, as the wing of drills keeps it.
    pub(crate) async fn drill(&mut self, path: &str, days: i64, state: drill::State) {
        let at = self.world.clock.now() - TimeDelta::days(days);
        let record = Record {
            id: Uuid::new_v4(),
            organization: id(path).to_owned(),
            org_path: path.to_owned(),
            value: drill::Drill {
                state,
                plan: drill::Plan {
                    kind: drill::Type::EpidemicFull,
                    scenario: "全要素疫情应急演练".to_owned(),
                    leader: String::new(),
                    at,
                    storeys: 4,
                    routes: String::new(),
                    riders: Vec::new(),
                },
                signal: Some(drill::Signal {
                    at,
                    by: String::new(),
                    target_seconds: None,
                    policy_version: String::new(),
                }),
                all_out: None,
                groups: Vec::new(),
                ending: drill::Ending::default(),
                review: None,
            },
        };
        let tx = self.world.db.begin().await.expect("a transaction");
        Store::save_drill(&tx, &record).await.expect("kept");
        tx.commit().await.expect("committed");
    }

    /// Supplies of everything that is used up.
    pub(crate) async fn supply(&mut self, path: &str) {
        let mut supply = SupplyServiceClient::new(self.world.channel.clone());
        let catalogue = safety_inspection::domain::supply::item::Catalogue::shipped();
        for item in catalogue
            .items
            .iter()
            .filter(|item| item.daily_use.is_some())
        {
            let request = pb::RecordSupplyMovementRequest {
                parent: name(path),
                item: format!("supplyItems/{}", item.code),
                kind: pb::supply_movement::Kind::Receipt.into(),
                quantity: 100_000,
                lot: Some(pb::SupplyLot {
                    lot: "A1".to_owned(),
                    expire_date: item.expires.then(|| day(12, 31)),
                }),
                request_id: request_id(),
                ..Default::default()
            };
            let request = self.officer(path, request);
            let entered = supply.record_supply_movement(request).await;
            entered.expect("entered");
        }
    }

    /// An isolation room, fit for it or not.
    pub(crate) async fn room(&mut self, path: &str, fit: bool) {
        let mut shelter = ShelterServiceClient::new(self.world.channel.clone());
        let request = pb::CreateIsolationRoomRequest {
            parent: name(path),
            isolation_room: Some(pb::IsolationRoom {
                display_name: "隔离观察室".to_owned(),
                access: "东门旁".to_owned(),
                capacity: 4,
                separate: true,
                ventilated: true,
                near_gate: true,
                own_route: fit,
                own_toilet: true,
                ..Default::default()
            }),
            request_id: request_id(),
        };
        let request = self.officer(path, request);
        shelter
            .create_isolation_room(request)
            .await
            .expect("created");
    }

    /// A good answer with its evidence.
    pub(crate) fn good(&self, path: &str, item: &Item) -> pb::ResumptionAnswer {
        let value = match item.kind {
            Kind::YesNo | Kind::Photo => Value::Good(true),
            Kind::Number | Kind::Days => {
                Value::NumberThousandths(item.minimum.or(item.maximum).unwrap_or_default())
            }
            Kind::Text => Value::Text("已落实".to_owned()),
        };
        pb::ResumptionAnswer {
            item: item.code.clone(),
            value: Some(value),
            photos: vec![self.photo(&format!("{path} {}", item.code))],
            ..Default::default()
        }
    }

    pub(crate) fn photo(&self, of: &str) -> pb::Photo {
        pb::Photo {
            sha256: Sha256::digest(of).to_vec().into(),
            take_time: Some(to_timestamp(self.world.clock.now())),
            ..Default::default()
        }
    }

    pub(crate) async fn start(&mut self, path: &str, position: i32) -> Answer<pb::Resumption> {
        let request = pb::StartSelfCheckRequest {
            name: resumption(path, position),
            request_id: request_id(),
        };
        let request = self.officer(path, request);
        Ok(self.client.start_self_check(request).await?.into_inner())
    }

    pub(crate) async fn answer(
        &mut self,
        (path, position): (&str, i32),
        answers: Vec<pb::ResumptionAnswer>,
    ) -> Answer<pb::Readiness> {
        let request = pb::AnswerResumptionItemsRequest {
            name: resumption(path, position),
            answers,
            request_id: request_id(),
        };
        let request = self.officer(path, request);
        let answered = self.client.answer_resumption_items(request).await?;
        Ok(answered.into_inner())
    }

    /// Answers every item well.
    pub(crate) async fn answer_all(&mut self, path: &str, position: i32) -> pb::Readiness {
        let items = items();
        let answers = items.iter().map(|item| self.good(path, item)).collect();
        let answered = self.answer((path, position), answers).await;
        answered.expect("answered")
    }

    pub(crate) async fn sign(&mut self, path: &str, position: i32) -> Answer<pb::Resumption> {
        let request = pb::SignSelfCheckRequest {
            name: resumption(path, position),
            request_id: request_id(),
        };
        let request = self.principal(path, request);
        Ok(self.client.sign_self_check(request).await?.into_inner())
    }

    pub(crate) async fn apply(&mut self, path: &str, position: i32) -> Answer<pb::Resumption> {
        let request = pb::ApplyForInspectionRequest {
            name: resumption(path, position),
            request_id: request_id(),
        };
        let request = self.officer(path, request);
        Ok(self
            .client
            .apply_for_inspection(request)
            .await?
            .into_inner())
    }

    pub(crate) async fn name_inspectors(
        &mut self,
        path: &str,
        position: i32,
    ) -> Answer<pb::Resumption> {
        let request = self.district(inspectors(path, position));
        let started = self.client.start_joint_inspection(request).await?;
        Ok(started.into_inner())
    }

    /// The three departments sign, the last with a decision of its own.
    pub(crate) async fn inspect(
        &mut self,
        (path, position): (&str, i32),
        last: Decision,
    ) -> Answer<pb::Resumption> {
        let approve = opinion(path, position, Decision::Approve);
        let first = self.education(approve.clone());
        self.client.sign_joint_inspection(first).await?;
        let second = self.health(approve);
        self.client.sign_joint_inspection(second).await?;
        let third = self.market(opinion(path, position, last));
        Ok(self.client.sign_joint_inspection(third).await?.into_inner())
    }

    /// Brings a resumption from where a self-check begins to the joint inspection.
    pub(crate) async fn inspecting(&mut self, path: &str, position: i32) {
        self.start(path, position).await.expect("started");
        self.answer_all(path, position).await;
        self.sign(path, position).await.expect("signed");
        self.apply(path, position).await.expect("applied");
        self.name_inspectors(path, position).await.expect("named");
    }

    /// Brings a resumption from where a self-check begins to its approval.
    pub(crate) async fn approved(&mut self, path: &str, position: i32) {
        self.inspecting(path, position).await;
        let approved = self.inspect((path, position), Decision::Approve).await;
        assert_eq!(approved.expect("approved").state(), State::Approved);
    }

    pub(crate) async fn schedule(
        &mut self,
        (path, position): (&str, i32),
        date: proto::Date,
    ) -> Answer<pb::Resumption> {
        let request = self.district(pb::ScheduleResumptionRequest {
            name: resumption(path, position),
            date: Some(date),
            request_id: request_id(),
        });
        Ok(self.client.schedule_resumption(request).await?.into_inner())
    }

    /// Brings a resumption from where a self-check begins to the days after it, from `date` on.
    pub(crate) async fn back(&mut self, path: &str, position: i32, date: proto::Date) {
        self.approved(path, position).await;
        let scheduled = self.schedule((path, position), date).await;
        scheduled.expect("scheduled");
        self.until(path, position, State::Monitoring).await;
    }

    /// Suspends again as the city.
    pub(crate) async fn suspend(&mut self, request: pb::ReSuspendRequest) -> pb::ReSuspendResponse {
        let request = self.city(request);
        let suspended = self.client.re_suspend(request).await;
        suspended.expect("suspended").into_inner()
    }

    pub(crate) async fn figures(&mut self, parent: &str, position: i32) -> pb::ResumptionFigures {
        let request = self.city(pb::GetResumptionFiguresRequest {
            name: format!("{parent}/resumptionFigures"),
            position,
        });
        let figures = self.client.get_resumption_figures(request).await;
        figures.expect("figures").into_inner()
    }

    pub(crate) async fn standings(&mut self, parent: &str) -> Vec<pb::ResumptionStanding> {
        let request = self.city(pb::ListResumptionStandingsRequest {
            parent: parent.to_owned(),
            ..Default::default()
        });
        let listed = self.client.list_resumption_standings(request).await;
        listed.expect("a ranking").into_inner().resumption_standings
    }

    /// Waits until a resumption is in a state, at most ten seconds.
    pub(crate) async fn until(&mut self, path: &str, position: i32, state: State) {
        for _ in 0..200 {
            if self.get(path, position).await.state() == state {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let is = self.get(path, position).await;
        panic!("{path} never was {state:?}: {is:?}");
    }

    /// Waits until the register has heard so many calls, at most ten seconds.
    pub(crate) async fn until_heard(&mut self, calls: usize) {
        for _ in 0..200 {
            if self.heard().len() >= calls {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the register heard only {:?}", self.heard());
    }

    /// Waits until nobody waits to be looked at, at most ten seconds.
    pub(crate) async fn until_looked_at(&mut self, parent: &str) {
        for _ in 0..200 {
            let standings = self.standings(parent).await;
            if standings.iter().all(|one| one.check_time.is_some()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("somebody was never looked at");
    }

    /// What the register heard, in the order in which it did: whom, which grades, and how.
    pub(crate) fn heard(&self) -> Vec<(String, Vec<i32>, TeachingMode)> {
        let heard = self.roster.heard.lock().expect("a lock");
        let calls = heard.iter();
        calls
            .map(|call| (call.name.clone(), call.grades.clone(), call.teaching_mode()))
            .collect()
    }

    /// What the register heard of one school, in the order in which it did.
    pub(crate) fn heard_of(&self, path: &str) -> Vec<(String, Vec<i32>, TeachingMode)> {
        let school = name(path);
        let mut heard = self.heard();
        heard.retain(|(target, _, _)| {
            *target == school || target.starts_with(&format!("{school}/"))
        });
        heard
    }

    pub(crate) fn set(&self, instant: &str) {
        self.world.clock.set(instant.parse().expect("an instant"));
    }
}

/// One account for each department.
pub(crate) fn inspectors(path: &str, position: i32) -> pb::StartJointInspectionRequest {
    pb::StartJointInspectionRequest {
        name: resumption(path, position),
        education_inspector: "education-1".to_owned(),
        health_inspector: "health-1".to_owned(),
        market_inspector: "market-1".to_owned(),
        request_id: request_id(),
    }
}

pub(crate) fn opinion(
    path: &str,
    position: i32,
    decision: Decision,
) -> pb::SignJointInspectionRequest {
    let items = if decision == Decision::Rectify {
        vec!["r07-gowns".to_owned()]
    } else {
        Vec::new()
    };
    pb::SignJointInspectionRequest {
        name: resumption(path, position),
        decision: decision.into(),
        opinion: "现场核验".to_owned(),
        items,
        request_id: request_id(),
    }
}

/// All of an organisation is suspended for an epidemic.
pub(crate) fn outbreak(parent: &str) -> pb::ReSuspendRequest {
    pb::ReSuspendRequest {
        parent: parent.to_owned(),
        reason: pb::resumption_suspension::Reason::Epidemic.into(),
        explanation: "发现确诊病例".to_owned(),
        request_id: request_id(),
        ..Default::default()
    }
}

/// The call was refused for `reason`, in Chinese; returns the sentence.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Answer<T>, reason: &str) -> String {
    let (code, why, zh) = told(&answer.expect_err(reason));
    assert_eq!((code, &*why), (Code::FailedPrecondition, reason), "{zh}");
    let chinese = zh
        .chars()
        .any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
    assert!(chinese && !zh.contains('{'), "{zh}");
    zh
}

/// The call was refused for an argument.
pub(crate) fn invalid<T: std::fmt::Debug>(answer: Answer<T>, what: &str) {
    let (code, why, _) = told(&answer.expect_err(what));
    assert_eq!(
        (code, &*why),
        (Code::InvalidArgument, "INVALID_FIELD"),
        "{what}"
    );
}

/// The caller may not do this.
pub(crate) fn denied<T: std::fmt::Debug>(answer: Answer<T>, what: &str) {
    let (code, why, _) = told(&answer.expect_err(what));
    assert_eq!(
        (code, &*why),
        (Code::PermissionDenied, "SCOPE_DENIED"),
        "{what}"
    );
}
