//! ResultService.

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kit::auth::{Permission, caller};
use kit::field::{Fields, from_timestamp};
use kit::page;
use kit::request::{Once, once};
use kit::status::Problem;
use proto::sampling::result_service_server::ResultService;
use proto::sampling::submit_results_response::Verdict;
use proto::sampling::{
    CorrectResultRequest, GetResultRequest, ListResultsRequest, ListResultsResponse,
    Result as Outcome, ResultValue, SubmitResultsRequest, SubmitResultsResponse,
};
use tonic::{Request, Response, Status, Streaming};

use super::tube::{code, reason_name};
use super::tube_convert::instant;
use crate::app::App;
use crate::app::results::to_result;
use crate::domain::laboratory_result::{LaboratoryResult, Value, in_force};
use crate::error::Error;
use crate::store::tubes::{Lock, ResultRow, TubeRow};

/// Serves results.
#[derive(Clone, Debug)]
pub(super) struct Api(pub(super) App);

fn to_domain(
    result: Outcome,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<LaboratoryResult, Problem> {
    let Outcome {
        tube,
        report,
        version,
        value,
        test_time,
        reason,
        receive_time: _,
    } = result;
    let mut fields = Fields::new();
    let tube = code(&mut fields, "tube", &tube);
    fields.required("report", &report);
    fields.text("report", &report, 64);
    fields.within("version", version, 1..=1000);
    fields.text("reason", &reason, 200);
    if version > 1 {
        fields.required("reason", &reason);
    }
    let value: Option<ResultValue> = fields.enumeration("value", value);
    fields.finish()?;
    let value = value.and_then(|value| Value::from_code(i16::try_from(i32::from(value)).ok()?));
    Ok(LaboratoryResult {
        tube,
        report,
        version,
        value: value.ok_or_else(|| Problem::invalid("value", "必填", "required"))?,
        tested: test_time.and_then(from_timestamp).unwrap_or(now),
        reason,
    })
}

fn from_row(row: &ResultRow) -> Outcome {
    let ResultRow {
        tube,
        report,
        version,
        value,
        test_time,
        reason,
        receive_time,
    } = row.clone();
    Outcome {
        tube: format!("tubes/{tube}"),
        report,
        version,
        value: i32::from(value),
        test_time: instant(test_time),
        reason,
        receive_time: instant(receive_time),
    }
}

impl Api {
    async fn submit(
        &self,
        caller: &kit::auth::Caller,
        request: SubmitResultsRequest,
    ) -> Result<SubmitResultsResponse, Status> {
        let mut fields = Fields::new();
        fields.within("results", request.results.len(), 0..=1000);
        fields.finish()?;
        let now = self.0.clock.now();
        let names: Vec<String> = request
            .results
            .iter()
            .map(|result| result.tube.clone())
            .collect();
        let read: Vec<_> = request
            .results
            .into_iter()
            .map(|result| to_domain(result, now))
            .collect();
        let good: Vec<LaboratoryResult> = read
            .iter()
            .filter_map(|one| one.as_ref().ok())
            .cloned()
            .collect();
        let mut taken = self.0.submit_results(caller, &good).await?.into_iter();
        let verdicts = names.into_iter().zip(read).map(|(tube, read)| {
            let taken = match read {
                Ok(_) => taken.next().unwrap_or(Ok(false)).map_err(Problem::from),
                Err(problem) => Err(problem),
            };
            match taken {
                Ok(repeated) => Verdict {
                    tube,
                    accepted: true,
                    repeated_result: repeated,
                    ..Default::default()
                },
                Err(problem) => Verdict {
                    tube,
                    error_reason: reason_name(&problem),
                    error_message: problem.chinese(),
                    ..Default::default()
                },
            }
        });
        Ok(SubmitResultsResponse {
            verdicts: verdicts.collect(),
        })
    }

    async fn versions(
        &self,
        caller: &kit::auth::Caller,
        permission: Permission,
        tube: &str,
    ) -> Result<Vec<ResultRow>, Status> {
        let mut fields = Fields::new();
        let code = code(&mut fields, "tube", tube);
        fields.finish()?;
        let read = self.0.db.read();
        let found = TubeRow::find(read, "code", vec![code.as_str().into()], Lock::No)
            .await
            .map_err(Error::from)?
            .pop();
        App::check_tube(caller, permission, found.as_ref(), &code)?;
        Ok(ResultRow::find(read, "tube", vec![code.into()], Lock::No)
            .await
            .map_err(Error::from)?)
    }
}

/// A laboratory reads its own results by the right to submit them.
fn reads(caller: &kit::auth::Caller) -> Result<Permission, Problem> {
    if caller.allowed(Permission::ResultSubmit).is_ok() {
        return Ok(Permission::ResultSubmit);
    }
    caller.allowed(Permission::ResultRead)?;
    Ok(Permission::ResultRead)
}

#[tonic::async_trait]
impl ResultService for Api {
    type SubmitResultsStream = BoxStream<'static, Result<SubmitResultsResponse, Status>>;

    async fn submit_results(
        &self,
        request: Request<Streaming<SubmitResultsRequest>>,
    ) -> Result<Response<Self::SubmitResultsStream>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ResultSubmit)?;
        let api = self.clone();
        let answers = request.into_inner().then(move |request| {
            let (api, caller) = (api.clone(), caller.clone());
            async move { api.submit(&caller, request?).await }
        });
        Ok(Response::new(answers.boxed()))
    }

    async fn correct_result(
        &self,
        request: Request<CorrectResultRequest>,
    ) -> Result<Response<Outcome>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ResultSubmit)?;
        let request = request.into_inner();
        let now = self.0.clock.now();
        let CorrectResultRequest {
            tube,
            report,
            value,
            reason,
            test_time,
            request_id,
        } = request.clone();
        let draft = Outcome {
            tube,
            report,
            version: 2,
            value,
            test_time,
            reason,
            receive_time: None,
        };
        let mut result = to_domain(draft, now)?;
        let tx = self.0.db.begin().await.map_err(Error::from)?;
        let tube = TubeRow::find(&tx, "code", vec![result.tube.as_str().into()], Lock::Yes)
            .await
            .map_err(Error::from)?
            .pop();
        App::check_tube(
            &caller,
            Permission::ResultSubmit,
            tube.as_ref(),
            &result.tube,
        )?;
        let ticket = match once(&tx, &caller, "CorrectResult", &request_id, &request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(Response::new(answer)),
        };
        let known = ResultRow::find(&tx, "tube", vec![result.tube.as_str().into()], Lock::No)
            .await
            .map_err(Error::from)?;
        if !known.iter().any(|row| row.report == result.report) {
            return Err(Problem::not_found(&request.report).into());
        }
        result.version = known.iter().map(|row| row.version).max().unwrap_or(0) + 1;
        for taken in self
            .0
            .take(&tx, &caller, std::slice::from_ref(&result))
            .await?
        {
            taken?;
        }
        let rows = ResultRow::find(&tx, "tube", vec![result.tube.as_str().into()], Lock::No)
            .await
            .map_err(Error::from)?;
        let row = rows.iter().find(|row| row.version == result.version);
        let answer = row.map(from_row).unwrap_or_default();
        ticket.record(&tx, &answer).await?;
        tx.commit().await.map_err(Error::from)?;
        Ok(Response::new(answer))
    }

    async fn get_result(
        &self,
        request: Request<GetResultRequest>,
    ) -> Result<Response<Outcome>, Status> {
        let caller = caller(&request)?;
        let permission = reads(&caller)?;
        let rows = self
            .versions(&caller, permission, &request.get_ref().tube)
            .await?;
        let all: Vec<LaboratoryResult> = rows.iter().map(to_result).collect();
        let force = in_force(&all).and_then(|force| {
            rows.iter()
                .find(|row| (&row.report, row.version) == (&force.report, force.version))
        });
        let row = force
            .ok_or_else(|| Problem::not_found(format!("{}/result", request.get_ref().tube)))?;
        Ok(Response::new(from_row(row)))
    }

    async fn list_results(
        &self,
        request: Request<ListResultsRequest>,
    ) -> Result<Response<ListResultsResponse>, Status> {
        let caller = caller(&request)?;
        let permission = reads(&caller)?;
        // A tube has a handful of versions: one page.
        let ListResultsRequest {
            tube,
            page_size,
            page_token: _,
        } = request.into_inner();
        page::size(page_size)?;
        let rows = self.versions(&caller, permission, &tube).await?;
        Ok(Response::new(ListResultsResponse {
            results: rows.iter().map(from_row).collect(),
            next_page_token: String::new(),
        }))
    }
}
