//! Where people are found.

use std::collections::{HashMap, HashSet};

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::rolls::{GroupRow, corrupt, groups_at};
use crate::domain::draw::Standing;
use crate::domain::roll::{Malformed, Member, PersonId};
use kit::bulk::{Column, insert, placeholders};

/// Where somebody is found and what their roll says of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The group.
    pub group: GroupRow,
    /// The person's entry on its roll.
    pub member: Member,
}

impl Located {
    /// Whether the roll lets them be drawn; it knows nothing of holds.
    pub fn standing(&self) -> Standing {
        standing(&self.member, self.group.taught)
    }
}

/// What a roll says of a member.
pub fn standing(member: &Member, taught: bool) -> Standing {
    if member.on_leave {
        Standing::OnLeave
    } else if member.exempt {
        Standing::Exempt
    } else if !taught {
        Standing::NotInPerson
    } else {
        Standing::Eligible
    }
}

/// Finds somebody on the rolls.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn locate(
    connection: &impl ConnectionTrait,
    person: PersonId,
) -> Result<Option<Located>, DbErr> {
    let found = locate_all(connection, &[person]).await?;
    Ok(found.into_values().next())
}

/// Finds many on the rolls; whoever is on none is left out.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn locate_all(
    connection: &impl ConnectionTrait,
    people: &[PersonId],
) -> Result<HashMap<PersonId, Located>, DbErr> {
    let places = places_of(connection, people).await?;
    let paths: HashSet<&String> = places.values().collect();
    let paths: Vec<String> = paths.into_iter().cloned().collect();
    let groups = groups_at(connection, &paths).await?;
    let groups: HashMap<&str, &GroupRow> = groups
        .iter()
        .map(|group| (group.path.as_str(), group))
        .collect();
    let mut found = HashMap::with_capacity(places.len());
    for (person, path) in &places {
        let Some(group) = groups.get(path.as_str()) else {
            continue;
        };
        if let Some(member) = group.roll()?.get(*person) {
            found.insert(
                *person,
                Located {
                    group: (*group).clone(),
                    member: *member,
                },
            );
        }
    }
    Ok(found)
}

async fn places_of(
    connection: &impl ConnectionTrait,
    people: &[PersonId],
) -> Result<HashMap<PersonId, String>, DbErr> {
    let mut places = HashMap::with_capacity(people.len());
    for part in people.chunks(1000) {
        let sql = format!(
            "SELECT person, path FROM people WHERE person IN ({})",
            placeholders(1, part.len())
        );
        let values = part.iter().map(|person| Value::from(person.0.to_vec()));
        for row in connection
            .query_all_raw(statement(connection, &sql, values))
            .await?
        {
            let person: Vec<u8> = row.try_get_by_index(0)?;
            let person = person.try_into().map_err(|_| corrupt(Malformed))?;
            places.insert(PersonId(person), row.try_get_by_index(1)?);
        }
    }
    Ok(places)
}

/// Notes where people are found.
pub(crate) async fn save_people(
    tx: &Tx,
    people: Vec<PersonId>,
    paths: Vec<String>,
) -> Result<(), DbErr> {
    let people = people.into_iter().map(|person| person.0.to_vec()).collect();
    let columns = vec![
        ("person", Column::Bytes(people)),
        ("path", Column::Text(paths)),
    ];
    insert(
        tx,
        "people",
        columns,
        "ON CONFLICT (person) DO UPDATE SET path = excluded.path",
    )
    .await
}

/// Forgets people who left a group and were not found in another since.
pub(crate) async fn forget_people(tx: &Tx, path: &str, people: &[PersonId]) -> Result<(), DbErr> {
    for part in people.chunks(1000) {
        let sql = format!(
            "DELETE FROM people WHERE path = $1 AND person IN ({})",
            placeholders(2, part.len())
        );
        let mut values: Vec<Value> = vec![path.into()];
        values.extend(part.iter().map(|person| Value::from(person.0.to_vec())));
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}
