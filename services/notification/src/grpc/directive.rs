//! DirectiveService.

use kit::auth::{Caller, Permission, caller};
use kit::status::Problem;
use prost::Message;
use proto::notification as pb;
use proto::notification::directive_service_server::DirectiveService;
use tonic::{Request, Response, Status};

use super::convert;
use crate::app::directives::{Directives, Verb};
use crate::app::recipients::{Act, By};

/// Serves DirectiveService.
#[derive(Debug)]
pub(crate) struct DirectiveGrpc {
    pub(super) app: Directives,
}

impl DirectiveGrpc {
    pub(crate) fn new(app: Directives) -> Self {
        Self { app }
    }

    async fn apply(
        &self,
        caller: &Caller,
        name: &str,
        verb: (Verb, &'static str),
        once: (&str, &impl Message),
    ) -> Result<Response<pb::Directive>, Status> {
        let (organization, id) = convert::child("name", "directives", name)?;
        let place = (&*organization, id);
        let moved = self
            .app
            .apply(caller, place, verb, once, convert::directive)
            .await?;
        Ok(Response::new(moved))
    }

    async fn act(
        &self,
        caller: &Caller,
        name: &str,
        (by, method): (By, &'static str),
        once: (&str, &impl Message),
        act: impl FnOnce() -> Result<Act, Problem>,
    ) -> Result<Response<pb::DirectiveRecipient>, Status> {
        let name = convert::recipient_name(name)?;
        self.app.authorize(caller, &name, by).await?;
        let moved = self
            .app
            .act(caller, &name, (act()?, method), once, convert::recipient)
            .await?;
        Ok(Response::new(moved))
    }
}

#[tonic::async_trait]
impl DirectiveService for DirectiveGrpc {
    async fn draft_directive(
        &self,
        request: Request<pb::DraftDirectiveRequest>,
    ) -> Result<Response<pb::Directive>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let orderer = convert::organization("parent", &request.parent)?;
        let permission = Permission::DirectiveIssue;
        let orderer = self.app.organization(&caller, permission, &orderer).await?;
        let draft = convert::draft(&request)?;
        let once = (&*request.request_id, &request);
        let drafted = self
            .app
            .draft(&caller, orderer, draft, once, convert::directive)
            .await?;
        Ok(Response::new(drafted))
    }

    async fn approve_directive(
        &self,
        request: Request<pb::ApproveDirectiveRequest>,
    ) -> Result<Response<pb::Directive>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        self.apply(
            &caller,
            &request.name,
            (Verb::Approve, "ApproveDirective"),
            once,
        )
        .await
    }

    async fn issue_directive(
        &self,
        request: Request<pb::IssueDirectiveRequest>,
    ) -> Result<Response<pb::Directive>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        self.apply(
            &caller,
            &request.name,
            (Verb::Issue, "IssueDirective"),
            once,
        )
        .await
    }

    async fn close_directive(
        &self,
        request: Request<pb::CloseDirectiveRequest>,
    ) -> Result<Response<pb::Directive>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (organization, _) = convert::child("name", "directives", &request.name)?;
        self.app
            .organization(&caller, Permission::DirectiveIssue, &organization)
            .await?;
        let end = convert::end(&request)?;
        let once = (&*request.request_id, &request);
        self.apply(
            &caller,
            &request.name,
            (Verb::End(end), "CloseDirective"),
            once,
        )
        .await
    }

    async fn get_directive(
        &self,
        request: Request<pb::GetDirectiveRequest>,
    ) -> Result<Response<pb::Directive>, Status> {
        let caller = caller(&request)?;
        let (organization, id) = convert::child("name", "directives", &request.into_inner().name)?;
        let (directive, tally) = self.app.directive(&caller, &organization, id).await?;
        Ok(Response::new(convert::directive(directive, tally)))
    }

    async fn list_directives(
        &self,
        request: Request<pb::ListDirectivesRequest>,
    ) -> Result<Response<pb::ListDirectivesResponse>, Status> {
        self.listed_directives(&caller(&request)?, request.into_inner())
            .await
    }

    async fn get_directive_progress(
        &self,
        request: Request<pb::GetDirectiveProgressRequest>,
    ) -> Result<Response<pb::DirectiveProgress>, Status> {
        let caller = caller(&request)?;
        let name = request.into_inner().name;
        let (organization, id) = convert::child("name", "directives", &name)?;
        let progress = self.app.progress(&caller, &organization, id).await?;
        Ok(Response::new(convert::progress(&name, progress)))
    }

    async fn list_recipients(
        &self,
        request: Request<pb::ListRecipientsRequest>,
    ) -> Result<Response<pb::ListRecipientsResponse>, Status> {
        self.listed_recipients(&caller(&request)?, request.into_inner())
            .await
    }

    async fn list_outstanding(
        &self,
        request: Request<pb::ListOutstandingRequest>,
    ) -> Result<Response<pb::ListOutstandingResponse>, Status> {
        self.listed_outstanding(&caller(&request)?, request.into_inner())
            .await
    }

    async fn get_directive_figures(
        &self,
        request: Request<pb::GetDirectiveFiguresRequest>,
    ) -> Result<Response<pb::DirectiveFigures>, Status> {
        self.figures(&caller(&request)?, request.into_inner()).await
    }

    async fn list_directive_figures(
        &self,
        request: Request<pb::ListDirectiveFiguresRequest>,
    ) -> Result<Response<pb::ListDirectiveFiguresResponse>, Status> {
        self.listed_figures(&caller(&request)?, request.into_inner())
            .await
    }

    async fn confirm_receipt(
        &self,
        request: Request<pb::ConfirmReceiptRequest>,
    ) -> Result<Response<pb::DirectiveRecipient>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let act = || convert::receipt(&request);
        self.act(
            &caller,
            &request.name,
            (By::Recipient, "ConfirmReceipt"),
            once,
            act,
        )
        .await
    }

    async fn acknowledge_directive(
        &self,
        request: Request<pb::AcknowledgeDirectiveRequest>,
    ) -> Result<Response<pb::DirectiveRecipient>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let act = || Ok(Act::Acknowledge);
        self.act(
            &caller,
            &request.name,
            (By::Recipient, "AcknowledgeDirective"),
            once,
            act,
        )
        .await
    }

    async fn relay_directive(
        &self,
        request: Request<pb::RelayDirectiveRequest>,
    ) -> Result<Response<pb::DirectiveRecipient>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let act = || convert::relay(&request);
        self.act(
            &caller,
            &request.name,
            (By::Recipient, "RelayDirective"),
            once,
            act,
        )
        .await
    }

    async fn report_progress(
        &self,
        request: Request<pb::ReportProgressRequest>,
    ) -> Result<Response<pb::DirectiveRecipient>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let act = || convert::report(&request);
        self.act(
            &caller,
            &request.name,
            (By::Recipient, "ReportProgress"),
            once,
            act,
        )
        .await
    }

    async fn report_item(
        &self,
        request: Request<pb::ReportItemRequest>,
    ) -> Result<Response<pb::DirectiveRecipient>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let act = || convert::item_report(&request);
        let by = (By::Recipient, "ReportItem");
        self.act(&caller, &request.name, by, once, act).await
    }

    async fn accept_report(
        &self,
        request: Request<pb::AcceptReportRequest>,
    ) -> Result<Response<pb::DirectiveRecipient>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        self.act(
            &caller,
            &request.name,
            (By::Upper, "AcceptReport"),
            once,
            || Ok(Act::Accept),
        )
        .await
    }

    async fn return_report(
        &self,
        request: Request<pb::ReturnReportRequest>,
    ) -> Result<Response<pb::DirectiveRecipient>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let act = || convert::comment("reason", &request.reason, true).map(Act::Return);
        self.act(
            &caller,
            &request.name,
            (By::Upper, "ReturnReport"),
            once,
            act,
        )
        .await
    }
}
