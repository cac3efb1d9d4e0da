//! What a storm asks of a city, in as few words as a test wants.

use kit::auth::Role;
use proto::roster::class_group_service_client::ClassGroupServiceClient;
use proto::roster::{ClassGroup, ListClassGroupsRequest, class_group_roll::TeachingMode};
use proto::safety::post_check::{Disinfection, Finding};
use proto::safety::weather_service_client::WeatherServiceClient;
use proto::safety::{
    GetWeatherRulesRequest, GetWeatherStateRequest, IngestWarningRequest, ListWeatherStatesRequest,
    ListWeatherTasksRequest, PostCheck, WeatherSignal, WeatherState, WeatherTask,
};
use tests::city::Door;
use tests::every;
use tests::town::{CITY, LAST};
use tonic::Status;

use super::people::{call, once};
use crate::region::{KNOWN, Place, Region};

/// A document of the weather bureau at a minute after 08:00 on 6 April, about the whole city: an Alert, or
/// the Cancel of one.
pub(crate) fn document((identifier, minute): (&str, u32), cancels: Option<(&str, u32)>) -> Vec<u8> {
    let sent = |minute: u32| format!("2022-04-06T08:{minute:02}:00+08:00");
    let (kind, references, info) = match cancels {
        Some((other, earlier)) => {
            let references = format!("met@example.cn,{other},{}", sent(earlier));
            let references = format!("<references>{references}</references>");
            ("Cancel", references, "")
        }
        None => ("Alert", String::new(), INFO),
    };
    format!(
        "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>{identifier}</identifier>\
         <sender>met@example.cn</sender><sent>{}</sent><status>Actual</status>\
         <msgType>{kind}</msgType><scope>Public</scope>{references}{info}</alert>",
        sent(minute)
    )
    .into_bytes()
}

/// Typhoon, orange, for the city and everything below it.
const INFO: &str = "<info><language>zh-CN</language><category>Met</category><event>台风</event>\
     <urgency>Expected</urgency><severity>Severe</severity><certainty>Likely</certainty>\
     <eventCode><valueName>GB/T 35965.1</valueName><value>11B01</value></eventCode>\
     <expires>2022-04-09T08:00:00+08:00</expires><headline>市气象台发布台风橙色预警</headline>\
     <parameter><valueName>ColorCode</valueName><value>Orange</value></parameter>\
     <area><areaDesc>全市</areaDesc><geocode><valueName>行政区划</valueName>\
     <value>350100</value></geocode></area></info>";

pub(crate) async fn ingest(door: Door, document: Vec<u8>) -> Result<WeatherSignal, Status> {
    let document = document.into();
    let request = IngestWarningRequest { document };
    call!(WeatherServiceClient, door, ingest_warning, request)
}

/// Off-campus bases of the city.
pub(super) fn bases() -> [Place; 2] {
    [LAST, KNOWN].map(|id| (id.to_owned(), format!("{CITY}/{id}")))
}

/// Every campus of the region: schools, and the bases of the city.
pub(super) fn campuses(region: &Region) -> Vec<Place> {
    region.schools().into_iter().chain(bases()).collect()
}

/// Who looks after safety at a campus.
pub(super) fn officer(region: &Region, (_, path): &Place) -> Door {
    region.city.door(Role::SafetyOfficer, path)
}

/// Where a campus stands, as its own safety officer sees it.
pub(super) async fn state(region: &Region, place: &Place) -> WeatherState {
    let request = GetWeatherStateRequest {
        name: format!("organizations/{}/weatherState", place.0),
        date: None,
    };
    let own = officer(region, place);
    let state = call!(WeatherServiceClient, own, get_weather_state, request);
    state.expect("a state")
}

/// The tasks of a campus.
pub(super) async fn tasks(door: Door, organization: &str) -> Result<Vec<WeatherTask>, Status> {
    let request = ListWeatherTasksRequest {
        parent: format!("organizations/{organization}"),
        page_size: 1000,
        ..ListWeatherTasksRequest::default()
    };
    let listed = call!(WeatherServiceClient, door, list_weather_tasks, request);
    Ok(listed?.weather_tasks)
}

/// Who has not swept and disinfected in time, below a bureau.
pub(super) async fn overdue(door: Door, organization: &str) -> Vec<String> {
    let request = ListWeatherStatesRequest {
        parent: format!("organizations/{organization}"),
        overdue: true,
        ..ListWeatherStatesRequest::default()
    };
    let listed = call!(WeatherServiceClient, door, list_weather_states, request);
    let states = listed.expect("states").weather_states;
    states.into_iter().map(|state| state.name).collect()
}

/// Sweeps a campus and signs for its disinfection; everything is in order but for `failed`.
pub(super) async fn sweep(
    region: &Region,
    place: &Place,
    failed: &[&str],
) -> Result<PostCheck, Status> {
    let rules = GetWeatherRulesRequest {
        name: format!("organizations/{}/weatherRules", place.0),
    };
    let own = officer(region, place);
    let rules = call!(WeatherServiceClient, own.clone(), get_weather_rules, rules)?;
    let findings = rules.check_items.into_iter().map(|item| {
        let passed = !failed.contains(&&*item.item);
        Finding {
            passed,
            description: if passed { "" } else { "倾斜开裂" }.to_owned(),
            item: item.item,
            ..Finding::default()
        }
    });
    let disinfection = Disinfection {
        places: "教室、食堂、宿舍".to_owned(),
        agent: "含氯消毒剂".to_owned(),
        concentration_mg_per_litre: 500,
        ..Disinfection::default()
    };
    let request = once!(
        RecordPostCheckRequest,
        format!("organizations/{}/postCheck", place.0),
        findings: findings.collect(),
        disinfection: Some(disinfection)
    );
    call!(WeatherServiceClient, own, record_post_check, request)
}

/// Whoever leads a campus has it taught again.
pub(super) async fn reopen(region: &Region, place: &Place) -> Result<WeatherState, Status> {
    let name = format!("organizations/{}/weatherState", place.0);
    let request = once!(ReopenAfterWeatherRequest, name);
    let leader = region.city.door(Role::Principal, &place.1);
    call!(WeatherServiceClient, leader, reopen_after_weather, request)
}

/// How the class groups of a school are taught by the register, each way once.
pub(super) async fn taught(region: &Region, school: &str) -> Vec<TeachingMode> {
    let client = ClassGroupServiceClient::new(region.officer("clerk"));
    let read = every(|page_token| {
        let request = ListClassGroupsRequest {
            parent: format!("organizations/{school}"),
            page_size: 1000,
            page_token,
            ..ListClassGroupsRequest::default()
        };
        let mut client = client.clone();
        async move {
            let page = client.list_class_groups(request).await?.into_inner();
            let modes = page.class_groups.iter().map(ClassGroup::teaching_mode);
            Ok((modes.collect::<Vec<_>>(), page.next_page_token))
        }
    });
    let mut modes = read.await.expect("class groups");
    modes.sort_unstable();
    modes.dedup();
    modes
}
