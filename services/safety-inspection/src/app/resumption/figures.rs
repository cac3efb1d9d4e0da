//! How ready a part of the city is, from what is kept of each resumption.

use std::collections::BTreeMap;

use kit::rows::{Lock, Row};
use sea_orm::ConnectionTrait;

use super::Resumptions;
use crate::app::Site;
use crate::domain::resumption::figures::{Figure, figures};
use crate::error::Error;
use crate::store::Store;
use crate::store::register::OrganizationRow;
use crate::store::resumption::Kept;

/// What is kept of one resumption, and what its school is called.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) kept: Kept,
    pub(crate) display_name: String,
}

/// How ready an organisation is, and each one directly below it, the least ready first.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) total: Figure,
    pub(crate) parts: Vec<(String, Figure)>,
}

impl Standing {
    /// Of a school whose name is looked up later.
    pub(super) fn of(kept: Kept) -> Self {
        Self {
            kept,
            display_name: String::new(),
        }
    }
}

/// With what the schools are called.
pub(super) async fn with_names(
    db: &impl ConnectionTrait,
    mut standings: Vec<Standing>,
) -> Result<Vec<Standing>, Error> {
    let mut ids: Vec<&str> = standings
        .iter()
        .map(|one| &*one.kept.organization)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let keys = ids.into_iter().map(Into::into).collect();
    let rows = OrganizationRow::find(db, "id", keys, Lock::No).await?;
    let names = rows.into_iter().map(|row| (row.id, row.display_name));
    let names: BTreeMap<String, String> = names.collect();
    for one in &mut standings {
        let name = names.get(&one.kept.organization);
        one.display_name = name.cloned().unwrap_or_default();
    }
    Ok(standings)
}

impl Resumptions {
    /// Those at and below an organisation that are not back at school, silent ones first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn standings(
        &self,
        site: &Site,
        position: i16,
        after: Option<(i16, String, i16)>,
        limit: u64,
    ) -> Result<Vec<Standing>, Error> {
        let db = self.base.store.database().read();
        let place = &site.organization.org_path;
        let ranked = Store::resumptions_ranked(db, place, position, after, limit).await?;
        with_names(db, ranked.into_iter().map(Standing::of).collect()).await
    }

    /// How ready an organisation is, and each one directly below it.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn figures(&self, site: &Site, position: i16) -> Result<Figures, Error> {
        let db = self.base.store.database().read();
        let place = &site.organization.org_path;
        let lines = Store::resumption_lines(db, place, position).await?;
        let (total, parts) = figures(place, lines.iter());
        let mut parts: Vec<(String, Figure)> = parts.into_iter().collect();
        parts.sort_by_key(|(_, figure)| figure.rank());
        Ok(Figures { total, parts })
    }
}
