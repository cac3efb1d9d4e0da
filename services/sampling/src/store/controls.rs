//! What bears on each person's control axis, and the version of their clearance.

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use kit::bulk::{Column, insert, placeholders};
use kit::rows::{execute_in, row};

row! {
    /// What bears on a person's control axis.
    ControlRow in "control_states" by ["person", "basis"] {
        /// Who.
        person: Vec<u8>,
        /// What put it on them: a hold or a case.
        basis: String,
        /// The control.
        control: i16,
        /// When it began.
        since: i64,
        /// The class group's place.
        org_path: String,
        /// The policy.
        policy_version: String,
        /// The rule of the field.
        rule: String,
        /// When it ends by itself, in milliseconds since 1970; 0 for no end of its own.
        until: i64,
    }
}

/// What came of a hold or a case bears on these people no more.
///
/// # Errors
/// When the database fails.
pub async fn lift(tx: &Tx, basis: &str, people: Vec<Value>) -> Result<(), DbErr> {
    let sql = "DELETE FROM control_states WHERE basis = $1 AND person";
    execute_in(tx, sql, &[basis.into()], people).await
}

/// Locks people and returns the next version of each one's clearance, in the order of `people`.
///
/// # Errors
/// When the database fails.
pub async fn next_versions(tx: &Tx, people: &[Vec<u8>]) -> Result<Vec<i64>, DbErr> {
    debug_assert!(people.is_sorted(), "one order for all writers");
    let columns = vec![
        ("person", Column::Bytes(people.to_vec())),
        ("version", Column::Big(vec![1; people.len()])),
    ];
    let conflict = "ON CONFLICT (person) DO UPDATE SET version = control_versions.version + 1";
    insert(tx, "control_versions", columns, conflict).await?;
    let mut versions = Vec::with_capacity(people.len());
    for part in people.chunks(1000) {
        let sql = format!(
            "SELECT version FROM control_versions WHERE person IN ({}) ORDER BY person",
            placeholders(1, part.len())
        );
        let values = part.iter().map(|person| Value::from(person.clone()));
        for row in tx.query_all_raw(statement(tx, &sql, values)).await? {
            versions.push(row.try_get_by_index(0)?);
        }
    }
    Ok(versions)
}
