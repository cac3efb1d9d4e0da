//! What sampling students costs a school day (rules 2.1, 2.2, 2.8 and 8.3).

use std::collections::BTreeMap;

use super::value::Profile;

/// A class group as far as its sampling is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassGroup<'a> {
    /// The school.
    pub school: &'a str,
    /// The grade.
    pub grade: u32,
    /// The students who can be drawn.
    pub eligible: u32,
}

/// The cost of a school day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Students who can be drawn.
    pub students: u64,
    /// Class groups.
    pub class_groups: u64,
    /// Swabs of students.
    pub swabs: u64,
    /// Tubes for them.
    pub tubes: u64,
}

/// The cost of a school day under `profile`; none when a key it depends on is missing or no such
/// value.
///
/// A quota is rounded up in each unit. Class-pure tubes are filled by each class group's own share;
/// otherwise those of a school share its tubes.
pub fn load<'a>(
    profile: &Profile,
    class_groups: impl IntoIterator<Item = ClassGroup<'a>>,
) -> Option<Load> {
    let ratio = ratio(profile)?;
    let capacity = capacity(profile)?;
    let class_pure = profile.flag("pool.class_pure")?;
    let mut load = Load::default();
    let mut units: BTreeMap<Unit<'a>, u64> = BTreeMap::new();
    let unit = profile.word("sampling.unit")?;
    for (place, class_group) in class_groups.into_iter().enumerate() {
        let eligible = u64::from(class_group.eligible);
        load.students += eligible;
        load.class_groups += 1;
        if class_pure {
            load.tubes += share(ratio, eligible).div_ceil(capacity);
        }
        let unit = match unit {
            "CLASS" => (class_group.school, class_group.grade, place),
            "GRADE" => (class_group.school, class_group.grade, 0),
            "SCHOOL" => (class_group.school, 0, 0),
            _ => return None,
        };
        *units.entry(unit).or_default() += eligible;
    }
    let mut schools: BTreeMap<&str, u64> = BTreeMap::new();
    for ((school, _, _), eligible) in units {
        *schools.entry(school).or_default() += share(ratio, eligible);
    }
    load.swabs = schools.values().sum();
    if !class_pure {
        load.tubes = schools.values().map(|swabs| swabs.div_ceil(capacity)).sum();
    }
    Some(load)
}

/// A school, a grade, a place: what quotas are counted in.
type Unit<'a> = (&'a str, u32, usize);

/// Everybody, in basis points.
const EVERYBODY: u64 = 10_000;

/// The part of a unit that is drawn, rounded up.
fn share(ratio: u64, eligible: u64) -> u64 {
    (ratio * eligible).div_ceil(EVERYBODY)
}

fn ratio(profile: &Profile) -> Option<u64> {
    if !profile.flag("sampling.enabled")? {
        return Some(0);
    }
    match profile.word("sampling.strategy")? {
        "LEAST_RECENT" => {
            let ratio = profile.number("sampling.student_ratio_basis_points")?;
            u64::try_from(ratio)
                .ok()
                .filter(|ratio| *ratio <= EVERYBODY)
        }
        "ALL" => Some(EVERYBODY),
        _ => None,
    }
}

/// How many swabs a tube takes (rule 2.8).
fn capacity(profile: &Profile) -> Option<u64> {
    match profile.word("pool.pool_type")? {
        "SINGLE" => Some(1),
        "P5" => Some(5),
        "P10" => Some(10),
        "P20" => Some(20),
        _ => None,
    }
}
