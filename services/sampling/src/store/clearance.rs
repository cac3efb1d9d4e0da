//! Who is not clear to enter.

use std::collections::HashSet;

use kit::db::statement;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::rolls::corrupt;
use crate::domain::roll::{Malformed, PersonId};

/// Everybody who is not clear in the schools from `first` to `last`: they are not drawn.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn not_clear(
    connection: &impl ConnectionTrait,
    first: &str,
    last: &str,
) -> Result<HashSet<PersonId>, DbErr> {
    let sql = "SELECT person FROM clearances WHERE org_path >= $1 AND org_path < $2";
    let values: [Value; 2] = [format!("{first}/").into(), format!("{last}0").into()];
    let mut people = HashSet::new();
    for row in connection
        .query_all_raw(statement(connection, sql, values))
        .await?
    {
        let person: Vec<u8> = row.try_get_by_index(0)?;
        people.insert(PersonId(person.try_into().map_err(|_| corrupt(Malformed))?));
    }
    Ok(people)
}

/// Which of these people are not clear: they are swabbed alone.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn held(
    connection: &impl ConnectionTrait,
    people: &[PersonId],
) -> Result<HashSet<PersonId>, DbErr> {
    let keys = people
        .iter()
        .map(|person| Value::from(person.0.to_vec()))
        .collect();
    let rows = super::holds::ClearanceRow::find(connection, "person", keys, super::tubes::Lock::No)
        .await?;
    Ok(rows
        .iter()
        .map(|row| crate::domain::roll::person(&row.person))
        .collect())
}
