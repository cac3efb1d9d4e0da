//! Who could give what a campus lacks.

use std::collections::BTreeSet;

use kit::org::OrgPath;

use super::needs;
use crate::app::{Base, Site, place};
use crate::domain::supply::advice::{Giver, Proposal, advise};
use crate::domain::supply::item::Item;
use crate::domain::supply::level::Level;
use crate::error::Error;
use crate::store::Store;
use crate::store::supply::stock_key;

/// How many campuses nearby, and how many of the whole city, are asked.
const ASKED: u64 = 50;
/// How many of them are proposed.
const PROPOSED: usize = 50;

/// What is missing and who could give it.
#[derive(Clone, Debug)]
pub(crate) struct Advice {
    pub(crate) missing: u64,
    pub(crate) proposals: Vec<Proposal>,
    pub(crate) uncovered: u64,
}

impl Base {
    /// Who could give what a campus lacks of an item, as their ledgers stand now.
    pub(crate) async fn supply_advice(
        &self,
        site: &Site,
        item: &'static Item,
    ) -> Result<Advice, Error> {
        let organization = &site.campus()?.organization;
        let (db, today) = (self.store.database().read(), self.today());
        let (heads, days) = needs(db, site, today).await?;
        let key = stock_key(&organization.id, &item.code);
        let mut held = Store::holdings(db, &[&organization.id]).await?;
        let holding = held.remove(&key).unwrap_or_default();
        let incoming = Store::incoming(db, &organization.id).await?;
        let incoming = incoming.get(&item.code).copied().unwrap_or_default();
        let missing = Level::of(item, &holding, heads, days, today).missing();
        let missing = missing.saturating_sub(incoming);
        let mut givers = Vec::new();
        if missing > 0 {
            let district = site.path.parent().unwrap_or_default();
            let city = site.path.ids().next().unwrap_or_default();
            let mut asked = BTreeSet::new();
            for below in [district.as_str(), city] {
                let rows = Store::spare_stocks(db, below, &item.code, ASKED).await?;
                asked.extend(rows.into_iter().map(|row| row.organization));
            }
            asked.remove(&organization.id);
            for id in asked {
                givers.extend(self.giver(&id, item, &district).await?);
            }
        }
        let mut proposals = advise(missing, givers);
        proposals.truncate(PROPOSED);
        let covered: u64 = proposals.iter().map(|proposal| proposal.quantity).sum();
        Ok(Advice {
            missing,
            proposals,
            uncovered: missing - covered,
        })
    }

    /// What a campus could give of an item now.
    async fn giver(
        &self,
        id: &str,
        item: &Item,
        district: &OrgPath,
    ) -> Result<Option<Giver>, Error> {
        let (db, today) = (self.store.database().read(), self.today());
        let Some(organization) = Store::organization(db, id).await? else {
            return Ok(None);
        };
        let path = place(&organization.org_path);
        let near = district.contains(&path);
        let (heads, days) = needs(db, &Site { organization, path }, today).await?;
        let mut held = Store::holdings(db, &[id]).await?;
        let holding = held.remove(&stock_key(id, &item.code)).unwrap_or_default();
        Ok(Some(Giver {
            organization: id.to_owned(),
            near,
            spare: Level::of(item, &holding, heads, days, today).spare(),
        }))
    }
}
