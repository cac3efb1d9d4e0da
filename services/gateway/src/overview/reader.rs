//! Asks the services for figures, with the caller's own headers and a deadline.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use kit::clock::Clock;
use kit::field::{to_date, to_timestamp};
use proto::notification::alert_service_client::AlertServiceClient;
use proto::notification::concern_service_client::ConcernServiceClient;
use proto::notification::directive_service_client::DirectiveServiceClient;
use proto::notification::{
    AlertGroup, GetConcernFiguresRequest, GetDirectiveFiguresRequest, ListAlertGroupsRequest,
    ListDirectiveFiguresRequest,
};
use proto::roster::class_group_service_client::ClassGroupServiceClient;
use proto::roster::organization_service_client::OrganizationServiceClient;
use proto::roster::{
    GetOrganizationRequest, GetTeachingSummaryRequest, ListTeachingSummariesRequest,
};
use proto::safety::resumption_service_client::ResumptionServiceClient;
use proto::safety::safety_figures_service_client::SafetyFiguresServiceClient;
use proto::safety::{
    GetResumptionFiguresRequest, GetSafetyFiguresRequest, ListSafetyFiguresRequest,
};
use proto::sampling::coverage_service_client::CoverageServiceClient;
use proto::sampling::{
    GetCoverageRequest, GetHealthCoverageRequest, ListCoverageRequest, ListHealthCoverageRequest,
};
use tokio::time::{Instant, timeout_at};
use tonic::metadata::MetadataMap;
use tonic::{Extensions, Request, Response, Status};

use super::assemble::Place;
use super::figures::{Told, notification, roster, safety, sampling};
use super::source::Source;
use super::who::Who;
use crate::inside::Inside;

/// A list of figures is read in pages of this size, and no further than so many pages.
const PAGE: i32 = 1000;
const PAGES: usize = 8;
/// An answer with a thousand figures is larger than the messages that services take.
const MOST_BYTES: usize = 16 << 20;

/// Asks services.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    inside: Inside,
    clock: Arc<dyn Clock>,
}

/// What is asked, for whom, and until when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) who: &'a Who,
    /// The id of the organisation.
    pub(crate) id: &'a str,
    pub(crate) date: NaiveDate,
    pub(crate) until: Instant,
}

impl Ask<'_> {
    fn organization(&self) -> String {
        format!("organizations/{}", self.id)
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let left = self.until.saturating_duration_since(Instant::now());
        let mut request = Request::from_parts(self.who.headers(), Extensions::default(), message);
        request.set_timeout(left.max(Duration::from_millis(1)));
        request
    }

    async fn answer<T>(
        &self,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Status> {
        match timeout_at(self.until, call).await {
            Ok(answered) => answered.map(Response::into_inner),
            Err(_) => Err(Status::deadline_exceeded("the service is late")),
        }
    }
}

/// Headers for a call that is not bound by [`Ask`].
pub(crate) fn signed<T>(headers: MetadataMap, message: T) -> Request<T> {
    Request::from_parts(headers, Extensions::default(), message)
}

impl Reader {
    pub(crate) fn new(inside: Inside, clock: Arc<dyn Clock>) -> Self {
        Self { inside, clock }
    }

    /// The way to the services.
    pub(crate) fn inside(&self) -> Inside {
        self.inside.clone()
    }

    /// Where the organisation stands, as the register says.
    pub(crate) async fn place(&self, ask: Ask<'_>) -> Result<Place, Status> {
        let mut client = OrganizationServiceClient::new(self.inside());
        let name = ask.organization();
        let request = ask.request(GetOrganizationRequest { name });
        let found = ask.answer(client.get_organization(request)).await?;
        Ok(Place {
            org_path: found.org_path,
            display_name: found.display_name,
        })
    }

    /// What `source` tells of the organisation.
    pub(crate) async fn one(&self, source: Source, ask: Ask<'_>) -> Result<Told, Status> {
        let organization = ask.organization();
        match source {
            Source::Coverage => {
                let mut client = CoverageServiceClient::new(self.inside());
                let scope = organization;
                let request = ask.request(GetCoverageRequest { scope });
                let told = ask.answer(client.get_coverage(request)).await?;
                Ok(sampling::coverage(told, self.now()))
            }
            Source::HealthCoverage => {
                let mut client = CoverageServiceClient::new(self.inside());
                let request = ask.request(GetHealthCoverageRequest {
                    scope: organization,
                    check_date: Some(to_date(ask.date)),
                });
                let told = ask.answer(client.get_health_coverage(request)).await?;
                Ok(sampling::health(told, self.now()))
            }
            Source::SafetyFigures => {
                let mut client = SafetyFiguresServiceClient::new(self.inside());
                let name = format!("{organization}/safetyFigures");
                let request = ask.request(GetSafetyFiguresRequest { name });
                let told = ask.answer(client.get_safety_figures(request)).await?;
                Ok(safety::figures(told, self.now()))
            }
            Source::ResumptionFigures => {
                let (told, _) = self.readiness(ask).await?;
                Ok(safety::readiness(told, self.now()))
            }
            Source::AlertGroups => {
                let groups = self.groups(ask).await?;
                Ok(notification::alerts(&groups, self.now()))
            }
            Source::ConcernFigures => {
                let mut client = ConcernServiceClient::new(self.inside());
                let parent = organization;
                let request = ask.request(GetConcernFiguresRequest { parent });
                let told = ask.answer(client.get_concern_figures(request)).await?;
                Ok(notification::concerns(told, self.now()))
            }
            Source::DirectiveFigures => {
                let mut client = DirectiveServiceClient::new(self.inside());
                let name = format!("{organization}/directiveFigures");
                let request = ask.request(GetDirectiveFiguresRequest { name });
                let told = ask.answer(client.get_directive_figures(request)).await?;
                Ok(notification::directives(told, self.now()))
            }
            Source::TeachingSummary => {
                let mut client = ClassGroupServiceClient::new(self.inside());
                let name = format!("{organization}/teachingSummary");
                let request = ask.request(GetTeachingSummaryRequest { name });
                let told = ask.answer(client.get_teaching_summary(request)).await?;
                Ok(roster::teaching(told, self.now()))
            }
        }
    }

    /// What `source` tells of each organisation right below, by id. Of alerts, resumptions and class groups,
    /// one that is not told has none.
    pub(crate) async fn below(
        &self,
        source: Source,
        ask: Ask<'_>,
    ) -> Result<BTreeMap<String, Told>, Status> {
        let now = self.now();
        match source {
            Source::Coverage => {
                let client = &CoverageServiceClient::new(self.inside())
                    .max_decoding_message_size(MOST_BYTES);
                let pages = pages(|page_token| async move {
                    let request = ask.request(ListCoverageRequest {
                        parent: ask.organization(),
                        page_size: PAGE,
                        page_token,
                    });
                    let mut client = client.clone();
                    let page = ask.answer(client.list_coverage(request)).await?;
                    Ok((page.coverages, page.next_page_token))
                });
                let told = pages.await?.into_iter().map(|one| {
                    let id = child(&one.scope);
                    (id, sampling::coverage(one, now))
                });
                Ok(known(told))
            }
            Source::HealthCoverage => {
                let client = &CoverageServiceClient::new(self.inside())
                    .max_decoding_message_size(MOST_BYTES);
                let pages = pages(|page_token| async move {
                    let request = ask.request(ListHealthCoverageRequest {
                        parent: ask.organization(),
                        check_date: Some(to_date(ask.date)),
                        page_size: PAGE,
                        page_token,
                        ..ListHealthCoverageRequest::default()
                    });
                    let mut client = client.clone();
                    let page = ask.answer(client.list_health_coverage(request)).await?;
                    Ok((page.health_coverages, page.next_page_token))
                });
                let told = pages.await?.into_iter().map(|one| {
                    let id = child(&one.scope);
                    (id, sampling::health(one, now))
                });
                Ok(known(told))
            }
            Source::SafetyFigures => {
                let client = &SafetyFiguresServiceClient::new(self.inside())
                    .max_decoding_message_size(MOST_BYTES);
                let pages = pages(|page_token| async move {
                    let request = ask.request(ListSafetyFiguresRequest {
                        parent: ask.organization(),
                        page_size: PAGE,
                        page_token,
                    });
                    let mut client = client.clone();
                    let page = ask.answer(client.list_safety_figures(request)).await?;
                    Ok((page.safety_figures, page.next_page_token))
                });
                let told = pages.await?.into_iter().map(|one| {
                    let id = one.name.strip_suffix("/safetyFigures").and_then(child);
                    (id, safety::figures(one, now))
                });
                Ok(known(told))
            }
            Source::ResumptionFigures => {
                let (_, parts) = self.readiness(ask).await?;
                let told = parts.into_iter().map(|one| {
                    let id = child(&one.organization);
                    (id, safety::readiness(Some(one), now))
                });
                Ok(known(told))
            }
            Source::AlertGroups => {
                let mut groups: BTreeMap<String, Vec<AlertGroup>> = BTreeMap::new();
                for group in self.groups(ask).await? {
                    match child(&group.organization) {
                        Some(id) if id != ask.id => groups.entry(id).or_default().push(group),
                        _ => {}
                    }
                }
                let told = groups
                    .into_iter()
                    .map(|(id, groups)| (Some(id), notification::alerts(&groups, now)));
                Ok(known(told))
            }
            Source::ConcernFigures => Ok(BTreeMap::new()),
            Source::DirectiveFigures => {
                let client = &DirectiveServiceClient::new(self.inside())
                    .max_decoding_message_size(MOST_BYTES);
                let pages = pages(|page_token| async move {
                    let request = ask.request(ListDirectiveFiguresRequest {
                        parent: ask.organization(),
                        page_size: PAGE,
                        page_token,
                    });
                    let mut client = client.clone();
                    let page = ask.answer(client.list_directive_figures(request)).await?;
                    Ok((page.directive_figures, page.next_page_token))
                });
                let told = pages.await?.into_iter().map(|one| {
                    let id = one.name.strip_suffix("/directiveFigures").and_then(child);
                    (id, notification::directives(one, now))
                });
                Ok(known(told))
            }
            Source::TeachingSummary => {
                let client = &ClassGroupServiceClient::new(self.inside())
                    .max_decoding_message_size(MOST_BYTES);
                let pages = pages(|page_token| async move {
                    let request = ask.request(ListTeachingSummariesRequest {
                        parent: ask.organization(),
                        page_size: PAGE,
                        page_token,
                    });
                    let mut client = client.clone();
                    let page = ask.answer(client.list_teaching_summaries(request)).await?;
                    Ok((page.teaching_summaries, page.next_page_token))
                });
                let told = pages.await?.into_iter().map(|one| {
                    let id = one.name.strip_suffix("/teachingSummary").and_then(child);
                    (id, roster::teaching(one, now))
                });
                Ok(known(told))
            }
        }
    }

    /// How ready the organisation and those right below it are.
    async fn readiness(&self, ask: Ask<'_>) -> Result<(Option<Ready>, Vec<Ready>), Status> {
        let mut client =
            ResumptionServiceClient::new(self.inside()).max_decoding_message_size(MOST_BYTES);
        let request = ask.request(GetResumptionFiguresRequest {
            name: format!("{}/resumptionFigures", ask.organization()),
            position: 0,
        });
        let told = ask.answer(client.get_resumption_figures(request)).await?;
        Ok((told.total, told.parts))
    }

    async fn groups(&self, ask: Ask<'_>) -> Result<Vec<AlertGroup>, Status> {
        let client = &AlertServiceClient::new(self.inside());
        pages(|page_token| async move {
            let request = ask.request(ListAlertGroupsRequest {
                parent: ask.organization(),
                page_size: PAGE,
                page_token,
            });
            let mut client = client.clone();
            let page = ask.answer(client.list_alert_groups(request)).await?;
            Ok((page.groups, page.next_page_token))
        })
        .await
    }

    fn now(&self) -> prost_types::Timestamp {
        to_timestamp(self.clock.now())
    }
}

type Ready = proto::safety::resumption_figures::Figure;

/// Every page of a list. One that does not end counts as unavailable: a part of it would be read as all.
async fn pages<T, F>(page: impl Fn(String) -> F) -> Result<Vec<T>, Status>
where
    F: Future<Output = Result<(Vec<T>, String), Status>>,
{
    let mut all = Vec::new();
    let mut token = String::new();
    for _ in 0..PAGES {
        let (some, next) = page(token).await?;
        all.extend(some);
        if next.is_empty() {
            return Ok(all);
        }
        token = next;
    }
    Err(Status::resource_exhausted("the list is too long"))
}

/// The id in `organizations/{organization}`; none for what is no organisation, such as a class group.
fn child(name: &str) -> Option<String> {
    let id = name.strip_prefix("organizations/")?;
    kit::org::is_id(id).then(|| id.to_owned())
}

fn known(told: impl Iterator<Item = (Option<String>, Told)>) -> BTreeMap<String, Told> {
    told.filter_map(|(id, told)| Some((id?, told))).collect()
}
