//! A typhoon: from the warning until everybody is taught again, and the school that forgot.

use std::time::Instant;

use anyhow::Context as _;
use chrono::{Duration, SecondsFormat};
use kit::auth::Role;
use kit::clock::shanghai;
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::class_group_service_client::ClassGroupServiceClient;
use proto::roster::{ClassGroup, ListClassGroupsRequest};
use proto::safety::post_check::{Disinfection, Finding};
use proto::safety::weather_service_client::WeatherServiceClient;
use proto::safety::weather_state::State;
use proto::safety::{
    DeclareResponseLevelRequest, GetWeatherRulesRequest, IngestWarningRequest,
    LiftResponseLevelRequest, ListWeatherStatesRequest, ListWeatherTasksRequest,
    RecordPostCheckRequest, ReopenAfterWeatherRequest, ResponseLevel, WeatherKind, WeatherLevel,
    WeatherState,
};

use super::{Campus, Stage};
use crate::city::CITY_ID;
use crate::demo::checks::until;
use crate::demo::screening::DISTRICT;
use crate::house::Door;
use crate::screen::{self, span};

/// What the weather bureau says.
const HEADLINE: &str = "福州市气象台发布台风橙色预警";

impl Stage {
    pub(super) async fn typhoon(&mut self, campus: &Campus) -> anyhow::Result<()> {
        screen::heading("二十二、台风 a typhoon: warned, suspended, swept, taught again");
        let sent = local(self.house.clock().now());
        self.approaches(&sent).await?;
        let response = self.suspended(campus).await?;
        self.put_forward(self.house.clock().now() + Duration::hours(10));
        let request = LiftResponseLevelRequest {
            name: response.name,
            basis: "解除防台风应急响应的通知".to_owned(),
            request_id: String::new(),
        };
        let mut officer = WeatherServiceClient::new(self.officer()?);
        officer.lift_response_level(request).await?;
        self.called_off(&sent).await?;
        self.swept(campus).await
    }

    /// The warning comes in: every campus has its tasks, with an owner.
    async fn approaches(&mut self, sent: &str) -> anyhow::Result<()> {
        let met = self.caller(Role::PartnerSystem, CITY_ID)?;
        let document = self.document(sent).into_bytes().into();
        let request = IngestWarningRequest { document };
        let begun = Instant::now();
        let signal = WeatherServiceClient::new(met)
            .ingest_warning(request)
            .await?;
        let (signal, taken) = (signal.into_inner(), begun.elapsed());
        let mut officer = WeatherServiceClient::new(self.officer()?);
        let (mut tasks, mut owned, mut page_token) = (0, 0, String::new());
        loop {
            let request = ListWeatherTasksRequest {
                parent: format!("organizations/{CITY_ID}"),
                page_size: 1000,
                page_token,
                ..ListWeatherTasksRequest::default()
            };
            let page = officer.list_weather_tasks(request).await?.into_inner();
            tasks += page.weather_tasks.len();
            let owners = page.weather_tasks.iter();
            owned += owners.filter(|task| !task.owner.is_empty()).count();
            if page.next_page_token.is_empty() {
                break;
            }
            page_token = page.next_page_token;
        }
        self.checks.expect(
            signal.level() == WeatherLevel::Ii && tasks > 0 && owned == tasks,
            format!(
                "CAP 1.2 in: {HEADLINE}: {tasks} tasks at all campuses in {}, each with an owner and a deadline",
                span(taken)
            ),
        );
        Ok(())
    }

    /// The headquarters declares level II: all schools stop, and the register has it.
    async fn suspended(&mut self, campus: &Campus) -> anyhow::Result<ResponseLevel> {
        let before = self.in_person(campus).await?;
        let request = DeclareResponseLevelRequest {
            parent: format!("organizations/{CITY_ID}"),
            response_level: Some(ResponseLevel {
                kind: WeatherKind::Typhoon.into(),
                level: WeatherLevel::Ii.into(),
                headquarters: "市防汛抗旱指挥部".to_owned(),
                basis: "防台风应急响应通知第 3 号".to_owned(),
                ..ResponseLevel::default()
            }),
            request_id: String::new(),
        };
        let mut officer = WeatherServiceClient::new(self.officer()?);
        let response = officer.declare_response_level(request).await?.into_inner();
        let (_, taken) = until("the register suspends the school", || async {
            Ok((self.in_person(campus).await? == 0).then_some(()))
        })
        .await?;
        let states = self.states(self.officer()?, CITY_ID, false).await?;
        let all = states.iter().all(|one| one.state() == State::Suspended);
        self.checks.expect(
            all && before > 0,
            format!(
                "level II: all {} campuses suspended at once 全市停课; {before} class groups of {} in the register, {}",
                states.len(),
                campus.called,
                span(taken)
            ),
        );
        Ok(response)
    }

    /// Everybody in the district but one sweeps and begins again; the bureau sees who forgot.
    async fn swept(&mut self, campus: &Campus) -> anyhow::Result<()> {
        let own = format!("{}/weatherState", campus.name);
        let early = self.begin_again(&campus.path, &own).await;
        let states = self
            .states(self.district_officer()?, DISTRICT, false)
            .await?;
        let (asleep, awake): (Vec<_>, Vec<_>) =
            states.into_iter().partition(|state| state.name != own);
        let mut asleep = asleep.into_iter();
        let forgetful = asleep.next().context("the district has one school")?;
        let awake: Vec<WeatherState> = awake.into_iter().chain(asleep).collect();
        for state in &awake {
            let (path, organization) = place_of(state);
            self.sweep(&path, organization).await?;
            self.begin_again(&path, &state.name).await?;
        }
        let (_, taken) = until("the register has the school taught again", || async {
            Ok((self.in_person(campus).await? > 0).then_some(()))
        })
        .await?;
        self.checks.expect(
            early.is_err(),
            format!(
                "nobody is taught before sweep and disinfection: {} campuses of 鼓楼区 did both and began again, {}",
                awake.len(),
                span(taken)
            ),
        );
        self.put_forward(self.house.clock().now() + Duration::hours(25));
        let overdue = self
            .states(self.district_officer()?, DISTRICT, true)
            .await?;
        let names: Vec<&str> = overdue.iter().map(|state| &*state.name).collect();
        self.checks.expect(
            names == [&*forgetful.name],
            "one forgot: a day later the bureau sees it, by name, still suspended 逾期未复查",
        );
        Ok(())
    }

    /// How many class groups of the campus are taught at school, by the register.
    pub(super) async fn in_person(&self, campus: &Campus) -> anyhow::Result<usize> {
        let groups = self.class_groups(campus).await?;
        let taught = |one: &&ClassGroup| one.teaching_mode() == TeachingMode::InPerson;
        Ok(groups.iter().filter(taught).count())
    }

    /// The class groups of the campus, by the register.
    pub(super) async fn class_groups(&self, campus: &Campus) -> anyhow::Result<Vec<ClassGroup>> {
        let request = ListClassGroupsRequest {
            parent: campus.name.clone(),
            page_size: 1000,
            ..ListClassGroupsRequest::default()
        };
        let mut client = ClassGroupServiceClient::new(self.officer()?);
        let groups = client.list_class_groups(request).await?.into_inner();
        Ok(groups.class_groups)
    }

    /// Where the campuses below a bureau stand, or those of them that are late.
    pub(super) async fn states(
        &self,
        officer: Door,
        bureau: &str,
        overdue: bool,
    ) -> anyhow::Result<Vec<WeatherState>> {
        let request = ListWeatherStatesRequest {
            parent: format!("organizations/{bureau}"),
            page_size: 1000,
            overdue,
            ..ListWeatherStatesRequest::default()
        };
        let mut client = WeatherServiceClient::new(officer);
        let states = client.list_weather_states(request).await?;
        Ok(states.into_inner().weather_states)
    }

    pub(super) async fn sweep(&self, path: &str, organization: &str) -> anyhow::Result<()> {
        let mut client = WeatherServiceClient::new(self.caller(Role::SafetyOfficer, path)?);
        let request = GetWeatherRulesRequest {
            name: format!("organizations/{organization}/weatherRules"),
        };
        let rules = client.get_weather_rules(request).await?.into_inner();
        let findings = rules.check_items.into_iter().map(|item| Finding {
            item: item.item,
            passed: true,
            ..Finding::default()
        });
        let request = RecordPostCheckRequest {
            name: format!("organizations/{organization}/postCheck"),
            findings: findings.collect(),
            disinfection: Some(Disinfection {
                places: "教室、食堂、宿舍".to_owned(),
                agent: "含氯消毒剂".to_owned(),
                concentration_mg_per_litre: 500,
                ..Disinfection::default()
            }),
            request_id: String::new(),
        };
        client.record_post_check(request).await?;
        Ok(())
    }

    pub(super) async fn begin_again(&self, path: &str, name: &str) -> anyhow::Result<()> {
        let request = ReopenAfterWeatherRequest {
            name: name.to_owned(),
            request_id: String::new(),
        };
        let mut head = WeatherServiceClient::new(self.caller(Role::Principal, path)?);
        head.reopen_after_weather(request).await?;
        Ok(())
    }

    /// The weather bureau calls its warning off.
    async fn called_off(&self, sent: &str) -> anyhow::Result<()> {
        let now = local(self.house.clock().now());
        let document = format!(
            "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>typhoon-2</identifier>\
             <sender>met@example.cn</sender><sent>{now}</sent><status>Actual</status>\
             <msgType>Cancel</msgType><scope>Public</scope>\
             <references>met@example.cn,typhoon-1,{sent}</references></alert>"
        );
        let document = document.into_bytes().into();
        let mut met = WeatherServiceClient::new(self.caller(Role::PartnerSystem, CITY_ID)?);
        met.ingest_warning(IngestWarningRequest { document })
            .await?;
        Ok(())
    }

    /// The warning of the weather bureau for the whole city.
    fn document(&self, sent: &str) -> String {
        let expires = local(self.house.clock().now() + Duration::days(2));
        format!(
            "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>typhoon-1</identifier>\
             <sender>met@example.cn</sender><sent>{sent}</sent><status>Actual</status>\
             <msgType>Alert</msgType><scope>Public</scope><info><language>zh-CN</language>\
             <category>Met</category><event>台风</event><urgency>Expected</urgency>\
             <severity>Severe</severity><certainty>Likely</certainty><eventCode>\
             <valueName>GB/T 35965.1</valueName><value>11B01</value></eventCode>\
             <expires>{expires}</expires><headline>{HEADLINE}</headline><parameter>\
             <valueName>ColorCode</valueName><value>Orange</value></parameter>\
             <area><areaDesc>福州市</areaDesc><geocode><valueName>行政区划</valueName>\
             <value>350100</value></geocode></area></info></alert>"
        )
    }
}

/// An instant as weather bureaus write it.
fn local(instant: chrono::DateTime<chrono::Utc>) -> String {
    let local = instant.with_timezone(&shanghai());
    local.to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// The place of a campus of the district, and its id.
fn place_of(state: &WeatherState) -> (String, &str) {
    let id = state.name.trim_start_matches("organizations/");
    let id = id.trim_end_matches("/weatherState");
    (format!("{CITY_ID}/{DISTRICT}/{id}"), id)
}
