//! The words of every error: one sentence for people, one for developers, and the gRPC code.

use proto::error::ErrorReason;
use tonic::Code;

/// What a reason means to a caller. `{key}` in a sentence is filled from the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The gRPC status code.
    pub code: Code,
    /// The sentence for people, Chinese.
    pub zh: &'static str,
    /// The sentence for developers, English.
    pub en: &'static str,
}

const fn entry_of(code: Code, zh: &'static str, en: &'static str) -> Entry {
    Entry { code, zh, en }
}

/// The words of `reason`.
pub fn entry(reason: ErrorReason) -> Entry {
    use Code::{
        Aborted, AlreadyExists, DeadlineExceeded, FailedPrecondition, Internal, InvalidArgument,
        NotFound, PermissionDenied, ResourceExhausted, Unauthenticated, Unavailable, Unimplemented,
        Unknown,
    };
    use ErrorReason as R;
    match reason {
        // Every service.
        R::Unspecified => entry_of(Unknown, "未知错误", "unknown error"),
        R::InvalidField => entry_of(
            InvalidArgument,
            "填写的内容有误，请按提示修改",
            "invalid fields",
        ),
        R::InvalidPageToken => entry_of(
            InvalidArgument,
            "翻页标记无效，请从第一页重新查询",
            "invalid page token",
        ),
        R::RequestIdReused => entry_of(
            InvalidArgument,
            "请求编号已用于另一个请求，请换一个新的编号",
            "request_id was used for another request",
        ),
        R::ResumeTokenExpired => entry_of(
            FailedPrecondition,
            "续传标记已过期，请重新获取全量数据",
            "resume token expired, take a new snapshot",
        ),
        R::TokenInvalid => entry_of(Unauthenticated, "身份凭证无效，请重新登录", "invalid token"),
        R::TokenExpired => entry_of(Unauthenticated, "登录已过期，请重新登录", "token expired"),
        R::ScopeDenied => entry_of(
            PermissionDenied,
            "您无权在此范围内进行该操作",
            "permission {permission} denied at this place",
        ),
        R::NotFound => entry_of(NotFound, "未找到 {name}", "{name} not found"),
        R::AlreadyExists => entry_of(AlreadyExists, "{name} 已存在", "{name} already exists"),
        R::EtagMismatch => entry_of(
            Aborted,
            "{name} 已被他人修改，请刷新后再试",
            "{name} changed meanwhile",
        ),
        R::Conflict => entry_of(
            Aborted,
            "与他人的操作同时发生，请重试",
            "two writers met, try again",
        ),
        R::Overloaded => entry_of(
            ResourceExhausted,
            "系统繁忙，请稍后再试",
            "overloaded, try again later",
        ),
        R::RateLimited => entry_of(
            ResourceExhausted,
            "请求过于频繁，请按提示的时间稍后再试",
            "too many calls, wait for the delay given",
        ),
        R::Unavailable => entry_of(
            Unavailable,
            "服务暂时不可用，请稍后再试",
            "temporarily unavailable",
        ),
        R::Internal => entry_of(Internal, "系统内部错误，请联系管理员", "internal error"),
        R::UnknownMethod => entry_of(
            Unimplemented,
            "没有此接口：{path}",
            "no service answers to {path}",
        ),
        R::DeadlineExceeded => entry_of(DeadlineExceeded, "处理超时，请重试", "deadline exceeded"),
        R::MessageTooLarge => entry_of(
            ResourceExhausted,
            "提交的数据过大，请分批提交",
            "message too large",
        ),
        R::MessageMalformed => entry_of(
            InvalidArgument,
            "提交的数据格式无法识别",
            "malformed message",
        ),
        R::StorageFull => entry_of(
            ResourceExhausted,
            "存储空间已满，暂时只能查询",
            "storage is full",
        ),
        R::SecondFactorRequired => entry_of(
            Unauthenticated,
            "您的角色须通过双因素认证登录",
            "a role of this caller asks for a second factor",
        ),
        R::PartnerUnknown => entry_of(
            Unauthenticated,
            "证书未登记，或对接协议已到期，请联系管理员",
            "the client certificate is of no partner",
        ),
        // Roster.
        R::OrganizationNotEmpty => entry_of(
            FailedPrecondition,
            "{name} 之下还有在用的机构、班级或人员，不能关闭",
            "something below {name} is still active",
        ),
        R::OrganizationClosed => entry_of(
            FailedPrecondition,
            "{name} 已关闭，不能进行该操作",
            "{name} is closed",
        ),
        R::OrganizationKind => entry_of(
            FailedPrecondition,
            "{name} 的机构类型不允许该操作",
            "the kind of {name} does not allow this",
        ),
        R::ClassGroupGraduated => entry_of(
            FailedPrecondition,
            "{name} 已毕业，不能进行该操作",
            "{name} has finished its stage",
        ),
        R::StudentNotEnrolled => entry_of(
            FailedPrecondition,
            "{name} 已不在册，不能进行该操作",
            "{name} is not on a roll",
        ),
        R::PersonRegistered => entry_of(
            FailedPrecondition,
            "该证件号已登记，请办理转学或调动",
            "the identity number is registered already",
        ),
        R::StaffMemberDismissed => entry_of(
            FailedPrecondition,
            "{name} 已离职，不能进行该操作",
            "{name} no longer works there",
        ),
        R::ResponsibilityUnowned => entry_of(
            FailedPrecondition,
            "{organization} 的 {subject} 将无人负责，请先指定接任者",
            "nobody answers for {subject} at {organization}",
        ),
        R::ResponsibilityOrder => entry_of(
            FailedPrecondition,
            "交接时间应晚于现任责任人的开始时间 {start_time}",
            "the present holder began at {start_time}",
        ),
        R::PolicyBelowFloor => entry_of(
            InvalidArgument,
            "政策低于法定底线，只能收紧，不能放宽",
            "a legal floor may be tightened, never loosened",
        ),
        R::PolicyWrongState => entry_of(
            FailedPrecondition,
            "{name} 不是待生效的提案",
            "{name} is not a proposal",
        ),
        R::PolicyNone => entry_of(
            FailedPrecondition,
            "{organization} 在 {date} 没有生效的政策",
            "no policy is in force at {organization} on {date}",
        ),
        R::ImportState => entry_of(
            FailedPrecondition,
            "导入任务当前状态为 {state}，不能进行该操作",
            "the import job is {state}",
        ),
        R::ImportGap => entry_of(
            FailedPrecondition,
            "中间有行缺失，请从第 {durable_row} 行之后继续发送",
            "rows are missing after row {durable_row}",
        ),
        R::ImportVanishThreshold => entry_of(
            FailedPrecondition,
            "将离册 {vanished} 人（共 {known} 人），超过阈值；核对后请明确允许",
            "{vanished} of {known} people would vanish, more than the threshold",
        ),
        R::ImportPlanStale => entry_of(
            FailedPrecondition,
            "比对之后名册已有变动，请重新比对或重新发送",
            "the register changed since the comparison",
        ),
        R::ImportChangedSince => entry_of(
            FailedPrecondition,
            "该批次写入的内容中有 {changed} 项之后又有变动，不能整批撤回",
            "{changed} of what the job wrote changed since",
        ),
        R::EmergencyOpen => entry_of(
            FailedPrecondition,
            "应急状态 {name} 尚未终止",
            "{name} is open",
        ),
        R::EmergencyEnded => entry_of(
            FailedPrecondition,
            "应急状态 {name} 已经终止",
            "{name} has ended",
        ),
        R::DestructionState => entry_of(
            FailedPrecondition,
            "销毁任务当前状态为 {state}，不能这样操作",
            "the destruction job is {state}",
        ),
        R::DestructionUnderWay => entry_of(
            FailedPrecondition,
            "该应急状态已有销毁任务 {name}",
            "{name} destroys this already",
        ),
        R::DestructionSamePerson => entry_of(
            FailedPrecondition,
            "必须由另一人办理：提出、评估、批准、执行须由不同的人负责",
            "another person has to do this",
        ),
        R::DestructionIncomplete => entry_of(
            FailedPrecondition,
            "服务 {service} 尚未报告销毁结果，或仍有数据未销毁",
            "{service} has not reported or left something",
        ),
        R::DestructionBackups => entry_of(
            FailedPrecondition,
            "旧备份中仍可读出 {exposed} 条记录，请先删除这些备份",
            "old backups still show {exposed} records",
        ),
        R::DestructionCategory => entry_of(
            InvalidArgument,
            "服务 {service} 没有数据类别 {category}",
            "{service} has no category {category}",
        ),
        R::AccessState => entry_of(
            FailedPrecondition,
            "查阅审批当前状态为 {state}，不能这样操作",
            "the approval is {state}",
        ),
        R::AccessSamePerson => entry_of(
            FailedPrecondition,
            "必须由另一人办理：申请人不能审批自己的申请，也只有申请人可以撤回",
            "another person has to do this",
        ),
        R::AccessNotApproved => entry_of(
            PermissionDenied,
            "批量或超出日常用途查阅 {organization} 未成年人的数据，须先由他人批准，并注明用途",
            "no approval in force covers {data} of {organization} for the purpose `{purpose}`",
        ),
        R::SubjectRequestState => entry_of(
            FailedPrecondition,
            "个人信息请求当前状态为 {state}，不能这样操作",
            "the request is {state}",
        ),
        R::SubjectRequestIncomplete => entry_of(
            FailedPrecondition,
            "答复须逐一说明每个服务持有的信息，且各一次：{service}",
            "the answer does not tell once of {service}",
        ),
        // Sampling.
        R::NoSchoolDay => entry_of(
            FailedPrecondition,
            "{date} 不是上课日，不抽样",
            "{date} is no school day",
        ),
        R::DrawNotToday => entry_of(
            FailedPrecondition,
            "只能抽取当天的样本，{date} 不是今天",
            "{date} is not today",
        ),
        R::PlanNotActive => entry_of(
            FailedPrecondition,
            "抽样方案 {name} 当前未生效",
            "{name} is not active",
        ),
        R::DrawClosed => entry_of(
            FailedPrecondition,
            "{name} 已封存并公布，不能再更改",
            "{name} is closed",
        ),
        R::NotAssigned => entry_of(
            FailedPrecondition,
            "此人不在 {name} 的待采名单中，或已被替换",
            "the person is not called in {name}",
        ),
        R::AlreadySampled => entry_of(
            FailedPrecondition,
            "此人今天已采样（{name}）",
            "already sampled today in {name}",
        ),
        R::PolicyUnknown => entry_of(
            FailedPrecondition,
            "尚未取得 {org_path} 的防控政策，请确认学籍服务已同步",
            "no policy is known at {org_path}",
        ),
        R::DrawNotClosed => entry_of(
            FailedPrecondition,
            "{name} 尚未封存，不能公布",
            "{name} is not closed",
        ),
        R::TubeState => entry_of(
            FailedPrecondition,
            "采样管当前状态为 {state}，不能进行该操作",
            "the tube is {state}",
        ),
        R::TubeFull => entry_of(
            FailedPrecondition,
            "采样管已满（{capacity} 人份），请换新管",
            "the tube is full at {capacity}",
        ),
        R::TubeClassMixed => entry_of(
            FailedPrecondition,
            "不同班级不得混入同一采样管",
            "the tube is for another class group",
        ),
        R::SingleOnly => entry_of(
            FailedPrecondition,
            "此人须单人单管采样，不得混采",
            "the person must be swabbed alone",
        ),
        R::DuplicateSwab => entry_of(
            FailedPrecondition,
            "此人今天已在采样管 {tube} 中",
            "the person is in {tube} already",
        ),
        R::TubeEmpty => entry_of(FailedPrecondition, "空管不能封管", "the tube is empty"),
        R::CustodySignatures => entry_of(
            FailedPrecondition,
            "转运人与接收人须双签、不得为同一人，且转运人须与交接时一致",
            "courier and receiver must both sign",
        ),
        R::ResultConflict => entry_of(
            FailedPrecondition,
            "采样管 {tube} 的同一报告版本已有不同结果，请用新版本更正",
            "this version of the report says something else for {tube}",
        ),
        R::HoldState => entry_of(
            FailedPrecondition,
            "管控当前状态为 {state}，不能进行该操作",
            "the hold is {state}",
        ),
        R::PointState => entry_of(
            FailedPrecondition,
            "采样点当前状态为 {state}，不能进行该操作",
            "the sampling point is {state}",
        ),
        R::ReportingSignalState => entry_of(
            FailedPrecondition,
            "该提示当前状态为 {state}，不能进行该操作",
            "the signal is {state}",
        ),
        R::CheckSlot => entry_of(
            FailedPrecondition,
            "按现行政策，该对象没有 {slot} 这一检",
            "no {slot} check is held there",
        ),
        R::CheckDay => entry_of(
            FailedPrecondition,
            "只能提交今天及此前 7 天的晨午晚检，{date} 不在范围内",
            "{date} is not within the last 7 days",
        ),
        R::CheckClientIdReused => entry_of(
            InvalidArgument,
            "该检查编号已用于另一份内容，请更正后重新提交",
            "client_id was used for another content",
        ),
        R::CheckSubmissions => entry_of(
            FailedPrecondition,
            "该检查最多提交 {most} 次，不能再提交，请联系学校疫情报告人核实",
            "submitted {most} times, which is the most",
        ),
        R::ReporterNotExamined => entry_of(
            FailedPrecondition,
            "您还没有通过本学期的班级报告人考核，请联系学校疫情报告人",
            "no valid examination at {name}",
        ),
        R::AbsenceState => entry_of(
            FailedPrecondition,
            "缺勤登记当前状态为 {state}，不能进行该操作",
            "the absence is {state}",
        ),
        R::ReturnNotCleared => entry_of(
            FailedPrecondition,
            "校医尚未同意此人返校",
            "the school doctor has not cleared the person",
        ),
        R::MedicalState => entry_of(
            FailedPrecondition,
            "此人当前的健康管理环节不能进行该操作",
            "not from where the person stands now",
        ),
        R::ReturnTooEarly => entry_of(
            FailedPrecondition,
            "尚未满足返校条件",
            "the conditions of the return are not met",
        ),
        R::AppealState => entry_of(
            FailedPrecondition,
            "没有可申诉的决定，或没有待裁定的申诉",
            "nothing to appeal against, or no appeal to decide",
        ),
        R::ObservationNotNormal => entry_of(
            FailedPrecondition,
            "体温未连续正常或仍有症状，不能解除观察",
            "readings are not normal, or there are symptoms",
        ),
        R::ClusterState => entry_of(
            FailedPrecondition,
            "聚集性疫情当前状态为 {state}，不能进行该操作",
            "the cluster is {state}",
        ),
        R::SuspensionState => entry_of(
            FailedPrecondition,
            "停课建议当前状态为 {state}，不能进行该操作",
            "the suspension is {state}",
        ),
        R::SuspensionScope => entry_of(
            FailedPrecondition,
            "停课范围不能小于建议的范围；缩小现有范围时须列明仍停课的班级",
            "the scope is narrower than it is, or leaves out who was proposed",
        ),
        R::SuspensionReturned => entry_of(
            FailedPrecondition,
            "复课日已到，停课不能再调整；如需继续停课，请另行决定",
            "the day of return has come",
        ),
        R::SuspensionAmendments => entry_of(
            FailedPrecondition,
            "停课最多调整 {most} 次，不能再调整",
            "amended {most} times, which is the most",
        ),
        R::SimulationTooLarge => entry_of(
            FailedPrecondition,
            "该时段记录共 {signs} 条，超过一次推演上限 {most} 条，请缩小机构范围或时段",
            "{signs} signs in the period, at most {most} are replayed at once",
        ),
        R::CaseState => entry_of(
            FailedPrecondition,
            "病例当前状态为 {state}，不能进行该操作",
            "the case is {state}",
        ),
        R::CaseDecidedAbove => entry_of(
            PermissionDenied,
            "该病例已确诊、由检测发现、属紧急报告或已上报，须由疾控机构或上级部门决定",
            "only above the school is this decided of a case that was confirmed, came from a \
             laboratory, is urgent or was reported",
        ),
        R::ControlState => entry_of(
            FailedPrecondition,
            "管控措施当前状态为 {state}，不能进行该操作",
            "the control is {state}",
        ),
        R::ReportOrder => entry_of(
            FailedPrecondition,
            "报告须先初报、再续报、后终报，现在不能提交 {kind}",
            "a {kind} report is out of order",
        ),
        R::ReportLevel => entry_of(
            FailedPrecondition,
            "报告尚未到达 {level} 一级",
            "the report is not at {level}",
        ),
        R::AssayUnknown => entry_of(
            FailedPrecondition,
            "现行政策没有 {disease} 的检测项目",
            "the policy has no test for {disease}",
        ),
        R::AssayNotPooled => entry_of(
            FailedPrecondition,
            "{disease} 检测不得混采，请使用单管",
            "samples for {disease} may not share a tube",
        ),
        R::AssayDiffers => entry_of(
            FailedPrecondition,
            "复核单管的检测项目与原管不同",
            "the tube tests for another disease than the hold",
        ),
        // Safety inspection.
        R::GateDecisionOverridden => entry_of(
            FailedPrecondition,
            "{name} 已被人工改判",
            "{name} was overridden before",
        ),
        R::GateOverrideSameResult => entry_of(
            FailedPrecondition,
            "{name} 的改判结果与原结果相同",
            "the override of {name} does not differ",
        ),
        R::GateRecheckTooEarly => entry_of(
            FailedPrecondition,
            "未到复测时间，请在 {due_time} 之后复测",
            "the second reading is due at {due_time}",
        ),
        R::GateNotObserved => entry_of(
            FailedPrecondition,
            "{name} 不是该人员的留观记录，不能据此复测",
            "{name} did not send this person to observation",
        ),
        R::GateOverrideUnrelated => entry_of(
            FailedPrecondition,
            "{name} 不是本校人员，不能改判放行，请办理访客登记",
            "{name} is of somebody unknown or of another organisation, who enters as a visitor or not at all",
        ),
        R::GateOverrideDayOver => entry_of(
            FailedPrecondition,
            "{name} 的核验日已过，不能改判放行，请重新核验",
            "the day of {name} is over, the person is checked anew",
        ),
        R::GateObservationOpen => entry_of(
            FailedPrecondition,
            "该人员正在留观，请在 {due_time} 之后依据 {name} 复测",
            "the person waits, the recheck goes on from {name} at {due_time}",
        ),
        R::PersonCodeExpired => entry_of(
            FailedPrecondition,
            "身份码已于 {expire_date} 过期，请刷新后再试",
            "the code expired on {expire_date}",
        ),
        R::HazardState => entry_of(
            FailedPrecondition,
            "隐患当前状态为 {state}，不能进行该操作",
            "the hazard is {state}",
        ),
        R::HazardControlMissing => entry_of(
            FailedPrecondition,
            "重大隐患须先停用或撤离人员（当前状态为 {state}），不能跳过临时管控",
            "the major hazard, which is {state}, must be put out of use or evacuated first",
        ),
        R::HazardSamePerson => entry_of(
            FailedPrecondition,
            "该操作须由另一人进行：上报人、整改责任人、提交人和申请人不能自行办理",
            "somebody else than the {part} must do this",
        ),
        R::HazardLevelTooLow => entry_of(
            FailedPrecondition,
            "该操作须由 {level} 级或以上部门进行",
            "this is done at {level} or above",
        ),
        R::HazardAfterPhotoMissing => entry_of(
            FailedPrecondition,
            "销号须有整改后拍摄的照片，且不能与整改前的照片相同",
            "closing needs a picture taken after the removal, other than those before",
        ),
        R::HazardDeadline => entry_of(
            FailedPrecondition,
            "整改期限不能早于今天或现有期限，且最迟为 {latest_date}",
            "the deadline must not be in the past and may be {latest_date} at the latest",
        ),
        R::HazardExtensionLimit => entry_of(
            FailedPrecondition,
            "整改期限最多可延长 {max} 次",
            "the deadline may be extended {max} times",
        ),
        R::HazardExtensionState => entry_of(
            FailedPrecondition,
            "延期申请当前为 {state}，不能进行该操作",
            "the extension is {state}",
        ),
        R::HazardNotMajor => entry_of(
            FailedPrecondition,
            "只有重大隐患才挂牌督办",
            "only major hazards are supervised",
        ),
        R::HazardSupervisionState => entry_of(
            FailedPrecondition,
            "该隐患的挂牌督办级别为 {list}，不能进行该操作",
            "the hazard is on this list: {list}",
        ),
        R::HazardUnowned => entry_of(
            FailedPrecondition,
            "没有指定整改责任人，且责任链上无人负责，请先落实责任人",
            "no owner is named and nobody answers for the hazard",
        ),
        R::ChecklistState => entry_of(
            FailedPrecondition,
            "检查表当前状态为 {state}，不能进行该操作",
            "the checklist is {state}",
        ),
        R::ChecklistAddition => entry_of(
            FailedPrecondition,
            "补充检查表只能在上级已发布的检查表上增加新项目，不能重复、修改或删减：{subject}",
            "a checklist only adds items to a published one of an organisation above: {subject}",
        ),
        R::ChecklistNotApplicable => entry_of(
            FailedPrecondition,
            "{name} 在该单位未生效，或不适用于此类场所",
            "{name} is not in force there or not for such a place",
        ),
        R::InspectionState => entry_of(
            FailedPrecondition,
            "检查当前状态为 {state}，不能进行该操作",
            "the inspection is {state}",
        ),
        R::InspectionOwnPlace => entry_of(
            FailedPrecondition,
            "场所责任人不能代表主管部门检查自己负责的场所",
            "whoever answers for the place does not inspect it from outside",
        ),
        R::InspectionInspector => entry_of(
            FailedPrecondition,
            "只有本次检查的检查人可以进行该操作",
            "only the inspector does this",
        ),
        R::InspectionIncomplete => entry_of(
            FailedPrecondition,
            "还有 {outstanding} 项未检查，第一项为 {item}",
            "{outstanding} items are not answered, the first is {item}",
        ),
        R::InspectionNotAnswerable => entry_of(
            FailedPrecondition,
            "只有场所责任人可以确认检查结果或提出异议",
            "only whoever answers for the place confirms or disputes",
        ),
        R::CampaignState => entry_of(
            FailedPrecondition,
            "专项检查当前状态为 {state}，不能进行该操作",
            "the campaign is {state}",
        ),
        R::CampaignNoTargets => entry_of(
            FailedPrecondition,
            "范围内没有适用该检查表的单位或场所",
            "nothing below is of the kinds of the checklist",
        ),
        R::DrillState => entry_of(
            FailedPrecondition,
            "演练当前状态为 {state}，不能进行该操作",
            "the drill is {state}",
        ),
        R::DrillHeadcount => entry_of(
            FailedPrecondition,
            "清点须覆盖每个参演班级和教职工，且各一次：{group}",
            "every group is counted once: {group}",
        ),
        R::DrillHeadcountNumbers => entry_of(
            FailedPrecondition,
            "{group} 的缺席人数多于列出的未到人员，或列出的人员不属于该类",
            "more of {group} are absent than are named as missing, or others are named",
        ),
        R::DrillStillMissing => entry_of(
            FailedPrecondition,
            "仍有 {count} 人未找到，不能结束演练",
            "{count} are still missing",
        ),
        R::DrillReviewer => entry_of(
            FailedPrecondition,
            "演练负责人和发令人不能评估本次演练",
            "whoever leads a drill does not review it",
        ),
        R::DrillNoParticipants => entry_of(
            FailedPrecondition,
            "名册上没有可参加本次演练的人员",
            "nobody is expected to take part",
        ),
        R::DrillNotMissing => entry_of(
            FailedPrecondition,
            "该人员不在未找到名单中",
            "nobody misses this person",
        ),
        R::DutyState => entry_of(
            FailedPrecondition,
            "当前状态为 {state}，不能进行该操作",
            "it is {state}",
        ),
        R::DutyGap => entry_of(
            FailedPrecondition,
            "值班出现空档：{start_time} 至 {end_time} 无人值班",
            "nobody is on duty from {start_time} to {end_time}",
        ),
        R::DutyTooFew => entry_of(
            FailedPrecondition,
            "{start_time} 开始的班次除带班领导外仅有 {count} 人，至少需要 {required} 人",
            "the shift of {start_time} has {count} people beside its leader, not {required}",
        ),
        R::DutyOverlap => entry_of(
            FailedPrecondition,
            "有人被安排在同一时间的两个班次（{start_time} 开始）",
            "somebody would be on two shifts at {start_time}",
        ),
        R::DutyKeyPost => entry_of(
            FailedPrecondition,
            "{start_time} 开始的班次缺少重点岗位 {post}",
            "the shift of {start_time} has nobody as {post}",
        ),
        R::DutyRosterOverlap => entry_of(
            FailedPrecondition,
            "同一时段已有发布的值班表：{name}",
            "a published roster covers this time: {name}",
        ),
        R::DutyTime => entry_of(
            FailedPrecondition,
            "该操作只能在 {start_time} 至 {end_time} 之间进行",
            "only from {start_time} to {end_time}",
        ),
        R::DutyPerson => entry_of(
            FailedPrecondition,
            "该操作须由规定的人员办理",
            "not for this person",
        ),
        R::StaffMemberUnknown => entry_of(
            FailedPrecondition,
            "名册中没有在职教职工 {name}",
            "the register knows no {name} at work",
        ),
        R::DutyHandover => entry_of(
            FailedPrecondition,
            "尚无书面交接记录，或没有后续班次可以接班",
            "there is no written handover, or no shift follows",
        ),
        R::DutySwapTooLate => entry_of(
            FailedPrecondition,
            "调班须至少提前一天申请，最迟 {latest_time}",
            "a swap is asked for by {latest_time}",
        ),
        R::VisitState => entry_of(
            FailedPrecondition,
            "访客预约当前状态为 {state}，不能进行该操作",
            "the visit is {state}",
        ),
        R::VisitHost => entry_of(
            FailedPrecondition,
            "接待人 {host} 不是本校在岗教职工，无关人员不得入校",
            "{host} is no member of staff at work at this school",
        ),
        R::VisitApprover => entry_of(
            FailedPrecondition,
            "该审批环节（{step}）不能由此人办理：须由接待人本人确认，并由另一人完成防疫审批",
            "the step {step} is not for this person: the host confirms, somebody else approves",
        ),
        R::VisitPass => entry_of(
            FailedPrecondition,
            "访客码无效（{cause}），请出示当日实时访客码，截图无效",
            "the pass is not valid: {cause}",
        ),
        R::VisitorNotVerified => entry_of(
            FailedPrecondition,
            "访客身份未核实（{verification}），请核对证件原件后再确认",
            "the visitor is not verified: {verification}",
        ),
        R::WeatherWarningRefused => entry_of(
            FailedPrecondition,
            "该预警文件不予受理（{cause}）：应为正式发布、与天气或地质灾害有关，且写明级别和区域",
            "the document warns of nothing here: {cause}",
        ),
        R::WeatherResponseState => entry_of(
            FailedPrecondition,
            "应急响应当前状态为 {state}，不能进行该操作",
            "the response level is {state}",
        ),
        R::WeatherState => entry_of(
            FailedPrecondition,
            "该单位当前的天气应对状态为 {state}，不能进行该操作",
            "the weather state of the organisation is {state}",
        ),
        R::WeatherTaskState => entry_of(
            FailedPrecondition,
            "任务当前状态为 {state}，不能进行该操作",
            "the task is {state}",
        ),
        R::WeatherSuspensionState => entry_of(
            FailedPrecondition,
            "停课决定当前状态为 {state}，不能进行该操作",
            "the suspension is {state}",
        ),
        R::WeatherNobodyWarned => entry_of(
            FailedPrecondition,
            "该范围内没有单位处于预警中，不能作出停课决定",
            "nobody in the area is warned",
        ),
        R::WeatherHigherAuthority => entry_of(
            FailedPrecondition,
            "该停课由上级（{authority}）决定，只能由其解除",
            "a higher authority decided: {authority}",
        ),
        R::WeatherPostCheckIncomplete => entry_of(
            FailedPrecondition,
            "复课前检查尚未完成：{missing}",
            "the check after the weather is not complete: {missing}",
        ),
        R::WeatherLevelHolds => entry_of(
            FailedPrecondition,
            "当前天气级别为 {level}，按规定停课，级别降低或解除后才能恢复教学",
            "the level that holds suspends: {level}",
        ),
        R::MutualAidSize => entry_of(
            FailedPrecondition,
            "互助组应有 {min} 至 {max} 所学校",
            "a mutual-aid group has {min} to {max} members",
        ),
        R::MutualAidMember => entry_of(
            FailedPrecondition,
            "{organization} 不能加入该互助组：应为本辖区的学校，且不在其他互助组中",
            "{organization} cannot be a member of this group",
        ),
        R::IncidentState => entry_of(
            FailedPrecondition,
            "事件当前状态为 {state}，不能进行该操作",
            "the incident is {state}",
        ),
        R::IncidentLevelFloor => entry_of(
            FailedPrecondition,
            "按伤亡和损失，事件级别不得低于 {floor} 级，不能定为 {level} 级",
            "the casualties demand level {floor}, not {level}",
        ),
        R::IncidentSameLevel => entry_of(
            FailedPrecondition,
            "事件已是 {level} 级",
            "the incident is of level {level}",
        ),
        R::IncidentSupplementOver => entry_of(
            FailedPrecondition,
            "伤亡补报期已于 {end_time} 结束",
            "casualties could be supplemented until {end_time}",
        ),
        R::IncidentOverLevel => entry_of(
            FailedPrecondition,
            "{receiver} 尚未签收；如需越级上报，请在初报中写明理由",
            "{receiver} has not received, and no over-level reason was given",
        ),
        R::IncidentSecondPerson => entry_of(
            FailedPrecondition,
            "发现或处置该事件的人员不能由本人核销或复盘，请由他人办理",
            "whoever noticed or handled an incident neither dismisses nor reviews it",
        ),
        R::IncidentReviewLevel => entry_of(
            FailedPrecondition,
            "{level} 级事件应由教育行政部门复盘，学校不能自行复盘",
            "a school does not review an incident of level {level}",
        ),
        R::IncidentUntold => entry_of(
            FailedPrecondition,
            "尚未告知 {receiver}，不能结案",
            "{receiver} does not know of the incident yet",
        ),
        R::IncidentHasCasualties => entry_of(
            FailedPrecondition,
            "已有人员伤亡或财产损失，不能按误报核销",
            "somebody or something came to harm",
        ),
        R::IncidentReceiver => entry_of(
            FailedPrecondition,
            "该事件不以此方式报送 {receiver}",
            "the incident does not go to {receiver} this way",
        ),
        R::ProtectionState => entry_of(
            FailedPrecondition,
            "防护档案当前状态为 {state}，不能进行该操作",
            "the newest version is {state}",
        ),
        R::ProtectionSuperseded => entry_of(
            FailedPrecondition,
            "防护档案已更新为第 {version} 版，请重新查看",
            "version {version} is the newest",
        ),
        R::ProtectionSelfConfirmation => entry_of(
            FailedPrecondition,
            "填报人不能确认或退回自己填报的防护档案",
            "who declared a version does not judge it",
        ),
        R::SupplyInsufficient => entry_of(
            FailedPrecondition,
            "可用库存不足，目前仅有 {available}",
            "only {available} are there to take",
        ),
        R::SupplyBelowMinimum => entry_of(
            FailedPrecondition,
            "调出后将低于本单位最低储备，最多可调出 {spare}",
            "only {spare} are above the minimum of the giver",
        ),
        R::SupplyTransferState => entry_of(
            FailedPrecondition,
            "调拨单当前状态为 {state}，不能进行该操作",
            "the transfer is {state}",
        ),
        R::SupplyLimit => entry_of(
            FailedPrecondition,
            "库存超过上限 {most}，请核对数量",
            "more than {most} would be there",
        ),
        R::ShelterState => entry_of(
            FailedPrecondition,
            "避险场所当前状态为 {state}，不能进行该操作",
            "the shelter is {state}",
        ),
        R::IsolationRoomState => entry_of(
            FailedPrecondition,
            "隔离室当前状态为 {state}，不能进行该操作",
            "the isolation room is {state}",
        ),
        R::CampusRequired => entry_of(
            FailedPrecondition,
            "{name} 没有校园或已关闭，不能进行该操作",
            "{name} has no campus or is closed",
        ),
        R::ResumptionState => entry_of(
            FailedPrecondition,
            "复课申请当前状态为 {state}，不能进行该操作",
            "the resumption is {state}",
        ),
        R::ResumptionBlocked => entry_of(
            FailedPrecondition,
            "有 {count} 项复课条件不满足：{blocks}",
            "{count} conditions of resumption are not met: {blocks}",
        ),
        R::ResumptionOrder => entry_of(
            FailedPrecondition,
            "与第 {position} 批的返校先后顺序不符",
            "out of order with batch {position}",
        ),
        R::ResumptionInspector => entry_of(
            FailedPrecondition,
            "您不是本次联合核验中该部门指定的核验人",
            "not named for a department of this inspection, or not of it",
        ),
        R::ResumptionSigned => entry_of(
            FailedPrecondition,
            "该部门已签署核验意见，不能再次签署",
            "the department has signed",
        ),
        R::ResumptionDay => entry_of(
            FailedPrecondition,
            "不能早于本批计划返校日期 {planned_date}",
            "not before {planned_date}, the day that is planned for the batch",
        ),
        R::ResumptionOwnSchool => entry_of(
            FailedPrecondition,
            "不能核验或批准本校或由本人签署的复课申请",
            "nobody inspects or approves what they signed for, or at their own school",
        ),
        R::ResumptionNobody => entry_of(
            FailedPrecondition,
            "当前返校顺序中没有该批次，或该批次在此范围内没有对应的年级",
            "the order has no such batch, or it concerns nobody there",
        ),
        // Notification.
        R::AlertState => entry_of(
            FailedPrecondition,
            "预警当前状态为 {state}，不能进行该操作",
            "the alert is {state}",
        ),
        R::AlertFactStands => entry_of(
            FailedPrecondition,
            "{basis} 尚未解除，预警不能办结",
            "{basis} still stands",
        ),
        R::DirectiveState => entry_of(
            FailedPrecondition,
            "通知当前状态为 {state}，不能进行该操作",
            "the directive is {state}",
        ),
        R::DirectiveSelfApproval => entry_of(
            FailedPrecondition,
            "起草人不能审批自己起草的通知",
            "the author does not approve",
        ),
        R::DirectiveNoRecipients => entry_of(
            FailedPrecondition,
            "发送范围内没有接收单位",
            "no organisation at or below the audience",
        ),
        R::DirectiveNotRelayed => entry_of(
            FailedPrecondition,
            "上级单位 {upper} 尚未转发该通知",
            "{upper} has not relayed the directive",
        ),
        R::DirectiveTextChanged => entry_of(
            FailedPrecondition,
            "转发的正文与原文不一致，不得改动",
            "the text to relay is not that of the directive",
        ),
        R::DirectiveChildrenOutstanding => entry_of(
            FailedPrecondition,
            "下级单位仅完成 {accepted} 个，需达到 {required} 个",
            "{accepted} of {required} recipients below are accepted",
        ),
        R::DirectiveRecipientState => entry_of(
            FailedPrecondition,
            "本单位办理状态为 {state}，不能进行该操作",
            "the recipient is {state}",
        ),
        R::DirectiveItemsOutstanding => entry_of(
            FailedPrecondition,
            "事项 {item} 尚未办结，不能报告办结",
            "item {item} is not finished",
        ),
        R::DirectiveItemUnknown => entry_of(
            FailedPrecondition,
            "该通知没有事项 {item}",
            "the directive has no item {item}",
        ),
        R::MeetingState => entry_of(
            FailedPrecondition,
            "会议当前状态为 {state}，不能进行该操作",
            "the meeting is {state}",
        ),
        R::AttendanceState => entry_of(
            FailedPrecondition,
            "参会状态为 {state}，不能进行该操作",
            "the attendance is {state}",
        ),
        R::AttendanceSubstitute => entry_of(
            FailedPrecondition,
            "代会须先经批准",
            "a substitute needs approval",
        ),
        R::TemplateValues => entry_of(
            FailedPrecondition,
            "模板变量 {variable} 缺失、多余或类型不符",
            "variable {variable} is missing, unknown or of another type",
        ),
        R::ChannelExercise => entry_of(
            FailedPrecondition,
            "通道 {channel} 不能用于演练消息，或只能用于演练消息",
            "channel {channel} and the message differ in being an exercise",
        ),
        R::MessageState => entry_of(
            FailedPrecondition,
            "消息当前状态为 {state}，不能进行该操作",
            "the message is {state}",
        ),
        R::ConcernState => entry_of(
            FailedPrecondition,
            "诉求当前状态为 {state}，不能进行该操作",
            "the concern is {state}",
        ),
        R::ConcernAssignee => entry_of(
            FailedPrecondition,
            "该人员不能办理此诉求",
            "this person may not answer the concern",
        ),
        R::SupportCaseState => entry_of(
            FailedPrecondition,
            "心理支持个案当前状态为 {state}，不能进行该操作",
            "the case is {state}",
        ),
        R::SupportCaseGrade => entry_of(
            FailedPrecondition,
            "{grade} 级个案不能结案，请先降级",
            "a {grade} case is not ended",
        ),
        R::SupportCaseGuardian => entry_of(
            FailedPrecondition,
            "转介学生前须先告知其监护人并登记",
            "the guardian of a pupil is told before a referral",
        ),
        R::CareTaskState => entry_of(
            FailedPrecondition,
            "关爱任务当前状态为 {state}，不能进行该操作",
            "the task is {state}",
        ),
        R::WarningChain => entry_of(
            FailedPrecondition,
            "没有可更新或取消的前序预警：{identifier}",
            "nothing to update or cancel: {identifier}",
        ),
    }
}

/// Which service a reason belongs to, as `ErrorInfo.domain` says it.
pub fn domain(reason: ErrorReason) -> &'static str {
    match i32::from(reason) / 100 {
        1 => "roster.campus",
        2 => "sampling.campus",
        3 => "safety.campus",
        4 => "notification.campus",
        _ => "campus",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_both_sentences_with_the_same_keys() {
        for reason in (0..500).filter_map(|number| ErrorReason::try_from(number).ok()) {
            let Entry { zh, en, .. } = entry(reason);
            assert!(!zh.is_ascii(), "{reason:?} has no Chinese sentence");
            assert!(!en.is_empty(), "{reason:?} has no English sentence");
            for key in zh
                .split('{')
                .skip(1)
                .filter_map(|rest| rest.split('}').next())
            {
                assert!(
                    en.contains(&format!("{{{key}}}")),
                    "{reason:?} lacks {key} in English"
                );
            }
        }
    }
}
