//! Who submits checks: groups and rooms, where they are, how many are expected, and who is missing.

use std::collections::HashMap;

use kit::db::statement;
use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::domain::day::Day;
use crate::domain::health::check::Unit;
use crate::domain::health::rules::Slot;
use crate::domain::roll::{GroupKind, Malformed};
use crate::store::rolls::corrupt;
use kit::bulk::keys;

/// A range of places: everything below one, or one alone; after the last place that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    first: String,
    last: String,
}

impl Range {
    /// Everything below `place`, after `after`.
    pub fn below(place: &str, after: &str) -> Self {
        Self {
            first: format!("{place}/").max(format!("{after}\u{1}")),
            last: format!("{place}0"),
        }
    }

    /// `place` alone, unless it was read.
    pub fn one(place: &str, after: &str) -> Self {
        let end = format!("{place}\u{1}");
        let first = if after < place { place } else { &end };
        Self {
            first: first.to_owned(),
            last: end,
        }
    }

    /// What is left of it after `place`.
    #[must_use]
    pub fn after(self, place: &str) -> Self {
        Self {
            first: self.first.max(format!("{place}\u{1}")),
            last: self.last,
        }
    }

    pub(super) fn wheres(&self, column: &str, first: usize) -> String {
        format!("{column} >= ${first} AND {column} < ${}", first + 1)
    }

    pub(super) fn values(&self) -> [Value; 2] {
        [self.first.as_str().into(), self.last.as_str().into()]
    }
}

/// The places of organisations.
///
/// # Errors
/// When the database fails.
pub async fn organizations<C: ConnectionTrait>(
    connection: &C,
    ids: Vec<Value>,
) -> Result<HashMap<String, String>, DbErr> {
    let mut places = HashMap::new();
    for (marks, ids) in keys(1, ids) {
        let sql = format!("SELECT id, org_path FROM organizations WHERE id IN ({marks})");
        let rows = connection.query_all_raw(statement(connection, &sql, ids));
        for row in rows.await? {
            places.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        }
    }
    Ok(places)
}

/// Class groups and groups of staff at these places, and how many are expected in person.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn groups<C: ConnectionTrait>(
    connection: &C,
    places: Vec<Value>,
) -> Result<HashMap<String, (Unit, i32)>, DbErr> {
    let mut groups = HashMap::new();
    for (marks, places) in keys(1, places) {
        let sql = format!("SELECT path, kind, expected FROM class_rolls WHERE path IN ({marks})");
        let rows = connection.query_all_raw(statement(connection, &sql, places));
        for row in rows.await? {
            let unit = unit_of(row.try_get_by_index(1)?)?;
            groups.insert(row.try_get_by_index(0)?, (unit, row.try_get_by_index(2)?));
        }
    }
    Ok(groups)
}

fn unit_of(kind: i16) -> Result<Unit, DbErr> {
    match GroupKind::from_code(kind) {
        Some(GroupKind::Students) => Ok(Unit::ClassGroup),
        Some(GroupKind::Staff) => Ok(Unit::Staff),
        None => Err(corrupt(Malformed)),
    }
}

/// The kinds of groups among units, as rolls are stored.
fn kinds(units: &[Unit]) -> Vec<&'static str> {
    let kind = |unit: &Unit| match unit {
        Unit::ClassGroup => Some("1"),
        Unit::Staff => Some("2"),
        Unit::Room => None,
    };
    units.iter().filter_map(kind).collect()
}

/// Somebody who has not submitted a check that is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The place of the group, or the school's and the room's identifier.
    pub place: String,
    /// Which of them.
    pub unit: Unit,
    /// The room as the register writes it; empty for a group.
    pub room: String,
    /// People expected in person.
    pub expected: i32,
}

/// Groups of these units that are expected and have not submitted, ordered by place; at most
/// `limit`. No rooms are among them.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn missing_groups<C: ConnectionTrait>(
    connection: &C,
    (day, slot): (Day, Slot),
    units: &[Unit],
    range: &Range,
    limit: u64,
) -> Result<Vec<Missing>, DbErr> {
    let kinds = kinds(units);
    if kinds.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT r.path, r.kind, r.expected FROM class_rolls r WHERE {} AND r.expected > 0 \
         AND NOT EXISTS (SELECT 1 FROM checks c WHERE c.day = $3 AND c.slot = $4 \
         AND c.place = r.path) AND r.kind IN ({}) ORDER BY r.path LIMIT {limit}",
        range.wheres("r.path", 1),
        kinds.join(", ")
    );
    let rows = connection.query_all_raw(statement(connection, &sql, asked(day, slot, range)));
    let missing = rows.await?.into_iter().map(|row| {
        Ok(Missing {
            place: row.try_get_by_index(0)?,
            unit: unit_of(row.try_get_by_index(1)?)?,
            room: String::new(),
            expected: row.try_get_by_index(2)?,
        })
    });
    missing.collect()
}

fn asked(day: Day, slot: Slot, range: &Range) -> Vec<Value> {
    let mut values = range.values().to_vec();
    values.extend([i32::from(day.number()).into(), slot.code().into()]);
    values
}

/// Rooms that are expected and have not submitted, ordered by place; at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn missing_rooms<C: ConnectionTrait>(
    connection: &C,
    (day, slot): (Day, Slot),
    range: &Range,
    limit: u64,
) -> Result<Vec<Missing>, DbErr> {
    let sql = format!(
        "SELECT d.place, MIN(d.room), CAST(SUM(d.expected) AS INTEGER) FROM dormitories d \
         WHERE {} AND d.expected > 0 AND NOT EXISTS (SELECT 1 FROM checks c WHERE c.day = $3 \
         AND c.slot = $4 AND c.place = d.place) GROUP BY d.place ORDER BY d.place LIMIT {limit}",
        range.wheres("d.place", 1)
    );
    let rows = connection.query_all_raw(statement(connection, &sql, asked(day, slot, range)));
    let missing = rows.await?.into_iter().map(|row| {
        Ok(Missing {
            place: row.try_get_by_index(0)?,
            unit: Unit::Room,
            room: row.try_get_by_index(1)?,
            expected: row.try_get_by_index(2)?,
        })
    });
    missing.collect()
}

/// How many checks of a slot are expected of each school, and how many of those were submitted.
///
/// # Errors
/// When the database fails.
pub async fn answered<C: ConnectionTrait>(
    connection: &C,
    (day, slot): (Day, Slot),
    schools: &[&str],
    units: &[Unit],
) -> Result<HashMap<String, (u32, u32)>, DbErr> {
    let mut counts: HashMap<String, (u32, u32)> = HashMap::new();
    let kinds = kinds(units);
    let asks = [
        (
            !kinds.is_empty(),
            format!(
                "SELECT r.organization, COUNT(*), COUNT(c.place) FROM class_rolls r \
                 LEFT JOIN checks c ON c.day = $1 AND c.slot = $2 AND c.place = r.path \
                 WHERE r.expected > 0 AND r.kind IN ({}) AND r.organization",
                kinds.join(", ")
            ),
            "GROUP BY r.organization",
        ),
        (
            units.contains(&Unit::Room),
            "SELECT d.school, COUNT(DISTINCT d.place), COUNT(DISTINCT c.place) \
             FROM dormitories d LEFT JOIN checks c ON c.day = $1 AND c.slot = $2 \
             AND c.place = d.place WHERE d.expected > 0 AND d.school"
                .to_owned(),
            "GROUP BY d.school",
        ),
    ];
    let leaves: HashMap<&str, &str> = schools
        .iter()
        .map(|school| (leaf(school), *school))
        .collect();
    for (wanted, head, tail) in asks {
        if !wanted {
            continue;
        }
        let by_leaf = tail.ends_with("organization");
        let names = schools.iter().map(|school| {
            let name = if by_leaf { leaf(school) } else { school };
            Value::from(name)
        });
        for (marks, names) in keys(3, names.collect()) {
            let sql = format!("{head} IN ({marks}) {tail}");
            let mut values: Vec<Value> = vec![i32::from(day.number()).into(), slot.code().into()];
            values.extend(names);
            let rows = connection.query_all_raw(statement(connection, &sql, values));
            for row in rows.await? {
                let name: String = row.try_get_by_index(0)?;
                let school = leaves.get(name.as_str()).copied().unwrap_or(&name);
                let count = |place| -> Result<u32, DbErr> {
                    let count: i64 = row.try_get_by_index(place)?;
                    Ok(u32::try_from(count).unwrap_or(u32::MAX))
                };
                let sum = counts.entry(school.to_owned()).or_default();
                *sum = (sum.0 + count(1)?, sum.1 + count(2)?);
            }
        }
    }
    Ok(counts)
}

/// The last identifier of a place.
pub(super) fn leaf(place: &str) -> &str {
    place.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(range: &Range, place: &str) -> bool {
        range.first.as_str() <= place && place < range.last.as_str()
    }

    #[test]
    fn a_range_holds_what_is_below_and_was_not_read() {
        let all = Range::below("fz/350102", "");
        assert!(holds(&all, "fz/350102/2135010001/p2019-01"));
        assert!(!holds(&all, "fz/350102-b/2135010001/p2019-01"));
        assert!(!holds(&all, "fz/350103/2135010001/p2019-01"));
        let rest = Range::below("fz/350102", "fz/350102/2135010001/p2019-01");
        assert!(!holds(&rest, "fz/350102/2135010001/p2019-01"));
        assert!(holds(&rest, "fz/350102/2135010001/p2019-010"));
        assert!(holds(&Range::one("fz/1/a", ""), "fz/1/a"));
        assert!(!holds(&Range::one("fz/1/a", ""), "fz/1/ab"));
        assert!(!holds(&Range::one("fz/1/a", "fz/1/a"), "fz/1/a"));
    }
}
