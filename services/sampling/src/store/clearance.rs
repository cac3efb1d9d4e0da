//! Who is not clear to enter.

use std::collections::{HashMap, HashSet};

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::rolls::corrupt;
use super::rows::{Lock, Row, execute_in, row};
use crate::domain::hold::Control;
use crate::domain::roll::{Malformed, PersonId, person};

row! {
    /// Who is not clear.
    ClearanceRow in "clearances" by ["person"] {
        /// Who.
        person: Vec<u8>,
        /// The class group's place.
        org_path: String,
        /// The strongest control.
        control: i16,
        /// The medical axis.
        medical: i16,
        /// Since when.
        effective_time: i64,
        /// The rule.
        rule: String,
        /// The policy.
        policy_version: String,
        /// What caused it.
        basis: String,
        /// Grows with each change.
        version: i64,
    }
}

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

/// Which of these people are not clear, and what holds them.
///
/// # Errors
/// When the database fails.
pub async fn held<C: ConnectionTrait + Sync>(
    connection: &C,
    people: &[PersonId],
) -> Result<HashMap<PersonId, Control>, DbErr> {
    let keys = people
        .iter()
        .map(|person| Value::from(person.0.to_vec()))
        .collect();
    let rows = ClearanceRow::find(connection, "person", keys, Lock::No).await?;
    let control =
        |row: &ClearanceRow| Some((person(&row.person), Control::from_code(row.control)?));
    Ok(rows.iter().filter_map(control).collect())
}

/// These people are clear again.
///
/// # Errors
/// When the database fails.
pub async fn clear(tx: &Tx, people: Vec<Value>) -> Result<(), DbErr> {
    execute_in(tx, "DELETE FROM clearances WHERE person", &[], people).await
}
