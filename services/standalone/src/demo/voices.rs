//! An alert in the inbox of whoever must see to it, a parent who is heard, and a warning that comes in and
//! goes out.

use anyhow::Context as _;
use kit::auth::Role;
use kit::clock::start_of;
use proto::notification::alert::Kind;
use proto::notification::alert_service_client::AlertServiceClient;
use proto::notification::concern::{Category, Submitter};
use proto::notification::concern_service_client::ConcernServiceClient;
use proto::notification::delivery_service_client::DeliveryServiceClient;
use proto::notification::message;
use proto::notification::recipients::Group;
use proto::notification::warning_info::{Colour, Severity};
use proto::notification::warning_reference::Type;
use proto::notification::warning_service_client::WarningServiceClient;
use proto::notification::{
    Alert, AnswerConcernRequest, AssignConcernRequest, Audience, Concern, ExportWarningRequest,
    IngestWarningRequest, ListAlertsRequest, Message, RateAnswerRequest, Recipients,
    SendMessageRequest, SubmitConcernRequest, TriageConcernRequest, WatchInboxRequest, concern,
    warning,
};

use super::Stage;
use super::checks::until;
use super::screening::{Class, DISTRICT, Morning};
use crate::city::CITY_ID;
use crate::screen::{self, span};

/// What the weather bureau says.
const HEADLINE: &str = "福州市气象台发布暴雨橙色预警";

impl Stage {
    pub(super) async fn voices(&mut self, morning: &Morning) -> anyhow::Result<()> {
        screen::heading("十六、预警与诉求 alerts and voices: each reaches somebody, by name");
        let owner = self.alerted(&morning.fever).await?;
        self.heard_parent(&morning.fever, &owner).await?;
        self.warned().await
    }

    /// At 08:30 the checks of the school are missing: its reporter has the alert in the inbox. Gives who
    /// that is.
    async fn alerted(&mut self, class: &Class) -> anyhow::Result<String> {
        let known = self.alerts_of(class, Kind::ClusterFound).await?;
        let owner = known.first().map(|alert| alert.owner.clone());
        let owner = owner.context("no alert of yesterday names its owner")?;
        let reporter = self.person(Role::EpidemicReporter, class.school(), &owner)?;
        let request = WatchInboxRequest {
            recipient: owner.clone(),
            resume_token: String::new(),
        };
        let mut inbox = DeliveryServiceClient::new(reporter)
            .watch_inbox(request)
            .await?
            .into_inner();
        let day = start_of(self.today());
        self.put_forward(day + chrono::Duration::minutes(8 * 60 + 46));
        let today = day.timestamp();
        let (alert, _) = until("the alert is raised", || async {
            let alerts = self.alerts_of(class, Kind::ChecksMissing).await?;
            let of_today = |one: &Alert| one.occur_time.is_some_and(|at| at.seconds >= today);
            Ok(alerts.into_iter().find(of_today))
        })
        .await?;
        // Alerts of this kind wait five minutes for others to the same owner.
        self.put_forward(self.house.clock().now() + chrono::Duration::minutes(6));
        let begun = std::time::Instant::now();
        let wait = async {
            while let Some(answer) = inbox.message().await? {
                let items = answer.items.into_iter();
                if let Some(item) = items.into_iter().find(|item| item.basis == alert.name) {
                    return anyhow::Ok(Some(item));
                }
            }
            Ok(None)
        };
        let told = tokio::time::timeout(std::time::Duration::from_secs(20), wait).await?;
        let told = told?.context("the inbox ended")?;
        self.checks.expect(
            alert.owner == owner && told.body.contains(&alert.title),
            format!(
                "no check today: in the inbox of 疫情报告人, {}: {}",
                span(begun.elapsed()),
                alert.title
            ),
        );
        Ok(owner)
    }

    async fn alerts_of(&self, class: &Class, kind: Kind) -> anyhow::Result<Vec<Alert>> {
        let request = ListAlertsRequest {
            parent: class.organization().to_owned(),
            kind: kind.into(),
            ..ListAlertsRequest::default()
        };
        let mut client = AlertServiceClient::new(self.caller(Role::Principal, class.school())?);
        Ok(client.list_alerts(request).await?.into_inner().alerts)
    }

    /// A parent asks, the school answers, the parent is satisfied.
    async fn heard_parent(&mut self, class: &Class, assignee: &str) -> anyhow::Result<()> {
        let child = class.students.first().context("a class has pupils")?;
        let mut parent =
            ConcernServiceClient::new(self.person(Role::Guardian, &class.path, child)?);
        let request = SubmitConcernRequest {
            parent: class.organization().to_owned(),
            concern: Some(Concern {
                submitter: Submitter::Guardian.into(),
                category: Category::Teaching.into(),
                text: "孩子居家期间的线上课程怎么安排？".to_owned(),
                ..Concern::default()
            }),
            request_id: String::new(),
        };
        let submitted = parent.submit_concern(request).await?.into_inner();
        let name = submitted.concern.context("no concern")?.name;
        let principal = self.caller(Role::Principal, class.school())?;
        let mut principal = ConcernServiceClient::new(principal);
        let triage = TriageConcernRequest {
            name: name.clone(),
            category: Category::Teaching.into(),
            ..TriageConcernRequest::default()
        };
        principal.triage_concern(triage).await?;
        let assign = AssignConcernRequest {
            name: name.clone(),
            assignee: assignee.to_owned(),
            request_id: String::new(),
        };
        principal.assign_concern(assign).await?;
        let answer = AnswerConcernRequest {
            name: name.clone(),
            answer: "班主任每日推送课程，已与您的孩子确认".to_owned(),
            request_id: String::new(),
        };
        let answered = principal.answer_concern(answer).await?.into_inner();
        self.checks.expect(
            answered.state() == concern::State::Answered
                && !format!("{answered:?}").contains(child),
            "a parent asks, the school answers: who the child is, nobody is shown 只见诉求不见身份",
        );
        let rating = RateAnswerRequest {
            name,
            satisfaction: 5,
            ..RateAnswerRequest::default()
        };
        let rated = parent.rate_answer(rating).await?.into_inner();
        self.checks.expect(
            rated.state() == concern::State::Closed,
            format!(
                "the parent is satisfied, {}/5: closed 满意办结",
                rated.satisfaction
            ),
        );
        Ok(())
    }

    /// A warning of the weather bureau, told to every school, and written for other systems.
    async fn warned(&mut self) -> anyhow::Result<()> {
        let mut met = WarningServiceClient::new(self.caller(Role::PartnerSystem, CITY_ID)?);
        let now = self.house.clock().now();
        let expires = now + chrono::Duration::hours(6);
        let time =
            |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%dT%H:%M:%S-00:00").to_string();
        let document = format!(
            "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>demo-1</identifier>\
             <sender>met@example.cn</sender><sent>{}</sent><status>Actual</status>\
             <msgType>Alert</msgType><scope>Public</scope><info><language>zh-CN</language>\
             <category>Met</category><event>暴雨</event><urgency>Expected</urgency>\
             <severity>Severe</severity><certainty>Likely</certainty><expires>{}</expires>\
             <headline>{HEADLINE}</headline><area><areaDesc>鼓楼区</areaDesc><geocode>\
             <valueName>区划</valueName><value>{DISTRICT}000000</value></geocode></area></info></alert>",
            time(now),
            time(expires)
        );
        let document = document.into_bytes().into();
        let taken = met
            .ingest_warning(IngestWarningRequest { document })
            .await?
            .into_inner();
        let info = taken.infos.first().context("the warning says nothing")?;
        let schools = info
            .areas
            .first()
            .map_or(0, |area| area.organizations.len());
        self.checks.expect(
            taken.state() == warning::State::Active
                && info.colour() == Colour::Orange
                && schools > 0,
            format!(
                "CAP 1.2 in: {}, where {schools} bureaus and schools are",
                info.headline
            ),
        );
        let message = self.tell(expires).await?;
        let request = ExportWarningRequest {
            message,
            r#type: Type::Alert.into(),
            event: "暴雨".to_owned(),
            severity: Severity::Severe.into(),
            category: "Met".to_owned(),
            ..Default::default()
        };
        let written = met.export_warning(request).await?.into_inner();
        let bytes = written.document.len();
        let document = written.document;
        let read = met
            .ingest_warning(IngestWarningRequest { document })
            .await?
            .into_inner();
        self.checks.expect(
            read.identifier == written.identifier,
            format!(
                "told to those schools, and CAP 1.2 out: {bytes} bytes that a CAP reader takes"
            ),
        );
        Ok(())
    }

    /// Tells the schools of the district; gives the message.
    async fn tell(&self, until: chrono::DateTime<chrono::Utc>) -> anyhow::Result<String> {
        let values = [
            ("headline", HEADLINE.to_owned()),
            (
                "instruction",
                "暂停户外活动，低洼处学校做好转移准备".to_owned(),
            ),
            ("until", until.format("%Y-%m-%dT%H:%M:%SZ").to_string()),
        ];
        let message = Message {
            category: message::Category::Warning.into(),
            urgency: message::Urgency::Urgent.into(),
            template: "templates/weather-warning".to_owned(),
            values: values.map(|(name, value)| (name.to_owned(), value)).into(),
            recipients: Some(Recipients {
                audience: Some(Audience {
                    organizations: vec![format!("organizations/{DISTRICT}")],
                    ..Audience::default()
                }),
                groups: vec![Group::Organizations.into()],
                ..Recipients::default()
            }),
            ..Message::default()
        };
        let request = SendMessageRequest {
            parent: format!("organizations/{CITY_ID}"),
            message: Some(message),
            request_id: String::new(),
        };
        let mut officer = DeliveryServiceClient::new(self.officer()?);
        Ok(officer.send_message(request).await?.into_inner().name)
    }
}
