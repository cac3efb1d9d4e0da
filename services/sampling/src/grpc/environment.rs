//! EnvironmentService.

use kit::auth::{Permission, caller};
use kit::field::Fields;
use kit::page;
use kit::status::Problem;
use proto::error::ErrorReason;
use proto::sampling::environment_service_server::EnvironmentService;
use proto::sampling::{
    CreateSamplingPointRequest, GetSamplingPointRequest, ListSamplingPointsRequest,
    ListSamplingPointsResponse, RecordDisinfectionRequest, RetireSamplingPointRequest,
    SamplingPoint,
};
use tonic::{Request, Response, Status};

use super::convert::{self, cut};
use super::point_convert;
use crate::app::App;
use crate::app::points::PointVerb;

/// Serves sampling points.
#[derive(Clone, Debug)]
pub(super) struct Api(pub(super) App);

fn id(name: &str) -> Result<String, Problem> {
    let mut fields = Fields::new();
    let id = convert::point(&mut fields, "name", name);
    fields.finish()?;
    id.ok_or_else(|| Problem::new(ErrorReason::InvalidField))
}

#[tonic::async_trait]
impl EnvironmentService for Api {
    async fn create_sampling_point(
        &self,
        request: Request<CreateSamplingPointRequest>,
    ) -> Result<Response<SamplingPoint>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::DrawRun)?;
        let request = request.into_inner();
        let draft = point_convert::draft(&request)?;
        let once = (request.request_id.as_str(), &request);
        let point = self.0.create_point(&caller, draft, once);
        Ok(Response::new(point.await?))
    }

    async fn get_sampling_point(
        &self,
        request: Request<GetSamplingPointRequest>,
    ) -> Result<Response<SamplingPoint>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeRead)?;
        let id = id(&request.get_ref().name)?;
        let sampled = self.0.get_point(&caller, &id).await?;
        Ok(Response::new(point_convert::point(&sampled)))
    }

    async fn list_sampling_points(
        &self,
        request: Request<ListSamplingPointsRequest>,
    ) -> Result<Response<ListSamplingPointsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeRead)?;
        let ListSamplingPointsRequest {
            organization,
            due,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [organization.as_str(), &due.to_string()];
        let after: String = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut fields = Fields::new();
        let place = convert::organization(&mut fields, "organization", &organization);
        fields.finish()?;
        let mut points = self
            .0
            .list_points(&caller, place, &after, limit + 1)
            .await?;
        let next_page_token = cut(&mut points, limit, |point| {
            page::next(&point.row.id, &binding)
        });
        let today = self.0.today();
        points.retain(|point| !due || point.due <= today);
        Ok(Response::new(ListSamplingPointsResponse {
            sampling_points: points.iter().map(point_convert::point).collect(),
            next_page_token,
        }))
    }

    async fn record_disinfection(
        &self,
        request: Request<RecordDisinfectionRequest>,
    ) -> Result<Response<SamplingPoint>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::DrawRun)?;
        let request = request.into_inner();
        let id = id(&request.name)?;
        let once = (request.request_id.as_str(), &request);
        let point = self
            .0
            .change_point(&caller, &id, PointVerb::Disinfect, once);
        Ok(Response::new(point.await?))
    }

    async fn retire_sampling_point(
        &self,
        request: Request<RetireSamplingPointRequest>,
    ) -> Result<Response<SamplingPoint>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::DrawRun)?;
        let request = request.into_inner();
        let id = id(&request.name)?;
        let once = (request.request_id.as_str(), &request);
        let point = self.0.change_point(&caller, &id, PointVerb::Retire, once);
        Ok(Response::new(point.await?))
    }
}
