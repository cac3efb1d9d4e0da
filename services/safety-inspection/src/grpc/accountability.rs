//! AccountabilityService.

use kit::auth::{Permission, caller};
use kit::page;
use proto::safety as pb;
use proto::safety::accountability_service_server::AccountabilityService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert::hazard as convert;
use super::convert::organization;
use super::{asked, cut};
use crate::app::hazards::Hazards;

/// Serves AccountabilityService.
#[derive(Debug)]
pub(crate) struct AccountabilityGrpc {
    app: Hazards,
}

impl AccountabilityGrpc {
    pub(crate) fn new(app: Hazards) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl AccountabilityService for AccountabilityGrpc {
    async fn list_accountability_records(
        &self,
        request: Request<pb::ListAccountabilityRecordsRequest>,
    ) -> Result<Response<pb::ListAccountabilityRecordsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = organization("parent", &request.parent)?;
        let person = &request.staff_member;
        let site = self.app.trail_site(&caller, &id, person).await?;
        let size = page::size(request.page_size)?;
        let binding = asked(&request, |it| {
            (it.page_size, it.page_token) = (0, String::new());
        });
        let before: Option<Uuid> = page::after(&request.page_token, &[&*binding])?;
        let wanted = convert::wanted(&request, before)?;
        let mut found = self.app.trail(&site, &wanted, size + 1).await?;
        let next_page_token = cut(&mut found, size, &[&binding], |last| last.id);
        Ok(Response::new(pb::ListAccountabilityRecordsResponse {
            accountability_records: found.into_iter().map(convert::record).collect(),
            next_page_token,
        }))
    }

    async fn acknowledge_accountability_record(
        &self,
        request: Request<pb::AcknowledgeAccountabilityRecordRequest>,
    ) -> Result<Response<pb::AccountabilityRecord>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (organization, id) = convert::record_name(&request.name)?;
        let record = self.app.own_record(&caller, organization, id).await?;
        let once = (&*request.request_id, &request);
        let answer = self
            .app
            .acknowledge(&caller, record, once, convert::record)
            .await?;
        Ok(Response::new(answer))
    }

    async fn list_gaps(
        &self,
        request: Request<pb::ListGapsRequest>,
    ) -> Result<Response<pb::ListGapsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = organization("parent", &request.parent)?;
        let permission = Permission::AccountabilityRead;
        let site = self.app.site(&caller, permission, &id).await?;
        let size = page::size(request.page_size)?;
        let binding = [&*request.parent];
        let after: Option<String> = page::after(&request.page_token, &binding)?;
        let after = after.unwrap_or_default();
        let (gaps, next) = self.app.gaps(&site, &after, size).await?;
        Ok(Response::new(pb::ListGapsResponse {
            gaps: gaps.into_iter().map(convert::gap).collect(),
            next_page_token: next.map_or_else(String::new, |next| page::next(&next, &binding)),
        }))
    }
}
