//! Where nobody below the city answers (rule 5.1): each such organisation is a finding.

use kit::org::OrgPath;

use super::Hazards;
use crate::app::{Site, place};
use crate::domain::hazard::report::Category;
use crate::domain::organization::Level;
use crate::domain::responsibility::{Chart, resolve};
use crate::error::Error;
use crate::store::Store;

/// How many open hazards of one organisation are named.
const HAZARDS: u64 = 100;

/// An organisation at which nobody below the city answers for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// Its id.
    pub(crate) organization: String,
    /// The subjects for which nobody answers.
    pub(crate) subjects: Vec<&'static str>,
    /// Names of open hazards for which nobody answers.
    pub(crate) hazards: Vec<String>,
}

/// Some gaps, and the place after which the next ones are looked for.
pub(crate) type Page = (Vec<Gap>, Option<String>);

impl Hazards {
    /// The gaps among `limit` organisations at and below a place, after the place `after`.
    pub(crate) async fn gaps(&self, site: &Site, after: &str, limit: u64) -> Result<Page, Error> {
        let db = self.base.store.database().read();
        let within = site.path.as_str();
        let found = Store::organizations_below(db, within, &[], after, limit).await?;
        let last = found.last().map(|last| last.org_path.clone());
        let next = last.filter(|_| found.len() as u64 == limit);
        // The city answers for itself, and laboratories and disease control have no campus.
        let asked: Vec<_> = found
            .into_iter()
            .filter(|one| one.kind.has_campus() || one.level() == Level::District)
            .collect();
        let paths: Vec<OrgPath> = asked.iter().map(|one| place(&one.org_path)).collect();
        let charts = Store::charts(db, &paths).await?;
        let mut gaps = Vec::new();
        for (organization, charts) in asked.into_iter().zip(charts) {
            let subjects = subjects();
            let lacking = subjects.into_iter().filter(|it| lacks(&charts, it, ""));
            let subjects: Vec<_> = lacking.collect();
            if subjects.is_empty() {
                continue;
            }
            let open = Store::open_hazards(db, &organization.id, HAZARDS).await?;
            let hazards = open
                .iter()
                .filter(|hazard| lacks(&charts, hazard.category.subject(), &hazard.place))
                .map(|hazard| hazard.name())
                .collect();
            gaps.push(Gap {
                organization: organization.id,
                subjects,
                hazards,
            });
        }
        Ok((gaps, next))
    }
}

/// Every subject that hazards ask for, each once.
fn subjects() -> Vec<&'static str> {
    let mut subjects: Vec<_> = Category::ALL.iter().map(|one| one.subject()).collect();
    subjects.sort_unstable();
    subjects.dedup();
    subjects
}

/// Whether nobody below the top answers.
fn lacks(charts: &[Chart], subject: &str, place: &str) -> bool {
    let city = charts.last().map(|chart| &chart.organization);
    resolve(charts, subject, place).is_none_or(|answers| Some(&answers.organization) == city)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_stand_once() {
        let subjects = subjects();
        assert!(subjects.contains(&"FIRE") && subjects.contains(&"SAFETY"));
        assert!(subjects.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
