//! What people's illnesses count as, one row a person, criterion and episode.

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::clusters::SCHOOLS;
use crate::domain::day::Day;
use crate::domain::health::disease::{Certainty, Severity};
use crate::domain::health::illness::{Case, Criterion};
use crate::domain::roll::{Malformed, person};
use crate::store::rolls::corrupt;
use kit::bulk::placeholders;
use kit::rows::{Lock, Row, row};

row! {
    /// One episode that counts by one criterion.
    IllnessRow in "illness_cases" by ["person", "school", "criterion", "day"] {
        /// The school's place.
        school: String,
        /// Who.
        person: Vec<u8>,
        /// A disease above zero, a group of symptoms below.
        criterion: i32,
        /// The day from which it counts.
        day: i32,
        /// The last day on which the episode was seen.
        last: i32,
        /// Student (1) or staff (2).
        kind: i16,
        /// The group's place.
        group_path: String,
        /// The dormitory room's identifier.
        dormitory: String,
        /// The gravest.
        severity: i16,
        /// How sure the disease is; 0 when only its definition is met.
        certainty: i16,
    }
}

impl From<&Case> for IllnessRow {
    fn from(case: &Case) -> Self {
        Self {
            school: case.school().to_owned(),
            person: case.person.0.to_vec(),
            criterion: case.criterion.code(),
            day: i32::from(case.day.number()),
            last: i32::from(case.last.number()),
            kind: case.kind,
            group_path: case.group.clone(),
            dormitory: case.dormitory.clone(),
            severity: case.severity.code(),
            certainty: case.certainty.map_or(0, Certainty::code),
        }
    }
}

impl IllnessRow {
    fn case(self) -> Result<Case, DbErr> {
        let malformed = || corrupt(Malformed);
        if self.person.len() != 16 {
            return Err(malformed());
        }
        Ok(Case {
            criterion: Criterion::from_code(self.criterion).ok_or_else(malformed)?,
            person: person(&self.person),
            kind: self.kind,
            group: self.group_path,
            dormitory: self.dormitory,
            day: day_of(self.day)?,
            last: day_of(self.last)?,
            severity: Severity::from_code(self.severity).ok_or_else(malformed)?,
            certainty: Certainty::from_code(self.certainty),
        })
    }
}

/// A day as it is stored.
pub(super) fn day_of(number: i32) -> Result<Day, DbErr> {
    u16::try_from(number)
        .map(Day::from_number)
        .map_err(|_| corrupt(Malformed))
}

/// Every case of these people, at any school.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn of_people(tx: &Tx, people: Vec<Value>) -> Result<Vec<Case>, DbErr> {
    let rows = IllnessRow::find(tx, "person", people, Lock::No).await?;
    rows.into_iter().map(IllnessRow::case).collect()
}

/// The cases of schools by these criteria that go on after `first` and begin before `last`, those
/// days included; those of one school in the order of the primary key.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn of_schools(
    tx: &Tx,
    schools: &[&str],
    criteria: &[i32],
    (first, last): (Day, Day),
) -> Result<Vec<Case>, DbErr> {
    let mut cases = Vec::new();
    for part in schools.chunks(SCHOOLS) {
        let wheres = format!(
            "last >= $1 AND day <= $2 AND school IN ({}) AND criterion IN ({})",
            placeholders(3, part.len()),
            placeholders(part.len() + 3, criteria.len())
        );
        let mut values: Vec<Value> = vec![
            i32::from(first.number()).into(),
            i32::from(last.number()).into(),
        ];
        values.extend(part.iter().map(|school| Value::from(*school)));
        values.extend(criteria.iter().map(|one| Value::from(*one)));
        for row in IllnessRow::page(tx, &wheres, values, i64::MAX.unsigned_abs()).await? {
            cases.push(row.case()?);
        }
    }
    Ok(cases)
}

/// Stores cases as they are now.
///
/// # Errors
/// When the database fails.
pub async fn save(tx: &Tx, cases: &[&Case]) -> Result<(), DbErr> {
    let rows: Vec<IllnessRow> = cases.iter().map(|case| IllnessRow::from(*case)).collect();
    IllnessRow::save(tx, &rows).await
}

/// These are cases no more.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &Tx, cases: &[&Case]) -> Result<(), DbErr> {
    let sql = "DELETE FROM illness_cases WHERE person = $1 AND school = $2 AND criterion = $3 \
        AND day = $4";
    for case in cases {
        let values: [Value; 4] = [
            case.person.0.to_vec().into(),
            case.school().into(),
            case.criterion.code().into(),
            i32::from(case.day.number()).into(),
        ];
        tx.execute_raw(statement(tx, sql, values)).await?;
    }
    Ok(())
}
