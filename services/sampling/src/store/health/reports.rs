//! Reports, the chain they go up, receipts and sendings.

use sea_orm::{ConnectionTrait, DbErr};

use super::cases::{AFTER, CaseRow};
use kit::rows::{Lock, Row, row};

row! {
    /// One report; never changed. Times are milliseconds since 1970, 0 for none.
    ReportRow in "case_reports" by ["case_id", "sequence"] {
        /// The case.
        case_id: String,
        /// 1, 2, …
        sequence: i32,
        /// First, follow-up or final.
        kind: i16,
        /// When it was written.
        time: i64,
        /// When it was due.
        due: i64,
        /// Whether it was late.
        late: bool,
        /// Who wrote it.
        author: String,
        /// When it happened.
        occur_time: i64,
        /// Where.
        place: String,
        /// Suspected cases.
        suspected: i32,
        /// Confirmed cases.
        confirmed: i32,
        /// In hospital.
        hospitalised: i32,
        /// Deaths.
        dead: i32,
        /// What was done.
        measures: String,
        /// The cause.
        cause: String,
        /// Who answers questions.
        contact_post: String,
    }
}

row! {
    /// One hop of a case's chain; never changed.
    HopRow in "case_hops" by ["case_id", "from_level"] {
        /// The case.
        case_id: String,
        /// Who reports.
        from_level: i16,
        /// To whom.
        to_level: i16,
        /// Within so many milliseconds.
        sla: i64,
    }
}

row! {
    /// A receipt (1), a sending (2), a receipt beside the chain (3) or one that the sender recorded (4);
    /// never changed.
    StepRow in "report_steps" by ["case_id", "sequence"] {
        /// The case.
        case_id: String,
        /// 1, 2, …
        sequence: i32,
        /// What.
        kind: i16,
        /// Which level.
        level: i16,
        /// To which level it was sent.
        to_level: i16,
        /// When.
        time: i64,
        /// Who.
        actor: String,
        /// The number of a receipt that the sender recorded.
        outside_reference: String,
    }
}

/// A case with its chain and all that moved on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseFile {
    /// The case.
    pub row: CaseRow,
    /// Its hops, from the bottom up.
    pub hops: Vec<HopRow>,
    /// Receipts and sendings in order.
    pub steps: Vec<StepRow>,
}

/// Cases with their chains.
///
/// # Errors
/// When the database fails.
pub async fn files<C: ConnectionTrait + Sync>(
    connection: &C,
    rows: Vec<CaseRow>,
) -> Result<Vec<CaseFile>, DbErr> {
    let keys: Vec<sea_orm::Value> = rows.iter().map(|row| row.id.as_str().into()).collect();
    let hops = HopRow::find(connection, "case_id", keys.clone(), Lock::No).await?;
    let steps = StepRow::find(connection, "case_id", keys, Lock::No).await?;
    let file = |row: CaseRow| CaseFile {
        hops: hops
            .iter()
            .filter(|hop| hop.case_id == row.id)
            .cloned()
            .collect(),
        steps: steps
            .iter()
            .filter(|step| step.case_id == row.id)
            .cloned()
            .collect(),
        row,
    };
    Ok(rows.into_iter().map(file).collect())
}

/// The reports of a case after one.
///
/// # Errors
/// When the database fails.
pub async fn list<C: ConnectionTrait + Sync>(
    connection: &C,
    case: &str,
    after: i32,
    limit: u64,
) -> Result<Vec<ReportRow>, DbErr> {
    let values = vec![case.into(), after.into()];
    ReportRow::page(connection, AFTER, values, limit).await
}

/// The receipts and sendings of a case after one.
///
/// # Errors
/// When the database fails.
pub async fn steps<C: ConnectionTrait + Sync>(
    connection: &C,
    case: &str,
    after: i32,
    limit: u64,
) -> Result<Vec<StepRow>, DbErr> {
    let values = vec![case.into(), after.into()];
    StepRow::page(connection, AFTER, values, limit).await
}
