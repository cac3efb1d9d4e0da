//! AuditService: the logs of all services at once.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::BoxStream;
use kit::auth::caller;
use kit::page;
use kit::status::Problem;
use prost::Message;
use proto::audit::audit_log_service_client::AuditLogServiceClient;
use proto::audit::{
    AuditFilter, ExportRecordsRequest, ExportRecordsResponse, SearchRecordsRequest,
    SearchRecordsResponse, VerifyChainRequest,
};
use proto::error::ErrorReason;
use proto::gateway as pb;
use proto::gateway::audit_service_server::{AuditService, SERVICE_NAME};
use proto::gateway::verify_audit_response::ServiceVerdict;
use proto::options::access::Priority;
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Extensions, Request, Response, Status};

use super::merge::{Log, Places, merge};
use crate::authority::Rule;
use crate::callers::Place;
use crate::deadline;
use crate::inside::{Only, retold};
use crate::limits::Stay;
use crate::overview::Who;
use crate::proxy::Deadlines;
use crate::reception::Reception;
use crate::route::{Neighbour, Table};

/// Whoever finds no room for an export may try again after this.
const RETRY: Duration = Duration::from_secs(1);
/// A page of a thousand records is larger than the messages that services take.
const MOST_BYTES: usize = 16 << 20;

type Client = AuditLogServiceClient<Only>;

/// Serves AuditService.
#[derive(Debug)]
pub(crate) struct AuditGrpc {
    pub(crate) table: Arc<Table>,
    pub(crate) deadlines: Deadlines,
    pub(crate) reception: Reception,
}

/// A call by somebody who may audit: who, until when they are answered, and their place among the calls
/// under way.
struct Call<T> {
    who: Who,
    until: Instant,
    message: T,
    place: Place,
}

impl<T> Call<T> {
    /// The same caller asks a service for `message`.
    fn ask<M>(&self, message: M) -> Request<M> {
        Request::from_parts(self.who.headers(), Extensions::default(), message)
    }

    /// As [`Self::ask`], and the service hears how long it has.
    fn ask_in_time<M>(&self, message: M) -> Request<M> {
        let left = self.until.saturating_duration_since(Instant::now());
        let mut request = self.ask(message);
        request.set_timeout(left.max(Duration::from_millis(1)));
        request
    }
}

impl AuditGrpc {
    fn enter<T>(&self, method: &str, request: Request<T>) -> Result<Call<T>, Problem> {
        let caller = caller(&request)?;
        let path = format!("/{SERVICE_NAME}/{method}");
        let head = (request.extensions(), request.metadata().as_ref());
        let place = self.reception.enter(head, &Rule::of(&path), &path)?;
        let voucher = self.reception.voucher(request.extensions());
        let asked = deadline::read(&request.metadata().clone().into_headers());
        let Deadlines { default, most } = self.deadlines;
        // What is left puts the answers of the services together.
        let patience = asked.unwrap_or(default).min(most) / 10 * 9;
        Ok(Call {
            who: Who::new(caller, request.metadata(), voucher),
            until: Instant::now() + patience,
            message: request.into_inner(),
            place,
        })
    }

    /// The service of this name.
    fn service(&self, name: &str) -> Option<&Neighbour> {
        let mut services = self.table.services().iter();
        services.find(|service| service.name == name)
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.table.services().iter().map(|service| service.name)
    }
}

/// The log of a service, for calls that may be made again or, as streams, may not.
fn log(service: &Neighbour, repeatable: bool) -> Client {
    let only = Only {
        upstream: service.upstream.clone(),
        repeatable,
    };
    Client::new(only).max_decoding_message_size(MOST_BYTES)
}

/// What a service answered in time; none when it could not. What it refused, it would refuse again.
async fn in_time<R>(
    until: Instant,
    answer: impl Future<Output = Result<Response<R>, Status>>,
) -> Result<Option<R>, Status> {
    match timeout_at(until, answer).await {
        Ok(Ok(answer)) => Ok(Some(answer.into_inner())),
        Ok(Err(status)) => match status.code() {
            Code::PermissionDenied | Code::Unauthenticated | Code::InvalidArgument => {
                Err(retold(&status))
            }
            _ => Ok(None),
        },
        Err(_) => Ok(None),
    }
}

#[tonic::async_trait]
impl AuditService for AuditGrpc {
    type ExportAuditStream = BoxStream<'static, Result<ExportRecordsResponse, Status>>;

    async fn search_audit(
        &self,
        request: Request<pb::SearchAuditRequest>,
    ) -> Result<Response<pb::SearchAuditResponse>, Status> {
        let call = self.enter("SearchAudit", request)?;
        let filter = call.message.filter.clone().unwrap_or_default();
        let size = page::size(call.message.page_size)?;
        let binding = STANDARD.encode(filter.encode_to_vec());
        let binding = [binding.as_str()];
        let places: Option<Places> = page::after(&call.message.page_token, &binding)?;
        let places = places.unwrap_or_else(|| {
            let all = self.names().map(|name| (name.to_owned(), 0));
            all.collect()
        });
        let asked = places.into_iter().filter_map(|(service, given)| {
            let client = log(self.service(&service)?, true);
            Some(search(&call, (service, given), client, &filter, size))
        });
        let mut answer = pb::SearchAuditResponse::default();
        let mut logs = Vec::new();
        for found in join_all(asked).await {
            match found? {
                (log, Some(found)) => {
                    if answer.own_record.is_empty() {
                        answer.own_record = found.own_record;
                    }
                    logs.push(Log {
                        records: found.records,
                        more: !found.next_page_token.is_empty(),
                        ..log
                    });
                }
                (log, None) => answer.unavailable_services.push(log.service),
            }
        }
        let (records, next) = merge(logs, usize::try_from(size).unwrap_or(usize::MAX));
        answer.records = records;
        answer.next_page_token = next.map_or_else(String::new, |next| page::next(&next, &binding));
        Ok(Response::new(answer))
    }

    async fn verify_audit(
        &self,
        request: Request<pb::VerifyAuditRequest>,
    ) -> Result<Response<pb::VerifyAuditResponse>, Status> {
        let call = self.enter("VerifyAudit", request)?;
        let services = self.table.services().iter();
        let asked = services.map(|service| verify(&call, service.name, log(service, true)));
        let verdicts: Result<Vec<_>, Status> = join_all(asked).await.into_iter().collect();
        Ok(Response::new(pb::VerifyAuditResponse {
            verdicts: verdicts?,
        }))
    }

    async fn export_audit(
        &self,
        request: Request<pb::ExportAuditRequest>,
    ) -> Result<Response<Self::ExportAuditStream>, Status> {
        let call = self.enter("ExportAudit", request)?;
        let Some(service) = self.service(&call.message.service) else {
            let names = self.names().collect::<Vec<_>>().join(", ");
            let (zh, en) = (format!("应为其中之一：{names}"), format!("one of {names}"));
            return Err(Problem::invalid("service", zh, en).into());
        };
        let asked = call.ask(ExportRecordsRequest {
            start_sequence: call.message.start_sequence,
            end_sequence: call.message.end_sequence,
            start_time: call.message.start_time,
            end_time: call.message.end_time,
        });
        let slots = service.rooms.enter(Stay::Stream, Priority::Bulk);
        let overloaded = || Problem::new(ErrorReason::Overloaded).retry_after(RETRY);
        let slots = slots.ok_or_else(overloaded)?;
        let mut client = log(service, false);
        let pieces = timeout_at(call.until, client.export_records(asked)).await;
        let late = |_| Problem::new(ErrorReason::DeadlineExceeded);
        let pieces = pieces.map_err(late)?.map_err(|told| retold(&told))?;
        let places = (call.place, slots.answered(false, Instant::now()));
        let pieces = pieces.into_inner().map(move |piece| {
            // The stream counts as under way until its end.
            let _ = &places;
            piece.map_err(|told| retold(&told))
        });
        Ok(Response::new(pieces.boxed()))
    }
}

/// What one service finds after the record that was given last.
async fn search(
    call: &Call<pb::SearchAuditRequest>,
    (service, given): (String, i64),
    mut client: Client,
    filter: &AuditFilter,
    size: u64,
) -> Result<(Log, Option<SearchRecordsResponse>), Status> {
    let before_sequence = match (given, filter.before_sequence) {
        (0, asked) => asked,
        (given, _) => given,
    };
    let filter = AuditFilter {
        before_sequence,
        ..filter.clone()
    };
    let asked = call.ask_in_time(SearchRecordsRequest {
        filter: Some(filter),
        page_size: i32::try_from(size).unwrap_or(i32::MAX),
        page_token: String::new(),
    });
    let found = in_time(call.until, client.search_records(asked)).await?;
    let log = Log {
        service,
        records: Vec::new(),
        more: false,
        given,
    };
    Ok((log, found))
}

/// Verifies the log of one service part by part, as far as there is time.
async fn verify(
    call: &Call<pb::VerifyAuditRequest>,
    service: &str,
    mut client: Client,
) -> Result<ServiceVerdict, Status> {
    let mut verdict = ServiceVerdict {
        service: service.to_owned(),
        ..ServiceVerdict::default()
    };
    let mut start_sequence = 0;
    loop {
        let asked = call.ask_in_time(VerifyChainRequest {
            start_sequence,
            end_sequence: 0,
        });
        let Some(part) = in_time(call.until, client.verify_chain(asked)).await? else {
            return Ok(verdict);
        };
        verdict.retention_days = part.retention_days;
        verdict.partner_retention_days = part.partner_retention_days;
        verdict.record_count += part.record_count;
        verdict.checkpoint_count += part.checkpoint_count;
        verdict.last_sequence = part.last_sequence;
        verdict.complete = part.fault.is_none() && part.next_sequence == 0;
        verdict.fault = part.fault;
        start_sequence = part.next_sequence;
        if verdict.fault.is_some() || start_sequence == 0 {
            return Ok(verdict);
        }
    }
}
