//! The figures of DirectiveService.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::field::to_timestamp;
use kit::page;
use proto::notification as pb;
use tonic::{Response, Status};

use super::convert;
use super::directive::DirectiveGrpc;
use crate::app::directive_figures::DirectiveFigures;
use crate::domain::place::leaf;

/// What there is of an organisation once.
const LEAF: &str = "/directiveFigures";

impl DirectiveGrpc {
    pub(super) async fn figures(
        &self,
        caller: &Caller,
        request: pb::GetDirectiveFiguresRequest,
    ) -> Result<Response<pb::DirectiveFigures>, Status> {
        let name = request.name.strip_suffix(LEAF).unwrap_or_default();
        let organization = convert::organization("name", name)?;
        let permission = Permission::DirectiveRead;
        let organization = self
            .app
            .organization(caller, permission, &organization)
            .await?;
        let (figures, now) = self.app.figures(&organization).await?;
        Ok(Response::new(told(figures, now)))
    }

    pub(super) async fn listed_figures(
        &self,
        caller: &Caller,
        request: pb::ListDirectiveFiguresRequest,
    ) -> Result<Response<pb::ListDirectiveFiguresResponse>, Status> {
        let organization = convert::organization("parent", &request.parent)?;
        let permission = Permission::DirectiveRead;
        let organization = self
            .app
            .organization(caller, permission, &organization)
            .await?;
        let size = page::size(request.page_size)?;
        let binding = [&*request.parent];
        let after: Option<String> = page::after(&request.page_token, &binding)?;
        let after = after.unwrap_or_default();
        let (mut found, now) = self
            .app
            .figures_below(&organization, &after, size + 1)
            .await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| last.org_path.clone());
        let directive_figures = found.into_iter().map(|one| told(one, now));
        Ok(Response::new(pb::ListDirectiveFiguresResponse {
            directive_figures: directive_figures.collect(),
            next_page_token,
        }))
    }
}

fn told(figures: DirectiveFigures, now: DateTime<Utc>) -> pb::DirectiveFigures {
    let DirectiveFigures {
        org_path,
        in_force,
        reached,
        acknowledged,
        accepted,
        late,
        overdue,
        owed,
        owed_overdue,
    } = figures;
    let small = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
    pb::DirectiveFigures {
        name: format!("organizations/{}{LEAF}", leaf(&org_path)),
        org_path,
        in_force_count: small(in_force),
        reached_count: small(reached),
        acknowledged_count: small(acknowledged),
        accepted_count: small(accepted),
        late_count: small(late),
        overdue_count: small(overdue),
        owed_count: small(owed),
        owed_overdue_count: small(owed_overdue),
        data_time: Some(to_timestamp(now)),
    }
}
