//! A city in a storm: the service, a roster that can be down, and what people do.

use std::sync::atomic::Ordering;
use std::time::Duration;

use kit::auth::Role;
use kit::scratch::Scratch;
use kit::teaching::StandIn;
use proto::roster::SetTeachingModeRequest;
use proto::roster::class_group_roll::TeachingMode;
use proto::safety as pb;
use proto::safety::inspection_plan_service_client::InspectionPlanServiceClient;
use proto::safety::weather_service_client::WeatherServiceClient;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::city::tree::{self, BUREAU_PATH, CITY, CITY_PATH};
use crate::city::world::World;

pub(crate) struct Storm {
    pub(crate) world: World,
    pub(crate) client: WeatherServiceClient<Channel>,
    pub(crate) roster: StandIn,
}

pub(crate) type Answer<T> = Result<T, Status>;

/// Makes each test run on both databases, in a storm of its own.
macro_rules! storms {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::storm::Storm::new(kit::scratch::sqlite()).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let Some(scratch) = kit::scratch::postgres().await else { return };
                super::$test($crate::storm::Storm::new(scratch).await).await;
            })+
        }
    };
}
pub(crate) use storms;

impl Storm {
    pub(crate) async fn new(scratch: Scratch) -> Self {
        let roster = StandIn::default();
        roster.up.store(true, Ordering::SeqCst);
        let address = roster.serve().await.expect("a port");
        let world = World::beside(scratch, &address).await;
        let mut told = tree::tree();
        // Later than the policy of gates alone.
        told.push(tree::enacted("", 3, |policy| {
            policy.effective_date = Some(proto::Date {
                year: 2022,
                month: 4,
                day: 5,
            });
        }));
        crate::city::roster(&world.db, &told, 2).await;
        let client = WeatherServiceClient::new(world.channel.clone());
        Self {
            world,
            client,
            roster,
        }
    }

    pub(crate) fn city<T>(&self, message: T) -> Request<T> {
        self.world
            .by("city-officer", Role::CityOfficer, CITY_PATH, message)
    }

    pub(crate) fn district<T>(&self, message: T) -> Request<T> {
        self.world.by(
            "district-officer",
            Role::DistrictOfficer,
            BUREAU_PATH,
            message,
        )
    }

    pub(crate) fn principal<T>(&self, path: &str, message: T) -> Request<T> {
        self.world.by("principal", Role::Principal, path, message)
    }

    /// A document of the weather service is handed in.
    pub(crate) async fn ingest(&mut self, document: &str) -> Answer<pb::WeatherSignal> {
        let request = pb::IngestWarningRequest {
            document: document.as_bytes().to_vec().into(),
        };
        let request = self
            .world
            .by("met", Role::PartnerSystem, CITY_PATH, request);
        Ok(self.client.ingest_warning(request).await?.into_inner())
    }

    pub(crate) async fn state(&mut self, path: &str) -> pb::WeatherState {
        let request = pb::GetWeatherStateRequest {
            name: format!("{}/weatherState", name(path)),
            date: None,
        };
        let request = self.city(request);
        let state = self.client.get_weather_state(request).await;
        state.expect("a state").into_inner()
    }

    pub(crate) async fn states(&mut self, parent: &str, overdue: bool) -> Vec<pb::WeatherState> {
        let request = self.city(pb::ListWeatherStatesRequest {
            parent: parent.to_owned(),
            overdue,
            ..Default::default()
        });
        let states = self.client.list_weather_states(request).await;
        states.expect("states").into_inner().weather_states
    }

    pub(crate) async fn tasks(&mut self, parent: &str) -> Vec<pb::WeatherTask> {
        let request = self.city(pb::ListWeatherTasksRequest {
            parent: parent.to_owned(),
            page_size: 1000,
            ..Default::default()
        });
        let tasks = self.client.list_weather_tasks(request).await;
        tasks.expect("tasks").into_inner().weather_tasks
    }

    /// Enters a school bus of a campus.
    pub(crate) async fn enter_bus(&mut self, path: &str, place: &str) {
        let bus = pb::InspectionPlace {
            place_kind: pb::PlaceKind::Bus.into(),
            place: place.to_owned(),
            display_name: "校车".to_owned(),
            ..Default::default()
        };
        let request = pb::CreateInspectionPlaceRequest {
            parent: name(path),
            inspection_place: Some(bus),
            request_id: String::new(),
        };
        let request = self.principal(path, request);
        let mut plans = InspectionPlanServiceClient::new(self.world.channel.clone());
        let entered = plans.create_inspection_place(request).await;
        entered.expect("entered");
    }

    /// Typhoon of a level for the whole city.
    pub(crate) async fn declare(&mut self, level: pb::WeatherLevel) -> pb::ResponseLevel {
        let request = self.city(pb::DeclareResponseLevelRequest {
            parent: CITY.to_owned(),
            response_level: Some(typhoon(level)),
            request_id: String::new(),
        });
        let declared = self.client.declare_response_level(request).await;
        declared.expect("declared").into_inner()
    }

    pub(crate) async fn lift_response(&mut self, name: &str) -> Answer<pb::ResponseLevel> {
        let request = self.city(pb::LiftResponseLevelRequest {
            name: name.to_owned(),
            basis: "解除应急响应的通知".to_owned(),
            request_id: String::new(),
        });
        let lifted = self.client.lift_response_level(request).await?;
        Ok(lifted.into_inner())
    }

    /// Sweeps and signs, with the findings given and everything else in order.
    pub(crate) async fn check(&mut self, path: &str, failed: &[&str]) -> Answer<pb::PostCheck> {
        let rules = self.principal(
            path,
            pb::GetWeatherRulesRequest {
                name: format!("{}/weatherRules", name(path)),
            },
        );
        let rules = self.client.get_weather_rules(rules).await?.into_inner();
        let findings = rules.check_items.into_iter().map(|item| {
            let passed = !failed.contains(&&*item.item);
            pb::post_check::Finding {
                passed,
                description: if passed { "" } else { "有隐患" }.to_owned(),
                item: item.item,
                ..Default::default()
            }
        });
        let request = pb::RecordPostCheckRequest {
            name: format!("{}/postCheck", name(path)),
            findings: findings.collect(),
            disinfection: Some(disinfection()),
            request_id: String::new(),
        };
        let request = self
            .world
            .by("safety-officer", Role::SafetyOfficer, path, request);
        Ok(self.client.record_post_check(request).await?.into_inner())
    }

    pub(crate) async fn reopen(&mut self, path: &str) -> Answer<pb::WeatherState> {
        let request = self.principal(
            path,
            pb::ReopenAfterWeatherRequest {
                name: format!("{}/weatherState", name(path)),
                request_id: String::new(),
            },
        );
        Ok(self
            .client
            .reopen_after_weather(request)
            .await?
            .into_inner())
    }

    /// Waits until the register has what was decided for all of `paths`, at most ten seconds.
    pub(crate) async fn until_told(&mut self, paths: &[&str]) {
        for _ in 0..200 {
            let mut told = true;
            for path in paths {
                told &= self.state(path).await.teaching_told;
            }
            if told {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the register never heard of all of {paths:?}");
    }

    /// Waits until an organisation is in a state, at most ten seconds.
    pub(crate) async fn until(&mut self, path: &str, state: pb::weather_state::State) {
        for _ in 0..200 {
            if self.state(path).await.state() == state {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{path} never was {state:?}");
    }

    /// Everything that the register heard, in an order of its own.
    pub(crate) fn heard(&self) -> Vec<(String, TeachingMode)> {
        let heard = self.roster.heard.lock().expect("a lock");
        let mut heard: Vec<_> = heard
            .iter()
            .map(|call: &SetTeachingModeRequest| (call.name.clone(), call.teaching_mode()))
            .collect();
        heard.sort_by(|one, other| {
            one.0
                .cmp(&other.0)
                .then((one.1 as i32).cmp(&(other.1 as i32)))
        });
        heard
    }
}

/// The resource name of the organisation at a place.
pub(crate) fn name(path: &str) -> String {
    format!(
        "organizations/{}",
        path.rsplit('/').next().unwrap_or_default()
    )
}

pub(crate) fn typhoon(level: pb::WeatherLevel) -> pb::ResponseLevel {
    pb::ResponseLevel {
        kind: pb::WeatherKind::Typhoon.into(),
        level: level.into(),
        headquarters: "市防汛抗旱指挥部".to_owned(),
        basis: "防台风应急响应通知第 3 号".to_owned(),
        ..Default::default()
    }
}

pub(crate) fn disinfection() -> pb::post_check::Disinfection {
    pb::post_check::Disinfection {
        places: "教室、食堂、宿舍".to_owned(),
        agent: "含氯消毒剂".to_owned(),
        concentration_mg_per_litre: 500,
        ..Default::default()
    }
}

/// What a document says: its number, what it does, what it refers to, the colour and the division.
pub(crate) struct Cap<'a> {
    pub(crate) number: u32,
    pub(crate) kind: &'a str,
    pub(crate) refers: Option<u32>,
    pub(crate) colour: &'a str,
    pub(crate) division: &'a str,
}

fn sent(number: u32) -> String {
    format!("2022-04-06T{:02}:{:02}:00+08:00", number / 60, number % 60)
}

pub(crate) fn document(cap: &Cap<'_>) -> String {
    let Cap {
        number,
        kind,
        refers,
        colour,
        division,
    } = cap;
    let references = refers.map_or_else(String::new, |other| {
        let sent = sent(other);
        format!("<references>met@example.cn,w{other},{sent}</references>")
    });
    let info = if *kind == "Cancel" {
        String::new()
    } else {
        format!(
            "<info><language>zh-CN</language><category>Met</category><event>台风</event>\
             <urgency>Expected</urgency><severity>Severe</severity><certainty>Likely</certainty>\
             <eventCode><valueName>GB/T 35965.1</valueName><value>11B01</value></eventCode>\
             <expires>2022-04-09T08:00:00+08:00</expires>\
             <headline>某市气象台发布台风预警</headline>\
             <parameter><valueName>ColorCode</valueName><value>{colour}</value></parameter>\
             <area><areaDesc>某地</areaDesc><geocode><valueName>行政区划</valueName>\
             <value>{division}</value></geocode></area></info>"
        )
    };
    let sent = sent(*number);
    format!(
        "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>w{number}</identifier>\
         <sender>met@example.cn</sender><sent>{sent}</sent><status>Actual</status>\
         <msgType>{kind}</msgType><scope>Public</scope>{references}{info}</alert>"
    )
}

/// A first warning of a colour for a division.
pub(crate) fn alert(number: u32, colour: &str, division: &str) -> String {
    document(&Cap {
        number,
        kind: "Alert",
        refers: None,
        colour,
        division,
    })
}

/// A later document of the whole city.
pub(crate) fn later(number: u32, kind: &str, refers: u32, colour: &str) -> String {
    document(&Cap {
        number,
        kind,
        refers: Some(refers),
        colour,
        division: "350100",
    })
}
