//! Where nobody of an organisation answers (rule 5.1), whoever answers above it, and hazards whose owner has
//! left: each such organisation is a finding.

use kit::org::OrgPath;

use super::Hazards;
use crate::app::gate::People;
use crate::app::{Site, place};
use crate::domain::hazard::report::Category;
use crate::domain::organization::Level;
use crate::domain::responsibility::{Chart, resolve};
use crate::error::Error;
use crate::store::Store;

/// How many open hazards of one organisation are named.
const HAZARDS: u64 = 100;

/// An organisation of which nobody answers for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// Its id.
    pub(crate) organization: String,
    /// The subjects for which nobody answers.
    pub(crate) subjects: Vec<&'static str>,
    /// Names of open hazards for which nobody answers or whose owner works nowhere.
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
        let people = &self.base.people;
        people.refresh().await?;
        let mut gaps = Vec::new();
        for (organization, charts) in asked.into_iter().zip(charts) {
            let subjects = subjects();
            let own = &*organization.id;
            let lacking = subjects
                .into_iter()
                .filter(|it| lacks(&charts, own, it, ""));
            let subjects: Vec<_> = lacking.collect();
            let open = Store::open_hazards(db, &organization.id, HAZARDS).await?;
            let hazards: Vec<_> = open
                .iter()
                .filter(|hazard| {
                    lacks(&charts, own, hazard.category.subject(), &hazard.place)
                        || left(people, hazard.owner())
                })
                .map(|hazard| hazard.name())
                .collect();
            if subjects.is_empty() && hazards.is_empty() {
                continue;
            }
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

/// Whether nobody of the organisation `own` answers, but at most somebody above it.
fn lacks(charts: &[Chart], own: &str, subject: &str, place: &str) -> bool {
    resolve(charts, subject, place).is_none_or(|answers| answers.organization != own)
}

/// Whether an owner is named who works nowhere.
fn left(people: &People, owner: &str) -> bool {
    !owner.is_empty() && !people.works(owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_above_does_not_answer_for_those_below() {
        use crate::domain::responsibility::Duty;
        let chart = |organization: &str, subjects: &[&str]| Chart {
            organization: organization.to_owned(),
            duties: subjects
                .iter()
                .map(|subject| Duty {
                    subject: (*subject).to_owned(),
                    place: String::new(),
                    staff_member: "staff/one".to_owned(),
                })
                .collect(),
        };
        let charts = [chart("school", &["FIRE"]), chart("bureau", &["SAFETY"])];
        assert!(!lacks(&charts, "school", "FIRE", ""));
        assert!(lacks(&charts, "school", "FOOD", "kitchen"));
        let headed = [chart("school", &["OVERALL_HEAD"]), chart("bureau", &[])];
        assert!(!lacks(&headed, "school", "FOOD", "kitchen"));
        assert!(lacks(&headed[1..], "bureau", "FIRE", ""));
    }

    #[test]
    fn subjects_stand_once() {
        let subjects = subjects();
        assert!(subjects.contains(&"FIRE") && subjects.contains(&"SAFETY"));
        assert!(subjects.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
