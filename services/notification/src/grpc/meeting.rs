//! MeetingService.

use kit::auth::{Caller, Permission, caller};
use kit::page;
use kit::status::Problem;
use prost::Message;
use proto::notification as pb;
use proto::notification::meeting_service_server::MeetingService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert;
use crate::app::attendances::{Act, By};
use crate::app::meetings::{Meetings, meeting_name};
use crate::domain::meeting::Verb;

/// Serves MeetingService.
#[derive(Debug)]
pub(crate) struct MeetingGrpc {
    app: Meetings,
}

impl MeetingGrpc {
    pub(crate) fn new(app: Meetings) -> Self {
        Self { app }
    }

    async fn change(
        &self,
        caller: &Caller,
        name: &str,
        method: &'static str,
        once: (&str, &impl Message),
        verb: impl FnOnce() -> Result<Verb, Problem>,
    ) -> Result<Response<pb::Meeting>, Status> {
        let (organization, id) = convert::child("name", "meetings", name)?;
        self.app
            .organization(caller, Permission::DirectiveIssue, &organization)
            .await?;
        let (place, verb) = ((&*organization, id), (verb()?, method));
        let changed = self
            .app
            .change(caller, place, verb, once, convert::meeting)
            .await?;
        Ok(Response::new(changed))
    }

    async fn act(
        &self,
        caller: &Caller,
        name: &str,
        (by, method): (By, &'static str),
        once: (&str, &impl Message),
        act: impl FnOnce() -> Result<Act, Problem>,
    ) -> Result<Response<pb::Attendance>, Status> {
        let name = convert::attendance_name(name)?;
        self.app.authorize(caller, &name, by).await?;
        let meeting = meeting_name(&name.organization, name.meeting);
        let render = |attendance| convert::attendance(&meeting, attendance);
        let moved = self
            .app
            .act(caller, &name, (act()?, method), once, render)
            .await?;
        Ok(Response::new(moved))
    }
}

#[tonic::async_trait]
impl MeetingService for MeetingGrpc {
    async fn convene_meeting(
        &self,
        request: Request<pb::ConveneMeetingRequest>,
    ) -> Result<Response<pb::Meeting>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let convener = convert::organization("parent", &request.parent)?;
        let permission = Permission::DirectiveIssue;
        let convener = self
            .app
            .organization(&caller, permission, &convener)
            .await?;
        let call = convert::call(&convener.id, request.meeting.as_ref())?;
        let once = (&*request.request_id, &request);
        let convened = self
            .app
            .convene(&caller, convener, call, once, convert::meeting)
            .await?;
        Ok(Response::new(convened))
    }

    async fn get_meeting(
        &self,
        request: Request<pb::GetMeetingRequest>,
    ) -> Result<Response<pb::Meeting>, Status> {
        let caller = caller(&request)?;
        let (organization, id) = convert::child("name", "meetings", &request.into_inner().name)?;
        let (meeting, turnout) = self.app.meeting(&caller, &organization, id).await?;
        Ok(Response::new(convert::meeting(meeting, turnout)))
    }

    async fn list_meetings(
        &self,
        request: Request<pb::ListMeetingsRequest>,
    ) -> Result<Response<pb::ListMeetingsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::organization("parent", &request.parent)?;
        let permission = Permission::DirectiveRead;
        let organization = self
            .app
            .organization(&caller, permission, &organization)
            .await?;
        let size = page::size(request.page_size)?;
        let binding = [&*request.parent];
        let before: Option<Uuid> = page::after(&request.page_token, &binding)?;
        let mut found = self.app.list(&organization, before, size + 1).await?;
        let next_page_token = super::cut(&mut found, size, &binding, |(last, _)| last.id);
        let meetings = found
            .into_iter()
            .map(|(meeting, turnout)| convert::meeting(meeting, turnout))
            .collect();
        Ok(Response::new(pb::ListMeetingsResponse {
            meetings,
            next_page_token,
        }))
    }

    async fn list_attendances(
        &self,
        request: Request<pb::ListAttendancesRequest>,
    ) -> Result<Response<pb::ListAttendancesResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (organization, id) = convert::child("parent", "meetings", &request.parent)?;
        let filter = convert::filter(&request)?;
        let size = page::size(request.page_size)?;
        let (state, asked) = (
            request.state.to_string(),
            request.substitution_requested.to_string(),
        );
        let binding = [&*request.parent, &*state, &*asked];
        let after: Option<(String, String)> = page::after(&request.page_token, &binding)?;
        let place = (&*organization, id);
        let mut found = self
            .app
            .attendances(&caller, place, filter, after, size + 1)
            .await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| {
            (last.org_path.clone(), last.id.clone())
        });
        let attendances = found
            .into_iter()
            .map(|found| convert::attendance(&request.parent, found))
            .collect();
        Ok(Response::new(pb::ListAttendancesResponse {
            attendances,
            next_page_token,
        }))
    }

    async fn sign_in(
        &self,
        request: Request<pb::SignInRequest>,
    ) -> Result<Response<pb::Attendance>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let act = || convert::sign_in(&request);
        self.act(&caller, &request.name, (By::Desk, "SignIn"), once, act)
            .await
    }

    async fn sign_out(
        &self,
        request: Request<pb::SignOutRequest>,
    ) -> Result<Response<pb::Attendance>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let act = || Ok(Act::SignOut);
        self.act(&caller, &request.name, (By::Desk, "SignOut"), once, act)
            .await
    }

    async fn request_substitute(
        &self,
        request: Request<pb::RequestSubstituteRequest>,
    ) -> Result<Response<pb::Attendance>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let act = || convert::substitute(&request);
        let by = (By::Organization, "RequestSubstitute");
        self.act(&caller, &request.name, by, once, act).await
    }

    async fn decide_substitute(
        &self,
        request: Request<pb::DecideSubstituteRequest>,
    ) -> Result<Response<pb::Attendance>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let act = || Ok(Act::Decide(request.approved));
        let by = (By::Above, "DecideSubstitute");
        self.act(&caller, &request.name, by, once, act).await
    }

    async fn end_meeting(
        &self,
        request: Request<pb::EndMeetingRequest>,
    ) -> Result<Response<pb::Meeting>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let verb = || Ok(Verb::End);
        self.change(&caller, &request.name, "EndMeeting", once, verb)
            .await
    }

    async fn postpone_meeting(
        &self,
        request: Request<pb::PostponeMeetingRequest>,
    ) -> Result<Response<pb::Meeting>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let verb = || convert::postpone(&request);
        self.change(&caller, &request.name, "PostponeMeeting", once, verb)
            .await
    }

    async fn cancel_meeting(
        &self,
        request: Request<pb::CancelMeetingRequest>,
    ) -> Result<Response<pb::Meeting>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let verb = || convert::cancel(&request);
        self.change(&caller, &request.name, "CancelMeeting", once, verb)
            .await
    }

    async fn publish_minutes(
        &self,
        request: Request<pb::PublishMinutesRequest>,
    ) -> Result<Response<pb::Meeting>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (organization, id) = convert::child("name", "meetings", &request.name)?;
        self.app
            .organization(&caller, Permission::DirectiveIssue, &organization)
            .await?;
        let minutes = convert::minutes(&request)?;
        let once = (&*request.request_id, &request);
        let place = (&*organization, id);
        let published = self
            .app
            .publish(&caller, place, minutes, once, convert::meeting)
            .await?;
        Ok(Response::new(published))
    }
}
