//! DrawService.

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kit::auth::{Permission, caller};
use kit::field::{Fields, read_or_denied};
use kit::page;
use kit::status::Problem;
use proto::error::ErrorReason;
use proto::sampling::draw_service_server::DrawService;
use proto::sampling::{
    CloseDayRequest, Draw, DrawDayRequest, DrawDayResponse, ExportDrawRequest, ExportDrawResponse,
    GetDrawRequest, GetVerificationKeyRequest, ListAssignmentsRequest, ListAssignmentsResponse,
    ListDrawsRequest, ListDrawsResponse, ReplaceAssignmentRequest, Replacement, VerificationKey,
    VerifyDrawRequest, VerifyDrawResponse,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{convert, draw_convert};
use crate::app::{App, Progress};
use crate::domain::day::Day;
use crate::domain::plan::{DrawId, PlanId};

/// Serves draws.
#[derive(Debug)]
pub(super) struct Api(pub(super) App);

#[tonic::async_trait]
impl DrawService for Api {
    type DrawDayStream = BoxStream<'static, Result<DrawDayResponse, Status>>;
    type ExportDrawStream = BoxStream<'static, Result<ExportDrawResponse, Status>>;

    async fn draw_day(
        &self,
        request: Request<DrawDayRequest>,
    ) -> Result<Response<Self::DrawDayStream>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::DrawRun)?;
        let DrawDayRequest {
            plan,
            organization,
            draw_date,
        } = request.into_inner();
        let mut fields = Fields::new();
        let plan: Option<PlanId> = fields.parse("plan", &plan);
        let organization = convert::organization(&mut fields, "organization", &organization);
        let date = convert::optional_date(&mut fields, "draw_date", draw_date);
        let plan = finish(fields, plan)?;
        let progress = self.0.draw_day(&caller, &plan, organization, date).await?;
        let answers = ReceiverStream::new(progress)
            .map(|progress| progress.map(to_response).map_err(Status::from));
        Ok(Response::new(answers.boxed()))
    }

    async fn get_draw(&self, request: Request<GetDrawRequest>) -> Result<Response<Draw>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::DrawRead)?;
        let id = name("name", &request.get_ref().name)?;
        let row = self.0.get_draw(&caller, &id).await?;
        Ok(Response::new(draw_convert::draw(&row)))
    }

    async fn list_draws(
        &self,
        request: Request<ListDrawsRequest>,
    ) -> Result<Response<ListDrawsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::DrawRead)?;
        let ListDrawsRequest {
            organization,
            plan,
            draw_date,
            page_size,
            page_token,
        } = request.into_inner();
        let mut fields = Fields::new();
        let below = convert::organization(&mut fields, "organization", &organization);
        let plan_id: Option<PlanId> = fields.optional("plan", &plan);
        let date = convert::optional_date(&mut fields, "draw_date", draw_date);
        fields.finish()?;
        let day = date.map_or_else(|| self.0.today(), Day::from);
        let day_text = day.to_string();
        let binding = [organization.as_str(), plan.as_str(), day_text.as_str()];
        let size = page::size(page_size)?;
        let after: Option<(String, String)> = page::after(&page_token, &binding)?;
        let after = after
            .as_ref()
            .map(|(path, plan)| (path.as_str(), plan.as_str()));
        let mut rows = self
            .0
            .list_draws(&caller, below, plan_id.as_ref(), day, after, size + 1)
            .await?;
        let more = rows.len() as u64 > size;
        rows.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let last = rows.last().filter(|_| more);
        let key = last.map(|row| (row.org_path.clone(), row.id.plan.as_str().to_owned()));
        Ok(Response::new(ListDrawsResponse {
            draws: rows.iter().map(draw_convert::draw).collect(),
            next_page_token: key
                .map(|key| page::next(&key, &binding))
                .unwrap_or_default(),
        }))
    }

    async fn list_assignments(
        &self,
        request: Request<ListAssignmentsRequest>,
    ) -> Result<Response<ListAssignmentsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::DrawRead)?;
        let ListAssignmentsRequest {
            draw,
            class_group,
            page_size,
            page_token,
        } = request.into_inner();
        let mut fields = Fields::new();
        let id: Option<DrawId> = fields.parse("draw", &draw);
        let group = if class_group.is_empty() {
            None
        } else {
            convert::class_group(&mut fields, "class_group", &class_group)
        };
        if let (Some(id), Some((school, _))) = (&id, group)
            && id.organization != school
        {
            fields.violation("class_group", "不属于该校", "is not of the draw's school");
        }
        let id = finish(fields, id)?;
        let binding = [draw.as_str(), class_group.as_str()];
        let size = page::size(page_size)?;
        let after: Option<String> = page::after(&page_token, &binding)?;
        let group = group.map(|(_, group)| group);
        let after = after.unwrap_or_default();
        let (listings, next) = self
            .0
            .list_assignments(&caller, &id, group, &after, size)
            .await?;
        Ok(Response::new(ListAssignmentsResponse {
            assignments: listings
                .iter()
                .flat_map(draw_convert::assignments)
                .collect(),
            next_page_token: next.map(|id| page::next(&id, &binding)).unwrap_or_default(),
        }))
    }

    async fn replace_assignment(
        &self,
        request: Request<ReplaceAssignmentRequest>,
    ) -> Result<Response<Replacement>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::DrawRun)?;
        let request = request.into_inner();
        let mut fields = Fields::new();
        let id: Option<DrawId> = fields.parse("draw", &request.draw);
        let absent = convert::person(&mut fields, "absent", &request.absent);
        let may = async {
            match &id {
                Some(id) => {
                    let draw = self.0.readable_draw(&caller, Permission::DrawRun, id);
                    draw.await.map(drop)
                }
                // That it is none is found wrong with the request.
                None => Ok(()),
            }
        };
        let read = finish(fields, id.clone().zip(absent));
        let (id, absent) = read_or_denied(read, may).await?;
        Ok(Response::new(
            self.0.replace(&caller, &id, absent, &request).await?,
        ))
    }

    async fn close_day(&self, request: Request<CloseDayRequest>) -> Result<Response<Draw>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::DrawRun)?;
        let request = request.into_inner();
        let id = name("name", &request.name)?;
        let draw = self.0.close_day(&caller, &id, &request).await?;
        Ok(Response::new(draw))
    }

    async fn verify_draw(
        &self,
        request: Request<VerifyDrawRequest>,
    ) -> Result<Response<VerifyDrawResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::DrawRead)?;
        let id = name("name", &request.get_ref().name)?;
        let verdict = self.0.verify_draw(&caller, &id).await?;
        Ok(Response::new(VerifyDrawResponse {
            valid: verdict.finding.is_none(),
            finding: verdict.finding.unwrap_or_default(),
            class_group_count: count(verdict.groups),
            candidate_count: count(verdict.candidates),
        }))
    }

    async fn export_draw(
        &self,
        request: Request<ExportDrawRequest>,
    ) -> Result<Response<Self::ExportDrawStream>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::DrawRead)?;
        let ExportDrawRequest {
            plan,
            organization,
            draw_date,
        } = request.into_inner();
        let mut fields = Fields::new();
        let plan: Option<PlanId> = fields.parse("plan", &plan);
        let organization = convert::organization(&mut fields, "organization", &organization);
        let date = fields.date("draw_date", draw_date);
        let (plan, date) = finish(fields, plan.zip(date))?;
        let chunks = self
            .0
            .export(&caller, &plan, organization, date.into())
            .await?;
        let answers = ReceiverStream::new(chunks).map(|chunk| {
            chunk
                .map(|bytes| ExportDrawResponse {
                    content: bytes.into(),
                })
                .map_err(Status::from)
        });
        Ok(Response::new(answers.boxed()))
    }

    async fn get_verification_key(
        &self,
        request: Request<GetVerificationKeyRequest>,
    ) -> Result<Response<VerificationKey>, Status> {
        caller(&request)?;
        let key = self.0.signer.public_key();
        let public_key = key.to_bytes().to_vec().into();
        Ok(Response::new(VerificationKey {
            key_id: key.id(),
            public_key,
        }))
    }
}

fn name(field: &str, name: &str) -> Result<DrawId, Problem> {
    let mut fields = Fields::new();
    let id = fields.parse(field, name);
    finish(fields, id)
}

/// Every field that is wrong, or the value that was read of them.
fn finish<T>(fields: Fields, value: Option<T>) -> Result<T, Problem> {
    fields.finish()?;
    value.ok_or_else(|| Problem::new(ErrorReason::InvalidField))
}

fn to_response(progress: Progress) -> DrawDayResponse {
    let Progress {
        schools,
        drawn,
        groups,
        picks,
        finished,
        draw,
    } = progress;
    DrawDayResponse {
        school_count: count(schools),
        drawn_school_count: count(drawn),
        class_group_count: count(groups),
        pick_count: count(picks),
        finished,
        draw,
    }
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
