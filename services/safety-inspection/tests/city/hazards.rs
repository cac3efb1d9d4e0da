//! People who find, handle, own, review and supervise hazards of the first school.

use chrono::NaiveDate;
use kit::auth::Role;
use kit::clock::Clock;
use kit::field::{to_date, to_timestamp};
use proto::safety as pb;
use proto::safety::accountability_service_client::AccountabilityServiceClient;
use proto::safety::hazard_service_client::HazardServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use super::tree::{self, BUREAU_PATH, CITY_PATH, DEPUTY, HEAD, WARDEN};
use super::world::{World, told};
use super::{SCHOOL, SCHOOL_PATH, roster, staff};

/// Somebody: the number of the member of staff, the role and the scope.
pub(crate) type Who = (u128, Role, &'static str);

pub(crate) const GUARD: Who = (21, Role::Guard, SCHOOL_PATH);
pub(crate) const OFFICER: Who = (DEPUTY, Role::SafetyOfficer, SCHOOL_PATH);
pub(crate) const PRINCIPAL: Who = (HEAD, Role::Principal, SCHOOL_PATH);
/// Answers for fire at the first school, and has the scope of one class group only.
pub(crate) const OWNER: Who = (WARDEN, Role::ClassReporter, "fz/350102/2135010001/j2019-01");
pub(crate) const DISTRICT: Who = (tree::DISTRICT_DEPUTY, Role::DistrictOfficer, BUREAU_PATH);
pub(crate) const CITY: Who = (tree::CITY_DEPUTY, Role::CityOfficer, CITY_PATH);

pub(crate) type Hazard = Result<pb::Hazard, Status>;

/// The whole city with its services of hazards.
pub(crate) struct Desk {
    pub(crate) world: World,
    pub(crate) hazards: HazardServiceClient<Channel>,
    pub(crate) accountability: AccountabilityServiceClient<Channel>,
}

macro_rules! acts {
    ($($verb:ident: $method:ident($request:ident)),+ $(,)?) => {
        $(pub(crate) async fn $verb(&mut self, who: Who, request: pb::$request) -> Hazard {
            let request = self.by(who, request);
            Ok(self.hazards.$method(request).await?.into_inner())
        })+
    };
}

impl Desk {
    pub(crate) async fn new(world: World) -> Self {
        roster(&world.db, &tree::tree(), 2).await;
        Self {
            hazards: HazardServiceClient::new(world.channel.clone()),
            accountability: AccountabilityServiceClient::new(world.channel.clone()),
            world,
        }
    }

    pub(crate) fn by<T>(&self, (number, role, scope): Who, message: T) -> Request<T> {
        self.world.by(&staff(number), role, scope, message)
    }

    acts! {
        report: report_hazard(ReportHazardRequest),
        get: get_hazard(GetHazardRequest),
        verify: verify_hazard(VerifyHazardRequest),
        dismiss: dismiss_hazard(DismissHazardRequest),
        control: control_hazard(ControlHazardRequest),
        assign: assign_hazard(AssignHazardRequest),
        hand_over: hand_over_hazard(HandOverHazardRequest),
        remind: remind_hazard(RemindHazardRequest),
        rectify: rectify_hazard(RectifyHazardRequest),
        submit: submit_hazard(SubmitHazardRequest),
        review: review_hazard(ReviewHazardRequest),
        close: close_hazard(CloseHazardRequest),
        give_back: return_hazard(ReturnHazardRequest),
        ask: request_hazard_extension(RequestHazardExtensionRequest),
        decide: decide_hazard_extension(DecideHazardExtensionRequest),
        supervise: supervise_hazard(SuperviseHazardRequest),
        watch: record_hazard_supervision(RecordHazardSupervisionRequest),
        lift: lift_hazard_supervision(LiftHazardSupervisionRequest),
    }

    /// The civil day `days` after today.
    pub(crate) fn day(&self, days: i64) -> proto::Date {
        to_date(self.date(days))
    }

    pub(crate) fn date(&self, days: i64) -> NaiveDate {
        self.world.clock.today() + chrono::Duration::days(days)
    }

    /// A picture that was taken just now.
    pub(crate) fn photo(&self, number: u8) -> pb::Photo {
        pb::Photo {
            sha256: vec![number; 32].into(),
            take_time: Some(to_timestamp(self.world.clock.now())),
            ..Default::default()
        }
    }

    /// Reports a blocked exit at a place of the first school and returns its name.
    pub(crate) async fn found(&mut self, place: &str) -> String {
        let request = self.blocked_exit(place);
        self.report(GUARD, request).await.expect("reported").name
    }

    pub(crate) fn blocked_exit(&self, place: &str) -> pb::ReportHazardRequest {
        pb::ReportHazardRequest {
            parent: SCHOOL.to_owned(),
            hazard: Some(pb::Hazard {
                category: pb::HazardCategory::Fire.into(),
                place: place.to_owned(),
                description: "三楼疏散通道堆放桌椅".to_owned(),
                photos: vec![self.photo(1)],
                ..Default::default()
            }),
            request_id: String::new(),
        }
    }

    /// Brings a reported hazard as far as RECTIFYING, due in five days.
    pub(crate) async fn rectifying(&mut self, name: &str, grade: pb::hazard::Grade) {
        self.verify(OFFICER, verify(name, grade))
            .await
            .expect("verified");
        self.control(OFFICER, control(name))
            .await
            .expect("controlled");
        let assign = self.fixes(name, 5);
        self.assign(OFFICER, assign).await.expect("assigned");
        self.rectify(OWNER, rectify(name)).await.expect("begun");
    }

    /// Brings a hazard in RECTIFYING to its end.
    pub(crate) async fn closed(&mut self, name: &str) -> pb::Hazard {
        let submit = self.submission(name, vec![self.photo(2)]);
        self.submit(OWNER, submit).await.expect("submitted");
        self.review(DISTRICT, review(name)).await.expect("reviewed");
        self.close(DISTRICT, close(name)).await.expect("closed")
    }

    pub(crate) fn fixes(&self, name: &str, days: i64) -> pb::AssignHazardRequest {
        pb::AssignHazardRequest {
            name: name.to_owned(),
            fixes: Some(pb::HazardFixes {
                owner: String::new(),
                measures: "清理通道并划线".to_owned(),
                budget_fen: Some(120_000),
                due_date: Some(self.day(days)),
                contingency_plan: "整改期间专人引导疏散".to_owned(),
            }),
            request_id: String::new(),
        }
    }

    pub(crate) fn submission(&self, name: &str, photos: Vec<pb::Photo>) -> pb::SubmitHazardRequest {
        pb::SubmitHazardRequest {
            name: name.to_owned(),
            submission: Some(pb::HazardSubmission {
                statement: "通道已清空".to_owned(),
                photos,
                ..Default::default()
            }),
            request_id: String::new(),
        }
    }
}

macro_rules! plain {
    ($($verb:ident: $request:ident { $($field:ident: $value:expr),* }),+ $(,)?) => {
        $(pub(crate) fn $verb(name: &str) -> pb::$request {
            pb::$request { name: name.to_owned(), $($field: $value,)* ..Default::default() }
        })+
    };
}

plain! {
    dismiss: DismissHazardRequest { reason: "经查不属于隐患".to_owned() },
    remind: RemindHazardRequest {},
    rectify: RectifyHazardRequest {},
    review: ReviewHazardRequest {},
    close: CloseHazardRequest {},
    give_back: ReturnHazardRequest { reason: "划线未完成".to_owned() },
    supervise: SuperviseHazardRequest { demand: "限期整改".to_owned() },
    watch: RecordHazardSupervisionRequest { finding: "现场已停用".to_owned() },
    lift: LiftHazardSupervisionRequest {},
}

pub(crate) fn get(name: &str) -> pb::GetHazardRequest {
    pb::GetHazardRequest {
        name: name.to_owned(),
    }
}

pub(crate) fn verify(name: &str, grade: pb::hazard::Grade) -> pb::VerifyHazardRequest {
    pb::VerifyHazardRequest {
        name: name.to_owned(),
        grade: grade.into(),
        ..Default::default()
    }
}

pub(crate) fn control(name: &str) -> pb::ControlHazardRequest {
    pb::ControlHazardRequest {
        name: name.to_owned(),
        control: Some(pb::HazardControl {
            measures: vec![pb::hazard_control::Measure::StopUse.into()],
            description: "封闭三楼东侧楼梯".to_owned(),
            ..Default::default()
        }),
        request_id: String::new(),
    }
}

/// The floor of a place, as a fact.
pub(crate) fn floor(number: i64) -> pb::HazardFact {
    pb::HazardFact {
        key: "floor".to_owned(),
        value: Some(pb::hazard_fact::Value::Number(number)),
    }
}

pub(crate) fn extension(name: &str, due: proto::Date) -> pb::RequestHazardExtensionRequest {
    pb::RequestHazardExtensionRequest {
        name: name.to_owned(),
        due_date: Some(due),
        reason: "防火门订货周期较长".to_owned(),
        request_id: String::new(),
    }
}

pub(crate) fn decision(name: &str, granted: bool) -> pb::DecideHazardExtensionRequest {
    pb::DecideHazardExtensionRequest {
        name: name.to_owned(),
        granted,
        reason: "情况属实".to_owned(),
        request_id: String::new(),
    }
}

/// The refusal of an act, with this reason and a Chinese sentence.
pub(crate) fn refused(answer: Hazard, reason: &str) -> Status {
    let status = answer.expect_err(reason);
    let (code, found, zh) = told(&status);
    assert_eq!((code, &*found), (Code::FailedPrecondition, reason));
    assert!(!zh.is_ascii(), "{zh}");
    status
}
