//! What is read of batches and resumptions.

use kit::auth::{Caller, Permission};
use kit::field::to_timestamp;
use kit::page;
use proto::safety as pb;

use super::{BATCHES, RESUMPTIONS, one};
use crate::app::Site;
use crate::app::resumption::Resumptions;
use crate::error::Error;
use crate::grpc::convert::resumption as convert;
use crate::grpc::cut;

/// The organisation that a request lists, when the caller may read there.
async fn parent(app: &Resumptions, caller: &Caller, parent: &str) -> Result<Site, Error> {
    let id = convert::organization("parent", parent)?;
    app.site(caller, Permission::ResumptionRead, &id).await
}

pub(super) async fn get_resumption_batch(
    app: &Resumptions,
    caller: &Caller,
    request: pb::GetResumptionBatchRequest,
) -> Result<pb::ResumptionBatch, Error> {
    let name = request.name;
    let (id, position) = convert::numbered("name", BATCHES, &name, &[])?;
    let permission = Permission::ResumptionRead;
    let site = app.site(caller, permission, &id).await?;
    let batch = app.batch(&site, position).await?;
    Ok(convert::batch(batch))
}

pub(super) async fn list_resumption_batches(
    app: &Resumptions,
    caller: &Caller,
    request: pb::ListResumptionBatchesRequest,
) -> Result<pb::ListResumptionBatchesResponse, Error> {
    let site = parent(app, caller, &request.parent).await?;
    page::size(request.page_size)?;
    page::after::<()>(&request.page_token, &[])?;
    let batches = app.batches(&site).await?;
    Ok(pb::ListResumptionBatchesResponse {
        resumption_batches: batches.into_iter().map(convert::batch).collect(),
        next_page_token: String::new(),
    })
}

pub(super) async fn get_resumption(
    app: &Resumptions,
    caller: &Caller,
    request: pb::GetResumptionRequest,
) -> Result<pb::Resumption, Error> {
    let name = request.name;
    let permission = Permission::ResumptionRead;
    let (site, position) = one(app, caller, permission, &name).await?;
    let view = app.get(&site, position).await?;
    Ok(convert::resumption(view))
}

pub(super) async fn list_resumptions(
    app: &Resumptions,
    caller: &Caller,
    request: pb::ListResumptionsRequest,
) -> Result<pb::ListResumptionsResponse, Error> {
    let site = parent(app, caller, &request.parent).await?;
    let filter = convert::filter(&request)?;
    let size = page::size(request.page_size)?;
    let (position, state) = (request.position.to_string(), request.state.to_string());
    let binding = [&*request.parent, &*position, &*state];
    let after: Option<(String, i16)> = page::after(&request.page_token, &binding)?;
    let mut found = app.list(&site, filter, after, size + 1).await?;
    let next_page_token = cut(&mut found, size, &binding, |last| {
        (last.org_path.clone(), last.position)
    });
    Ok(pb::ListResumptionsResponse {
        resumptions: found.into_iter().map(convert::listed).collect(),
        next_page_token,
    })
}

pub(super) async fn get_readiness(
    app: &Resumptions,
    caller: &Caller,
    request: pb::GetReadinessRequest,
) -> Result<pb::Readiness, Error> {
    let name = request.name;
    let (id, position) = convert::numbered("name", RESUMPTIONS, &name, &["readiness"])?;
    let permission = Permission::ResumptionRead;
    let site = app.site(caller, permission, &id).await?;
    let ready = app.readiness(&site, position).await?;
    Ok(convert::readiness(ready))
}

pub(super) async fn list_resumption_answers(
    app: &Resumptions,
    caller: &Caller,
    request: pb::ListResumptionAnswersRequest,
) -> Result<pb::ListResumptionAnswersResponse, Error> {
    let (id, position) = convert::numbered("parent", RESUMPTIONS, &request.parent, &[])?;
    let permission = Permission::ResumptionRead;
    let site = app.site(caller, permission, &id).await?;
    let size = page::size(request.page_size)?;
    let binding = [&*request.parent];
    let after: Option<String> = page::after(&request.page_token, &binding)?;
    let after = after.unwrap_or_default();
    let at = (&site, position);
    let found = app.answers(&caller.scope, at, &after, size + 1);
    let mut found = found.await?;
    let next_page_token = cut(&mut found, size, &binding, |last| last.row.item.clone());
    Ok(pb::ListResumptionAnswersResponse {
        answers: found.into_iter().map(convert::answer).collect(),
        next_page_token,
    })
}

pub(super) async fn list_resumption_standings(
    app: &Resumptions,
    caller: &Caller,
    request: pb::ListResumptionStandingsRequest,
) -> Result<pb::ListResumptionStandingsResponse, Error> {
    let site = parent(app, caller, &request.parent).await?;
    let position = convert::optional_position(request.position)?;
    let size = page::size(request.page_size)?;
    let batch = request.position.to_string();
    let binding = [&*request.parent, &*batch];
    let after: Option<(i16, String, i16)> = page::after(&request.page_token, &binding)?;
    let found = app.standings(&site, position, after, size + 1);
    let mut found = found.await?;
    let next_page_token = cut(&mut found, size, &binding, |last| {
        let kept = &last.kept;
        let score = kept.summary.score.map_or(-1, i16::from);
        (score, kept.org_path.clone(), kept.position)
    });
    Ok(pb::ListResumptionStandingsResponse {
        resumption_standings: found.into_iter().map(convert::standing).collect(),
        next_page_token,
    })
}

pub(super) async fn get_resumption_figures(
    app: &Resumptions,
    caller: &Caller,
    request: pb::GetResumptionFiguresRequest,
) -> Result<pb::ResumptionFigures, Error> {
    let id = convert::singleton("name", "resumptionFigures", &request.name)?;
    let permission = Permission::ResumptionRead;
    let site = app.site(caller, permission, &id).await?;
    let position = convert::optional_position(request.position)?;
    let figures = app.figures(&site, position).await?;
    Ok(convert::figures(&id, &figures))
}

pub(super) async fn list_late_returns(
    app: &Resumptions,
    caller: &Caller,
    request: pb::ListLateReturnsRequest,
) -> Result<pb::ListLateReturnsResponse, Error> {
    let id = convert::organization("parent", &request.parent)?;
    let site = app.site(caller, Permission::HoldRead, &id).await?;
    let size = page::size(request.page_size)?;
    let binding = [&*request.parent];
    let after: Option<(String, String)> = page::after(&request.page_token, &binding)?;
    let mut found = app.late_returns(&site, after, size + 1).await?;
    let next_page_token = cut(&mut found.people, size, &binding, |last| {
        (last.org_path.clone(), last.person.to_string())
    });
    Ok(pb::ListLateReturnsResponse {
        late_returns: found.people.into_iter().map(convert::late_return).collect(),
        next_page_token,
        counts: found.counts.into_iter().map(convert::late_count).collect(),
        facts_time: found.facts_time.map(to_timestamp),
    })
}
