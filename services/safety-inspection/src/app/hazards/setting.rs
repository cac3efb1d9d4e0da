//! What the rules need to know around a hazard: the bureaus above it and the numbers in force.

use chrono::{DateTime, Utc};
use kit::clock::civil_date;
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr};

use super::policy::terms;
use crate::app::Site;
use crate::domain::hazard::entry::Moment;
use crate::domain::hazard::state::Bureau;
use crate::domain::hazard::terms::Setting;
use crate::domain::organization::{Level, Organization};
use crate::store::Store;

/// When something happens.
pub(super) fn moment(now: DateTime<Utc>) -> Moment {
    Moment {
        at: now,
        today: civil_date(now),
    }
}

/// The bureaus from the city down to the organisation at `path`, which may be one itself.
pub(super) async fn bureaus(
    db: &impl ConnectionTrait,
    path: &OrgPath,
) -> Result<Vec<Organization>, DbErr> {
    let mut bureaus = Vec::new();
    for id in path.ids() {
        let organization = Store::organization(db, id).await?;
        bureaus.extend(organization.filter(|organization| organization.kind.is_bureau()));
    }
    Ok(bureaus)
}

/// The bureau of a level in a chain of them.
pub(super) fn bureau(bureaus: &[Organization], wanted: Bureau) -> Option<&Organization> {
    bureaus
        .iter()
        .find(|organization| organization.level() == wanted.level())
}

/// The setting of hazards at an organisation.
pub(super) async fn setting(
    db: &impl ConnectionTrait,
    site: &Site,
    now: DateTime<Utc>,
) -> Result<Setting, DbErr> {
    let home = site.organization.level();
    let rules = Store::rules(db).await?;
    let terms = terms(rules.policy(&site.path, civil_date(now)));
    let above = bureaus(db, &site.path).await?;
    let district = home == Level::School && bureau(&above, Bureau::District).is_some();
    Ok(Setting {
        home,
        district,
        terms,
    })
}
