//! What people of a school share: who belongs to which group.

use std::collections::BTreeSet;

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::clusters::SCHOOLS;
use crate::domain::health::shared::{Seat, Shared, SharedKind};
use crate::domain::roll::person;
use kit::bulk::placeholders;
use kit::rows::{Row, row};

/// As many groups a school may have.
pub const MOST_GROUPS: u64 = 1000;

row! {
    /// A group of people who share something.
    SharedGroupRow in "shared_groups" by ["school", "code"] {
        /// The school's place.
        school: String,
        /// Its name within the school.
        code: String,
        /// What they share: a number of the contract.
        kind: i16,
        /// As the school calls it.
        display_name: String,
        /// The places of class groups that belong to it as a whole, one a line.
        class_groups: String,
        /// How many people are named one by one.
        members: i32,
        /// When it was last said.
        update_time: i64,
        /// By whom.
        updated_by: String,
    }
}

row! {
    /// Somebody who belongs to a group.
    SharedMemberRow in "shared_members" by ["school", "code", "person"] {
        /// The school's place.
        school: String,
        /// The group.
        code: String,
        /// Who.
        person: Vec<u8>,
        /// Student (1) or staff (2).
        kind: i16,
        /// The row of the seat; 0 where it is not known.
        seat_row: i16,
        /// The column of the seat; 0 where it is not known.
        seat_column: i16,
    }
}

impl SharedGroupRow {
    /// The places of the class groups that belong to it as a whole.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.class_groups.lines()
    }

    /// What they share.
    pub fn shares(&self) -> Option<SharedKind> {
        SharedKind::from_code(self.kind)
    }
}

impl SharedMemberRow {
    /// The seat.
    pub fn seat(&self) -> Seat {
        Seat {
            row: self.seat_row,
            column: self.seat_column,
        }
    }
}

/// One group of a school.
///
/// # Errors
/// When the database fails.
pub async fn get<C: ConnectionTrait + Sync>(
    connection: &C,
    school: &str,
    code: &str,
) -> Result<Option<SharedGroupRow>, DbErr> {
    let values = vec![school.into(), code.into()];
    let found = SharedGroupRow::page(connection, "school = $1 AND code = $2", values, 1).await?;
    Ok(found.into_iter().next())
}

/// The groups of a school after one; of one kind unless it is 0.
///
/// # Errors
/// When the database fails.
pub async fn list<C: ConnectionTrait + Sync>(
    connection: &C,
    school: &str,
    kind: i16,
    after: &str,
    limit: u64,
) -> Result<Vec<SharedGroupRow>, DbErr> {
    let mut wheres = "school = $1 AND code > $2".to_owned();
    let mut values: Vec<Value> = vec![school.into(), after.into()];
    if kind != 0 {
        wheres.push_str(" AND kind = $3");
        values.push(kind.into());
    }
    SharedGroupRow::page(connection, &wheres, values, limit).await
}

/// Everybody who is named one by one in a group.
///
/// # Errors
/// When the database fails.
pub async fn members<C: ConnectionTrait + Sync>(
    connection: &C,
    school: &str,
    code: &str,
) -> Result<Vec<SharedMemberRow>, DbErr> {
    let values = vec![school.into(), code.into()];
    let wheres = "school = $1 AND code = $2";
    SharedMemberRow::page(connection, wheres, values, i64::MAX.unsigned_abs()).await
}

/// The groups of a school in which somebody is named.
///
/// # Errors
/// When the database fails.
pub async fn of_person<C: ConnectionTrait + Sync>(
    connection: &C,
    school: &str,
    person: &[u8],
) -> Result<Vec<SharedMemberRow>, DbErr> {
    let values = vec![school.into(), person.to_vec().into()];
    let wheres = "school = $1 AND person = $2";
    SharedMemberRow::page(connection, wheres, values, MOST_GROUPS).await
}

/// Who of a school shares a meal or a source of water.
///
/// # Errors
/// When the database fails.
pub async fn shared<C: ConnectionTrait + Sync>(
    connection: &C,
    school: &str,
) -> Result<Shared, DbErr> {
    let mut shared = Shared::default();
    for group in list(connection, school, 0, "", MOST_GROUPS).await? {
        let Some(kind @ (SharedKind::Meal | SharedKind::Water)) = group.shares() else {
            continue;
        };
        for path in group.paths() {
            shared.class_group(kind, &group.code, path);
        }
        if group.members == 0 {
            continue;
        }
        for member in members(connection, school, &group.code).await? {
            shared.person(kind, &group.code, person(&member.person));
        }
    }
    Ok(shared)
}

/// Those of these schools that have a group of people who share something.
///
/// # Errors
/// When the database fails.
pub async fn schools_with(tx: &Tx, schools: &[&str]) -> Result<BTreeSet<String>, DbErr> {
    let mut found = BTreeSet::new();
    for part in schools.chunks(SCHOOLS) {
        let marks = placeholders(1, part.len());
        let sql = format!("SELECT DISTINCT school FROM shared_groups WHERE school IN ({marks})");
        let names = part.iter().map(|school| Value::from(*school));
        for row in tx.query_all_raw(statement(tx, &sql, names)).await? {
            found.insert(row.try_get_by_index(0)?);
        }
    }
    Ok(found)
}

/// Forgets a group with everybody in it.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &Tx, school: &str, code: &str) -> Result<(), DbErr> {
    for table in ["shared_members", "shared_groups"] {
        let sql = format!("DELETE FROM {table} WHERE school = $1 AND code = $2");
        tx.execute_raw(statement(tx, &sql, [school.into(), code.into()]))
            .await?;
    }
    Ok(())
}
