//! Mutual-aid groups.

use kit::auth::{Caller, Permission};
use proto::safety as pb;

use crate::app::weather::Weather;
use crate::error::Error;
use crate::grpc::convert::{organization, weather as convert};

const GROUPS: &str = "mutualAidGroups";

pub(super) async fn group(
    app: &Weather,
    caller: &Caller,
    request: pb::GetMutualAidGroupRequest,
) -> Result<pb::MutualAidGroup, Error> {
    let (parent, id) = convert::child("name", GROUPS, &request.name)?;
    let site = app.above(caller, Permission::WeatherRead, &parent).await?;
    Ok(convert::group(app.group(&site, id).await?))
}

pub(super) async fn create(
    app: &Weather,
    caller: &Caller,
    request: pb::CreateMutualAidGroupRequest,
) -> Result<pb::MutualAidGroup, Error> {
    let parent = organization("parent", &request.parent)?;
    let site = app
        .site(caller, Permission::MutualAidWrite, &parent)
        .await?;
    let new = convert::new_group(request.mutual_aid_group.as_ref())?;
    let once = (&*request.request_id, &request);
    app.form(caller, &site, new, once, convert::group).await
}

pub(super) async fn update(
    app: &Weather,
    caller: &Caller,
    request: pb::UpdateMutualAidGroupRequest,
) -> Result<pb::MutualAidGroup, Error> {
    let group = request.mutual_aid_group.clone().unwrap_or_default();
    let (parent, id) = convert::child("mutual_aid_group.name", GROUPS, &group.name)?;
    let site = app
        .site(caller, Permission::MutualAidWrite, &parent)
        .await?;
    let change = convert::change(&request, &group)?;
    let once = (&*request.request_id, &request);
    app.change_group(caller, (&site, id), change, once, convert::group)
        .await
}

pub(super) async fn delete(
    app: &Weather,
    caller: &Caller,
    request: pb::DeleteMutualAidGroupRequest,
) -> Result<(), Error> {
    let (parent, id) = convert::child("name", GROUPS, &request.name)?;
    let site = app
        .site(caller, Permission::MutualAidWrite, &parent)
        .await?;
    let once = (&*request.request_id, &request);
    app.dissolve(caller, (&site, id), once).await
}
