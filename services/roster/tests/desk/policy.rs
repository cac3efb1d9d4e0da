//! Policy profiles, read, proposed and activated.

use proto::roster::policy_service_client::PolicyServiceClient;
use proto::roster::{
    ActivatePolicyProfileRequest, GetPolicyProfileRequest, PolicyProfile,
    ProposePolicyProfileRequest, ResolvePolicyRequest,
};
use tonic::Status;

use super::{Desk, Door, date, reason};

pub(crate) type Client = PolicyServiceClient<Door>;

pub(crate) const SHIPPED: &str = "policyProfiles/fuzhou-2022-04-1";

/// As an officer of the whole city.
pub(crate) fn client(desk: &Desk) -> Client {
    PolicyServiceClient::new(desk.officer())
}

/// One version.
pub(crate) async fn get(client: &mut Client, name: &str) -> Result<PolicyProfile, Status> {
    let name = name.to_owned();
    let request = GetPolicyProfileRequest { name };
    Ok(client.get_policy_profile(request).await?.into_inner())
}

/// The version in force at an organisation on a day, or the reason why there is none.
pub(crate) async fn in_force(
    client: &mut Client,
    organization: &str,
    day: &str,
) -> Result<String, String> {
    let request = ResolvePolicyRequest {
        organization: format!("organizations/{organization}"),
        date: Some(date(day)),
    };
    let found = client.resolve_policy(request).await;
    found
        .map(|profile| profile.into_inner().policy_version)
        .map_err(|refused| reason(&refused))
}

/// A profile like the shipped one, by another name, for a region and from a day.
pub(crate) async fn like_shipped(
    client: &mut Client,
    profile: &str,
    organization: &str,
    day: &str,
) -> PolicyProfile {
    let organization = match organization {
        "" => String::new(),
        id => format!("organizations/{id}"),
    };
    PolicyProfile {
        profile: profile.to_owned(),
        organization,
        effective_date: Some(date(day)),
        ..get(client, SHIPPED).await.expect("it is shipped")
    }
}

/// Proposes a profile.
pub(crate) async fn propose(
    client: &mut Client,
    profile: PolicyProfile,
) -> Result<PolicyProfile, Status> {
    let request = ProposePolicyProfileRequest {
        policy_profile: Some(profile),
        request_id: String::new(),
    };
    Ok(client.propose_policy_profile(request).await?.into_inner())
}

/// Activates a proposal as it was read.
pub(crate) async fn activate(
    client: &mut Client,
    profile: &PolicyProfile,
) -> Result<PolicyProfile, Status> {
    let request = ActivatePolicyProfileRequest {
        name: profile.name.clone(),
        etag: profile.etag.clone(),
        request_id: String::new(),
    };
    Ok(client.activate_policy_profile(request).await?.into_inner())
}

/// Proposes a profile and activates it.
pub(crate) async fn enact(client: &mut Client, profile: PolicyProfile) -> PolicyProfile {
    let proposed = propose(client, profile).await.expect("it is proposed");
    activate(client, &proposed).await.expect("it is activated")
}
