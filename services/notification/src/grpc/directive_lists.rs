//! The lists of DirectiveService.

use kit::auth::{Caller, Permission};
use kit::page;
use proto::notification as pb;
use tonic::{Response, Status};
use uuid::Uuid;

use super::convert;
use super::directive::DirectiveGrpc;
use crate::store::recipients::OwedKey;

impl DirectiveGrpc {
    pub(super) async fn listed_directives(
        &self,
        caller: &Caller,
        request: pb::ListDirectivesRequest,
    ) -> Result<Response<pb::ListDirectivesResponse>, Status> {
        let organization = convert::organization("parent", &request.parent)?;
        let permission = Permission::DirectiveRead;
        let organization = self
            .app
            .organization(caller, permission, &organization)
            .await?;
        let state = convert::directive_state(request.state)?;
        let size = page::size(request.page_size)?;
        let number = request.state.to_string();
        let binding = [&*request.parent, &*number];
        let before: Option<Uuid> = page::after(&request.page_token, &binding)?;
        let mut found = self
            .app
            .list(&organization, state, before, size + 1)
            .await?;
        let next_page_token = super::cut(&mut found, size, &binding, |(last, _)| last.id);
        let directives = found
            .into_iter()
            .map(|(d, tally)| convert::directive(d, tally))
            .collect();
        Ok(Response::new(pb::ListDirectivesResponse {
            directives,
            next_page_token,
        }))
    }

    pub(super) async fn listed_recipients(
        &self,
        caller: &Caller,
        request: pb::ListRecipientsRequest,
    ) -> Result<Response<pb::ListRecipientsResponse>, Status> {
        let (organization, id) = convert::child("parent", "directives", &request.parent)?;
        let size = page::size(request.page_size)?;
        let binding = [&*request.parent];
        let after: Option<String> = page::after(&request.page_token, &binding)?;
        let place = (&*organization, id);
        let (mut found, now) = self
            .app
            .recipients(caller, place, after.as_deref(), size + 1)
            .await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| {
            last.recipient.org_path.clone()
        });
        let recipients = found
            .into_iter()
            .map(|found| convert::recipient(found, now))
            .collect();
        Ok(Response::new(pb::ListRecipientsResponse {
            recipients,
            next_page_token,
        }))
    }

    pub(super) async fn listed_outstanding(
        &self,
        caller: &Caller,
        request: pb::ListOutstandingRequest,
    ) -> Result<Response<pb::ListOutstandingResponse>, Status> {
        let organization = convert::organization("parent", &request.parent)?;
        let permission = Permission::DirectiveRead;
        let organization = self
            .app
            .organization(caller, permission, &organization)
            .await?;
        let size = page::size(request.page_size)?;
        let overdue = request.overdue.to_string();
        let binding = [&*request.parent, &*overdue];
        let after: Option<OwedKey> = page::after(&request.page_token, &binding)?;
        let (mut found, now) = self
            .app
            .owed(&organization, request.overdue, after, size + 1)
            .await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| {
            let last = &last.recipient;
            OwedKey {
                due_at: last.due.map_or(i64::MAX, |due| due.timestamp_millis()),
                directive: last.directive,
                recipient: last.id.clone(),
            }
        });
        let recipients = found
            .into_iter()
            .map(|found| convert::recipient(found, now))
            .collect();
        Ok(Response::new(pb::ListOutstandingResponse {
            recipients,
            next_page_token,
        }))
    }
}
