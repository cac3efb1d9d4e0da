//! What is expected of each school: class groups taught in person, staff, and rooms with boarders.

use std::collections::BTreeMap;

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::units::leaf;
use crate::domain::health::check::Unit;
use crate::domain::health::rules::SlotRule;
use crate::domain::roll::GroupKind;
use kit::rows::{Lock, Row, row};

row! {
    /// What is expected of one school now.
    ExpectationRow in "health_expectations" by ["school"] {
        /// The place of the school.
        school: String,
        /// Class groups taught in person with anybody expected.
        class_groups: i32,
        /// Groups of staff with anybody expected.
        staff_groups: i32,
        /// Dormitory rooms with boarders expected in person.
        rooms: i32,
        /// Students expected in person.
        students: i32,
        /// Boarders expected in person.
        boarders: i32,
        /// Staff expected.
        staff: i32,
    }
}

impl ExpectationRow {
    /// How many checks a rule expects of the school now.
    pub fn sessions(&self, rule: &SlotRule) -> i32 {
        let of = |unit: Unit, count: i32| if unit.is_checked(rule) { count } else { 0 };
        of(Unit::ClassGroup, self.class_groups)
            + of(Unit::Staff, self.staff_groups)
            + of(Unit::Room, self.rooms)
    }
}

/// Counts schools anew; their rolls are locked by the caller.
///
/// # Errors
/// When the database fails.
pub async fn recount(tx: &Tx, schools: &[String]) -> Result<(), DbErr> {
    let mut counted: BTreeMap<String, ExpectationRow> = schools
        .iter()
        .map(|school| {
            let school = school.clone();
            let row = ExpectationRow {
                school: school.clone(),
                ..ExpectationRow::default()
            };
            (school, row)
        })
        .collect();
    let places: BTreeMap<&str, &String> = schools
        .iter()
        .map(|school| (leaf(school), school))
        .collect();
    let names = places.keys().map(|name| Value::from(*name)).collect();
    for (marks, names) in kit::bulk::keys(1, names) {
        let sql = format!(
            "SELECT organization, kind, CAST(COUNT(*) AS INTEGER), \
             CAST(SUM(expected) AS INTEGER) FROM class_rolls \
             WHERE expected > 0 AND organization IN ({marks}) GROUP BY organization, kind"
        );
        for row in tx.query_all_raw(statement(tx, &sql, names)).await? {
            let name: String = row.try_get_by_index(0)?;
            let school = places.get(name.as_str());
            let Some(counts) = school.and_then(|school| counted.get_mut(*school)) else {
                continue;
            };
            let (groups, people) = (row.try_get_by_index(2)?, row.try_get_by_index(3)?);
            match GroupKind::from_code(row.try_get_by_index(1)?) {
                Some(GroupKind::Students) => {
                    (counts.class_groups, counts.students) = (groups, people);
                }
                Some(GroupKind::Staff) => (counts.staff_groups, counts.staff) = (groups, people),
                None => {}
            }
        }
    }
    let names = schools.iter().map(|school| school.as_str().into());
    for (marks, names) in kit::bulk::keys(1, names.collect()) {
        let sql = format!(
            "SELECT school, CAST(COUNT(DISTINCT place) AS INTEGER), \
             CAST(SUM(expected) AS INTEGER) FROM dormitories \
             WHERE expected > 0 AND school IN ({marks}) GROUP BY school"
        );
        for row in tx.query_all_raw(statement(tx, &sql, names)).await? {
            let school: String = row.try_get_by_index(0)?;
            if let Some(counts) = counted.get_mut(&school) {
                (counts.rooms, counts.boarders) =
                    (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            }
        }
    }
    let names = schools.iter().map(|school| school.as_str().into());
    let before = ExpectationRow::find(tx, "school", names.collect(), Lock::No).await?;
    for row in before {
        if counted.get(&row.school) == Some(&row) {
            counted.remove(&row.school);
        }
    }
    let changed: Vec<ExpectationRow> = counted.into_values().collect();
    ExpectationRow::save(tx, &changed).await
}

/// What is expected of every school at or below a place, ordered by path.
///
/// # Errors
/// When the database fails.
pub async fn below<C: ConnectionTrait + Sync>(
    connection: &C,
    place: &str,
) -> Result<Vec<ExpectationRow>, DbErr> {
    let every = i64::MAX.unsigned_abs();
    if place.is_empty() {
        return ExpectationRow::page(connection, "school > $1", vec!["".into()], every).await;
    }
    let wheres = "(school = $1 OR (school >= $2 AND school < $3))";
    let values = vec![
        place.into(),
        format!("{place}/").into(),
        format!("{place}0").into(),
    ];
    ExpectationRow::page(connection, wheres, values, every).await
}
