//! The sweep and the disinfection after a suspension.

use kit::db::{Tx, statement};
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr};

use crate::store::Store;

row! {
    /// The latest finding at one item of one sweep.
    FindingRow in "weather_findings" by ["organization", "sweep", "item"] {
        /// The id of the organisation.
        organization: String,
        /// Which sweep.
        sweep: i32,
        /// The code of the item.
        item: String,
        /// It is in order.
        passed: bool,
        /// The place within the organisation.
        place: String,
        /// What was seen.
        description: String,
        /// The last hazard that was opened in this sweep, also once it is in order; empty when none was.
        hazard: String,
        /// Who looked.
        checker: String,
        /// When.
        checked_at: i64,
    }
}

row! {
    /// The latest disinfection of one sweep.
    DisinfectionRow in "weather_disinfections" by ["organization", "sweep"] {
        /// The id of the organisation.
        organization: String,
        /// Which sweep.
        sweep: i32,
        /// Which places.
        places: String,
        /// With what.
        agent: String,
        /// Milligrams per litre.
        concentration: i32,
        /// Who signed.
        signer: String,
        /// When.
        signed_at: i64,
    }
}

impl FindingRow {
    /// What its pictures are evidence of.
    pub fn origin(&self) -> String {
        let Self {
            organization,
            sweep,
            item,
            ..
        } = self;
        format!("organizations/{organization}/postChecks/{sweep}/{item}")
    }
}

/// Everything recorded in a sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The findings, in the order of their items' codes.
    pub findings: Vec<FindingRow>,
    /// The disinfection.
    pub disinfection: Option<DisinfectionRow>,
}

impl Store {
    /// Keeps findings; a later one at an item takes the place of the one before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_weather_findings(tx: &Tx, rows: &[FindingRow]) -> Result<(), DbErr> {
        FindingRow::save(tx, rows).await
    }

    /// Keeps a disinfection.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_weather_disinfection(tx: &Tx, row: DisinfectionRow) -> Result<(), DbErr> {
        DisinfectionRow::save(tx, &[row]).await
    }

    /// Everything recorded in a sweep of an organisation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_recorded(
        db: &impl ConnectionTrait,
        organization: &str,
        sweep: i32,
    ) -> Result<Recorded, DbErr> {
        let findings = rows::<FindingRow>(db, organization, sweep).await?;
        let mut disinfections = rows::<DisinfectionRow>(db, organization, sweep).await?;
        Ok(Recorded {
            findings,
            disinfection: disinfections.pop(),
        })
    }
}

async fn rows<R: Row>(
    db: &impl ConnectionTrait,
    organization: &str,
    sweep: i32,
) -> Result<Vec<R>, DbErr> {
    let sql = format!(
        "SELECT {} FROM {} WHERE organization = $1 AND sweep = $2 ORDER BY {}",
        R::COLUMNS.join(", "),
        R::TABLE,
        R::KEY.join(", "),
    );
    let values = [organization.into(), sweep.into()];
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    rows.iter().map(R::read).collect()
}
