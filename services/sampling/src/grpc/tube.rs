//! TubeService.

use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use kit::auth::{Caller, Permission, Role, caller};
use kit::field::{Fields, read_or_denied};
use kit::page;
use kit::status::Problem;
use prost::Message;
use proto::sampling::tube_service_server::TubeService;
use proto::sampling::{
    AddSwabRequest, AddSwabResponse, AddSwabsRequest, AddSwabsResponse, CloseTubeRequest,
    GetTubeRequest, HandOverTubeRequest, IssueTubesRequest, IssueTubesResponse,
    ListCustodyEventsRequest, ListCustodyEventsResponse, ListMakeUpTasksRequest,
    ListMakeUpTasksResponse, ListSwabsRequest, ListSwabsResponse, ListTubesRequest,
    ListTubesResponse, OpenTubeRequest, ReceiveTubeRequest, RejectTubeRequest, RemoveSwabRequest,
    ReportTubeLostRequest, SealTubeRequest, StartTestingRequest, Tube, VoidTubeRequest,
};
use tonic::{Request, Response, Status, Streaming};

use super::convert::{self, cut};
use super::tube_convert;
use super::tube_requests::{self as requests, code};
use crate::app::App;
use crate::app::swabs::{Scan, Scans};
use crate::app::tube_reads::Wanted;
use crate::domain::tube::is_code;
use crate::domain::tube_step::Step;
use crate::error::Error;

/// Serves tubes.
#[derive(Clone, Debug)]
pub(super) struct Api {
    pub(super) app: App,
    pub(super) scans: Scans,
}

/// How many scans of one stream are under way at once.
const UNDER_WAY: usize = 256;

impl Api {
    async fn add(&self, scan: Result<Scan, Problem>) -> Result<AddSwabResponse, Problem> {
        let scanned = self.scans.submit(scan?).await?.map_err(Problem::from)?;
        Ok(tube_convert::scanned(scanned))
    }

    /// Whether the caller may do `permission` to the tube of this name. That it is none is found wrong
    /// with the request.
    async fn may(&self, caller: &Caller, permission: Permission, name: &str) -> Result<(), Error> {
        match name.strip_prefix("tubes/").filter(|code| is_code(code)) {
            Some(code) => self.app.get_tube(caller, permission, code).await.map(drop),
            None => Ok(()),
        }
    }

    /// Takes one step; whoever may not take it with this tube is told so before what is wrong with it.
    async fn step<R: Message>(
        &self,
        request: Request<R>,
        (permission, name): (Permission, fn(&R) -> &str),
        read: impl FnOnce(&R) -> Result<(String, Step), Problem>,
        request_id: impl FnOnce(&R) -> String,
    ) -> Result<Response<Tube>, Status> {
        let caller = caller(&request)?;
        caller.allowed(permission)?;
        let request = request.into_inner();
        let may = self.may(&caller, permission, name(&request));
        let (code, step) = read_or_denied(read(&request), may).await?;
        let id = request_id(&request);
        let once = (id.as_str(), &request);
        Ok(Response::new(
            self.app.step(&caller, &code, &step, once).await?,
        ))
    }
}

/// The scans of a stream, up to one that cannot be read: nobody knows what follows it.
fn readable(
    swabs: Streaming<AddSwabsRequest>,
) -> impl Stream<Item = Result<AddSwabsRequest, Status>> + Send + 'static {
    stream::unfold(Some(swabs), |swabs| async move {
        let mut swabs = swabs?;
        let swab = swabs.next().await?;
        let rest = swab.is_ok().then_some(swabs);
        Some((swab, rest))
    })
}

/// The caller, who handles tubes at schools.
fn handler<T>(request: &Request<T>) -> Result<Caller, Problem> {
    let caller = caller(request)?;
    caller.allowed(Permission::TubeHandle)?;
    Ok(caller)
}

/// The caller, who reads tubes.
fn reader<T>(request: &Request<T>) -> Result<Caller, Problem> {
    let caller = caller(request)?;
    caller.allowed(Permission::TubeRead)?;
    Ok(caller)
}

#[tonic::async_trait]
impl TubeService for Api {
    type AddSwabsStream = BoxStream<'static, Result<AddSwabsResponse, Status>>;

    async fn issue_tubes(
        &self,
        request: Request<IssueTubesRequest>,
    ) -> Result<Response<IssueTubesResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeIssue)?;
        let lot = requests::lot(&caller, request.into_inner())?;
        let issued = self.app.issue_tubes(&caller, lot).await?;
        Ok(Response::new(IssueTubesResponse {
            issued_count: i32::try_from(issued).unwrap_or(i32::MAX),
        }))
    }

    async fn open_tube(&self, request: Request<OpenTubeRequest>) -> Result<Response<Tube>, Status> {
        let caller = handler(&request)?;
        let request = request.into_inner();
        let opening = requests::opening(&request);
        let may = async {
            match request.name.strip_prefix("tubes/") {
                Some(code) if is_code(code) => self.app.may_open_tube(&caller, code).await,
                _ => Ok(()),
            }
        };
        let (code, purpose, draw) = read_or_denied(opening, may).await?;
        let once = (request.request_id.as_str(), &request);
        let tube = self.app.open_tube(&caller, &code, purpose, draw, once);
        Ok(Response::new(tube.await?))
    }

    async fn add_swab(
        &self,
        request: Request<AddSwabRequest>,
    ) -> Result<Response<AddSwabResponse>, Status> {
        let caller = handler(&request)?;
        let scan = requests::scan(caller, request.into_inner());
        Ok(Response::new(self.add(scan).await?))
    }

    async fn add_swabs(
        &self,
        request: Request<Streaming<AddSwabsRequest>>,
    ) -> Result<Response<Self::AddSwabsStream>, Status> {
        let caller = handler(&request)?;
        let api = self.clone();
        let swabs = readable(request.into_inner()).enumerate();
        let answers = swabs.map(move |(index, swab)| {
            let (api, caller) = (api.clone(), caller.clone());
            async move {
                let scan = requests::scan(caller, swab?.swab.unwrap_or_default());
                let answer = api.add(scan).await;
                Ok(tube_convert::answer(index, answer))
            }
        });
        Ok(Response::new(answers.buffered(UNDER_WAY).boxed()))
    }

    async fn remove_swab(
        &self,
        request: Request<RemoveSwabRequest>,
    ) -> Result<Response<Tube>, Status> {
        let caller = handler(&request)?;
        let request = request.into_inner();
        let may = self.may(&caller, Permission::TubeHandle, &request.tube);
        let (code, person) = read_or_denied(requests::removal(&request), may).await?;
        let who = (person, request.person.as_str());
        let once = (request.request_id.as_str(), &request);
        let tube = self
            .app
            .remove_swab(&caller, &code, who, &request.reason, once);
        Ok(Response::new(tube.await?))
    }

    async fn seal_tube(&self, request: Request<SealTubeRequest>) -> Result<Response<Tube>, Status> {
        let read = |request: &SealTubeRequest| requests::plain(&request.name, Step::Seal);
        let id = |request: &SealTubeRequest| request.request_id.clone();
        self.step(request, (Permission::TubeHandle, |it| &*it.name), read, id)
            .await
    }

    async fn hand_over_tube(
        &self,
        request: Request<HandOverTubeRequest>,
    ) -> Result<Response<Tube>, Status> {
        let id = |request: &HandOverTubeRequest| request.request_id.clone();
        self.step(
            request,
            (Permission::TubeHandle, |it| &*it.name),
            requests::hand_over,
            id,
        )
        .await
    }

    async fn receive_tube(
        &self,
        request: Request<ReceiveTubeRequest>,
    ) -> Result<Response<Tube>, Status> {
        let id = |request: &ReceiveTubeRequest| request.request_id.clone();
        self.step(
            request,
            (Permission::TubeReceive, |it| &*it.name),
            requests::receipt,
            id,
        )
        .await
    }

    async fn start_testing(
        &self,
        request: Request<StartTestingRequest>,
    ) -> Result<Response<Tube>, Status> {
        let read =
            |request: &StartTestingRequest| requests::plain(&request.name, Step::StartTesting);
        let id = |request: &StartTestingRequest| request.request_id.clone();
        self.step(request, (Permission::TubeReceive, |it| &*it.name), read, id)
            .await
    }

    async fn void_tube(&self, request: Request<VoidTubeRequest>) -> Result<Response<Tube>, Status> {
        let read = |request: &VoidTubeRequest| {
            let (code, reason) = requests::reasoned(&request.name, &request.reason)?;
            Ok((code, Step::Void { reason }))
        };
        let id = |request: &VoidTubeRequest| request.request_id.clone();
        self.step(request, (Permission::TubeHandle, |it| &*it.name), read, id)
            .await
    }

    async fn report_tube_lost(
        &self,
        request: Request<ReportTubeLostRequest>,
    ) -> Result<Response<Tube>, Status> {
        let read = |request: &ReportTubeLostRequest| {
            let (code, reason) = requests::reasoned(&request.name, &request.reason)?;
            Ok((code, Step::ReportLost { reason }))
        };
        let id = |request: &ReportTubeLostRequest| request.request_id.clone();
        self.step(request, (Permission::TubeHandle, |it| &*it.name), read, id)
            .await
    }

    async fn reject_tube(
        &self,
        request: Request<RejectTubeRequest>,
    ) -> Result<Response<Tube>, Status> {
        let id = |request: &RejectTubeRequest| request.request_id.clone();
        self.step(
            request,
            (Permission::TubeReceive, |it| &*it.name),
            requests::rejection,
            id,
        )
        .await
    }

    async fn close_tube(
        &self,
        request: Request<CloseTubeRequest>,
    ) -> Result<Response<Tube>, Status> {
        let read = |request: &CloseTubeRequest| requests::plain(&request.name, Step::Close);
        let id = |request: &CloseTubeRequest| request.request_id.clone();
        self.step(request, (Permission::TubeHandle, |it| &*it.name), read, id)
            .await
    }

    async fn get_tube(&self, request: Request<GetTubeRequest>) -> Result<Response<Tube>, Status> {
        let caller = reader(&request)?;
        let mut fields = Fields::new();
        let code = code(&mut fields, "name", &request.get_ref().name);
        fields.finish()?;
        let tube = self.app.get_tube(&caller, Permission::TubeRead, &code);
        let (tube, now) = (tube.await?, self.app.clock.now());
        let laboratory = caller.is(Role::Laboratory);
        Ok(Response::new(tube_convert::tube(&tube, now, laboratory)))
    }

    async fn list_tubes(
        &self,
        request: Request<ListTubesRequest>,
    ) -> Result<Response<ListTubesResponse>, Status> {
        let caller = reader(&request)?;
        let laboratory = caller.is(Role::Laboratory);
        let ListTubesRequest {
            organization,
            state,
            overdue,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let (of_state, of_overdue) = (state.to_string(), overdue.to_string());
        let binding = [organization.as_str(), &of_state, &of_overdue];
        let after: String = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut fields = Fields::new();
        let below = if laboratory {
            ""
        } else {
            convert::organization(&mut fields, "organization", &organization)
        };
        let state = requests::state(&mut fields, state);
        fields.finish()?;
        let wanted = Wanted {
            organization: below,
            state,
            overdue,
            after,
            limit: limit + 1,
        };
        let mut rows = self.app.list_tubes(&caller, wanted).await?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.code, &binding));
        let now = self.app.clock.now();
        let tube = |row| tube_convert::tube(row, now, laboratory);
        Ok(Response::new(ListTubesResponse {
            tubes: rows.iter().map(tube).collect(),
            next_page_token,
        }))
    }

    async fn list_swabs(
        &self,
        request: Request<ListSwabsRequest>,
    ) -> Result<Response<ListSwabsResponse>, Status> {
        let caller = reader(&request)?;
        let ListSwabsRequest {
            tube,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [tube.as_str()];
        let after: Vec<u8> = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut fields = Fields::new();
        let code = code(&mut fields, "tube", &tube);
        fields.finish()?;
        let mut rows = self
            .app
            .list_swabs(&caller, &code, after, limit + 1)
            .await?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.person, &binding));
        Ok(Response::new(ListSwabsResponse {
            swabs: rows.iter().map(tube_convert::swab).collect(),
            next_page_token,
        }))
    }

    async fn list_custody_events(
        &self,
        request: Request<ListCustodyEventsRequest>,
    ) -> Result<Response<ListCustodyEventsResponse>, Status> {
        let caller = reader(&request)?;
        let ListCustodyEventsRequest {
            tube,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [tube.as_str()];
        let after: i64 = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut fields = Fields::new();
        let code = code(&mut fields, "tube", &tube);
        fields.finish()?;
        let mut rows = self
            .app
            .list_custody(&caller, &code, after, limit + 1)
            .await?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.sequence, &binding));
        Ok(Response::new(ListCustodyEventsResponse {
            custody_events: rows.into_iter().map(tube_convert::custody).collect(),
            next_page_token,
        }))
    }

    async fn list_make_up_tasks(
        &self,
        request: Request<ListMakeUpTasksRequest>,
    ) -> Result<Response<ListMakeUpTasksResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::DrawRead)?;
        let ListMakeUpTasksRequest {
            organization,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [organization.as_str()];
        let after: (String, Vec<u8>) = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut fields = Fields::new();
        let id = convert::organization(&mut fields, "organization", &organization);
        fields.finish()?;
        let mut rows = self
            .app
            .list_make_ups(&caller, id, after, limit + 1)
            .await?;
        let next_page_token = cut(&mut rows, limit, |row| {
            page::next(&(&row.tube, &row.person), &binding)
        });
        Ok(Response::new(ListMakeUpTasksResponse {
            make_up_tasks: rows.into_iter().map(tube_convert::make_up).collect(),
            next_page_token,
        }))
    }
}
