//! Schedules.

use kit::db::Tx;
use kit::org::OrgPath;
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};

use super::{IN_TREE, day, day_text, known, optional_day, small, tree};
use crate::domain::checklist::item::PlaceKind;
use crate::domain::inspection::schedule::{Cadence, Level, Schedule};
use crate::store::{Store, unreadable};

row! {
    /// A schedule.
    ScheduleRow in "inspection_schedules" by ["id"] {
        /// The id.
        id: String,
        /// The id of the organisation; empty for what ships.
        organization: String,
        /// Its place; empty for the whole tree.
        org_path: String,
        /// Shown to people.
        display_name: String,
        /// The id of the list.
        template: String,
        /// The number of the kind of place.
        place_kind: i16,
        /// The number of the level.
        level: i16,
        /// The number of the cadence.
        cadence: i16,
        /// The first day.
        start_on: String,
        /// The last day; empty while it goes on.
        end_on: String,
    }
}

/// How many schedules bind one part of the tree at most.
pub const MOST_SCHEDULES: u64 = 1000;

impl Store {
    /// Stores a schedule as it is now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_inspection_schedule(tx: &Tx, schedule: &Schedule) -> Result<(), DbErr> {
        ScheduleRow::save(tx, &[row_of(schedule)]).await?;
        Self::retell_below(tx, &schedule.org_path, "inspectionStanding").await
    }

    /// Adds schedules that ship and are not there yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ship_schedules(tx: &Tx, shipped: &[Schedule]) -> Result<(), DbErr> {
        let rows: Vec<ScheduleRow> = shipped.iter().map(row_of).collect();
        ScheduleRow::add(tx, &rows).await
    }

    /// One schedule, held until the end of the transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn inspection_schedule(
        db: &impl ConnectionTrait,
        id: &str,
        lock: Lock,
    ) -> Result<Option<Schedule>, DbErr> {
        let row = ScheduleRow::get(db, id, lock).await?;
        row.map(schedule).transpose()
    }

    /// The schedules that ship, and those of the organisation at `place`, of all above it and of all
    /// below it, after `after` in the order of the ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn inspection_schedules(
        db: &impl ConnectionTrait,
        place: &OrgPath,
        after: &str,
        limit: u64,
    ) -> Result<Vec<Schedule>, DbErr> {
        let mut values = Vec::from(tree(place.as_str()));
        values.push(after.into());
        let wheres =
            format!("({IN_TREE} OR org_path = '' OR $1 LIKE org_path || '/%') AND id > $4");
        let rows = ScheduleRow::page(db, &wheres, values, limit).await?;
        rows.into_iter().map(schedule).collect()
    }
}

fn row_of(schedule: &Schedule) -> ScheduleRow {
    ScheduleRow {
        id: schedule.id.clone(),
        organization: schedule.organization.clone(),
        org_path: schedule.org_path.clone(),
        display_name: schedule.display_name.clone(),
        template: schedule.template.to_string(),
        place_kind: small(schedule.place_kind as i32),
        level: small(schedule.level as i32),
        cadence: small(schedule.cadence as i32),
        start_on: schedule.start.to_string(),
        end_on: day_text(schedule.end),
    }
}

fn schedule(row: ScheduleRow) -> Result<Schedule, DbErr> {
    Ok(Schedule {
        template: row.template.parse().map_err(|()| unreadable("template"))?,
        place_kind: known(
            PlaceKind::from_number(row.place_kind.into()),
            "kind of place",
        )?,
        level: known(Level::from_number(row.level.into()), "level")?,
        cadence: known(Cadence::from_number(row.cadence.into()), "cadence")?,
        start: day(&row.start_on)?,
        end: optional_day(&row.end_on)?,
        id: row.id,
        organization: row.organization,
        org_path: row.org_path,
        display_name: row.display_name,
    })
}
