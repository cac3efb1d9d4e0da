//! AbsenceService.

use kit::auth::{Caller, Permission, caller};
use kit::field::{Fields, read_or_denied};
use kit::page;
use kit::status::Problem;
use proto::sampling::absence_service_server::AbsenceService;
use proto::sampling::{
    Absence, AssignTracerRequest, ConfirmUploadRequest, EndAbsenceRequest, GetAbsenceRequest,
    ListAbsencesRequest, ListAbsencesResponse, ListTracesRequest, ListTracesResponse,
    RecordAbsenceRequest, RecordInterviewRequest, TraceAbsenceRequest,
};
use tonic::{Request, Response, Status};

use super::{absence_convert, whole};
use crate::app::App;
use crate::app::health::absence_reads::Wanted;
use crate::app::health::absence_steps::AbsenceStep;
use crate::domain::day::Day;
use crate::domain::health::absence::Reason;
use crate::error::Error;
use crate::grpc::convert::{class_group, cut, optional_date, organization};

/// Serves absences.
#[derive(Clone, Debug)]
pub(in crate::grpc) struct Api(pub(in crate::grpc) App);

/// The identifier in `absences/{absence}`.
fn id(field: &str, name: &str) -> Result<String, Problem> {
    let mut fields = Fields::new();
    let id = name.strip_prefix("absences/");
    let id = id.filter(|id| uuid::Uuid::parse_str(id).is_ok_and(|uuid| uuid.to_string() == **id));
    if id.is_none() {
        let (chinese, english) = ("应为 absences/{缺勤编号}", "must be absences/{absence}");
        fields.violation(field, chinese, english);
    }
    whole(fields, id.map(ToOwned::to_owned))
}

impl Api {
    fn shown(caller: &Caller, row: &crate::store::health::absences::AbsenceRow) -> Absence {
        absence_convert::absence(row, App::sees_health(caller, &row.org_path))
    }

    /// Whether the caller may write about an absence at all.
    async fn may_write(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        let write = Permission::AbsenceWrite;
        self.0.readable_absence(caller, write, id).await.map(drop)
    }
}

#[tonic::async_trait]
impl AbsenceService for Api {
    async fn record_absence(
        &self,
        request: Request<RecordAbsenceRequest>,
    ) -> Result<Response<Absence>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::AbsenceWrite)?;
        let request = request.into_inner();
        let new = absence_convert::new(&request, self.0.today(), self.0.clock.now())?;
        let absence = self.0.record_absence(&caller, new, &request).await?;
        Ok(Response::new(absence))
    }

    async fn get_absence(
        &self,
        request: Request<GetAbsenceRequest>,
    ) -> Result<Response<Absence>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::AbsenceRead)?;
        let id = id("name", &request.get_ref().name)?;
        let row = self
            .0
            .readable_absence(&caller, Permission::AbsenceRead, &id)
            .await?;
        Ok(Response::new(Self::shown(&caller, &row)))
    }

    async fn list_absences(
        &self,
        request: Request<ListAbsencesRequest>,
    ) -> Result<Response<ListAbsencesResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::AbsenceRead)?;
        let ListAbsencesRequest {
            scope,
            state,
            reason,
            date,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let mut fields = Fields::new();
        let place = if scope.contains("/classGroups/") {
            let parts = class_group(&mut fields, "scope", &scope);
            parts.map(|(school, group)| (school, Some(group)))
        } else {
            Some((organization(&mut fields, "scope", &scope), None))
        };
        let date = optional_date(&mut fields, "date", date);
        let binding = [
            scope.as_str(),
            &state.to_string(),
            &reason.to_string(),
            &date.map_or_else(String::new, |date| date.to_string()),
        ];
        let after: String = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut optional =
            |field: &str, value: i32, read: fn(&mut Fields, &str, i32) -> Option<i16>| {
                (value != 0)
                    .then(|| read(&mut fields, field, value))
                    .flatten()
            };
        let state = optional("state", state, absence_convert::state);
        let reason = optional("reason", reason, |fields, field, value| {
            absence_convert::reason(fields, field, value).map(Reason::code)
        });
        let wanted = whole(fields, place)?;
        let wanted = Wanted {
            scope: wanted,
            state,
            reason,
            day: date.map(Day::from),
        };
        let mut rows = self
            .0
            .list_absences(&caller, &wanted, &after, limit + 1)
            .await?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.id, &binding));
        Ok(Response::new(ListAbsencesResponse {
            absences: rows.iter().map(|row| Self::shown(&caller, row)).collect(),
            next_page_token,
        }))
    }

    async fn trace_absence(
        &self,
        request: Request<TraceAbsenceRequest>,
    ) -> Result<Response<Absence>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::AbsenceWrite)?;
        let request = request.into_inner();
        let id = id("name", &request.name)?;
        let step = absence_convert::step(&request, self.0.today());
        let step = read_or_denied(step, self.may_write(&caller, &id)).await?;
        let once = (request.request_id.as_str(), &request);
        let absence = self.0.step_absence(&caller, &id, step, once).await?;
        Ok(Response::new(absence))
    }

    async fn list_traces(
        &self,
        request: Request<ListTracesRequest>,
    ) -> Result<Response<ListTracesResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::AbsenceRead)?;
        let ListTracesRequest {
            absence,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [absence.as_str()];
        let after: i64 = page::after(&page_token, &binding)?.unwrap_or_default();
        let id = id("absence", &absence)?;
        let (mut rows, health) = self.0.list_traces(&caller, &id, after, limit + 1).await?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.sequence, &binding));
        let traces = rows
            .into_iter()
            .map(|row| absence_convert::trace(row, health));
        Ok(Response::new(ListTracesResponse {
            traces: traces.collect(),
            next_page_token,
        }))
    }

    async fn assign_tracer(
        &self,
        request: Request<AssignTracerRequest>,
    ) -> Result<Response<Absence>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::AbsenceWrite)?;
        let request = request.into_inner();
        let id = id("name", &request.name)?;
        let mut fields = Fields::new();
        fields.required("tracer", &request.tracer);
        fields.text("tracer", &request.tracer, 64);
        read_or_denied(fields.finish(), self.may_write(&caller, &id)).await?;
        let step = AbsenceStep::Assign(request.tracer.clone());
        let once = (request.request_id.as_str(), &request);
        let absence = self.0.step_absence(&caller, &id, step, once).await?;
        Ok(Response::new(absence))
    }

    async fn confirm_upload(
        &self,
        request: Request<ConfirmUploadRequest>,
    ) -> Result<Response<Absence>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::HealthDecide)?;
        let request = request.into_inner();
        let id = id("name", &request.name)?;
        let once = (request.request_id.as_str(), &request);
        let absence = self.0.step_absence(&caller, &id, AbsenceStep::Upload, once);
        Ok(Response::new(absence.await?))
    }

    async fn record_interview(
        &self,
        request: Request<RecordInterviewRequest>,
    ) -> Result<Response<Absence>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::AbsenceWrite)?;
        let request = request.into_inner();
        let id = id("name", &request.name)?;
        let mut fields = Fields::new();
        fields.required("note", &request.note);
        fields.text("note", &request.note, 500);
        read_or_denied(fields.finish(), self.may_write(&caller, &id)).await?;
        let step = AbsenceStep::Interview(request.note.clone());
        let once = (request.request_id.as_str(), &request);
        let absence = self.0.step_absence(&caller, &id, step, once).await?;
        Ok(Response::new(absence))
    }

    async fn end_absence(
        &self,
        request: Request<EndAbsenceRequest>,
    ) -> Result<Response<Absence>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::AbsenceWrite)?;
        let request = request.into_inner();
        let id = id("name", &request.name)?;
        let mut fields = Fields::new();
        let now = self.0.clock.now();
        let back = absence_convert::past(&mut fields, "return_time", request.return_time, now);
        read_or_denied(fields.finish(), self.may_write(&caller, &id)).await?;
        let once = (request.request_id.as_str(), &request);
        let step = AbsenceStep::End(back);
        let absence = self.0.step_absence(&caller, &id, step, once).await?;
        Ok(Response::new(absence))
    }
}
