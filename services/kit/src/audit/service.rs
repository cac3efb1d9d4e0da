//! Answers for the log of one service.

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use prost::Message;
use proto::audit::audit_log_service_server::AuditLogService;
use proto::audit::{
    AuditFilter, ExportRecordsRequest, ExportRecordsResponse, ListBreakGlassUsesRequest,
    ListBreakGlassUsesResponse, ListCheckpointsRequest, ListCheckpointsResponse,
    SearchRecordsRequest, SearchRecordsResponse, VerifyChainRequest, VerifyChainResponse,
};
use proto::options::access::Audit as Rule;
use tonic::{Request, Response, Status};

use super::checkpoint::Checkpoint;
use super::convert::{checkpoint, fault, to_pb};
use super::export::Export;
use super::log::Shelf;
use super::search::{self, Filter};
use super::uses;
use super::verify::{Fault, Verdict, Verification};
use crate::auth::{Caller, Permission, caller};
use crate::field::Fields;
use crate::org::OrgPath;
use crate::page;
use crate::status::Problem;

/// How many records or checkpoints are read at once, and told in one piece of an export.
pub(super) const PAGE: u64 = 1000;
/// How many records one call verifies at most.
const MOST: i64 = 1_000_000;

/// Answers for the log of one service.
#[derive(Clone)]
pub struct AuditGrpc(Shelf);

impl std::fmt::Debug for AuditGrpc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuditGrpc")
            .field("service", &self.0.service)
            .finish_non_exhaustive()
    }
}

#[tonic::async_trait]
impl AuditLogService for AuditGrpc {
    type ExportRecordsStream = BoxStream<'static, Result<ExportRecordsResponse, Status>>;

    async fn search_records(
        &self,
        request: Request<SearchRecordsRequest>,
    ) -> Result<Response<SearchRecordsResponse>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(
            self.search(&caller, request.into_inner()).await?,
        ))
    }

    async fn list_checkpoints(
        &self,
        request: Request<ListCheckpointsRequest>,
    ) -> Result<Response<ListCheckpointsResponse>, Status> {
        whole_city(&caller(&request)?)?;
        let ListCheckpointsRequest {
            page_size,
            page_token,
        } = request.into_inner();
        let size = page::size(page_size)?;
        let after = page::after(&page_token, &[])?.unwrap_or_default();
        let mut found = self.checkpoints(after, size + 1).await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let last = found.last().map(|last| (last.sequence, last.kind));
        let next_page_token = match last {
            Some(last) if more => page::next(&last, &[]),
            _ => String::new(),
        };
        let tell = |found| checkpoint(self.0.service, found);
        Ok(Response::new(ListCheckpointsResponse {
            checkpoints: found.into_iter().map(tell).collect(),
            next_page_token,
        }))
    }

    async fn list_break_glass_uses(
        &self,
        request: Request<ListBreakGlassUsesRequest>,
    ) -> Result<Response<ListBreakGlassUsesResponse>, Status> {
        let caller = caller(&request)?;
        let place = caller.allowed(Permission::FeedRead)?;
        let ListBreakGlassUsesRequest {
            after_sequence,
            page_size,
            page_token,
        } = request.into_inner();
        let size = page::size(page_size)?;
        let binding = after_sequence.to_string();
        let binding = [binding.as_str(), place.as_str()];
        let after = page::after(&page_token, &binding)?.unwrap_or(after_sequence);
        let db = &self.0.db;
        let last = uses::last_sequence(db).await.map_err(Problem::from)?;
        let found = uses::break_glass_uses(db, place, after, size + 1).await;
        let mut found = found.map_err(Problem::from)?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some(last) if more => page::next(&last.sequence, &binding),
            _ => String::new(),
        };
        Ok(Response::new(ListBreakGlassUsesResponse {
            uses: found,
            next_page_token,
            last_sequence: last,
        }))
    }

    async fn export_records(
        &self,
        request: Request<ExportRecordsRequest>,
    ) -> Result<Response<Self::ExportRecordsStream>, Status> {
        whole_city(&caller(&request)?)?;
        // What is recorded while the export runs, as the export itself, comes with the next one.
        let head = self.head().await?;
        let export = Export::begin(self.0.clone(), &request.into_inner(), head).await?;
        let pieces = stream::try_unfold(export, Export::piece);
        let pieces = pieces.map(|piece| piece.map_err(Status::from));
        Ok(Response::new(pieces.boxed()))
    }

    async fn verify_chain(
        &self,
        request: Request<VerifyChainRequest>,
    ) -> Result<Response<VerifyChainResponse>, Status> {
        whole_city(&caller(&request)?)?;
        let VerifyChainRequest {
            start_sequence,
            end_sequence,
        } = request.into_inner();
        let range = bounds(start_sequence, end_sequence)?;
        let kept_days = self.0.kept_days().await;
        let (usual, of_partners) = kept_days.map_err(Problem::from)?;
        let days = |days: u32| i32::try_from(days).unwrap_or(i32::MAX);
        Ok(Response::new(VerifyChainResponse {
            retention_days: days(usual),
            partner_retention_days: days(of_partners),
            ..self.verify(range, end_sequence == 0).await?
        }))
    }
}

/// Only who audits the whole city sees chains: they do not stop at a district.
fn whole_city(caller: &Caller) -> Result<(), Problem> {
    caller.require(Permission::AuditRead, &OrgPath::root())
}

/// The first and last record that are asked for.
pub(super) fn bounds(start: i64, end: i64) -> Result<(i64, i64), Problem> {
    let mut fields = Fields::new();
    for (field, value) in [("start_sequence", start), ("end_sequence", end)] {
        if value < 0 {
            fields.violation(field, "不能为负数", "must not be negative");
        }
    }
    fields.finish()?;
    Ok((start, if end == 0 { i64::MAX } else { end }))
}

impl AuditGrpc {
    pub(super) fn new(shelf: Shelf) -> Self {
        Self(shelf)
    }

    async fn search(
        &self,
        caller: &Caller,
        request: SearchRecordsRequest,
    ) -> Result<SearchRecordsResponse, Problem> {
        let scope = caller.allowed(Permission::AuditRead)?.clone();
        let SearchRecordsRequest {
            filter,
            page_size,
            page_token,
        } = request;
        let filter = filter.unwrap_or_default();
        let mut wanted = read_filter(&filter)?;
        if wanted.place.contains(&scope) {
            wanted.place = scope;
        }
        caller.require(Permission::AuditRead, &wanted.place)?;
        let size = page::size(page_size)?;
        let binding = hex::encode(filter.encode_to_vec());
        let binding = [binding.as_str(), wanted.place.as_str()];
        let before = page::after(&page_token, &binding)?.unwrap_or(i64::MAX);
        let db = self.0.db.read();
        let mut found = search::newest(db, &wanted, before, size + 1).await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some(last) if more => page::next(&last.sequence, &binding),
            _ => String::new(),
        };
        let tell = |found| to_pb(self.0.service, found);
        Ok(SearchRecordsResponse {
            records: found.into_iter().map(tell).collect(),
            next_page_token,
            own_record: own_record(&filter.method),
        })
    }

    async fn verify(
        &self,
        (first, last): (i64, i64),
        to_the_end: bool,
    ) -> Result<VerifyChainResponse, Problem> {
        let checkpoints = self.all_checkpoints().await?;
        let begun = Verification::new(self.0.service, checkpoints, &self.0.trusted);
        let mut verification = match begun {
            Ok(verification) => verification,
            Err(found) => return Ok(wrong(Verdict::default(), found)),
        };
        let first = first.max(1);
        if first > verification.begins() {
            let before = self.records((first - 1, first - 1)).await?;
            let Some(before) = before.first() else {
                return Err(Problem::invalid(
                    "start_sequence",
                    "之前一条记录不存在",
                    "the record before it does not exist",
                ));
            };
            verification.resume(before);
        }
        let mut from = if first > verification.begins() {
            first
        } else {
            1
        };
        loop {
            let page = self.records((from, last)).await?;
            for record in &page {
                if let Err(found) = verification.push(record) {
                    return Ok(wrong(verification.so_far(), found));
                }
                from = record.sequence + 1;
            }
            let ended = (page.len() as u64) < PAGE;
            let Verdict { records, .. } = verification.so_far();
            if !ended && records < MOST {
                continue;
            }
            let before = verification.so_far();
            if !(ended && to_the_end) {
                let next = if ended { 0 } else { from };
                return Ok(right(before, next));
            }
            return Ok(match verification.finish() {
                Ok(verdict) => right(verdict, 0),
                Err(found) => wrong(before, found),
            });
        }
    }

    async fn records(&self, range: (i64, i64)) -> Result<Vec<super::Record>, Problem> {
        Ok(search::range(self.0.db.read(), range, PAGE).await?)
    }

    async fn checkpoints(&self, after: (i64, i32), limit: u64) -> Result<Vec<Checkpoint>, Problem> {
        Ok(search::checkpoints(self.0.db.read(), after, limit).await?)
    }

    async fn all_checkpoints(&self) -> Result<Vec<Checkpoint>, Problem> {
        let mut all: Vec<Checkpoint> = Vec::new();
        loop {
            let after = all.last().map(|last| (last.sequence, last.kind));
            let page = self.checkpoints(after.unwrap_or_default(), PAGE).await?;
            let ended = (page.len() as u64) < PAGE;
            all.extend(page);
            if ended {
                return Ok(all);
            }
        }
    }

    /// The last record.
    async fn head(&self) -> Result<i64, Problem> {
        let found = search::newest(self.0.db.read(), &Filter::default(), i64::MAX, 1).await?;
        Ok(found.first().map_or(0, |last| last.sequence))
    }
}

fn read_filter(filter: &AuditFilter) -> Result<Filter, Problem> {
    let mut fields = Fields::new();
    let mut instant = |name: &str, value: Option<prost_types::Timestamp>| {
        let value = value?;
        fields.instant(name, Some(value))
    };
    let start = instant("filter.start_time", filter.start_time);
    let end = instant("filter.end_time", filter.end_time);
    let place = fields.optional("filter.place", &filter.place);
    fields.finish()?;
    Ok(Filter {
        start: start.map(|instant| instant.timestamp_millis()),
        end: end.map(|instant| instant.timestamp_millis()),
        subject: filter.subject.clone(),
        resource: filter.resource.clone(),
        place: place.unwrap_or_default(),
        kind: filter.kind,
        method: filter.method.clone(),
        before: filter.before_sequence,
    })
}

/// The table that holds what the method does, where that is the record.
fn own_record(method: &str) -> String {
    let rule = proto::access(method).filter(|rule| rule.audit() == Rule::OwnRecord);
    rule.map_or_else(String::new, |rule| rule.own_record.clone())
}

fn right(verdict: Verdict, next: i64) -> VerifyChainResponse {
    VerifyChainResponse {
        record_count: verdict.records,
        checkpoint_count: verdict.checkpoints,
        fault: None,
        last_sequence: verdict.last,
        next_sequence: next,
        ..VerifyChainResponse::default()
    }
}

fn wrong(verdict: Verdict, found: Fault) -> VerifyChainResponse {
    VerifyChainResponse {
        fault: Some(fault(found)),
        ..right(verdict, 0)
    }
}
