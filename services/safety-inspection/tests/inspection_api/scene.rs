//! A city that inspects: who calls, what is planned, what is answered.

use chrono::{DateTime, Utc};
use kit::auth::Role;
use kit::clock::Clock;
use kit::scratch::Scratch;
use proto::safety as pb;
use proto::safety::checklist_service_client::ChecklistServiceClient;
use proto::safety::inspection_answer::Value;
use proto::safety::inspection_plan_service_client::InspectionPlanServiceClient;
use proto::safety::inspection_service_client::InspectionServiceClient;
use tonic::Status;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::city::tree::{self, BUREAU_PATH};
use crate::city::world::{World, told};
use crate::city::{SCHOOL_PATH, roster};

/// Who calls: subject, role and scope.
pub(crate) type Who<'a> = (&'a str, Role, &'a str);

pub(crate) const OFFICER: Who<'static> = ("officer-1", Role::DistrictOfficer, BUREAU_PATH);
pub(crate) const CITY_OFFICER: Who<'static> = ("officer-2", Role::CityOfficer, "fz");
pub(crate) const PRINCIPAL: Who<'static> = ("principal-1", Role::Principal, SCHOOL_PATH);

pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) lists: ChecklistServiceClient<Channel>,
    pub(crate) inspections: InspectionServiceClient<Channel>,
    pub(crate) plans: InspectionPlanServiceClient<Channel>,
}

impl Scene {
    pub(crate) async fn new(scratch: Scratch) -> Self {
        let world = World::new(scratch).await;
        roster(&world.db, &tree::tree(), 2).await;
        // The whole policy that ships, newer than what gates are tested by.
        let policy = tree::enacted("", 3, |policy| policy.effective_date = date(4, 2));
        roster(&world.db, &[policy], 2).await;
        let channel = world.channel.clone();
        Self {
            lists: ChecklistServiceClient::new(channel.clone()),
            inspections: InspectionServiceClient::new(channel.clone()),
            plans: InspectionPlanServiceClient::new(channel),
            world,
        }
    }

    pub(crate) fn ask<T>(&self, who: Who<'_>, message: T) -> tonic::Request<T> {
        self.world.by(who.0, who.1, who.2, message)
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.world.clock.now()
    }

    pub(crate) async fn create(
        &mut self,
        who: Who<'_>,
        parent: &str,
        inspection: pb::Inspection,
    ) -> Result<pb::Inspection, Status> {
        let request = pb::CreateInspectionRequest {
            parent: parent.to_owned(),
            inspection: Some(inspection),
            request_id: String::new(),
        };
        let request = self.ask(who, request);
        Ok(self
            .inspections
            .create_inspection(request)
            .await?
            .into_inner())
    }

    pub(crate) async fn start(
        &mut self,
        who: Who<'_>,
        name: &str,
    ) -> Result<pb::Inspection, Status> {
        let request = pb::StartInspectionRequest {
            name: name.to_owned(),
            request_id: String::new(),
        };
        let request = self.ask(who, request);
        Ok(self
            .inspections
            .start_inspection(request)
            .await?
            .into_inner())
    }

    pub(crate) async fn record(
        &mut self,
        who: Who<'_>,
        name: &str,
        answers: Vec<pb::InspectionAnswer>,
    ) -> Result<Vec<pb::AnswerVerdict>, Status> {
        let request = pb::RecordAnswersRequest {
            name: name.to_owned(),
            answers,
        };
        let request = self.ask(who, request);
        let answer = self.inspections.record_answers(request).await?;
        Ok(answer.into_inner().verdicts)
    }

    pub(crate) async fn submit(
        &mut self,
        who: Who<'_>,
        name: &str,
    ) -> Result<pb::Inspection, Status> {
        let request = pb::SubmitInspectionRequest {
            name: name.to_owned(),
            request_id: String::new(),
        };
        let request = self.ask(who, request);
        Ok(self
            .inspections
            .submit_inspection(request)
            .await?
            .into_inner())
    }

    pub(crate) async fn confirm(
        &mut self,
        who: Who<'_>,
        name: &str,
    ) -> Result<pb::Inspection, Status> {
        let request = pb::ConfirmInspectionRequest {
            name: name.to_owned(),
            request_id: String::new(),
        };
        let request = self.ask(who, request);
        Ok(self
            .inspections
            .confirm_inspection(request)
            .await?
            .into_inner())
    }

    pub(crate) async fn dispute(
        &mut self,
        who: Who<'_>,
        name: &str,
    ) -> Result<pb::Inspection, Status> {
        let request = pb::DisputeInspectionRequest {
            name: name.to_owned(),
            reason: "现场已整改".to_owned(),
            request_id: String::new(),
        };
        let request = self.ask(who, request);
        Ok(self
            .inspections
            .dispute_inspection(request)
            .await?
            .into_inner())
    }

    pub(crate) async fn cancel(
        &mut self,
        who: Who<'_>,
        name: &str,
    ) -> Result<pb::Inspection, Status> {
        let request = pb::CancelInspectionRequest {
            name: name.to_owned(),
            reason: "天气原因".to_owned(),
            request_id: String::new(),
        };
        let request = self.ask(who, request);
        Ok(self
            .inspections
            .cancel_inspection(request)
            .await?
            .into_inner())
    }

    pub(crate) async fn get(&mut self, name: &str) -> pb::Inspection {
        let request = pb::GetInspectionRequest {
            name: name.to_owned(),
        };
        let request = self.ask(CITY_OFFICER, request);
        let found = self.inspections.get_inspection(request).await;
        found.expect("found").into_inner()
    }

    pub(crate) async fn items(&mut self, who: Who<'_>, name: &str) -> Vec<pb::InspectionItem> {
        let request = pb::ListInspectionItemsRequest {
            parent: name.to_owned(),
            page_size: 1000,
            ..Default::default()
        };
        let request = self.ask(who, request);
        let listed = self.inspections.list_inspection_items(request).await;
        listed.expect("listed").into_inner().items
    }

    /// Answers to every item of an inspection: all good but those named.
    pub(crate) async fn all_but(&mut self, name: &str, bad: &[&str]) -> Vec<pb::InspectionAnswer> {
        use pb::checklist_item::Kind;
        let now = self.now();
        let items = self.items(CITY_OFFICER, name).await;
        let answers = items.into_iter().zip(1u128..).map(|(item, number)| {
            let what = item.checklist_item.expect("an item");
            let good = !bad.contains(&&*item.item);
            let value = match what.kind() {
                Kind::Number | Kind::Days => {
                    let (least, most) = (what.minimum_thousandths, what.maximum_thousandths);
                    let fits = least.or(most).unwrap_or(0);
                    let breaks = most.map_or(0, |most| most + 1);
                    Value::NumberThousandths(if good { fits } else { breaks })
                }
                Kind::Text => Value::Text("已查看".to_owned()),
                _ => Value::Good(good),
            };
            let mut answer = answer(&item.item, number, value, now);
            if what.kind() == Kind::Photo {
                answer.photos = vec![photo(name, number, now)];
            }
            answer
        });
        answers.collect()
    }

    /// An inspection from its plan to its end, with these items bad.
    pub(crate) async fn inspect(
        &mut self,
        who: Who<'_>,
        parent: &str,
        plan: pb::Inspection,
        bad: &[&str],
    ) -> pb::Inspection {
        let planned = self.create(who, parent, plan).await.expect("planned");
        self.start(who, &planned.name).await.expect("started");
        let answers = self.all_but(&planned.name, bad).await;
        let verdicts = self
            .record(who, &planned.name, answers)
            .await
            .expect("recorded");
        for verdict in verdicts {
            let recorded = pb::answer_verdict::Outcome::Recorded;
            assert_eq!(verdict.outcome(), recorded, "{verdict:?}");
        }
        self.submit(who, &planned.name).await.expect("submitted")
    }
}

pub(crate) fn date(month: i32, day: i32) -> Option<proto::Date> {
    Some(proto::Date {
        year: 2022,
        month,
        day,
    })
}

/// A plan by a list for a place of the kind, on the first day of the tests.
pub(crate) fn plan(
    list: &str,
    kind: pb::PlaceKind,
    place: &str,
    level: pb::InspectionLevel,
) -> pb::Inspection {
    pb::Inspection {
        checklist_template: format!("checklistTemplates/{list}"),
        place_kind: kind.into(),
        place: place.to_owned(),
        level: level.into(),
        planned_date: date(4, 6),
        ..Default::default()
    }
}

pub(crate) fn stampede() -> pb::Inspection {
    let (kind, level) = (pb::PlaceKind::School, pb::InspectionLevel::Bureau);
    plan("stampede~2", kind, "", level)
}

pub(crate) fn answer(
    item: &str,
    number: u128,
    value: Value,
    now: DateTime<Utc>,
) -> pb::InspectionAnswer {
    pb::InspectionAnswer {
        client_id: Uuid::from_u128(number).to_string(),
        item: item.to_owned(),
        value: Some(value),
        answer_time: Some(kit::field::to_timestamp(now)),
        ..Default::default()
    }
}

/// A picture that nobody else has, taken now.
pub(crate) fn photo(of: &str, number: u128, now: DateTime<Utc>) -> pb::Photo {
    let digest: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(format!("{of} {number}")).into();
    pb::Photo {
        sha256: digest.to_vec().into(),
        take_time: Some(kit::field::to_timestamp(now)),
        location: Some(proto::LatLng {
            latitude: 26.08,
            longitude: 119.3,
        }),
        ..Default::default()
    }
}

/// An item that a school or bureau writes.
pub(crate) fn item(code: &str, major_rule: &str) -> pb::ChecklistItem {
    use pb::checklist_item::{Evidence, Grade, Kind};
    let major = !major_rule.is_empty();
    pb::ChecklistItem {
        code: code.to_owned(),
        text: "楼顶水箱加盖上锁".to_owned(),
        kind: Kind::YesNo.into(),
        evidence: Evidence::Observation.into(),
        mandatory: true,
        clause: Some(pb::Clause {
            law: "学校卫生工作条例".to_owned(),
            article: "第七条".to_owned(),
            effective_date: Some(proto::Date {
                year: 1990,
                month: 6,
                day: 4,
            }),
        }),
        hazard_category: pb::HazardCategory::Utilities.into(),
        grade: if major { Grade::Major } else { Grade::General }.into(),
        major_rule: major_rule.to_owned(),
        weight: 3,
        ..Default::default()
    }
}

/// The reason of a refusal, which is explained in Chinese.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    let status = answer.expect_err("refused");
    let (_, reason, zh) = told(&status);
    let chinese = zh
        .chars()
        .any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
    assert!(chinese, "{reason}: {zh}");
    reason
}

/// Makes each test run on both databases, with a scene of its own.
macro_rules! scenes {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let scene = $crate::scene::Scene::new(kit::scratch::sqlite()).await;
                super::$test(scene).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let Some(scratch) = kit::scratch::postgres().await else { return };
                super::$test($crate::scene::Scene::new(scratch).await).await;
            })+
        }
    };
}
pub(crate) use scenes;
