//! Whether schools have the health technicians that they have to have (rule 1.9).

use std::collections::HashMap;

use kit::auth::{Caller, Permission};

use crate::app::App;
use crate::domain::health::staffing::{MEDICAL_POST, Strength};
use crate::domain::roll::GroupKind;
use crate::error::Error;
use crate::store::rolls;

/// As many schools are looked at together.
const TOGETHER: usize = 200;

/// The health staff of one school.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Staffed {
    pub(crate) org_path: String,
    pub(crate) strength: Strength,
    pub(crate) required: u32,
    pub(crate) lacks: u32,
    pub(crate) full_time: bool,
    pub(crate) source: String,
    pub(crate) policy_version: String,
}

impl App {
    /// The schools at or below an organisation after one of them, only those that lack somebody if
    /// asked, and the last one when there are more.
    pub(crate) async fn list_health_staffing(
        &self,
        caller: &Caller,
        organization: &str,
        lacking: bool,
        after: &str,
        limit: usize,
    ) -> Result<(Vec<Staffed>, Option<String>), Error> {
        let permission = Permission::HealthCoverageRead;
        let place = self.place(caller, permission, organization).await?;
        let kinds = [GroupKind::Students, GroupKind::Staff];
        let schools = rolls::schools_below(self.db.read(), place.as_str(), &kinds).await?;
        let order = |path: &str| format!("{path}/");
        let rest: Vec<String> = schools
            .into_iter()
            .map(|(path, _)| path)
            .filter(|path| after.is_empty() || order(path) > order(after))
            .collect();
        let mut found: Vec<Staffed> = Vec::new();
        for part in rest.chunks(TOGETHER) {
            let staffed = self.staffed(part).await?.into_iter();
            found.extend(staffed.filter(|one| !lacking || one.lacks > 0));
            if found.len() > limit {
                break;
            }
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().map(|one| one.org_path.clone());
        Ok((found, last.filter(|_| more)))
    }

    /// The health staff of these schools, which are neighbours in their order.
    async fn staffed(&self, schools: &[String]) -> Result<Vec<Staffed>, Error> {
        let (Some(first), Some(last)) = (schools.first(), schools.last()) else {
            return Ok(Vec::new());
        };
        let read = self.db.read();
        let enrolled = rolls::enrolled_between(read, first, last).await?;
        let mut medical: HashMap<String, u32> = HashMap::new();
        for group in rolls::staff_between(read, first, last).await? {
            let roll = group.roll()?;
            let staff = roll.members().iter();
            let medics = staff.filter(|one| one.posts >> MEDICAL_POST & 1 == 1 && !one.on_leave);
            let known = medical.entry(group.school_path().to_owned()).or_default();
            *known += u32::try_from(medics.count()).unwrap_or(u32::MAX);
        }
        let facts = self.facts.get(read).await?;
        let today = self.today();
        let staffed = schools.iter().map(|school| {
            let policy = facts.policy(school, today);
            let policy = policy.ok_or_else(|| Error::NoPolicy(school.clone()))?;
            let law = &policy.health.staffing;
            let (pupils, children) = enrolled.get(school).copied().unwrap_or_default();
            let strength = Strength {
                pupils,
                children,
                medical: medical.get(school).copied().unwrap_or_default(),
            };
            Ok(Staffed {
                org_path: school.clone(),
                strength,
                required: law.required(strength),
                lacks: law.lacks(strength),
                full_time: law.full_time(strength),
                source: law.source.clone(),
                policy_version: policy.version.clone(),
            })
        });
        staffed.collect()
    }
}
