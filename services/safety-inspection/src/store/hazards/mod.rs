//! Hazards, their history and their ledgers: rows in and out.

mod accountability;
mod history;
mod ledger;
mod rows;

pub use accountability::{Heeded, Record, Trail};
pub use history::{Change, ProgressReport};
pub use ledger::Export;

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, Utc};
use kit::bulk::placeholders;
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use self::rows::{HazardRow, days, hazard, row};
use super::{Store, below_end};
use crate::domain::hazard::entry::Hazard;
use crate::domain::hazard::report::Category;
use crate::domain::hazard::state::{Grade, State};
use crate::domain::hazard::terms::Terms;
use crate::grpc::announced;

/// Which hazards are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listed {
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those of this grade.
    pub grade: Option<Grade>,
    /// Only those of this field.
    pub category: Option<Category>,
    /// Only those that are neither closed nor dismissed.
    pub open: bool,
    /// Only those overdue on this day.
    pub overdue: Option<NaiveDate>,
    /// Only those on a list of supervision.
    pub supervised: bool,
    /// Only those older than this one.
    pub before: Option<Uuid>,
}

/// Neither dismissed nor closed.
const OPEN: &str = "state NOT IN (3, 9)";

/// At or below the place of $1, with the range of [`within`] in $2 and $3.
const WITHIN: &str = "(org_path = $1 OR (org_path > $2 AND org_path < $3))";

fn within(place: &str) -> Vec<Value> {
    let (from, to) = (format!("{place}/"), below_end(place));
    vec![place.into(), from.into(), to.into()]
}

impl Store {
    /// Keeps a hazard as it is now, and announces it: every hazard is written here. Whoever changes one holds it by
    /// [`Self::hazard_to_change`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_hazard(tx: &Tx, hazard: &Hazard, terms: &Terms) -> Result<(), DbErr> {
        HazardRow::save(tx, &[row(hazard, terms)]).await?;
        Self::judge_anew(tx, [&*hazard.home.organization]).await?;
        Self::tell(tx, vec![announced::hazard(hazard)]).await
    }

    /// One hazard of an organisation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hazard(
        db: &impl ConnectionTrait,
        organization: &str,
        id: Uuid,
    ) -> Result<Option<Hazard>, DbErr> {
        let mut rows = HazardRow::find(db, "id", vec![id.into()], Lock::No).await?;
        let found = rows.pop().filter(|row| row.organization == organization);
        found.map(hazard).transpose()
    }

    /// One hazard, held until the end of the transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hazard_to_change(tx: &Tx, id: Uuid) -> Result<Option<Hazard>, DbErr> {
        let mut rows = HazardRow::find(tx, "id", vec![id.into()], Lock::Yes).await?;
        rows.pop().map(hazard).transpose()
    }

    /// Hazards at and below `place`, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hazards(
        db: &impl ConnectionTrait,
        place: &str,
        listed: Listed,
        limit: u64,
    ) -> Result<Vec<Hazard>, DbErr> {
        let mut values = within(place);
        let mut wheres = vec![WITHIN.to_owned()];
        let mut add = |condition: &str, value: Value| {
            values.push(value);
            wheres.push(format!("{condition} ${}", values.len()));
        };
        if let Some(state) = listed.state {
            add("state =", (state as i16).into());
        }
        if let Some(grade) = listed.grade {
            add("grade =", (grade as i16).into());
        }
        if let Some(category) = listed.category {
            add("category =", (category as i16).into());
        }
        if let Some(today) = listed.overdue {
            add("due_on <", days(today).into());
        }
        if let Some(before) = listed.before {
            add("id <", before.into());
        }
        if listed.open || listed.overdue.is_some() {
            wheres.push(OPEN.to_owned());
        }
        if listed.overdue.is_some() {
            // What was reported as removed in time waits for its reviewer.
            wheres.push("(submitted_on = 0 OR submitted_on > due_on)".to_owned());
        }
        if listed.supervised {
            wheres.push("supervision > 0".to_owned());
        }
        let wheres = wheres.join(" AND ");
        select(db, &format!("{wheres} ORDER BY id DESC"), values, limit).await
    }

    /// The same hazard, closed at or after `since`: of one organisation, category and place, the last
    /// one closed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn closed_before(
        db: &impl ConnectionTrait,
        organization: &str,
        (category, place): (Category, &str),
        since: DateTime<Utc>,
    ) -> Result<Option<Hazard>, DbErr> {
        let wheres = "organization = $1 AND category = $2 AND place = $3 AND closed_at >= $4 \
             AND closed_at > 0 ORDER BY closed_at DESC, id DESC";
        let values = vec![
            organization.into(),
            (category as i16).into(),
            place.into(),
            since.timestamp_millis().into(),
        ];
        Ok(select(db, wheres, values, 1).await?.pop())
    }

    /// Whether a hazard of an organisation was closed at or after `since`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn closed_since(
        db: &impl ConnectionTrait,
        organization: &str,
        name: &str,
        since: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        let id = name
            .rsplit('/')
            .next()
            .and_then(|id| id.parse::<Uuid>().ok());
        let Some(id) = id else {
            return Ok(false);
        };
        let found = Self::hazard(db, organization, id).await?;
        Ok(found.is_some_and(|hazard| hazard.closed.is_some_and(|closed| closed >= since)))
    }

    /// The ids of hazards to which time does something by `today`, those that wait longest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hazards_waited(
        db: &impl ConnectionTrait,
        today: NaiveDate,
        limit: u64,
    ) -> Result<Vec<Uuid>, DbErr> {
        let sql =
            format!("SELECT id FROM hazards WHERE wait_on <= $1 ORDER BY wait_on LIMIT {limit}");
        let rows = db
            .query_all_raw(statement(db, &sql, [days(today).into()]))
            .await?;
        rows.iter().map(|row| row.try_get_by_index(0)).collect()
    }

    /// Lets a hazard wait until the day after `today`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delay_hazard(tx: &Tx, id: Uuid, today: NaiveDate) -> Result<(), DbErr> {
        let sql = "UPDATE hazards SET wait_on = $1 WHERE id = $2";
        let values = [(days(today) + 1).into(), id.into()];
        tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(())
    }

    /// Which of these hazards (resource names) still stand: neither closed nor dismissed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hazards_standing(
        db: &impl ConnectionTrait,
        names: &[String],
    ) -> Result<HashSet<String>, DbErr> {
        let found = Self::hazards_that_stand(db, names).await?;
        Ok(found.iter().map(Hazard::name).collect())
    }

    /// Those of these hazards (resource names) that still stand: neither closed nor dismissed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hazards_that_stand(
        db: &impl ConnectionTrait,
        names: &[String],
    ) -> Result<Vec<Hazard>, DbErr> {
        let id = |name: &String| name.rsplit('/').next().and_then(|id| id.parse().ok());
        let ids: Vec<Uuid> = names.iter().filter_map(id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let wheres = format!("id IN ({}) AND {OPEN}", placeholders(1, ids.len()));
        let limit = ids.len() as u64;
        let values = ids.into_iter().map(Into::into).collect();
        select(db, &wheres, values, limit).await
    }

    /// Open hazards of one organisation, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_hazards(
        db: &impl ConnectionTrait,
        organization: &str,
        limit: u64,
    ) -> Result<Vec<Hazard>, DbErr> {
        let wheres = format!("organization = $1 AND {OPEN} ORDER BY id");
        select(db, &wheres, vec![organization.into()], limit).await
    }

    /// How many open hazards of one organisation are major; by rule (rule 5.4) before anybody graded
    /// them too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_major_hazards(
        db: &impl ConnectionTrait,
        organization: &str,
    ) -> Result<u32, DbErr> {
        let major = Grade::Major as i16;
        let sql = format!(
            "SELECT COUNT(*) FROM hazards WHERE organization = $1 AND {OPEN} \
             AND (grade = {major} OR (grade = 0 AND major_rules <> ''))"
        );
        let found = statement(db, &sql, [organization.into()]);
        let Some(row) = db.query_one_raw(found).await? else {
            return Ok(0);
        };
        let count: i64 = row.try_get_by_index(0)?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

async fn select(
    db: &impl ConnectionTrait,
    wheres: &str,
    values: Vec<Value>,
    limit: u64,
) -> Result<Vec<Hazard>, DbErr> {
    let sql = format!(
        "SELECT {} FROM hazards WHERE {wheres} LIMIT {limit}",
        HazardRow::COLUMNS.join(", ")
    );
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    rows.iter()
        .map(|row| hazard(HazardRow::read(row)?))
        .collect()
}
