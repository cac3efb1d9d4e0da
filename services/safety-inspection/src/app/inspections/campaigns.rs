//! Campaigns: called over a tree, followed by district, ended.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use kit::auth::Caller;
use kit::db::Tx;
use kit::rows::Lock;
use prost::Message;
use uuid::Uuid;

use super::{Inspections, actor, checklists, due, note};
use crate::app::{Site, new_id, place};
use crate::domain::checklist::template::{Template, TemplateId};
use crate::domain::inspection::campaign::{Campaign, Occasion, State, TargetState, Verb};
use crate::domain::inspection::place::{Place, places_of};
use crate::domain::inspection::premises::Premises;
use crate::domain::inspection::schedule::Level;
use crate::domain::organization::Organization;
use crate::error::Error;
use crate::store::Store;
use crate::store::inspections::{Change, Progress, Target};
use crate::store::register::PAGE;

/// What is called.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Shown to people.
    pub(crate) display_name: String,
    /// What leads to it.
    pub(crate) occasion: Occasion,
    /// By which list.
    pub(crate) template: TemplateId,
    /// Who inspects.
    pub(crate) level: Level,
    /// The first day on which inspections count.
    pub(crate) start: NaiveDate,
    /// The last day in time.
    pub(crate) end: NaiveDate,
}

/// A campaign, how far it is, and its history.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) campaign: Campaign,
    pub(crate) progress: Progress,
    /// What was not inspected is a finding by now.
    pub(crate) over: bool,
    pub(crate) changes: Vec<Change>,
}

/// How many districts a campaign has at most: those below one bureau.
const DISTRICTS: u64 = 10_000;

fn name(campaign: &Campaign) -> String {
    let (organization, id) = (&campaign.organization, campaign.id.hyphenated());
    format!("organizations/{organization}/inspectionCampaigns/{id}")
}

impl Inspections {
    /// Calls a campaign.
    ///
    /// # Errors
    /// CHECKLIST_NOT_APPLICABLE, or CAMPAIGN_NO_TARGETS.
    pub(crate) async fn call_campaign<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        call: Call,
        once: (&str, &impl Message),
        render: impl FnOnce(Standing) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now| {
            let (base, _) = checklists::applicable(tx, site, &call.template).await?;
            let campaign = Campaign {
                id: new_id(now),
                organization: site.organization.id.clone(),
                org_path: site.organization.org_path.clone(),
                state: State::Open,
                display_name: call.display_name,
                occasion: call.occasion,
                template: call.template,
                level: call.level,
                start: call.start,
                end: call.end,
            };
            Store::save_campaign(tx, &campaign).await?;
            let mut after = String::new();
            let mut any = false;
            loop {
                let (root, kinds) = (site.path.as_str(), due::campuses());
                let page = Store::organizations_below(tx, root, &kinds, &after, PAGE).await?;
                let Some(last) = page.last() else { break };
                after.clone_from(&last.org_path);
                let ids: Vec<String> = page.iter().map(|one| one.id.clone()).collect();
                let places = Store::inspection_places(tx, &ids).await?;
                let premises = Store::premises(tx, &page).await?;
                let targets = targets(site, &base, &page, (&places, &premises));
                any |= !targets.is_empty();
                Store::add_targets(tx, campaign.id, &targets).await?;
            }
            if !any {
                return Err(Error::CampaignNoTargets);
            }
            let states = (0, State::Open as i32);
            self.told(tx, campaign, states, caller, now, render).await
        };
        self.base
            .act(caller, "CreateInspectionCampaign", once, work)
            .await
    }

    /// Ends a campaign, or calls it off.
    ///
    /// # Errors
    /// CAMPAIGN_STATE, or not found.
    pub(crate) async fn end_campaign<R: Message + Default>(
        &self,
        caller: &Caller,
        (site, id): (&Site, Uuid),
        (verb, method): (Verb, &'static str),
        once: (&str, &impl Message),
        render: impl FnOnce(Standing) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now| {
            let held = Store::campaign(tx, &site.organization.id, id, Lock::Yes).await?;
            let mut campaign = held.ok_or_else(|| unknown(site, id))?;
            let before = campaign.state;
            campaign.state = before.after(verb).map_err(Error::CampaignState)?;
            Store::save_campaign(tx, &campaign).await?;
            let states = (before as i32, campaign.state as i32);
            self.told(tx, campaign, states, caller, now, render).await
        };
        self.base.act(caller, method, once, work).await
    }

    async fn told<R>(
        &self,
        tx: &Tx,
        campaign: Campaign,
        states: (i32, i32),
        caller: &Caller,
        now: DateTime<Utc>,
        render: impl FnOnce(Standing) -> R,
    ) -> Result<R, Error> {
        note(tx, &name(&campaign), states, (actor(caller), ""), now).await?;
        let changes = Store::inspection_changes(tx, &name(&campaign)).await?;
        Ok(render(self.standing(tx, campaign, changes).await?))
    }

    async fn standing(
        &self,
        db: &impl sea_orm::ConnectionTrait,
        campaign: Campaign,
        changes: Vec<Change>,
    ) -> Result<Standing, Error> {
        let districts = Store::campaign_progress(db, &campaign, "", DISTRICTS).await?;
        let add = |sum: Progress, one: Progress| Progress {
            organization: sum.organization,
            targets: sum.targets + one.targets,
            inspected: sum.inspected + one.inspected,
            late: sum.late + one.late,
        };
        Ok(Standing {
            progress: districts.into_iter().fold(Progress::default(), add),
            over: campaign.is_over(self.today()),
            campaign,
            changes,
        })
    }

    /// One campaign.
    ///
    /// # Errors
    /// Not found.
    pub(crate) async fn campaign(&self, site: &Site, id: Uuid) -> Result<Standing, Error> {
        let db = self.base.store.database().read();
        let found = Store::campaign(db, &site.organization.id, id, Lock::No).await?;
        let campaign = found.ok_or_else(|| unknown(site, id))?;
        let changes = Store::inspection_changes(db, &name(&campaign)).await?;
        self.standing(db, campaign, changes).await
    }

    /// The campaigns that an organisation called before `before`, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn campaigns(
        &self,
        site: &Site,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Standing>, Error> {
        let db = self.base.store.database().read();
        let found = Store::campaigns(db, &site.organization.id, before, limit).await?;
        let mut all = Vec::with_capacity(found.len());
        for campaign in found {
            all.push(self.standing(db, campaign, Vec::new()).await?);
        }
        Ok(all)
    }

    /// How far a campaign is in each district after `after`, and whether it is over.
    ///
    /// # Errors
    /// Not found.
    pub(crate) async fn progress(
        &self,
        (site, id): (&Site, Uuid),
        after: &str,
        limit: u64,
    ) -> Result<(Vec<Progress>, bool), Error> {
        let standing = self.campaign(site, id).await?;
        let db = self.base.store.database().read();
        let progress = Store::campaign_progress(db, &standing.campaign, after, limit).await?;
        Ok((progress, standing.over))
    }

    /// The targets of a campaign that the caller's scope contains, with what became of each.
    ///
    /// # Errors
    /// Not found.
    pub(crate) async fn targets(
        &self,
        caller: &Caller,
        (organization, id): (&str, Uuid),
        listed: (Option<TargetState>, Option<(String, i16, String)>),
        limit: u64,
    ) -> Result<Vec<(Target, TargetState)>, Error> {
        let db = self.base.store.database().read();
        let found = Store::campaign(db, organization, id, Lock::No).await?;
        let missing = || {
            let id = id.hyphenated();
            Error::NotFound(format!(
                "organizations/{organization}/inspectionCampaigns/{id}"
            ))
        };
        let campaign = found.ok_or_else(missing)?;
        let today = self.today();
        let of = (&campaign, campaign.is_over(today));
        let scope = caller.scope.as_str();
        let targets = Store::campaign_targets(db, of, scope, listed, limit).await?;
        let told = targets.into_iter().map(|target| {
            let state = campaign.target(target.inspected, today);
            (target, state)
        });
        Ok(told.collect())
    }
}

fn unknown(site: &Site, id: Uuid) -> Error {
    let (organization, id) = (&site.organization.id, id.hyphenated());
    Error::NotFound(format!(
        "organizations/{organization}/inspectionCampaigns/{id}"
    ))
}

/// The places of a page of organisations that are of the kinds of a list.
fn targets(
    site: &Site,
    base: &Template,
    page: &[Organization],
    (places, premises): (&[Place], &HashMap<String, Premises>),
) -> Vec<Target> {
    let mut targets = Vec::new();
    for organization in page {
        let district = district(site, organization);
        let entered: Vec<Place> = places
            .iter()
            .filter(|one| one.organization == organization.id && one.closed.is_none())
            .cloned()
            .collect();
        let has = premises.get(&organization.id).copied().unwrap_or_default();
        for kind in &base.content.place_kinds {
            for (place, _) in places_of(*kind, (organization.kind, has), &entered) {
                targets.push(Target {
                    organization: organization.id.clone(),
                    org_path: organization.org_path.clone(),
                    district: district.clone(),
                    kind: *kind,
                    place,
                    inspection: String::new(),
                    inspected: None,
                });
            }
        }
    }
    targets
}

/// The id of the organisation right below the one that called, or of that one.
fn district(site: &Site, organization: &Organization) -> String {
    let depth = site.path.ids().count();
    let path = place(&organization.org_path);
    path.ids()
        .nth(depth)
        .unwrap_or(&site.organization.id)
        .to_owned()
}
