//! CoverageService.

use kit::auth::{Permission, caller};
use kit::field::Fields;
use kit::page;
use proto::sampling::coverage_service_server::CoverageService;
use proto::sampling::{
    Coverage, GetCoverageRequest, GetHealthCoverageRequest, HealthCoverage,
    ListClassSymptomsRequest, ListClassSymptomsResponse, ListCoverageRequest, ListCoverageResponse,
    ListHealthCoverageRequest, ListHealthCoverageResponse, ListHealthStaffingRequest,
    ListHealthStaffingResponse,
};
use tonic::{Request, Response, Status};

use super::{convert, draw_convert, health};
use crate::app::App;

/// Serves coverage.
#[derive(Debug)]
pub(super) struct Api(pub(super) App);

#[tonic::async_trait]
impl CoverageService for Api {
    async fn get_coverage(
        &self,
        request: Request<GetCoverageRequest>,
    ) -> Result<Response<Coverage>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::DrawRead)?;
        let scope = &request.get_ref().scope;
        let mut fields = Fields::new();
        let (organization, group) = if scope.contains("/classGroups/") {
            let parts = convert::class_group(&mut fields, "scope", scope);
            parts.map_or(("", None), |(school, group)| (school, Some(group)))
        } else {
            (convert::organization(&mut fields, "scope", scope), None)
        };
        fields.finish()?;
        let covered = self.0.coverage(&caller, organization, group).await?;
        Ok(Response::new(draw_convert::coverage(covered)))
    }

    async fn list_coverage(
        &self,
        request: Request<ListCoverageRequest>,
    ) -> Result<Response<ListCoverageResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::DrawRead)?;
        let ListCoverageRequest {
            parent,
            page_size,
            page_token,
        } = request.into_inner();
        let mut fields = Fields::new();
        let organization = convert::organization(&mut fields, "parent", &parent);
        fields.finish()?;
        let size = usize::try_from(page::size(page_size)?).unwrap_or(usize::MAX);
        let after: Option<String> = page::after(&page_token, &[&parent])?;
        let after = after.unwrap_or_default();
        let (covered, next) = self
            .0
            .list_coverage(&caller, organization, &after, size)
            .await?;
        Ok(Response::new(ListCoverageResponse {
            coverages: covered.into_iter().map(draw_convert::coverage).collect(),
            next_page_token: next
                .map(|path| page::next(&path, &[&parent]))
                .unwrap_or_default(),
        }))
    }

    async fn get_health_coverage(
        &self,
        request: Request<GetHealthCoverageRequest>,
    ) -> Result<Response<HealthCoverage>, Status> {
        health::coverage::get(&self.0, request).await
    }

    async fn list_health_coverage(
        &self,
        request: Request<ListHealthCoverageRequest>,
    ) -> Result<Response<ListHealthCoverageResponse>, Status> {
        health::coverage::list(&self.0, request).await
    }

    async fn list_class_symptoms(
        &self,
        request: Request<ListClassSymptomsRequest>,
    ) -> Result<Response<ListClassSymptomsResponse>, Status> {
        health::coverage::class_symptoms(&self.0, request).await
    }

    async fn list_health_staffing(
        &self,
        request: Request<ListHealthStaffingRequest>,
    ) -> Result<Response<ListHealthStaffingResponse>, Status> {
        health::coverage::staffing(&self.0, request).await
    }
}
