//! The yearly ledgers: numbers, pages for export, and who took one away.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::rows::instant;
use super::{WITHIN, select, within};
use crate::domain::hazard::entry::{Hazard, LedgerNumber};
use crate::store::{Store, unreadable};

row! {
    /// An export of a ledger.
    ExportRow in "hazard_ledger_exports" by ["id"] {
        /// Sorts by when.
        id: Uuid,
        /// The id of the organisation.
        organization: String,
        /// The civil year.
        year: i32,
        /// Who.
        exporter: String,
        /// Milliseconds since 1970.
        exported_at: i64,
    }
}

/// An export of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Sorts by when.
    pub id: Uuid,
    /// The id of the organisation.
    pub organization: String,
    /// The civil year.
    pub year: i32,
    /// Who took it.
    pub exporter: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Store {
    /// The next number in the ledger of an organisation for a civil year; nobody else gets one before
    /// the end of the transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_ledger_number(
        tx: &Tx,
        organization: &str,
        year: i32,
    ) -> Result<LedgerNumber, DbErr> {
        let sql = "INSERT INTO hazard_ledgers (organization, year, last) VALUES ($1, $2, 1) \
             ON CONFLICT (organization, year) DO UPDATE SET last = hazard_ledgers.last + 1 \
             RETURNING last";
        let values = [organization.into(), year.into()];
        let row = tx.query_one_raw(statement(tx, sql, values)).await?;
        let row = row.ok_or_else(|| unreadable("ledger"))?;
        Ok(LedgerNumber {
            year,
            sequence: row.try_get_by_index(0)?,
        })
    }

    /// A page of the ledger of a civil year at and below `place`, by place and number, after those of
    /// `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ledger(
        db: &impl ConnectionTrait,
        place: &str,
        year: i32,
        after: (&str, i32),
        limit: u64,
    ) -> Result<Vec<Hazard>, DbErr> {
        let mut values = within(place);
        values.extend([year.into(), after.0.into(), after.1.into()]);
        let wheres = format!(
            "{WITHIN} AND ledger_year = $4 \
             AND (org_path > $5 OR (org_path = $5 AND ledger_sequence > $6)) \
             ORDER BY org_path, ledger_sequence"
        );
        select(db, &wheres, values, limit).await
    }

    /// Writes down that a ledger was taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_ledger_export(tx: &Tx, export: Export) -> Result<(), DbErr> {
        let row = ExportRow {
            id: export.id,
            organization: export.organization,
            year: export.year,
            exporter: export.exporter,
            exported_at: export.at.timestamp_millis(),
        };
        ExportRow::add(tx, &[row]).await
    }

    /// Who took the ledger of an organisation, newest first, older than `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ledger_exports(
        db: &impl ConnectionTrait,
        organization: &str,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Export>, DbErr> {
        let sql = format!(
            "SELECT {} FROM hazard_ledger_exports WHERE organization = $1 AND id < $2 \
             ORDER BY id DESC LIMIT {limit}",
            ExportRow::COLUMNS.join(", ")
        );
        let values = [organization.into(), before.unwrap_or(Uuid::max()).into()];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter()
            .map(|row| {
                let row = ExportRow::read(row)?;
                Ok(Export {
                    id: row.id,
                    organization: row.organization,
                    year: row.year,
                    exporter: row.exporter,
                    at: instant(row.exported_at)?.ok_or_else(|| unreadable("instant"))?,
                })
            })
            .collect()
    }
}
