//! Who could give what a campus lacks.

use std::collections::BTreeMap;

use super::Supplies;
use super::reading::Campuses;
use crate::app::Site;
use crate::app::neighbours::Neighbours;
use crate::domain::neighbours::{Offer, share};
use crate::domain::supply::item::Item;
use crate::error::Error;
use crate::store::Store;

/// How many campuses nearby, and how many of the whole city, are asked.
const ASKED: u64 = 50;
/// How many of them are proposed.
const PROPOSED: usize = 50;

/// What is missing and who could give it.
#[derive(Clone, Debug)]
pub(crate) struct Advice {
    pub(crate) missing: u64,
    /// Ids of campuses, each with how much it could give.
    pub(crate) proposals: Vec<(Offer, u64)>,
    pub(crate) uncovered: u64,
}

impl Supplies {
    /// Who could give what a campus lacks of an item, as their ledgers stand now.
    pub(crate) async fn advice(&self, site: &Site, item: &'static Item) -> Result<Advice, Error> {
        let (db, today) = (self.base.store.database().read(), self.base.today());
        let at = site.campus()?.at();
        let own = Campuses::read(db, &[at.0], today).await?.level(at, item);
        let missing = own.level.missing().saturating_sub(own.incoming);
        let givers = if missing > 0 {
            self.givers(site, item).await?
        } else {
            Vec::new()
        };
        let mut proposals = share(missing, givers);
        proposals.truncate(PROPOSED);
        let covered: u64 = proposals.iter().map(|(_, part)| part).sum();
        Ok(Advice {
            missing,
            proposals,
            uncovered: missing.saturating_sub(covered),
        })
    }

    /// What others could give of an item now above their own minimum: those of the same mutual-aid group,
    /// those below the same bureau, and those of the city with most to spare.
    async fn givers(&self, site: &Site, item: &'static Item) -> Result<Vec<Offer>, Error> {
        let (db, today) = (self.base.store.database().read(), self.base.today());
        let neighbours = Neighbours::of(db, site).await?;
        let mut asked: BTreeMap<String, String> = neighbours.group.clone();
        for below in [&neighbours.district, &neighbours.city] {
            let rows = Store::spare_stocks(db, below.as_str(), &item.code, ASKED).await?;
            asked.extend(rows.into_iter().map(|row| (row.organization, row.org_path)));
        }
        asked.remove(&site.organization.id);
        let ids: Vec<&str> = asked.keys().map(String::as_str).collect();
        let campuses = Campuses::read(db, &ids, today).await?;
        let givers = asked.iter().map(|(id, org_path)| Offer {
            id: id.clone(),
            nearness: neighbours.nearness((id, org_path)),
            spare: campuses.level((id, org_path), item).level.spare(),
        });
        Ok(givers.collect())
    }
}
