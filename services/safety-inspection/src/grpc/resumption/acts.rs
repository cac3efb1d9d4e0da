//! What is done with batches and resumptions.

use kit::auth::{Caller, Permission};
use proto::safety as pb;

use super::{BATCHES, one};
use crate::app::resumption::Resumptions;
use crate::error::Error;
use crate::grpc::convert::resumption as convert;

pub(super) async fn plan_resumption_batch(
    app: &Resumptions,
    caller: &Caller,
    request: pb::PlanResumptionBatchRequest,
) -> Result<pb::ResumptionBatch, Error> {
    let id = convert::organization("parent", &request.parent)?;
    let permission = Permission::ResumptionApprove;
    let site = app.site(caller, permission, &id).await?;
    let plan = convert::plan(&request)?;
    let once = (&*request.request_id, &request);
    app.plan(caller, &site, plan, once, convert::batch).await
}

pub(super) async fn schedule_resumption_batch(
    app: &Resumptions,
    caller: &Caller,
    request: pb::ScheduleResumptionBatchRequest,
) -> Result<pb::ScheduleResumptionBatchResponse, Error> {
    let (id, position) = convert::numbered("name", BATCHES, &request.name, &[])?;
    let permission = Permission::ResumptionApprove;
    let site = app.site_from_above(caller, permission, &id).await?;
    let day = convert::optional_day("date", request.date)?;
    let once = (&*request.request_id, &request);
    let at = (&site, position);
    app.schedule_batch(caller, at, day, once, convert::scheduled)
        .await
}

pub(super) async fn start_self_check(
    app: &Resumptions,
    caller: &Caller,
    request: pb::StartSelfCheckRequest,
) -> Result<pb::Resumption, Error> {
    let permission = Permission::ResumptionPrepare;
    let (site, position) = one(app, caller, permission, &request.name).await?;
    let once = (&*request.request_id, &request);
    let at = (&site, position);
    app.start_self_check(caller, at, once, convert::resumption)
        .await
}

pub(super) async fn answer_resumption_items(
    app: &Resumptions,
    caller: &Caller,
    request: pb::AnswerResumptionItemsRequest,
) -> Result<pb::Readiness, Error> {
    let permission = Permission::ResumptionPrepare;
    let (site, position) = one(app, caller, permission, &request.name).await?;
    let answers = convert::answers(&request.answers, app.now())?;
    let once = (&*request.request_id, &request);
    let at = (&site, position);
    app.answer(caller, at, answers, once, convert::readiness)
        .await
}

pub(super) async fn sign_self_check(
    app: &Resumptions,
    caller: &Caller,
    request: pb::SignSelfCheckRequest,
) -> Result<pb::Resumption, Error> {
    let permission = Permission::ResumptionSignOff;
    let (site, position) = one(app, caller, permission, &request.name).await?;
    let once = (&*request.request_id, &request);
    let at = (&site, position);
    app.sign_self_check(caller, at, once, convert::resumption)
        .await
}

pub(super) async fn apply_for_inspection(
    app: &Resumptions,
    caller: &Caller,
    request: pb::ApplyForInspectionRequest,
) -> Result<pb::Resumption, Error> {
    let permission = Permission::ResumptionPrepare;
    let (site, position) = one(app, caller, permission, &request.name).await?;
    let once = (&*request.request_id, &request);
    let at = (&site, position);
    app.apply(caller, at, once, convert::resumption).await
}

pub(super) async fn start_joint_inspection(
    app: &Resumptions,
    caller: &Caller,
    request: pb::StartJointInspectionRequest,
) -> Result<pb::Resumption, Error> {
    let permission = Permission::ResumptionApprove;
    let (site, position) = one(app, caller, permission, &request.name).await?;
    let inspectors = convert::inspectors(&request)?;
    let once = (&*request.request_id, &request);
    let at = (&site, position);
    app.start_inspection(caller, at, inspectors, once, convert::resumption)
        .await
}

pub(super) async fn sign_joint_inspection(
    app: &Resumptions,
    caller: &Caller,
    request: pb::SignJointInspectionRequest,
) -> Result<pb::Resumption, Error> {
    let permission = Permission::ResumptionInspect;
    let (site, position) = one(app, caller, permission, &request.name).await?;
    let opinion = convert::opinion(&request)?;
    let once = (&*request.request_id, &request);
    let at = (&site, position);
    app.sign_inspection(caller, at, opinion, once, convert::resumption)
        .await
}

pub(super) async fn report_own_plan(
    app: &Resumptions,
    caller: &Caller,
    request: pb::ReportOwnPlanRequest,
) -> Result<pb::Resumption, Error> {
    let permission = Permission::ResumptionSignOff;
    let (site, position) = one(app, caller, permission, &request.name).await?;
    let plan = convert::reported(&request)?;
    let once = (&*request.request_id, &request);
    let at = (&site, position);
    app.report_own_plan(caller, at, plan, once, convert::resumption)
        .await
}

pub(super) async fn decide_own_plan(
    app: &Resumptions,
    caller: &Caller,
    request: pb::DecideOwnPlanRequest,
) -> Result<pb::Resumption, Error> {
    let permission = Permission::ResumptionApprove;
    let (site, position) = one(app, caller, permission, &request.name).await?;
    let ruling = convert::ruling(&request)?;
    let once = (&*request.request_id, &request);
    let at = (&site, position);
    app.decide_own_plan(caller, at, ruling, once, convert::resumption)
        .await
}

pub(super) async fn schedule_resumption(
    app: &Resumptions,
    caller: &Caller,
    request: pb::ScheduleResumptionRequest,
) -> Result<pb::Resumption, Error> {
    let permission = Permission::ResumptionApprove;
    let (site, position) = one(app, caller, permission, &request.name).await?;
    let day = convert::day("date", request.date)?;
    let once = (&*request.request_id, &request);
    let at = (&site, position);
    app.schedule(caller, at, day, once, convert::resumption)
        .await
}

pub(super) async fn re_suspend(
    app: &Resumptions,
    caller: &Caller,
    request: pb::ReSuspendRequest,
) -> Result<pb::ReSuspendResponse, Error> {
    let id = convert::organization("parent", &request.parent)?;
    let permission = Permission::ResumptionSuspend;
    let site = app.site(caller, permission, &id).await?;
    let decided = convert::suspend(&id, &request)?;
    let once = (&*request.request_id, &request);
    app.suspend(caller, &site, decided, once, convert::re_suspended)
        .await
}
