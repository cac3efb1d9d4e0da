//! Who stands how near to a campus that needs help (rule 5.26).

use std::collections::BTreeMap;

use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr};

use super::{Site, place};
use crate::domain::neighbours::Nearness;
use crate::store::Store;

/// Those around a campus.
#[derive(Clone, Debug)]
pub(crate) struct Neighbours {
    /// The place of the bureau right above it.
    pub(crate) district: OrgPath,
    /// The place of the city.
    pub(crate) city: OrgPath,
    /// The others of its mutual-aid group that are open: ids and places.
    pub(crate) group: BTreeMap<String, String>,
}

impl Neighbours {
    /// Of the campus at a site.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn of(db: &impl ConnectionTrait, site: &Site) -> Result<Self, DbErr> {
        let mut group = BTreeMap::new();
        for id in Store::mutual_aid_partners(db, &site.organization.id).await? {
            let partner = Store::organization(db, &id).await?;
            if let Some(partner) = partner.filter(|partner| partner.open) {
                group.insert(id, partner.org_path);
            }
        }
        Ok(Self {
            district: site.path.parent().unwrap_or_default(),
            city: place(site.path.ids().next().unwrap_or_default()),
            group,
        })
    }

    /// How near an organisation (its id and place) stands.
    pub(crate) fn nearness(&self, (id, org_path): (&str, &str)) -> Nearness {
        Nearness {
            mutual_aid: self.group.contains_key(id),
            same_district: self.district.contains(&place(org_path)),
        }
    }
}
