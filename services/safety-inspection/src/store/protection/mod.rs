//! How campuses are protected: rows in and out.

mod devices;
mod figures;

use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};

pub use devices::DeviceRow;
pub use figures::CampusAnswers;

use super::{Store, below_end, day_number, records, unreadable};
use crate::domain::protection::declaration::{Declaration, Statement};
use crate::domain::protection::judgement::first_lapse;
use crate::domain::protection::version::State;

row! {
    /// The newest declaration of a campus.
    ProtectionRow in "protections" by ["organization"] {
        /// The id of the organisation.
        organization: String,
        /// Its place.
        org_path: String,
        /// From 1.
        version: i32,
        /// The number of the state.
        state: i16,
        /// Who declared it.
        declarer: String,
        /// What was declared.
        declaration: String,
        /// The last day before something lapses.
        due: i32,
        /// Whether there are full-time guards.
        guards_answer: i16,
        /// Proven until then.
        guards_due: i32,
        /// Whether the campus is closed to others.
        closed_answer: i16,
        /// Proven until then.
        closed_due: i32,
        /// Whether there is a one-key alarm.
        alarm_answer: i16,
        /// Proven until then.
        alarm_due: i32,
    }
}

row! {
    /// What a campus declared once.
    VersionRow in "protection_versions" by ["organization", "version"] {
        /// The id of the organisation.
        organization: String,
        /// From 1.
        version: i32,
        /// The number of the state that it got to.
        state: i16,
        /// What was declared.
        declaration: String,
    }
}

/// What a campus declared once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// From 1.
    pub version: i32,
    /// How far it got.
    pub state: State,
    /// What was declared.
    pub declaration: Declaration,
}

/// `organizations/{organization}/protectionVersions/{version}`: whose history it is.
pub fn version_name(organization: &str, version: i32) -> String {
    format!("organizations/{organization}/protectionVersions/{version}")
}

/// The newest declaration of a campus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The id of the organisation.
    pub organization: String,
    /// Its place.
    pub org_path: String,
    /// From 1; 0 when nothing was declared.
    pub version: i32,
    /// How far it got.
    pub state: State,
    /// Who declared it.
    pub declarer: String,
    /// What was declared.
    pub declaration: Declaration,
}

impl Declared {
    /// Of a campus that declared nothing.
    pub fn nothing(organization: &str, org_path: &str) -> Self {
        Self {
            organization: organization.to_owned(),
            org_path: org_path.to_owned(),
            version: 0,
            state: State::NotDeclared,
            declarer: String::new(),
            declaration: Declaration::default(),
        }
    }

    fn row(&self) -> Result<ProtectionRow, DbErr> {
        let declared = &self.declaration;
        let (guards_answer, guards_due) = answer(declared.full_time_guards.as_ref());
        let (closed_answer, closed_due) = answer(declared.closed_management.as_ref());
        let (alarm_answer, alarm_due) = answer(declared.one_key_alarm.as_ref());
        Ok(ProtectionRow {
            organization: self.organization.clone(),
            org_path: self.org_path.clone(),
            version: self.version,
            state: self.state as i16,
            declarer: self.declarer.clone(),
            declaration: records::text(declared)?,
            due: day_number(first_lapse(declared).unwrap_or(chrono::NaiveDate::MAX)),
            guards_answer,
            guards_due,
            closed_answer,
            closed_due,
            alarm_answer,
            alarm_due,
        })
    }
}

impl TryFrom<ProtectionRow> for Declared {
    type Error = DbErr;

    fn try_from(row: ProtectionRow) -> Result<Self, DbErr> {
        Ok(Self {
            state: state(row.state)?,
            declaration: records::value(&row.declaration)?,
            organization: row.organization,
            org_path: row.org_path,
            version: row.version,
            declarer: row.declarer,
        })
    }
}

/// Said nothing, yes or no; and until when a yes is proven.
fn answer(said: Option<&Statement>) -> (i16, i32) {
    let never = chrono::NaiveDate::MAX;
    match said {
        None => (0, day_number(never)),
        Some(said) if said.met => (1, day_number(said.expires.unwrap_or(never))),
        Some(_) => (2, day_number(never)),
    }
}

fn state(number: i16) -> Result<State, DbErr> {
    State::from_number(number.into()).ok_or_else(|| unreadable("state"))
}

impl Store {
    /// The newest declaration of a campus.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn protection(
        db: &impl ConnectionTrait,
        organization: &str,
    ) -> Result<Option<Declared>, DbErr> {
        let row = ProtectionRow::get(db, organization, Lock::No).await?;
        row.map(Declared::try_from).transpose()
    }

    /// The newest declarations of these campuses, but for those that were returned.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn declarations(
        db: &impl ConnectionTrait,
        organizations: &[&str],
    ) -> Result<Vec<Declared>, DbErr> {
        let keys = organizations.iter().map(|id| Value::from(*id)).collect();
        let rows = ProtectionRow::find(db, "organization", keys, Lock::No).await?;
        let standing = rows
            .into_iter()
            .filter(|row| row.state != State::Returned as i16);
        standing.map(Declared::try_from).collect()
    }

    /// The newest declaration of a campus, which nobody else changes until the transaction ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_protection(
        tx: &Tx,
        organization: &str,
        org_path: &str,
    ) -> Result<Declared, DbErr> {
        let nothing = Declared::nothing(organization, org_path);
        ProtectionRow::add(tx, &[nothing.row()?]).await?;
        let row = ProtectionRow::get(tx, organization, Lock::Yes).await?;
        let declared = row.map_or(Ok(nothing), Declared::try_from)?;
        Ok(Declared {
            org_path: org_path.to_owned(),
            ..declared
        })
    }

    /// Keeps the newest declaration of a campus.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_protection(tx: &Tx, now: &Declared) -> Result<(), DbErr> {
        let row = now.row()?;
        let version = VersionRow {
            organization: row.organization.clone(),
            version: row.version,
            state: row.state,
            declaration: row.declaration.clone(),
        };
        ProtectionRow::save(tx, &[row]).await?;
        VersionRow::save(tx, &[version]).await?;
        // What a campus has decides on drills and inspections too.
        for standing in ["drillStanding", "inspectionStanding"] {
            Self::retell(tx, &now.organization, standing).await?;
        }
        Self::retell(tx, &now.organization, "protectionStanding").await
    }

    /// The newest declarations of open campuses at and below a place, in the order of their places, after `after`;
    /// only those of which something lapsed before the day `overdue`, when given.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn protections_below(
        db: &impl ConnectionTrait,
        place: &str,
        overdue: Option<chrono::NaiveDate>,
        after: &str,
        limit: u64,
    ) -> Result<Vec<Declared>, DbErr> {
        let before = overdue.map_or(i32::MAX, day_number);
        let values: Vec<Value> = vec![
            place.into(),
            format!("{place}/").into(),
            below_end(place).into(),
            after.into(),
            before.into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ];
        let sql = format!(
            "SELECT {} FROM protections WHERE (org_path = $1 OR (org_path > $2 AND org_path < $3)) \
             AND org_path > $4 AND due < $5 AND EXISTS (SELECT 1 FROM organizations \
             WHERE organizations.id = protections.organization AND organizations.open = TRUE) \
             ORDER BY org_path LIMIT $6",
            ProtectionRow::COLUMNS.join(", ")
        );
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter()
            .map(|row| Declared::try_from(ProtectionRow::read(row)?))
            .collect()
    }

    /// What a campus declared, newest first, before the version `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn protection_versions(
        db: &impl ConnectionTrait,
        organization: &str,
        before: i32,
        limit: u64,
    ) -> Result<Vec<Version>, DbErr> {
        let sql = format!(
            "SELECT {} FROM protection_versions WHERE organization = $1 AND version < $2 \
             ORDER BY version DESC LIMIT {limit}",
            VersionRow::COLUMNS.join(", ")
        );
        let values: [Value; 2] = [organization.into(), before.into()];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        let versions = rows.iter().map(|row| {
            let row = VersionRow::read(row)?;
            Ok(Version {
                version: row.version,
                state: state(row.state)?,
                declaration: records::value(&row.declaration)?,
            })
        });
        versions.collect()
    }
}
