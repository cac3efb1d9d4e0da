//! Who belongs where and who is not clear, packed so that a whole city fits into memory: about 45
//! bytes for each person.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::clearance::Clearance;
use super::decision::Standing;
use super::finding::Finding;
use super::policy::{Enacted, GatePolicy, in_force};
use crate::domain::person::{PersonKind, PersonName};
use crate::domain::resumption::late::{LateReturn, Reason};

/// One person on a roll, as it is stored and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// Who.
    pub person: PersonName,
    /// On long leave.
    pub on_leave: bool,
}

/// A class group or the staff of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roll {
    /// The place in the organisation tree.
    pub org_path: String,
    /// Students of it come to school.
    pub in_person: bool,
    /// 1 to 12, or 0.
    pub grade: u8,
    /// Everybody on it.
    pub members: Vec<Member>,
}

#[derive(Debug, Default)]
struct KeptRoll {
    org_path: Box<str>,
    in_person: bool,
    grade: u8,
    members: Box<[Key]>,
}

/// Sixteen bytes of id and one of kind.
type Key = [u8; 17];

/// Where somebody stands: the number of the roll, and whether on leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place(u32);

impl Place {
    const LEAVE: u32 = 1 << 31;

    fn new(roll: u32, on_leave: bool) -> Self {
        Self(roll | if on_leave { Self::LEAVE } else { 0 })
    }

    fn roll(self) -> usize {
        (self.0 & !Self::LEAVE) as usize
    }

    fn on_leave(self) -> bool {
        self.0 & Self::LEAVE != 0
    }
}

/// Everything that a gate decides from.
#[derive(Debug, Default)]
pub struct Index {
    organizations: HashMap<Box<str>, Box<str>>,
    rolls: Vec<KeptRoll>,
    numbers: HashMap<Box<str>, u32>,
    places: HashMap<Key, Place>,
    /// Places after the first: people who work at two schools, or are on their way from one
    /// to another.
    more: HashMap<Key, Vec<Place>>,
    clearances: HashMap<Key, Clearance>,
    /// The civil day on which a restricted region was lifted for somebody.
    lifted: HashMap<Key, NaiveDate>,
    policies: HashMap<Box<str>, Enacted>,
}

impl Index {
    /// Sets where an organisation stands; none removes it.
    pub fn set_organization(&mut self, id: &str, org_path: Option<&str>) {
        match org_path {
            Some(path) => self.organizations.insert(id.into(), path.into()),
            None => self.organizations.remove(id),
        };
    }

    /// Replaces a roll; none empties it.
    pub fn set_roll(&mut self, entity: &str, roll: Option<Roll>) {
        let number = match self.numbers.get(entity) {
            Some(number) => *number,
            None if roll.is_none() => return,
            None => {
                let number = u32::try_from(self.rolls.len()).unwrap_or(u32::MAX) & !Place::LEAVE;
                self.rolls.push(KeptRoll::default());
                self.numbers.insert(entity.into(), number);
                number
            }
        };
        let before = std::mem::take(&mut self.rolls[number as usize]);
        for key in &before.members {
            self.leave(key, number);
        }
        let Some(roll) = roll else { return };
        for member in &roll.members {
            self.enter(key(member.person), Place::new(number, member.on_leave));
        }
        self.rolls[number as usize] = KeptRoll {
            org_path: roll.org_path.into(),
            in_person: roll.in_person,
            grade: roll.grade,
            members: roll
                .members
                .iter()
                .map(|member| key(member.person))
                .collect(),
        };
    }

    /// Sets somebody's clearance; none means clear.
    pub fn set_clearance(&mut self, person: PersonName, clearance: Option<Clearance>) {
        match clearance {
            Some(clearance) => self.clearances.insert(key(person), clearance),
            None => self.clearances.remove(&key(person)),
        };
    }

    /// Sets the civil day on which a restricted region was lifted for somebody.
    pub fn set_lifted(&mut self, person: PersonName, day: NaiveDate) {
        self.lifted.insert(key(person), day);
    }

    /// Sets a policy; none removes it.
    pub fn set_policy(&mut self, entity: &str, enacted: Option<Enacted>) {
        match enacted {
            Some(enacted) => self.policies.insert(entity.into(), enacted),
            None => self.policies.remove(entity),
        };
    }

    /// Where an organisation stands.
    pub fn org_path(&self, organization: &str) -> Option<&str> {
        self.organizations.get(organization).map(AsRef::as_ref)
    }

    /// How somebody stands to the school at `school`. Of several rolls the kindest counts.
    pub fn standing(&self, person: PersonName, school: &str) -> Standing {
        let mut standing = Standing::Unknown;
        for place in self.places(&key(person)) {
            let roll = &self.rolls[place.roll()];
            if !contains(school, &roll.org_path) {
                continue;
            }
            let here = if place.on_leave() {
                Standing::OnLeave
            } else if !roll.in_person {
                Standing::ClassNotInPerson
            } else {
                return Standing::Expected;
            };
            if standing == Standing::Unknown {
                standing = here;
            }
        }
        standing
    }

    /// The grade of somebody at the school at `school`; 0 when there is none.
    pub fn grade(&self, person: PersonName, school: &str) -> u8 {
        let key = key(person);
        let rolls = self.places(&key).map(|place| &self.rolls[place.roll()]);
        let here = rolls.filter(|roll| contains(school, &roll.org_path));
        here.map(|roll| roll.grade).max().unwrap_or_default()
    }

    /// The organisation paths of everybody's rolls: whoever may see one of them may ask for the person.
    pub fn org_paths(&self, person: PersonName) -> impl Iterator<Item = &str> {
        let key = key(person);
        let places: Vec<_> = self.places(&key).collect();
        places
            .into_iter()
            .map(|place| &*self.rolls[place.roll()].org_path)
    }

    /// Somebody's clearance, as it was told.
    pub fn clearance(&self, person: PersonName) -> Clearance {
        self.clearances
            .get(&key(person))
            .copied()
            .unwrap_or_default()
    }

    /// Somebody's clearance on `today`, by a policy: a restricted region has a time after it (rule 4.9).
    pub fn clearance_on(
        &self,
        today: NaiveDate,
        person: PersonName,
        policy: &GatePolicy,
    ) -> Clearance {
        let told = self.clearance(person);
        let lifted = self.lifted.get(&key(person));
        lifted.map_or(told, |lifted| {
            told.after_region(*lifted, policy.self_monitoring_days, today)
        })
    }

    /// The numbers in force at `school` on `day`; the shipped ones before the register has told.
    pub fn policy(&self, school: &str, day: NaiveDate) -> GatePolicy {
        let covers = |region: &str| contains(region, school);
        in_force(self.policies.values(), covers, day)
            .cloned()
            .unwrap_or_default()
    }

    /// Everybody of the school at `school`, and who of them must not enter on `today`.
    pub fn people(
        &self,
        school: &str,
        policy: &GatePolicy,
        today: NaiveDate,
    ) -> (Vec<PersonName>, Vec<(PersonName, Finding)>) {
        let mut members: Vec<PersonName> = self
            .rolls
            .iter()
            .filter(|roll| contains(school, &roll.org_path))
            .flat_map(|roll| roll.members.iter().map(person))
            .collect();
        members.sort_unstable();
        members.dedup();
        let blocked = members
            .iter()
            .filter_map(|person| {
                let finding = match self.standing(*person, school) {
                    Standing::ClassNotInPerson => Finding::ClassNotInPerson,
                    Standing::OnLeave => Finding::OnLeave,
                    Standing::Expected | Standing::Unknown | Standing::Visitor => self
                        .clearance_on(today, *person, policy)
                        .finding(policy.admit_health_monitoring),
                };
                (finding.verdict() == super::finding::Verdict::Deny).then_some((*person, finding))
            })
            .collect();
        (members, blocked)
    }

    /// Who at and below `place` must not return on `today`, ordered by place and person (rules 4.8 and 4.9).
    pub fn late_returns(&self, place: &str, today: NaiveDate) -> Vec<LateReturn> {
        let mut late = Vec::new();
        for roll in &self.rolls {
            if !contains(place, &roll.org_path) {
                continue;
            }
            let kept_away =
                |key: &&Key| self.clearances.contains_key(*key) || self.lifted.contains_key(*key);
            let mut policy = None;
            for key in roll.members.iter().filter(kept_away) {
                let policy = policy.get_or_insert_with(|| self.policy(&roll.org_path, today));
                late.extend(self.late_return(roll, key, policy, today));
            }
        }
        late.sort_by_cached_key(|one| (one.org_path.clone(), one.person.to_string()));
        late
    }

    /// Why somebody on a roll must not return on `today`; none who may.
    fn late_return(
        &self,
        roll: &KeptRoll,
        key: &Key,
        policy: &GatePolicy,
        today: NaiveDate,
    ) -> Option<LateReturn> {
        let who = person(key);
        let clearance = self.clearance_on(today, who, policy);
        let finding = clearance.finding(policy.admit_health_monitoring);
        if finding.verdict() != super::finding::Verdict::Deny {
            return None;
        }
        let reason = Reason::of(clearance)?;
        // Nothing but the days after the region keeps away whose clearance it changed.
        let after = clearance != self.clearance(who) && reason == Reason::RegionRestricted;
        let lifted = self.lifted.get(key).filter(|_| after);
        let days = chrono::Duration::days(policy.self_monitoring_days.into());
        Some(LateReturn {
            person: who,
            org_path: roll.org_path.to_string(),
            grade: roll.grade,
            reason,
            earliest: lifted.and_then(|lifted| lifted.checked_add_signed(days)),
        })
    }

    /// How many people are known.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether nobody is known.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn places(&self, key: &Key) -> impl Iterator<Item = Place> {
        let more = self.more.get(key).map_or(&[][..], Vec::as_slice);
        self.places
            .get(key)
            .copied()
            .into_iter()
            .chain(more.iter().copied())
    }

    fn enter(&mut self, key: Key, place: Place) {
        match self.places.get(&key) {
            None => {
                self.places.insert(key, place);
            }
            Some(_) => self.more.entry(key).or_default().push(place),
        }
    }

    fn leave(&mut self, key: &Key, roll: u32) {
        let roll = roll as usize;
        let mut more = self.more.remove(key).unwrap_or_default();
        more.retain(|place| place.roll() != roll);
        if self
            .places
            .get(key)
            .is_some_and(|place| place.roll() == roll)
        {
            match more.pop() {
                Some(place) => self.places.insert(*key, place),
                None => self.places.remove(key),
            };
        }
        if !more.is_empty() {
            self.more.insert(*key, more);
        }
    }
}

/// Whether the place `inner` is `outer` or below it.
fn contains(outer: &str, inner: &str) -> bool {
    outer.is_empty()
        || inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn key(person: PersonName) -> Key {
    let mut key = [0; 17];
    key[..16].copy_from_slice(person.id.as_bytes());
    key[16] = u8::from(person.kind == PersonKind::Staff);
    key
}

fn person(key: &Key) -> PersonName {
    let mut id = [0; 16];
    id.copy_from_slice(&key[..16]);
    let kind = if key[16] == 1 {
        PersonKind::Staff
    } else {
        PersonKind::Student
    };
    PersonName {
        kind,
        id: uuid::Uuid::from_bytes(id),
    }
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
