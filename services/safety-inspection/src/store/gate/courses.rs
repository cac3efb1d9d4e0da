//! What was found of those who were not simply let in: read when one of them comes again.

use chrono::{DateTime, NaiveDate, Utc};
use kit::clock::{civil_date, start_of};
use kit::db::statement;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::decisions::outcome_number;
use super::retention::first_id_at;
use crate::domain::gate::course::{Course, Event, Found};
use crate::domain::gate::decision::Outcome;
use crate::domain::gate::finding::Finding;
use crate::domain::person::PersonName;
use crate::store::Store;

/// Of how many people is read at once.
const PEOPLE: usize = 500;
/// How many decisions are read at once.
const PAGE: i64 = 1000;
/// How many decisions of these people are looked at.
const MOST: i64 = 10_000;
/// The place of the temperature among the findings of a row.
const TEMPERATURE: usize = 1;
/// The decisions that are more than somebody who was simply let in, as their indexes have it.
const KEPT: &str = "(d.outcome <> 1 OR d.recheck_of IS NOT NULL OR d.expected <> 1)";

/// An event with the person and the instant.
pub(crate) type Lived = (PersonName, DateTime<Utc>, Event);

impl Store {
    /// What happened to these people at a school on civil days from `day`, in the order of time.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn lived(
        &self,
        school: &str,
        people: &[PersonName],
        day: NaiveDate,
    ) -> Result<Vec<Lived>, DbErr> {
        let mut lived = Vec::new();
        let db = self.db.read();
        for people in people.chunks(PEOPLE) {
            let places: Vec<_> = (0..people.len()).map(|n| format!("${}", n + 4)).collect();
            let sql = format!(
                "SELECT d.person, d.findings, d.id, d.recheck_of, d.decide_time, o.override_time, \
                 o.outcome, d.expected FROM gate_decisions d \
                 LEFT JOIN gate_overrides o ON o.school = d.school AND o.id = d.id \
                 WHERE d.person IN ({}) AND d.id >= $1 AND d.school = $2 AND {KEPT} \
                 ORDER BY d.id LIMIT $3",
                places.join(", ")
            );
            let mut values: Vec<Value> = vec![
                first_id_at(start_of(day)).into(),
                school.into(),
                MOST.into(),
            ];
            values.extend(people.iter().map(|person| person.to_string().into()));
            for row in db.query_all_raw(statement(db, &sql, values)).await? {
                read(&row, &mut lived)?;
            }
        }
        lived.retain(|(_, time, _)| civil_date(*time) >= day);
        // A gate without a network tells late; what is of the same instant stays in its order.
        lived.sort_by_key(|(_, time, _)| *time);
        Ok(lived)
    }

    /// Who was found with a fever or symptoms by decisions stored since `since`, at any school, each with
    /// the civil day on which that was. `note` is given a part at a time.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn ailing(
        &self,
        since: DateTime<Utc>,
        mut note: impl FnMut(Vec<(PersonName, NaiveDate)>),
    ) -> Result<(), DbErr> {
        let db = self.db.read();
        let sql = format!(
            "SELECT d.person, d.findings, d.id, d.decide_time FROM gate_decisions d \
             WHERE d.id > $1 AND d.person IS NOT NULL AND {KEPT} ORDER BY d.id LIMIT $2"
        );
        let mut after = first_id_at(since);
        loop {
            let values = [after.into(), PAGE.into()];
            let rows = db.query_all_raw(statement(db, &sql, values)).await?;
            let mut found = Vec::new();
            for row in &rows {
                after = row.try_get_by_index(2)?;
                if let Some((person, finding)) = of(row)?
                    && Course::opens(finding)
                {
                    found.push((person, civil_date(row.try_get_by_index(3)?)));
                }
            }
            note(found);
            if i64::try_from(rows.len()).unwrap_or(i64::MAX) < PAGE {
                return Ok(());
            }
        }
    }
}

/// Who a row is of, and what was found of the temperature.
fn of(row: &QueryResult) -> Result<Option<(PersonName, Finding)>, DbErr> {
    let person: Option<String> = row.try_get_by_index(0)?;
    let findings: Vec<u8> = row.try_get_by_index(1)?;
    let finding = findings.get(TEMPERATURE).copied();
    let person = person.and_then(|person| person.parse().ok());
    Ok(person.zip(finding.and_then(Finding::from_number)))
}

fn read(row: &QueryResult, lived: &mut Vec<Lived>) -> Result<(), DbErr> {
    let Some((person, finding)) = of(row)? else {
        return Ok(());
    };
    let id: Uuid = row.try_get_by_index(2)?;
    let time: DateTime<Utc> = row.try_get_by_index(4)?;
    let expected: Option<i16> = row.try_get_by_index(7)?;
    let found = Found {
        id,
        recheck_of: row.try_get_by_index(3)?,
        finding,
        time,
        premature: expected == Some(outcome_number(Outcome::Observe)),
    };
    lived.push((person, time, Event::Decided(found)));
    let (word, outcome): (Option<DateTime<Utc>>, Option<i16>) =
        (row.try_get_by_index(5)?, row.try_get_by_index(6)?);
    if let Some(word) = word
        && outcome == Some(outcome_number(Outcome::Admit))
    {
        lived.push((person, word, Event::Admitted));
    }
    Ok(())
}
