//! Who answers for what.

use kit::org::OrgPath;
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};
use serde::{Deserialize, Serialize};

use crate::domain::responsibility::{Answerable, Chart, Duty, resolve};
use crate::store::{Store, unreadable};

row! {
    /// The duties of an organisation as the register told them.
    ResponsibilityRollRow in "responsibility_rolls" by ["organization"] {
        /// The id of the organisation.
        organization: String,
        /// The duties.
        duties: String,
        /// Grows with each change.
        version: i64,
        /// The snapshot that mentioned it last.
        generation: i64,
    }
}

#[derive(Serialize, Deserialize)]
struct DutyText {
    subject: String,
    place: String,
    staff_member: String,
}

/// Duties as they are stored.
pub fn duties_text(duties: impl Iterator<Item = Duty>) -> String {
    let duties: Vec<DutyText> = duties
        .map(|duty| DutyText {
            subject: duty.subject,
            place: duty.place,
            staff_member: duty.staff_member,
        })
        .collect();
    serde_json::to_string(&duties).unwrap_or_default()
}

impl Store {
    /// The one person who answers for a subject at a place of an organisation: by the rule of the
    /// register's own resolution, from what it announced, so that it works while the register is
    /// away.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answerable(
        db: &impl ConnectionTrait,
        org_path: &OrgPath,
        subject: &str,
        place: &str,
    ) -> Result<Option<Answerable>, DbErr> {
        let ids: Vec<&str> = org_path.ids().collect();
        let keys = ids.iter().map(|id| (*id).into()).collect();
        let rows = ResponsibilityRollRow::find(db, "organization", keys, Lock::No).await?;
        let mut charts = Vec::with_capacity(ids.len());
        for id in ids.into_iter().rev() {
            let duties = match rows.iter().find(|row| row.organization == id) {
                Some(row) => duties(&row.duties)?,
                None => Vec::new(),
            };
            charts.push(Chart {
                organization: id.to_owned(),
                duties,
            });
        }
        Ok(resolve(&charts, subject, place))
    }
}

fn duties(text: &str) -> Result<Vec<Duty>, DbErr> {
    let duties: Vec<DutyText> = serde_json::from_str(text).map_err(|_| unreadable("duties"))?;
    let duties = duties.into_iter().map(|duty| Duty {
        subject: duty.subject,
        place: duty.place,
        staff_member: duty.staff_member,
    });
    Ok(duties.collect())
}
