//! ReportService.

use kit::auth::{Permission, caller};
use kit::field::{Fields, from_timestamp, read_or_denied};
use kit::page;
use kit::status::Problem;
use proto::roster::report_policy::Level;
use proto::sampling::report_service_server::ReportService;
use proto::sampling::{
    AcknowledgeReportRequest, CaseReport, ForwardReportRequest, GetReportRequest,
    ListReportStepsRequest, ListReportStepsResponse, ListReportsRequest, ListReportsResponse,
    ReportStep, WriteReportRequest, case_report,
};
use tonic::{Request, Response, Status};

use super::case_requests::{case_id, finish, may, only_case, small, text};
use super::report_convert;
use crate::app::App;
use crate::app::health::reports::StepUp;
use crate::grpc::convert::cut;
use crate::store::health::reports::ReportRow;

/// Serves reports.
#[derive(Clone, Debug)]
pub(super) struct Api(pub(super) App);

fn draft(request: &WriteReportRequest) -> Result<(String, ReportRow), Problem> {
    let mut fields = Fields::new();
    let id = case_id(&mut fields, "case", &request.case);
    let report = request.report.clone().unwrap_or_default();
    let kind: Option<case_report::Kind> = fields.enumeration("report.kind", report.kind);
    let occurred = report.occur_time.and_then(from_timestamp);
    if report.occur_time.is_some() && occurred.is_none() {
        fields.violation("report.occur_time", "不是有效的时间", "not an instant");
    }
    let texts = [
        ("report.place", &report.place, 100, true),
        ("report.measures", &report.measures, 1000, true),
        (
            "report.cause",
            &report.cause,
            500,
            kind == Some(case_report::Kind::Final),
        ),
        ("report.contact_post", &report.contact_post, 64, true),
    ];
    for (field, value, most, is_required) in texts {
        if is_required {
            fields.required(field, value);
        }
        text(&mut fields, field, value, most);
    }
    for (field, count) in [
        ("report.suspected_count", report.suspected_count),
        ("report.confirmed_count", report.confirmed_count),
        ("report.hospitalised_count", report.hospitalised_count),
        ("report.dead_count", report.dead_count),
    ] {
        fields.within(field, count, 0..=100_000);
    }
    let kind = finish(fields, kind)?;
    let row = ReportRow {
        kind: small(kind.into()),
        occur_time: occurred.map_or(0, |time| time.timestamp_millis()),
        place: report.place,
        suspected: report.suspected_count,
        confirmed: report.confirmed_count,
        hospitalised: report.hospitalised_count,
        dead: report.dead_count,
        measures: report.measures,
        cause: report.cause,
        contact_post: report.contact_post,
        ..ReportRow::default()
    };
    Ok((id, row))
}

/// A level above the school.
fn level(fields: &mut Fields, field: &str, value: i32) -> Option<i16> {
    let level: Option<Level> = fields.enumeration(field, value);
    if level == Some(Level::School) {
        fields.violation(field, "应为学校以上的层级", "must be above the school");
        return None;
    }
    level.map(|level| small(level.into()))
}

/// The case and number in `cases/{case}/reports/{sequence}`.
fn report_name(name: &str) -> Result<(String, i32), Problem> {
    let mut fields = Fields::new();
    let (case, number) = name.split_once("/reports/").unwrap_or((name, ""));
    let id = case_id(&mut fields, "name", case);
    let number = number.parse().ok().filter(|number| *number > 0);
    if number.is_none() {
        let (chinese, english) = ("应为 cases/…/reports/{序号}", "must be cases/…/reports/{n}");
        fields.violation("name", chinese, english);
    }
    Ok((id, finish(fields, number)?))
}

#[tonic::async_trait]
impl ReportService for Api {
    async fn write_report(
        &self,
        request: Request<WriteReportRequest>,
    ) -> Result<Response<CaseReport>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseWrite)?;
        let request = request.into_inner();
        let may = may(&self.0, &caller, Permission::CaseWrite, &request.case);
        let (id, draft) = read_or_denied(draft(&request), may).await?;
        let once = (request.request_id.as_str(), &request);
        let report = self.0.write_report(&caller, &id, draft, once).await?;
        Ok(Response::new(report))
    }

    async fn get_report(
        &self,
        request: Request<GetReportRequest>,
    ) -> Result<Response<CaseReport>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseRead)?;
        let (id, sequence) = report_name(&request.get_ref().name)?;
        let row = self.0.get_report(&caller, &id, sequence).await?;
        Ok(Response::new(report_convert::report(&row)))
    }

    async fn list_reports(
        &self,
        request: Request<ListReportsRequest>,
    ) -> Result<Response<ListReportsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseRead)?;
        let ListReportsRequest {
            case,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [case.as_str()];
        let after: i32 = page::after(&page_token, &binding)?.unwrap_or_default();
        let id = only_case("case", &case)?;
        let mut rows = self.0.list_reports(&caller, &id, after, limit + 1).await?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.sequence, &binding));
        Ok(Response::new(ListReportsResponse {
            reports: rows.iter().map(report_convert::report).collect(),
            next_page_token,
        }))
    }

    async fn acknowledge_report(
        &self,
        request: Request<AcknowledgeReportRequest>,
    ) -> Result<Response<ReportStep>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ReportReceive)?;
        let request = request.into_inner();
        let mut fields = Fields::new();
        let id = case_id(&mut fields, "case", &request.case);
        let level = level(&mut fields, "level", request.level);
        let reference = request.outside_reference.clone();
        text(&mut fields, "outside_reference", &reference, 64);
        let may = may(&self.0, &caller, Permission::ReportReceive, &request.case);
        let level = read_or_denied(finish(fields, level), may).await?;
        let step = StepUp::Receive(level, reference);
        let once = (request.request_id.as_str(), &request);
        Ok(Response::new(
            self.0.step_up(&caller, &id, step, once).await?,
        ))
    }

    async fn forward_report(
        &self,
        request: Request<ForwardReportRequest>,
    ) -> Result<Response<ReportStep>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ReportReceive)?;
        let request = request.into_inner();
        let mut fields = Fields::new();
        let id = case_id(&mut fields, "case", &request.case);
        let from = level(&mut fields, "level", request.level);
        let to = level(&mut fields, "to_level", request.to_level);
        let levels = from.zip(to);
        if levels.is_some_and(|(from, to)| to <= from) {
            fields.violation("to_level", "应高于发送层级", "must be above level");
        }
        let may = may(&self.0, &caller, Permission::ReportReceive, &request.case);
        let (from, to) = read_or_denied(finish(fields, levels), may).await?;
        let once = (request.request_id.as_str(), &request);
        let step = self
            .0
            .step_up(&caller, &id, StepUp::Forward(from, to), once);
        Ok(Response::new(step.await?))
    }

    async fn list_report_steps(
        &self,
        request: Request<ListReportStepsRequest>,
    ) -> Result<Response<ListReportStepsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseRead)?;
        let ListReportStepsRequest {
            case,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [case.as_str()];
        let after: i32 = page::after(&page_token, &binding)?.unwrap_or_default();
        let id = only_case("case", &case)?;
        let mut rows = self
            .0
            .list_report_steps(&caller, &id, after, limit + 1)
            .await?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.sequence, &binding));
        Ok(Response::new(ListReportStepsResponse {
            report_steps: rows.iter().map(report_convert::step).collect(),
            next_page_token,
        }))
    }
}
