//! The counts of ClassGroupService.

use kit::auth::{Caller, Permission};
use kit::field::{read_or_denied, to_timestamp};
use kit::org::OrgPath;
use kit::page;
use kit::status::Problem;
use proto::roster as pb;
use proto::roster::teaching_summary::ModeCount;
use proto::roster::{
    GetTeachingSummaryRequest, ListTeachingSummariesRequest, ListTeachingSummariesResponse,
};
use tonic::Status;

use super::class_group::Api;
use super::convert;
use crate::domain::class_group::TeachingMode;
use crate::domain::teaching::TeachingSummary;

/// What there is of an organisation once.
const LEAF: &str = "/teachingSummary";

impl Api {
    pub(super) async fn summary(
        &self,
        caller: &Caller,
        request: GetTeachingSummaryRequest,
    ) -> Result<pb::TeachingSummary, Status> {
        let organization = summarised(&request.name)?;
        let found = self.0.get_teaching_summary(caller, organization).await?;
        Ok(self.told(found))
    }

    pub(super) async fn summaries(
        &self,
        caller: &Caller,
        request: ListTeachingSummariesRequest,
    ) -> Result<ListTeachingSummariesResponse, Status> {
        let ListTeachingSummariesRequest {
            parent,
            page_size,
            page_token,
        } = request;
        let organization = convert::id("parent", "organizations", &parent)?;
        let binding = [&*parent];
        let read = page::size(page_size)
            .and_then(|size| Ok((size, page::after::<String>(&page_token, &binding)?)));
        let permission = Permission::RosterRead;
        let may = self.0.organization(caller, permission, organization);
        let (size, after) = read_or_denied(read, may).await?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let after = after.unwrap_or_default();
        let limit = size.saturating_add(1);
        let found = self
            .0
            .list_teaching_summaries(caller, organization, &after, limit);
        let mut found = found.await?;
        let more = found.len() > size;
        found.truncate(size);
        let next_page_token = match found.last() {
            Some((last, _)) if more => page::next(&last.leaf(), &binding),
            _ => String::new(),
        };
        Ok(ListTeachingSummariesResponse {
            teaching_summaries: found.into_iter().map(|one| self.told(one)).collect(),
            next_page_token,
        })
    }

    /// What was counted at a place just now, for the wire.
    fn told(&self, (place, counted): (OrgPath, TeachingSummary)) -> pb::TeachingSummary {
        let small = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        let modes = TeachingMode::ALL.iter().map(|mode| ModeCount {
            teaching_mode: mode.code().into(),
            class_group_count: small(counted.taught(*mode)),
        });
        pb::TeachingSummary {
            name: format!("organizations/{}{LEAF}", place.leaf()),
            org_path: place.to_string(),
            class_group_count: small(counted.class_groups()),
            modes: modes.collect(),
            school_count: small(counted.schools),
            in_person_school_count: small(counted.in_person_schools),
            data_time: Some(to_timestamp(self.0.clock.now())),
        }
    }
}

/// The organisation in the name of its summary.
fn summarised(name: &str) -> Result<&str, Problem> {
    let organization = name.strip_suffix(LEAF).unwrap_or_default();
    convert::id("name", "organizations", organization)
        .map_err(|_| Problem::invalid("name", "格式不正确", "malformed"))
}
