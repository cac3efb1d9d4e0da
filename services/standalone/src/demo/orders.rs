//! The order of a meeting on its way to every school of the city.

use std::collections::BTreeSet;

use chrono::{Days, Duration};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use kit::auth::{Caller, Role};
use kit::field::to_date;
use proto::notification::confirm_receipt_request::Receipt;
use proto::notification::directive::{State, Urgency};
use proto::notification::directive_service_client::DirectiveServiceClient;
use proto::notification::{
    AcknowledgeDirectiveRequest, ApproveDirectiveRequest, Audience, ConfirmReceiptRequest,
    Directive, DirectiveItem, DraftDirectiveRequest, IssueDirectiveRequest, RelayDirectiveRequest,
};
use proto::roster::organization::Kind;

use super::receipts::print;
use super::{Stage, place};
use crate::city::{CITY_ID, DISTRICTS, SchoolPlan};
use crate::house::Door;
use crate::screen;

/// What the meeting demands: the id, the demand, the duty that owns it, and in how many days it is due.
const DEMANDS: [(&str, &str, &str, u64); 8] = [
    (
        "gate",
        "校门：身份、体温、健康码、行程卡、外来人员",
        "SECURITY",
        1,
    ),
    (
        "resume",
        "分批返校：高三、初三先行，消毒、隔离室、物资、演练",
        "EPIDEMIC_CONTROL",
        2,
    ),
    ("checks", "晨午晚检，缺勤追因追踪", "EPIDEMIC_CONTROL", 1),
    (
        "sampling",
        "各班每日轮流抽检不少于百分之二十，按时限上报",
        "EPIDEMIC_CONTROL",
        1,
    ),
    (
        "hazards",
        "压实责任链条，隐患逐项销号，汛期防御到位",
        "SAFETY",
        7,
    ),
    ("outside", "培训机构、校外基地巡查，当日处置", "SAFETY", 5),
    (
        "duty",
        "领导带班，关键岗位二十四小时值班",
        "OVERALL_HEAD",
        1,
    ),
    ("concerns", "倾听师生家长诉求，及时回应", "PSYCHOLOGY", 5),
];
/// One school in so many takes its time.
const SLOW: usize = 7;
/// How many recipients act at once.
const TOGETHER: usize = 8;

impl Stage {
    pub(super) async fn order(&mut self) -> anyhow::Result<()> {
        screen::heading(
            "十七、部署 orders: what a meeting demands, in every school, by the minute",
        );
        let order = self.issue().await?;
        let ordered = self.house.clock().now();
        let bureaus: Vec<String> = DISTRICTS.map(|one| path_of(one.division)).into();
        self.put_forward(ordered + Duration::minutes(4));
        self.sign(&order, &bureaus, "各校请于今日内报送责任人名单")
            .await?;
        let (slow, prompt) = self.slow_and_prompt();
        let (early, later) = prompt.split_at(prompt.len() / 2);
        self.put_forward(ordered + Duration::minutes(9));
        self.sign(&order, early, "").await?;
        self.put_forward(ordered + Duration::minutes(21));
        self.sign(&order, later, "").await?;

        let before = self.progress(&order).await?;
        print(&before);
        let waiting = before.districts.iter();
        let waiting = waiting.filter(|one| one.acknowledged_count < one.school_count);
        let waiting = waiting.count();
        let slow_districts: BTreeSet<&str> = slow.iter().map(|path| above(path)).collect();
        self.checks.expect(
            waiting == slow_districts.len(),
            format!(
                "{waiting} districts have schools that have not signed: no average hides them 未签收者一目了然"
            ),
        );
        self.late(&order, &slow, ordered).await
    }

    /// Clerk and chief of the bureau write, approve and issue it.
    async fn issue(&mut self) -> anyhow::Result<Directive> {
        let kinds = [Kind::CountyBureau, Kind::School, Kind::Kindergarten];
        let today = self.today();
        let item = |(id, text, duty, days): (&str, &str, &str, u64)| DirectiveItem {
            item_id: id.to_owned(),
            text: text.to_owned(),
            duty: duty.to_owned(),
            due_date: Some(to_date(today + Days::new(days))),
        };
        let request = DraftDirectiveRequest {
            parent: format!("organizations/{CITY_ID}"),
            urgency: Urgency::ExtraUrgent.into(),
            title: "全市教育系统校园疫情防控和安全工作视频会议要求".to_owned(),
            text: "守住校园，逐级落实到每一所学校，不偏向、不变通、不走样。".to_owned(),
            audience: Some(Audience {
                organizations: vec![format!("organizations/{CITY_ID}")],
                kinds: kinds.map(i32::from).into(),
                ..Audience::default()
            }),
            items: DEMANDS.map(item).into(),
            ..DraftDirectiveRequest::default()
        };
        let (mut clerk, mut chief) = (self.of_bureau("clerk")?, self.of_bureau("chief")?);
        let draft = clerk.draft_directive(request).await?.into_inner();
        let approval = || ApproveDirectiveRequest {
            name: draft.name.clone(),
            request_id: String::new(),
        };
        let own = clerk.approve_directive(approval()).await;
        chief.approve_directive(approval()).await?;
        let request = IssueDirectiveRequest {
            name: draft.name.clone(),
            request_id: String::new(),
        };
        let issued = chief.issue_directive(request).await?.into_inner();
        let all = DISTRICTS.len() + self.city.plan().schools().len();
        self.checks.expect(
            own.is_err()
                && issued.state() == State::Issued
                && usize::try_from(issued.recipient_count) == Ok(all),
            format!(
                "特急 {} demands with owner and day, written by one, approved by another: to {} bureaus and {} schools",
                issued.items.len(),
                DISTRICTS.len(),
                all - DISTRICTS.len()
            ),
        );
        Ok(issued)
    }

    /// Bureaus or schools sign, and bureaus relay with a note of their own.
    pub(super) async fn sign(
        &self,
        order: &Directive,
        paths: &[String],
        note: &str,
    ) -> anyhow::Result<()> {
        let doors = paths.iter().map(|path| {
            let bureau = path.split('/').count() == 2;
            let role = if bureau {
                Role::DistrictOfficer
            } else {
                Role::Principal
            };
            anyhow::Ok((path.as_str(), self.caller(role, path)?))
        });
        let doors = doors.collect::<anyhow::Result<Vec<_>>>()?;
        stream::iter(doors)
            .map(|(path, door)| signed(order, path, door, note))
            .buffer_unordered(TOGETHER)
            .try_collect()
            .await
    }

    /// The schools that take their time, all of the last district and some elsewhere, and the others.
    fn slow_and_prompt(&self) -> (Vec<String>, Vec<String>) {
        let last = DISTRICTS.last().map(|one| one.division);
        let schools = self.city.plan().schools().iter().enumerate();
        let (slow, prompt): (Vec<_>, Vec<_>) = schools.partition(|(index, school)| {
            Some(school.district.division) == last || index % SLOW == SLOW / 2
        });
        let paths = |schools: Vec<(usize, &SchoolPlan)>| {
            let schools = schools.into_iter();
            schools.map(|(_, school)| school.org_path()).collect()
        };
        (paths(slow), paths(prompt))
    }

    /// An officer of the city bureau by name.
    fn of_bureau(&self, subject: &str) -> anyhow::Result<DirectiveServiceClient<Door>> {
        let door = self.house.caller_of(Caller::new(
            subject,
            vec![Role::CityOfficer],
            place(CITY_ID)?,
        ))?;
        Ok(DirectiveServiceClient::new(door))
    }
}

fn path_of(division: &str) -> String {
    format!("{CITY_ID}/{division}")
}

fn above(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(above, _)| above)
}

pub(super) fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// One recipient reads and signs, and a bureau relays.
async fn signed(order: &Directive, path: &str, door: Door, note: &str) -> anyhow::Result<()> {
    let name = format!("{}/recipients/{}", order.name, id_of(path));
    let (mut client, once) = (DirectiveServiceClient::new(door), String::new);
    for receipt in [Receipt::Delivered, Receipt::Read] {
        let request = ConfirmReceiptRequest {
            name: name.clone(),
            receipt: receipt.into(),
            request_id: once(),
        };
        client.confirm_receipt(request).await?;
    }
    let request = AcknowledgeDirectiveRequest {
        name: name.clone(),
        request_id: once(),
    };
    client.acknowledge_directive(request).await?;
    if !note.is_empty() {
        let request = RelayDirectiveRequest {
            name,
            text_sha256: order.text_sha256.clone(),
            note: note.to_owned(),
            request_id: once(),
        };
        client.relay_directive(request).await?;
    }
    Ok(())
}
