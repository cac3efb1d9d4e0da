//! ProtectionService.

use kit::auth::{Permission, caller};
use kit::page;
use proto::safety as pb;
use proto::safety::protection_service_server::ProtectionService;
use tonic::{Request, Response, Status};

use super::convert::{self, protection};
use crate::app::Base;
use crate::app::protection::Act;

/// A page of profiles or versions has at most as many: each is judged on its own.
const MOST: u64 = 100;

/// Serves ProtectionService.
#[derive(Debug)]
pub(crate) struct Protection(pub(crate) Base);

#[tonic::async_trait]
impl ProtectionService for Protection {
    async fn get_protection_profile(
        &self,
        request: Request<pb::GetProtectionProfileRequest>,
    ) -> Result<Response<pb::ProtectionProfile>, Status> {
        let caller = caller(&request)?;
        let id = convert::only("name", &request.get_ref().name, "protectionProfile")?;
        let site = self.0.protection_site(&caller, &id).await?;
        Ok(Response::new(protection::profile(
            self.0.protection(&site).await?,
        )))
    }

    async fn list_protection_profiles(
        &self,
        request: Request<pb::ListProtectionProfilesRequest>,
    ) -> Result<Response<pb::ListProtectionProfilesResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self.0.protection_site(&caller, &id).await?;
        let size = page::size(request.page_size)?.min(MOST);
        let binding = [&*request.parent, &*request.overdue.to_string()];
        let after: Option<String> = page::after(&request.page_token, &binding)?;
        let after = after.unwrap_or_default();
        let overdue = request.overdue;
        let mut found = self.0.protections(&site, overdue, &after, size + 1).await?;
        let token = convert::cut(&mut found, size, |last| {
            page::next(&last.declared.org_path, &binding)
        });
        Ok(Response::new(pb::ListProtectionProfilesResponse {
            protection_profiles: found.into_iter().map(protection::profile).collect(),
            next_page_token: token,
        }))
    }

    async fn declare_protection(
        &self,
        request: Request<pb::DeclareProtectionRequest>,
    ) -> Result<Response<pb::ProtectionProfile>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::only("name", &request.name, "protectionProfile")?;
        let permission = Permission::ProtectionWrite;
        let site = self.0.site(&caller, permission, &id).await?;
        let said = request.declaration.clone();
        let declaration = protection::declaration(said, self.0.today())?;
        let act = Act::Declare(Box::new(declaration));
        let once = (&*request.request_id, &request);
        let base = &self.0;
        let answer = base.act_on_protection(&caller, &site, act, once, protection::profile);
        Ok(Response::new(answer.await?))
    }

    async fn confirm_protection(
        &self,
        request: Request<pb::ConfirmProtectionRequest>,
    ) -> Result<Response<pb::ProtectionProfile>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::only("name", &request.name, "protectionProfile")?;
        let permission = Permission::ProtectionConfirm;
        let site = self.0.site(&caller, permission, &id).await?;
        let act = Act::Confirm(request.version);
        let once = (&*request.request_id, &request);
        let base = &self.0;
        let answer = base.act_on_protection(&caller, &site, act, once, protection::profile);
        Ok(Response::new(answer.await?))
    }

    async fn return_protection(
        &self,
        request: Request<pb::ReturnProtectionRequest>,
    ) -> Result<Response<pb::ProtectionProfile>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::only("name", &request.name, "protectionProfile")?;
        let permission = Permission::ProtectionConfirm;
        let site = self.0.site(&caller, permission, &id).await?;
        let act = Act::Return(request.version, protection::reason(&request.reason)?);
        let once = (&*request.request_id, &request);
        let base = &self.0;
        let answer = base.act_on_protection(&caller, &site, act, once, protection::profile);
        Ok(Response::new(answer.await?))
    }

    async fn list_protection_versions(
        &self,
        request: Request<pb::ListProtectionVersionsRequest>,
    ) -> Result<Response<pb::ListProtectionVersionsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self.0.protection_site(&caller, &id).await?;
        let size = page::size(request.page_size)?.min(MOST);
        let binding = [&*request.parent];
        let before: Option<i32> = page::after(&request.page_token, &binding)?;
        let before = before.unwrap_or(i32::MAX);
        let mut found = self.0.protection_versions(&site, before, size + 1).await?;
        let token = convert::cut(&mut found, size, |(last, _)| {
            page::next(&last.version, &binding)
        });
        let versions = found.into_iter().map(protection::version);
        Ok(Response::new(pb::ListProtectionVersionsResponse {
            protection_versions: versions.collect::<Result<_, _>>()?,
            next_page_token: token,
        }))
    }

    async fn get_protection_figures(
        &self,
        request: Request<pb::GetProtectionFiguresRequest>,
    ) -> Result<Response<pb::ProtectionFigures>, Status> {
        let caller = caller(&request)?;
        let name = request.into_inner().name;
        let id = convert::only("name", &name, "protectionFigures")?;
        let site = self.0.protection_site(&caller, &id).await?;
        let figures = self.0.protection_figures(&site).await?;
        Ok(Response::new(protection::figures(name, figures)))
    }

    async fn report_protection_devices(
        &self,
        request: Request<pb::ReportProtectionDevicesRequest>,
    ) -> Result<Response<pb::ReportProtectionDevicesResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let permission = Permission::ProtectionWrite;
        let site = self.0.site(&caller, permission, &id).await?;
        let devices = protection::devices(request.devices.clone())?;
        let once = (&*request.request_id, &request);
        let render = |new, changed| pb::ReportProtectionDevicesResponse {
            new_count: i32::try_from(new).unwrap_or(i32::MAX),
            changed_count: i32::try_from(changed).unwrap_or(i32::MAX),
        };
        let answer = self.0.report_devices(&caller, &site, devices, once, render);
        Ok(Response::new(answer.await?))
    }

    async fn list_protection_devices(
        &self,
        request: Request<pb::ListProtectionDevicesRequest>,
    ) -> Result<Response<pb::ListProtectionDevicesResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self.0.protection_site(&caller, &id).await?;
        let size = page::size(request.page_size)?;
        let binding = [&*request.parent, &*request.offline.to_string()];
        let after: Option<String> = page::after(&request.page_token, &binding)?;
        let after = after.unwrap_or_default();
        let offline = request.offline;
        let mut found = self.0.devices(&site, offline, &after, size + 1).await?;
        let token = convert::cut(&mut found, size, |last| page::next(&last.code, &binding));
        Ok(Response::new(pb::ListProtectionDevicesResponse {
            devices: found.into_iter().map(protection::device).collect(),
            next_page_token: token,
        }))
    }
}
