//! Controls that were decided outside of the schools.

use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr};

use super::rolls::corrupt;
use super::tubes::below;
use crate::domain::measure::MeasureState;
use crate::domain::roll::Malformed;
use kit::rows::{Row, row};

row! {
    /// A control. Times are milliseconds since 1970, days numbers of `domain::day`; 0 for none. Other
    /// numbers are those of the contract.
    MeasureRow in "control_measures" by ["id"] {
        /// Its identifier.
        id: String,
        /// Who.
        person: Vec<u8>,
        /// Student (1) or staff (2).
        kind: i16,
        /// The place of the person's group when it was placed.
        org_path: String,
        /// The control.
        control: i16,
        /// Where the person stays.
        setting: i16,
        /// Where it stands.
        state: i16,
        /// The first day.
        first_day: i32,
        /// The last day.
        last_day: i32,
        /// The document that it rests on.
        document: String,
        /// Why.
        reason: String,
        /// When it was placed.
        place_time: i64,
        /// By whom.
        placed_by: String,
        /// When it came to its end.
        end_time: i64,
        /// By whom; empty when its day ended it.
        ended_by: String,
        /// Why, or what replaced it.
        end_reason: String,
        /// The policy.
        policy_version: String,
    }
}

impl MeasureRow {
    /// The resource name.
    pub fn name(&self) -> String {
        format!("controlMeasures/{}", self.id)
    }

    /// Where it stands.
    ///
    /// # Errors
    /// When the row is corrupt.
    pub fn stands(&self) -> Result<MeasureState, DbErr> {
        MeasureState::from_code(self.state).ok_or_else(|| corrupt(Malformed))
    }
}

/// Controls of people at or below a place, by identifier after `after`; in one state unless it is 0.
///
/// # Errors
/// When the database fails.
pub async fn list<C: ConnectionTrait + Sync>(
    connection: &C,
    place: &OrgPath,
    state: i16,
    after: &str,
    limit: u64,
) -> Result<Vec<MeasureRow>, DbErr> {
    let mut wheres = "(org_path = $1 OR (org_path >= $2 AND org_path < $3)) AND id > $4".to_owned();
    let mut values = below(place).to_vec();
    values.push(after.into());
    if state != 0 {
        wheres.push_str(" AND state = $5");
        values.push(state.into());
    }
    MeasureRow::page(connection, &wheres, values, limit).await
}
