//! The health part of CoverageService.

use kit::auth::{Permission, caller};
use kit::field::Fields;
use kit::page;
use proto::sampling::{
    GetHealthCoverageRequest, HealthCoverage, ListClassSymptomsRequest, ListClassSymptomsResponse,
    ListHealthCoverageRequest, ListHealthCoverageResponse, ListHealthStaffingRequest,
    ListHealthStaffingResponse,
};
use tonic::{Request, Response, Status};

use super::coverage_convert as answers;
use crate::app::App;
use crate::app::health::coverage::{After, Order};
use crate::domain::day::Day;
use crate::grpc::convert::{optional_date, organization};
use crate::grpc::tube_convert::instant;

/// The day of the checks: today when it is left out, and never in the future.
fn check_date(app: &App, fields: &mut Fields, value: Option<proto::Date>) -> Day {
    let today = app.today();
    let day = optional_date(fields, "check_date", value).map_or(today, Day::from);
    if day > today || day.is_never() {
        let (chinese, english) = ("不能晚于今天", "must not be in the future");
        fields.violation("check_date", chinese, english);
    }
    day
}

/// How many items a page has.
fn size(page_size: i32) -> Result<usize, Status> {
    let size = page::size(page_size)?;
    Ok(usize::try_from(size).unwrap_or(usize::MAX))
}

pub(in crate::grpc) async fn get(
    app: &App,
    request: Request<GetHealthCoverageRequest>,
) -> Result<Response<HealthCoverage>, Status> {
    let caller = caller(&request)?;
    caller.allowed(Permission::HealthCoverageRead)?;
    let GetHealthCoverageRequest {
        scope,
        check_date: date,
    } = request.into_inner();
    let mut fields = Fields::new();
    let organization = organization(&mut fields, "scope", &scope);
    let day = check_date(app, &mut fields, date);
    fields.finish()?;
    let covered = app.health_coverage(&caller, organization, day).await?;
    Ok(Response::new(answers::coverage(&covered)))
}

pub(in crate::grpc) async fn list(
    app: &App,
    request: Request<ListHealthCoverageRequest>,
) -> Result<Response<ListHealthCoverageResponse>, Status> {
    let caller = caller(&request)?;
    caller.allowed(Permission::HealthCoverageRead)?;
    let ListHealthCoverageRequest {
        parent,
        check_date: date,
        order_by,
        page_size,
        page_token,
    } = request.into_inner();
    let mut fields = Fields::new();
    let organization = organization(&mut fields, "parent", &parent);
    let day = check_date(app, &mut fields, date);
    let order = match order_by.as_str() {
        "silence" => Order::Silence,
        "" => Order::Path,
        _ => {
            let (chinese, english) = ("只能为空或 silence", "must be empty or silence");
            fields.violation("order_by", chinese, english);
            Order::Path
        }
    };
    fields.finish()?;
    let size = size(page_size)?;
    let date = day.to_string();
    let binding = [parent.as_str(), order_by.as_str(), date.as_str()];
    let after: Option<After> = page::after(&page_token, &binding)?;
    let (covered, next) = app
        .list_health_coverage(&caller, organization, day, order, after, size)
        .await?;
    Ok(Response::new(ListHealthCoverageResponse {
        health_coverages: covered.iter().map(answers::coverage).collect(),
        next_page_token: next
            .map(|next| page::next(&next, &binding))
            .unwrap_or_default(),
    }))
}

pub(in crate::grpc) async fn class_symptoms(
    app: &App,
    request: Request<ListClassSymptomsRequest>,
) -> Result<Response<ListClassSymptomsResponse>, Status> {
    let caller = caller(&request)?;
    caller.allowed(Permission::HealthCoverageRead)?;
    let ListClassSymptomsRequest {
        school,
        check_date: date,
        page_size,
        page_token,
    } = request.into_inner();
    let mut fields = Fields::new();
    let organization = organization(&mut fields, "school", &school);
    let day = check_date(app, &mut fields, date);
    fields.finish()?;
    let size = size(page_size)?;
    let date = day.to_string();
    let binding = [school.as_str(), date.as_str()];
    let after: Option<String> = page::after(&page_token, &binding)?;
    let after = after.unwrap_or_default();
    let found = app
        .class_symptoms(&caller, organization, day, &after, size)
        .await?;
    let lines = found.lines.iter();
    Ok(Response::new(ListClassSymptomsResponse {
        class_symptoms: lines.map(answers::class).collect(),
        next_page_token: found
            .next
            .map(|path| page::next(&path, &binding))
            .unwrap_or_default(),
        hidden_below: answers::number(found.hidden_below),
        data_time: instant(found.read_time),
    }))
}

pub(in crate::grpc) async fn staffing(
    app: &App,
    request: Request<ListHealthStaffingRequest>,
) -> Result<Response<ListHealthStaffingResponse>, Status> {
    let caller = caller(&request)?;
    caller.allowed(Permission::HealthCoverageRead)?;
    let ListHealthStaffingRequest {
        parent,
        lacking,
        page_size,
        page_token,
    } = request.into_inner();
    let mut fields = Fields::new();
    let organization = organization(&mut fields, "parent", &parent);
    fields.finish()?;
    let size = size(page_size)?;
    let binding = [parent.as_str(), &lacking.to_string()];
    let after: Option<String> = page::after(&page_token, &binding)?;
    let after = after.unwrap_or_default();
    let (found, next) = app
        .list_health_staffing(&caller, organization, lacking, &after, size)
        .await?;
    Ok(Response::new(ListHealthStaffingResponse {
        health_staffing: found.iter().map(answers::staffing).collect(),
        next_page_token: next
            .map(|path| page::next(&path, &binding))
            .unwrap_or_default(),
    }))
}
