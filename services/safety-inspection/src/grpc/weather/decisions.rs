//! Suspensions.

use kit::auth::{Caller, Permission};
use proto::safety as pb;

use crate::app::weather::Weather;
use crate::error::Error;
use crate::grpc::convert::{organization, weather as convert};

const SUSPENSIONS: &str = "weatherSuspensions";

pub(super) async fn decide(
    app: &Weather,
    caller: &Caller,
    request: pb::DecideWeatherSuspensionRequest,
) -> Result<pb::WeatherSuspension, Error> {
    let parent = organization("parent", &request.parent)?;
    let site = app.site(caller, Permission::WeatherDecide, &parent).await?;
    let decision = convert::decision(&request)?;
    let once = (&*request.request_id, &request);
    app.decide(caller, &site, decision, once, convert::suspension)
        .await
}

pub(super) async fn lift(
    app: &Weather,
    caller: &Caller,
    request: pb::LiftWeatherSuspensionRequest,
) -> Result<pb::WeatherSuspension, Error> {
    let (parent, id) = convert::child("name", SUSPENSIONS, &request.name)?;
    app.above(caller, Permission::WeatherDecide, &parent)
        .await?;
    let reason = convert::reason(&request.reason)?;
    let once = (&*request.request_id, &request);
    let which = (&*parent, id);
    app.lift_suspension(caller, which, &reason, once, convert::suspension)
        .await
}

pub(super) async fn suspension(
    app: &Weather,
    caller: &Caller,
    request: pb::GetWeatherSuspensionRequest,
) -> Result<pb::WeatherSuspension, Error> {
    let (parent, id) = convert::child("name", SUSPENSIONS, &request.name)?;
    let site = app.above(caller, Permission::WeatherRead, &parent).await?;
    Ok(convert::suspension(app.suspension(&site, id).await?))
}
