//! ResumptionService.

mod acts;
mod reads;

use kit::auth::{Caller, Permission};
use proto::safety as pb;
use proto::safety::resumption_service_server::ResumptionService;

use super::answered;
use super::convert::resumption as convert;
use crate::app::Site;
use crate::app::resumption::Resumptions;
use crate::error::Error;

/// Serves ResumptionService.
#[derive(Debug)]
pub(crate) struct ResumptionGrpc {
    app: Resumptions,
}

impl ResumptionGrpc {
    pub(crate) fn new(app: Resumptions) -> Self {
        Self { app }
    }
}

/// The collection of resumptions.
const RESUMPTIONS: &str = "resumptions";
/// The collection of batches.
const BATCHES: &str = "resumptionBatches";

/// The school of a resumption, and its place in the order.
async fn one(
    app: &Resumptions,
    caller: &Caller,
    permission: Permission,
    name: &str,
) -> Result<(Site, i16), Error> {
    let (id, position) = convert::numbered("name", RESUMPTIONS, name, &[])?;
    let site = match permission {
        Permission::ResumptionInspect | Permission::ResumptionApprove => {
            app.site_from_above(caller, permission, &id).await?
        }
        _ => app.site(caller, permission, &id).await?,
    };
    Ok((site, position))
}

answered! { ResumptionService for ResumptionGrpc:
    plan_resumption_batch(PlanResumptionBatchRequest) -> pb::ResumptionBatch
        = acts::plan_resumption_batch;
    get_resumption_batch(GetResumptionBatchRequest) -> pb::ResumptionBatch
        = reads::get_resumption_batch;
    list_resumption_batches(ListResumptionBatchesRequest) -> pb::ListResumptionBatchesResponse
        = reads::list_resumption_batches;
    schedule_resumption_batch(ScheduleResumptionBatchRequest) -> pb::ScheduleResumptionBatchResponse
        = acts::schedule_resumption_batch;
    get_resumption(GetResumptionRequest) -> pb::Resumption = reads::get_resumption;
    list_resumptions(ListResumptionsRequest) -> pb::ListResumptionsResponse
        = reads::list_resumptions;
    get_readiness(GetReadinessRequest) -> pb::Readiness = reads::get_readiness;
    list_resumption_answers(ListResumptionAnswersRequest) -> pb::ListResumptionAnswersResponse
        = reads::list_resumption_answers;
    list_resumption_standings(ListResumptionStandingsRequest) -> pb::ListResumptionStandingsResponse
        = reads::list_resumption_standings;
    get_resumption_figures(GetResumptionFiguresRequest) -> pb::ResumptionFigures
        = reads::get_resumption_figures;
    list_late_returns(ListLateReturnsRequest) -> pb::ListLateReturnsResponse
        = reads::list_late_returns;
    start_self_check(StartSelfCheckRequest) -> pb::Resumption = acts::start_self_check;
    answer_resumption_items(AnswerResumptionItemsRequest) -> pb::Readiness
        = acts::answer_resumption_items;
    sign_self_check(SignSelfCheckRequest) -> pb::Resumption = acts::sign_self_check;
    apply_for_inspection(ApplyForInspectionRequest) -> pb::Resumption = acts::apply_for_inspection;
    start_joint_inspection(StartJointInspectionRequest) -> pb::Resumption
        = acts::start_joint_inspection;
    sign_joint_inspection(SignJointInspectionRequest) -> pb::Resumption
        = acts::sign_joint_inspection;
    report_own_plan(ReportOwnPlanRequest) -> pb::Resumption = acts::report_own_plan;
    decide_own_plan(DecideOwnPlanRequest) -> pb::Resumption = acts::decide_own_plan;
    schedule_resumption(ScheduleResumptionRequest) -> pb::Resumption = acts::schedule_resumption;
    re_suspend(ReSuspendRequest) -> pb::ReSuspendResponse = acts::re_suspend;
}
