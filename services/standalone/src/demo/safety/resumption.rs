//! Closed schools on their way back: one that is blocked with its reasons, and one that resumes teaching.

use anyhow::Context as _;
use chrono::{Days, Duration, NaiveDate};
use kit::auth::{Caller, Department, Role};
use kit::clock::start_of;
use kit::field::to_date;
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::class_group_service_client::ClassGroupServiceClient;
use proto::roster::set_teaching_mode_request::Ground;
use proto::roster::{ClassGroup, SetTeachingModeRequest};
use proto::safety::checklist_item::Kind;
use proto::safety::checklist_service_client::ChecklistServiceClient;
use proto::safety::hazard::Grade;
use proto::safety::hazard_service_client::HazardServiceClient;
use proto::safety::resumption::{Decision, State};
use proto::safety::resumption_answer::Value;
use proto::safety::resumption_block::Kind as Block;
use proto::safety::resumption_figures::Figure;
use proto::safety::resumption_service_client::ResumptionServiceClient;
use proto::safety::shelter_service_client::ShelterServiceClient;
use proto::safety::supply_service_client::SupplyServiceClient;
use proto::safety::weather_state::State as Weather;
use proto::safety::{
    AnswerResumptionItemsRequest, ApplyForInspectionRequest, ChecklistItem,
    CreateIsolationRoomRequest, GetChecklistTemplateRequest, GetReadinessRequest,
    GetResumptionFiguresRequest, GetResumptionRequest, Hazard, HazardCategory, IsolationRoom,
    ListResumptionsRequest, ListSupplyItemsRequest, Photo, PlanResumptionBatchRequest,
    RecordSupplyMovementRequest, ReportHazardRequest, Resumption, ResumptionAnswer,
    ScheduleResumptionRequest, SignJointInspectionRequest, SignSelfCheckRequest,
    StartJointInspectionRequest, StartSelfCheckRequest, SupplyLot, VerifyHazardRequest,
    WeatherState, supply_movement,
};
use tonic::Code;

use super::{Campus, Stage};
use crate::city::CITY_ID;
use crate::demo::checks::until;
use crate::house::Door;
use crate::screen::{self, span};

/// The batch of grades 12 and 9.
const FIRST: i32 = 1;
/// How many days ahead a school day is looked for.
const AHEAD: u64 = 14;
/// One account for each department that inspects.
const INSPECTORS: [(&str, Role); 3] = [
    ("demo-education", Role::CityOfficer),
    ("demo-health", Role::DiseaseControl),
    ("demo-market", Role::PartnerSystem),
];

impl Stage {
    pub(super) async fn resumption(&mut self) -> anyhow::Result<()> {
        screen::heading(
            "二十三、复课 closed schools resume: grades 12 and 9 first, nobody past a hazard",
        );
        let day = self.planned().await?;
        let [blocked, ready] = self.first_two().await?;
        self.blocked(&blocked).await?;
        self.prepared(&ready).await?;
        self.inspected(&ready).await?;
        self.returns(&ready, day).await?;
        self.counted().await
    }

    /// Everybody is at home; the first batch has a day, the next school day there is. Gives that day.
    async fn planned(&mut self) -> anyhow::Result<NaiveDate> {
        let request = SetTeachingModeRequest {
            name: format!("organizations/{CITY_ID}"),
            teaching_mode: TeachingMode::Suspended.into(),
            reason: "全市中小学停课".to_owned(),
            ground: Ground::General.into(),
            ..SetTeachingModeRequest::default()
        };
        let mut register = ClassGroupServiceClient::new(self.officer()?);
        register.set_teaching_mode(request).await?;
        let mut officer = ResumptionServiceClient::new(self.officer()?);
        for ahead in 1..=AHEAD {
            let day = self.today() + Days::new(ahead);
            let request = PlanResumptionBatchRequest {
                parent: format!("organizations/{CITY_ID}"),
                position: FIRST,
                planned_date: Some(to_date(day)),
                request_id: String::new(),
            };
            match officer.plan_resumption_batch(request).await {
                Ok(batch) => {
                    let schools = batch.into_inner().counts.into_iter();
                    let schools: i32 = schools.map(|one| one.resumption_count).sum();
                    self.checks.expect(
                        schools >= 2,
                        format!("all at home 停课; {schools} schools with grades 12 and 9 may return from {day} on, the others after them"),
                    );
                    return Ok(day);
                }
                Err(status) if status.code() == Code::InvalidArgument => {}
                Err(status) => return Err(status.into()),
            }
        }
        anyhow::bail!("there is no school day in sight")
    }

    /// The first two schools of the batch, by their place.
    async fn first_two(&self) -> anyhow::Result<[Campus; 2]> {
        let request = ListResumptionsRequest {
            parent: format!("organizations/{CITY_ID}"),
            position: FIRST,
            ..ListResumptionsRequest::default()
        };
        let mut officer = ResumptionServiceClient::new(self.officer()?);
        let listed = officer.list_resumptions(request).await?.into_inner();
        let mut places = listed.resumptions.into_iter().map(|one| one.org_path);
        let mut next = || places.next().context("two schools have a grade 9 or 12");
        let (one, other) = (next()?, next()?);
        Ok([self.of_path(&one).await?, self.of_path(&other).await?])
    }

    async fn of_path(&self, path: &str) -> anyhow::Result<Campus> {
        let mut schools = self.city.plan().schools().iter();
        let school = schools.find(|school| school.org_path() == path);
        self.staffed(school.context("the register has another school")?)
            .await
    }

    /// A major hazard is open at one school: nobody there may return.
    async fn blocked(&mut self, campus: &Campus) -> anyhow::Result<()> {
        let request = ReportHazardRequest {
            parent: campus.name.clone(),
            hazard: Some(Hazard {
                category: HazardCategory::Fire.into(),
                place: "building-1/lab-1".to_owned(),
                description: "实验楼消防水池无水".to_owned(),
                photos: vec![self.photo(40)],
                ..Hazard::default()
            }),
            request_id: String::new(),
        };
        let mut guard = HazardServiceClient::new(self.guard(campus)?);
        let found = guard.report_hazard(request).await?.into_inner();
        let request = VerifyHazardRequest {
            name: found.name,
            grade: Grade::Major.into(),
            ..VerifyHazardRequest::default()
        };
        let mut bureau = HazardServiceClient::new(self.officer()?);
        bureau.verify_hazard(request).await?;
        let request = GetReadinessRequest {
            name: format!("{}/readiness", resumption(campus)),
        };
        let mut head = ResumptionServiceClient::new(self.principal(campus)?);
        let ready = head.get_readiness(request).await?.into_inner();
        let guards = ready.blocks.iter().filter(|block| block.item.is_empty());
        let reasons: Vec<&str> = guards.map(|block| &*block.explanation).collect();
        let hazard = |block: i32| block == i32::from(Block::MajorHazard);
        let own = head.schedule_resumption(self.schedule(campus, self.today()));
        self.checks.expect(
            own.await.is_err() && ready.blocks.iter().any(|block| hazard(block.kind)),
            format!(
                "{} is blocked, its head cannot help it 不得开学: {}",
                campus.called,
                reasons.join("；")
            ),
        );
        Ok(())
    }

    /// Another school has what it takes, answers every item with evidence, and its head signs.
    async fn prepared(&mut self, campus: &Campus) -> anyhow::Result<()> {
        self.after_the_storm(campus).await?;
        self.full_drill(campus).await?;
        self.stocked(campus).await?;
        let name = resumption(campus);
        let mut deputy = ResumptionServiceClient::new(self.deputy(campus)?);
        let request = StartSelfCheckRequest {
            name: name.clone(),
            request_id: String::new(),
        };
        let started = deputy.start_self_check(request).await?.into_inner();
        let items = self.items(campus, &started).await?;
        let answers = items.iter().enumerate();
        let answers = answers.map(|(number, item)| self.good(number, item));
        let request = AnswerResumptionItemsRequest {
            name: name.clone(),
            answers: answers.collect(),
            request_id: String::new(),
        };
        let ready = deputy.answer_resumption_items(request).await?.into_inner();
        let request = || SignSelfCheckRequest {
            name: name.clone(),
            request_id: String::new(),
        };
        let own = deputy.sign_self_check(request()).await;
        let mut head = ResumptionServiceClient::new(self.principal(campus)?);
        let signed = head.sign_self_check(request()).await?.into_inner();
        let request = ApplyForInspectionRequest {
            name,
            request_id: String::new(),
        };
        deputy.apply_for_inspection(request).await?;
        self.checks.expect(
            ready.blocks.is_empty() && own.is_err() && signed.state() == State::SelfPassed,
            format!(
                "{}: drill, supplies, isolation room, {} items in {} categories with evidence: {} points, signed by its head 自查",
                campus.called,
                items.len(),
                ready.categories.len(),
                ready.score
            ),
        );
        Ok(())
    }

    /// Sweeps and begins again where the typhoon left it undone.
    async fn after_the_storm(&self, campus: &Campus) -> anyhow::Result<()> {
        let id = campus.name.trim_start_matches("organizations/");
        let states = self.states(self.officer()?, id, false).await?;
        let waits =
            |state: &WeatherState| [Weather::Lifted, Weather::PostCheck].contains(&state.state());
        if states.iter().any(waits) {
            self.sweep(&campus.path, id).await?;
            let own = format!("{}/weatherState", campus.name);
            self.begin_again(&campus.path, &own).await?;
        }
        Ok(())
    }

    /// Supplies of everything that is used up, and an isolation room that is fit for it.
    async fn stocked(&self, campus: &Campus) -> anyhow::Result<()> {
        let mut supply = SupplyServiceClient::new(self.deputy(campus)?);
        let request = ListSupplyItemsRequest {
            page_size: 1000,
            ..ListSupplyItemsRequest::default()
        };
        let items = supply.list_supply_items(request).await?.into_inner();
        let items = items.supply_items.into_iter();
        for item in items.filter(|item| item.daily_use.is_some()) {
            let expires = item.expires.then(|| self.today() + Days::new(365));
            let request = RecordSupplyMovementRequest {
                parent: campus.name.clone(),
                item: item.name,
                kind: supply_movement::Kind::Receipt.into(),
                quantity: 1_000_000,
                lot: Some(SupplyLot {
                    lot: "A1".to_owned(),
                    expire_date: expires.map(to_date),
                }),
                ..RecordSupplyMovementRequest::default()
            };
            supply.record_supply_movement(request).await?;
        }
        let request = CreateIsolationRoomRequest {
            parent: campus.name.clone(),
            isolation_room: Some(IsolationRoom {
                display_name: "隔离观察室".to_owned(),
                access: "东门旁".to_owned(),
                capacity: 4,
                separate: true,
                ventilated: true,
                near_gate: true,
                own_route: true,
                own_toilet: true,
                ..IsolationRoom::default()
            }),
            request_id: String::new(),
        };
        let mut shelter = ShelterServiceClient::new(self.deputy(campus)?);
        shelter.create_isolation_room(request).await?;
        Ok(())
    }

    /// The items by which a school checks itself.
    async fn items(
        &self,
        campus: &Campus,
        started: &Resumption,
    ) -> anyhow::Result<Vec<ChecklistItem>> {
        let list = started.checklist_templates.first();
        let request = GetChecklistTemplateRequest {
            name: list.context("no checklist is in force")?.clone(),
        };
        let mut lists = ChecklistServiceClient::new(self.deputy(campus)?);
        let list = lists.get_checklist_template(request).await?;
        Ok(list.into_inner().items)
    }

    /// A good answer with the picture that shows it.
    fn good(&self, number: usize, item: &ChecklistItem) -> ResumptionAnswer {
        let bound = item.minimum_thousandths.or(item.maximum_thousandths);
        let value = match item.kind() {
            Kind::Number | Kind::Days => Value::NumberThousandths(bound.unwrap_or_default()),
            Kind::Text => Value::Text("已落实".to_owned()),
            _ => Value::Good(true),
        };
        let picture = u8::try_from(number).unwrap_or(u8::MAX);
        ResumptionAnswer {
            item: item.code.clone(),
            value: Some(value),
            photos: vec![Photo {
                sha256: [[41; 16], [picture; 16]].concat().into(),
                ..self.photo(0)
            }],
            ..ResumptionAnswer::default()
        }
    }

    /// Education, health and market regulation inspect together; each signs.
    async fn inspected(&mut self, campus: &Campus) -> anyhow::Result<()> {
        let name = resumption(campus);
        let [education, health, market] = INSPECTORS.map(|(subject, _)| subject.to_owned());
        let request = StartJointInspectionRequest {
            name: name.clone(),
            education_inspector: education,
            health_inspector: health,
            market_inspector: market,
            request_id: String::new(),
        };
        let mut officer = ResumptionServiceClient::new(self.officer()?);
        officer.start_joint_inspection(request).await?;
        let request = || SignJointInspectionRequest {
            name: name.clone(),
            decision: Decision::Approve.into(),
            opinion: "现场核验符合要求".to_owned(),
            ..SignJointInspectionRequest::default()
        };
        let mut head = ResumptionServiceClient::new(self.principal(campus)?);
        let own = head.sign_joint_inspection(request()).await;
        let mut state = State::Inspecting;
        for (subject, role) in INSPECTORS {
            let mut inspector = ResumptionServiceClient::new(self.inspector(subject, role)?);
            let signed = inspector.sign_joint_inspection(request()).await?;
            state = signed.into_inner().state();
        }
        self.checks.expect(
            own.is_err() && state == State::Approved,
            "education, health and market regulation sign 联合核验, the head of the school may not: approved",
        );
        Ok(())
    }

    fn inspector(&self, subject: &str, role: Role) -> anyhow::Result<Door> {
        let market = role == Role::PartnerSystem;
        self.house.caller_of(Caller {
            department: market.then_some(Department::MarketRegulation),
            ..Caller::new(subject, vec![role], crate::demo::place(CITY_ID)?)
        })
    }

    /// On the day grades 12 and 9 are taught at school by the register, and nobody else.
    async fn returns(&mut self, campus: &Campus, day: NaiveDate) -> anyhow::Result<()> {
        let mut officer = ResumptionServiceClient::new(self.officer()?);
        officer
            .schedule_resumption(self.schedule(campus, day))
            .await?;
        let before = self.in_person(campus).await?;
        self.put_forward(start_of(day) + Duration::hours(7));
        let officer = ResumptionServiceClient::new(self.officer()?);
        let (_, taken) = until("the school resumes", || async {
            let request = GetResumptionRequest {
                name: resumption(campus),
            };
            let mut officer = officer.clone();
            let now = officer.get_resumption(request).await?.into_inner();
            Ok((now.state() == State::Monitoring).then_some(()))
        })
        .await?;
        let groups = self.class_groups(campus).await?;
        let of_batch = |group: &ClassGroup| [9, 12].contains(&group.grade);
        let here = |group: &ClassGroup| group.teaching_mode() == TeachingMode::InPerson;
        let right = groups.iter().all(|group| of_batch(group) == here(group));
        self.checks.expect(
            before == 0 && right,
            format!(
                "{day}: {} of {} class groups of {} are at school again 复课, by the register, {}",
                groups.iter().filter(|group| here(group)).count(),
                groups.len(),
                campus.called,
                span(taken)
            ),
        );
        Ok(())
    }

    /// The bureau sees who is back, and what keeps the others.
    async fn counted(&mut self) -> anyhow::Result<()> {
        let request = GetResumptionFiguresRequest {
            name: format!("organizations/{CITY_ID}/resumptionFigures"),
            position: FIRST,
        };
        let officer = ResumptionServiceClient::new(self.officer()?);
        let hazards = |total: &Figure| {
            let mut blocked = total.blocked.iter();
            let hazard = blocked.find(|one| one.kind() == Block::MajorHazard);
            hazard.map_or(0, |one| one.resumption_count)
        };
        let (total, _) = until("the figures show the hazard", || async {
            let mut officer = officer.clone();
            let figures = officer.get_resumption_figures(request.clone()).await?;
            let total = figures.into_inner().total.unwrap_or_default();
            Ok((hazards(&total) > 0).then_some(total))
        })
        .await?;
        self.checks.expect(
            (total.returned_count, hazards(&total)) == (1, 1),
            format!(
                "the bureau's figures of {} schools: {} back, {} silent, 1 kept by a major hazard 一校一因",
                total.resumption_count, total.returned_count, total.silent_count
            ),
        );
        Ok(())
    }

    fn schedule(&self, campus: &Campus, day: NaiveDate) -> ScheduleResumptionRequest {
        ScheduleResumptionRequest {
            name: resumption(campus),
            date: Some(to_date(day)),
            request_id: String::new(),
        }
    }
}

/// The resource name of the first batch's resumption at a school.
fn resumption(campus: &Campus) -> String {
    format!("{}/resumptions/{FIRST}", campus.name)
}
