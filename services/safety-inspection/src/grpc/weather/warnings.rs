//! Warnings and response levels.

use kit::auth::{Caller, Permission};
use proto::safety as pb;

use crate::app::weather::Weather;
use crate::error::Error;
use crate::grpc::convert::{organization, weather as convert};

const LEVELS: &str = "responseLevels";

pub(super) async fn ingest(
    app: &Weather,
    caller: &Caller,
    request: pb::IngestWarningRequest,
) -> Result<pb::WeatherSignal, Error> {
    caller.allowed(Permission::WarningWrite)?;
    let document = convert::document(&request.document)?;
    Ok(convert::signal(app.ingest(caller, document).await?))
}

pub(super) async fn signal(
    app: &Weather,
    caller: &Caller,
    request: pb::GetWeatherSignalRequest,
) -> Result<pb::WeatherSignal, Error> {
    caller.allowed(Permission::WeatherRead)?;
    let id = convert::signal_name(&request.name)?;
    Ok(convert::signal(app.signal(id).await?))
}

pub(super) async fn declare(
    app: &Weather,
    caller: &Caller,
    request: pb::DeclareResponseLevelRequest,
) -> Result<pb::ResponseLevel, Error> {
    let parent = organization("parent", &request.parent)?;
    let site = app
        .site(caller, Permission::WeatherDeclare, &parent)
        .await?;
    let declared = convert::declaration(&request)?;
    let once = (&*request.request_id, &request);
    app.declare(caller, &site, declared, once, convert::response)
        .await
}

pub(super) async fn change(
    app: &Weather,
    caller: &Caller,
    request: pb::ChangeResponseLevelRequest,
) -> Result<pb::ResponseLevel, Error> {
    let (parent, id) = convert::child("name", LEVELS, &request.name)?;
    let site = app
        .site(caller, Permission::WeatherDeclare, &parent)
        .await?;
    let (level, basis) = convert::new_level(&request)?;
    let once = (&*request.request_id, &request);
    let change = (Some(level), basis);
    app.change_response(caller, (&site, id), change, once, convert::response)
        .await
}

pub(super) async fn lift(
    app: &Weather,
    caller: &Caller,
    request: pb::LiftResponseLevelRequest,
) -> Result<pb::ResponseLevel, Error> {
    let (parent, id) = convert::child("name", LEVELS, &request.name)?;
    let site = app
        .site(caller, Permission::WeatherDeclare, &parent)
        .await?;
    let change = (None, convert::basis(&request.basis)?);
    let once = (&*request.request_id, &request);
    app.change_response(caller, (&site, id), change, once, convert::response)
        .await
}

pub(super) async fn response(
    app: &Weather,
    caller: &Caller,
    request: pb::GetResponseLevelRequest,
) -> Result<pb::ResponseLevel, Error> {
    let (parent, id) = convert::child("name", LEVELS, &request.name)?;
    let site = app.above(caller, Permission::WeatherRead, &parent).await?;
    Ok(convert::response(app.response(&site, id).await?))
}
