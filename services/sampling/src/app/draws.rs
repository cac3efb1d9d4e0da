//! Reads and checks draws.

use std::collections::{HashMap, HashSet};

use kit::auth::{Caller, Permission};

use super::App;
use super::close::Seeds;
use crate::domain::commitment::Replaced;
use crate::domain::day::Day;
use crate::domain::evaluate::fill_evenly;
use crate::domain::plan::{DrawId, PlanId};
use crate::domain::roll::{GroupKind, Malformed, PersonId};
use crate::error::Error;
use crate::publication::check::School;
use crate::publication::records;
use crate::store::draws::{self, DrawRow, Filter};
use crate::store::rolls::{self, GroupRow, corrupt};

/// Everybody who is called in one class group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) organization: String,
    pub(crate) group: String,
    pub(crate) kind: GroupKind,
    pub(crate) people: Vec<Called>,
}

/// One person who is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Called {
    pub(crate) person: PersonId,
    pub(crate) state: CalledState,
    /// Whose place was taken.
    pub(crate) replaces: Option<PersonId>,
    /// The last swab before the draw.
    pub(crate) last: Day,
    /// The tube shared when tubes are filled evenly; 0 for whoever is absent.
    pub(crate) tube: usize,
}

/// Where an assignment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CalledState {
    Assigned,
    Sampled,
    Absent,
}

/// Whether a draw is what was signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) finding: Option<String>,
    pub(crate) groups: usize,
    pub(crate) candidates: usize,
}

impl App {
    /// One draw.
    pub(crate) async fn get_draw(&self, caller: &Caller, id: &DrawId) -> Result<DrawRow, Error> {
        self.readable_draw(caller, Permission::DrawRead, id).await
    }

    /// A draw with which the caller may do `permission`.
    pub(crate) async fn readable_draw(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &DrawId,
    ) -> Result<DrawRow, Error> {
        let found = draws::get(self.db.read(), id).await?;
        let path = found.as_ref().map_or("", |draw| &draw.org_path);
        if found.is_none() {
            // Only those who see the whole city are told that there is nothing.
            self.place(caller, permission, &id.organization).await?;
        } else {
            Self::check_path(caller, permission, path)?;
        }
        found.ok_or_else(|| Error::NotFound(id.to_string()))
    }

    /// The draws of a day below an organisation.
    pub(crate) async fn list_draws(
        &self,
        caller: &Caller,
        organization: &str,
        plan: Option<&PlanId>,
        day: Day,
        after: Option<(&str, &str)>,
        limit: u64,
    ) -> Result<Vec<DrawRow>, Error> {
        let place = self
            .place(caller, Permission::DrawRead, organization)
            .await?;
        let filter = Filter {
            place: place.as_str(),
            day,
            plan,
            closed: false,
            after,
            limit,
        };
        Ok(draws::list(self.db.read(), &filter).await?)
    }

    /// Who is called, class group by class group, and the last group when there are more.
    pub(crate) async fn list_assignments(
        &self,
        caller: &Caller,
        id: &DrawId,
        group: Option<&str>,
        after: &str,
        limit: u64,
    ) -> Result<(Vec<Listing>, Option<String>), Error> {
        let draw = self.get_draw(caller, id).await?;
        let read = self.db.read();
        let records =
            match group {
                Some(group) => {
                    let record = draws::group(read, id, group).await?;
                    vec![record.ok_or_else(|| {
                        Error::NotFound(rolls::group_name(&id.organization, group))
                    })?]
                }
                None => draws::groups(read, id, after, limit + 1)
                    .await?
                    .iter()
                    .map(|(_, record)| draws::decode_group(record))
                    .collect::<Result<_, _>>()?,
            };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let next = match records.get(limit) {
            Some(_) if group.is_none() => records.get(limit - 1).map(|last| last.id.clone()),
            _ => None,
        };
        let facts = self.facts.get(read).await?;
        let capacity = facts
            .policy(&draw.org_path, id.day)
            .map_or(10, |policy| policy.tube_capacity);
        let paths: Vec<String> = records
            .iter()
            .map(|record| format!("{}/{}", draw.org_path, record.id))
            .collect();
        let stored: HashMap<String, GroupRow> = rolls::groups_at(read, &paths)
            .await?
            .into_iter()
            .map(|group| (group.id.clone(), group))
            .collect();
        let replaced = read_replaced(&draws::replacements(read, id).await?)?;
        let mut listings = Vec::with_capacity(records.len());
        for record in records.iter().take(limit) {
            let (candidates, picks) = records::to_group(record).map_err(|_| corrupt(Malformed))?;
            let stored = stored.get(&record.id);
            let rotation = stored
                .map(GroupRow::rotation)
                .transpose()?
                .unwrap_or_default();
            let of_group: Vec<&Replaced> = replaced
                .iter()
                .filter(|one| one.group == record.id)
                .collect();
            let absent: HashSet<PersonId> = of_group.iter().map(|one| one.absent).collect();
            let picked = picks
                .places
                .iter()
                .map(|place| (candidates[*place as usize].person, None));
            let took = of_group
                .iter()
                .filter_map(|one| Some((one.replacement?, Some(one.absent))));
            let mut people: Vec<Called> = picked
                .chain(took)
                .map(|(person, replaces)| {
                    let found = candidates.binary_search_by_key(&person, |one| one.person);
                    Called {
                        person,
                        state: if rotation.last(person) == id.day {
                            CalledState::Sampled
                        } else if absent.contains(&person) {
                            CalledState::Absent
                        } else {
                            CalledState::Assigned
                        },
                        replaces,
                        last: found.map_or(Day::NEVER, |place| candidates[place].last),
                        tube: 0,
                    }
                })
                .collect();
            people.sort_by_key(|called| called.person);
            share_tubes(&mut people, capacity);
            listings.push(Listing {
                organization: id.organization.clone(),
                group: record.id.clone(),
                kind: stored.map_or(kind_of(&record.id), |group| group.kind),
                people,
            });
        }
        Ok((listings, next))
    }

    /// Recomputes a draw from what is stored.
    pub(crate) async fn verify_draw(&self, caller: &Caller, id: &DrawId) -> Result<Verdict, Error> {
        let draw = self.get_draw(caller, id).await?;
        let seed = Seeds::default().of(self.db.read(), &draw).await?;
        let school = school_of(self.db.read(), &draw, None).await?;
        let key = self.signer.public_key();
        let closing = draw.closing.clone();
        let verdict = tokio::task::spawn_blocking(move || {
            let checked = school.check(&seed, &key);
            let closed = match &closing {
                None => Ok(()),
                Some(record) => match records::to_closing(record) {
                    Ok(closing) => school.check_closing(&closing, &key),
                    Err(_) => Err(crate::publication::verify::Finding::ClosingSignature),
                },
            };
            match checked.and_then(|checked| closed.map(|()| checked)) {
                Ok(checked) => Verdict {
                    finding: None,
                    groups: checked.groups,
                    candidates: checked.candidates,
                },
                Err(finding) => Verdict {
                    finding: Some(finding.to_string()),
                    ..Verdict::default()
                },
            }
        });
        Ok(verdict
            .await
            .map_err(|err| sea_orm::DbErr::Custom(err.to_string()))?)
    }
}

/// What is stored of a draw; of its groups all, or one.
pub(super) async fn school_of(
    connection: &impl sea_orm::ConnectionTrait,
    draw: &DrawRow,
    group: Option<&str>,
) -> Result<School, Error> {
    let (frozen, signature) = records::to_frozen(&draw.record).map_err(|_| corrupt(Malformed))?;
    let groups = match group {
        Some(group) => draws::group(connection, &draw.id, group)
            .await?
            .into_iter()
            .collect(),
        None => draws::groups(connection, &draw.id, "", u64::MAX >> 1)
            .await?
            .iter()
            .map(|(_, record)| draws::decode_group(record))
            .collect::<Result<_, _>>()?,
    };
    let mut replacements = Vec::new();
    for record in draws::replacements(connection, &draw.id).await? {
        replacements.push(records::to_replaced(&record).map_err(|_| corrupt(Malformed))?);
    }
    Ok(School {
        frozen,
        signature,
        groups,
        replacements,
    })
}

fn read_replaced(
    records: &[proto::sampling::PublishedReplacement],
) -> Result<Vec<Replaced>, Error> {
    let read = |record| records::to_replaced(record).map(|(replaced, _)| replaced);
    let all: Result<Vec<Replaced>, _> = records.iter().map(read).collect();
    Ok(all.map_err(|_| corrupt(Malformed))?)
}

/// Numbers the tubes of a class group so that they are filled evenly.
fn share_tubes(people: &mut [Called], capacity: u32) {
    let there = people
        .iter()
        .filter(|called| called.state != CalledState::Absent)
        .count();
    let fills = fill_evenly(u32::try_from(there).unwrap_or(u32::MAX), capacity);
    let mut tubes = (1..)
        .zip(fills)
        .flat_map(|(tube, fill)| std::iter::repeat_n(tube, fill as usize));
    for called in people
        .iter_mut()
        .filter(|called| called.state != CalledState::Absent)
    {
        called.tube = tubes.next().unwrap_or(0);
    }
}

/// Staff groups are told by their identifier, which no class group has.
pub(crate) fn kind_of(group: &str) -> GroupKind {
    if group.starts_with("staff-") {
        GroupKind::Staff
    } else {
        GroupKind::Students
    }
}
