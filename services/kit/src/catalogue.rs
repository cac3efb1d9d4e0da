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
            "停课范围只能扩大，不能小于建议的范围",
            "the scope is narrower than the proposal",
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
        R::PersonCodeExpired => entry_of(
            FailedPrecondition,
            "身份码已于 {expire_date} 过期，请刷新后再试",
            "the code expired on {expire_date}",
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
