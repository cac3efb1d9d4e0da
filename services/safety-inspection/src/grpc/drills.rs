//! DrillService.

use kit::auth::{Permission, caller};
use kit::page;
use kit::status::Problem;
use prost::Message;
use proto::safety as pb;
use proto::safety::drill_service_server::DrillService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert::drills as convert;
use crate::app::drills::{Act, Drills};
use crate::domain::drill::Step;

/// Serves DrillService.
#[derive(Debug)]
pub(crate) struct DrillGrpc {
    app: Drills,
}

/// A request that names a drill and does something with it once.
trait Acts: Message + 'static {
    fn name(&self) -> &str;
    fn request_id(&self) -> &str;
}

macro_rules! acts {
    ($($request:ident),+ $(,)?) => {
        $(impl Acts for pb::$request {
            fn name(&self) -> &str {
                &self.name
            }

            fn request_id(&self) -> &str {
                &self.request_id
            }
        })+
    };
}

acts!(
    ApproveDrillRequest,
    AnnounceDrillRequest,
    PostponeDrillRequest,
    StartDrillRequest,
    RecordAllOutRequest,
    RecordHeadcountRequest,
    RecordFoundRequest,
    EndDrillRequest,
    AbortDrillRequest,
    ReviewDrillRequest,
    ArchiveDrillRequest,
);

impl DrillGrpc {
    pub(crate) fn new(app: Drills) -> Self {
        Self { app }
    }

    async fn act<A: Acts>(
        &self,
        request: Request<A>,
        (method, step): (&'static str, Step),
        read: impl FnOnce(&A) -> Result<Act, Problem> + Send,
    ) -> Result<Response<pb::Drill>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (organization, id) = convert::child("name", "drills", request.name())?;
        let permission = Act::permission(step);
        let site = self.app.site(&caller, permission, &organization).await?;
        let act = read(&request)?;
        let once = (method, (request.request_id(), &request));
        let acted = self
            .app
            .act(&caller, (&site, id), act, once, convert::drill);
        Ok(Response::new(acted.await?))
    }
}

#[tonic::async_trait]
impl DrillService for DrillGrpc {
    async fn create_drill(
        &self,
        request: Request<pb::CreateDrillRequest>,
    ) -> Result<Response<pb::Drill>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::organization("parent", &request.parent)?;
        let permission = Permission::DrillWrite;
        let site = self.app.site(&caller, permission, &organization).await?;
        let plan = convert::plan(&organization, &request)?;
        let once = (&*request.request_id, &request);
        let drill = self.app.create(&caller, &site, plan, once, convert::drill);
        Ok(Response::new(drill.await?))
    }

    async fn get_drill(
        &self,
        request: Request<pb::GetDrillRequest>,
    ) -> Result<Response<pb::Drill>, Status> {
        let caller = caller(&request)?;
        let (organization, id) = convert::child("name", "drills", &request.into_inner().name)?;
        let permission = Permission::DrillRead;
        let site = self.app.site(&caller, permission, &organization).await?;
        let drill = self.app.get(&caller, &site, id).await?;
        Ok(Response::new(convert::drill(drill)))
    }

    async fn list_drills(
        &self,
        request: Request<pb::ListDrillsRequest>,
    ) -> Result<Response<pb::ListDrillsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::organization("parent", &request.parent)?;
        let permission = Permission::DrillRead;
        let site = self.app.site(&caller, permission, &organization).await?;
        let filter = convert::filter(&request)?;
        let size = page::size(request.page_size)?;
        let (state, kind) = (request.state.to_string(), request.drill_type.to_string());
        let binding = [&*request.parent, &*state, &*kind];
        let before: Option<Uuid> = page::after(&request.page_token, &binding)?;
        let mut found = self.app.list(&site, filter, before, size + 1).await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| last.record.id);
        Ok(Response::new(pb::ListDrillsResponse {
            drills: found.into_iter().map(convert::drill).collect(),
            next_page_token,
        }))
    }

    async fn approve_drill(
        &self,
        request: Request<pb::ApproveDrillRequest>,
    ) -> Result<Response<pb::Drill>, Status> {
        let by = ("ApproveDrill", Step::Approve);
        self.act(request, by, |_| Ok(Act::Approve)).await
    }

    async fn announce_drill(
        &self,
        request: Request<pb::AnnounceDrillRequest>,
    ) -> Result<Response<pb::Drill>, Status> {
        let by = ("AnnounceDrill", Step::Announce);
        self.act(request, by, |request| {
            let concealed = request.unannounced;
            Ok(if concealed {
                Act::Conceal
            } else {
                Act::Announce
            })
        })
        .await
    }

    async fn postpone_drill(
        &self,
        request: Request<pb::PostponeDrillRequest>,
    ) -> Result<Response<pb::Drill>, Status> {
        let by = ("PostponeDrill", Step::Postpone);
        self.act(request, by, |request| {
            let (at, reason) = convert::postponed(request)?;
            Ok(Act::Postpone(at, reason))
        })
        .await
    }

    async fn start_drill(
        &self,
        request: Request<pb::StartDrillRequest>,
    ) -> Result<Response<pb::Drill>, Status> {
        let by = ("StartDrill", Step::Start);
        self.act(request, by, |request| {
            let at = convert::instant("signal_time", request.signal_time)?;
            Ok(Act::Start(at))
        })
        .await
    }

    async fn record_all_out(
        &self,
        request: Request<pb::RecordAllOutRequest>,
    ) -> Result<Response<pb::Drill>, Status> {
        let by = ("RecordAllOut", Step::AllOut);
        self.act(request, by, |request| {
            let at = convert::instant("all_out_time", request.all_out_time)?;
            Ok(Act::AllOut(at))
        })
        .await
    }

    async fn record_headcount(
        &self,
        request: Request<pb::RecordHeadcountRequest>,
    ) -> Result<Response<pb::Drill>, Status> {
        let by = ("RecordHeadcount", Step::Headcount);
        self.act(request, by, |request| {
            Ok(Act::Headcount(convert::counts(&request.counts)?))
        })
        .await
    }

    async fn record_found(
        &self,
        request: Request<pb::RecordFoundRequest>,
    ) -> Result<Response<pb::Drill>, Status> {
        let by = ("RecordFound", Step::Find);
        self.act(request, by, |request| {
            Ok(Act::Find(convert::person(&request.person)?))
        })
        .await
    }

    async fn end_drill(
        &self,
        request: Request<pb::EndDrillRequest>,
    ) -> Result<Response<pb::Drill>, Status> {
        let (by, now) = (("EndDrill", Step::End), self.app.now());
        self.act(request, by, |request| {
            let (ending, photos) = convert::ending(request, now)?;
            Ok(Act::End(ending, photos))
        })
        .await
    }

    async fn abort_drill(
        &self,
        request: Request<pb::AbortDrillRequest>,
    ) -> Result<Response<pb::Drill>, Status> {
        let by = ("AbortDrill", Step::Abort);
        self.act(request, by, |request| {
            Ok(Act::Abort(convert::reason(&request.reason)?))
        })
        .await
    }

    async fn review_drill(
        &self,
        request: Request<pb::ReviewDrillRequest>,
    ) -> Result<Response<pb::Drill>, Status> {
        let (by, now) = (("ReviewDrill", Step::Review), self.app.now());
        self.act(request, by, |request| {
            Ok(Act::Review(convert::assessment(request, now)?))
        })
        .await
    }

    async fn archive_drill(
        &self,
        request: Request<pb::ArchiveDrillRequest>,
    ) -> Result<Response<pb::Drill>, Status> {
        let by = ("ArchiveDrill", Step::Archive);
        self.act(request, by, |_| Ok(Act::Archive)).await
    }

    async fn list_drill_obligations(
        &self,
        request: Request<pb::ListDrillObligationsRequest>,
    ) -> Result<Response<pb::ListDrillObligationsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::organization("parent", &request.parent)?;
        let permission = Permission::DrillRead;
        let site = self.app.site(&caller, permission, &organization).await?;
        let day = convert::day("date", request.date)?;
        let only = convert::standing(request.state)?;
        let size = page::size(request.page_size)?;
        let (state, date) = (request.state.to_string(), format!("{day:?}"));
        let binding = [&*request.parent, &*state, &*date];
        let after: Option<(i32, String, i32)> = page::after(&request.page_token, &binding)?;
        let (mut found, tally) = self.app.obligations(&site, day).await?;
        found.retain(|one| {
            let asked = only.is_none_or(|only| only == one.standing);
            asked && after.as_ref().is_none_or(|after| one.rank() > *after)
        });
        let next_page_token = super::cut(&mut found, size, &binding, |last| last.rank());
        Ok(Response::new(pb::ListDrillObligationsResponse {
            drill_obligations: found.iter().map(convert::obligation).collect(),
            next_page_token,
            missed_count: tally.missed,
            due_count: tally.due,
            done_count: tally.done,
            not_required_count: tally.not_required,
        }))
    }
}
