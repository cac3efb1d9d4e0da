//! ProtectionService.

use kit::auth::{Caller, Permission};
use kit::page;
use prost::Message;
use proto::safety as pb;
use proto::safety::protection_service_server::ProtectionService;

use super::convert::{self, protection};
use super::{answered, cut};
use crate::app::Site;
use crate::app::protection::{Act, Protection};
use crate::error::Error;

/// A page of profiles or versions has at most as many: each brings a whole declaration.
const MOST: u64 = 100;
/// The singleton that profiles are.
const PROFILE: &str = "protectionProfile";

/// Serves ProtectionService.
#[derive(Debug)]
pub(crate) struct ProtectionGrpc {
    app: Protection,
}

impl ProtectionGrpc {
    pub(crate) fn new(app: Protection) -> Self {
        Self { app }
    }
}

answered! { ProtectionService for ProtectionGrpc:
    get_protection_profile(GetProtectionProfileRequest) -> pb::ProtectionProfile
        = get_protection_profile;
    list_protection_profiles(ListProtectionProfilesRequest) -> pb::ListProtectionProfilesResponse
        = list_protection_profiles;
    declare_protection(DeclareProtectionRequest) -> pb::ProtectionProfile = declare_protection;
    confirm_protection(ConfirmProtectionRequest) -> pb::ProtectionProfile = confirm_protection;
    return_protection(ReturnProtectionRequest) -> pb::ProtectionProfile = return_protection;
    list_protection_versions(ListProtectionVersionsRequest) -> pb::ListProtectionVersionsResponse
        = list_protection_versions;
    get_protection_figures(GetProtectionFiguresRequest) -> pb::ProtectionFigures
        = get_protection_figures;
    report_protection_devices(ReportProtectionDevicesRequest) -> pb::ReportProtectionDevicesResponse
        = report_protection_devices;
    list_protection_devices(ListProtectionDevicesRequest) -> pb::ListProtectionDevicesResponse
        = list_protection_devices;
}

async fn read(app: &Protection, caller: &Caller, id: &str) -> Result<Site, Error> {
    app.site(caller, Permission::ProtectionRead, id).await
}

async fn done(
    app: &Protection,
    caller: &Caller,
    (site, act): (&Site, Act),
    request: (&str, &impl Message),
) -> Result<pb::ProtectionProfile, Error> {
    app.act(caller, site, act, request, protection::profile)
        .await
}

async fn get_protection_profile(
    app: &Protection,
    caller: &Caller,
    request: pb::GetProtectionProfileRequest,
) -> Result<pb::ProtectionProfile, Error> {
    let id = convert::singleton("name", PROFILE, &request.name)?;
    let site = read(app, caller, &id).await?;
    let profile = app.get(&site).await?;
    Ok(protection::profile(profile))
}

async fn list_protection_profiles(
    app: &Protection,
    caller: &Caller,
    request: pb::ListProtectionProfilesRequest,
) -> Result<pb::ListProtectionProfilesResponse, Error> {
    let id = convert::organization("parent", &request.parent)?;
    let site = read(app, caller, &id).await?;
    let size = page::size(request.page_size)?.min(MOST);
    let overdue = request.overdue;
    let binding = [&*request.parent, &*overdue.to_string()];
    let after: Option<String> = page::after(&request.page_token, &binding)?;
    let after = after.unwrap_or_default();
    let mut found = app.list(&site, overdue, &after, size + 1).await?;
    let next_page_token = cut(&mut found, size, &binding, |last| {
        last.declared.org_path.clone()
    });
    Ok(pb::ListProtectionProfilesResponse {
        protection_profiles: found.into_iter().map(protection::profile).collect(),
        next_page_token,
    })
}

async fn declare_protection(
    app: &Protection,
    caller: &Caller,
    request: pb::DeclareProtectionRequest,
) -> Result<pb::ProtectionProfile, Error> {
    let id = convert::singleton("name", PROFILE, &request.name)?;
    let permission = Permission::ProtectionWrite;
    let site = app.site(caller, permission, &id).await?;
    let declared = request.declaration.clone();
    let declaration = protection::declaration(declared, app.today())?;
    let act = Act::Declare(Box::new(declaration));
    let once = (&*request.request_id, &request);
    done(app, caller, (&site, act), once).await
}

async fn confirm_protection(
    app: &Protection,
    caller: &Caller,
    request: pb::ConfirmProtectionRequest,
) -> Result<pb::ProtectionProfile, Error> {
    let id = convert::singleton("name", PROFILE, &request.name)?;
    let permission = Permission::ProtectionConfirm;
    let site = app.site(caller, permission, &id).await?;
    let act = Act::Confirm(request.version);
    let once = (&*request.request_id, &request);
    done(app, caller, (&site, act), once).await
}

async fn return_protection(
    app: &Protection,
    caller: &Caller,
    request: pb::ReturnProtectionRequest,
) -> Result<pb::ProtectionProfile, Error> {
    let id = convert::singleton("name", PROFILE, &request.name)?;
    let permission = Permission::ProtectionConfirm;
    let site = app.site(caller, permission, &id).await?;
    let reason = protection::reason(&request.reason)?;
    let act = Act::Return(request.version, reason);
    let once = (&*request.request_id, &request);
    done(app, caller, (&site, act), once).await
}

async fn list_protection_versions(
    app: &Protection,
    caller: &Caller,
    request: pb::ListProtectionVersionsRequest,
) -> Result<pb::ListProtectionVersionsResponse, Error> {
    let id = convert::organization("parent", &request.parent)?;
    let site = read(app, caller, &id).await?;
    let size = page::size(request.page_size)?.min(MOST);
    let binding = [&*request.parent];
    let before: Option<i32> = page::after(&request.page_token, &binding)?;
    let before = before.unwrap_or(i32::MAX);
    let mut found = app.versions(&site, before, size + 1).await?;
    let next_page_token = cut(&mut found, size, &binding, |(last, _)| last.version);
    Ok(pb::ListProtectionVersionsResponse {
        protection_versions: found.into_iter().map(protection::version).collect(),
        next_page_token,
    })
}

async fn get_protection_figures(
    app: &Protection,
    caller: &Caller,
    request: pb::GetProtectionFiguresRequest,
) -> Result<pb::ProtectionFigures, Error> {
    let name = request.name;
    let id = convert::singleton("name", "protectionFigures", &name)?;
    let site = read(app, caller, &id).await?;
    let figures = app.figures(&site).await?;
    Ok(protection::figures(name, figures))
}

async fn report_protection_devices(
    app: &Protection,
    caller: &Caller,
    request: pb::ReportProtectionDevicesRequest,
) -> Result<pb::ReportProtectionDevicesResponse, Error> {
    let id = convert::organization("parent", &request.parent)?;
    let permission = Permission::ProtectionWrite;
    let site = app.site(caller, permission, &id).await?;
    let devices = protection::devices(request.devices.clone())?;
    let once = (&*request.request_id, &request);
    let render = protection::reported;
    app.report_devices(caller, &site, devices, once, render)
        .await
}

async fn list_protection_devices(
    app: &Protection,
    caller: &Caller,
    request: pb::ListProtectionDevicesRequest,
) -> Result<pb::ListProtectionDevicesResponse, Error> {
    let id = convert::organization("parent", &request.parent)?;
    let site = read(app, caller, &id).await?;
    let size = page::size(request.page_size)?;
    let offline = request.offline;
    let binding = [&*request.parent, &*offline.to_string()];
    let after: Option<String> = page::after(&request.page_token, &binding)?;
    let after = after.unwrap_or_default();
    let mut found = app.devices(&site, offline, &after, size + 1).await?;
    let next_page_token = cut(&mut found, size, &binding, |last| last.code.clone());
    Ok(pb::ListProtectionDevicesResponse {
        devices: found.into_iter().map(protection::device).collect(),
        next_page_token,
    })
}
