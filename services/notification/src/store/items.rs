//! What recipients report on the demands of directives, and who owns them.

use std::collections::HashMap;

use chrono::DateTime;
use kit::bulk::{self, placeholders};
use kit::db::{Tx, statement};
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::Store;
use super::register::Duty;
use crate::domain::item::ItemReport;

/// Ids in one statement: far below the limit of values of both databases.
const IDS: usize = 1000;

row! {
    /// What one recipient reported on one demand.
    ItemRow in "item_reports" by ["directive", "recipient", "item"] {
        /// The directive.
        directive: Uuid,
        /// The recipient id.
        recipient: String,
        /// The id of the demand.
        item: String,
        /// How far the work is, 0 to 100.
        progress: i32,
        /// The latest report.
        report: String,
        /// When it was finished, in milliseconds since 1970; 0 before.
        finished_at: i64,
    }
}

/// A directive and the id of one of its recipients.
pub type RecipientKey = (Uuid, String);

impl Store {
    /// What each of these recipients reported on demands; one that reported nothing is left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn item_reports(
        db: &impl ConnectionTrait,
        recipients: &[RecipientKey],
    ) -> Result<HashMap<RecipientKey, Vec<ItemReport>>, DbErr> {
        let directives = recipients.iter().map(|(directive, _)| *directive).collect();
        let ids = recipients.iter().map(|(_, id)| id.clone()).collect();
        let keys = vec![
            ("directive", bulk::Column::Uuid(directives)),
            ("recipient", bulk::Column::Text(ids)),
        ];
        let mut reports: HashMap<RecipientKey, Vec<ItemReport>> = HashMap::new();
        for row in ItemRow::among(db, keys).await? {
            let of = reports.entry((row.directive, row.recipient)).or_default();
            of.push(ItemReport {
                item: row.item,
                progress: row.progress,
                report: row.report,
                finished: (row.finished_at != 0)
                    .then(|| DateTime::from_timestamp_millis(row.finished_at))
                    .flatten(),
            });
        }
        Ok(reports)
    }

    /// Stores what a recipient reports on a demand.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_item_report(
        tx: &Tx,
        (directive, recipient): RecipientKey,
        report: &ItemReport,
    ) -> Result<(), DbErr> {
        let row = ItemRow {
            directive,
            recipient,
            item: report.item.clone(),
            progress: report.progress,
            report: report.report.clone(),
            finished_at: report.finished.map_or(0, |at| at.timestamp_millis()),
        };
        ItemRow::save(tx, &[row]).await
    }

    /// Every duty at each of these organisations: for all of it before a part of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn duties(
        db: &impl ConnectionTrait,
        organizations: &[String],
    ) -> Result<HashMap<String, Vec<Duty>>, DbErr> {
        let mut duties: HashMap<String, Vec<Duty>> = HashMap::new();
        for part in organizations.chunks(IDS) {
            let marks = placeholders(1, part.len());
            let sql = format!(
                "SELECT organization, subject, place, staff_member FROM duties \
                 WHERE organization IN ({marks}) ORDER BY organization, LENGTH(place), place"
            );
            let values = part.iter().map(|id| id.as_str().into());
            for row in db.query_all_raw(statement(db, &sql, values)).await? {
                duties
                    .entry(row.try_get_by_index(0)?)
                    .or_default()
                    .push(Duty {
                        subject: row.try_get_by_index(1)?,
                        place: row.try_get_by_index(2)?,
                        staff_member: row.try_get_by_index(3)?,
                    });
            }
        }
        Ok(duties)
    }
}
