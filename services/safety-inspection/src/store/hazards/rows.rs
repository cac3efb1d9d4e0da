//! A hazard as a row.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use kit::rows::row;
use sea_orm::DbErr;
use uuid::Uuid;

use crate::domain::hazard::entry::{Hazard, Home, LedgerNumber};
use crate::domain::hazard::report::{Category, Source};
use crate::domain::hazard::state::{Bureau, Grade, State};
use crate::domain::hazard::terms::Terms;
use crate::store::unreadable;

row! {
    /// A hazard.
    HazardRow in "hazards" by ["id"] {
        /// Sorts by when it was found.
        id: Uuid,
        /// The id of the organisation.
        organization: String,
        /// Its place in the tree.
        org_path: String,
        /// The civil year of its ledger.
        ledger_year: i32,
        /// Its number there.
        ledger_sequence: i32,
        /// The place within the organisation.
        place: String,
        /// The number of the category.
        category: i16,
        /// The number of the source.
        source: i16,
        /// What led to it.
        origin: String,
        /// What is wrong.
        description: String,
        /// Codes of the direct-major rules that hit, joined by commas.
        major_rules: String,
        /// Who found it.
        finder: String,
        /// Milliseconds since 1970.
        found_at: i64,
        /// The number of the state.
        state: i16,
        /// The number of the grade, or 0.
        grade: i16,
        /// The name of the hazard that it repeats, or empty.
        recurrence_of: String,
        /// The last day on which it may be open.
        due_on: i32,
        /// The day on which its removal was reported, while that is looked at, or 0.
        submitted_on: i32,
        /// The day on which time does something to it, or the last number.
        wait_on: i32,
        /// The number of the bureau to which it went up, or 0.
        escalation: i16,
        /// The number of the bureau on whose list it is, or 0.
        supervision: i16,
        /// Milliseconds since 1970, or 0.
        closed_at: i64,
        /// What happened on its way.
        course: String,
    }
}

/// A civil day as it is stored.
pub(super) fn days(day: NaiveDate) -> i32 {
    day.num_days_from_ce()
}

/// An instant as it is stored; none is 0.
pub(super) fn instant(millis: i64) -> Result<Option<DateTime<Utc>>, DbErr> {
    if millis == 0 {
        return Ok(None);
    }
    let instant = DateTime::from_timestamp_millis(millis);
    instant.map(Some).ok_or_else(|| unreadable("instant"))
}

fn bureau(bureau: Option<Bureau>) -> i16 {
    bureau.map_or(0, |bureau| bureau as i16)
}

pub(super) fn row(hazard: &Hazard, terms: &Terms) -> HazardRow {
    let Hazard {
        id,
        home: Home {
            organization,
            org_path,
        },
        number: LedgerNumber { year, sequence },
        place,
        category,
        source,
        origin,
        description,
        major_rules,
        finder,
        found,
        state,
        grade,
        recurrence_of,
        due,
        escalation,
        closed,
        course,
    } = hazard;
    HazardRow {
        id: *id,
        organization: organization.clone(),
        org_path: org_path.clone(),
        ledger_year: *year,
        ledger_sequence: *sequence,
        place: place.clone(),
        category: *category as i16,
        source: *source as i16,
        origin: origin.clone(),
        description: description.clone(),
        major_rules: major_rules.join(","),
        finder: finder.clone(),
        found_at: found.timestamp_millis(),
        state: *state as i16,
        grade: grade.map_or(0, |grade| grade as i16),
        recurrence_of: recurrence_of.clone(),
        due_on: days(*due),
        submitted_on: hazard.submitted_on().map_or(0, days),
        wait_on: hazard.wait_on(terms).map_or(i32::MAX, days),
        escalation: bureau(*escalation),
        supervision: bureau(hazard.supervised().map(|supervision| supervision.bureau)),
        closed_at: closed.map_or(0, |closed| closed.timestamp_millis()),
        course: serde_json::to_string(course).unwrap_or_default(),
    }
}

pub(super) fn hazard(row: HazardRow) -> Result<Hazard, DbErr> {
    let codes = row.major_rules.split(',').filter(|code| !code.is_empty());
    Ok(Hazard {
        id: row.id,
        number: LedgerNumber {
            year: row.ledger_year,
            sequence: row.ledger_sequence,
        },
        category: Category::from_number(row.category.into())
            .ok_or_else(|| unreadable("category"))?,
        source: Source::from_number(row.source.into()).ok_or_else(|| unreadable("source"))?,
        major_rules: codes.map(str::to_owned).collect(),
        found: instant(row.found_at)?.ok_or_else(|| unreadable("instant"))?,
        state: State::from_number(row.state.into()).ok_or_else(|| unreadable("state"))?,
        grade: Grade::from_number(row.grade.into()),
        due: NaiveDate::from_num_days_from_ce_opt(row.due_on).ok_or_else(|| unreadable("day"))?,
        escalation: Bureau::from_number(row.escalation.into()),
        closed: instant(row.closed_at)?,
        course: serde_json::from_str(&row.course).map_err(|_| unreadable("course"))?,
        home: Home {
            organization: row.organization,
            org_path: row.org_path,
        },
        place: row.place,
        origin: row.origin,
        description: row.description,
        finder: row.finder,
        recurrence_of: row.recurrence_of,
    })
}
