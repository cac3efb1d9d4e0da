//! The city at a glance, through one call: what the demonstration has done, as the services count it.

use std::time::Instant;

use kit::auth::Role;
use proto::gateway::overview_service_client::OverviewServiceClient;
use proto::gateway::section::{Kind, State};
use proto::gateway::{
    Figure, GetOverviewRequest, ListOverviewsRequest, Measure, Overview, Section,
};
use proto::notification::ListAlertGroupsRequest;
use proto::notification::alert_service_client::AlertServiceClient;
use proto::safety::GetResumptionFiguresRequest;
use proto::safety::resumption_service_client::ResumptionServiceClient;

use super::Stage;
use super::checks::until;
use super::screening::DISTRICT;
use crate::city::CITY_ID;
use crate::screen::{self, Align, Table, count};

/// What is shown of each section.
const SHOWN: [(Kind, &str, Measure, &str); 22] = [
    (
        Kind::People,
        "名册 people",
        Measure::StudentsEnrolled,
        "在册学生 students",
    ),
    (Kind::People, "", Measure::ClassGroups, "班级 class groups"),
    (
        Kind::Teaching,
        "教学 teaching",
        Measure::ClassGroupsActive,
        "在办班级 class groups",
    ),
    (
        Kind::Teaching,
        "",
        Measure::SchoolsInPerson,
        "全部到校的学校 schools in person",
    ),
    (
        Kind::Sampling,
        "抽检 sampling",
        Measure::PeopleCovered,
        "周期内已检 covered",
    ),
    (
        Kind::Sampling,
        "",
        Measure::SchoolsDrawn,
        "今日已抽学校 schools drawn",
    ),
    (
        Kind::Tubes,
        "采样管 tubes",
        Measure::TubesOpened,
        "今日启用 opened",
    ),
    (Kind::Tubes, "", Measure::Results, "已有结果 results"),
    (
        Kind::Checks,
        "晨午检 checks",
        Measure::SchoolsSilent,
        "未报学校 silent schools",
    ),
    (
        Kind::Health,
        "健康 health",
        Measure::PeopleIll,
        "有症状 ill",
    ),
    (Kind::Health, "", Measure::ClustersOpen, "未结聚集 clusters"),
    (Kind::Health, "", Measure::CasesOpen, "未结病例 cases"),
    (
        Kind::Safety,
        "安全 safety",
        Measure::CampusesSilent,
        "未报校园 silent campuses",
    ),
    (
        Kind::Safety,
        "",
        Measure::HazardsMajor,
        "重大隐患 major hazards",
    ),
    (Kind::Safety, "", Measure::DrillsDone, "演练 drills"),
    (
        Kind::Gates,
        "门岗 gates",
        Measure::GateDecisions,
        "今日核验 decisions",
    ),
    (
        Kind::Resumption,
        "复课 resumption",
        Measure::Resumptions,
        "复课事项 resumptions",
    ),
    (
        Kind::Resumption,
        "",
        Measure::ResumptionsReturned,
        "已返校 returned",
    ),
    (
        Kind::Alerts,
        "预警 alerts",
        Measure::AlertsUnresolved,
        "未结 unresolved",
    ),
    (Kind::Alerts, "", Measure::AlertsUnseen, "无人查看 unseen"),
    (
        Kind::Concerns,
        "诉求 concerns",
        Measure::ConcernsOpen,
        "未办结 open",
    ),
    (
        Kind::Directives,
        "通知 directives",
        Measure::DirectivesOutstanding,
        "未办结单位 outstanding",
    ),
];

impl Stage {
    pub(super) async fn overview(&mut self) -> anyhow::Result<()> {
        screen::heading(
            "二十四、总览 the city at a glance: every figure with its coverage and source",
        );
        let begun = Instant::now();
        let overview = self.city_overview().await?;
        let taken = begun.elapsed();
        print(&overview);
        let current = |section: &Section| section.state() == State::Current;
        self.checks.expect(
            overview.sections.len() == 12 && overview.sections.iter().all(current),
            format!("12 sections of 4 services in {}", screen::span(taken)),
        );
        let students = value(&overview, Kind::People, Measure::StudentsEnrolled);
        let all = self.city.plan().students();
        self.checks.expect(
            students.is_some_and(|students| students.unsigned_abs() == all),
            format!(
                "{} students: those who were imported 与导入一致",
                count(all)
            ),
        );
        self.as_counted().await?;
        self.district_of_its_own().await
    }

    async fn city_overview(&self) -> anyhow::Result<Overview> {
        let request = GetOverviewRequest {
            name: format!("organizations/{CITY_ID}/overview"),
            date: None,
        };
        let mut client = OverviewServiceClient::new(self.officer()?);
        Ok(client.get_overview(request).await?.into_inner())
    }

    /// The figures are those of the services, to the last one.
    async fn as_counted(&mut self) -> anyhow::Result<()> {
        let parent = format!("organizations/{CITY_ID}");
        let ((alerts, returned), _) = until("the overview says what the services say", || async {
            let request = ListAlertGroupsRequest {
                parent: parent.clone(),
                page_size: 1000,
                page_token: String::new(),
            };
            let mut client = AlertServiceClient::new(self.officer()?);
            let groups = client.list_alert_groups(request).await?.into_inner().groups;
            let alerts: i64 = groups
                .iter()
                .map(|group| i64::from(group.alert_count))
                .sum();
            let request = GetResumptionFiguresRequest {
                name: format!("{parent}/resumptionFigures"),
                position: 0,
            };
            let mut client = ResumptionServiceClient::new(self.officer()?);
            let told = client.get_resumption_figures(request).await?.into_inner();
            let returned = i64::from(told.total.unwrap_or_default().returned_count);
            let overview = self.city_overview().await?;
            let same = value(&overview, Kind::Alerts, Measure::AlertsUnresolved) == Some(alerts)
                && value(&overview, Kind::Resumption, Measure::ResumptionsReturned)
                    == Some(returned);
            Ok(same.then_some((alerts, returned)))
        })
        .await?;
        self.checks.expect(
            alerts > 0 && returned > 0,
            format!("{alerts} alerts and {returned} resumption as their services count them 与各服务一致"),
        );
        Ok(())
    }

    /// A district is shown its own part, and nobody else's.
    async fn district_of_its_own(&mut self) -> anyhow::Result<()> {
        let officer = self.caller(Role::DistrictOfficer, &format!("{CITY_ID}/{DISTRICT}"))?;
        let mut client = OverviewServiceClient::new(officer);
        let request = GetOverviewRequest {
            name: format!("organizations/{CITY_ID}/overview"),
            date: None,
        };
        let refused = client.get_overview(request).await;
        let request = ListOverviewsRequest {
            parent: format!("organizations/{DISTRICT}"),
            page_size: 3,
            ..ListOverviewsRequest::default()
        };
        let schools = client.list_overviews(request).await?.into_inner().overviews;
        let own = format!("{CITY_ID}/{DISTRICT}/");
        self.checks.expect(
            refused.is_err_and(|status| status.code() == tonic::Code::PermissionDenied)
                && !schools.is_empty()
                && schools.iter().all(|one| one.org_path.starts_with(&own)),
            "a district: its own schools, the worst first; the city is PERMISSION_DENIED 只见本辖区",
        );
        Ok(())
    }
}

/// The figure of a measure that is no part of another.
fn figure(overview: &Overview, kind: Kind, measure: Measure) -> Option<&Figure> {
    let of_kind = |section: &&Section| section.kind() == kind;
    let section = overview.sections.iter().find(of_kind)?;
    let whole = |figure: &&Figure| figure.measure() == measure && figure.breakdown.is_none();
    section.figures.iter().find(whole)
}

fn value(overview: &Overview, kind: Kind, measure: Measure) -> Option<i64> {
    figure(overview, kind, measure).and_then(|figure| figure.value)
}

fn print(overview: &Overview) {
    let mut table = Table::new([
        ("板块 section", Align::Left),
        ("指标 figure", Align::Left),
        ("数值 value", Align::Right),
        ("覆盖 known/expected", Align::Right),
        ("逾期 late", Align::Right),
        ("来源 source", Align::Left),
    ]);
    for (kind, section, measure, called) in SHOWN {
        let Some(figure) = figure(overview, kind, measure) else {
            continue;
        };
        let number = |value: i64| count(value.unsigned_abs());
        let shown = match figure.value {
            Some(value) => number(value),
            None if figure.hidden => "隐藏 hidden".to_owned(),
            None => "未知 unknown".to_owned(),
        };
        let coverage = figure.coverage.as_ref().map(|coverage| {
            let (known, expected) = (coverage.known_count, coverage.expected_count);
            format!("{}/{}", number(known), number(expected))
        });
        let source = figure.source.split('.').next_back().unwrap_or_default();
        table.row([
            section.to_owned(),
            called.to_owned(),
            shown,
            coverage.unwrap_or_default(),
            figure.late_count.map(number).unwrap_or_default(),
            source.to_owned(),
        ]);
    }
    table.print();
}
