//! For how long the policies in force have the log kept (rule 6.9): they may ask for more than the
//! settings, never for less.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::NaiveDate;
use proto::roster::AuditPolicy;
use sea_orm::DbErr;

use crate::db::Database;

/// What a policy profile asks of the log of every service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floor {
    /// The region for which the profile is made; empty for the whole city.
    pub region: String,
    /// Its first civil day.
    pub effective: NaiveDate,
    /// How many days records are kept.
    pub days: u32,
    /// How many years those of partners and laboratories are kept.
    pub partner_years: u32,
}

impl Floor {
    /// What a profile asks for; nothing where it does not speak of logs.
    pub fn of(region: String, effective: NaiveDate, audit: Option<&AuditPolicy>) -> Self {
        let (days, years) = audit.map_or((0, 0), |audit| {
            (audit.retention_days, audit.partner_log_years)
        });
        Self {
            region,
            effective,
            days: u32::try_from(days).unwrap_or_default(),
            partner_years: u32::try_from(years).unwrap_or_default(),
        }
    }
}

/// Where a service has the policies.
#[async_trait]
pub trait Floors: Send + Sync + 'static {
    /// What each profile that the service knows asks for.
    ///
    /// # Errors
    /// When the database fails.
    async fn floors(&self, db: &Database) -> Result<Vec<Floor>, DbErr>;
}

/// The days for which records, and those of partners and laboratories, are kept by what is in force
/// anywhere on `day`: a log is one for all regions.
pub(super) fn greatest(floors: &[Floor], day: NaiveDate) -> (u32, u32) {
    let mut newest: BTreeMap<&str, &Floor> = BTreeMap::new();
    for floor in floors.iter().filter(|floor| floor.effective <= day) {
        let known = newest.entry(floor.region.as_str()).or_insert(floor);
        if known.effective <= floor.effective {
            *known = floor;
        }
    }
    let days = newest.values().map(|floor| floor.days).max();
    let years = newest.values().map(|floor| floor.partner_years).max();
    (days.unwrap_or_default(), in_days(years.unwrap_or_default()))
}

/// So many years in days, rather one too many than one too few.
fn in_days(years: u32) -> u32 {
    years.saturating_mul(4 * 365 + 1).div_ceil(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floor(region: &str, effective: &str, days: u32, partner_years: u32) -> Floor {
        Floor {
            region: region.to_owned(),
            effective: effective.parse().unwrap(),
            days,
            partner_years,
        }
    }

    #[test]
    fn the_greatest_of_what_is_in_force_anywhere_counts() {
        let floors = [
            floor("", "2022-04-01", 400, 3),
            floor("", "2022-05-01", 200, 3),
            floor("fz/350181", "2022-04-10", 180, 5),
            floor("", "2022-06-01", 1000, 10),
        ];
        for (day, expected) in [
            ("2022-03-31", (0, 0)),
            ("2022-04-01", (400, 1096)),
            ("2022-04-30", (400, 1827)),
            ("2022-05-01", (200, 1827)),
            ("2022-06-01", (1000, 3653)),
        ] {
            assert_eq!(greatest(&floors, day.parse().unwrap()), expected, "{day}");
        }
    }

    #[test]
    fn three_years_are_the_floor_of_the_law() {
        assert_eq!(in_days(3), super::super::PARTNER_RETENTION_DAYS);
    }
}
