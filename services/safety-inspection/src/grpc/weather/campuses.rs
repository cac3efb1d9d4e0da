//! Where organisations stand, their tasks, and the way back to teaching.

use kit::auth::{Caller, Permission};
use kit::field::from_date;
use kit::status::Problem;
use proto::safety as pb;

use crate::app::Site;
use crate::app::weather::Weather;
use crate::error::Error;
use crate::grpc::convert::weather as convert;

pub(super) async fn state(
    app: &Weather,
    caller: &Caller,
    request: pb::GetWeatherStateRequest,
) -> Result<pb::WeatherState, Error> {
    let site = at(
        app,
        caller,
        Permission::WeatherRead,
        "weatherState",
        &request.name,
    )
    .await?;
    let date = request.date.map(|date| {
        from_date(date).ok_or_else(|| {
            let (zh, en) = ("不是有效的日期", "not a day of the calendar");
            Problem::invalid("date", zh, en)
        })
    });
    let view = app.state(&site, date.transpose()?).await?;
    Ok(convert::state(view))
}

pub(super) async fn task(
    app: &Weather,
    caller: &Caller,
    request: pb::GetWeatherTaskRequest,
) -> Result<pb::WeatherTask, Error> {
    let id = convert::task_name(&request.name)?;
    let site = app.site(caller, Permission::WeatherRead, &id).await?;
    let view = app.task(&site, &request.name).await?;
    Ok(convert::task(&view, &caller.scope))
}

pub(super) async fn complete(
    app: &Weather,
    caller: &Caller,
    request: pb::CompleteWeatherTaskRequest,
) -> Result<pb::WeatherTask, Error> {
    let id = convert::task_name(&request.name)?;
    let site = app.site(caller, Permission::WeatherHandle, &id).await?;
    let done = convert::completion(&request, app.now())?;
    let once = (&*request.request_id, &request);
    let which = (&site, &*request.name);
    app.complete(caller, which, done, once, |view| {
        convert::task(&view, &caller.scope)
    })
    .await
}

pub(super) async fn check(
    app: &Weather,
    caller: &Caller,
    request: pb::GetPostCheckRequest,
) -> Result<pb::PostCheck, Error> {
    let site = at(
        app,
        caller,
        Permission::WeatherRead,
        "postCheck",
        &request.name,
    )
    .await?;
    let view = app.check(&site).await?;
    Ok(convert::check(&view, &caller.scope))
}

pub(super) async fn record(
    app: &Weather,
    caller: &Caller,
    request: pb::RecordPostCheckRequest,
) -> Result<pb::PostCheck, Error> {
    let site = at(
        app,
        caller,
        Permission::WeatherHandle,
        "postCheck",
        &request.name,
    )
    .await?;
    let recorded = convert::record(&request, app.catalogue(), app.now())?;
    let once = (&*request.request_id, &request);
    app.record(caller, &site, recorded, once, |view| {
        convert::check(&view, &caller.scope)
    })
    .await
}

pub(super) async fn reopen(
    app: &Weather,
    caller: &Caller,
    request: pb::ReopenAfterWeatherRequest,
) -> Result<pb::WeatherState, Error> {
    let site = at(
        app,
        caller,
        Permission::WeatherDecide,
        "weatherState",
        &request.name,
    )
    .await?;
    let once = (&*request.request_id, &request);
    app.reopen(caller, &site, once, convert::state).await
}

pub(super) async fn rules(
    app: &Weather,
    caller: &Caller,
    request: pb::GetWeatherRulesRequest,
) -> Result<pb::WeatherRules, Error> {
    let site = at(
        app,
        caller,
        Permission::WeatherRead,
        "weatherRules",
        &request.name,
    )
    .await?;
    let rules = app.rules(&site).await?;
    let organization = &site.organization;
    Ok(convert::rules(
        organization,
        app.catalogue(),
        rules.as_ref(),
    ))
}

/// The organisation of a singleton's name.
async fn at(
    app: &Weather,
    caller: &Caller,
    permission: Permission,
    singleton: &str,
    name: &str,
) -> Result<Site, Error> {
    let id = convert::singleton("name", singleton, name)?;
    app.site(caller, permission, &id).await
}
