//! SubjectDataService: what all services hold about the person of a request.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use kit::auth::caller;
use kit::status::Problem;
use proto::error::ErrorReason;
use proto::gateway as pb;
use proto::gateway::export_subject_data_response::{Part, ServiceEnd};
use proto::gateway::subject_data_service_server::{SERVICE_NAME, SubjectDataService};
use proto::roster::GetSubjectDataRequest;
use proto::roster::subject_request_service_client::SubjectRequestServiceClient;
use proto::subject::held_data_service_client::HeldDataServiceClient;
use proto::subject::{ExportHeldDataRequest, HeldSection};
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Extensions, Request, Response, Status};
use tonic_types::StatusExt;

use super::held::{reason, sections};
use crate::authority::Rule;
use crate::deadline;
use crate::inside::{Only, retold};
use crate::overview::Who;
use crate::proxy::Deadlines;
use crate::reception::Reception;
use crate::route::{Neighbour, Table};

/// The service whose part is told by a method of its own, and which decides whether anything is told.
const ROSTER: &str = "roster";
/// A part of two hundred records is larger than the messages that services take.
const MOST_BYTES: usize = 16 << 20;
/// How many parts one service tells at most: of twice as many sections as any has, each with as many records
/// as are told.
const MOST_PARTS: usize = 1500;

/// Serves SubjectDataService.
#[derive(Debug)]
pub(crate) struct SubjectDataGrpc {
    pub(crate) table: Arc<Table>,
    pub(crate) deadlines: Deadlines,
    pub(crate) reception: Reception,
}

/// By whom the services are asked, about which request, and how long they have.
struct Asking {
    who: Who,
    until: Instant,
    /// `organizations/{organization}/subjectRequests/{subject_request}`.
    request: String,
}

/// What one service told before it ended, and why it did not tell all.
struct Answer {
    sections: Vec<HeldSection>,
    failure: Option<Status>,
}

impl Asking {
    fn ask<M>(&self, message: M) -> Request<M> {
        let mut request = Request::from_parts(self.who.headers(), Extensions::default(), message);
        let left = self.until.saturating_duration_since(Instant::now());
        request.set_timeout(left.max(Duration::from_millis(1)));
        request
    }
}

#[tonic::async_trait]
impl SubjectDataService for SubjectDataGrpc {
    type ExportSubjectDataStream =
        BoxStream<'static, Result<pb::ExportSubjectDataResponse, Status>>;

    async fn export_subject_data(
        &self,
        request: Request<pb::ExportSubjectDataRequest>,
    ) -> Result<Response<Self::ExportSubjectDataStream>, Status> {
        let caller = caller(&request)?;
        let path = format!("/{SERVICE_NAME}/ExportSubjectData");
        let head = (request.extensions(), request.metadata().as_ref());
        let place = self.reception.enter(head, &Rule::of(&path), &path)?;
        let voucher = self.reception.voucher(request.extensions());
        let asked = deadline::read(&request.metadata().clone().into_headers());
        let Deadlines { default, most } = self.deadlines;
        // What is left puts the answers of the services together.
        let patience = asked.unwrap_or(default).min(most) / 10 * 9;
        let name = &request.get_ref().name;
        let asking = Asking {
            who: Who::new(caller, request.metadata(), voucher),
            until: Instant::now() + patience,
            request: request_of(name)?.to_owned(),
        };
        let services = self.table.services().iter();
        let answers = join_all(services.map(|service| told(&asking, service))).await;
        let mut parts = Vec::new();
        for (service, answer) in answers {
            if let (ROSTER, Some(refused)) = (service, answer.refusal()) {
                return Err(refused);
            }
            parts.extend(answer.parts(service));
        }
        let parts = stream::iter(parts).map(move |part| {
            // The stream counts as under way until its end.
            let _ = &place;
            Ok(part)
        });
        Ok(Response::new(parts.boxed()))
    }
}

/// The request whose data a name means.
fn request_of(name: &str) -> Result<&str, Problem> {
    let request = name.strip_suffix("/heldData");
    let request = request.filter(|request| {
        let parts: Vec<&str> = request.split('/').collect();
        matches!(parts[..], ["organizations", _, "subjectRequests", _])
    });
    let form = "organizations/…/subjectRequests/…/heldData";
    request.ok_or_else(|| {
        let (zh, en) = (
            format!("格式应为 {form}"),
            format!("must be of the form {form}"),
        );
        Problem::invalid("name", zh, en)
    })
}

/// What one service tells until the deadline.
async fn told<'a>(asking: &Asking, service: &'a Neighbour) -> (&'a str, Answer) {
    let mut answer = Answer {
        sections: Vec::new(),
        failure: None,
    };
    let read = if service.name == ROSTER {
        register(asking, service, &mut answer.sections).boxed()
    } else {
        held(asking, service, &mut answer.sections).boxed()
    };
    answer.failure = match timeout_at(asking.until, read).await {
        Ok(Ok(())) => None,
        Ok(Err(status)) => Some(status),
        Err(_) => Some(Problem::new(ErrorReason::DeadlineExceeded).into()),
    };
    (service.name, answer)
}

/// What the register holds.
async fn register(
    asking: &Asking,
    service: &Neighbour,
    told: &mut Vec<HeldSection>,
) -> Result<(), Status> {
    let only = Only {
        upstream: service.upstream.clone(),
        repeatable: false,
    };
    let mut client = SubjectRequestServiceClient::new(only).max_decoding_message_size(MOST_BYTES);
    let name = format!("{}/data", asking.request);
    let asked = asking.ask(GetSubjectDataRequest { name });
    let data = client.get_subject_data(asked).await?.into_inner();
    told.extend(sections(data));
    Ok(())
}

/// What another service holds, part by part.
async fn held(
    asking: &Asking,
    service: &Neighbour,
    told: &mut Vec<HeldSection>,
) -> Result<(), Status> {
    let only = Only {
        upstream: service.upstream.clone(),
        repeatable: false,
    };
    let mut client = HeldDataServiceClient::new(only).max_decoding_message_size(MOST_BYTES);
    let name = asking.request.clone();
    let asked = asking.ask(ExportHeldDataRequest { name });
    let mut parts = client.export_held_data(asked).await?.into_inner();
    while let Some(part) = parts.message().await? {
        if told.len() >= MOST_PARTS {
            return Err(Problem::new(ErrorReason::Overloaded).into());
        }
        told.extend(part.section);
    }
    Ok(())
}

impl Answer {
    /// Why the service will not tell, where asking again would not help.
    fn refusal(&self) -> Option<Status> {
        let failure = self.failure.as_ref()?;
        let refuses = matches!(
            failure.code(),
            Code::PermissionDenied
                | Code::Unauthenticated
                | Code::NotFound
                | Code::FailedPrecondition
                | Code::InvalidArgument
        );
        refuses.then(|| retold(failure))
    }

    /// The parts that are told of the service, its end the last.
    fn parts(self, service: &str) -> Vec<pb::ExportSubjectDataResponse> {
        let Self { sections, failure } = self;
        let (mut count, mut records) = (0, 0);
        let mut last = None;
        for section in &sections {
            // Several messages of one section say the same count.
            if last != Some(&section.section) {
                count += 1;
                records += section.record_count;
            }
            last = Some(&section.section);
        }
        let why = failure.map(|status| {
            let told = status.get_details_error_info().map(|info| info.reason);
            reason(status.code(), told)
        });
        let end = ServiceEnd {
            complete: why.is_none(),
            reason: why.unwrap_or_default(),
            section_count: count,
            record_count: records,
        };
        let sections = sections.into_iter().map(Part::Section);
        let parts = sections.chain([Part::End(end)]);
        let part = |part| pb::ExportSubjectDataResponse {
            service: service.to_owned(),
            part: Some(part),
        };
        parts.map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_has_the_name_of_its_request() {
        let name = "organizations/2135010001/subjectRequests/1/heldData";
        let request = request_of(name).unwrap();
        assert_eq!(request, "organizations/2135010001/subjectRequests/1");
        for wrong in [
            "",
            "organizations/1/subjectRequests/1",
            "organizations/1/subjectRequests/1/data",
            "organizations/1/2/subjectRequests/1/heldData",
        ] {
            let refused = request_of(wrong).unwrap_err();
            assert_eq!(refused.reason(), ErrorReason::InvalidField, "{wrong}");
        }
    }

    #[test]
    fn a_section_in_several_messages_is_counted_once() {
        let section = |name: &str| HeldSection {
            section: name.to_owned(),
            record_count: 201,
            ..HeldSection::default()
        };
        let answer = Answer {
            sections: vec![section("swabs"), section("swabs"), section("holds")],
            failure: Some(Problem::new(ErrorReason::Unavailable).into()),
        };
        let parts = answer.parts("sampling");
        assert_eq!(parts.len(), 4);
        let end = ServiceEnd {
            complete: false,
            reason: "UNAVAILABLE".to_owned(),
            section_count: 2,
            record_count: 402,
        };
        assert_eq!(parts[3].part, Some(Part::End(end)));
    }
}
