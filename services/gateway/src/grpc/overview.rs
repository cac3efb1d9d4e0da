//! OverviewService.

use std::time::Duration;

use chrono::NaiveDate;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kit::auth::caller;
use kit::field::Fields;
use kit::page;
use kit::status::Problem;
use proto::gateway as pb;
use proto::gateway::overview_service_server::{OverviewService, SERVICE_NAME};
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use crate::authority::Rule;
use crate::callers::Place;
use crate::deadline;
use crate::overview::{Desk, Rank, Subject, Watches, Who};
use crate::reception::Reception;

/// A page has this many overviews at most, so that it fits into one answer.
const MOST: u64 = 100;

/// Serves OverviewService.
#[derive(Debug)]
pub(crate) struct OverviewGrpc {
    pub(crate) desk: Desk,
    pub(crate) watches: Watches,
    pub(crate) reception: Reception,
}

/// A call by somebody known: who, how long they wait, and their place among the calls under way.
struct Call<T> {
    who: Who,
    asked: Option<Duration>,
    message: T,
    /// The call counts as under way until this is dropped.
    place: Place,
}

impl OverviewGrpc {
    fn enter<T>(&self, method: &str, request: Request<T>) -> Result<Call<T>, Problem> {
        let caller = caller(&request)?;
        let path = format!("/{SERVICE_NAME}/{method}");
        let head = (request.extensions(), request.metadata().as_ref());
        let place = self.reception.enter(head, &Rule::of(&path), &path)?;
        let voucher = self.reception.voucher(request.extensions());
        let asked = patience(request.metadata());
        Ok(Call {
            who: Who::new(caller, request.metadata(), voucher),
            asked,
            message: request.into_inner(),
            place,
        })
    }
}

#[tonic::async_trait]
impl OverviewService for OverviewGrpc {
    type WatchOverviewStream = BoxStream<'static, Result<pb::WatchOverviewResponse, Status>>;

    async fn get_overview(
        &self,
        request: Request<pb::GetOverviewRequest>,
    ) -> Result<Response<pb::Overview>, Status> {
        let call = self.enter("GetOverview", request)?;
        let subject = subject("name", &call.message.name, LEAF, call.message.date)?;
        let budget = self.desk.budget(call.asked);
        let reading = self.desk.read(&call.who, &subject, budget).await?;
        Ok(Response::new(reading.overview(&subject.id)))
    }

    async fn list_overviews(
        &self,
        request: Request<pb::ListOverviewsRequest>,
    ) -> Result<Response<pb::ListOverviewsResponse>, Status> {
        let call = self.enter("ListOverviews", request)?;
        let message = call.message;
        let subject = subject("parent", &message.parent, "", message.date)?;
        let size = page::size(message.page_size)?.min(MOST);
        let date = subject
            .date
            .map(|date| date.to_string())
            .unwrap_or_default();
        let binding = [&*message.parent, &*date];
        let after: Option<Rank> = page::after(&message.page_token, &binding)?;
        let budget = self.desk.budget(call.asked);
        let mut found = self.desk.below(&call.who, &subject, budget).await?;
        if let Some(after) = after {
            found.retain(|(rank, _)| *rank > after);
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let more = found.len() > size;
        found.truncate(size);
        let last = found.last().filter(|_| more);
        let next_page_token = last.map_or_else(String::new, |(rank, _)| page::next(rank, &binding));
        Ok(Response::new(pb::ListOverviewsResponse {
            overviews: found.into_iter().map(|(_, overview)| overview).collect(),
            next_page_token,
        }))
    }

    async fn watch_overview(
        &self,
        request: Request<pb::WatchOverviewRequest>,
    ) -> Result<Response<Self::WatchOverviewStream>, Status> {
        let call = self.enter("WatchOverview", request)?;
        let subject = subject("name", &call.message.name, LEAF, call.message.date)?;
        // The deadline of a stream is how long it may last.
        let budget = self.desk.budget(None);
        let watch = self.watches.watch(call.who, subject, budget, call.place);
        Ok(Response::new(watch.await?.answers().boxed()))
    }
}

/// What there is of an organisation once.
const LEAF: &str = "/overview";

/// Reads which overview is meant.
fn subject(
    field: &str,
    name: &str,
    leaf: &str,
    date: Option<proto::Date>,
) -> Result<Subject, Problem> {
    let mut fields = Fields::new();
    let id = name
        .strip_prefix("organizations/")
        .and_then(|rest| rest.strip_suffix(leaf))
        .filter(|id| kit::org::is_id(id));
    if !fields.required(field, name).is_empty() && id.is_none() {
        fields.violation(field, "格式不正确", "malformed");
    }
    let date: Option<NaiveDate> = date.and_then(|date| fields.date("date", Some(date)));
    fields.finish()?;
    Ok(Subject {
        id: id.unwrap_or_default().to_owned(),
        date,
    })
}

/// How long the caller waits, where it says so.
fn patience(metadata: &MetadataMap) -> Option<Duration> {
    deadline::read(&metadata.clone().into_headers())
}
