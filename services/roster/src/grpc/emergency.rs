//! EmergencyService.

use kit::auth::{Permission, caller};
use kit::field::Fields;
use kit::page;
use proto::roster::emergency_service_server::EmergencyService;
use proto::roster::{
    DeclareEmergencyRequest, Emergency, EndEmergencyRequest, GetEmergencyRequest,
    ListEmergenciesRequest, ListEmergenciesResponse,
};
use tonic::{Request, Response, Status};

use super::convert;
use super::destruction_convert;
use super::destruction_parse::{REASON, reason, words};
use super::organization::act;
use crate::app::App;

/// Serves emergencies.
#[derive(Debug)]
pub(super) struct Api(pub(super) App);

#[tonic::async_trait]
impl EmergencyService for Api {
    async fn get_emergency(
        &self,
        request: Request<GetEmergencyRequest>,
    ) -> Result<Response<Emergency>, Status> {
        let caller = caller(&request)?;
        let id = convert::uuid("name", "emergencies", &request.get_ref().name)?;
        let id = id.hyphenated().to_string();
        Ok(Response::new(self.0.get_emergency(&caller, &id).await?))
    }

    async fn list_emergencies(
        &self,
        request: Request<ListEmergenciesRequest>,
    ) -> Result<Response<ListEmergenciesResponse>, Status> {
        let caller = caller(&request)?;
        let ListEmergenciesRequest {
            page_size,
            page_token,
        } = request.into_inner();
        let size = page::size(page_size)?;
        let before: String = page::after(&page_token, &[])?.unwrap_or_default();
        let mut found = self.0.list_emergencies(&caller, &before, size + 1).await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some(last) if more => page::next(&last.id, &[]),
            _ => String::new(),
        };
        Ok(Response::new(ListEmergenciesResponse {
            emergencies: found
                .into_iter()
                .map(destruction_convert::emergency)
                .collect(),
            next_page_token,
        }))
    }

    async fn declare_emergency(
        &self,
        request: Request<DeclareEmergencyRequest>,
    ) -> Result<Response<Emergency>, Status> {
        let caller = caller(&request)?;
        self.0.city(&caller, Permission::EmergencyDeclare).await?;
        let request = request.into_inner();
        let sent = request.emergency.clone().unwrap_or_default();
        let mut fields = Fields::new();
        let shown = words(
            &mut fields,
            "emergency.display_name",
            &sent.display_name,
            63,
        );
        let basis = words(
            &mut fields,
            "emergency.legal_basis",
            &sent.legal_basis,
            REASON,
        );
        fields.finish()?;
        let act = act("DeclareEmergency", &request.request_id, &request);
        let (shown, basis) = (shown.to_owned(), basis.to_owned());
        let declared = self.0.declare_emergency(&caller, shown, basis, act).await?;
        Ok(Response::new(declared))
    }

    async fn end_emergency(
        &self,
        request: Request<EndEmergencyRequest>,
    ) -> Result<Response<Emergency>, Status> {
        let caller = caller(&request)?;
        self.0.city(&caller, Permission::EmergencyDeclare).await?;
        let request = request.into_inner();
        let id = convert::uuid("name", "emergencies", &request.name)?;
        let id = id.hyphenated().to_string();
        let why = reason("reason", &request.reason)?;
        let act = act("EndEmergency", &request.request_id, &request);
        Ok(Response::new(
            self.0.end_emergency(&caller, &id, why, act).await?,
        ))
    }
}
