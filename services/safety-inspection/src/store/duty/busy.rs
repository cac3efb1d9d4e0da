//! Who is on duty when, over all organisations: nobody is at two places at once.

use std::collections::BTreeSet;

use chrono::DateTime;
use kit::bulk::{Column, insert, placeholders};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::domain::duty::{Shift, ShiftState, Span};
use crate::store::records::Record;
use crate::store::{Store, unreadable};

/// How many people are looked up together.
const TOGETHER: usize = 500;

impl Store {
    /// Keeps who is on these shifts as they are now; whoever was replaced is not.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn save_busy(tx: &Tx, records: &[Record<Shift>]) -> Result<(), DbErr> {
        if records.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "DELETE FROM duty_busy WHERE shift IN ({})",
            placeholders(1, records.len())
        );
        let ids = records.iter().map(|record| Value::from(record.id));
        tx.execute_raw(statement(tx, &sql, ids)).await?;
        let (mut people, mut shifts, mut homes) = (Vec::new(), Vec::new(), Vec::new());
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        let standing = records.iter();
        let standing = standing.filter(|record| record.value.state != ShiftState::Replaced);
        for record in standing {
            let members: BTreeSet<&str> = record.value.crew.members().collect();
            for person in members {
                people.push(person.to_owned());
                shifts.push(record.id);
                homes.push(record.organization.clone());
                starts.push(record.value.span.start.timestamp_millis());
                ends.push(record.value.span.end.timestamp_millis());
            }
        }
        let columns = vec![
            ("person", Column::Text(people)),
            ("shift", Column::Uuid(shifts)),
            ("organization", Column::Text(homes)),
            ("start_at", Column::Big(starts)),
            ("end_at", Column::Big(ends)),
        ];
        insert(tx, "duty_busy", columns, "").await
    }

    /// When these people are on duty at other organisations within `span`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn busy_elsewhere(
        tx: &Tx,
        organization: &str,
        people: &BTreeSet<&str>,
        span: Span,
    ) -> Result<Vec<(String, Span)>, DbErr> {
        let people: Vec<&str> = people.iter().copied().collect();
        let mut found = Vec::new();
        for part in people.chunks(TOGETHER) {
            let sql = format!(
                "SELECT person, start_at, end_at FROM duty_busy WHERE organization <> $1 \
                 AND end_at > $2 AND start_at < $3 AND person IN ({}) ORDER BY start_at, person",
                placeholders(4, part.len())
            );
            let mut values: Vec<Value> = vec![
                organization.into(),
                span.start.timestamp_millis().into(),
                span.end.timestamp_millis().into(),
            ];
            values.extend(part.iter().map(|person| Value::from(*person)));
            for row in tx.query_all_raw(statement(tx, &sql, values)).await? {
                let at = |place| {
                    let millis: i64 = row.try_get_by_index(place)?;
                    DateTime::from_timestamp_millis(millis).ok_or_else(|| unreadable("instant"))
                };
                let span = Span {
                    start: at(1)?,
                    end: at(2)?,
                };
                found.push((row.try_get_by_index(0)?, span));
            }
        }
        Ok(found)
    }
}
