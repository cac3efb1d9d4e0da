//! PolicyService.

use chrono::NaiveDate;
use kit::auth::{Permission, caller};
use kit::field::Fields;
use kit::page;
use kit::status::Problem;
use proto::roster::policy_service_server::PolicyService;
use proto::roster::{
    ActivatePolicyProfileRequest, GetPolicyProfileRequest, ListPolicyProfilesRequest,
    ListPolicyProfilesResponse, PolicyProfile, ProposePolicyProfileRequest, ResolvePolicyRequest,
    SimulatePolicyProfileRequest, SimulatePolicyProfileResponse, simulate_policy_profile_response,
};
use tonic::{Request, Response, Status};

use super::organization::act;
use super::{convert, policy_convert};
use crate::app::App;
use crate::app::policies::{Draft, Region, below_floor};
use crate::app::simulation::Simulation;
use crate::domain::policy::{self, Profile, VersionId, is_profile, violations};
use crate::error::Error;

/// Serves policy profiles.
#[derive(Debug)]
pub(super) struct Api(pub(super) App);

/// The version in the name of a profile.
fn version(field: &str, name: &str) -> Result<VersionId, Problem> {
    let id = name.strip_prefix("policyProfiles/");
    id.and_then(|id| id.parse().ok())
        .ok_or_else(|| convert::malformed(field, name, "policyProfiles"))
}

/// The code of the organisation whose region a profile is for; empty for the whole city.
fn organization(sent: &PolicyProfile) -> Result<&str, Problem> {
    match sent.organization.as_str() {
        "" => Ok(""),
        name => convert::id("policy_profile.organization", "organizations", name),
    }
}

fn numbers(sent: &PolicyProfile) -> Result<Profile, Problem> {
    policy_convert::from_proto(sent).map_err(|unfit| {
        let path = format!("policy_profile.{}", unfit.path);
        Problem::invalid(path, "不是有效的值", "not a value that can be stored")
    })
}

/// A day that may be left out.
fn day(field: &str, sent: Option<proto::Date>) -> Result<Option<NaiveDate>, Problem> {
    let mut fields = Fields::new();
    let day = sent.and_then(|date| fields.date(field, Some(date)));
    fields.finish()?;
    Ok(day)
}

/// What is proposed for `region`, when it breaks no rule.
fn draft(sent: &PolicyProfile, region: Region) -> Result<Draft, Error> {
    let numbers = numbers(sent)?;
    let floors = below_floor(&numbers);
    if !floors.is_empty() {
        return Err(Error::BelowFloor(floors));
    }
    let mut fields = Fields::new();
    if !is_profile(&sent.profile) {
        fields.violation(
            "policy_profile.profile",
            "应为 1 到 32 个小写字母、数字或连字符",
            "must be 1 to 32 of a-z, 0-9 and -",
        );
    }
    let display_name = sent.display_name.trim();
    fields.required("policy_profile.display_name", display_name);
    fields.text("policy_profile.display_name", display_name, 63);
    let effective = fields.date("policy_profile.effective_date", sent.effective_date);
    for violation in violations(&numbers) {
        let policy::Violation { path, zh, en, .. } = violation;
        fields.violation(format!("policy_profile.{path}"), zh, en);
    }
    fields.finish()?;
    let mut body = policy_convert::to_proto(&numbers).map_err(|unfit| {
        let path = format!("policy_profile.{}", unfit.path);
        Problem::invalid(path, "不是有效的值", "not a value that can be stored")
    })?;
    body.display_name = display_name.to_owned();
    Ok(Draft {
        profile: sent.profile.clone(),
        region,
        effective: effective.unwrap_or_default(),
        body,
    })
}

#[tonic::async_trait]
impl PolicyService for Api {
    async fn get_policy_profile(
        &self,
        request: Request<GetPolicyProfileRequest>,
    ) -> Result<Response<PolicyProfile>, Status> {
        let caller = caller(&request)?;
        let id = version("name", &request.get_ref().name)?;
        Ok(Response::new(self.0.get_policy(&caller, &id).await?))
    }

    async fn list_policy_profiles(
        &self,
        request: Request<ListPolicyProfilesRequest>,
    ) -> Result<Response<ListPolicyProfilesResponse>, Status> {
        let caller = caller(&request)?;
        let ListPolicyProfilesRequest {
            page_size,
            page_token,
        } = request.into_inner();
        let size = page::size(page_size)?;
        let after = page::after(&page_token, &[])?;
        let mut found = self.0.list_policies(&caller, after, size + 1).await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some(last) if more => page::next(&(&*last.id.profile, last.id.number), &[]),
            _ => String::new(),
        };
        Ok(Response::new(ListPolicyProfilesResponse {
            policy_profiles: found.into_iter().map(policy_convert::message).collect(),
            next_page_token,
        }))
    }

    async fn propose_policy_profile(
        &self,
        request: Request<ProposePolicyProfileRequest>,
    ) -> Result<Response<PolicyProfile>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let sent = request.policy_profile.clone().unwrap_or_default();
        let region = organization(&sent)?;
        let region = self
            .0
            .region(&caller, Permission::PolicyWrite, region)
            .await?;
        let draft = draft(&sent, region)?;
        let act = act("ProposePolicyProfile", &request.request_id, &request);
        Ok(Response::new(
            self.0.propose_policy(&caller, draft, act).await?,
        ))
    }

    async fn simulate_policy_profile(
        &self,
        request: Request<SimulatePolicyProfileRequest>,
    ) -> Result<Response<SimulatePolicyProfileResponse>, Status> {
        let caller = caller(&request)?;
        let sent = request.into_inner().policy_profile.unwrap_or_default();
        let region = organization(&sent)?;
        let region = self
            .0
            .region(&caller, Permission::RosterRead, region)
            .await?;
        let effective = day("policy_profile.effective_date", sent.effective_date)?;
        let effective = effective.unwrap_or_else(|| self.0.clock.today());
        let numbers = numbers(&sent)?;
        let simulation = self.0.simulate_policy(&region, effective, &numbers).await?;
        Ok(Response::new(simulated(simulation)))
    }

    async fn activate_policy_profile(
        &self,
        request: Request<ActivatePolicyProfileRequest>,
    ) -> Result<Response<PolicyProfile>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = version("name", &request.name)?;
        let act = act("ActivatePolicyProfile", &request.request_id, &request);
        Ok(Response::new(
            self.0
                .activate_policy(&caller, &id, &request.etag, act)
                .await?,
        ))
    }

    async fn resolve_policy(
        &self,
        request: Request<ResolvePolicyRequest>,
    ) -> Result<Response<PolicyProfile>, Status> {
        let caller = caller(&request)?;
        let ResolvePolicyRequest { organization, date } = request.into_inner();
        let id = convert::id("organization", "organizations", &organization)?;
        let day = day("date", date)?.unwrap_or_else(|| self.0.clock.today());
        Ok(Response::new(
            self.0.resolve_policy(&caller, id, day).await?,
        ))
    }
}

fn simulated(simulation: Simulation) -> SimulatePolicyProfileResponse {
    use simulate_policy_profile_response::{Difference, Load};
    let Simulation {
        current_version,
        differences,
        violations,
        current_load,
        proposed_load,
    } = simulation;
    let load = |load: policy::Load| {
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Load {
            students: count(load.students),
            class_groups: count(load.class_groups),
            swabs_per_day: count(load.swabs),
            tubes_per_day: count(load.tubes),
        }
    };
    let difference = |found: policy::Difference| Difference {
        path: found.path,
        before: found.before,
        after: found.after,
    };
    SimulatePolicyProfileResponse {
        current_policy_version: current_version,
        differences: differences.into_iter().map(difference).collect(),
        violations: violations
            .into_iter()
            .map(|violation| format!("{}: {}", violation.path, violation.zh))
            .collect(),
        current_load: current_load.map(load),
        proposed_load: proposed_load.map(load),
    }
}
