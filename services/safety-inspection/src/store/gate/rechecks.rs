//! Whom rechecks at the gate kept out (rule 3.3): counted, for whoever must be told of it.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use kit::clock::start_of;
use kit::db::{Tx, statement};
use kit::rows::Row;
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::decisions::Record;
use super::entity::gate_decision::Model;
use super::retention::first_id_at;
use super::{conflicts, red_codes};
use crate::domain::gate::decision::Outcome;
use crate::domain::gate::finding::Finding;
use crate::store::Store;
use crate::store::told::RetellingRow;

/// What there is of an organisation once, and is told anew after such a recheck.
pub(crate) const STANDING: &str = "gateRecheckStanding";

/// How many rechecks of one school and day are looked at.
const MOST: i64 = 10_000;

/// The place of the temperature among the findings of a row.
const TEMPERATURE: usize = 1;

/// How many people rechecks kept out on one day, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeptOut {
    /// How many; at least one.
    pub(crate) count: usize,
    /// When the first of them was.
    pub(crate) first: DateTime<Utc>,
    /// When the last of them was.
    pub(crate) last: DateTime<Utc>,
}

/// Whether the findings of a row end its recheck with the fever clinic.
fn sends_to_clinic(findings: &[u8]) -> bool {
    let temperature = findings.get(TEMPERATURE).copied();
    let finding = temperature.and_then(Finding::from_number);
    finding.is_some_and(Finding::sends_to_clinic)
}

/// The rows that ask to tell anew what these decisions change, one a school and standing.
pub(super) fn retellings<'a>(rows: impl IntoIterator<Item = &'a Model>) -> Vec<RetellingRow> {
    let mut changed: BTreeSet<(&str, &str)> = BTreeSet::new();
    for row in rows {
        if row.recheck_of.is_some() && sends_to_clinic(&row.findings) {
            changed.insert((&row.school, STANDING));
        }
        if red_codes::is_red(&row.findings) {
            changed.insert((&row.school, red_codes::STANDING));
        }
        if row.expected.is_some_and(|expected| expected != row.outcome) {
            changed.insert((&row.school, conflicts::STANDING));
        }
    }
    let entity = |(school, standing)| format!("organizations/{school}/{standing}");
    changed
        .into_iter()
        .map(|changed| RetellingRow::now(entity(changed)))
        .collect()
}

impl Store {
    /// What an override of this decision changes is told anew.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn retell_overridden(tx: &Tx, record: &Record) -> Result<(), DbErr> {
        let row = super::decisions::model(record);
        RetellingRow::add(tx, &retellings([&row])).await
    }

    /// Whom rechecks of a school kept out on a civil day, but for those whom a human let in; none when
    /// there was nobody.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn kept_out(
        db: &impl ConnectionTrait,
        school: &str,
        day: NaiveDate,
    ) -> Result<Option<KeptOut>, DbErr> {
        let sql = "SELECT d.recheck_of, d.findings, d.decide_time FROM gate_decisions d \
             LEFT JOIN gate_overrides o ON o.school = d.school AND o.id = d.id \
             WHERE d.school = $1 AND d.id >= $2 AND d.recheck_of IS NOT NULL \
             AND (o.outcome IS NULL OR o.outcome <> $3) ORDER BY d.id LIMIT $4";
        let values = [
            school.into(),
            first_id_at(start_of(day)).into(),
            super::decisions::outcome_number(Outcome::Admit).into(),
            MOST.into(),
        ];
        let mut times = Vec::new();
        // A repeated recheck that went past the first one is of the same person.
        let mut known: BTreeSet<Uuid> = BTreeSet::new();
        for row in db.query_all_raw(statement(db, sql, values)).await? {
            let findings: Vec<u8> = row.try_get_by_index(1)?;
            if sends_to_clinic(&findings) && known.insert(row.try_get_by_index(0)?) {
                times.push(row.try_get_by_index::<DateTime<Utc>>(2)?);
            }
        }
        let (first, last) = (times.iter().min().copied(), times.iter().max().copied());
        Ok(first.zip(last).map(|(first, last)| KeptOut {
            count: times.len(),
            first,
            last,
        }))
    }
}
