//! ResultService.

use std::ops::RangeInclusive;

use chrono::DateTime;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kit::auth::{Caller, Permission, caller};
use kit::field::{Fields, from_timestamp};
use kit::page;
use kit::status::Problem;
use proto::sampling::result_service_server::ResultService;
use proto::sampling::submit_results_response::Verdict;
use proto::sampling::{
    BatchSubmitResultsRequest, BatchSubmitResultsResponse, CorrectResultRequest, GetResultRequest,
    ListResultsRequest, ListResultsResponse, Result as Outcome, ResultValue, SubmitResultsRequest,
    SubmitResultsResponse,
};
use tonic::{Request, Response, Status, Streaming};

use super::convert::{cut, reason_name};
use super::tube_convert;
use super::tube_requests::code;
use crate::app::App;
use crate::app::results::{self, Taken};
use crate::domain::laboratory_result::{LaboratoryResult, Value};

/// Serves results.
#[derive(Clone, Debug)]
pub(super) struct Api(pub(super) App);

/// How many results one message of the stream may carry.
const TOGETHER: usize = 1000;

/// Results in the order sent, each with the name of its tube, or what is wrong with it.
struct Sent(Vec<(String, Result<LaboratoryResult, Problem>)>);

impl Sent {
    fn read(results: Vec<Outcome>, many: RangeInclusive<usize>) -> Result<Self, Problem> {
        let mut fields = Fields::new();
        fields.within("results", results.len(), many);
        fields.finish()?;
        let read = results.into_iter();
        let read = read.map(|result| (result.tube.clone(), to_domain(result)));
        Ok(Self(read.collect()))
    }

    /// Those that nothing is wrong with.
    fn good(&self) -> Vec<LaboratoryResult> {
        let good = self.0.iter().filter_map(|(_, one)| one.as_ref().ok());
        good.cloned().collect()
    }

    /// The verdict on each, from what became of the good ones.
    fn verdicts(self, taken: Vec<Taken>) -> Vec<Verdict> {
        let mut taken = taken.into_iter();
        let verdicts = self.0.into_iter().filter_map(|(tube, read)| match read {
            Ok(_) => taken.next().map(|taken| verdict(tube, taken)),
            Err(problem) => Some(verdict(tube, Err(problem.into()))),
        });
        verdicts.collect()
    }
}

impl Api {
    async fn submit(
        &self,
        caller: &Caller,
        request: SubmitResultsRequest,
    ) -> Result<SubmitResultsResponse, Status> {
        let sent = Sent::read(request.results, 0..=TOGETHER)?;
        let taken = self.0.submit_results(caller, &sent.good()).await?;
        Ok(SubmitResultsResponse {
            verdicts: sent.verdicts(taken),
        })
    }
}

fn verdict(tube: String, taken: Taken) -> Verdict {
    match taken.map_err(Problem::from) {
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
}

fn to_domain(result: Outcome) -> Result<LaboratoryResult, Problem> {
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
    let tested = test_time.and_then(from_timestamp);
    if test_time.is_some() && tested.is_none() {
        fields.violation("test_time", "不是有效的时间", "not an instant");
    }
    fields.finish()?;
    let value = value.and_then(|value| Value::from_code(i16::try_from(i32::from(value)).ok()?));
    Ok(LaboratoryResult {
        tube,
        report,
        version,
        value: value.ok_or_else(|| Problem::invalid("value", "必填", "required"))?,
        tested: tested.unwrap_or(DateTime::UNIX_EPOCH),
        reason,
    })
}

/// The tube whose results somebody reads.
fn read_code<T>(request: &Request<T>, name: &str) -> Result<(Caller, String), Problem> {
    let caller = caller(request)?;
    if caller.allowed(Permission::ResultSubmit).is_err() {
        caller.allowed(Permission::ResultRead)?;
    }
    let mut fields = Fields::new();
    let code = code(&mut fields, "tube", name);
    fields.finish()?;
    Ok((caller, code))
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

    async fn batch_submit_results(
        &self,
        request: Request<BatchSubmitResultsRequest>,
    ) -> Result<Response<BatchSubmitResultsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ResultSubmit)?;
        let request = request.into_inner();
        let sent = Sent::read(request.results.clone(), 1..=results::TOGETHER)?;
        let good = sent.good();
        let once = (request.request_id.as_str(), &request);
        let render = |taken| BatchSubmitResultsResponse {
            verdicts: sent.verdicts(taken),
        };
        let answer = self.0.submit_batch(&caller, &good, once, render).await?;
        Ok(Response::new(answer))
    }

    async fn correct_result(
        &self,
        request: Request<CorrectResultRequest>,
    ) -> Result<Response<Outcome>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ResultSubmit)?;
        let request = request.into_inner();
        let now = kit::field::to_timestamp(self.0.clock.now());
        let correction = to_domain(Outcome {
            tube: request.tube.clone(),
            report: request.report.clone(),
            // The real version is given when the others are known; a correction needs a reason.
            version: 2,
            value: request.value,
            test_time: request.test_time.or(Some(now)),
            reason: request.reason.clone(),
            receive_time: None,
        })?;
        let once = (request.request_id.as_str(), &request);
        let corrected = self.0.correct_result(&caller, correction, once);
        Ok(Response::new(corrected.await?))
    }

    async fn get_result(
        &self,
        request: Request<GetResultRequest>,
    ) -> Result<Response<Outcome>, Status> {
        let (caller, code) = read_code(&request, &request.get_ref().tube)?;
        let row = self.0.get_result(&caller, &code).await?;
        Ok(Response::new(tube_convert::result_row(row)))
    }

    async fn list_results(
        &self,
        request: Request<ListResultsRequest>,
    ) -> Result<Response<ListResultsResponse>, Status> {
        let (caller, code) = read_code(&request, &request.get_ref().tube)?;
        let ListResultsRequest {
            tube,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [tube.as_str()];
        let after: (String, i32) = page::after(&page_token, &binding)?.unwrap_or_default();
        // A tube has a handful of versions, so they are read together.
        let mut rows = self.0.list_results(&caller, &code).await?;
        rows.retain(|row| (&row.report, row.version) > (&after.0, after.1));
        let next_page_token = cut(&mut rows, limit, |row| {
            page::next(&(&row.report, row.version), &binding)
        });
        Ok(Response::new(ListResultsResponse {
            results: rows.into_iter().map(tube_convert::result_row).collect(),
            next_page_token,
        }))
    }
}
