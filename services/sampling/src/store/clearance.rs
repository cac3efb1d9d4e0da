//! Who is not clear to enter.

use std::collections::{HashMap, HashSet};

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::rolls::corrupt;
use crate::domain::control::Control;
use crate::domain::roll::{Malformed, PersonId, person};
use kit::rows::{Lock, Row, execute_in, row};

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

/// Everybody who is not clear in the schools from `first` to `last`, but those who are only observed
/// and attend (rule 1.23): they are not drawn.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn not_clear(
    connection: &impl ConnectionTrait,
    first: &str,
    last: &str,
) -> Result<HashSet<PersonId>, DbErr> {
    let sql = "SELECT person FROM clearances WHERE org_path >= $1 AND org_path < $2 \
        AND NOT (control = $3 AND medical = 1)";
    let values: [Value; 3] = [
        format!("{first}/").into(),
        format!("{last}0").into(),
        Control::Observation.code().into(),
    ];
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

/// Everybody in the schools from `first` to `last` who is not clear only because they watch their
/// own health, with their group's place.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn monitored(
    connection: &impl ConnectionTrait,
    first: &str,
    last: &str,
) -> Result<Vec<(PersonId, String)>, DbErr> {
    let sql = "SELECT person, org_path FROM clearances \
        WHERE control = $3 AND medical = 1 AND org_path >= $1 AND org_path < $2";
    let values: [Value; 3] = [
        format!("{first}/").into(),
        format!("{last}0").into(),
        Control::HealthMonitoring.code().into(),
    ];
    let mut people = Vec::new();
    for row in connection
        .query_all_raw(statement(connection, sql, values))
        .await?
    {
        let person: Vec<u8> = row.try_get_by_index(0)?;
        let person = person.try_into().map_err(|_| corrupt(Malformed))?;
        people.push((PersonId(person), row.try_get_by_index(1)?));
    }
    Ok(people)
}

/// What keeps somebody out, on both axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Barred {
    /// The strongest control; none when only the medical axis keeps them out.
    pub control: Option<Control>,
    /// Not normal on the medical axis.
    pub ill: bool,
}

/// Which of these people are not clear, and what keeps them out.
///
/// # Errors
/// When the database fails.
pub async fn held<C: ConnectionTrait + Sync>(
    connection: &C,
    people: &[PersonId],
) -> Result<HashMap<PersonId, Barred>, DbErr> {
    let keys = people
        .iter()
        .map(|person| Value::from(person.0.to_vec()))
        .collect();
    let rows = ClearanceRow::find(connection, "person", keys, Lock::No).await?;
    let barred = |row: &ClearanceRow| {
        let barred = Barred {
            control: Control::from_code(row.control),
            ill: row.medical != 1,
        };
        (person(&row.person), barred)
    };
    Ok(rows.iter().map(barred).collect())
}

/// These people are clear again.
///
/// # Errors
/// When the database fails.
pub async fn clear(tx: &Tx, people: Vec<Value>) -> Result<(), DbErr> {
    execute_in(tx, "DELETE FROM clearances WHERE person", &[], people).await
}
