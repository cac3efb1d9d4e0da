//! Who may be a contact of a case, or of one of its contacts, from what is known here.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use kit::auth::{Caller, Permission};
use kit::status::Problem;
use sea_orm::ConnectionTrait;

use super::case_files::{found_on, school_of};
use super::contacts::rule_of;
use crate::app::App;
use crate::domain::day::Day;
use crate::domain::health::contact::{ContactKind, Degree, window};
use crate::domain::health::shared::SharedKind;
use crate::domain::roll::{GroupKind, PersonId};
use crate::error::Error;
use crate::store::health::contacts::{self, ContactRow};
use crate::store::health::{dormitories, shared_groups};
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

/// Somebody whom others met from one day to another, both included.
#[derive(Debug)]
struct Met<'a> {
    person: &'a [u8],
    org_path: &'a str,
    /// The dormitory room's identifier; empty for who has none.
    dormitory: String,
    days: (Day, Day),
}

impl App {
    /// Who may be a contact of a case, or of its close contact `via`, by person after `after`.
    pub(crate) async fn candidate_contacts(
        &self,
        caller: &Caller,
        id: &str,
        via: Option<PersonId>,
        (after, limit): (&[u8], u64),
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
        let days = window(rule, onset, found_on(&row));
        let mut found = Candidates::new();
        if let Some(via) = via {
            let stored = ContactRow::find(read, "case_id", vec![id.into()], Lock::No).await?;
            let standing = stored.iter().filter(|contact| contact.remove_time == 0);
            let standing: Vec<&ContactRow> = standing.collect();
            let people = standing.iter().map(|contact| contact.person.as_slice());
            let known: HashSet<&[u8]> = people.collect();
            let mut close = standing.iter().filter(|contact| {
                contact.person == via.0 && contact.degree == Degree::Close.code()
            });
            let contact = close.next().ok_or_else(|| {
                let (chinese, english) = ("不是该病例的密接", "is no close contact of the case");
                Problem::invalid("via", chinese, english)
            })?;
            let groups = vec![contact.org_path.as_str().into()];
            let mut rooms = dormitories::rooms_of(read, groups).await?;
            let met = Met {
                person: &contact.person,
                org_path: &contact.org_path,
                dormitory: rooms.remove(&via).unwrap_or_default(),
                days: (days.0, self.today()),
            };
            look_around(read, &met, &mut found).await?;
            found.retain(|person, _| !known.contains(person.as_slice()));
        } else {
            let met = Met {
                person: &row.person,
                org_path: &row.org_path,
                dormitory: row.dormitory.clone(),
                days,
            };
            look_around(read, &met, &mut found).await?;
        }
        found.remove(&row.person);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let rest = found
            .into_values()
            .filter(|one| one.person.as_slice() > after);
        Ok(rest.take(limit).collect())
    }
}

/// Everybody whom this person met, as far as it is known here.
async fn look_around<C: ConnectionTrait + Sync>(
    read: &C,
    met: &Met<'_>,
    found: &mut Candidates,
) -> Result<(), Error> {
    let (first, last) = met.days;
    of_class_group(read, met.org_path, ContactKind::ClassGroup, last, found).await?;
    let school = school_of(met.org_path);
    if !met.dormitory.is_empty() {
        for one in dormitories::residents(read, school, &met.dormitory).await? {
            let who = (one.0.to_vec(), GroupKind::Students.code());
            meet(found, who, ContactKind::Dormitory, last);
        }
    }
    for tube in contacts::tubes_of(read, met.person, first, last).await? {
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
            meet(found, (swab.person, swab.kind), kind, day);
        }
    }
    of_shared_groups(read, school, met, found).await?;
    found.remove(met.person);
    Ok(())
}

/// Everybody on the roll of a group.
async fn of_class_group<C: ConnectionTrait + Sync>(
    read: &C,
    path: &str,
    kind: ContactKind,
    last: Day,
    found: &mut Candidates,
) -> Result<(), Error> {
    for group in rolls::groups_at(read, &[path.to_owned()]).await? {
        for one in group.roll()?.members() {
            let who = (one.person.0.to_vec(), group.kind.code());
            meet(found, who, kind, last);
        }
    }
    Ok(())
}

/// Those on the seats around, in the same bus and at the same meal.
async fn of_shared_groups<C: ConnectionTrait + Sync>(
    read: &C,
    school: &str,
    met: &Met<'_>,
    found: &mut Candidates,
) -> Result<(), Error> {
    let last = met.days.1;
    let own = shared_groups::of_person(read, school, met.person).await?;
    let most = shared_groups::MOST_GROUPS;
    for group in shared_groups::list(read, school, 0, "", most).await? {
        let kind = match group.shares() {
            Some(SharedKind::Seats) => ContactKind::Seat,
            Some(SharedKind::Bus) => ContactKind::Bus,
            Some(SharedKind::Meal) => ContactKind::Meal,
            // Who drinks of the same water has not met for that.
            Some(SharedKind::Water) | None => continue,
        };
        let mine = own.iter().find(|member| member.code == group.code);
        if mine.is_none() && group.paths().all(|path| path != met.org_path) {
            continue;
        }
        let members = shared_groups::members(read, school, &group.code).await?;
        for member in members {
            let near = kind != ContactKind::Seat
                || mine.is_some_and(|mine| mine.seat().is_beside(member.seat()));
            if near {
                meet(found, (member.person, member.kind), kind, last);
            }
        }
        for path in group.paths() {
            of_class_group(read, path, kind, last, found).await?;
        }
    }
    Ok(())
}

fn meet(found: &mut Candidates, (who, kind): (Vec<u8>, i16), how: ContactKind, last: Day) {
    let one = found.entry(who.clone()).or_insert_with(|| Candidate {
        person: who,
        kind,
        kinds: BTreeSet::new(),
        last,
    });
    one.kinds.insert(how);
    one.last = one.last.max(last);
}
