//! Who answers for what.

use std::collections::{BTreeMap, BTreeSet};

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
        let charts = Self::charts(db, std::slice::from_ref(org_path)).await?;
        let charts = charts.into_iter().next().unwrap_or_default();
        Ok(resolve(&charts, subject, place))
    }

    /// The same for many organisations, in their order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answerables(
        db: &impl ConnectionTrait,
        org_paths: &[OrgPath],
        subject: &str,
        place: &str,
    ) -> Result<Vec<Option<Answerable>>, DbErr> {
        let charts = Self::charts(db, org_paths).await?;
        let answers = charts.iter().map(|charts| resolve(charts, subject, place));
        Ok(answers.collect())
    }

    /// The duties that are asked for each of these places: those of the organisation there, then of
    /// those above it up to the city.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn charts(
        db: &impl ConnectionTrait,
        org_paths: &[OrgPath],
    ) -> Result<Vec<Vec<Chart>>, DbErr> {
        let ids: BTreeSet<&str> = org_paths.iter().flat_map(OrgPath::ids).collect();
        let keys = ids.into_iter().map(Into::into).collect();
        let rows = ResponsibilityRollRow::find(db, "organization", keys, Lock::No).await?;
        let mut told = BTreeMap::new();
        for row in rows {
            told.insert(row.organization, duties(&row.duties)?);
        }
        let chart = |id: &str| Chart {
            organization: id.to_owned(),
            duties: told.get(id).cloned().unwrap_or_default(),
        };
        let upward = |path: &OrgPath| {
            path.ids()
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .map(chart)
                .collect()
        };
        Ok(org_paths.iter().map(upward).collect())
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
