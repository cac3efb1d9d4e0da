//! After whatever people and clocks do in whatever order: a snapshot and the watch from the beginning say
//! the same, and the figures are those that a recount finds.

use chrono::{Duration, Timelike};
use kit::auth::Role;
use kit::clock::Clock;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use proto::safety as pb;
use proto::safety::SafetyEvent;
use proto::safety::incident_report::Kind as Report;
use proto::safety::incident_service_client::IncidentServiceClient;
use proto::safety::supply_movement::Kind as Entry;
use proto::safety::weather_service_client::WeatherServiceClient;
use uuid::Uuid;

use crate::book::{Book, check_of};
use crate::changes::noticed;
use crate::city::hazards::{DISTRICT, Desk, OFFICER, control, dismiss, verify};
use crate::city::tree::{BUREAU_PATH, CITY_PATH, OTHER_BUREAU_PATH, SISTER, SISTER_PATH};
use crate::city::world::{World, on_both};
use crate::city::{SCHOOL, SCHOOL_PATH};
use crate::follower::{applied, listen, settled, standing};
use crate::protected::{self, day, issue, masks, no, three, yes};
use crate::storm::{alert, later};
use crate::{ground, recount};

on_both!(snapshot_watch_and_figures_agree_with_what_is);

/// How many tales are told on each database.
const TALES: usize = 3;

/// What somebody does; where it is not allowed, nothing happens.
#[derive(Clone, Debug)]
enum Act {
    Find,
    Verify(usize, bool),
    Control(usize),
    Dismiss(usize),
    Enter,
    Emergency,
    Leave(usize),
    Notice(bool),
    Report(usize),
    FalseAlarm(usize),
    Declare(usize, bool),
    Supply(bool),
    Drill,
    Roster,
    Warn,
    CallOff,
    Wait(i64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => Just(Act::Find),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(one, major)| Act::Verify(one, major)),
        2 => any::<usize>().prop_map(Act::Control),
        1 => any::<usize>().prop_map(Act::Dismiss),
        2 => Just(Act::Enter),
        2 => Just(Act::Emergency),
        2 => any::<usize>().prop_map(Act::Leave),
        3 => any::<bool>().prop_map(Act::Notice),
        2 => any::<usize>().prop_map(Act::Report),
        1 => any::<usize>().prop_map(Act::FalseAlarm),
        2 => (0..2_usize, any::<bool>()).prop_map(|(school, met)| Act::Declare(school, met)),
        2 => any::<bool>().prop_map(Act::Supply),
        1 => Just(Act::Drill),
        1 => Just(Act::Roster),
        1 => Just(Act::Warn),
        1 => Just(Act::CallOff),
        4 => (1..60_i64).prop_map(Act::Wait),
    ];
    prop::collection::vec(act, 20..30)
}

struct Tale {
    desk: Desk,
    book: Book,
    hazards: Vec<String>,
    visits: Vec<String>,
    incidents: Vec<String>,
    warned: Option<u32>,
    documents: u32,
}

impl Tale {
    async fn begin(world: World) -> Self {
        ground::settle(&world).await;
        let book = Book::of(&world).await;
        Self {
            desk: Desk::new(world).await,
            book,
            hazards: Vec::new(),
            visits: Vec::new(),
            incidents: Vec::new(),
            warned: None,
            documents: 0,
        }
    }

    fn world(&self) -> &World {
        &self.desk.world
    }

    async fn act(&mut self, act: &Act) {
        match act {
            Act::Find | Act::Verify(..) | Act::Control(_) | Act::Dismiss(_) => {
                self.act_on_hazard(act).await;
            }
            Act::Enter | Act::Emergency | Act::Leave(_) => self.act_at_gate(act).await,
            Act::Notice(_) | Act::Report(_) | Act::FalseAlarm(_) => {
                self.act_on_incident(act).await;
            }
            Act::Declare(..) | Act::Supply(_) => self.act_on_protection(act).await,
            Act::Drill => {
                ground::archived(self.world(), ground::fire_drill(self.world(), SCHOOL)).await;
            }
            Act::Roster => {
                // One that begins in the past, or on top of another, is refused.
                let mut client = ground::duty(self.world());
                let create = pb::CreateDutyRosterRequest {
                    parent: SCHOOL.to_owned(),
                    duty_roster: Some(ground::two_days()),
                    request_id: ground::id(),
                };
                let create = ground::deputy(self.world(), create);
                if let Ok(drafted) = client.create_duty_roster(create).await {
                    let publish = ground::publish(&drafted.into_inner().name);
                    let publish = ground::head(self.world(), publish);
                    drop(client.publish_duty_roster(publish).await);
                }
            }
            Act::Warn | Act::CallOff => self.act_on_weather(act).await,
            Act::Wait(hours) => self.world().clock.advance(Duration::hours(*hours)),
        }
    }

    async fn act_on_hazard(&mut self, act: &Act) {
        use pb::hazard::Grade;
        let among = self.hazards.clone();
        let chosen = |one: &usize| (!among.is_empty()).then(|| among[one % among.len()].clone());
        match act {
            Act::Find => {
                let place = format!("building-{}", self.hazards.len());
                let found = self.desk.found(&place).await;
                self.hazards.push(found);
            }
            Act::Verify(one, major) => {
                let grade = if *major { Grade::Major } else { Grade::General };
                if let Some(name) = chosen(one) {
                    drop(self.desk.verify(OFFICER, verify(&name, grade)).await);
                }
            }
            Act::Control(one) => {
                if let Some(name) = chosen(one) {
                    drop(self.desk.control(OFFICER, control(&name)).await);
                }
            }
            Act::Dismiss(one) => {
                if let Some(name) = chosen(one) {
                    drop(self.desk.dismiss(DISTRICT, dismiss(&name)).await);
                }
            }
            _ => {}
        }
    }

    async fn act_at_gate(&mut self, act: &Act) {
        match act {
            Act::Enter => {
                let world = &self.desk.world;
                // Nobody comes for two hours at the end of a day.
                let city = chrono::FixedOffset::east_opt(8 * 3600).expect("an offset");
                if world.clock.now().with_timezone(&city).hour() >= 21 {
                    return;
                }
                let wish = pb::Visit {
                    urgent: true,
                    ..Book::wish(world)
                };
                let name = self.book.create(wish).await.expect("asked for").name;
                self.book.confirm(&name).await.expect("confirmed");
                self.book.approve(&name).await.expect("approved");
                let pass = self.book.pass(&name).await.expect("a pass").pass_code;
                self.book.arrive(&pass).await.expect("arrived");
                self.book
                    .check(check_of(&self.desk.world, &name))
                    .await
                    .expect("checked");
                self.visits.push(name);
            }
            Act::Emergency => {
                let visit = self.book.emergency().await.expect("admitted");
                self.visits.push(visit.name);
            }
            Act::Leave(one) if !self.visits.is_empty() => {
                let name = self.visits.remove(one % self.visits.len());
                let visit = self.book.get(&name).await.expect("read");
                let people = visit.entered_companion_count;
                self.book.leave(&name, people).await.expect("left");
            }
            _ => {}
        }
    }

    async fn act_on_incident(&mut self, act: &Act) {
        let mut client = IncidentServiceClient::new(self.world().channel.clone());
        let among = &self.incidents;
        let chosen = |one: &usize| (!among.is_empty()).then(|| among[one % among.len()].clone());
        match act {
            Act::Notice(confidential) => {
                let created = noticed(self.world(), *confidential).await;
                self.incidents.push(created.name);
            }
            Act::Report(one) => {
                let Some(incident) = chosen(one) else { return };
                let request = pb::WriteIncidentReportRequest {
                    incident,
                    report: Some(pb::IncidentReport {
                        kind: Report::First.into(),
                        situation: "已疏散，现场可控".to_owned(),
                        measures: "封闭看台".to_owned(),
                        contact_post: "SAFETY_DEPUTY".to_owned(),
                        ..Default::default()
                    }),
                    request_id: Uuid::new_v4().to_string(),
                    ..Default::default()
                };
                let request = self.world().as_role(Role::Principal, SCHOOL_PATH, request);
                drop(client.write_incident_report(request).await);
            }
            Act::FalseAlarm(one) => {
                let Some(name) = chosen(one) else { return };
                let request = pb::DismissIncidentRequest {
                    name,
                    reason: "经核实为误报".to_owned(),
                    request_id: Uuid::new_v4().to_string(),
                };
                let request = self
                    .world()
                    .by("city-2", Role::CityOfficer, CITY_PATH, request);
                drop(client.dismiss_incident(request).await);
            }
            _ => {}
        }
    }

    async fn act_on_protection(&mut self, act: &Act) {
        let channel = self.world().channel.clone();
        let mut protection =
            pb::protection_service_client::ProtectionServiceClient::new(channel.clone());
        let mut supply = pb::supply_service_client::SupplyServiceClient::new(channel);
        let as_officer = |place: &str, message| {
            let world = &self.desk.world;
            world.by(protected::OFFICER, Role::SafetyOfficer, place, message)
        };
        match act {
            Act::Declare(school, met) => {
                let (organization, place) = [(SCHOOL, SCHOOL_PATH), (SISTER, SISTER_PATH)][*school];
                let statement = if *met {
                    pb::ProtectionStatement {
                        expire_date: Some(day(2022, 4, 12)),
                        ..yes()
                    }
                } else {
                    no()
                };
                let declare = pb::DeclareProtectionRequest {
                    name: format!("{organization}/protectionProfile"),
                    declaration: Some(pb::ProtectionDeclaration {
                        full_time_guards: Some(statement),
                        ..three()
                    }),
                    request_id: Uuid::new_v4().to_string(),
                };
                drop(
                    protection
                        .declare_protection(as_officer(place, declare))
                        .await,
                );
            }
            Act::Supply(more) => {
                let entry = if *more {
                    masks(Entry::Receipt, 5000, day(2023, 1, 1))
                } else {
                    issue(3000)
                };
                let entry = pb::RecordSupplyMovementRequest {
                    parent: SCHOOL.to_owned(),
                    ..entry
                };
                let world = &self.desk.world;
                let entry = world.by(protected::OFFICER, Role::SafetyOfficer, SCHOOL_PATH, entry);
                drop(supply.record_supply_movement(entry).await);
            }
            _ => {}
        }
    }

    async fn act_on_weather(&mut self, act: &Act) {
        let mut client = WeatherServiceClient::new(self.world().channel.clone());
        let document = match (act, self.warned) {
            (Act::Warn, None) => {
                self.documents += 1;
                self.warned = Some(self.documents);
                alert(self.documents, "Orange", "350100")
            }
            (Act::CallOff, Some(number)) => {
                self.documents += 1;
                self.warned = None;
                later(self.documents, "Cancel", number, "")
            }
            _ => return,
        };
        let request = pb::IngestWarningRequest {
            document: document.into_bytes().into(),
        };
        let request = self
            .world()
            .by("met", Role::PartnerSystem, CITY_PATH, request);
        client.ingest_warning(request).await.expect("taken");
    }
}

/// Everything that was told, from the beginning on.
async fn everything(world: &World) -> Vec<SafetyEvent> {
    use kit::db::statement;
    use prost::Message;
    use sea_orm::ConnectionTrait;
    let sql = "SELECT payload FROM feed_log WHERE feed = 'safety' ORDER BY seq";
    let rows = world
        .db
        .read()
        .query_all_raw(statement(world.db.read(), sql, []));
    let rows = rows.await.expect("read");
    let events = rows.iter().map(|row| {
        let payload: Vec<u8> = row.try_get_by_index(0).expect("bytes");
        SafetyEvent::decode(&*payload).expect("an event")
    });
    events.collect()
}

async fn snapshot_watch_and_figures_agree_with_what_is(first: World) {
    let mut runner = TestRunner::deterministic();
    let mut world = Some(first);
    for _ in 0..TALES {
        let postgres = match &world {
            Some(world) => world.db.postgres().is_some(),
            None => return,
        };
        let acts = acts().new_tree(&mut runner).expect("acts").current();
        let mut tale = Tale::begin(world.take().expect("a world")).await;
        for act in &acts {
            tale.act(act).await;
        }
        settled(tale.world()).await;
        let (snapshot, _) = standing(tale.world(), Role::Service, "")
            .await
            .expect("read");
        let log = everything(tale.world()).await;
        assert_eq!(applied(&snapshot), applied(&log), "{acts:?}");
        assert_eq!(listen(tale.world()).await.snapshot.len(), snapshot.len());
        for path in [
            CITY_PATH,
            BUREAU_PATH,
            OTHER_BUREAU_PATH,
            SCHOOL_PATH,
            SISTER_PATH,
        ] {
            recount::holds(tale.world(), path).await;
        }
        let next = if postgres {
            kit::scratch::postgres().await
        } else {
            Some(kit::scratch::sqlite())
        };
        world = match next {
            Some(scratch) => Some(World::new(scratch).await),
            None => None,
        };
    }
}
