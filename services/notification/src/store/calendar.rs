//! The register's calendar, and the policies in force beside it: by what clocks run.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use kit::clock::{civil_date, start_of};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr};

use super::{Store, unreadable};
use crate::domain::concern::Clocks;
use crate::domain::place::contains;
use crate::domain::policy::{self, Enacted};
use crate::domain::voice_policy::VoicePolicy;
use kit::calendar::{Calendar, Year};

/// What roster told of one civil year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YearFact {
    /// The civil year.
    pub year: i32,
    /// Grows with each change.
    pub version: i64,
    /// The calendar; none when there is none any more.
    pub body: Option<Year>,
}

/// The calendar and every policy, read together.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The calendar.
    pub calendar: Calendar,
    policies: Vec<Enacted>,
}

impl Rules {
    /// The numbers in force at a place on a civil day.
    pub fn policy(&self, place: &str, day: NaiveDate) -> VoicePolicy {
        policy::in_force(&self.policies, place, day).voices
    }

    /// The greatest `privacy.k` in force on a civil day at a place or below it: what is hidden at one place
    /// depends on what is at others, so one number judges all.
    pub fn privacy_k(&self, place: &str, day: NaiveDate) -> u32 {
        let regions = self.policies.iter().map(|enacted| enacted.region.as_str());
        let below = regions.filter(|region| contains(place, region));
        let each = below
            .chain([place])
            .map(|place| self.policy(place, day).privacy_k);
        each.max().unwrap_or_default()
    }

    /// By when a concern that begins at `now` is sorted out and answered at a place: by the end of
    /// the last working day in Asia/Shanghai. The day on which it begins does not count.
    pub fn clocks(&self, place: &str, now: DateTime<Utc>) -> Clocks {
        let today = civil_date(now);
        let policy = self.policy(place, today);
        let end = |days: u32| {
            let last = self.calendar.working_day_after(today, days);
            start_of(last) + Duration::days(1)
        };
        Clocks {
            acknowledge: end(policy.acknowledge_days),
            answer: end(policy.answer_days),
            urgent_answer: end(policy.urgent_answer_days),
        }
    }
}

impl Store {
    /// Writes the calendar of a civil year when it is newer than what is stored, or the first sight
    /// in a generation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_year(tx: &Tx, fact: &YearFact, generation: i64) -> Result<(), DbErr> {
        let Some(body) = &fact.body else {
            let sql = "DELETE FROM calendar_years WHERE year = $1 AND version < $2";
            let values = [fact.year.into(), fact.version.into()];
            tx.execute_raw(statement(tx, sql, values)).await?;
            return Ok(());
        };
        let body = serde_json::to_string(body).unwrap_or_default();
        let sql = "INSERT INTO calendar_years (year, body, version, generation) \
                   VALUES ($1, $2, $3, $4) ON CONFLICT (year) DO UPDATE SET \
                   body = excluded.body, version = excluded.version, \
                   generation = excluded.generation \
                   WHERE excluded.version > calendar_years.version \
                   OR excluded.generation > calendar_years.generation";
        let values = [
            fact.year.into(),
            body.into(),
            fact.version.into(),
            generation.into(),
        ];
        tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(())
    }

    /// The calendar and every policy.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rules(db: &impl ConnectionTrait) -> Result<Rules, DbErr> {
        let sql = "SELECT year, body FROM calendar_years";
        let rows = db.query_all_raw(statement(db, sql, [])).await?;
        let mut years = BTreeMap::new();
        for row in rows {
            let body: String = row.try_get_by_index(1)?;
            let year: Year = serde_json::from_str(&body).map_err(|_| unreadable("calendar"))?;
            years.insert(row.try_get_by_index(0)?, year);
        }
        Ok(Rules {
            calendar: Calendar::new(years),
            policies: Self::policies(db).await?,
        })
    }
}
