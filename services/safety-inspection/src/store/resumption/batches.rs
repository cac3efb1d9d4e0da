//! Batches, and who is of them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};

use super::{WITHIN, day_number, day_of, grades_of, grades_text, within};
use crate::domain::organization::Kind;
use crate::grpc::announced;
use crate::store::Store;

row! {
    /// A batch of a bureau.
    BatchRow in "resumption_batches" by ["organization", "position"] {
        /// The id of the bureau.
        organization: String,
        /// The place in the order.
        position: i16,
        /// The place of the bureau.
        org_path: String,
        /// The grades, joined by commas.
        grades: String,
        /// Kindergartens.
        kindergarten: bool,
        /// The first day of teaching.
        planned_on: i32,
        /// The version of the policy that the order is of.
        policy_version: String,
        /// When it was planned last.
        planned_at: i64,
    }
}

impl BatchRow {
    /// The resource name.
    pub fn name(&self) -> String {
        let (id, position) = (&self.organization, self.position);
        format!("organizations/{id}/resumptionBatches/{position}")
    }

    /// The grades.
    pub fn grades(&self) -> Vec<i32> {
        grades_of(&self.grades)
    }

    /// The grades, as they are stored.
    pub fn grades_text(grades: &[i32]) -> String {
        grades_text(grades)
    }

    /// The first day of teaching.
    ///
    /// # Errors
    /// When it is no day.
    pub fn planned(&self) -> Result<NaiveDate, DbErr> {
        day_of(self.planned_on)
    }

    /// A day as it is stored.
    pub fn day(day: NaiveDate) -> i32 {
        day_number(day)
    }
}

/// Whose pupils have grades that return.
const TAUGHT: [Kind; 2] = [Kind::MunicipalSchool, Kind::School];

impl Store {
    /// Keeps a batch, and tells of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_resumption_batch(tx: &Tx, batch: BatchRow) -> Result<(), DbErr> {
        Self::tell(tx, vec![announced::batch(&batch)]).await?;
        BatchRow::save(tx, &[batch]).await
    }

    /// The batches of bureaus, in the order of the bureaus and places; `lock` keeps others from
    /// changing them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resumption_batches(
        db: &impl ConnectionTrait,
        bureaus: &[&str],
        lock: Lock,
    ) -> Result<Vec<BatchRow>, DbErr> {
        let keys = bureaus.iter().map(|id| (*id).into()).collect();
        BatchRow::find(db, "organization", keys, lock).await
    }

    /// The open schools at and below a place that have class groups of these grades, by their places:
    /// the id and the grades; of kindergartens the id only.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schools_of_batch(
        db: &impl ConnectionTrait,
        place: &str,
        (grades, kindergarten): (&[i32], bool),
    ) -> Result<BTreeMap<String, (String, Vec<i32>)>, DbErr> {
        let mut schools: BTreeMap<String, (String, Vec<i32>)> = BTreeMap::new();
        if kindergarten {
            let kind = Kind::Kindergarten as i16;
            let sql = format!(
                "SELECT org_path, id FROM organizations \
                 WHERE open = TRUE AND kind = {kind} AND {WITHIN}"
            );
            for row in db.query_all_raw(statement(db, &sql, within(place))).await? {
                let id = row.try_get_by_index(1)?;
                schools.insert(row.try_get_by_index(0)?, (id, Vec::new()));
            }
        }
        if grades.is_empty() {
            return Ok(schools);
        }
        let kinds = TAUGHT.map(|kind| (kind as i16).to_string()).join(", ");
        let among: Vec<String> = grades.iter().map(ToString::to_string).collect();
        let sql = format!(
            "SELECT DISTINCT o.org_path, o.id, g.grade FROM organizations o \
             JOIN class_groups g ON g.organization = o.id \
             WHERE o.open = TRUE AND o.kind IN ({kinds}) AND g.grade IN ({}) \
             AND (o.org_path = $1 OR (o.org_path > $2 AND o.org_path < $3)) \
             ORDER BY o.org_path, g.grade",
            among.join(", ")
        );
        for row in db.query_all_raw(statement(db, &sql, within(place))).await? {
            let path = row.try_get_by_index(0)?;
            let id: String = row.try_get_by_index(1)?;
            let school = schools.entry(path).or_insert_with(|| (id, Vec::new()));
            school.1.push(row.try_get_by_index(2)?);
        }
        Ok(schools)
    }
}
