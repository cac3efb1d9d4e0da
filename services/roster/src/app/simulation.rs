//! What a policy profile would change where it would be in force.

use chrono::NaiveDate;

use super::App;
use super::policies::{Region, numbers};
use crate::domain::class_group::roll_grade;
use crate::domain::policy::{self, Difference, Load, Profile, Violation};
use crate::error::Error;
use crate::store::{load, policies as store};

/// What a profile would change.
#[derive(Clone, Debug)]
pub(crate) struct Simulation {
    /// The version that is compared with; empty when none is in force.
    pub(crate) current_version: String,
    /// What differs, by path.
    pub(crate) differences: Vec<Difference>,
    /// What it breaks, by path.
    pub(crate) violations: Vec<Violation>,
    /// The cost under the profile in force; none when there is none.
    pub(crate) current_load: Option<Load>,
    /// The cost under the one tried; none when a number that it depends on is missing.
    pub(crate) proposed_load: Option<Load>,
}

impl App {
    /// Compares `profile` with what is in force in `region` on `day`.
    pub(crate) async fn simulate_policy(
        &self,
        region: &Region,
        day: NaiveDate,
        profile: &Profile,
    ) -> Result<Simulation, Error> {
        let place = region.place();
        let current = store::in_force(self.db.read(), &place, day).await?;
        let (current_version, current) = match current {
            Some(stored) => (stored.id.policy_version(), Some(numbers(&stored.body)?)),
            None => (String::new(), None),
        };
        let class_groups = load::class_groups(self.db.read(), &place).await?;
        let today = self.clock.today();
        let cost = |profile: &Profile| cost(profile, &class_groups, today);
        Ok(Simulation {
            current_version,
            differences: match &current {
                Some(current) => policy::difference(current, profile),
                None => policy::difference(&Profile::default(), profile),
            },
            violations: policy::violations(profile),
            current_load: current.as_ref().and_then(cost),
            proposed_load: cost(profile),
        })
    }
}

/// The cost of a school day, with everybody on the rolls counted.
fn cost(profile: &Profile, class_groups: &[load::ClassGroup], today: NaiveDate) -> Option<Load> {
    let drawn = class_groups.iter().map(|group| policy::ClassGroup {
        school: &group.organization,
        grade: group
            .id
            .parse()
            .map_or(0, |id| roll_grade(&id, group.school_year, today))
            .unsigned_abs(),
        eligible: u32::try_from(group.eligible).unwrap_or(u32::MAX),
    });
    let load = policy::load(profile, drawn)?;
    let students = class_groups.iter().map(|group| group.students);
    Some(Load {
        students: students.sum::<i64>().unsigned_abs(),
        ..load
    })
}
