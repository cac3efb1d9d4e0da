//! The three figures of rule 5.10 over a part of the tree, and over what stands directly below it.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::Protection;
use crate::app::Site;
use crate::domain::protection::figures::Figure;
use crate::error::Error;
use crate::store::Store;

/// Full-time guards, closed management, one-key alarm.
pub(crate) type Three = [Figure; 3];

/// The figures of an organisation.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) today: NaiveDate,
    pub(crate) total: Three,
    /// By the id of each organisation directly below.
    pub(crate) parts: BTreeMap<String, Three>,
}

fn add(to: &mut Three, more: Three) {
    for (sum, one) in to.iter_mut().zip(more) {
        *sum += one;
    }
}

impl Protection {
    /// The figures of an organisation today.
    pub(crate) async fn figures(&self, site: &Site) -> Result<Figures, Error> {
        let today = self.today();
        let org_path = &site.organization.org_path;
        let db = self.base.store.database().read();
        let mut figures = Figures {
            today,
            total: Three::default(),
            parts: BTreeMap::new(),
        };
        for campus in Store::campus_answers(db, org_path, today).await? {
            add(&mut figures.total, campus.figures);
            let below = campus.org_path.strip_prefix(&**org_path);
            let below = below.and_then(|below| below.strip_prefix('/'));
            if let Some(id) = below.and_then(|below| below.split('/').next()) {
                let part = figures.parts.entry(id.to_owned()).or_default();
                add(part, campus.figures);
            }
        }
        Ok(figures)
    }
}
