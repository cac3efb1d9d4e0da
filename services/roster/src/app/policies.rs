//! Policy profiles: proposed, tried, activated, resolved.

use chrono::NaiveDate;
use kit::auth::{Caller, Permission};
use kit::org::OrgPath;
use kit::request::{Once, once};
use prost::Message;
use proto::roster::PolicyProfile;

use super::{Act, App, announce, check, hidden};
use crate::domain::policy::{Profile, State, VersionId, violations};
use crate::error::Error;
use crate::grpc::policy_convert;
use crate::store::policies::{self as store, Stored, Wanted};

/// The part of the tree that a profile is for. Only [`App::region`] makes one: whoever holds it may
/// do there what was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    organization: String,
    org_path: String,
}

impl Region {
    /// Its place; the root for the whole city.
    pub(super) fn place(&self) -> OrgPath {
        self.org_path.parse().unwrap_or_default()
    }
}

/// A profile to be proposed; it breaks no rule.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) profile: String,
    pub(crate) region: Region,
    pub(crate) effective: NaiveDate,
    /// The display name and the numbers.
    pub(crate) body: PolicyProfile,
}

impl App {
    /// The region of the organisation `id`, or the whole city when it is empty, at which the caller
    /// may do `permission`.
    pub(crate) async fn region(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<Region, Error> {
        if id.is_empty() {
            self.city(caller, permission).await?;
            return Ok(Region {
                organization: String::new(),
                org_path: String::new(),
            });
        }
        let organization = self.organization(caller, permission, id).await?;
        if permission == Permission::PolicyWrite && organization.closed.is_some() {
            return Err(Error::Closed(organization.name()));
        }
        Ok(Region {
            organization: organization.id,
            org_path: organization.org_path,
        })
    }

    /// One version of a profile whose region lies in the caller's scope or above it.
    pub(crate) async fn get_policy(
        &self,
        caller: &Caller,
        id: &VersionId,
    ) -> Result<PolicyProfile, Error> {
        let scope = caller.allowed(Permission::RosterRead)?;
        let found = store::get(self.db.read(), id).await?;
        let stored = found.ok_or_else(|| hidden(caller, Permission::RosterRead, id.name()))?;
        let region: OrgPath = stored.org_path.parse().unwrap_or_default();
        if !region.contains(scope) {
            check(caller, Permission::RosterRead, &stored.org_path)?;
        }
        Ok(policy_convert::message(stored))
    }

    /// One page of profiles whose region lies in the caller's scope or above it.
    pub(crate) async fn list_policies(
        &self,
        caller: &Caller,
        after: Option<(String, i32)>,
        limit: u64,
    ) -> Result<Vec<Stored>, Error> {
        let scope = caller.allowed(Permission::RosterRead)?.clone();
        let wanted = Wanted {
            scope,
            after,
            limit,
        };
        Ok(store::list(self.db.read(), &wanted).await?)
    }

    /// The profile in force at an organisation on a day.
    pub(crate) async fn resolve_policy(
        &self,
        caller: &Caller,
        organization: &str,
        day: NaiveDate,
    ) -> Result<PolicyProfile, Error> {
        let found = self
            .organization(caller, Permission::RosterRead, organization)
            .await?;
        let place = found.org_path.parse().unwrap_or_default();
        let in_force = store::in_force(self.db.read(), &place, day).await?;
        in_force
            .map(policy_convert::message)
            .ok_or_else(|| Error::NoPolicy(found.name(), day))
    }

    /// Stores the next version of a profile as a proposal.
    pub(crate) async fn propose_policy(
        &self,
        caller: &Caller,
        draft: Draft,
        act: Act<'_, impl Message>,
    ) -> Result<PolicyProfile, Error> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let Act {
            method,
            request_id,
            request,
        } = act;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        store::lock(&tx).await?;
        let Draft {
            profile,
            region,
            effective,
            body,
        } = draft;
        let number = store::next_number(&tx, &profile).await?;
        let stored = Stored {
            id: VersionId { profile, number },
            organization: region.organization,
            org_path: region.org_path,
            effective,
            state: State::Proposed,
            body,
            version: 1,
            create_time: now.timestamp_millis(),
            activate_time: None,
        };
        if !store::add(&tx, &stored).await? {
            return Err(Error::AlreadyExists(stored.id.name()));
        }
        let answer = policy_convert::message(stored);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Puts a proposal in force. Another profile of the same region and the same first day can
    /// never be in force any more: it is gone for others.
    pub(crate) async fn activate_policy(
        &self,
        caller: &Caller,
        id: &VersionId,
        etag: &str,
        act: Act<'_, impl Message>,
    ) -> Result<PolicyProfile, Error> {
        caller.allowed(Permission::PolicyWrite)?;
        let found = store::get(self.db.read(), id).await?;
        let seen = found.ok_or_else(|| hidden(caller, Permission::PolicyWrite, id.name()))?;
        if seen.org_path.is_empty() {
            self.city(caller, Permission::PolicyWrite).await?;
        } else {
            check(caller, Permission::PolicyWrite, &seen.org_path)?;
        }
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let Act {
            method,
            request_id,
            request,
        } = act;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        store::lock(&tx).await?;
        let found = store::get(&tx, id).await?;
        let mut stored = found.ok_or_else(|| Error::NotFound(id.name()))?;
        if !etag.is_empty() && etag != crate::grpc::convert::etag(stored.version) {
            return Err(Error::EtagMismatch(id.name()));
        }
        let activated = stored.state.activated();
        stored.state = activated.ok_or_else(|| Error::NotProposed(id.name()))?;
        // The law may have been tightened since the proposal.
        let floors = below_floor(&numbers(&stored.body)?);
        if !floors.is_empty() {
            return Err(Error::BelowFloor(floors));
        }
        let mut facts = Vec::new();
        let same = store::active_from(&tx, &stored.org_path, stored.effective).await?;
        if let Some(mut same) = same {
            same.state = same.state.replaced().unwrap_or(same.state);
            same.version += 1;
            store::update(&tx, &same).await?;
            facts.push(announce::policy_profile(&same));
        }
        stored.version += 1;
        stored.activate_time = Some(now.timestamp_millis());
        store::update(&tx, &stored).await?;
        facts.push(announce::policy_profile(&stored));
        announce::tell(&tx, facts).await?;
        let answer = policy_convert::message(stored);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }
}

/// The numbers of a stored profile.
pub(super) fn numbers(body: &PolicyProfile) -> Result<Profile, Error> {
    policy_convert::from_proto(body)
        .map_err(|_| Error::Database(crate::store::unreadable("the numbers of a profile")))
}

/// The keys of `profile` that loosen a legal floor: key, Chinese and English sentence.
pub(crate) fn below_floor(profile: &Profile) -> Vec<(String, String, String)> {
    violations(profile)
        .into_iter()
        .filter(|violation| violation.floor)
        .map(|violation| (violation.path, violation.zh, violation.en))
        .collect()
}
