//! What there is to say about rows.

use kit::db::{Backend, statement};
use sea_orm::{ConnectionTrait, DbErr};

use super::sheet::Sheet;
use crate::domain::import::{Kind, Reason};
use crate::store::unreadable;

/// Something to say about one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The number of the row.
    pub row: i64,
    /// The place among what there is to say about it.
    pub place: i16,
    /// What the row is about.
    pub kind: Kind,
    /// The field.
    pub field: &'static str,
    /// What is the matter.
    pub reason: Reason,
    /// The row is refused.
    pub rejected: bool,
}

const COLUMNS: &[&str] = &[
    "job", "row", "place", "kind", "field", "reason", "rejected", "planned",
];

/// A sheet of verdicts that were passed while rows came.
pub fn sheet(backend: Backend, job: i64, verdicts: &[Verdict]) -> Sheet {
    let mut sheet = Sheet::new(backend, "import_verdicts", COLUMNS);
    for verdict in verdicts {
        let Verdict {
            row,
            place,
            kind,
            field,
            reason,
            rejected,
        } = *verdict;
        sheet.row();
        sheet.big(job);
        sheet.big(row);
        sheet.small(place);
        sheet.small(kind.code());
        sheet.text(field);
        sheet.text(reason.code());
        sheet.flag(rejected);
        sheet.flag(false);
    }
    sheet
}

/// A verdict as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The number of the row.
    pub row: i64,
    /// The place among what there is to say about it.
    pub place: i16,
    /// What the row is about.
    pub kind: Kind,
    /// The field.
    pub field: String,
    /// What is the matter.
    pub reason: Reason,
    /// The row is refused.
    pub rejected: bool,
}

/// One page of a job's verdicts, after a row and a place.
///
/// # Errors
/// When the database fails.
pub async fn list(
    db: &impl ConnectionTrait,
    job: i64,
    (row, place): (i64, i16),
    limit: u64,
) -> Result<Vec<Stored>, DbErr> {
    let sql = "SELECT row, place, kind, field, reason, rejected FROM import_verdicts \
        WHERE job = $1 AND (row, place) > ($2, $3) ORDER BY row, place LIMIT $4";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [job.into(), row.into(), place.into(), limit.into()];
    let rows = db.query_all_raw(statement(db, sql, values)).await?;
    rows.iter()
        .map(|row| {
            let reason: String = row.try_get_by_index(4)?;
            let reason = Reason::ALL.iter().find(|known| known.code() == reason);
            let kind = Kind::from_code(row.try_get_by_index(2)?);
            Ok(Stored {
                row: row.try_get_by_index(0)?,
                place: row.try_get_by_index(1)?,
                kind: kind.ok_or_else(|| unreadable("a kind of row"))?,
                field: row.try_get_by_index(3)?,
                reason: *reason.ok_or_else(|| unreadable("a reason"))?,
                rejected: row.try_get_by_index(5)?,
            })
        })
        .collect()
}
