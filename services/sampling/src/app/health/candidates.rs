//! Who may be a contact of a case, from what is known here.

use std::collections::{BTreeMap, BTreeSet};

use kit::auth::{Caller, Permission};

use super::case_files::found_on;
use super::contacts::rule_of;
use crate::app::App;
use crate::domain::day::Day;
use crate::domain::health::contact::{ContactKind, window};
use crate::domain::roll::GroupKind;
use crate::error::Error;
use crate::store::health::{contacts, dormitories};
use crate::store::rolls;
use crate::store::swabs::SwabRow;
use kit::rows::{Lock, Row};

/// Somebody who may be a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) person: Vec<u8>,
    pub(crate) kind: i16,
    pub(crate) kinds: BTreeSet<ContactKind>,
    pub(crate) last: Day,
}

/// Who may be a contact, by person.
type Candidates = BTreeMap<Vec<u8>, Candidate>;

impl App {
    /// Who may be a contact of a case, by person after `after`.
    pub(crate) async fn candidate_contacts(
        &self,
        caller: &Caller,
        id: &str,
        after: &[u8],
        limit: u64,
    ) -> Result<Vec<Candidate>, Error> {
        let row = self.readable_case(caller, Permission::CaseRead, id).await?;
        if row.person.is_empty() {
            return Ok(Vec::new());
        }
        let read = self.db.read();
        let facts = self.facts.get(read).await?;
        let policy = facts.policy(&row.org_path, self.today());
        let onset = Day::from_number(u16::try_from(row.onset).unwrap_or_default());
        let rule = policy.and_then(|policy| rule_of(policy, &row));
        let (first, last) = window(rule, onset, found_on(&row));
        let mut found = Candidates::new();
        for group in rolls::groups_at(read, std::slice::from_ref(&row.org_path)).await? {
            for one in group.roll()?.members() {
                let met = (one.person.0.to_vec(), group.kind.code());
                meet(&mut found, met, ContactKind::ClassGroup, last);
            }
        }
        if !row.dormitory.is_empty() {
            for one in dormitories::residents(read, &row.school, &row.dormitory).await? {
                let met = (one.0.to_vec(), GroupKind::Students.code());
                meet(&mut found, met, ContactKind::Dormitory, last);
            }
        }
        for tube in contacts::tubes_of(read, &row.person, first, last).await? {
            let day = Day::from_number(u16::try_from(tube.day).unwrap_or_default());
            let neighbours = contacts::neighbours(read, &tube).await?;
            let mut codes = vec![tube.code.as_str().into()];
            codes.extend(neighbours.iter().map(|code| code.as_str().into()));
            for swab in SwabRow::find(read, "tube", codes, Lock::No).await? {
                let kind = if swab.tube == tube.code {
                    ContactKind::Tube
                } else {
                    ContactKind::NeighbourTube
                };
                meet(&mut found, (swab.person, swab.kind), kind, day);
            }
        }
        found.remove(&row.person);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let rest = found
            .into_values()
            .filter(|one| one.person.as_slice() > after);
        Ok(rest.take(limit).collect())
    }
}

fn meet(found: &mut Candidates, (person, kind): (Vec<u8>, i16), how: ContactKind, last: Day) {
    let one = found.entry(person.clone()).or_insert_with(|| Candidate {
        person,
        kind,
        kinds: BTreeSet::new(),
        last,
    });
    one.kinds.insert(how);
    one.last = one.last.max(last);
}
