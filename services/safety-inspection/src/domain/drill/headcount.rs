//! Who was expected, who was there, and who was missing (rule 5.20).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Refused;
use crate::domain::person::{PersonKind, PersonName};

/// Somebody who was missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// `students/{student}` or `staff/{staff_member}`.
    pub person: String,
    /// When they were found.
    pub found: Option<DateTime<Utc>>,
}

/// Those of one class group, or of the staff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The name of the class group, or of the staff's roll.
    pub name: String,
    /// How many the roll expected at the signal.
    pub expected: u32,
    /// How many were there; none before the headcount.
    pub present: Option<u32>,
    /// Who was missing.
    pub missing: Vec<Missing>,
}

/// One group as it was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The name of the group.
    pub group: String,
    /// How many were there.
    pub present: u32,
    /// Who was missing.
    pub missing: Vec<PersonName>,
}

impl Group {
    /// A group of so many, before the headcount.
    pub fn expected(name: String, expected: u32) -> Self {
        Self {
            name,
            expected,
            present: None,
            missing: Vec::new(),
        }
    }

    pub(super) fn still_missing(&self) -> usize {
        let missing = self.missing.iter().filter(|one| one.found.is_none());
        missing.count()
    }

    /// Who may be missing from it.
    fn kind(&self) -> PersonKind {
        if self.name.ends_with("/staffRoll") {
            PersonKind::Staff
        } else {
            PersonKind::Student
        }
    }
}

/// The groups with their counts: every group once and no other, nobody absent without a name,
/// nobody named twice.
pub(super) fn count(groups: Vec<Group>, counts: Vec<Count>) -> Result<Vec<Group>, Refused> {
    let mut counted = BTreeMap::new();
    for count in counts {
        let name = count.group.clone();
        if counted.insert(name.clone(), count).is_some() {
            return Err(Refused::LeftOut(name));
        }
    }
    let mut named = BTreeSet::new();
    let mut filled = Vec::with_capacity(groups.len());
    for group in groups {
        let count = counted.remove(&group.name);
        let count = count.ok_or_else(|| Refused::LeftOut(group.name.clone()))?;
        let absent = group.expected.saturating_sub(count.present) as usize;
        let of_it = count.missing.iter().all(|one| one.kind == group.kind());
        let anew = count.missing.iter().all(|one| named.insert(*one));
        if count.missing.len() < absent || !of_it || !anew {
            return Err(Refused::Numbers(group.name));
        }
        let missing = count.missing.iter().map(|person| Missing {
            person: person.to_string(),
            found: None,
        });
        filled.push(Group {
            present: Some(count.present),
            missing: missing.collect(),
            ..group
        });
    }
    match counted.into_keys().next() {
        Some(stranger) => Err(Refused::LeftOut(stranger)),
        None => Ok(filled),
    }
}

/// Somebody who was missing is found.
pub(super) fn found(groups: &mut [Group], person: &str, now: DateTime<Utc>) -> Result<(), Refused> {
    let mut missing = groups.iter_mut().flat_map(|group| &mut group.missing);
    let missed = missing.find(|one| one.person == person && one.found.is_none());
    missed.ok_or(Refused::NotMissing)?.found = Some(now);
    Ok(())
}
